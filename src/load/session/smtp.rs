//! SMTP submission as a client (RFC 5321, RFC 4954): what a load needs, and no more.

use zeroize::Zeroizing;

use super::super::expected::Expected;
use super::super::failure::Failure;
use super::super::target::{Account, Mechanism};
use super::super::wire::excerpt;
use super::{Session, within};
use crate::sasl;

/// Octets that go into one write of a message.
const PIECE: usize = 65_536;

/// What the server says it can.
#[derive(Debug, Default)]
struct Offers {
    starttls: bool,
    plain: bool,
    login: bool,
}

/// A reply of one or more lines.
struct Reply {
    code: u16,
    /// The last line's words, of replies that refuse.
    text: String,
}

impl Session {
    /// Sends a message: MAIL, RCPT, DATA. Returns the octets of the message.
    ///
    /// # Errors
    /// The server refused sender, recipient or message, or the session broke.
    pub async fn send(&mut self, from: &str, to: &str, message: &Expected) -> Result<u64, Failure> {
        let limit = self.step_time;
        within(limit, "the message", self.submit(from, to, *message)).await
    }

    pub(super) async fn smtp_greeting(&mut self) -> Result<(), Failure> {
        self.expect(220).await
    }

    pub(super) async fn smtp_starttls(&mut self) -> Result<(), Failure> {
        if !self.hello().await?.starttls {
            return Err(Failure::Unsupported("STARTTLS"));
        }
        self.wire.send(b"STARTTLS\r\n").await?;
        self.expect(220).await
    }

    pub(super) async fn smtp_login(&mut self, account: &Account, mechanism: Mechanism) -> Result<(), Failure> {
        let offers = self.hello().await?;
        let answered = match mechanism {
            Mechanism::Plain if !offers.plain => Err(Failure::Unsupported("AUTH PLAIN")),
            Mechanism::Login if !offers.login => Err(Failure::Unsupported("AUTH LOGIN")),
            Mechanism::Plain => {
                let message = sasl::encode_plain("", &account.username, account.password.expose());
                self.say_secret(b"AUTH PLAIN ", message.expose()).await
            }
            Mechanism::Login => self.auth_login(account).await,
        };
        let reply = answered?;
        match reply.code {
            235 => Ok(()),
            535 => Err(Failure::WrongPassword),
            _ => Err(reply.failure()),
        }
    }

    /// Says one command and waits for its 2xx.
    pub(super) async fn smtp_command(&mut self, command: &str) -> Result<(), Failure> {
        let reply = self.say_line(command).await?;
        if (200..300).contains(&reply.code) {
            Ok(())
        } else {
            Err(reply.failure())
        }
    }

    /// Sends a message of known content, and `end` behind it.
    pub(super) async fn send_message(&mut self, message: Expected, end: &[u8]) -> Result<(), Failure> {
        let mut offset = 0;
        while offset < message.octets() {
            let run = message.run(offset);
            let run = run.get(..PIECE).unwrap_or(run);
            self.wire.send(run).await?;
            offset += run.len() as u64;
        }
        self.wire.send(end).await
    }

    async fn submit(&mut self, from: &str, to: &str, message: Expected) -> Result<u64, Failure> {
        if [from, to].iter().any(|address| !is_sendable(address)) {
            return Err(Failure::Unsupported("an address that is not printable ASCII"));
        }
        self.smtp_command(&format!("MAIL FROM:<{from}>")).await?;
        self.smtp_command(&format!("RCPT TO:<{to}>")).await?;
        let reply = self.say_line("DATA").await?;
        if reply.code != 354 {
            return Err(reply.failure());
        }
        // Servers compare it with the login; so it is not part of the known content.
        let header = format!("From: <{from}>\r\nTo: <{to}>\r\n");
        self.wire.send(header.as_bytes()).await?;
        self.send_message(message, b".\r\n").await?;
        self.expect(250).await?;
        Ok(message.octets().saturating_add(header.len() as u64))
    }

