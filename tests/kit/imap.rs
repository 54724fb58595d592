//! A small IMAP client (RFC 3501) on `wire`: enough to log in, read, idle and be thrown out.

use anyhow::{Context as _, bail};

use super::certificates::Certificates;
use super::secrets;
use super::wire::Wire;

/// An IMAP connection.
pub(crate) struct Imap {
    /// For what the methods do not cover.
    pub(crate) wire: Wire,
    /// The greeting, without its line end.
    pub(crate) greeting: String,
    commands: u32,
}

/// What the server said to one command.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Every response before the tagged one, literals included.
    pub(crate) untagged: Vec<String>,
    /// The tagged response without its tag, such as `OK done`.
    pub(crate) status: String,
}

impl Answer {
    /// The answer, if it is OK.
    ///
    /// # Errors
    /// NO or BAD; the error has its text.
    pub(crate) fn ok(self) -> anyhow::Result<Self> {
        if !self.status.starts_with("OK") {
            bail!("the server answered: {}", self.status);
        }
        Ok(self)
    }
}

impl Imap {
    /// Connects without TLS and reads the greeting.
    pub(crate) fn connect(port: u16) -> anyhow::Result<Self> {
        Self::greeted(Wire::connect(port)?)
    }

    /// Connects with implicit TLS and reads the greeting.
    pub(crate) fn connect_tls(port: u16, certificates: &Certificates) -> anyhow::Result<Self> {
        Self::greeted(Wire::connect_tls(port, certificates)?)
    }

    /// Reads the greeting from a connection that a test has prepared.
    pub(crate) fn greeted(wire: Wire) -> anyhow::Result<Self> {
        let mut imap = Self {
            wire,
            greeting: String::new(),
            commands: 0,
        };
        imap.greeting = imap.response()?;
        Ok(imap)
    }

    /// STARTTLS (RFC 3501 §6.2.1).
    pub(crate) fn start_tls(mut self, certificates: &Certificates) -> anyhow::Result<Self> {
        self.command("STARTTLS")?.ok()?;
        Ok(Self {
            wire: self.wire.into_tls(certificates)?,
            ..self
        })
    }

    /// LOGIN with quoted strings.
    pub(crate) fn login(&mut self, user: &str, password: &str) -> anyhow::Result<Answer> {
        secrets::sent(password);
        self.command(&format!("LOGIN \"{user}\" \"{password}\""))
    }

    /// Sends a command and reads to its tagged response.
    pub(crate) fn command(&mut self, command: &str) -> anyhow::Result<Answer> {
        let tag = self.begin(command)?;
        self.complete(&tag)
    }

    /// Sends a command; gives its tag.
    pub(crate) fn begin(&mut self, command: &str) -> anyhow::Result<String> {
        self.commands += 1;
        let tag = format!("k{}", self.commands);
        self.wire.send(format!("{tag} {command}\r\n").as_bytes())?;
        Ok(tag)
    }

    /// Reads to the tagged response of a command that was begun.
    pub(crate) fn complete(&mut self, tag: &str) -> anyhow::Result<Answer> {
        let mut untagged = Vec::new();
        loop {
            let response = self.response().with_context(|| format!("so far: {untagged:?}"))?;
            match response.strip_prefix(tag).and_then(|rest| rest.strip_prefix(' ')) {
                Some(status) => {
                    return Ok(Answer {
                        untagged,
                        status: status.to_owned(),
                    });
                }
                None => untagged.push(response),
            }
        }
    }

    /// Reads one response, its literals included (RFC 3501 §4.3), without its line end.
    pub(crate) fn response(&mut self) -> anyhow::Result<String> {
        let mut response = Vec::new();
        loop {
            let line = self.wire.line()?;
            let literal = literal_length(&line);
            response.extend_from_slice(&line);
            match literal {
                Some(count) => response.extend(self.wire.exactly(count)?),
                None => break,
            }
        }
        Ok(String::from_utf8_lossy(&response)
            .trim_end_matches(['\r', '\n'])
            .to_owned())
    }

    /// Begins to idle (RFC 2177); gives the tag for [`Imap::done`].
    pub(crate) fn idle(&mut self) -> anyhow::Result<String> {
        let tag = self.begin("IDLE")?;
        self.until(|response| response.starts_with('+'))?;
        Ok(tag)
    }

    /// Ends IDLE.
    pub(crate) fn done(&mut self, tag: &str) -> anyhow::Result<Answer> {
        self.wire.send(b"DONE\r\n")?;
        self.complete(tag)
    }

    /// Reads responses to the first that satisfies `wanted`.
    pub(crate) fn until(&mut self, wanted: impl Fn(&str) -> bool) -> anyhow::Result<String> {
        loop {
            let response = self.response()?;
            if wanted(&response) {
                return Ok(response);
            }
        }
    }

    /// The newest message of the selected folder.
    pub(crate) fn newest(&mut self) -> anyhow::Result<String> {
        let answer = self.command("FETCH * BODY.PEEK[]")?.ok()?;
        let fetch = answer
            .untagged
            .into_iter()
            .find(|line| line.contains(" FETCH "))
            .context("no FETCH response")?;
        let (head, rest) = fetch.split_once("\r\n").context("the message is no literal")?;
        let count = literal_length(format!("{head}\r\n").as_bytes()).context("the message is no literal")?;
        rest.get(..count).map(str::to_owned).context("the message is not ASCII")
    }
}

/// The length of the literal that a line announces at its end.
fn literal_length(line: &[u8]) -> Option<usize> {
    let line = std::str::from_utf8(line).ok()?.trim_end().strip_suffix('}')?;
    line.rsplit_once('{')?.1.parse().ok()
}
