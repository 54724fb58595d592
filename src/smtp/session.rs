//! SMTP submission before login (RFC 5321, RFC 4954, RFC 3207): EHLO, STARTTLS, AUTH, and 530 for everything else.
//!
//! No octet of a client reaches the mail store from here. What is pipelined behind AUTH stays in the caller's buffer,
//! for this session after a refusal and for the guard after success. HELO is enough before AUTH, as printers send it.
//! In clear nothing works but EHLO, NOOP, RSET, STARTTLS and QUIT, and AUTH is refused before any prompt could draw the
//! secret out. A line over its limit is skipped without being stored and answered once it ends.

use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use zeroize::Zeroize;

use super::command::Command;
use super::{Extensions, reply, syntax};
use crate::preauth::{self, Answer, InClear, Limits, ProtocolError, Refusal, Security, Step};
use crate::sasl::{self, Exchange, Mechanism, Progress};
use crate::wire::{self, LineError};

#[cfg(test)]
mod tests;

/// What EHLO lists under TLS. PLAIN stands first because clients that try the list in order fail less often with it.
const AUTH_LINE: &str = "AUTH PLAIN LOGIN";
/// Octets of what a client calls itself that are kept.
const MAX_CLIENT_NAME_BYTES: usize = 256;

/// What every session of a listener shares.
#[derive(Debug, Clone)]
pub struct Config {
    /// Our name in the greeting and in the reply to EHLO.
    pub hostname: String,
    /// The caps before login.
    pub limits: Limits,
    /// EHLO lines of the upstream; what must not pass is left out here.
    pub extensions: Arc<Vec<String>>,
}

/// One SMTP conversation before login.
#[derive(Debug)]
pub struct Session {
    config: Config,
    security: Security,
    state: State,
    /// What the client called itself in EHLO or HELO; AUTH needs one.
    hello: Option<String>,
    commands: u32,
    bad_commands: u32,
    in_clear: Option<InClear>,
}

/// What the next octets are.
#[derive(Debug)]
enum State {
    /// The first command: whoever speaks another protocol is told by it.
    FirstCommand,
    Command,
    /// A SASL response.
    Response(Exchange),
    /// The rest of a line that was too long; then this reply.
    Skip(&'static str),
    /// Nothing: the verifier has the credentials.
    Verifying,
}

impl Session {
    /// A session before its greeting.
    pub const fn new(config: Config, security: Security) -> Self {
        Self {
            config,
            security,
            state: State::FirstCommand,
            hello: None,
            commands: 0,
            bad_commands: 0,
            in_clear: None,
        }
    }

    /// Waits for a line of at most `limit` octets and reads it as a command.
    fn receive_command(&mut self, input: &mut BytesMut) -> Result<Step, ProtocolError> {
        let is_auth = input.get(..5).is_some_and(|verb| verb.eq_ignore_ascii_case(b"AUTH "));
        let (limit, too_long) = if is_auth {
            (self.config.limits.sasl_line_bytes, reply::AUTH_LINE_TOO_LONG)
        } else {
            (self.config.limits.line_bytes, reply::LINE_TOO_LONG)
        };
        let line = match wire::take_line(input, limit) {
            Ok(Some(line)) => line,
            Ok(None) => return Ok(Step::NeedInput),
            Err(LineError::TooLong) => {
                self.state = State::Command;
                self.count_command()?;
                return self.skip(input, too_long);
            }
            Err(error @ LineError::BareNewline) => return Err(fault(error.rule(), reply::BARE_NEWLINE)),
        };
        self.state = State::Command;
        self.count_command()?;
        match Command::read(&line) {
            Some(command) => self.execute(command),
            None => self.bad(reply::NOT_A_COMMAND),
        }
    }

    fn count_command(&mut self) -> Result<(), ProtocolError> {
        self.commands = self.commands.saturating_add(1);
        if self.commands > self.config.limits.commands {
            return Err(fault("too_many_commands", reply::TOO_MANY_COMMANDS));
        }
        Ok(())
    }

