//! The client's side of IMAP until it is logged in (RFC 9051 §3.1 and §6.1 to §6.2).
//!
//! Policy, in the order in which it is decided:
//! - A command is framed first and looked at second; one that is refused still ends where its sender thinks.
//! - A synchronising literal is asked for only where it can be of use: LOGIN under TLS, and ID. Everything else is
//!   refused at its announcement, without a `+` that would draw a password out of a client.
//! - In clear, LOGIN and AUTHENTICATE fail whatever they carry, and nothing reaches the verifier (RFC 9051 §11.7).
//! - What breaks the framing, a limit or the protocol as such (HTTP) ends the connection.
//!
//! STARTTLS only says that TLS comes next: that nothing may stand behind it in the buffer is the driver's to check.

use bytes::{Bytes, BytesMut};

use super::command::{self, Command, Verb};
use super::frame::{Frame, Piece};
use super::response;
use super::syntax::{AString, LiteralHeader};
use crate::preauth::{self, Answer, Credentials, InClear, Limits, ProtocolError, Security, Step};
use crate::sasl::{self, Exchange, Mechanism, Progress};
use crate::secret::Secret;
use crate::wire::{self, LineError};

/// Settings of the client's side.
#[derive(Debug, Clone)]
pub struct Config {
    /// Our name in the greeting, printable ASCII.
    pub hostname: String,
    /// The caps of a connection before login.
    pub limits: Limits,
}

/// One client before login.
#[derive(Debug)]
pub struct Session {
    config: Config,
    security: Security,
    state: State,
    commands: u32,
    bad_commands: u32,
    client_name: Option<String>,
    in_clear: Option<InClear>,
}

type Tag = Box<[u8]>;

#[derive(Debug)]
enum State {
    /// A command, of which the frame was read already.
    Command(Frame),
    /// The rest of a command whose literal is too large to keep.
    Dropping(Dropping),
    /// A line of a SASL exchange.
    Exchange { tag: Tag, exchange: Exchange },
    /// The verdict on credentials.
    Verifying { tag: Tag },
    /// Nothing: the client is logged in, goes to TLS, or is gone.
    Ended,
}

/// A command that is read to its end and forgotten on the way.
#[derive(Debug)]
struct Dropping {
    tag: Option<Tag>,
    /// Octets of the literal that are still to come.
    literal: usize,
    /// Octets that the command may still have behind that literal.
    budget: usize,
}

impl Session {
    /// A session that has not greeted yet.
    pub const fn new(config: Config, security: Security) -> Self {
        let state = State::Command(Frame::new());
        Self {
            config,
            security,
            state,
            commands: 0,
            bad_commands: 0,
            client_name: None,
            in_clear: None,
        }
    }

    fn next_command(&mut self, mut frame: Frame, input: &mut BytesMut) -> Result<Step, ProtocolError> {
        loop {
            let piece = self
                .next_piece(&mut frame, input)
                .map_err(|error| line_error(error, input))?;
            match piece {
                Piece::Incomplete => {
                    self.state = State::Command(frame);
                    return Ok(Step::NeedInput);
                }
                Piece::Complete(length) => {
                    let line = wire::split_line(input, length);
                    return self.run(&line);
                }
                Piece::Literal(header) if header.synchronising => return self.requested_literal(frame, header, input),
                Piece::Literal(header) => {
                    let start = frame;
                    if !frame.keep(header, self.config.limits.command_bytes) {
                        return Err(fatal("literal_too_large", "Literal is too large"));
                    }
                    if self.is_oversized(header) {
                        return self.drop_literal(start, header, input);
                    }
                }
            }
        }
    }

    /// An ID of 30 pairs is one line of 32 KiB (RFC 2971 §3.3), and the only command that may be so long.
    fn next_piece(&self, frame: &mut Frame, input: &[u8]) -> Result<Piece, LineError> {
        let Limits {
            line_bytes,
            command_bytes,
            ..
        } = self.config.limits;
        match frame.next(input, line_bytes, command_bytes) {
            Err(LineError::TooLong) if command::peek(input).1 == Some(Verb::Id) => {
                frame.next(input, command_bytes, command_bytes)
            }
            other => other,
        }
    }

