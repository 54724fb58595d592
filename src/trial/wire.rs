//! Lines of SMTP as a client says and hears them.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use zeroize::{Zeroize as _, Zeroizing};

use crate::model::Address;
use crate::secret::Secret;
use crate::tls::Stream;

/// Octets of one reply with all its lines.
const REPLY_MAX: usize = 16 * 1024;
/// Octets asked for at once.
const READ_BYTES: usize = 1024;

/// What went wrong.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) code: Option<u16>,
    pub(super) words: String,
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        let words = if error.kind() == io::ErrorKind::UnexpectedEof {
            "the connection was closed".to_owned()
        } else {
            error.to_string()
        };
        Self { code: None, words }
    }
}

/// A connection to the listener.
pub(super) struct Wire {
    stream: Stream,
    received: Vec<u8>,
}

impl Wire {
    pub(super) const fn new(stream: Stream) -> Self {
        Self {
            stream,
            received: Vec::new(),
        }
    }

    /// The connection below, for TLS.
    pub(super) fn into_tcp(self) -> io::Result<TcpStream> {
        match self.stream {
            // Whatever stands behind the answer to STARTTLS was put there by somebody in between (RFC 3207 §4.2).
            Stream::Tcp(tcp) if self.received.is_empty() => Ok(tcp),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// How it is secured.
    pub(super) fn secured(&self) -> String {
        let version = self.stream.tls_facts().map_or("none", |facts| facts.version);
        match self.stream.certificate_end() {
            Some(end) => format!("{version}, {}", end.day()),
            None => version.to_owned(),
        }
    }

    pub(super) async fn say(&mut self, line: &str) -> Result<(), Fault> {
        self.send(format!("{line}\r\n").as_bytes()).await
    }

    pub(super) async fn send(&mut self, octets: &[u8]) -> Result<(), Fault> {
        self.stream.write_all(octets).await?;
        Ok(self.stream.flush().await?)
    }

    /// AUTH PLAIN (RFC 4616).
    pub(super) async fn sign_in(&mut self, name: &Address, password: &Secret<String>) -> Result<(), Fault> {
        let mut plain = Zeroizing::new(format!("\0{name}\0{}", password.expose()));
        let mut line = Zeroizing::new(String::with_capacity(plain.len() * 2 + 16));
        line.push_str("AUTH PLAIN ");
        STANDARD.encode_string(plain.as_bytes(), &mut line);
        line.push_str("\r\n");
        plain.zeroize();
        self.send(line.as_bytes()).await
    }

    /// Waits for a reply with this code, and gives its words.
    pub(super) async fn expect(&mut self, expected: u16) -> Result<String, Fault> {
        let (code, words) = self.reply().await?;
        if code == expected {
            Ok(words)
        } else {
            Err(Fault {
                code: Some(code),
                words,
            })
        }
    }

    async fn reply(&mut self) -> Result<(u16, String), Fault> {
        let mut lines: Vec<String> = Vec::new();
        let mut octets = 0;
        loop {
            let line = self.line().await?;
            octets += line.len();
            if octets > REPLY_MAX {
                return Err(io::Error::from(io::ErrorKind::InvalidData).into());
            }
            let (code, rest) = line.split_at_checked(3).unwrap_or((&line, ""));
            let Ok(code) = code.parse::<u16>() else {
                return Err(io::Error::from(io::ErrorKind::InvalidData).into());
            };
            let is_last = !rest.starts_with('-');
            lines.push(rest.get(1..).unwrap_or_default().to_owned());
            if is_last {
                let words = lines.join(" ").chars().filter(|c| !c.is_control()).collect();
                return Ok((code, words));
            }
        }
    }

    async fn line(&mut self) -> Result<String, Fault> {
        loop {
            if let Some(end) = memchr::memmem::find(&self.received, b"\r\n") {
                let line: Vec<u8> = self.received.drain(..end + 2).take(end).collect();
                return Ok(String::from_utf8_lossy(&line).into_owned());
            }
            if self.received.len() >= REPLY_MAX {
                return Err(io::Error::from(io::ErrorKind::InvalidData).into());
            }
            let mut buffer = [0; READ_BYTES];
            let octets = self.stream.read(&mut buffer).await?;
            if octets == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            self.received
                .extend_from_slice(buffer.get(..octets).unwrap_or_default());
        }
    }
}
