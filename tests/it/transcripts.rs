//! Plays every transcript below `tests/transcripts` three times: against a bare session without a socket, with all that
//! a client sends in one piece and octet by octet; and over a real connection, in pieces of any size (`tls`). All have
//! to give the same output in the same writes.

#![expect(clippy::unwrap_used, reason = "a transcript that cannot be read is a failed test")]

pub(crate) mod format;
mod tls;

use std::path::Path;
use std::sync::Arc;
use std::{fs, slice};

use bytes::{Bytes, BytesMut};
use postern::preauth::{Answer, Credentials, Limits, ProtocolError, Refusal, Security, Session, Step};
use postern::{imap, smtp};

use format::{Act, Entry, Script};

/// What `= unavailable` says.
const UNAVAILABLE: &str = "Try again later";

#[test]
fn every_imap_transcript_holds() {
    play_folder("imap");
}

#[test]
fn every_smtp_transcript_holds() {
    play_folder("smtp");
}

/// What a transcript sets before it starts.
#[derive(Default)]
struct Setup {
    limits: Limits,
    /// `= set extension KEYWORD ..`, for SMTP.
    extensions: Vec<String>,
}

fn session(protocol: &str, setup: &Setup, security: Security) -> Box<dyn Session> {
    let hostname = "mail.example.org".to_owned();
    let limits = setup.limits.clone();
    match protocol {
        "imap" => Box::new(imap::Session::new(imap::Config { hostname, limits }, security)),
        "smtp" => {
            let extensions = Arc::new(setup.extensions.clone());
            Box::new(smtp::Session::new(
                smtp::Config {
                    hostname,
                    limits,
                    extensions,
                },
                security,
            ))
        }
        other => panic!("no session speaks {other}"),
    }
}

fn play_folder(protocol: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/transcripts")
        .join(protocol);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no transcript in {}", folder.display());
    let wire = tls::Wire::new(protocol);
    let failures: Vec<String> = files.iter().flat_map(|file| play_file(protocol, file, &wire)).collect();
    assert!(
        failures.is_empty(),
        "{} of {} plays failed:\n{}",
        failures.len(),
        files.len() * 3,
        failures.join("\n")
    );
}

fn play_file(protocol: &str, file: &Path, wire: &tls::Wire) -> Vec<String> {
    let name = file.file_name().unwrap().to_string_lossy();
    let script = match format::parse(&fs::read_to_string(file).unwrap()) {
        Ok(script) => script,
        Err(error) => return vec![format!("{name}:{error}")],
    };
    let plays = [
        (Play::new(protocol, &script).run(Feed::Whole), "fed in one piece"),
        (Play::new(protocol, &script).run(Feed::Octets), "fed octet by octet"),
        (wire.play(protocol, &script), "over a connection"),
    ];
    let failures = plays.into_iter().filter_map(|(played, how)| {
        let error = played.err()?;
        Some(format!("{name}:{error} ({how}; {})", script.title))
    });
    failures.collect()
}

#[derive(Clone, Copy)]
enum Feed {
    Whole,
    Octets,
}

/// Whether the session goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    /// Under TLS, which has to come up first.
    Secured,
    Over,
}

struct Play<'a> {
    protocol: &'a str,
    entries: slice::Iter<'a, Entry>,
    setup: Setup,
    session: Option<Box<dyn Session>>,
    /// What the client sent and the session did not take.
    input: BytesMut,
    /// What the session wrote, write by write, for whoever plays on a socket.
    writes: Vec<Bytes>,
    line: usize,
}

impl<'a> Play<'a> {
    fn new(protocol: &'a str, script: &'a Script) -> Self {
        let entries = script.entries.iter();
        Self {
            protocol,
            entries,
            setup: Setup::default(),
            session: None,
            input: BytesMut::new(),
            writes: Vec::new(),
            line: 0,
        }
    }