    fn execute(&mut self, command: Command<'_>) -> Result<Step, ProtocolError> {
        match command {
            // Nothing of the request is echoed, nor anything that a browser could read as a page.
            Command::Http => Err(fault("http_request", "")),
            Command::Ehlo(name) => {
                self.hello = Some(wire::printable(name, MAX_CLIENT_NAME_BYTES));
                Ok(Step::Reply(self.ehlo()))
            }
            Command::Noop => Ok(say(reply::OK)),
            Command::Rset(b"") => Ok(say(reply::OK)),
            Command::Rset(_) => self.bad(reply::BAD_ARGUMENT),
            Command::Quit => Ok(Step::Close(fixed(reply::BYE))),
            Command::StartTls(arguments) => self.start_tls(arguments),
            Command::Auth(arguments) if self.security != Security::Tls => {
                let auth = syntax::auth(arguments.0);
                let sent =
                    auth.and_then(|auth| sasl::in_one_line(auth.mechanism, auth.initial.map(|initial| initial.0)));
                self.in_clear = Some(InClear { credentials: sent });
                Ok(say(reply::START_TLS_FIRST))
            }
            Command::Mail(_) if self.security != Security::Tls => {
                // Clients that are set to no encryption find no AUTH in our list and go on without.
                self.in_clear = Some(InClear { credentials: None });
                Ok(say(reply::START_TLS_FIRST))
            }
            _ if self.security != Security::Tls => Ok(say(reply::START_TLS_FIRST)),
            Command::Auth(arguments) => self.auth(arguments.0),
            Command::Helo(name) => {
                self.hello = Some(wire::printable(name, MAX_CLIENT_NAME_BYTES));
                Ok(Step::Reply(reply::helo(&self.config.hostname)))
            }
            Command::Help => Ok(say(reply::HELP)),
            Command::Bdat(_) | Command::Data(_) | Command::Mail(_) | Command::Rcpt(_) | Command::Vrfy => {
                Ok(say(reply::LOGIN_FIRST))
            }
            Command::Other => self.bad(reply::LOGIN_FIRST),
        }
    }

    fn ehlo(&self) -> Bytes {
        let extensions = Extensions::passable(&self.config.extensions);
        let own = match self.security {
            Security::Tls => Some(AUTH_LINE),
            Security::Cleartext { starttls: true } => Some("STARTTLS"),
            Security::Cleartext { starttls: false } => None,
        };
        reply::ehlo(
            &self.config.hostname,
            extensions.lines().iter().map(String::as_str).chain(own),
        )
    }

    fn start_tls(&mut self, arguments: &[u8]) -> Result<Step, ProtocolError> {
        match self.security {
            Security::Tls => self.bad(reply::ALREADY_TLS),
            Security::Cleartext { .. } if !arguments.is_empty() => self.bad(reply::BAD_ARGUMENT),
            Security::Cleartext { starttls: true } => Ok(Step::StartTls(fixed(reply::START_TLS))),
            Security::Cleartext { starttls: false } => Ok(say(reply::NO_TLS)),
        }
    }

    fn auth(&mut self, arguments: &[u8]) -> Result<Step, ProtocolError> {
        if self.hello.is_none() {
            return self.bad(reply::HELLO_FIRST);
        }
        let Some(auth) = syntax::auth(arguments) else {
            return self.bad(reply::BAD_ARGUMENT);
        };
        let Some(mechanism) = Mechanism::from_name(auth.mechanism) else {
            return self.bad(reply::UNKNOWN_MECHANISM);
        };
        self.proceed(Exchange::start(mechanism, auth.initial.map(|initial| initial.0)))
    }

    fn receive_response(&mut self, exchange: Exchange, input: &mut BytesMut) -> Result<Step, ProtocolError> {
        match wire::take_line(input, self.config.limits.sasl_line_bytes) {
            Ok(Some(line)) => self.proceed(exchange.respond(&line)),
            Ok(None) => {
                self.state = State::Response(exchange);
                Ok(Step::NeedInput)
            }
            Err(LineError::TooLong) => self.skip(input, reply::AUTH_LINE_TOO_LONG),
            Err(error @ LineError::BareNewline) => Err(fault(error.rule(), reply::BARE_NEWLINE)),
        }
    }

