//! The guard, as dialogues and by property.
//!
//! A dialogue has a line a step: `C` what the client sends, `U` what upstream gets, `R` what upstream replies, `S` what
//! the client gets, `=` how the session stands. `C~` and `U~` have no CRLF added; `\r`, `\n` and `\0`
//! are known. Each dialogue runs whole and octet by octet, and both with and without sending ahead what may pass.

mod dialogues;
mod messages;
mod senders;

use super::*;

const EXTENSIONS: [&str; 9] = [
    "PIPELINING",
    "SIZE 1000",
    "8BITMIME",
    "SMTPUTF8",
    "DSN",
    "CHUNKING",
    "AUTH PLAIN LOGIN",
    "XCLIENT NAME ADDR",
    "STARTTLS",
];

fn config() -> Config {
    Config {
        hostname: "gate.example".into(),
        extensions: EXTENSIONS.map(str::to_owned).to_vec(),
        senders: SenderPolicy::Off,
        bare_newline: BareNewline::Refuse,
        limits: Limits::default(),
    }
}

/// A guard with a client and an upstream that a test plays.
struct Table {
    guard: Guard,
    client: BytesMut,
    upstream: BytesMut,
    out: Output,
    flow: Flow,
    /// Sends ahead what [`Guard::pass`] counts, as the relay does.
    ahead: bool,
}

impl Table {
    fn new(config: Config) -> Self {
        Self {
            guard: Guard::new(config),
            client: BytesMut::new(),
            upstream: BytesMut::new(),
            out: Output::default(),
            flow: Flow::Go,
            ahead: false,
        }
    }

    fn client_sends(&mut self, octets: &[u8]) {
        let may_pass = self.ahead && self.flow == Flow::Go && self.client.is_empty();
        let passed = if may_pass { self.guard.pass(octets) } else { 0 };
        let (passed, octets) = octets.split_at(passed);
        self.out.upstream.extend_from_slice(passed);
        self.client.extend_from_slice(octets);
        if self.flow == Flow::Go {
            self.flow = self.guard.from_client(&mut self.client, &mut self.out);
        }
    }

    fn upstream_sends(&mut self, octets: &[u8]) {
        self.upstream.extend_from_slice(octets);
        if self.flow == Flow::Go {
            self.flow = self.guard.from_upstream(&mut self.upstream, &mut self.out);
        }
        self.client_sends(b"");
    }

    fn step(&mut self, line: &str, chunk: usize) {
        let (kind, text) = line.split_once(' ').unwrap_or((line, ""));
        let mut octets = unescape(text);
        if !kind.ends_with('~') {
            octets.extend_from_slice(b"\r\n");
        }
        match kind {
            "C" | "C~" => octets.chunks(chunk).for_each(|octets| self.client_sends(octets)),
            "R" => octets.chunks(chunk).for_each(|octets| self.upstream_sends(octets)),
            "U" | "U~" => expect_front(&mut self.out.upstream, &octets, line),
            "S" => expect_front(&mut self.out.downstream, &octets, line),
            "=" => assert_eq!(format!("{:?}", self.flow), text, "{line}"),
            _ => panic!("no such step: {line}"),
        }
    }
}

fn expect_front(buffer: &mut BytesMut, expect: &[u8], line: &str) {
    let got = buffer.split_to(buffer.len().min(expect.len()));
    assert_eq!(String::from_utf8_lossy(&got), String::from_utf8_lossy(expect), "{line}");
}

fn unescape(text: &str) -> Vec<u8> {
    text.replace("\\r", "\r")
        .replace("\\n", "\n")
        .replace("\\0", "\0")
        .into_bytes()
}

/// Runs a dialogue; nothing may be left over at its end.
fn check(config: &Config, dialogue: &str) {
    for (chunk, ahead) in [(usize::MAX, false), (usize::MAX, true), (1, false), (1, true)] {
        let mut table = Table::new(config.clone());
        table.ahead = ahead;
        for line in dialogue.lines().map(str::trim_start).filter(|line| !line.is_empty()) {
            table.step(line, chunk);
        }
        assert_eq!(
            String::from_utf8_lossy(&table.out.upstream),
            "",
            "to upstream at the end of {dialogue}"
        );
        assert_eq!(
            String::from_utf8_lossy(&table.out.downstream),
            "",
            "to the client at the end of {dialogue}"
        );
    }
}
