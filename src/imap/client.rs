//! Our side of a login at the mail store (RFC 9051 §3.1 and §6.2): greeting, STARTTLS, ID, login, capabilities.
//!
//! A [`Client`] is a plain value like the sessions downstream: octets in, [`Event`]s out. Policy:
//! - The mail store is trusted with the mail, not with our memory: every response and their number are bounded.
//! - PREAUTH, a missing STARTTLS, and octets that arrive around STARTTLS in clear end the connection.
//! - What differs between servers and harms nobody is accepted: untagged lines in front of the tagged one, `+` without
//!   a blank, a tagged OK without a text, lower-case conditions, no CAPABILITY code.
//! - Octets behind the last tagged line stay in the caller's buffer; they belong to the client.
//! - Nothing that holds a control character is sent.

mod chunks;
mod response;
#[cfg(test)]
mod tests;

use bytes::BytesMut;

use self::chunks::Chunks;
use self::response::{Condition, Response, capabilities, capability_code, is_text, parse, refusal};
use super::frame::{Frame, Piece};
use crate::sasl;
use crate::secret::{Secret, SecretBytes};
use crate::wire::{self, Line, LineError};

/// Octets of all lines of one response before the login is done.
const MAX_LINE_BYTES: usize = 8192;
/// Octets of one response with its literals.
const MAX_RESPONSE_BYTES: usize = 65_536;
/// Responses from the greeting to the end of the login.
const MAX_RESPONSES: u32 = 100;

const CAPABILITY_TAG: &str = "P1";
const STARTTLS_TAG: &str = "P2";
const ID_TAG: &str = "P3";
const LOGIN_TAG: &str = "P4";

/// Whether the connection goes to TLS after the greeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upgrade {
    /// It is under TLS already, or the operator wants it in clear.
    Never,
    /// STARTTLS is demanded.
    StartTls,
}

/// What a client wants its driver to do next.
#[derive(Debug)]
pub enum Event {
    /// The connection is ready for [`Client::login`]; it may wait here.
    Greeted,
    /// We are logged in. What is left in the buffer belongs to the client downstream.
    LoggedIn {
        /// The mail store's capabilities after login, each an atom.
        capabilities: Vec<String>,
    },
    /// Read more, then call [`Client::receive`] again.
    NeedInput,
    /// Send this in one write, then call [`Client::receive`] again.
    Send(SecretBytes),
    /// Start TLS, then call [`Client::secured`].
    StartTls,
}

/// Why there is no login. For the client downstream each of them is temporary.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The mail store said BYE.
    #[error("mail store said goodbye")]
    Bye,
    /// Octets stood behind STARTTLS, or came before it was asked for: somebody writes into the connection.
    #[error("octets were injected around starttls")]
    Injected,
    /// Neither AUTH=PLAIN nor LOGIN is offered, or the login needs an authorization identity without AUTH=PLAIN.
    #[error("mail store offers no way to log in that we can use")]
    NoMechanism,
    /// STARTTLS is demanded and not offered, or refused.
    #[error("mail store does not offer starttls")]
    NoStartTls,
    /// The greeting was PREAUTH: whose mail this would be is unknown.
    #[error("mail store greeted with preauth")]
    Preauth,
    /// The mail store broke the protocol or a limit; the word says which rule.
    #[error("mail store broke the protocol: {0}")]
    Protocol(&'static str),
    /// The mail store refused our credentials or the mailbox.
    #[error("mail store refused the login")]
    Refused {
        /// The response code, such as `AUTHENTICATIONFAILED`.
        code: Option<String>,
    },
    /// The mail store cannot serve now: UNAVAILABLE, INUSE, SERVERBUG, LIMIT or CONTACTADMIN.
    #[error("mail store is temporarily unable to log in")]
    Temporary {
        /// The response code.
        code: String,
    },
    /// A name, password or ID holds a control character.
    #[error("credentials for the mail store hold a control character")]
    Unsendable,
}

/// How to log in.
#[derive(Debug, Clone, Copy)]
pub struct Login<'a> {
    /// Whose mailbox, where this differs from `authcid`; needs AUTH=PLAIN.
    pub authzid: Option<&'a str>,
    /// Whose password.
    pub authcid: &'a str,
    /// The password.
    pub password: &'a SecretBytes,
    /// Pairs for ID, sent before the login where the mail store offers ID; empty for none.
    pub id: &'a [(&'a str, &'a str)],
}

/// One connection to the mail store up to the end of its login.
#[derive(Debug)]
pub struct Client {
    upgrade: Upgrade,
    state: State,
    frame: Frame,
    responses: u32,
    capabilities: Vec<String>,
}

#[derive(Debug)]
enum State {
    Greeting,
    /// The list before login.
    Capability,
    StartTls,
    /// TLS is being set up.
    Securing,
    Ready,
    /// The tagged answer to the login; the chunks are sent one by one, each at a `+`.
    Login {
        chunks: std::vec::IntoIter<SecretBytes>,
    },
    /// The list after login.
    LoggedIn,
    Done,
}

