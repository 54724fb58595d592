//! What can go wrong inside a request, and the words for it: a rule of the model, or SQLite itself.

use rusqlite::ErrorCode;

use crate::store::Error;

/// Why a request failed; becomes an [`Error`] once the path of the database is known.
#[derive(Debug)]
pub(super) enum Fault {
    /// A rule of the model.
    Rule(Error),
    /// SQLite.
    Sql(rusqlite::Error),
}

/// The outcome of a request or a part of one.
pub(super) type Outcome<T> = Result<T, Fault>;

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Rule(error)
    }
}

impl Fault {
    /// The error for the caller.
    pub(super) fn about(self, path: &str) -> Error {
        match self {
            Self::Rule(error) => error,
            Self::Sql(error) => unavailable(path, reason(&error)),
        }
    }
}

/// The name, address or label is taken.
pub(super) fn conflict(text: String) -> Fault {
    Fault::Rule(Error::Conflict(text))
}

/// There is no such thing.
pub(super) fn not_found(text: String) -> Fault {
    Fault::Rule(Error::NotFound(text))
}

/// A rule of the model forbids it.
pub(super) fn refused(text: String) -> Fault {
    Fault::Rule(Error::Refused(text))
}

/// The database cannot be used.
pub(super) fn unavailable(path: &str, reason: impl Into<String>) -> Error {
    Error::Unavailable {
        path: path.to_owned(),
        reason: reason.into(),
    }
}

/// What happened and what to do. SQLite's own words name tables and constraints, never values.
fn reason(error: &rusqlite::Error) -> String {
    let Some(code) = error.sqlite_error_code() else {
        return format!("a record is damaged or was written by another program ({error}); restore the backup");
    };
    match code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            "another process keeps it locked; wait until that one is done, or end it, then try again".to_owned()
        }
        ErrorCode::DiskFull => "the disk is full; free some space, then try again (nothing was changed)".to_owned(),
        ErrorCode::ReadOnly => {
            "it is read-only; the file and its directory must be writable for the user that runs Postern".to_owned()
        }
        ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied => {
            format!(
                "it cannot be opened ({error}); the file and its directory must be readable and writable for the user \
                 that runs Postern"
            )
        }
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
            format!("the file is damaged or not a database ({error}); restore the backup")
        }
        ErrorCode::SystemIoFailure => {
            format!("reading or writing failed ({error}); look at the disk and the kernel's log")
        }
        _ => format!("{error}; nothing was changed, try again"),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn each_failure_says_what_to_do() {
        for (code, told) in [
            (ffi::SQLITE_BUSY, "wait until that one is done"),
            (ffi::SQLITE_LOCKED, "wait until that one is done"),
            (ffi::SQLITE_FULL, "free some space"),
            (ffi::SQLITE_READONLY, "must be writable"),
            (ffi::SQLITE_CANTOPEN, "must be readable and writable"),
            (ffi::SQLITE_PERM, "must be readable and writable"),
            (ffi::SQLITE_CORRUPT, "restore the backup"),
            (ffi::SQLITE_NOTADB, "restore the backup"),
            (ffi::SQLITE_IOERR, "look at the disk"),
            (ffi::SQLITE_CONSTRAINT, "nothing was changed, try again"),
        ] {
            let error = Fault::Sql(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)).about("/x/postern.db");
            let text = error.to_string();
            assert!(
                text.starts_with("the database /x/postern.db cannot be used: ") && text.contains(told),
                "{text}"
            );
        }
    }
}
