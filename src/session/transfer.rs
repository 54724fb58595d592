//! Moving octets between two streams without a buffer of their own while nothing moves.
//!
//! Reads go into a buffer of the thread's, borrowed only during a poll (`tls::Stream::poll_receive`); what the other
//! side does not take at once waits in an [`Outbox`], which gives its memory back when it is empty. While an outbox
//! holds anything, its source is not read: the slow reader's window closes, and memory stays bounded by one read a
//! direction.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::Zeroizing;

use crate::tls::Stream;

/// What waits to be written to one stream.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: BytesMut,
    unflushed: bool,
    pub(super) sent: u64,
}

impl Outbox {
    /// An outbox that starts with these octets.
    pub(super) fn with(waiting: BytesMut) -> Self {
        Self {
            waiting,
            unflushed: false,
            sent: 0,
        }
    }

    /// Whether everything reached the stream.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The octets that wait, for whoever produces them in place.
    pub(super) const fn queue(&mut self) -> &mut BytesMut {
        &mut self.waiting
    }

    /// Drops what waits: the stream is about to be cut.
    pub(super) fn discard(&mut self) {
        self.waiting = BytesMut::new();
    }

    /// Writes and flushes all that waits.
    pub(super) fn poll_drain(&mut self, cx: &mut Context<'_>, stream: &mut Stream) -> Poll<io::Result<()>> {
        while !self.waiting.is_empty() {
            let taken = ready!(Pin::new(&mut *stream).poll_write(cx, &self.waiting))?;
            if taken == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.note_sent(taken);
            self.waiting.advance(taken);
        }
        if self.waiting.capacity() > 0 {
            self.waiting = BytesMut::new();
        }
        if self.unflushed {
            ready!(Pin::new(&mut *stream).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Sends what waits and, once the source `closed`, closes the stream's direction. Ready with whether the stream takes
    /// nothing any more: it was closed, or it failed and what waited is dropped.
    pub(super) fn poll_forward(&mut self, cx: &mut Context<'_>, stream: &mut Stream, closed: bool) -> Poll<bool> {
        let mut sent = ready!(self.poll_drain(cx, stream));
        if sent.is_ok() && closed {
            sent = ready!(Pin::new(stream).poll_shutdown(cx));
        }
        if sent.is_err() {
            self.discard();
        }
        Poll::Ready(closed || sent.is_err())
    }

    /// Sends `chunk` now as far as the stream takes it, and keeps the rest.
    pub(super) fn poll_send(&mut self, cx: &mut Context<'_>, stream: &mut Stream, mut chunk: &[u8]) -> io::Result<()> {
        if self.waiting.is_empty() {
            while !chunk.is_empty() {
                let Poll::Ready(taken) = Pin::new(&mut *stream).poll_write(cx, chunk)? else {
                    break;
                };
                if taken == 0 {
                    return Err(io::ErrorKind::WriteZero.into());
                }
                self.note_sent(taken);
                chunk = chunk.get(taken..).unwrap_or_default();
            }
        }
        self.waiting.extend_from_slice(chunk);
        Ok(())
    }

    const fn note_sent(&mut self, octets: usize) {
        self.sent = self.sent.saturating_add(octets as u64);
        self.unflushed = true;
    }
}

/// Reads once and hands the octets to `take`; the end of the stream is `Ok(0)`.
pub(super) fn poll_read_scratch(
    cx: &mut Context<'_>,
    stream: &mut Stream,
    take: impl FnMut(&mut Context<'_>, &[u8]) -> io::Result<()>,
) -> Poll<io::Result<usize>> {
    match ready!(stream.poll_receive(cx, take)) {
        // TLS without close_notify: most clients end like this. It is the end of the stream, never of a message.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(0)),
        received => Poll::Ready(received),
    }
}

/// Octets read and dropped from a client that is being closed; one that sends more is cut.
const LINGER_BYTES: usize = 256 * 1024;
/// Of these, read at once.
const LINGER_READ_BYTES: usize = 4 * 1024;

/// Ends a downstream connection in order: sends what waits, closes our direction (with TLS `close_notify`), and reads
/// what the client still sends, because closing a socket with unread octets would reset it and lose our goodbye.
pub(super) async fn linger(mut stream: Stream, mut outbox: Outbox, limit: Duration) {
    let orderly = async {
        poll_fn(|cx| outbox.poll_drain(cx, &mut stream)).await?;
        stream.shutdown().await?;
        // A client that was refused may already have sent its next password.
        let mut octets = Zeroizing::new(vec![0; LINGER_READ_BYTES]);
        let mut dropped = 0;
        while dropped < LINGER_BYTES {
            match stream.read(&mut octets).await? {
                0 => break,
                read => dropped += read,
            }
        }
        io::Result::Ok(())
    };
    // A client that is gone or does not read ends here as well; there is nobody left to tell.
    let _ = tokio::time::timeout(limit, orderly).await;
}
