//! Opens and secures the connection that lettre speaks on.
//!
//! For STARTTLS the words in clear are said by `smtp::client`, which refuses octets behind the server's answer: they
//! would be answers that an attacker put in front of the encrypted ones (CVE-2021-38371), also one that a mail was
//! taken.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use crate::smtp::client::{self, Client, Step};
use crate::tls::{Connector, Stream};

use super::failure::{Failure, Stage};

/// The longest time to connect to one of the mail server's addresses: one that is gone must not take all of the time.
const CONNECT_MAX: Duration = Duration::from_secs(15);
/// Addresses of the mail server's name that are tried.
const ADDRESSES_MAX: usize = 4;
/// Octets asked for at once.
const READ_BYTES: usize = 1024;
/// Octets that a mail server may say before TLS: an endless greeting ends here.
const CLEAR_MAX: usize = 64 * 1024;
/// lettre begins with the greeting, and in clear it has been read already.
const GREETING: &[u8] = b"220 \r\n";

/// What lettre speaks on: a stream of the house, with what it is to read before.
#[derive(Debug)]
pub(super) struct Wire {
    stream: Stream,
    before: &'static [u8],
}

impl Wire {
    /// The server speaks first.
    pub(super) const fn new(stream: Stream) -> Self {
        Self { stream, before: &[] }
    }

    /// The server has greeted in clear and now waits for us.
    const fn greeted(stream: Stream) -> Self {
        Self {
            stream,
            before: GREETING,
        }
    }

    /// The stream, for facts about it.
    pub(super) const fn stream(&self) -> &Stream {
        &self.stream
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.tcp().ok_or(io::ErrorKind::Unsupported)?.peer_addr()
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.before.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buf);
        }
        let (now, later) = self.before.split_at(self.before.len().min(buf.remaining()));
        buf.put_slice(now);
        self.before = later;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Connects to the first address of the mail server that answers.
pub(super) async fn connect(host: &str, port: u16) -> Result<TcpStream, Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::passing(
            Stage::Connection,
            format!("cannot connect to the mail server {host}, port {port}: {error}"),
        )
    };
    let addresses = lookup_host((host, port)).await.map_err(|error| failed(&error))?;
    let mut last = failed(&"the name has no address");
    for address in addresses.take(ADDRESSES_MAX) {
        match timeout(CONNECT_MAX, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true).map_err(|error| failed(&error))?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = failed(&error),
            Err(_) => last = failed(&"no answer"),
        }
    }
    Err(last)
}

/// TLS from the first octet.
pub(super) async fn secure(connector: &Connector, host: &str, tcp: TcpStream) -> Result<Wire, Failure> {
    let stream = connector.connect(host, tcp).await;
    stream.map(Wire::new).map_err(|error| Failure::of_tls(host, &error))
}

/// STARTTLS (RFC 3207), or nothing: a mail is never sent in clear because somebody left the word out.
pub(super) async fn start_tls(
    connector: &Connector,
    host: &str,
    hello: &str,
    mut tcp: TcpStream,
) -> Result<Wire, Failure> {
    let mut client = Client::new(client::Config {
        hostname: hello.to_owned(),
        starttls: true,
    });
    let failed = |error: io::Error| Failure::passing(Stage::Greeting, format!("the mail server went away: {error}"));
    let (mut input, mut received) = (BytesMut::new(), 0);
    loop {
        match client.receive(&mut input).map_err(|error| Failure::of_clear(&error))? {
            Step::NeedInput => {
                input.reserve(READ_BYTES);
                let read = tcp.read_buf(&mut input).await.map_err(failed)?;
                received += read;
                if read == 0 || received > CLEAR_MAX {
                    return Err(failed(io::ErrorKind::UnexpectedEof.into()));
                }
            }
            Step::Send(line) => tcp.write_all(line.expose()).await.map_err(failed)?,
            Step::StartTls => break,
            // The client was told to insist on STARTTLS, and nothing else was asked of it.
            Step::Greeted { .. } | Step::LoggedIn { .. } | Step::Closed => {
                return Err(failed(io::ErrorKind::InvalidData.into()));
            }
        }
    }
    let stream = connector.connect(host, tcp).await;
    stream.map(Wire::greeted).map_err(|error| Failure::of_tls(host, &error))
}
