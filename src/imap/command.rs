//! The commands that are known before login, and the parser of one framed command (RFC 9051 §6.1 and §6.2, RFC 2971).

use nom::Parser;
use nom::character::complete::char;
use nom::combinator::{all_consuming, opt};
use nom::sequence::preceded;

use super::syntax::{self, AString, ClientId};
use crate::secret::Borrowed;
use crate::wire::HTTP_METHODS;

/// A verb, without its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Authenticate,
    Capability,
    Id,
    Login,
    Logout,
    Noop,
    StartTls,
}

impl Verb {
    fn from_name(name: &[u8]) -> Option<Self> {
        const VERBS: [(&[u8], Verb); 7] = [
            (b"LOGIN", Verb::Login),
            (b"AUTHENTICATE", Verb::Authenticate),
            (b"CAPABILITY", Verb::Capability),
            (b"ID", Verb::Id),
            (b"LOGOUT", Verb::Logout),
            (b"NOOP", Verb::Noop),
            (b"STARTTLS", Verb::StartTls),
        ];
        VERBS
            .iter()
            .find(|(verb, _)| verb.eq_ignore_ascii_case(name))
            .map(|&(_, verb)| verb)
    }
}

/// A command with its arguments, borrowed from the input.
#[derive(Debug)]
pub(super) enum Command<'a> {
    /// RFC 9051 §6.2.2, RFC 4959.
    Authenticate {
        mechanism: &'a [u8],
        initial: Option<Borrowed<'a>>,
    },
    /// RFC 9051 §6.1.1.
    Capability,
    /// RFC 2971 §3.1.
    Id(ClientId<'a>),
    /// RFC 9051 §6.2.3.
    Login {
        username: AString<'a>,
        password: AString<'a>,
    },
    /// RFC 9051 §6.1.3.
    Logout,
    /// RFC 9051 §6.1.2.
    Noop,
    /// RFC 9051 §6.2.1.
    StartTls,
}

/// Why a command is BAD.
#[derive(Debug)]
pub(super) struct Invalid<'a> {
    /// The tag to answer to, where it could be read.
    pub(super) tag: Option<&'a [u8]>,
    /// What to say.
    pub(super) text: &'static str,
}

/// Reads the tag and the verb of a command, which may be incomplete behind them.
pub(super) fn peek(input: &[u8]) -> (Option<&[u8]>, Option<Verb>) {
    let Ok((rest, tag)) = syntax::command_tag(input) else {
        return (None, None);
    };
    if !matches!(rest.first(), None | Some(b' ' | b'\r')) {
        return (None, None);
    }
    let verb = preceded(char(' '), syntax::atom).parse(rest).ok();
    (Some(tag), verb.and_then(|(_, name)| Verb::from_name(name)))
}

/// Parses one command, literals in place, without its last CRLF.
///
/// ```text
/// command = tag SP (command-any / command-nonauth) CRLF
/// ```
pub(super) fn parse(line: &[u8]) -> Result<(&[u8], Command<'_>), Invalid<'_>> {
    let Ok((rest, tag)) = syntax::command_tag(line) else {
        return Err(Invalid {
            tag: None,
            text: "Invalid tag",
        });
    };
    if !matches!(rest.first(), None | Some(b' ')) {
        return Err(Invalid {
            tag: None,
            text: "Invalid tag",
        });
    }
    let invalid = |text| Invalid { tag: Some(tag), text };
    let (rest, name) = preceded(char(' '), syntax::atom)
        .parse(rest)
        .map_err(|_: nom::Err<nom::error::Error<&[u8]>>| invalid("Missing command"))?;
    let verb = Verb::from_name(name).ok_or_else(|| invalid("Unknown command, or not before login"))?;
    arguments(verb, rest)
        .map(|command| (tag, command))
        .ok_or_else(|| invalid("Invalid arguments"))
}

/// ```text
/// authenticate = "AUTHENTICATE" SP auth-type [SP initial-resp]
/// id           = "ID" SP id-params-list
/// login        = "LOGIN" SP userid SP password
/// ```
fn arguments(verb: Verb, rest: &[u8]) -> Option<Command<'_>> {
    let command = match verb {
        Verb::Authenticate => {
            let initial = opt(preceded(char(' '), initial_response));
            let arguments = (preceded(char(' '), syntax::atom), initial);
            let (_, (mechanism, initial)) = all_consuming(arguments).parse(rest).ok()?;
            let initial = initial.map(Borrowed);
            return Some(Command::Authenticate { mechanism, initial });
        }
        Verb::Id => {
            let (_, id) = all_consuming(preceded(char(' '), syntax::id_params)).parse(rest).ok()?;
            return Some(Command::Id(id));
        }
        Verb::Login => {
            let arguments = (
                preceded(char(' '), syntax::astring),
                preceded(char(' '), syntax::astring),
            );
            let (_, (username, password)) = all_consuming(arguments).parse(rest).ok()?;
            return Some(Command::Login { username, password });
        }
        Verb::Capability => Command::Capability,
        Verb::Logout => Command::Logout,
        Verb::Noop => Command::Noop,
        Verb::StartTls => Command::StartTls,
    };
    rest.is_empty().then_some(command)
}

/// Any word: whether it is base64 is the exchange's to say.
///
/// ```text
/// initial-resp = (base64 / "=")
/// ```
fn initial_response(input: &[u8]) -> syntax::Parsed<'_, &[u8]> {
    nom::bytes::complete::take_while1(|octet: u8| octet.is_ascii_graphic()).parse(input)
}

/// Whether a line is the start of an HTTP request: a browser was made to speak to us (the ALPACA attack).
pub(super) fn is_http(line: &[u8]) -> bool {
    let Some(end) = memchr::memchr(b' ', line) else {
        return false;
    };
    line.get(..end).is_some_and(|method| HTTP_METHODS.contains(&method))
}
