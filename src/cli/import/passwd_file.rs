//! Dovecot's passwd-file: `user:{SCHEME}hash:uid:gid:gecos:home:shell:extra fields`.

use super::{Raw, Refused, row_text, shown};
use crate::store::Hash;

/// Reads all rows; empty lines and comments are none.
pub(super) fn parse(octets: &[u8]) -> Vec<Result<Raw, Refused>> {
    let lines = octets.split(|octet| *octet == b'\n').zip(1..);
    lines
        .filter_map(|(octets, line)| row(line, octets.strip_suffix(b"\r").unwrap_or(octets)).transpose())
        .collect()
}

fn row(line: u64, octets: &[u8]) -> Result<Option<Raw>, Refused> {
    let text = row_text(line, octets)?;
    if text.trim().is_empty() || text.starts_with('#') {
        return Ok(None);
    }
    let mut fields = text.splitn(8, ':');
    let address = fields.next().unwrap_or_default();
    let refuse = |reason: &str| Err(Refused::new(line, shown(address), reason));
    let Some(hash) = fields.next() else {
        // Without a colon it may be a bare hash or password, which is not repeated.
        return Err(Refused::new(
            line,
            "",
            "has no password field; a row begins with user:{SCHEME}hash",
        ));
    };
    if hash.is_empty() {
        return refuse("has no password; add a device instead");
    }
    // crypt's own marks for a password that nothing matches.
    if hash.starts_with(['*', '!']) {
        return refuse("is locked; remove the row, or add a device instead");
    }
    let extra = fields.nth(5).unwrap_or_default();
    // A restriction that were dropped in silence would open what was closed.
    for field in extra.split_whitespace() {
        let name = field.split('=').next().unwrap_or_default();
        match name {
            "nologin" => return refuse("may not log in (nologin); remove the row"),
            "allow_nets" => {
                return refuse("has allow_nets, which an import cannot carry; add a device with --network instead");
            }
            _ => {}
        }
    }
    Ok(Some(Raw {
        line,
        address: address.to_owned(),
        hash: Hash(hash.to_owned()),
        label: None,
        expires: None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_with_and_without_the_further_fields_are_read() {
        let rows = parse(
            b"# users\r\n\r\nanna@example.org:{BLF-CRYPT}$2y$x\r\nbob:$6$x:1000:1000::/home/bob::userdb_quota=1G\n",
        );
        let rows: Vec<Raw> = rows.into_iter().collect::<Result<_, _>>().unwrap();
        let facts: Vec<_> = rows
            .iter()
            .map(|row| (row.line, row.address.as_str(), row.hash.0.as_str()))
            .collect();
        assert_eq!(facts, [(3, "anna@example.org", "{BLF-CRYPT}$2y$x"), (4, "bob", "$6$x")]);
    }

    #[test]
    fn what_would_be_lost_or_cannot_be_a_password_is_refused() {
        for (line, reason) in [
            ("anna", "has no password field"),
            ("anna:", "has no password;"),
            ("anna:!$6$x", "is locked"),
            ("anna:$6$x::::::nologin=y", "nologin"),
            ("anna:$6$x::::::allow_nets=192.0.2.0/24", "allow_nets"),
            ("an\0na:$6$x", "NUL"),
        ] {
            let refused = parse(line.as_bytes()).remove(0).unwrap_err();
            assert!(refused.reason.contains(reason), "{line}: {}", refused.reason);
        }
        assert!(parse(b"an\xffna:x")[0].as_ref().unwrap_err().reason.contains("UTF-8"));
        assert!(parse(&[b'a'; 5000])[0].as_ref().unwrap_err().reason.contains("4096"));
    }
}