    async fn hello(&mut self) -> Result<Offers, Failure> {
        let name = match self.local.to_canonical() {
            std::net::IpAddr::V4(address) => format!("EHLO [{address}]\r\n"),
            std::net::IpAddr::V6(address) => format!("EHLO [IPv6:{address}]\r\n"),
        };
        self.wire.send(name.as_bytes()).await?;
        let mut offers = Offers::default();
        let reply = self.reply(|line| offers.read(line)).await?;
        if reply.code == 250 {
            Ok(offers)
        } else {
            Err(reply.failure())
        }
    }

    async fn auth_login(&mut self, account: &Account) -> Result<Reply, Failure> {
        let mut reply = self.say_line("AUTH LOGIN").await?;
        for secret in [account.username.as_bytes(), account.password.expose()] {
            if reply.code != 334 {
                return Ok(reply);
            }
            reply = self.say_secret(b"", sasl::encode(secret).expose()).await?;
        }
        Ok(reply)
    }

    async fn say_line(&mut self, command: &str) -> Result<Reply, Failure> {
        self.say_secret(command.as_bytes(), b"").await
    }

    /// Sends a line in one write, wipes it, and reads the reply.
    async fn say_secret(&mut self, command: &[u8], secret: &[u8]) -> Result<Reply, Failure> {
        let mut line = Zeroizing::new(Vec::with_capacity(command.len() + secret.len() + 2));
        line.extend_from_slice(command);
        line.extend_from_slice(secret);
        line.extend_from_slice(b"\r\n");
        self.wire.send(&line).await?;
        self.reply(|_| {}).await
    }

    async fn expect(&mut self, code: u16) -> Result<(), Failure> {
        let reply = self.reply(|_| {}).await?;
        if reply.code == code {
            Ok(())
        } else {
            Err(reply.failure())
        }
    }

    /// Reads one reply; each line's words go to `each`.
    async fn reply(&mut self, mut each: impl FnMut(&[u8])) -> Result<Reply, Failure> {
        loop {
            let line = self.wire.line().await?;
            let code = code_of(line).ok_or_else(|| Failure::unexpected("an SMTP reply", line))?;
            let text = line.get(4..).unwrap_or_default();
            each(text);
            if line.get(3) != Some(&b'-') {
                let text = if code < 400 { String::new() } else { excerpt(line) };
                return Ok(Reply { code, text });
            }
        }
    }
}

impl Reply {
    /// What a reply means that is not the one hoped for.
    fn failure(self) -> Failure {
        match self.code {
            400..500 => Failure::Unavailable(self.text),
            500..600 => Failure::Refused(self.text),
            code => Failure::BadAnswer(format!("reply {code} out of place")),
        }
    }
}

impl Offers {
    fn read(&mut self, line: &[u8]) {
        let mut words = line.split(|octet| b" =".contains(octet));
        let first = words.next().unwrap_or_default();
        self.starttls |= first.eq_ignore_ascii_case(b"STARTTLS");
        if first.eq_ignore_ascii_case(b"AUTH") {
            for word in words {
                self.plain |= word.eq_ignore_ascii_case(b"PLAIN");
                self.login |= word.eq_ignore_ascii_case(b"LOGIN");
            }
        }
    }
}

/// Nothing that would end the path or the line.
fn is_sendable(address: &str) -> bool {
    let mut octets = address.bytes();
    octets.all(|octet| octet.is_ascii_graphic() && octet != b'<' && octet != b'>')
}

/// Three digits, the first of 2 to 5, then a blank, a hyphen or nothing (RFC 5321 §4.2).
fn code_of(line: &[u8]) -> Option<u16> {
    let digits = std::str::from_utf8(line.get(..3)?).ok()?;
    let code: u16 = digits.parse().ok()?;
    let is_reply = (200..600).contains(&code) && matches!(line.get(3), None | Some(b' ' | b'-'));
    is_reply.then_some(code)
}
