//! Octets of a client against the command guard, before an upstream that reads as leniently as any (RFC 5321).
//!
//! The input is cut at `|`. A piece that begins with `<` and a digit is upstream's reply to the oldest command it has
//! (2, 3, 4 or 5); `<` and anything else is sent by upstream as it is; all other pieces come from the client. The first
//! octet of the input chooses between refusing and rewriting bare newlines.
//!
//! Checked: upstream, which takes LF for a line end and drops CRs before it, never sees a command that the guard would
//! not write or a sender that is not allowed, whatever the client wraps into messages and chunks. Each input runs twice,
//! the second time with what `pass` allows sent ahead, and upstream must see the same.

use bytes::{Buf, BytesMut};
use postern::model::Address;
use postern::smtp::guard::{BareNewline, Config, Flow, Guard, Limits, Output, SenderPolicy};

const SENDER: &str = "anna@example.org";
const COMMANDS: [&str; 7] = ["BDAT ", "DATA", "MAIL FROM:", "NOOP", "QUIT", "RCPT TO:", "RSET"];

/// Runs one input.
pub(crate) fn run(input: &[u8]) {
    let Some((&choice, pieces)) = input.split_first() else {
        return;
    };
    let (taken, passed) = (play(choice, pieces, false), play(choice, pieces, true));
    assert!(
        taken == passed,
        "upstream saw {taken:?}, and {passed:?} with octets sent ahead"
    );
}

/// Plays all pieces; gives what upstream saw, and how it ended.
fn play(choice: u8, pieces: &[u8], ahead: bool) -> (Vec<u8>, Flow) {
    let mut guard = Guard::new(Config {
        hostname: "mail.example.org".to_owned(),
        extensions: ["SIZE 1000", "8BITMIME", "SMTPUTF8", "DSN", "CHUNKING"]
            .map(str::to_owned)
            .to_vec(),
        senders: SenderPolicy::Check {
            allowed: vec![Address::parse(SENDER).expect("the sender is an address")],
            domains: Vec::new(),
            null_sender: true,
            subaddress_delimiter: None,
        },
        bare_newline: if choice & 1 == 0 {
            BareNewline::Refuse
        } else {
            BareNewline::Normalise
        },
        limits: Limits {
            line_bytes: 256,
            pending: 4,
            bad_commands: 8,
        },
    });
    let (mut client, mut upstream, mut out) = (BytesMut::new(), BytesMut::new(), Output::default());
    let (mut store, mut seen, mut flow) = (Store::default(), Vec::new(), Flow::Go);
    for piece in pieces.split(|octet| *octet == b'|') {
        flow = match piece {
            [b'<', digit @ b'2'..=b'5', ..] => {
                upstream.extend_from_slice(store.reply(*digit).as_bytes());
                guard.from_upstream(&mut upstream, &mut out)
            }
            [b'<', raw @ ..] => {
                upstream.extend_from_slice(raw);
                // What it says no longer fits what it read.
                store.reading = Reading::Nothing;
                guard.from_upstream(&mut upstream, &mut out)
            }
            octets => {
                let passed = if ahead && client.is_empty() {
                    guard.pass(octets)
                } else {
                    0
                };
                let (passed, octets) = octets.split_at(passed);
                out.upstream.extend_from_slice(passed);
                client.extend_from_slice(octets);
                guard.from_client(&mut client, &mut out)
            }
        };
        if flow == Flow::Go {
            flow = guard.from_client(&mut client, &mut out);
        }
        if flow != Flow::Go {
            break;
        }
        seen.extend_from_slice(&out.upstream);
        store.read(&mut out.upstream);
        out.downstream.clear();
    }
    (seen, flow)
}

/// An upstream that forgives everything.
#[derive(Default)]
struct Store {
    octets: BytesMut,
    reading: Reading,
    /// A chunk came, and not yet the last one.
    chunking: bool,
    /// Commands that are not replied to.
    waiting: Vec<String>,
}

#[derive(Default, PartialEq, Eq)]
enum Reading {
    #[default]
    Commands,
    /// DATA is not replied to: no octet may come.
    Data,
    Message,
    Chunk(u64),
    /// The fuzzer speaks for it.
    Nothing,
}

impl Store {
    fn reply(&mut self, digit: u8) -> String {
        let text = match digit {
            b'2' => "250 ok\r\n",
            b'3' => "354 go\r\n",
            b'4' => "451 later\r\n",
            _ => "550-no\r\n550 no\r\n",
        };
        if self.waiting.is_empty() || self.reading == Reading::Nothing {
            return text.to_owned();
        }
        if self.waiting.remove(0) == "DATA" {
            self.reading = if digit == b'3' {
                Reading::Message
            } else {
                Reading::Commands
            };
        }
        text.to_owned()
    }

    fn read(&mut self, octets: &mut BytesMut) {
        self.octets.extend_from_slice(octets);
        octets.clear();
        loop {
            match &mut self.reading {
                Reading::Nothing => return self.octets.clear(),
                Reading::Data => return assert!(self.octets.is_empty(), "octets before the 354"),
                Reading::Chunk(0) => self.reading = Reading::Commands,
                Reading::Chunk(left) => {
                    let length = usize::try_from(*left).unwrap_or(usize::MAX).min(self.octets.len());
                    self.octets.advance(length);
                    *left -= length as u64;
                    if *left > 0 {
                        return;
                    }
                }
                Reading::Message | Reading::Commands => {
                    let Some(end) = self.octets.iter().position(|octet| *octet == b'\n') else {
                        return;
                    };
                    let line = self.octets.split_to(end + 1);
                    let line = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
                    self.take_line(&line);
                }
            }
        }
    }

    fn take_line(&mut self, line: &str) {
        if self.reading == Reading::Message {
            if line == "." {
                self.waiting.push(".".to_owned());
                self.reading = Reading::Commands;
            }
            return;
        }
        assert!(
            COMMANDS.iter().any(|command| line.starts_with(command)),
            "not a command: {line:?}"
        );
        assert!(!line.chars().any(char::is_control), "{line:?}");
        if let Some(path) = line.strip_prefix("MAIL FROM:") {
            let sender = path.split(' ').next().unwrap_or_default().to_lowercase();
            assert!(sender == "<>" || sender == format!("<{SENDER}>"), "{line:?}");
        }
        if let Some(chunk) = line.strip_prefix("BDAT ") {
            let (length, last) = chunk.split_once(' ').unwrap_or((chunk, ""));
            let length: u32 = length.parse().expect("Exim reads 32 bits");
            assert!(length > 0 || last == "LAST", "{line:?}");
            self.chunking = last != "LAST";
            self.reading = Reading::Chunk(length.into());
        } else if line == "DATA" {
            self.reading = Reading::Data;
        }
        if line == "RSET" {
            self.chunking = false;
        }
        let between_chunks = line.starts_with("BDAT ") || line == "QUIT";
        assert!(!self.chunking || between_chunks, "between chunks: {line:?}");
        self.waiting.push(line.to_owned());
    }
}