    fn is_oversized(&self, header: LiteralHeader) -> bool {
        usize::try_from(header.size).map_or(true, |size| size > self.config.limits.literal_bytes)
    }

    /// The client waits: it sends the literal after a `+`, and a new command after anything else.
    fn requested_literal(
        &mut self,
        mut frame: Frame,
        header: LiteralHeader,
        input: &mut BytesMut,
    ) -> Result<Step, ProtocolError> {
        let length = frame.at();
        let (tag, verb) = command::peek(input);
        let served = match verb {
            Some(Verb::Login) => self.security == Security::Tls,
            Some(Verb::Id) => true,
            _ => false,
        };
        if served && !self.is_oversized(header) && frame.keep(header, self.config.limits.command_bytes) {
            self.state = State::Command(frame);
            return Ok(Step::Reply(Bytes::from_static(response::CONTINUE)));
        }
        let tag = tag.map(Tag::from);
        drop(wire::split_line(input, length));
        self.count_command()?;
        match (&tag, verb) {
            (Some(tag), Some(Verb::Login | Verb::Authenticate)) if self.security != Security::Tls => {
                Ok(self.privacy_required(tag, None))
            }
            _ if served => self.bad(tag.as_deref(), "[TOOBIG] Literal is too large"),
            _ => self.bad(tag.as_deref(), "Unknown command, or no literal here"),
        }
    }

    /// RFC 7888 §5: a non-synchronising literal above 4096 octets is refused; its octets come all the same.
    fn drop_literal(
        &mut self,
        frame: Frame,
        header: LiteralHeader,
        input: &mut BytesMut,
    ) -> Result<Step, ProtocolError> {
        let tag = command::peek(input).0.map(Tag::from);
        drop(wire::split_line(input, frame.at()));
        let literal = usize::try_from(header.size).unwrap_or(usize::MAX);
        let budget = self
            .config
            .limits
            .command_bytes
            .saturating_sub(frame.at())
            .saturating_sub(literal);
        self.drop_rest(Dropping { tag, literal, budget }, input)
    }

    fn drop_rest(&mut self, mut dropping: Dropping, input: &mut BytesMut) -> Result<Step, ProtocolError> {
        loop {
            let dropped = dropping.literal.min(input.len());
            drop(wire::split_line(input, dropped));
            dropping.literal = dropping.literal.saturating_sub(dropped);
            let mut frame = Frame::new();
            let piece = match dropping.literal {
                0 => frame.next(input, self.config.limits.line_bytes, dropping.budget),
                _ => Ok(Piece::Incomplete),
            };
            match piece.map_err(|error| line_error(error, input))? {
                Piece::Incomplete => {
                    self.state = State::Dropping(dropping);
                    return Ok(Step::NeedInput);
                }
                Piece::Literal(header) if !header.synchronising => {
                    let start = frame.at();
                    if !frame.keep(header, dropping.budget) {
                        return Err(fatal("literal_too_large", "Literal is too large"));
                    }
                    drop(wire::split_line(input, start));
                    dropping.literal = frame.at().saturating_sub(start);
                    dropping.budget = dropping.budget.saturating_sub(frame.at());
                }
                Piece::Complete(_) | Piece::Literal(_) => {
                    drop(wire::split_line(input, frame.at()));
                    self.count_command()?;
                    return self.bad(dropping.tag.as_deref(), "[TOOBIG] Literal is too large");
                }
            }
        }
    }

