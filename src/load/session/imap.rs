//! IMAP as a client (RFC 9051): what a load needs, and no more.
//!
//! Untagged lines that nobody asked for are passed over, as clients must. A BYE is a failure unless we said LOGOUT, but
//! a tagged answer behind it says more and wins. Strings go out quoted, or as a synchronising literal where they cannot.

use std::fmt::Write as _;

use zeroize::Zeroizing;

use super::super::expected::Expected;
use super::super::failure::Failure;
use super::super::target::{Account, Mechanism};
use super::super::wire::excerpt;
use super::{Session, within};
use crate::sasl;

/// What a command is answered with in the end.
enum Answer {
    Ok,
    /// The words behind NO.
    No(Vec<u8>),
    /// The words behind BAD.
    Bad(Vec<u8>),
}

/// One line of the server, seen from a command that waits for its answer.
enum Heard<'a> {
    Untagged(&'a [u8]),
    Continue,
    Tagged(Answer),
}

/// Codes of RFC 5530 that say "not now".
const NOT_NOW: [&[u8]; 5] = [b"UNAVAILABLE", b"INUSE", b"SERVERBUG", b"LIMIT", b"CONTACTADMIN"];

impl Session {
    /// SELECT.
    ///
    /// # Errors
    /// There is no such folder, or the session broke.
    pub async fn select(&mut self, folder: &str) -> Result<(), Failure> {
        self.on_folder("SELECT", folder).await
    }

    /// CREATE.
    ///
    /// # Errors
    /// The folder exists or may not be made, or the session broke.
    pub async fn create(&mut self, folder: &str) -> Result<(), Failure> {
        self.on_folder("CREATE", folder).await
    }

    /// DELETE.
    ///
    /// # Errors
    /// There is no such folder, or the session broke.
    pub async fn delete(&mut self, folder: &str) -> Result<(), Failure> {
        self.on_folder("DELETE", folder).await
    }

    /// Stores a message.
    ///
    /// # Errors
    /// The server refused, or the session broke.
    pub async fn append(&mut self, folder: &str, message: &Expected) -> Result<(), Failure> {
        let limit = self.step_time;
        let append = async {
            let command = format!("APPEND {} {{{}}}", quoted(folder)?, message.octets());
            let tag = self.say(&command).await?;
            self.continuation(tag).await?;
            self.send_message(*message, b"\r\n").await?;
            self.accepted(tag).await
        };
        within(limit, "APPEND", append).await
    }

    /// Fetches a whole message by its number in the selected folder and compares every octet; returns their number.
    /// The message is compared as it comes and never kept.
    ///
    /// # Errors
    /// [`Failure::BadAnswer`] where it is not what was expected; or the server refused, or the session broke.
    pub async fn fetch_whole(&mut self, number: u32, expected: &Expected) -> Result<u64, Failure> {
        let limit = self.step_time;
        within(limit, "FETCH", self.fetch(number, *expected)).await
    }

    /// IDLE (RFC 9051 §6.3.13), up to the server's go-ahead.
    ///
    /// # Errors
    /// The server refused, or the session broke.
    pub async fn idle(&mut self) -> Result<(), Failure> {
        let limit = self.step_time;
        let idle = async {
            let tag = self.say("IDLE").await?;
            self.continuation(tag).await
        };
        within(limit, "IDLE", idle).await
    }

    /// The next line while idling. Waits without a limit: the caller drops the future when it has waited enough, and
    /// nothing is lost.
    ///
    /// # Errors
    /// The server said goodbye or closed the connection.
    pub async fn next_line(&mut self) -> Result<String, Failure> {
        let line = self.wire.line().await?;
        match goodbye(line) {
            Some(text) => Err(Failure::Unavailable(text)),
            None => Ok(String::from_utf8_lossy(line).into_owned()),
        }
    }

    /// Ends IDLE.
    ///
    /// # Errors
    /// The session broke.
    pub async fn done(&mut self) -> Result<(), Failure> {
        let (limit, tag) = (self.step_time, self.tags);
        let done = async {
            self.wire.send(b"DONE\r\n").await?;
            self.accepted(tag).await
        };
        within(limit, "DONE", done).await
    }

    pub(super) async fn imap_greeting(&mut self) -> Result<(), Failure> {
        let line = self.wire.line().await?;
        if let Some(text) = goodbye(line) {
            return Err(Failure::Unavailable(text));
        }
        let text = untagged(line, b"OK").ok_or_else(|| Failure::unexpected("an IMAP greeting", line))?;
        self.initial_response = find(text, b"[CAPABILITY ") && find(text, b" SASL-IR");
        Ok(())
    }

    pub(super) async fn imap_starttls(&mut self) -> Result<(), Failure> {
        let tag = self.say("STARTTLS").await?;
        match self.answer(tag).await? {
            Answer::Ok => Ok(()),
            Answer::No(_) | Answer::Bad(_) => Err(Failure::Unsupported("STARTTLS")),
        }
    }

