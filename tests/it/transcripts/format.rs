//! The text format of transcripts, described in `tests/transcripts/README.md`; whoever plays them is elsewhere.

use std::iter::Peekable;
use std::str::Chars;

/// One transcript.
#[derive(Debug)]
pub(crate) struct Script {
    /// The first line: which rule and which section of an RFC this is about.
    pub(crate) title: String,
    /// In the order of the file.
    pub(crate) entries: Vec<Entry>,
}

/// An entry and its line, counted from 1.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) line: usize,
    pub(crate) act: Act,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// `C:` and `C<`: octets of the client, those of lines that follow each other joined.
    Client(Vec<u8>),
    /// `S:` and the `S|` lines behind it: octets of ours in one write.
    Server(Vec<u8>),
    /// `= name value`: what the play has to do or to see.
    Directive { name: String, value: String },
}

/// Reads a transcript.
///
/// # Errors
/// A message that begins with the number of the line.
pub(crate) fn parse(text: &str) -> Result<Script, String> {
    let title = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("# "))
        .unwrap_or_default()
        .to_owned();
    if !title.contains("RFC ") || !title.contains('§') {
        return Err("1: the first line has to name a rule and a section of an RFC".to_owned());
    }
    let mut entries: Vec<Entry> = Vec::new();
    for (index, text) in text.lines().enumerate().skip(1) {
        let line = index + 1;
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let octets = |end: &[u8]| {
            let text = text.get(2..).unwrap_or_default();
            let mut octets =
                unescape(text.strip_prefix(' ').unwrap_or(text)).map_err(|error| format!("{line}: {error}"))?;
            octets.extend_from_slice(end);
            Ok::<_, String>(octets)
        };
        let act = match (text.get(..2), entries.last_mut().map(|entry| &mut entry.act)) {
            (Some(start @ ("C:" | "C<")), last) => {
                let octets = octets(if start == "C:" { b"\r\n" } else { b"" })?;
                if let Some(Act::Client(before)) = last {
                    before.extend(octets);
                    continue;
                }
                Act::Client(octets)
            }
            (Some("S:"), _) => Act::Server(octets(b"\r\n")?),
            (Some("S|"), Some(Act::Server(before))) => {
                before.extend(octets(b"\r\n")?);
                continue;
            }
            (Some("= "), _) => {
                let text = text.get(2..).unwrap_or_default().trim();
                let (name, value) = text.split_once(' ').unwrap_or((text, ""));
                Act::Directive {
                    name: name.to_owned(),
                    value: value.trim().to_owned(),
                }
            }
            _ => return Err(format!("{line}: not a line of a transcript: {text}")),
        };
        entries.push(Entry { line, act });
    }
    Ok(Script { title, entries })
}

/// The octets that a text with escapes stands for.
///
/// # Errors
/// What is wrong with the text.
pub(crate) fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut chars = text.chars().peekable();
    let octets = until(&mut chars, None)?;
    Ok(octets)
}

fn until(chars: &mut Peekable<Chars<'_>>, end: Option<char>) -> Result<Vec<u8>, String> {
    let mut octets = Vec::new();
    loop {
        let Some(char) = chars.next() else {
            return if end.is_none() {
                Ok(octets)
            } else {
                Err("a repetition has no end".to_owned())
            };
        };
        if Some(char) == end {
            return Ok(octets);
        }
        if char != '\\' {
            octets.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        match chars.next() {
            Some('r') => octets.push(b'\r'),
            Some('n') => octets.push(b'\n'),
            Some('t') => octets.push(b'\t'),
            Some('0') => octets.push(0),
            Some('\\') => octets.push(b'\\'),
            Some('x') => {
                let digits: String = chars.by_ref().take(2).filter(char::is_ascii_hexdigit).collect();
                let octet = u8::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 2);
                octets.push(octet.ok_or_else(|| format!("\\x{digits} is no octet"))?);
            }
            Some('[') => {
                let mut count = String::new();
                while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                    count.push(digit);
                }
                if chars.next() != Some(':') {
                    return Err("a repetition is \\[count:text]".to_owned());
                }
                let count: usize = count.parse().map_err(|_| "a repetition needs a count".to_owned())?;
                octets.extend(until(chars, Some(']'))?.repeat(count));
            }
            other => return Err(format!("\\{} is no escape", other.unwrap_or(' '))),
        }
    }
}

#[test]
fn escapes_stand_for_octets() {
    assert_eq!(unescape(r"a\r\n\0\\\xffü").unwrap(), b"a\r\n\0\\\xff\xc3\xbc");
    assert_eq!(unescape(r"\[2:(\[3:a])]b").unwrap(), b"(aaa)(aaa)b");
    for bad in [r"\", r"\q", r"\x1", r"\xzz", r"\[3a]", r"\[:a]", r"\[3:a"] {
        assert!(unescape(bad).is_err(), "{bad}");
    }
}

#[test]
fn lines_of_one_side_are_joined() {
    let script =
        parse("# X-1, RFC 1 §2: title\n\nC: a\nC< b\n# more\nS: c\nS| d\nS: e\n= close\n= set limits.commands 3\n")
            .unwrap();
    let acts: Vec<Act> = script.entries.into_iter().map(|entry| entry.act).collect();
    let directive = |name: &str, value: &str| Act::Directive {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    let expect = [
        Act::Client(b"a\r\nb".to_vec()),
        Act::Server(b"c\r\nd\r\n".to_vec()),
        Act::Server(b"e\r\n".to_vec()),
        directive("close", ""),
        directive("set", "limits.commands 3"),
    ];
    assert_eq!(acts, expect);
}
