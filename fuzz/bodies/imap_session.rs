//! Plays a client and a verifier against an IMAP session: any octets, in any pieces, with any verdicts.
//!
//! The input's first octet chooses TLS or clear and where the verdicts start; then come pieces, each with its length in
//! front. Whatever the pieces, the session has to say and want the same as when it gets one octet at a time, has to say
//! nothing that is not a line of printable ASCII, and may hand over no credentials in clear.

use bytes::BytesMut;
use postern::imap::{Config, Session};
use postern::preauth::{self, Answer, Credentials, Limits, MAX_NAME_BYTES, Refusal, Security, Step};
use postern::sasl::MAX_PASSWORD_BYTES;

/// Octets of one input that are played.
const MAX_INPUT_BYTES: usize = 16 * 1024;
/// Octets of one command; all limits are small, so that short inputs reach them.
const COMMAND_BYTES: usize = 2048;

/// Plays one input; panics where the session breaks a promise.
pub(crate) fn run(input: &[u8]) {
    let Some((&first, pieces)) = input
        .get(..input.len().min(MAX_INPUT_BYTES))
        .and_then(<[u8]>::split_first)
    else {
        return;
    };
    let pieces = split(pieces);
    let octets = pieces.concat();
    let in_pieces = Play::new(first).all(&pieces);
    let one_by_one = Play::new(first).all(&octets.chunks(1).collect::<Vec<_>>());
    assert_eq!(in_pieces, one_by_one, "pieces change what the session does");
}

/// Pieces with their lengths in front; the last one may be shorter than it says.
fn split(mut input: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    while let Some((&length, rest)) = input.split_first() {
        let (piece, rest) = rest.split_at(usize::from(length).min(rest.len()));
        pieces.push(piece);
        input = rest;
    }
    pieces
}

/// What a play comes to: all that was said and wanted, in order, and how many octets were not taken.
type Outcome = (Vec<String>, usize);

struct Play {
    /// Taken out only while it goes to TLS.
    session: Option<Box<dyn preauth::Session>>,
    security: Security,
    verdict: u8,
    log: Vec<String>,
    input: BytesMut,
}

impl Play {
    fn new(first: u8) -> Self {
        let security = if first & 1 == 0 {
            Security::Tls
        } else {
            Security::Cleartext {
                starttls: first & 2 == 0,
            }
        };
        let limits = Limits {
            line_bytes: 512,
            sasl_line_bytes: 1024,
            literal_bytes: 256,
            command_bytes: COMMAND_BYTES,
            commands: 20,
            bad_commands: 10,
        };
        let session = Session::new(
            Config {
                hostname: "mail.example.org".to_owned(),
                limits,
            },
            security,
        );
        let session: Option<Box<dyn preauth::Session>> = Some(Box::new(session));
        let mut play = Self {
            session,
            security,
            verdict: first >> 2,
            log: Vec::new(),
            input: BytesMut::new(),
        };
        let greeting = play.session().greet(false);
        play.see(greeting, 0);
        play
    }

    fn session(&mut self) -> &mut dyn preauth::Session {
        self.session
            .as_mut()
            .expect("a session is there between two steps")
            .as_mut()
    }

    fn all(mut self, pieces: &[&[u8]]) -> Outcome {
        let mut unfed: usize = pieces.iter().map(|piece| piece.len()).sum();
        for piece in pieces {
            self.input.extend_from_slice(piece);
            unfed -= piece.len();
            if self.receive(unfed) {
                break;
            }
            assert!(
                self.input.len() <= COMMAND_BYTES,
                "the session leaves too much in the buffer"
            );
        }
        if let Some(client) = self.session().client_name() {
            assert!(client.len() <= 256 && !client.bytes().any(|octet| octet.is_ascii_control()));
        }
        check_lines(&self.session().farewell("Idle"));
        (self.log, self.input.len() + unfed)
    }

    /// Whether the session is over.
    fn receive(&mut self, unfed: usize) -> bool {
        loop {
            assert!(self.log.len() < 1000, "the session talks without end");
            let mut input = std::mem::take(&mut self.input);
            let step = self.session().receive(&mut input);
            self.input = input;
            match step {
                Ok(Step::NeedInput) => return false,
                Ok(step) => {
                    if self.see(step, unfed) {
                        return true;
                    }
                }
                Err(error) => {
                    self.say(error.rule, &error.farewell);
                    return true;
                }
            }
        }
    }

    /// Whether the session is over.
    fn see(&mut self, step: Step, unfed: usize) -> bool {
        match step {
            Step::NeedInput => false,
            Step::Reply(octets) => self.say("reply", &octets),
            Step::Ready(octets) => !self.say("ready", &octets),
            Step::Close(octets) => !self.say("close", &octets),
            Step::Verify(credentials) => {
                self.check_credentials(&credentials);
                let step = self.judge();
                self.see(step, unfed)
            }
            Step::StartTls(octets) => {
                assert_eq!(
                    self.security,
                    Security::Cleartext { starttls: true },
                    "starttls where there is none"
                );
                self.say("starttls", &octets);
                self.session = self.session.take().map(preauth::Session::secured);
                self.security = Security::Tls;
                self.input.len() + unfed > 0
            }
        }
    }

    /// Never ends a session.
    fn say(&mut self, word: &str, octets: &[u8]) -> bool {
        check_lines(octets);
        self.log.push(format!("{word} {}", octets.escape_ascii()));
        false
    }

    fn judge(&mut self) -> Step {
        let verdict = self.verdict;
        self.verdict = verdict.wrapping_add(1);
        let permanent = Refusal::Permanent {
            hint: (verdict & 8 != 0).then(|| "Device \u{e9}\r\n".to_owned()),
        };
        let temporary = Refusal::Temporary {
            text: "Try again later",
        };
        let capabilities = [
            "IMAP4rev1".to_owned(),
            "UNAUTHENTICATE".to_owned(),
            "COMPRESS=DEFLATE".to_owned(),
        ];
        self.session().answer(match verdict % 5 {
            0 => Answer::Refused {
                refusal: &permanent,
                close: false,
            },
            1 => Answer::Refused {
                refusal: &temporary,
                close: false,
            },
            2 => Answer::Refused {
                refusal: &permanent,
                close: true,
            },
            3 => Answer::Refused {
                refusal: &temporary,
                close: true,
            },
            _ => Answer::Accepted {
                capabilities: &capabilities,
            },
        })
    }

    fn check_credentials(&mut self, credentials: &Credentials) {
        assert_eq!(self.security, Security::Tls, "credentials came in clear");
        for name in [Some(&credentials.username), credentials.authzid.as_ref()]
            .into_iter()
            .flatten()
        {
            assert!((1..=MAX_NAME_BYTES).contains(&name.len()) && !name.chars().any(char::is_control));
        }
        let password = credentials.password.expose();
        assert!(password.len() <= MAX_PASSWORD_BYTES && !password.contains(&0));
        self.log.push(format!("{credentials:?} {}", password.escape_ascii()));
    }
}

/// Whole lines, printable, CRLF.
fn check_lines(octets: &[u8]) {
    assert!(
        octets.is_empty() || octets.ends_with(b"\r\n"),
        "{}",
        octets.escape_ascii()
    );
    for line in octets.split(|&octet| octet == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        assert!(
            line.iter().all(|&octet| octet == b' ' || octet.is_ascii_graphic()),
            "{}",
            line.escape_ascii()
        );
    }
}
