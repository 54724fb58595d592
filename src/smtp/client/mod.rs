//! The login upstream as an SMTP client (RFC 5321, RFC 4954, RFC 3207, Postfix's XCLIENT), without any I/O.
//!
//! Two phases: [`Client::new`] to [`Step::Greeted`] needs no mailbox, so that a connection can be kept warm or be a
//! mere probe; [`Client::login`] to [`Step::LoggedIn`] speaks for one mailbox. An upstream that says more than it was
//! asked is not obeyed: octets behind a reply are an error, because behind the 220 of STARTTLS they would be replies
//! that an attacker put into the clear part (CVE-2021-38371).
//!
//! An upstream that still lists XCLIENT after ours is no error: the guard never lets a client's XCLIENT pass.

mod xclient;

use bytes::BytesMut;

use super::extensions;
use super::received::{Malformed, Received, Replies};
use crate::sasl;
use crate::secret::{Secret, SecretBytes};

pub use xclient::Attributes;

#[cfg(test)]
mod tests;

/// How to speak to one upstream.
#[derive(Debug, Clone)]
pub struct Config {
    /// Our name in EHLO.
    pub hostname: String,
    /// Begin in clear and insist on STARTTLS.
    pub starttls: bool,
}

/// How to speak for a mailbox.
#[derive(Debug)]
pub enum Login {
    /// SASL PLAIN.
    Plain(Plain),
    /// Nothing: the upstream trusts our address.
    Trusted,
    /// XCLIENT with what the upstream takes of these, then SASL PLAIN where given.
    Xclient {
        /// Who the client is.
        attributes: Attributes,
        /// What to authenticate with afterwards.
        plain: Option<Plain>,
    },
}

/// The fields of a SASL PLAIN message (RFC 4616 §2).
#[derive(Debug)]
pub struct Plain {
    /// Whom to act as; may be empty.
    pub authzid: String,
    /// Whose password it is.
    pub authcid: String,
    /// The password.
    pub password: SecretBytes,
}

/// What the client wants its driver to do next.
#[derive(Debug)]
pub enum Step {
    /// Read more, then call [`Client::receive`] again.
    NeedInput,
    /// Write this, then call [`Client::receive`] again. May hold a password, so it is wiped.
    Send(SecretBytes),
    /// Make the connection TLS, then call [`Client::secured`].
    StartTls,
    /// The first phase is over; the upstream's EHLO lines as it sent them.
    Greeted {
        /// `KEYWORD [parameters]`, printable ASCII.
        extensions: Vec<String>,
    },
    /// The second phase is over.
    LoggedIn {
        /// The upstream's last EHLO lines.
        extensions: Vec<String>,
    },
    /// QUIT was answered.
    Closed,
}

/// Why there is no login. For the client downstream each of them is temporary.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Upstream answered what no server may.
    #[error("upstream broke the protocol after {command}: {what}")]
    Protocol {
        /// The command that it was answering, or `connect`.
        command: &'static str,
        /// What is wrong with the answer.
        what: &'static str,
    },
    /// Upstream refused for good: our credentials, our address or the mailbox.
    #[error("upstream refused {command} with {code}")]
    Refused {
        /// The command.
        command: &'static str,
        /// 500 to 599.
        code: u16,
    },
    /// Upstream refused for now.
    #[error("upstream refused {command} with {code} for now")]
    Temporary {
        /// The command.
        command: &'static str,
        /// 400 to 499.
        code: u16,
    },
    /// Upstream does not offer what the route asks for.
    #[error("upstream does not offer {what}")]
    Unsupported {
        /// The EHLO keyword.
        what: &'static str,
    },
}

/// One login upstream.
#[derive(Debug)]
pub struct Client {
    config: Config,
    state: State,
    replies: Replies,
    extensions: Vec<String>,
    hid_ipv6: bool,
}

/// Which reply is waited for.
#[derive(Debug)]
enum State {
    Greeting,
    Hello(Then),
    StartTls,
    Handshake,
    Greeted,
    /// The 220 of an XCLIENT; the commands that are still to come.
    Xclient {
        /// The same command without IPv6 addresses, where it has any.
        instead: Option<String>,
        rest: Vec<String>,
        plain: Option<Plain>,
    },
    /// The 235 of AUTH, sent with its initial response.
    Auth,
    LoggedIn,
    Quit,
    /// An error was told, or QUIT was answered.
    Over,
}

