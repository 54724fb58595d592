//! The EHLO keywords that may be shown to a client (RFC 5321 §4.1.1.1), as an allow-list.
//!
//! A keyword promises verbs and parameters. Only those that the guard knows pass, so that whatever is listed works end
//! to end, and nothing lets a client speak with the gateway's privileges: AUTH, STARTTLS, XCLIENT, XFORWARD, ETRN, BURL
//! and all that nobody has heard of are left out.

/// The keywords that pass, each with whether its parameters pass too.
const PASSABLE: [(&str, bool); 11] = [
    ("8BITMIME", false),
    ("BINARYMIME", false),
    ("CHUNKING", false),
    ("DSN", false),
    ("ENHANCEDSTATUSCODES", false),
    ("LIMITS", true),
    ("MT-PRIORITY", true),
    ("PIPELINING", false),
    ("REQUIRETLS", false),
    ("SIZE", true),
    ("SMTPUTF8", false),
];

/// Octets of one keyword with its parameters, at most.
const MAX_LINE_BYTES: usize = 200;

/// What an upstream offers, less what must not pass; in the upstream's order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extensions(Vec<String>);

impl Extensions {
    /// Keeps what may be shown of an upstream's EHLO lines, each `KEYWORD [parameters]` without code.
    pub fn passable(lines: &[String]) -> Self {
        let mut kept = Self::default();
        for line in lines {
            let (keyword, parameters) = split(line);
            let Some((name, with_parameters)) = PASSABLE.iter().find(|(name, _)| name.eq_ignore_ascii_case(keyword))
            else {
                continue;
            };
            if kept.has(name) || line.len() > MAX_LINE_BYTES || !line.bytes().all(|octet| matches!(octet, b' '..=b'~'))
            {
                continue;
            }
            kept.0.push(if *with_parameters && !parameters.is_empty() {
                format!("{name} {parameters}")
            } else {
                (*name).to_owned()
            });
        }
        kept
    }

    /// The lines as they stand in an EHLO reply.
    pub fn lines(&self) -> &[String] {
        &self.0
    }

    /// Whether this keyword (upper case) is among them.
    pub fn has(&self, keyword: &str) -> bool {
        self.0.iter().any(|line| split(line).0 == keyword)
    }

    /// The octets that a message may have, where the upstream told.
    pub fn size_limit(&self) -> Option<u64> {
        self.0
            .iter()
            .find(|line| split(line).0 == "SIZE")
            .and_then(|line| size_limit(line))
    }
}

/// A line's keyword and its parameters.
pub fn split(line: &str) -> (&str, &str) {
    let (keyword, parameters) = line.split_once(' ').unwrap_or((line, ""));
    (keyword, parameters.trim())
}

/// The limit of a SIZE line; `None` for no limit, which is written as nothing or 0 (RFC 1870 §4).
pub fn size_limit(line: &str) -> Option<u64> {
    split(line).1.parse().ok().filter(|limit| *limit > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passable(lines: &[&str]) -> Extensions {
        Extensions::passable(&lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn only_what_the_guard_knows_is_shown() {
        let offered = [
            "PIPELINING",
            "size 10240000",
            "VRFY",
            "ETRN",
            "STARTTLS",
            "AUTH PLAIN LOGIN",
            "AUTH=PLAIN",
            "XCLIENT NAME ADDR",
            "XFORWARD NAME",
            "8bitmime",
            "DSN",
            "DSN",
            "BURL imap",
            "X-EXPS GSSAPI",
            "CHUNKING",
            "8BITMIME\u{e9}",
            "SMTPUTF8 x",
        ];
        let extensions = passable(&offered);
        assert_eq!(
            extensions.lines(),
            ["PIPELINING", "SIZE 10240000", "8BITMIME", "DSN", "CHUNKING", "SMTPUTF8"]
        );
    }

    #[test]
    fn a_size_limit_is_told_or_there_is_none() {
        assert_eq!(passable(&["SIZE 10"]).size_limit(), Some(10));
        for line in ["SIZE", "SIZE 0", "SIZE x", "DSN"] {
            assert_eq!(passable(&[line]).size_limit(), None, "{line}");
        }
    }
}
