//! A small submission client (RFC 5321, RFC 4954) on `wire`: enough to log in, send and be thrown out.

use anyhow::bail;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::certificates::Certificates;
use super::message::Message;
use super::secrets;
use super::wire::Wire;

/// An SMTP connection.
pub(crate) struct Smtp {
    /// For what the methods do not cover.
    pub(crate) wire: Wire,
    /// The greeting.
    pub(crate) greeting: Reply,
}

/// One reply with all its lines.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    /// The three digits.
    pub(crate) code: u16,
    /// What follows the code and its separator, line by line.
    pub(crate) lines: Vec<String>,
}

impl Reply {
    /// The reply, if it has this code.
    ///
    /// # Errors
    /// It has another; the error has its text.
    pub(crate) fn expect(self, code: u16) -> anyhow::Result<Self> {
        if self.code != code {
            bail!("the server answered {} {:?}, not {code}", self.code, self.lines);
        }
        Ok(self)
    }
}

impl Smtp {
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
        let mut smtp = Self {
            wire,
            greeting: Reply::default(),
        };
        smtp.greeting = smtp.reply()?;
        Ok(smtp)
    }

    /// EHLO, STARTTLS and the handshake (RFC 3207).
    pub(crate) fn start_tls(mut self, certificates: &Certificates) -> anyhow::Result<Self> {
        self.ehlo()?.expect(250)?;
        self.command("STARTTLS")?.expect(220)?;
        Ok(Self {
            wire: self.wire.into_tls(certificates)?,
            ..self
        })
    }

    /// EHLO.
    pub(crate) fn ehlo(&mut self) -> anyhow::Result<Reply> {
        self.command("EHLO client.example.test")
    }

    /// AUTH PLAIN with an initial response (RFC 4954 §4).
    pub(crate) fn auth_plain(&mut self, user: &str, password: &str) -> anyhow::Result<Reply> {
        secrets::sent(password);
        self.command(&format!(
            "AUTH PLAIN {}",
            BASE64.encode(format!("\0{user}\0{password}"))
        ))
    }

    /// Sends a line and reads one reply.
    pub(crate) fn command(&mut self, line: &str) -> anyhow::Result<Reply> {
        self.wire.send(format!("{line}\r\n").as_bytes())?;
        self.reply()
    }

    /// MAIL, RCPT, DATA and the message; gives the last reply.
    pub(crate) fn deliver(&mut self, message: &Message) -> anyhow::Result<Reply> {
        self.command(&format!("MAIL FROM:<{}>", message.from))?.expect(250)?;
        self.command(&format!("RCPT TO:<{}>", message.to))?.expect(250)?;
        self.command("DATA")?.expect(354)?;
        self.wire.send(message.data().as_bytes())?;
        self.reply()
    }

    /// Reads one reply.
    pub(crate) fn reply(&mut self) -> anyhow::Result<Reply> {
        let mut lines = Vec::new();
        loop {
            let line = String::from_utf8_lossy(&self.wire.line()?)
                .trim_end_matches(['\r', '\n'])
                .to_owned();
            let code = line.get(..3).and_then(|digits| digits.parse().ok());
            let (Some(code), separator) = (code, line.get(3..4)) else {
                bail!("not a reply: {line:?}")
            };
            lines.push(line.get(4..).unwrap_or_default().to_owned());
            match separator {
                Some("-") => {}
                Some(" ") | None => return Ok(Reply { code, lines }),
                Some(_) => bail!("not a reply: {line:?}"),
            }
        }
    }
}
