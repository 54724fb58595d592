//! Credentials from a CSV file (RFC 4180 §2): `username,password`, with or without a header.
//!
//! What is read is wiped: the file's octets and the fields lie in buffers of ours only. No message repeats a field.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use csv_core::{ReadRecordResult, Reader};
use zeroize::Zeroizing;

use super::super::failure::Failure;
use crate::load::Account;
use crate::secret::Secret;

/// A larger file is not a list of accounts.
const MAX_FILE_BYTES: u64 = 64 << 20;
/// What comes through a pipe is bounded by the buffer that must not grow.
const MAX_PIPE_BYTES: u64 = 4 << 20;
/// Accounts of one file.
const MAX_ACCOUNTS: usize = 1_000_000;
/// Octets of the fields of one row.
const MAX_ROW_BYTES: usize = 2048;
/// One more than there may be, to see that there are more.
const COLUMNS: usize = 3;

const FORM: &str =
    "write one username,password on each line, and a field with a comma or a quote in it in double quotes";

/// Whether the work logs in with the passwords of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passwords {
    Needed,
    /// The second column may be missing.
    Unused,
}

/// Reads the file.
pub(super) fn read(path: &Path, passwords: Passwords) -> Result<Vec<Account>, Failure> {
    let octets = read_file(path)?;
    parse(&octets, passwords).map_err(|problem| Failure::failed(format!("{}, {problem}", path.display())))
}

fn read_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let failed = |error: std::io::Error| Failure::failed(format!("{} cannot be read: {error}", path.display()));
    let mut file = File::open(path).map_err(failed)?;
    // The opened file is asked, not the path: nobody can swap it in between.
    let facts = file.metadata().map_err(failed)?;
    let mode = facts.permissions().mode() & 0o777;
    if facts.is_file() && mode & 0o077 != 0 {
        return Err(Failure::failed(format!(
            "{} holds passwords and is open to others (mode {mode:03o}): run `chmod 600` on it",
            path.display()
        )));
    }
    let (limit, capacity) = if facts.is_file() {
        (MAX_FILE_BYTES, facts.len().min(MAX_FILE_BYTES))
    } else {
        (MAX_PIPE_BYTES, MAX_PIPE_BYTES)
    };
    // With its full capacity from the start the buffer is never moved, so no copy is left behind unwiped.
    let mut octets = Zeroizing::new(Vec::with_capacity(usize::try_from(capacity + 2).unwrap_or_default()));
    file.by_ref()
        .take(capacity + 1)
        .read_to_end(&mut octets)
        .map_err(failed)?;
    if octets.len() as u64 > limit {
        return Err(Failure::failed(format!(
            "{} is larger than {} MiB; split it",
            path.display(),
            limit >> 20
        )));
    }
    if octets.len() as u64 > capacity {
        return Err(Failure::failed(format!(
            "{} grew while it was read; try again",
            path.display()
        )));
    }
    Ok(octets)
}

fn parse(octets: &[u8], passwords: Passwords) -> Result<Vec<Account>, String> {
    // Spreadsheets write a byte order mark in front of the first column.
    let octets = octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets);
    let mut rows = Rows::new(octets);
    let mut accounts = Vec::new();
    let mut order = Order::NameFirst;
    let mut is_first = true;
    while let Some(row) = rows.next()? {
        if std::mem::take(&mut is_first)
            && let Some(found) = Order::of_header(&row)
        {
            order = found;
            continue;
        }
        if accounts.len() == MAX_ACCOUNTS {
            return Err(format!(
                "line {}: more than {MAX_ACCOUNTS} accounts; split the file",
                row.line
            ));
        }
        accounts.push(account(&row, order, passwords)?);
    }
    if accounts.is_empty() {
        return Err(format!("line 1: no account in the file; {FORM}"));
    }
    Ok(accounts)
}

fn account(row: &Row<'_>, order: Order, passwords: Passwords) -> Result<Account, String> {
    let line = row.line;
    let (name, password) = match (row.fields, order) {
        ([Some(name), None, None], _) if passwords == Passwords::Unused => (name, None),
        ([Some(name), Some(password), None], Order::NameFirst)
        | ([Some(password), Some(name), None], Order::PasswordFirst) => (name, Some(password)),
        ([_, None, _], _) => return Err(format!("line {line}, column 2: the password is missing; {FORM}")),
        _ => {
            return Err(format!(
                "line {line}, column 3: there are more than two columns; {FORM}"
            ));
        }
    };
    let (name_column, password_column) = match order {
        Order::NameFirst => (1, 2),
        Order::PasswordFirst => (2, 1),
    };
    let username = std::str::from_utf8(name.trim_ascii())
        .map_err(|_| format!("line {line}, column {name_column}: the user name is not UTF-8; convert the file"))?;
    if username.is_empty() || username.chars().any(char::is_control) {
        return Err(format!(
            "line {line}, column {name_column}: the user name is empty or holds a control character; {FORM}"
        ));
    }
    let password = password.unwrap_or_default();
    let is_bad = password.iter().any(u8::is_ascii_control);
    if passwords == Passwords::Needed && (password.is_empty() || is_bad) {
        return Err(format!(
            "line {line}, column {password_column}: the password is empty or holds a control character; {FORM}"
        ));
    }
    Ok(Account {
        username: username.to_owned(),
        password: Secret::new(password.to_vec()),
    })
}

/// Which column is which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    NameFirst,
    PasswordFirst,
}

