//! The one stream type of the house: TCP, a Unix socket, or TLS over TCP from either end.
//!
//! `AsyncWrite::poll_shutdown` sends TLS's `close_notify` before it closes the sending side, so that the other end can
//! tell an orderly end from a cut (RFC 8446 §6.1). A TLS stream that ends without one reads as `UnexpectedEof`.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use rustls::client::UnbufferedClientConnection;
use rustls::server::UnbufferedServerConnection;

use crate::clock::Timestamp;
use crate::peer::TlsFacts;

use super::acceptor;
use super::certificates::names_and_end;
use super::scratch::{self, READ_BYTES};
use super::secured::Secured;

/// A connected stream, downstream or upstream, with or without TLS.
#[derive(Debug)]
pub enum Stream {
    /// TCP in clear.
    Tcp(TcpStream),
    /// A Unix socket.
    Unix(UnixStream),
    /// TLS as the server (downstream).
    Server(Box<Secured<UnbufferedServerConnection>>),
    /// TLS as the client (upstream).
    Client(Box<Secured<UnbufferedClientConnection>>),
}

impl Stream {
    /// The TCP socket below, unless this is a Unix socket.
    pub fn tcp(&self) -> Option<&TcpStream> {
        match self {
            Self::Tcp(tcp) => Some(tcp),
            Self::Unix(_) => None,
            Self::Server(tls) => Some(tls.tcp()),
            Self::Client(tls) => Some(tls.tcp()),
        }
    }

    /// What the handshake agreed on, without the server name; `None` in clear.
    pub fn tls_facts(&self) -> Option<TlsFacts> {
        match self {
            Self::Tcp(_) | Self::Unix(_) => None,
            Self::Server(tls) => Some(acceptor::facts(tls.common(), None)),
            Self::Client(tls) => Some(acceptor::facts(tls.common(), None)),
        }
    }

    /// Upstream: when the mail store's certificate ends.
    pub fn certificate_end(&self) -> Option<Timestamp> {
        let Self::Client(tls) = self else { return None };
        let chain = tls.common().peer_certificates()?;
        let (_, end) = names_and_end(chain.first()?)?;
        Some(end)
    }

    /// Reads once without a buffer of the caller's: hands what came to `take`, in pieces where it came in TLS records.
    /// Ready with how many octets there were; 0 is the end of the stream. `take` may write to other streams, but must
    /// not read from one.
    ///
    /// # Errors
    /// `UnexpectedEof` for TLS without `close_notify`; what the stream or `take` says.
    pub fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnMut(&mut Context<'_>, &[u8]) -> io::Result<()>,
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(tcp) => poll_clear(tcp, cx, take),
            Self::Unix(unix) => poll_clear(unix, cx, take),
            Self::Server(tls) => tls.poll_receive(cx, take),
            Self::Client(tls) => tls.poll_receive(cx, take),
        }
    }

    /// Whether the other end has said nothing and closed nothing, as far as is known without waiting. TLS records that
    /// carry no data (session tickets) are taken in and do not count.
    pub fn is_quiet(&mut self) -> bool {
        let mut octet = [0_u8; 1];
        let mut buffer = ReadBuf::new(&mut octet);
        let mut context = Context::from_waker(Waker::noop());
        Pin::new(self).poll_read(&mut context, &mut buffer).is_pending()
    }
}

fn poll_clear(
    stream: &mut (impl AsyncRead + Unpin),
    cx: &mut Context<'_>,
    mut take: impl FnMut(&mut Context<'_>, &[u8]) -> io::Result<()>,
) -> Poll<io::Result<usize>> {
    scratch::incoming(|buffer| {
        let mut read = ReadBuf::new(buffer.get_mut(..READ_BYTES).unwrap_or_default());
        ready!(Pin::new(stream).poll_read(cx, &mut read))?;
        match read.filled() {
            [] => Poll::Ready(Ok(0)),
            octets => Poll::Ready(take(cx, octets).map(|()| octets.len())),
        }
    })
}

macro_rules! each {
    ($self:expr, $stream:ident => $do:expr) => {
        match $self {
            Stream::Tcp($stream) => $do,
            Stream::Unix($stream) => $do,
            Stream::Server($stream) => $do,
            Stream::Client($stream) => $do,
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        each!(self.get_mut(), stream => Pin::new(stream).poll_read(cx, buf))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        each!(self.get_mut(), stream => Pin::new(stream).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        each!(self.get_mut(), stream => Pin::new(stream).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        each!(self, stream => stream.is_write_vectored())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self.get_mut(), stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self.get_mut(), stream => Pin::new(stream).poll_shutdown(cx))
    }
}