    fn run(&mut self, line: &[u8]) -> Result<Step, ProtocolError> {
        if command::is_http(line) {
            return Err(http_request());
        }
        self.count_command()?;
        let (tag, command) = match command::parse(line) {
            Ok(parsed) => parsed,
            Err(invalid) => return self.bad(invalid.tag, invalid.text),
        };
        self.state = State::Command(Frame::new());
        match command {
            Command::Authenticate { mechanism, initial } if self.security != Security::Tls => {
                let initial = initial.map(|initial| initial.0);
                Ok(self.privacy_required(tag, sasl::in_one_line(mechanism, initial)))
            }
            Command::Login { username, password } if self.security != Security::Tls => {
                let password = Secret::new(password.octets().into_owned());
                let sent = Credentials::new(&username.octets(), None, password, "login");
                Ok(self.privacy_required(tag, Some(sent)))
            }
            Command::Authenticate { mechanism, initial } => match Mechanism::from_name(mechanism) {
                Some(mechanism) => {
                    self.progress(tag.into(), Exchange::start(mechanism, initial.map(|initial| initial.0)))
                }
                None => Ok(Step::Reply(response::tagged(
                    tag,
                    "NO [CANNOT] Unsupported authentication mechanism",
                ))),
            },
            Command::Capability => Ok(Step::Reply(response::capability(tag, self.security))),
            Command::Id(id) => {
                self.client_name = id.display().or_else(|| self.client_name.take());
                Ok(Step::Reply(response::id(tag)))
            }
            Command::Login { username, password } => self.login(tag, username, password),
            Command::Logout => Ok(self.end(Step::Close(response::logout(tag)))),
            Command::Noop => Ok(Step::Reply(response::tagged(tag, "OK NOOP completed"))),
            Command::StartTls => self.start_tls(tag),
        }
    }

    fn login(&mut self, tag: &[u8], username: AString<'_>, password: AString<'_>) -> Result<Step, ProtocolError> {
        let password = Secret::new(password.octets().into_owned());
        if password.expose().len() > sasl::MAX_PASSWORD_BYTES {
            return self.bad(Some(tag), "Password is too long");
        }
        self.state = State::Verifying { tag: tag.into() };
        Ok(Step::Verify(Credentials::new(
            &username.octets(),
            None,
            password,
            "login",
        )))
    }

    fn start_tls(&mut self, tag: &[u8]) -> Result<Step, ProtocolError> {
        match self.security {
            Security::Cleartext { starttls: true } => {
                Ok(self.end(Step::StartTls(response::tagged(tag, "OK Begin TLS negotiation now"))))
            }
            Security::Cleartext { starttls: false } => Ok(Step::Reply(response::tagged(
                tag,
                "NO [UNAVAILABLE] TLS is not available",
            ))),
            Security::Tls => self.bad(Some(tag), "TLS is active already"),
        }
    }

    fn next_response(&mut self, tag: Tag, exchange: Exchange, input: &mut BytesMut) -> Result<Step, ProtocolError> {
        let line = wire::take_line(input, self.config.limits.sasl_line_bytes);
        let Some(line) = line.map_err(|error| line_error(error, b""))? else {
            self.state = State::Exchange { tag, exchange };
            return Ok(Step::NeedInput);
        };
        self.progress(tag, exchange.respond(&line))
    }

    fn progress(&mut self, tag: Tag, progress: Result<Progress, sasl::Error>) -> Result<Step, ProtocolError> {
        match progress {
            Ok(Progress::Challenge { text, exchange }) => {
                self.state = State::Exchange { tag, exchange };
                Ok(Step::Reply(response::challenge(text)))
            }
            Ok(Progress::Done(credentials)) => {
                self.state = State::Verifying { tag };
                Ok(Step::Verify(credentials))
            }
            Err(sasl::Error::Cancelled) => {
                self.state = State::Command(Frame::new());
                Ok(Step::Reply(response::bad(Some(&tag), "Authentication cancelled")))
            }
            Err(sasl::Error::BadBase64) => self.bad(Some(&tag), "Invalid base64"),
            Err(sasl::Error::Malformed) => self.bad(Some(&tag), "Invalid authentication response"),
        }
    }

