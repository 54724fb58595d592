//! Passwords in files of their own, which nobody but their owner can read.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroize;

use crate::secret::{Secret, SecretBytes};

/// A longer password is a file named by mistake.
const MAX_BYTES: u64 = 4096;

/// Why a password file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not there or cannot be opened.
    #[error("{path} cannot be read: {reason}; create it with the password on one line and `chmod 600`")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
    /// Others can read or write it.
    #[error(
        "{path} can be read or written by others (mode {mode:o}); `chmod 600 {path}` and change the password in it"
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It does not hold one line of text.
    #[error("{path} {what}; write the password on one line and nothing else")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
}

/// Reads one password; a final line end does not belong to it.
///
/// # Errors
/// The file is missing, open to others, or not one line of 1 to 4096 octets.
pub fn read(path: &Path) -> Result<SecretBytes, Error> {
    let unreadable = |reason| Error::Unreadable {
        path: path.to_owned(),
        reason,
    };
    let mut file = std::fs::File::open(path).map_err(unreadable)?;
    // The opened file is asked, not the path: nobody can swap it in between.
    let facts = file.metadata().map_err(unreadable)?;
    let content = |what| {
        Err(Error::Content {
            path: path.to_owned(),
            what,
        })
    };
    if !facts.is_file() {
        return content("is not a file");
    }
    let mode = facts.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(Error::Exposed {
            path: path.to_owned(),
            mode,
        });
    }
    if facts.len() > MAX_BYTES {
        return content("is longer than 4096 octets");
    }
    // With its full capacity from the start the buffer is never moved, so no copy is left behind unwiped.
    let mut text = Vec::with_capacity(usize::try_from(MAX_BYTES).unwrap_or_default());
    if let Err(reason) = file.by_ref().take(MAX_BYTES).read_to_end(&mut text) {
        text.zeroize();
        return Err(unreadable(reason));
    }
    while text.last().is_some_and(|octet| b"\r\n".contains(octet)) {
        text.pop();
    }
    let secret = Secret::new(text);
    if secret.expose().is_empty() {
        return content("is empty");
    }
    if secret.expose().iter().any(u8::is_ascii_control) {
        return content("has more than one line, or control characters");
    }
    Ok(secret)
}
