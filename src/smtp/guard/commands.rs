//! One command of a logged-in client: forwarded as we write it, answered here, or the end of the session.
//!
//! EHLO and HELO are answered from what upstream listed at login, and upstream gets RSET instead (RFC 5321 §4.1.4: a
//! good EHLO clears the transaction), so that no upstream has to like a second EHLO and none can list AUTH anew.
//!
//! Between the chunks of a message upstream gets chunks, RSET and QUIT only, and never an empty chunk but the last one:
//! Exim answers all else there with 503, and from then on a BDAT as well, whose octets it then takes for commands.

use std::fmt::Write as _;

use bytes::{Bytes, BytesMut};

use super::parameters::{self, Offered};
use super::{Guard, Mode, Output, Pending};
use crate::smtp::command::Command;
use crate::smtp::reply;
use crate::smtp::syntax::{self, ForwardPath, ReversePath};
use crate::wire::{self, LineError};

/// Octets of a BDAT that upstream does not know which are read and dropped; a longer one ends the session.
const MAX_DROPPED_CHUNK_BYTES: u64 = 1 << 20;

/// A command's answer where the guard gives it.
enum Refused {
    /// It was understood.
    Policy(Bytes),
    /// It was not, which counts.
    Syntax(&'static str),
}

impl Guard {
    /// Takes one line; false while it is incomplete.
    pub(super) fn take_command(&mut self, input: &mut BytesMut, out: &mut Output) -> bool {
        match wire::take_line(input, self.limits.line_bytes) {
            Ok(Some(line)) => {
                match Command::read(&line) {
                    Some(command) => self.execute(command, out),
                    None => self.bad(reply::NOT_A_COMMAND),
                }
                true
            }
            Ok(None) => false,
            Err(error) => {
                let text = match error {
                    LineError::BareNewline => reply::BARE_NEWLINE,
                    LineError::TooLong => reply::LINE_TOO_LONG,
                };
                self.end(error.rule(), text);
                false
            }
        }
    }

    fn execute(&mut self, command: Command<'_>, out: &mut Output) {
        let refused = match command {
            Command::Data(_) | Command::Mail(_) | Command::Rcpt(_) if self.chunking => {
                Err(Refused::Syntax(reply::CHUNKS_FIRST))
            }
            Command::Noop if self.chunking => Err(policy(reply::OK)),
            Command::Bdat(arguments) => return self.bdat(arguments, out),
            Command::Data(b"") => {
                self.mode = Mode::AwaitData;
                return self.forward("DATA", Pending::Data, out);
            }
            Command::Ehlo(_) => {
                let lines = self.extensions.lines().iter().map(String::as_str);
                let hello = reply::ehlo(&self.hostname, lines);
                return self.reset(Pending::Hello(hello), out);
            }
            Command::Helo(_) => return self.reset(Pending::Hello(reply::helo(&self.hostname)), out),
            Command::Mail(arguments) => self.mail(arguments, out),
            Command::Noop => return self.forward("NOOP", Pending::Forwarded, out),
            Command::Quit => {
                self.mode = Mode::Ending;
                return self.forward("QUIT", Pending::Quit, out);
            }
            Command::Rcpt(arguments) => self.rcpt(arguments, out),
            Command::Rset(b"") => return self.reset(Pending::Forwarded, out),
            Command::Help => Err(policy(reply::HELP)),
            Command::Vrfy => Err(policy(reply::CANNOT_VERIFY)),
            Command::Auth(_) => Err(Refused::Syntax(reply::ALREADY_AUTHENTICATED)),
            Command::StartTls(_) => Err(Refused::Syntax(reply::ALREADY_TLS)),
            Command::Data(_) | Command::Rset(_) => Err(Refused::Syntax(reply::BAD_ARGUMENT)),
            Command::Http => return self.end("http_request", reply::NOT_SERVED),
            Command::Other => Err(Refused::Syntax(reply::NOT_SERVED)),
        };
        match refused {
            Ok(()) => {}
            Err(Refused::Policy(reply)) => self.pending.push_back(Pending::Local(reply)),
            Err(Refused::Syntax(reply)) => self.bad(reply),
        }
    }

