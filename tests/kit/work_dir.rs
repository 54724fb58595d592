//! A folder of its own for each server, removed when dropped.
//!
//! It lies in /tmp whatever TMPDIR says, because the path of a Unix socket may have 107 octets at most. Other users may
//! enter it (Postfix runs as several), so files with secrets are made readable for their owner alone. With
//! `POSTERN_KEEP` set in the environment the folder stays, for a look at logs and mail.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// The folder.
#[derive(Debug)]
pub(crate) struct WorkDir {
    path: PathBuf,
}

impl WorkDir {
    /// Makes `/tmp/postern-NAME-XXXXXX`.
    pub(crate) fn new(name: &str) -> anyhow::Result<Self> {
        let made = tempfile::Builder::new()
            .prefix(&format!("postern-{name}-"))
            .tempdir_in("/tmp")
            .context("cannot make a folder in /tmp")?;
        let path = made.keep();
        fs::set_permissions(&path, Permissions::from_mode(0o755))?;
        Ok(Self { path })
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A path inside.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file that everybody may read.
    pub(crate) fn write(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        self.write_with_mode(name, text, 0o644)
    }

    /// Writes a file that its owner alone may read.
    pub(crate) fn write_secret(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        self.write_with_mode(name, text, 0o600)
    }

    /// Makes an empty file that everybody may write.
    pub(crate) fn write_with_everybody_writing(&self, name: &str) -> anyhow::Result<PathBuf> {
        self.write_with_mode(name, "", 0o666)
    }

    fn write_with_mode(&self, name: &str, text: &str, mode: u32) -> anyhow::Result<PathBuf> {
        let path = self.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, text)?;
        fs::set_permissions(&path, Permissions::from_mode(mode))?;
        Ok(path)
    }
}

impl Drop for WorkDir {
    fn drop(&mut self) {
        if std::env::var_os("POSTERN_KEEP").is_some() {
            return;
        }
        if fs::remove_dir_all(&self.path).is_err() {
            // Postfix's queue belongs to other users where the kit does not run as root.
            super::process::as_root("rm").arg("-rf").arg(&self.path).status().ok();
        }
    }
}