    pub(super) async fn imap_login(&mut self, account: &Account, mechanism: Mechanism) -> Result<(), Failure> {
        let tag = match mechanism {
            Mechanism::Plain => {
                let message = sasl::encode_plain("", &account.username, account.password.expose());
                let mut response = Zeroizing::new(Vec::with_capacity(message.expose().len() + 2));
                response.extend_from_slice(message.expose());
                if self.initial_response {
                    self.say_octets(&[b"AUTHENTICATE PLAIN ", &response]).await?
                } else {
                    let tag = self.say("AUTHENTICATE PLAIN").await?;
                    self.continuation(tag).await?;
                    response.extend_from_slice(b"\r\n");
                    self.wire.send(&response).await?;
                    tag
                }
            }
            Mechanism::Login => self.say_login(account).await?,
        };
        match self.answer(tag).await? {
            Answer::Ok => Ok(()),
            Answer::No(text) if is_not_now(&text) => Err(Failure::Unavailable(excerpt(&text))),
            Answer::No(text) if is_wrong_password(&text) => Err(Failure::WrongPassword),
            Answer::No(text) | Answer::Bad(text) => Err(Failure::Refused(excerpt(&text))),
        }
    }

    /// Says one command and waits for its OK.
    pub(super) async fn imap_command(&mut self, command: &str) -> Result<(), Failure> {
        let tag = self.say(command).await?;
        self.accepted(tag).await
    }

    async fn on_folder(&mut self, verb: &'static str, folder: &str) -> Result<(), Failure> {
        let command = format!("{verb} {}", quoted(folder)?);
        let limit = self.step_time;
        within(limit, verb, self.imap_command(&command)).await
    }

    /// The command LOGIN; what cannot be quoted goes as a literal, each of which waits for the server's go-ahead.
    async fn say_login(&mut self, account: &Account) -> Result<u32, Failure> {
        let strings = [account.username.as_bytes(), account.password.expose()];
        let room = strings.iter().map(|string| 2 * string.len() + 16).sum();
        // With this capacity it never moves, which would leave an unwiped copy behind.
        let mut line = Zeroizing::new(Vec::with_capacity(room));
        let tag = self.next_tag();
        line.extend_from_slice(format!("L{tag} LOGIN").as_bytes());
        for string in strings {
            line.push(b' ');
            if is_quotable(string) {
                line.push(b'"');
                for &octet in string {
                    if octet == b'"' || octet == b'\\' {
                        line.push(b'\\');
                    }
                    line.push(octet);
                }
                line.push(b'"');
            } else {
                line.extend_from_slice(format!("{{{}}}\r\n", string.len()).as_bytes());
                self.wire.send(&line).await?;
                self.continuation(tag).await?;
                line.clear();
                line.extend_from_slice(string);
            }
        }
        line.extend_from_slice(b"\r\n");
        self.wire.send(&line).await?;
        Ok(tag)
    }

    async fn fetch(&mut self, number: u32, expected: Expected) -> Result<u64, Failure> {
        let tag = self.say(&format!("FETCH {number} BODY.PEEK[]")).await?;
        let mut octets = None;
        let answer = loop {
            let literal = match self.hear(tag).await? {
                Heard::Untagged(line) => body_length(line),
                Heard::Continue => None,
                Heard::Tagged(answer) => break answer,
            };
            if let Some(length) = literal {
                self.compare(length, expected).await?;
                // What stands behind the literal on its line.
                self.wire.line().await?;
                octets = Some(length);
            }
        };
        outcome(answer)?;
        octets.ok_or_else(|| Failure::BadAnswer("OK to FETCH without the message".to_owned()))
    }

    async fn compare(&mut self, length: u64, expected: Expected) -> Result<(), Failure> {
        if length != expected.octets() {
            let wanted = expected.octets();
            return Err(Failure::BadAnswer(format!(
                "the message has {length} octets, {wanted} were stored"
            )));
        }
        let mut offset = 0;
        while offset < length {
            let octets = self.wire.octets().await?;
            let left = usize::try_from(length - offset).unwrap_or(usize::MAX);
            let octets = octets.get(..left).unwrap_or(octets);
            expected
                .check(offset, octets)
                .map_err(|at| Failure::BadAnswer(format!("octet {at} of the message is not what was stored")))?;
            let used = octets.len();
            self.wire.used(used);
            offset += used as u64;
        }
        Ok(())
    }

    const fn next_tag(&mut self) -> u32 {
        self.tags = self.tags.wrapping_add(1);
        self.tags
    }

    async fn say(&mut self, command: &str) -> Result<u32, Failure> {
        self.say_octets(&[command.as_bytes()]).await
    }

    /// Sends tag, command and line end in one write, and wipes them.
    async fn say_octets(&mut self, command: &[&[u8]]) -> Result<u32, Failure> {
        let tag = self.next_tag();
        let length: usize = command.iter().map(|part| part.len()).sum();
        let mut line = Zeroizing::new(Vec::with_capacity(length + 16));
        line.extend_from_slice(format!("L{tag} ").as_bytes());
        for part in command {
            line.extend_from_slice(part);
        }
        line.extend_from_slice(b"\r\n");
        self.wire.send(&line).await?;
        Ok(tag)
    }