    fn run(mut self, feed: Feed) -> Result<(), String> {
        let mut flow = Flow::On;
        while let Some(act) = self.next() {
            if flow == Flow::Over {
                return self.fail("the session is over already");
            }
            flow = match act {
                Act::Client(octets) => self.client(octets, feed)?,
                Act::Server(_) => return self.fail("the session did not say this"),
                Act::Directive { name, value } => self.direct(name, value)?,
            };
        }
        Ok(())
    }

    fn next(&mut self) -> Option<&'a Act> {
        let entry = self.entries.next()?;
        self.line = entry.line;
        Some(&entry.act)
    }

    fn fail<T>(&self, text: impl AsRef<str>) -> Result<T, String> {
        Err(format!("{}: {}", self.line, text.as_ref()))
    }

    fn session(&mut self) -> Result<&mut Box<dyn Session>, String> {
        let line = self.line;
        self.session
            .as_mut()
            .ok_or_else(|| format!("{line}: the session has not started"))
    }

    /// What a transcript does, as opposed to what it sees.
    fn direct(&mut self, name: &str, value: &str) -> Result<Flow, String> {
        match name {
            "set" => self.set(value)?,
            "tls" => return self.start(Security::Tls, value),
            "cleartext" => return self.start(Security::Cleartext { starttls: true }, value),
            "cleartext-without-certificate" => return self.start(Security::Cleartext { starttls: false }, value),
            "client" => {
                let client = self.session()?.client_name().unwrap_or_else(|| "-".to_owned());
                if client != value {
                    return self.fail(format!("the client is called {client}"));
                }
            }
            "farewell" => {
                let farewell = self.session()?.farewell(value);
                self.written(&farewell)?;
            }
            _ => {
                return self.fail(format!(
                    "the session did not do this, or there is no such directive: {name}"
                ));
            }
        }
        Ok(Flow::On)
    }

    fn set(&mut self, value: &str) -> Result<(), String> {
        let (key, value) = value.split_once(' ').unwrap_or((value, ""));
        let limits = &mut self.setup.limits;
        let number = value.parse::<u32>();
        match (key, number) {
            ("extension", _) => self.setup.extensions.push(value.to_owned()),
            ("limits.line_bytes", Ok(number)) => limits.line_bytes = number as usize,
            ("limits.sasl_line_bytes", Ok(number)) => limits.sasl_line_bytes = number as usize,
            ("limits.literal_bytes", Ok(number)) => limits.literal_bytes = number as usize,
            ("limits.command_bytes", Ok(number)) => limits.command_bytes = number as usize,
            ("limits.commands", Ok(number)) => limits.commands = number,
            ("limits.bad_commands", Ok(number)) => limits.bad_commands = number,
            _ => return self.fail("there is no such setting, or it wants a number"),
        }
        Ok(())
    }

    fn start(&mut self, security: Security, value: &str) -> Result<Flow, String> {
        let mut session = session(self.protocol, &self.setup, security);
        let greeting = session.greet(value == "down");
        self.session = Some(session);
        self.see(greeting, b"")
    }

    fn client(&mut self, octets: &[u8], feed: Feed) -> Result<Flow, String> {
        let size = match feed {
            Feed::Whole => octets.len(),
            Feed::Octets => 1,
        };
        let mut flow = Flow::On;
        let mut unfed = octets;
        while !unfed.is_empty() && flow != Flow::Over {
            let (piece, rest) = unfed.split_at(size);
            unfed = rest;
            flow = self.feed(piece, unfed)?;
        }
        Ok(flow)
    }

    /// Hands the session what came; `unfed` is what its client sends together with it, but comes later.
    fn feed(&mut self, piece: &[u8], unfed: &[u8]) -> Result<Flow, String> {
        self.input.extend_from_slice(piece);
        loop {
            let mut input = std::mem::take(&mut self.input);
            let step = self.session()?.receive(&mut input);
            self.input = input;
            let flow = match step {
                Ok(Step::NeedInput) => return Ok(Flow::On),
                Ok(step) => self.see(step, unfed)?,
                Err(error) => self.broken(&error)?,
            };
            if flow != Flow::On {
                return Ok(flow);
            }
        }
    }

    /// What a session did, against what the transcript says next.
    fn see(&mut self, step: Step, unfed: &[u8]) -> Result<Flow, String> {
        match step {
            Step::NeedInput => Ok(Flow::On),
            Step::Reply(octets) => {
                self.written(&octets)?;
                Ok(Flow::On)
            }
            Step::Verify(credentials) => {
                self.expect("verify", &claimed(&credentials))?;
                let step = self.judge()?;
                self.see(step, unfed)
            }
            Step::StartTls(octets) => {
                self.written(&octets)?;
                if !self.input.is_empty() || !unfed.is_empty() {
                    self.expect("injected", "")?;
                    return Ok(Flow::Over);
                }
                self.expect("starttls", "")?;
                self.session = self.session.take().map(Session::secured);
                Ok(Flow::Secured)
            }
            Step::Ready(octets) => {
                self.written(&octets)?;
                let rest = [&self.input[..], unfed].concat();
                self.expect("ready", &rest.escape_ascii().to_string())?;
                Ok(Flow::Over)
            }
            Step::Close(octets) => {
                self.written(&octets)?;
                self.expect("close", "")?;
                Ok(Flow::Over)
            }
        }
    }

    fn broken(&mut self, error: &ProtocolError) -> Result<Flow, String> {
        if !error.farewell.is_empty() {
            self.written(&error.farewell)?;
        }
        self.expect("broken", error.rule)?;
        Ok(Flow::Over)
    }

    fn written(&mut self, octets: &Bytes) -> Result<(), String> {
        match self.next() {
            Some(Act::Server(expected)) if expected == octets => {
                self.writes.push(octets.clone());
                Ok(())
            }
            _ => self.fail(format!("the session wrote `{}`", octets.escape_ascii())),
        }
    }

    fn expect(&mut self, name: &str, value: &str) -> Result<(), String> {
        match self.next() {
            Some(Act::Directive { name: n, value: v }) if n == name && v == value => Ok(()),
            _ => self.fail(format!("the session did `= {name} {value}`")),
        }
    }

    fn judge(&mut self) -> Result<Step, String> {
        let Some(Act::Directive { name, value }) = self.next() else {
            return self.fail("a verdict has to follow here");
        };
        let hint = (!value.is_empty()).then(|| value.clone());
        let permanent = Refusal::Permanent { hint };
        let temporary = Refusal::Temporary { text: UNAVAILABLE };
        let capabilities: Vec<String> = value.split_whitespace().map(str::to_owned).collect();
        let answer = match name.as_str() {
            "accept" => Answer::Accepted {
                capabilities: &capabilities,
            },
            "reject" => Answer::Refused {
                refusal: &permanent,
                close: false,
            },
            "reject-and-close" => Answer::Refused {
                refusal: &permanent,
                close: true,
            },
            "unavailable" => Answer::Refused {
                refusal: &temporary,
                close: false,
            },
            "unavailable-and-close" => Answer::Refused {
                refusal: &temporary,
                close: true,
            },
            _ => return self.fail("this is no verdict"),
        };
        Ok(self.session()?.answer(answer))
    }
}

/// `user authzid password`, each `-` where it is empty or missing.
fn claimed(credentials: &Credentials) -> String {
    let field = |octets: &[u8]| match octets {
        b"" => "-".to_owned(),
        octets => octets.escape_ascii().to_string().replace(' ', "\\x20"),
    };
    let authzid = field(credentials.authzid.as_deref().unwrap_or_default().as_bytes());
    format!(
        "{} {authzid} {}",
        field(credentials.username.as_bytes()),
        field(credentials.password.expose())
    )
}
