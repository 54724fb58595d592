//! Reverse-path and forward-path (RFC 5321 §4.1.2, RFC 6531 §3.3), read into values that are written in one form only.
//!
//! The mail store has to read an address exactly as we did, or a sender rule means nothing. So quoting is undone and
//! redone only where it is needed, non-ASCII domains become A-labels, and what is ambiguous anywhere (source routes,
//! comments, folded blanks, a dot at an end, an empty local part as in CVE-2020-10967) is no path.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nom::branch::alt;
use nom::bytes::complete::{tag, tag_no_case, take_while, take_while1};
use nom::character::complete::{char, none_of, satisfy};
use nom::combinator::{map, map_opt, map_res, recognize, value, verify};
use nom::multi::{fold_many0, separated_list1};
use nom::sequence::{delimited, preceded, separated_pair};
use nom::{IResult, Parser};

use crate::model::DomainName;

/// Octets of a local part. RFC 5321 §4.5.3.1.1 asks for 64; reply addresses of large services have more.
const MAX_LOCAL_BYTES: usize = 256;
/// Octets of a domain (RFC 5321 §4.5.3.1.2).
const MAX_DOMAIN_BYTES: usize = 255;

/// What stands behind the `@`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// A domain in ASCII: as the client wrote it, or the A-labels of what it wrote.
    Name(String),
    /// An address literal.
    Literal(IpAddr),
}

/// `Local-part "@" ( Domain / address-literal )`, with quoting undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// The local part without quotes and backslashes; not empty.
    pub local: String,
    /// Where it is.
    pub host: Host,
}

/// The argument of `MAIL FROM:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReversePath {
    /// `<>`, the sender of reports.
    Null,
    /// A mailbox, never at an address literal.
    Mailbox(Mailbox),
}

/// The argument of `RCPT TO:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForwardPath {
    /// A mailbox.
    Mailbox(Mailbox),
    /// `<postmaster>` without domain (RFC 5321 §4.1.1.3).
    Postmaster,
}

impl Mailbox {
    /// Whether it can be named without SMTPUTF8.
    pub fn is_ascii(&self) -> bool {
        self.local.is_ascii()
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Literal(IpAddr::V4(address)) => write!(f, "[{address}]"),
            Self::Literal(IpAddr::V6(address)) => write!(f, "[IPv6:{address}]"),
        }
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_dot_string(&self.local) {
            f.write_str(&self.local)?;
        } else {
            f.write_str("\"")?;
            for c in self.local.chars() {
                if matches!(c, '"' | '\\') {
                    f.write_str("\\")?;
                }
                write!(f, "{c}")?;
            }
            f.write_str("\"")?;
        }
        write!(f, "@{}", self.host)
    }
}

impl fmt::Display for ReversePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mailbox(mailbox) => write!(f, "<{mailbox}>"),
            Self::Null => f.write_str("<>"),
        }
    }
}

impl fmt::Display for ForwardPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mailbox(mailbox) => write!(f, "<{mailbox}>"),
            Self::Postmaster => f.write_str("<postmaster>"),
        }
    }
}

/// ```text
/// Reverse-path = "<" Local-part "@" Domain ">" / "<>"
/// ```
pub(super) fn reverse_path(input: &str) -> IResult<&str, ReversePath> {
    let named = verify(mailbox, |mailbox| matches!(mailbox.host, Host::Name(_)));
    alt((
        value(ReversePath::Null, tag("<>")),
        map(delimited(char('<'), named, char('>')), ReversePath::Mailbox),
    ))
    .parse(input)
}

/// ```text
/// Forward-path = "<" Mailbox ">" / "<Postmaster>"
/// ```
pub(super) fn forward_path(input: &str) -> IResult<&str, ForwardPath> {
    alt((
        value(ForwardPath::Postmaster, tag_no_case("<postmaster>")),
        map(delimited(char('<'), mailbox, char('>')), ForwardPath::Mailbox),
    ))
    .parse(input)
}

fn mailbox(input: &str) -> IResult<&str, Mailbox> {
    let local = alt((map(dot_string, str::to_owned), quoted_string));
    let local = verify(local, |local: &String| {
        !local.is_empty() && local.len() <= MAX_LOCAL_BYTES
    });
    map(
        separated_pair(local, char('@'), alt((literal, domain))),
        |(local, host)| Mailbox { local, host },
    )
    .parse(input)
}

fn dot_string(input: &str) -> IResult<&str, &str> {
    recognize(separated_list1(char('.'), take_while1(is_atext))).parse(input)
}

fn is_dot_string(text: &str) -> bool {
    dot_string(text).is_ok_and(|(rest, _)| rest.is_empty())
}

fn is_atext(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || is_utf8_non_ascii(c)
}

/// RFC 6531 §3.3, without what looks like a blank or is invisible on purpose.
fn is_utf8_non_ascii(c: char) -> bool {
    !c.is_ascii() && !c.is_control() && !c.is_whitespace()
}

/// ```text
/// Quoted-string = DQUOTE *( qtextSMTP / "\" %d32-126 ) DQUOTE
/// ```
fn quoted_string(input: &str) -> IResult<&str, String> {
    let text = alt((
        preceded(char('\\'), satisfy(|c| c == ' ' || c.is_ascii_graphic())),
        verify(none_of("\"\\"), |&c| {
            c == ' ' || c.is_ascii_graphic() || is_utf8_non_ascii(c)
        }),
    ));
    let content = fold_many0(text, String::new, |mut content, c| {
        content.push(c);
        content
    });
    delimited(char('"'), content, char('"')).parse(input)
}

fn domain(input: &str) -> IResult<&str, Host> {
    let text = take_while1(|c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.' || is_utf8_non_ascii(c));
    map_opt(text, |text: &str| {
        if text.is_ascii() {
            is_ascii_domain(text).then(|| Host::Name(text.to_owned()))
        } else {
            DomainName::parse(text)
                .ok()
                .map(|name| Host::Name(name.as_str().to_owned()))
        }
    })
    .parse(input)
}

/// ```text
/// Domain = sub-domain *("." sub-domain)      sub-domain = Let-dig [Ldh-str]
/// ```
fn is_ascii_domain(text: &str) -> bool {
    let is_label = |label: &str| (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-');
    text.len() <= MAX_DOMAIN_BYTES && text.split('.').all(is_label)
}

/// ```text
/// address-literal = "[" ( IPv4-address-literal / "IPv6:" IPv6-addr ) "]"
/// ```
fn literal(input: &str) -> IResult<&str, Host> {
    let text = || take_while(|c: char| c.is_ascii_hexdigit() || c == ':' || c == '.');
    let v6 = map_res(preceded(tag_no_case("IPv6:"), text()), |text: &str| {
        text.parse::<Ipv6Addr>().map(IpAddr::V6)
    });
    let v4 = map_res(text(), |text: &str| text.parse::<Ipv4Addr>().map(IpAddr::V4));
    map(delimited(char('['), alt((v6, v4)), char(']')), Host::Literal).parse(input)
}