    /// The next line of the server. A goodbye is kept, as the reason for what follows it.
    async fn hear(&mut self, tag: u32) -> Result<Heard<'_>, Failure> {
        let line = match self.wire.line().await {
            Ok(line) => line,
            Err(Failure::Closed) => return Err(self.farewell.take().map_or(Failure::Closed, Failure::Unavailable)),
            Err(failure) => return Err(failure),
        };
        if line.starts_with(b"* ") {
            if let Some(text) = goodbye(line) {
                self.farewell = Some(text);
            }
            return Ok(Heard::Untagged(line));
        }
        if line.first() == Some(&b'+') {
            return Ok(Heard::Continue);
        }
        tagged(line, tag)
            .map(Heard::Tagged)
            .ok_or_else(|| Failure::unexpected("an answer to the command", line))
    }

    /// Reads until the tagged answer.
    async fn answer(&mut self, tag: u32) -> Result<Answer, Failure> {
        loop {
            if let Heard::Tagged(answer) = self.hear(tag).await? {
                return Ok(answer);
            }
        }
    }

    async fn accepted(&mut self, tag: u32) -> Result<(), Failure> {
        outcome(self.answer(tag).await?)
    }

    /// Waits for `+`.
    async fn continuation(&mut self, tag: u32) -> Result<(), Failure> {
        loop {
            match self.hear(tag).await? {
                Heard::Untagged(_) => {}
                Heard::Continue => return Ok(()),
                Heard::Tagged(answer) => {
                    outcome(answer)?;
                    return Err(Failure::BadAnswer("OK where the server should have waited".to_owned()));
                }
            }
        }
    }
}

fn outcome(answer: Answer) -> Result<(), Failure> {
    match answer {
        Answer::Ok => Ok(()),
        Answer::No(text) if is_not_now(&text) => Err(Failure::Unavailable(excerpt(&text))),
        Answer::No(text) | Answer::Bad(text) => Err(Failure::Refused(excerpt(&text))),
    }
}

fn tagged(line: &[u8], tag: u32) -> Option<Answer> {
    let mut expected = String::with_capacity(16);
    write!(expected, "L{tag} ").ok()?;
    let rest = line.strip_prefix(expected.as_bytes())?;
    let (word, text) = match memchr::memchr(b' ', rest) {
        Some(end) => (rest.get(..end)?, rest.get(end + 1..)?),
        None => (rest, &b""[..]),
    };
    match word {
        word if word.eq_ignore_ascii_case(b"OK") => Some(Answer::Ok),
        word if word.eq_ignore_ascii_case(b"NO") => Some(Answer::No(text.to_vec())),
        word if word.eq_ignore_ascii_case(b"BAD") => Some(Answer::Bad(text.to_vec())),
        _ => None,
    }
}

/// What stands behind `* WORD`.
fn untagged<'a>(line: &'a [u8], word: &[u8]) -> Option<&'a [u8]> {
    let (first, rest) = line.strip_prefix(b"* ")?.split_at_checked(word.len())?;
    let is_word = first.eq_ignore_ascii_case(word) && rest.first().is_none_or(|&next| next == b' ');
    is_word.then_some(rest)
}

fn goodbye(line: &[u8]) -> Option<String> {
    untagged(line, b"BYE").map(|text| format!("BYE {}", excerpt(text)))
}

/// RFC 5530 §3: with a code of its own, NO to a login is about something else than the password.
fn is_wrong_password(text: &[u8]) -> bool {
    !text.starts_with(b"[") || text.starts_with(b"[AUTHENTICATIONFAILED]")
}

fn is_not_now(text: &[u8]) -> bool {
    let code = text.strip_prefix(b"[").and_then(|text| {
        let end = text.iter().position(|&octet| octet == b']' || octet == b' ')?;
        text.get(..end)
    });
    code.is_some_and(|code| NOT_NOW.iter().any(|word| code.eq_ignore_ascii_case(word)))
}

/// The length of the literal that an untagged FETCH announces for a whole message.
fn body_length(line: &[u8]) -> Option<u64> {
    let open = memchr::memrchr(b'{', line)?;
    let digits = line.get(open + 1..)?.strip_suffix(b"}")?;
    let length = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (find(line, b" FETCH (") && find(line, b"BODY[] ")).then_some(length)
}

fn find(text: &[u8], words: &[u8]) -> bool {
    text.windows(words.len())
        .any(|window| window.eq_ignore_ascii_case(words))
}

fn is_quotable(string: &[u8]) -> bool {
    string.iter().all(|octet| (0x20..0x7f).contains(octet))
}

fn quoted(folder: &str) -> Result<String, Failure> {
    if is_quotable(folder.as_bytes()) {
        Ok(format!("\"{}\"", folder.replace('\\', "\\\\").replace('"', "\\\"")))
    } else {
        Err(Failure::Unsupported("folder names beyond printable ASCII"))
    }
}