impl Order {
    fn of_header(row: &Row<'_>) -> Option<Self> {
        let [Some(first), second, None] = row.fields else {
            return None;
        };
        let is = |field: &[u8], name: &str| field.trim_ascii().eq_ignore_ascii_case(name.as_bytes());
        match second {
            None => is(first, "username").then_some(Self::NameFirst),
            Some(second) if is(first, "username") && is(second, "password") => Some(Self::NameFirst),
            Some(second) if is(first, "password") && is(second, "username") => Some(Self::PasswordFirst),
            Some(_) => None,
        }
    }
}

/// One row, as far as its columns are counted.
struct Row<'a> {
    /// The line on which it begins, from 1.
    line: u64,
    fields: [Option<&'a [u8]>; COLUMNS],
}

/// Splits the file into rows.
struct Rows<'a> {
    reader: Reader,
    rest: &'a [u8],
    /// The line on which the rest begins.
    line: u64,
    /// The fields of the row, one behind the other.
    text: Zeroizing<Vec<u8>>,
}

impl<'a> Rows<'a> {
    fn new(octets: &'a [u8]) -> Self {
        Self {
            reader: Reader::new(),
            rest: octets,
            line: 1,
            text: Zeroizing::new(vec![0; MAX_ROW_BYTES]),
        }
    }

    fn next(&mut self) -> Result<Option<Row<'_>>, String> {
        let ends_of_lines = self.rest.iter().take_while(|octet| b"\r\n".contains(octet));
        self.advance(ends_of_lines.count());
        let line = self.line;
        let (mut ends, mut written, mut columns) = ([0; COLUMNS], 0, 0);
        loop {
            let text = self.text.get_mut(written..).unwrap_or_default();
            let free = ends.get_mut(columns..).unwrap_or_default();
            let (result, read, wrote, ended) = self.reader.read_record(self.rest, text, free);
            self.advance(read);
            written += wrote;
            columns += ended;
            match result {
                // At the end of the file the reader wants to be told so, by an empty input.
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => {
                    return Err(format!(
                        "line {line}, column {}: the row is longer than {MAX_ROW_BYTES} octets; a quote that is not closed does that too",
                        columns + 1
                    ));
                }
                ReadRecordResult::OutputEndsFull => {
                    return Err(format!(
                        "line {line}, column {COLUMNS}: there are more than two columns; {FORM}"
                    ));
                }
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(None),
            }
        }
        let mut fields = [None; COLUMNS];
        let mut begin = 0;
        for (field, &end) in fields.iter_mut().zip(ends.iter().take(columns)) {
            *field = self.text.get(begin..end);
            begin = end;
        }
        Ok(Some(Row { line, fields }))
    }

    fn advance(&mut self, octets: usize) {
        let (passed, rest) = self.rest.split_at(octets.min(self.rest.len()));
        self.line += passed.iter().filter(|octet| **octet == b'\n').count() as u64;
        self.rest = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String)> {
        let accounts = parse(text.as_bytes(), Passwords::Needed).unwrap();
        let pair = |account: &Account| {
            let password = String::from_utf8(account.password.expose().clone()).unwrap();
            (account.username.clone(), password)
        };
        accounts.iter().map(pair).collect()
    }

    fn problem(text: &[u8]) -> String {
        parse(text, Passwords::Needed).unwrap_err()
    }

    #[test]
    fn a_header_may_be_there_in_either_order() {
        let anna = vec![("anna@example.org".to_owned(), "s e,\"c".to_owned())];
        let row = "anna@example.org,\"s e,\"\"c\"";
        assert_eq!(read(row), anna);
        assert_eq!(read(&format!("\u{feff}Username,Password\r\n{row}\r\n")), anna);
        assert_eq!(read("password,username\n\"s e,\"\"c\",anna@example.org\n"), anna);
        assert_eq!(read("\n\nusername,password\n\n a ,b\nc,d").len(), 2);
    }

    #[test]
    fn what_is_wrong_is_named_by_line_and_column_without_its_content() {
        let check = |text: &[u8], place: &str, remedy: &str| {
            let problem = problem(text);
            assert!(problem.starts_with(place) && problem.contains(remedy), "{problem}");
            assert!(!problem.contains("hunter2"), "{problem}");
        };
        check(b"a,b\r\nhunter2\r\n", "line 2, column 2:", "username,password");
        check(b"a,b\n\nc,hunter2,\n", "line 3, column 3:", "double quotes");
        check(b"a,hunter2,c,d,e", "line 1, column 3:", "double quotes");
        check(b"a,b\n ,hunter2\n", "line 2, column 1:", "user name");
        check(b"a\xff,hunter2\n", "line 1, column 1:", "UTF-8");
        check(b"a,\n", "line 1, column 2:", "password is empty");
        check(b"password,username\n,anna\n", "line 2, column 1:", "password is empty");
        check(b"a,b\n\"c\nd\",hunter2\ne,\"f\ng\"\n", "line 2, column 1:", "user name");
        check(b"\"c\",\"hunter2\n\"\n", "line 1, column 2:", "control character");
        check(b"username,password\n", "line 1:", "no account");
        check(b"", "line 1:", "no account");
        check(
            &[b"a,\"".as_slice(), &[b'x'; 5000]].concat(),
            "line 1, column 2:",
            "2048",
        );
    }

    #[test]
    fn passwords_that_are_not_used_may_be_missing() {
        let accounts = parse(b"username\nanna\nbob,x\ncarl,\n", Passwords::Unused).unwrap();
        assert_eq!(accounts.len(), 3);
        assert!(parse(b"anna,x,y\n", Passwords::Unused).is_err());
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("accounts.csv");
        std::fs::write(&path, "anna,x\n").unwrap();
        let set = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        set(0o640);
        let message = read_file(&path).unwrap_err().message;
        assert!(message.contains("chmod 600"), "{message}");
        set(0o600);
        assert_eq!(super::read(&path, Passwords::Needed).unwrap().len(), 1);
    }
}