    fn reset(&mut self, pending: Pending, out: &mut Output) {
        self.smtputf8 = false;
        self.chunking = false;
        self.forward("RSET", pending, out);
    }

    fn mail(&mut self, arguments: &[u8], out: &mut Output) -> Result<(), Refused> {
        let (path, parameters) = std::str::from_utf8(arguments)
            .ok()
            .and_then(syntax::mail)
            .ok_or(Refused::Syntax(reply::BAD_SENDER))?;
        let offered = parameters::of_mail(&parameters, &self.extensions).map_err(policy)?;
        if !offered.smtputf8 && matches!(&path, ReversePath::Mailbox(mailbox) if !mailbox.is_ascii()) {
            return Err(policy(reply::NEEDS_UTF8));
        }
        self.senders.judge(&path).map_err(Refused::Policy)?;
        self.smtputf8 = offered.smtputf8;
        self.forward(&written("MAIL FROM:", &path, &offered), Pending::Forwarded, out);
        Ok(())
    }

    fn rcpt(&mut self, arguments: &[u8], out: &mut Output) -> Result<(), Refused> {
        let (path, parameters) = std::str::from_utf8(arguments)
            .ok()
            .and_then(syntax::rcpt)
            .ok_or(Refused::Syntax(reply::BAD_RECIPIENT))?;
        let offered = parameters::of_rcpt(&parameters, &self.extensions, self.smtputf8).map_err(policy)?;
        if !self.smtputf8 && matches!(&path, ForwardPath::Mailbox(mailbox) if !mailbox.is_ascii()) {
            return Err(policy(reply::NEEDS_UTF8));
        }
        self.forward(&written("RCPT TO:", &path, &offered), Pending::Forwarded, out);
        Ok(())
    }

    fn bdat(&mut self, arguments: &[u8], out: &mut Output) {
        // Without a size nobody knows where the next command begins.
        let Some(chunk) = syntax::bdat(arguments) else {
            return self.end("bad_chunk", reply::BAD_CHUNK);
        };
        let offered = self.extensions.has("CHUNKING");
        if offered && chunk.length == 0 && !chunk.last {
            return self.bad(reply::BAD_ARGUMENT);
        }
        if offered {
            self.chunking = !chunk.last;
            let (last, pending) = if chunk.last {
                (" LAST", Pending::Message)
            } else {
                ("", Pending::Forwarded)
            };
            self.forward(&format!("BDAT {}{last}", chunk.length), pending, out);
        } else if chunk.length > MAX_DROPPED_CHUNK_BYTES {
            return self.end("bad_chunk", reply::BAD_CHUNK);
        } else {
            self.bad(reply::NO_CHUNKING);
        }
        if chunk.length > 0 && !matches!(self.mode, Mode::Ending) {
            self.mode = Mode::Chunk {
                remaining: chunk.length,
                forward: offered,
            };
        }
    }

    fn forward(&mut self, command: &str, pending: Pending, out: &mut Output) {
        out.upstream.extend_from_slice(command.as_bytes());
        out.upstream.extend_from_slice(b"\r\n");
        self.pending.push_back(pending);
    }

    /// Refuses a command in its turn, and counts it.
    fn bad(&mut self, text: &'static str) {
        self.bad_commands = self.bad_commands.saturating_add(1);
        if self.bad_commands > self.limits.bad_commands {
            return self.end("too_many_bad_commands", reply::TOO_MANY_ERRORS);
        }
        self.pending
            .push_back(Pending::Local(Bytes::from_static(text.as_bytes())));
    }

    /// Ends the session when all earlier commands are answered; takes no more input.
    fn end(&mut self, rule: &'static str, reply: &'static str) {
        self.mode = Mode::Ending;
        self.pending.push_back(Pending::Break { rule, reply });
    }
}

const fn policy(text: &'static str) -> Refused {
    Refused::Policy(Bytes::from_static(text.as_bytes()))
}

fn written(verb: &str, path: &dyn std::fmt::Display, offered: &Offered) -> String {
    let mut command = String::new();
    // Writing to a String cannot fail.
    let _ = write!(command, "{verb}{path}{}", offered.text);
    command
}