/// What follows an answered EHLO.
#[derive(Debug)]
enum Then {
    StartTls,
    Greeted,
    Login(Option<Plain>),
}

impl Client {
    /// A client that waits for the greeting.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            state: State::Greeting,
            replies: Replies::default(),
            extensions: Vec::new(),
            hid_ipv6: false,
        }
    }

    /// Takes one reply off `input`.
    ///
    /// # Errors
    /// There will be no login; drop the connection.
    pub fn receive(&mut self, input: &mut BytesMut) -> Result<Step, Error> {
        let command = self.state.command();
        let taken = self.replies.take(input).map_err(|Malformed| Error::Protocol {
            command,
            what: "malformed reply",
        });
        match taken {
            Ok(None) => Ok(Step::NeedInput),
            Ok(Some(_)) if !input.is_empty() => {
                self.state = State::Over;
                Err(Error::Protocol {
                    command,
                    what: "more than one reply",
                })
            }
            Ok(Some(reply)) => {
                let state = std::mem::replace(&mut self.state, State::Over);
                self.step(state, &reply)
            }
            Err(error) => {
                self.state = State::Over;
                Err(error)
            }
        }
    }

    /// TLS is up: whatever was learned in clear is forgotten (RFC 3207 §4.2).
    ///
    /// # Errors
    /// [`Step::StartTls`] did not come before.
    pub fn secured(&mut self) -> Result<Step, Error> {
        match self.state {
            State::Handshake => {
                self.extensions.clear();
                Ok(self.hello(Then::Greeted))
            }
            _ => Err(self.misused()),
        }
    }

    /// Begins the second phase.
    ///
    /// # Errors
    /// The upstream does not offer what `login` needs, or [`Step::Greeted`] did not come before.
    pub fn login(&mut self, login: Login) -> Result<Step, Error> {
        if !matches!(self.state, State::Greeted) {
            return Err(self.misused());
        }
        match login {
            Login::Plain(plain) => self.authenticate(Some(plain)),
            Login::Trusted => self.authenticate(None),
            Login::Xclient { attributes, plain } => {
                let offered = self
                    .parameters("XCLIENT")
                    .ok_or(Error::Unsupported { what: "XCLIENT" })?;
                let mut commands = attributes.commands(offered);
                // Last first, so that `pop` gives them in order.
                commands.reverse();
                self.xclient(commands, plain)
            }
        }
    }

    /// Whether the upstream refused IPv6 addresses, so that it was not told the client's.
    pub const fn hid_ipv6(&self) -> bool {
        self.hid_ipv6
    }

    /// Says QUIT, for a probe or a warm connection that is too old.
    pub fn quit(&mut self) -> Step {
        self.state = State::Quit;
        send("QUIT\r\n".to_owned())
    }

    fn step(&mut self, state: State, reply: &Received) -> Result<Step, Error> {
        let command = state.command();
        let expected = |code: u16| expect(command, reply, code);
        match state {
            State::Greeting => {
                expected(220)?;
                Ok(self.hello(if self.config.starttls {
                    Then::StartTls
                } else {
                    Then::Greeted
                }))
            }
            State::Hello(then) => {
                expected(250)?;
                self.extensions = reply.texts().skip(1).map(canonical_keyword).collect();
                self.greeted(then)
            }
            State::StartTls => {
                expected(220)?;
                self.state = State::Handshake;
                Ok(Step::StartTls)
            }
            State::Xclient {
                instead: Some(command),
                rest,
                plain,
            } if reply.code == 501 => {
                self.hid_ipv6 = true;
                self.state = State::Xclient {
                    instead: None,
                    rest,
                    plain,
                };
                Ok(send(command))
            }
            State::Xclient { rest, plain, .. } => {
                expected(220)?;
                self.xclient(rest, plain)
            }
            State::Auth => {
                expected(235)?;
                Ok(self.logged_in())
            }
            State::Quit => {
                expected(221)?;
                Ok(Step::Closed)
            }
            State::Greeted | State::Handshake | State::LoggedIn | State::Over => {
                // A 421 while we kept the connection warm says that upstream closes it.
                if (400..500).contains(&reply.code) {
                    return Err(Error::Temporary {
                        command,
                        code: reply.code,
                    });
                }
                Err(Error::Protocol {
                    command,
                    what: "reply without a command",
                })
            }
        }
    }

    fn greeted(&mut self, then: Then) -> Result<Step, Error> {
        match then {
            Then::StartTls => {
                self.parameters("STARTTLS")
                    .ok_or(Error::Unsupported { what: "STARTTLS" })?;
                self.state = State::StartTls;
                Ok(send("STARTTLS\r\n".to_owned()))
            }
            Then::Greeted => {
                self.state = State::Greeted;
                Ok(Step::Greeted {
                    extensions: self.extensions.clone(),
                })
            }
            Then::Login(plain) => self.authenticate(plain),
        }
    }

    fn hello(&mut self, then: Then) -> Step {
        self.state = State::Hello(then);
        send(format!("EHLO {}\r\n", self.config.hostname))
    }

    /// Each XCLIENT puts upstream back to where it greeted us, so the last one is followed by a new EHLO.
    fn xclient(&mut self, mut rest: Vec<String>, plain: Option<Plain>) -> Result<Step, Error> {
        match rest.pop() {
            Some(command) => {
                let instead = xclient::without_ipv6(&command);
                self.state = State::Xclient { instead, rest, plain };
                Ok(send(command))
            }
            None => Ok(self.hello(Then::Login(plain))),
        }
    }

    fn authenticate(&mut self, plain: Option<Plain>) -> Result<Step, Error> {
        let Some(plain) = plain else {
            return Ok(self.logged_in());
        };
        let mechanisms = self.parameters("AUTH").unwrap_or_default();
        if !mechanisms
            .split(' ')
            .any(|mechanism| mechanism.eq_ignore_ascii_case("PLAIN"))
        {
            return Err(Error::Unsupported { what: "AUTH PLAIN" });
        }
        let response = sasl::encode_plain(&plain.authzid, &plain.authcid, plain.password.expose());
        let parts: [&[u8]; 3] = [b"AUTH PLAIN ", response.expose(), b"\r\n"];
        // With room for all of it from the start no reallocation leaves a copy behind.
        let mut line = Vec::with_capacity(parts.iter().fold(0, |sum, part| part.len().saturating_add(sum)));
        for part in parts {
            line.extend_from_slice(part);
        }
        self.state = State::Auth;
        Ok(Step::Send(Secret::new(line)))
    }

    fn logged_in(&mut self) -> Step {
        self.state = State::LoggedIn;
        Step::LoggedIn {
            extensions: self.extensions.clone(),
        }
    }

    /// What stands behind a keyword of the last EHLO reply; `None` where it is not listed.
    fn parameters(&self, keyword: &str) -> Option<&str> {
        self.extensions
            .iter()
            .map(|line| extensions::split(line))
            .find(|(name, _)| *name == keyword)
            .map(|(_, rest)| rest)
    }

    const fn misused(&self) -> Error {
        Error::Protocol {
            command: self.state.command(),
            what: "called out of turn",
        }
    }
}

