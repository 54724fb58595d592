//! One connection as lines and octets: a bounded input buffer over TCP or TLS.
//!
//! The buffer exists only while there is something in it, so that thousands of waiting connections cost little.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncBufRead, AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::failure::Failure;
use crate::wire::printable;

/// Octets of one line of the server.
const MAX_LINE: usize = 16_384;
/// Octets of one read in clear; TLS gives what a record holds.
const READ_OCTETS: usize = 16_384;
/// Octets of a server's words in a failure.
const MAX_EXCERPT: usize = 120;

/// A server's words, safe and short enough for a report.
pub(super) fn excerpt(line: &[u8]) -> String {
    printable(line, MAX_EXCERPT)
}

#[derive(Debug)]
enum Transport {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Transport {
    fn poll_read(&mut self, context: &mut Context<'_>, into: &mut Vec<u8>) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(stream) => {
                let mut space = [MaybeUninit::uninit(); READ_OCTETS];
                let mut buffer = ReadBuf::uninit(&mut space);
                ready!(Pin::new(stream).poll_read(context, &mut buffer))?;
                into.extend_from_slice(buffer.filled());
                Poll::Ready(Ok(buffer.filled().len()))
            }
            Self::Tls(stream) => {
                let mut stream = Pin::new(stream.as_mut());
                let octets = ready!(stream.as_mut().poll_fill_buf(context))?;
                into.extend_from_slice(octets);
                let length = octets.len();
                stream.consume(length);
                Poll::Ready(Ok(length))
            }
        }
    }
}

/// A connection and what was read from it but not used.
#[derive(Debug)]
pub(super) struct Wire {
    transport: Transport,
    input: Vec<u8>,
    /// How much of the input is used.
    at: usize,
}

impl Wire {
    pub(super) const fn clear(stream: TcpStream) -> Self {
        Self {
            transport: Transport::Tcp(stream),
            input: Vec::new(),
            at: 0,
        }
    }

    pub(super) fn secured(stream: TlsStream<TcpStream>) -> Self {
        Self {
            transport: Transport::Tls(Box::new(stream)),
            input: Vec::new(),
            at: 0,
        }
    }

    /// The bare socket, for STARTTLS. Whatever came behind the answer in clear could be anybody's.
    pub(super) fn into_clear(self) -> Result<TcpStream, Failure> {
        if self.at < self.input.len() {
            return Err(Failure::BadAnswer(
                "octets in clear behind the answer to STARTTLS".to_owned(),
            ));
        }
        match self.transport {
            Transport::Tcp(stream) => Ok(stream),
            Transport::Tls(_) => Err(Failure::Unsupported("TLS within TLS")),
        }
    }

    /// Sends in one write.
    pub(super) async fn send(&mut self, octets: &[u8]) -> Result<(), Failure> {
        let sent = match &mut self.transport {
            Transport::Tcp(stream) => stream.write_all(octets).await,
            Transport::Tls(stream) => match stream.write_all(octets).await {
                Ok(()) => stream.flush().await,
                failed => failed,
            },
        };
        sent.map_err(|error| Failure::broken(&error))
    }

    /// The next line without its end. A future of this may be dropped: nothing is lost.
    pub(super) async fn line(&mut self) -> Result<&[u8], Failure> {
        let mut searched = 0;
        let length = loop {
            let unread = self.unread();
            if let Some(found) = memchr::memchr(b'\n', unread.get(searched..).unwrap_or_default()) {
                break searched + found;
            }
            searched = unread.len();
            if searched > MAX_LINE {
                return Err(Failure::BadAnswer(format!("a line longer than {MAX_LINE} octets")));
            }
            self.fill().await?;
        };
        let start = self.at;
        self.at += length + 1;
        let line = self.input.get(start..start + length).unwrap_or_default();
        Ok(line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// What is there of the next octets, at least one; call [`Wire::used`] afterwards.
    pub(super) async fn octets(&mut self) -> Result<&[u8], Failure> {
        if self.unread().is_empty() {
            self.fill().await?;
        }
        Ok(self.unread())
    }

    pub(super) const fn used(&mut self, octets: usize) {
        self.at += octets;
    }

    /// Waits for the other side to close the connection; an abrupt end is one.
    pub(super) async fn end(&mut self) -> Result<(), Failure> {
        loop {
            self.at = self.input.len();
            match self.fill().await {
                Ok(()) => {}
                Err(Failure::Closed) => return Ok(()),
                Err(failure) => return Err(failure),
            }
        }
    }

    fn unread(&self) -> &[u8] {
        self.input.get(self.at..).unwrap_or_default()
    }

    /// Reads something behind what is there.
    async fn fill(&mut self) -> Result<(), Failure> {
        if self.at >= self.input.len() {
            // Not kept: whoever waits here may wait for hours, with thousands of others.
            self.input = Vec::new();
        } else {
            self.input.drain(..self.at);
        }
        self.at = 0;
        let Self { transport, input, .. } = self;
        match poll_fn(|context| transport.poll_read(context, input)).await {
            Ok(0) => Err(Failure::Closed),
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::broken(&error)),
        }
    }
}