    fn proceed(&mut self, progress: Result<Progress, sasl::Error>) -> Result<Step, ProtocolError> {
        match progress {
            Ok(Progress::Challenge { text, exchange }) => {
                self.state = State::Response(exchange);
                Ok(Step::Reply(reply::challenge(text)))
            }
            Ok(Progress::Done(credentials)) => {
                self.state = State::Verifying;
                Ok(Step::Verify(credentials))
            }
            Err(sasl::Error::Cancelled) => Ok(say(reply::CANCELLED)),
            Err(sasl::Error::BadBase64 | sasl::Error::Malformed) => self.bad(reply::BAD_RESPONSE),
        }
    }

    /// Drops and wipes octets up to the next CRLF, then replies.
    fn skip(&mut self, input: &mut BytesMut, text: &'static str) -> Result<Step, ProtocolError> {
        let end = memchr::memmem::find(input, b"\r\n").map(|at| at.saturating_add(2));
        // A CR at the end may be half of the CRLF.
        let kept = usize::from(input.ends_with(b"\r"));
        let dropped = end.unwrap_or_else(|| input.len().saturating_sub(kept));
        input.get_mut(..dropped).unwrap_or_default().zeroize();
        input.advance(dropped);
        if end.is_none() {
            self.state = State::Skip(text);
            return Ok(Step::NeedInput);
        }
        self.bad(text)
    }

    /// Replies to a command that was refused for its syntax, and counts it.
    fn bad(&mut self, text: &'static str) -> Result<Step, ProtocolError> {
        self.bad_commands = self.bad_commands.saturating_add(1);
        if self.bad_commands > self.config.limits.bad_commands {
            return Err(fault("too_many_bad_commands", reply::TOO_MANY_ERRORS));
        }
        Ok(say(text))
    }
}

impl preauth::Session for Session {
    fn greet(&mut self, unavailable: bool) -> Step {
        if unavailable {
            Step::Close(reply::unavailable(&self.config.hostname))
        } else {
            Step::Reply(reply::greeting(&self.config.hostname))
        }
    }

    fn receive(&mut self, input: &mut BytesMut) -> Result<Step, ProtocolError> {
        match std::mem::replace(&mut self.state, State::Command) {
            State::FirstCommand => {
                // RFC 5321 knows no command that begins otherwise, so this is another protocol or a scanner.
                if input.first().is_some_and(|octet| !octet.is_ascii_alphabetic()) {
                    return Err(fault("not_smtp", ""));
                }
                self.state = State::FirstCommand;
                self.receive_command(input)
            }
            State::Command => self.receive_command(input),
            State::Response(exchange) => self.receive_response(exchange, input),
            State::Skip(text) => self.skip(input, text),
            State::Verifying => {
                self.state = State::Verifying;
                Ok(Step::NeedInput)
            }
        }
    }

    fn answer(&mut self, answer: Answer<'_>) -> Step {
        self.state = State::Command;
        match answer {
            Answer::Accepted { .. } => Step::Ready(fixed(reply::AUTHENTICATED)),
            Answer::Refused { refusal, close } => {
                let text = match refusal {
                    Refusal::Permanent { hint } => reply::refused(hint.as_deref()),
                    Refusal::Temporary { text } => reply::temporary(text),
                };
                if close { Step::Close(text) } else { Step::Reply(text) }
            }
        }
    }

    fn secured(self: Box<Self>) -> Box<dyn preauth::Session> {
        Box::new(Self {
            commands: self.commands,
            bad_commands: self.bad_commands,
            ..Self::new(self.config, Security::Tls)
        })
    }

    fn farewell(&self, text: &str) -> Bytes {
        reply::closing(text)
    }

    fn in_clear(&mut self) -> Option<InClear> {
        self.in_clear.take()
    }

    fn client_name(&self) -> Option<String> {
        self.hello.clone().filter(|name| !name.is_empty())
    }
}

const fn fixed(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

const fn say(text: &'static str) -> Step {
    Step::Reply(fixed(text))
}

const fn fault(rule: &'static str, farewell: &'static str) -> ProtocolError {
    ProtocolError {
        rule,
        farewell: fixed(farewell),
    }
}
