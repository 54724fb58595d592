//! The one stream type of the house: TCP, a Unix socket, or TLS over TCP from either end.
//!
//! `AsyncWrite::poll_shutdown` sends TLS's `close_notify` before it closes the sending side, so that the other end can
//! tell an orderly end from a cut (RFC 8446 §6.1). A TLS stream that ends without one reads as `UnexpectedEof`.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use crate::clock::Timestamp;
use crate::peer::TlsFacts;

use super::acceptor;
use super::certificates::names_and_end;

/// A connected stream, downstream or upstream, with or without TLS.
#[derive(Debug)]
pub enum Stream {
    /// TCP in clear.
    Tcp(TcpStream),
    /// A Unix socket.
    Unix(UnixStream),
    /// TLS as the server (downstream).
    Server(Box<tokio_rustls::server::TlsStream<TcpStream>>),
    /// TLS as the client (upstream).
    Client(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

impl Stream {
    /// The TCP socket below, unless this is a Unix socket.
    pub fn tcp(&self) -> Option<&TcpStream> {
        match self {
            Self::Tcp(tcp) => Some(tcp),
            Self::Unix(_) => None,
            Self::Server(tls) => Some(tls.get_ref().0),
            Self::Client(tls) => Some(tls.get_ref().0),
        }
    }

    /// What the handshake agreed on; `None` in clear.
    pub fn tls_facts(&self) -> Option<TlsFacts> {
        match self {
            Self::Tcp(_) | Self::Unix(_) => None,
            Self::Server(tls) => {
                let session = tls.get_ref().1;
                Some(acceptor::facts(session, session.server_name()))
            }
            Self::Client(tls) => Some(acceptor::facts(tls.get_ref().1, None)),
        }
    }

    /// Upstream: when the mail store's certificate ends.
    pub fn certificate_end(&self) -> Option<Timestamp> {
        let Self::Client(tls) = self else { return None };
        let chain = tls.get_ref().1.peer_certificates()?;
        let (_, end) = names_and_end(chain.first()?)?;
        Some(end)
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