    fn privacy_required(&mut self, tag: &[u8], credentials: Option<Credentials>) -> Step {
        self.in_clear = Some(InClear { credentials });
        self.state = State::Command(Frame::new());
        Step::Reply(response::tagged(
            tag,
            "NO [PRIVACYREQUIRED] Turn on TLS (SSL) in your mail program",
        ))
    }

    fn count_command(&mut self) -> Result<(), ProtocolError> {
        self.commands = self.commands.saturating_add(1);
        if self.commands > self.config.limits.commands {
            return Err(fatal("too_many_commands", "Too many commands before login"));
        }
        Ok(())
    }

    fn bad(&mut self, tag: Option<&[u8]>, text: &str) -> Result<Step, ProtocolError> {
        self.bad_commands = self.bad_commands.saturating_add(1);
        if self.bad_commands > self.config.limits.bad_commands {
            let farewell = response::bye_bad("Too many invalid commands", tag, text);
            return Err(ProtocolError {
                rule: "too_many_bad_commands",
                farewell,
            });
        }
        self.state = State::Command(Frame::new());
        Ok(Step::Reply(response::bad(tag, text)))
    }

    fn end(&mut self, step: Step) -> Step {
        self.state = State::Ended;
        step
    }
}

fn fatal(rule: &'static str, text: &str) -> ProtocolError {
    ProtocolError {
        rule,
        farewell: response::bye(text),
    }
}

/// Nothing is echoed to a browser: an answer could be read as a page.
const fn http_request() -> ProtocolError {
    ProtocolError {
        rule: "http_request",
        farewell: Bytes::new(),
    }
}

fn line_error(error: LineError, input: &[u8]) -> ProtocolError {
    if command::is_http(input) {
        return http_request();
    }
    match error {
        LineError::BareNewline => fatal(error.rule(), "A line must end with CRLF"),
        LineError::TooLong => fatal(error.rule(), "Line is too long"),
    }
}

impl preauth::Session for Session {
    fn greet(&mut self, unavailable: bool) -> Step {
        if unavailable {
            return self.end(Step::Close(Bytes::from_static(response::UNAVAILABLE_GREETING)));
        }
        Step::Reply(response::greeting(&self.config.hostname, self.security))
    }

    fn receive(&mut self, input: &mut BytesMut) -> Result<Step, ProtocolError> {
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Command(frame) => self.next_command(frame, input),
            State::Dropping(dropping) => self.drop_rest(dropping, input),
            State::Exchange { tag, exchange } => self.next_response(tag, exchange, input),
            waiting @ (State::Verifying { .. } | State::Ended) => {
                self.state = waiting;
                Ok(Step::NeedInput)
            }
        }
    }

    fn answer(&mut self, answer: Answer<'_>) -> Step {
        let State::Verifying { tag } = std::mem::replace(&mut self.state, State::Ended) else {
            return Step::Close(response::bye("Internal error"));
        };
        match answer {
            Answer::Accepted { capabilities } => Step::Ready(response::logged_in(&tag, capabilities)),
            Answer::Refused { refusal, close: true } => Step::Close(response::refused(&tag, refusal, true)),
            Answer::Refused { refusal, close: false } => {
                self.state = State::Command(Frame::new());
                Step::Reply(response::refused(&tag, refusal, false))
            }
        }
    }

    fn secured(self: Box<Self>) -> Box<dyn preauth::Session> {
        let Self {
            config,
            commands,
            bad_commands,
            ..
        } = *self;
        Box::new(Self {
            commands,
            bad_commands,
            ..Self::new(config, Security::Tls)
        })
    }

    fn farewell(&self, text: &str) -> Bytes {
        match &self.state {
            State::Exchange { tag, .. } | State::Verifying { tag } => response::bye_unavailable(tag, text),
            State::Command(_) | State::Dropping(_) | State::Ended => response::bye(text),
        }
    }

    fn in_clear(&mut self) -> Option<InClear> {
        self.in_clear.take()
    }

    fn client_name(&self) -> Option<String> {
        self.client_name.clone()
    }
}
