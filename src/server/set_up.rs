//! The link with which the first owner is made: into a file that only the daemon's user can read, and never into the log.

use std::fs::{self, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::directory::Directory;
use crate::model::Origin;
use crate::store::Actor;

/// The file in the data folder.
const FILE: &str = "set-up-link";

/// Where the link lies.
pub fn place(data_dir: &Path) -> PathBuf {
    data_dir.join(FILE)
}

/// Makes a link in place of an older one, and lays it down. While no organisation has an owner, only.
///
/// # Errors
/// Somebody owns an organisation already, or the file cannot be written.
pub async fn make(directory: &Directory, actor: &Actor, origin: &Origin, data_dir: &Path) -> anyhow::Result<String> {
    let link = directory.make_set_up_link(actor).await?;
    let link = origin.link(&format!("/set-up/{}", link.shown().expose()));
    let path = place(data_dir);
    write(&path, &link).with_context(|| format!("the set-up link cannot be written to {}", path.display()))?;
    Ok(link)
}

/// At the start: where nobody owns anything, the Manager is of no use to anybody until this link was opened.
pub(super) async fn offer(directory: &Directory, origin: &Origin, data_dir: &Path) -> anyhow::Result<()> {
    if directory.has_owner().await? {
        return Ok(());
    }
    let link = make(directory, &Actor::daemon(), origin, data_dir).await?;
    tracing::info!(
        path = %place(data_dir).display(),
        "nobody owns an organisation yet: open the link in this file, or ask for another one by postern user set-up-link"
    );
    // A terminal is somebody who looks on; a log is kept, and read by others.
    if io::stderr().is_terminal() {
        let _ = writeln!(
            io::stderr(),
            "\nSet up the first organisation in your browser:\n\n  {link}\n"
        );
    }
    Ok(())
}

/// Removes the file once there is an owner: the link in it is dead.
pub(super) async fn clear(directory: &Directory, data_dir: &Path) {
    let path = place(data_dir);
    if path.exists()
        && matches!(directory.has_owner().await, Ok(true))
        && let Err(error) = fs::remove_file(&path)
    {
        tracing::warn!(%error, path = %path.display(), "the set-up link, which is used up, was not removed");
    }
}

/// Writes a file for its owner only, whole or not at all.
fn write(path: &Path, link: &str) -> io::Result<()> {
    let fresh = path.with_extension("new");
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&fresh)?;
    file.write_all(format!("{link}\n").as_bytes())?;
    file.sync_all()?;
    fs::rename(&fresh, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_its_owner_can_read_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = place(dir.path());
        for link in [
            "https://manager.example.org/set-up/one",
            "https://manager.example.org/set-up/two",
        ] {
            write(&path, link).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap().trim_end(), link);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