impl Client {
    /// A connection on which nothing was read yet.
    pub const fn new(upgrade: Upgrade) -> Self {
        Self {
            upgrade,
            state: State::Greeting,
            frame: Frame::new(),
            responses: 0,
            capabilities: Vec::new(),
        }
    }

    /// Takes what is complete from the front of `input` and says what to do.
    ///
    /// # Errors
    /// The connection is of no use any more.
    pub fn receive(&mut self, input: &mut BytesMut) -> Result<Event, Error> {
        loop {
            if matches!(self.state, State::Done | State::Securing) {
                return Ok(Event::NeedInput);
            }
            let Some(line) = self.next_response(input)? else {
                return Ok(Event::NeedInput);
            };
            self.responses = self.responses.saturating_add(1);
            if self.responses > MAX_RESPONSES {
                return Err(Error::Protocol("too_many_responses"));
            }
            if let Some(event) = self.take(parse(&line)?, input.is_empty())? {
                return Ok(event);
            }
        }
    }

    /// TLS is up: what was said in clear is forgotten (RFC 9051 §6.2.1).
    pub fn secured(&mut self) -> Event {
        self.capabilities.clear();
        self.upgrade = Upgrade::Never;
        self.ask(State::Capability, CAPABILITY_TAG, "CAPABILITY")
    }

    /// Logs in, after [`Event::Greeted`].
    ///
    /// # Errors
    /// The login cannot be said to this mail store; the connection may be kept.
    pub fn login(&mut self, login: &Login<'_>) -> Result<Event, Error> {
        if !matches!(self.state, State::Ready) {
            return Err(Error::Protocol("login_before_greeting"));
        }
        let mut chunks = self.chunks(login)?.into_iter();
        let first = chunks.next().ok_or(Error::NoMechanism)?;
        self.responses = 0;
        self.state = State::Login { chunks };
        Ok(Event::Send(first))
    }

    /// What the mail store offers, as far as it was told: the list before login until [`Event::LoggedIn`].
    pub fn capabilities(&self) -> &[String] {
        &self.capabilities
    }

    fn offers(&self, capability: &str) -> bool {
        self.capabilities
            .iter()
            .any(|name| name.eq_ignore_ascii_case(capability))
    }

    /// ID and login go out in one write; whatever the mail store thinks of the ID changes nothing.
    fn chunks(&self, login: &Login<'_>) -> Result<Vec<SecretBytes>, Error> {
        let Login {
            authzid,
            authcid,
            password,
            id,
        } = *login;
        let password = password.expose();
        let names = id
            .iter()
            .flat_map(|&(key, value)| [key, value])
            .chain(authzid)
            .chain([authcid]);
        if names
            .flat_map(str::bytes)
            .chain(password.iter().copied())
            .any(|octet| octet.is_ascii_control())
        {
            return Err(Error::Unsendable);
        }
        let mut chunks = Chunks::default();
        if !id.is_empty() && self.offers("ID") {
            chunks.text(ID_TAG).text(" ID (");
            for (index, (key, value)) in id.iter().enumerate() {
                chunks
                    .text(if index == 0 { "" } else { " " })
                    .quoted(key.as_bytes())
                    .text(" ")
                    .quoted(value.as_bytes());
            }
            chunks.text(")\r\n");
        }
        if self.offers("AUTH=PLAIN") {
            let message = sasl::encode_plain(authzid.unwrap_or_default(), authcid, password);
            chunks.text(LOGIN_TAG).text(" AUTHENTICATE PLAIN");
            if self.offers("SASL-IR") {
                chunks.text(" ").octets(message.expose());
            } else {
                chunks.text("\r\n").cut().octets(message.expose());
            }
        } else if authzid.is_some_and(|authzid| authzid != authcid) || self.offers("LOGINDISABLED") {
            return Err(Error::NoMechanism);
        } else {
            chunks
                .text(LOGIN_TAG)
                .text(" LOGIN ")
                .string(authcid.as_bytes())
                .text(" ")
                .string(password);
        }
        chunks.text("\r\n").cut();
        Ok(chunks.done)
    }

    /// Takes one whole response, literals in place, off the input.
    fn next_response(&mut self, input: &mut BytesMut) -> Result<Option<Line>, Error> {
        let protocol = |error: LineError| Error::Protocol(error.rule());
        loop {
            let length = match self
                .frame
                .next(input, MAX_LINE_BYTES, MAX_RESPONSE_BYTES)
                .map_err(protocol)?
            {
                Piece::Incomplete => return Ok(None),
                Piece::Complete(length) => length,
                Piece::Literal(_) if is_text(input) => self.frame.at(),
                Piece::Literal(header) if self.frame.keep(header, MAX_RESPONSE_BYTES) => continue,
                Piece::Literal(_) => return Err(Error::Protocol("literal_too_large")),
            };
            self.frame = Frame::new();
            return Ok(Some(wire::split_line(input, length)));
        }
    }