impl State {
    const fn command(&self) -> &'static str {
        match self {
            Self::Auth => "AUTH",
            Self::Greeted | Self::LoggedIn => "login",
            Self::Greeting => "connect",
            Self::Handshake | Self::StartTls => "STARTTLS",
            Self::Hello(_) => "EHLO",
            Self::Over | Self::Quit => "QUIT",
            Self::Xclient { .. } => "XCLIENT",
        }
    }
}

fn expect(command: &'static str, reply: &Received, code: u16) -> Result<(), Error> {
    match reply.code {
        got if got == code => Ok(()),
        got @ 400..=499 => Err(Error::Temporary { command, code: got }),
        got @ 500..=599 => Err(Error::Refused { command, code: got }),
        _ => Err(Error::Protocol {
            command,
            what: "unexpected reply code",
        }),
    }
}

/// Keywords compare without case (RFC 5321 §4.1.1.1); their parameters are left alone.
fn canonical_keyword(line: String) -> String {
    let (keyword, parameters) = extensions::split(&line);
    if parameters.is_empty() {
        keyword.to_ascii_uppercase()
    } else {
        format!("{} {parameters}", keyword.to_ascii_uppercase())
    }
}

fn send(line: String) -> Step {
    Step::Send(Secret::new(line.into_bytes()))
}