    /// The one place where the state changes; `None` where the response changed nothing.
    fn take(&mut self, response: Response<'_>, at_end: bool) -> Result<Option<Event>, Error> {
        match (&mut self.state, response) {
            (_, Response::Untagged { word, .. }) if word.eq_ignore_ascii_case(b"BYE") => Err(Error::Bye),
            (State::Greeting, Response::Untagged { word, text }) if word.eq_ignore_ascii_case(b"OK") => {
                self.greeted(text, at_end).map(Some)
            }
            (State::Greeting, Response::Untagged { word, .. }) if word.eq_ignore_ascii_case(b"PREAUTH") => {
                Err(Error::Preauth)
            }
            (State::Greeting, _) => Err(Error::Protocol("no_greeting")),
            (State::Capability | State::LoggedIn, Response::Untagged { word, text })
                if word.eq_ignore_ascii_case(b"CAPABILITY") =>
            {
                self.capabilities = capabilities(text);
                Ok(None)
            }
            (_, Response::Untagged { .. }) => Ok(None),
            (State::Login { chunks }, Response::Continue) => {
                let chunk = chunks.next().ok_or(Error::Protocol("unexpected_continuation"))?;
                Ok(Some(Event::Send(chunk)))
            }
            (_, Response::Continue) => Err(Error::Protocol("unexpected_continuation")),
            (State::Login { .. }, Response::Tagged { tag, .. }) if is_tag(tag, ID_TAG) => Ok(None),
            (State::Capability, Response::Tagged { tag, condition, .. }) if is_tag(tag, CAPABILITY_TAG) => {
                if condition != Condition::Ok {
                    return Err(Error::Protocol("no_capabilities"));
                }
                self.capable(at_end).map(Some)
            }
            (State::StartTls, Response::Tagged { tag, condition, .. }) if is_tag(tag, STARTTLS_TAG) => {
                self.start_tls(condition, at_end).map(Some)
            }
            (State::Login { .. }, Response::Tagged { tag, condition, text }) if is_tag(tag, LOGIN_TAG) => {
                self.logged_in(condition, text).map(Some)
            }
            (State::LoggedIn, Response::Tagged { tag, condition, .. }) if is_tag(tag, CAPABILITY_TAG) => {
                if condition != Condition::Ok {
                    return Err(Error::Protocol("no_capabilities"));
                }
                Ok(Some(self.done()))
            }
            (_, Response::Tagged { .. }) => Err(Error::Protocol("unexpected_tag")),
        }
    }

    fn greeted(&mut self, text: &[u8], at_end: bool) -> Result<Event, Error> {
        match capability_code(text) {
            Some(list) => {
                self.capabilities = capabilities(list);
                self.capable(at_end)
            }
            None if self.upgrade == Upgrade::StartTls && !at_end => Err(Error::Injected),
            None => Ok(self.ask(State::Capability, CAPABILITY_TAG, "CAPABILITY")),
        }
    }

    /// The capabilities before login are known. Whatever was said in clear before STARTTLS could be anybody's.
    fn capable(&mut self, at_end: bool) -> Result<Event, Error> {
        match self.upgrade {
            Upgrade::Never => {
                self.state = State::Ready;
                Ok(Event::Greeted)
            }
            Upgrade::StartTls if !at_end => Err(Error::Injected),
            Upgrade::StartTls if !self.offers("STARTTLS") => Err(Error::NoStartTls),
            Upgrade::StartTls => Ok(self.ask(State::StartTls, STARTTLS_TAG, "STARTTLS")),
        }
    }

    fn start_tls(&mut self, condition: Condition, at_end: bool) -> Result<Event, Error> {
        if condition != Condition::Ok {
            return Err(Error::NoStartTls);
        }
        if !at_end {
            return Err(Error::Injected);
        }
        self.state = State::Securing;
        Ok(Event::StartTls)
    }

    fn logged_in(&mut self, condition: Condition, text: &[u8]) -> Result<Event, Error> {
        match condition {
            Condition::Ok => {}
            Condition::Bad => return Err(Error::Protocol("login_is_bad")),
            Condition::No => return Err(refusal(text)),
        }
        if let Some(list) = capability_code(text) {
            self.capabilities = capabilities(list);
            return Ok(self.done());
        }
        self.capabilities.clear();
        Ok(self.ask(State::LoggedIn, CAPABILITY_TAG, "CAPABILITY"))
    }

    fn done(&mut self) -> Event {
        self.state = State::Done;
        Event::LoggedIn {
            capabilities: std::mem::take(&mut self.capabilities),
        }
    }

    fn ask(&mut self, state: State, tag: &str, verb: &str) -> Event {
        self.state = state;
        Event::Send(Secret::new(format!("{tag} {verb}\r\n").into_bytes()))
    }
}

fn is_tag(tag: &[u8], ours: &str) -> bool {
    tag.eq_ignore_ascii_case(ours.as_bytes())
}
