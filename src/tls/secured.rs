//! TLS over TCP that holds no buffer while nothing moves, on rustls's unbuffered connections.
//!
//! The library keeps keys and state; the octets are ours. A read borrows its thread's buffer, and what is kept of it is
//! the beginning of a record that is still on its way; a write keeps what the socket did not take. Both are gone as soon
//! as they are empty, so that an idle connection holds keys and nothing else. (The library's buffered connections keep
//! 4 KiB for reading as long as they live, and read no more than that at once.)
//!
//! The session ticket that a handshake of TLS 1.3 leaves to send waits for the first write and leaves together with it; a
//! read sends it as well.
//!
//! Before login there are passwords among the octets: a reader with a buffer of its own ([`AsyncRead`]) has the thread's
//! buffer wiped behind it, and what it has not taken yet is wiped when it goes. The library's copy of a record is beyond
//! reach.

mod library;
mod opened;

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustls::CommonState;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use zeroize::Zeroize;

use library::{Brought, open, seal};
use opened::Opened;

pub use library::Side;

use super::scratch::{self, OVERHEAD_BYTES, READ_BYTES, WRITE_BYTES};

/// Octets asked of the socket for a reader with a buffer of its own: commands are short.
const SMALL_READ_BYTES: usize = 4 * 1024;

/// What waits to be sent and is no longer than this leaves together with the next write.
const JOINED_BYTES: usize = 4 * 1024;

/// While more than this waits to be sent, nothing is read: who makes TLS answer has to take the answers. One write that the
/// socket did not take is less, so that a mail store which stops reading is still heard.
const UNANSWERED_BYTES: usize = WRITE_BYTES + OVERHEAD_BYTES + 4 * 1024;

/// A TCP connection under TLS.
pub struct Secured<S> {
    tcp: TcpStream,
    side: S,
    /// Received, and not whole enough to be opened.
    held: Vec<u8>,
    /// Opened, and not taken by its reader.
    opened: Opened,
    /// Sealed, and not taken by the socket.
    unsent: Vec<u8>,
    peer_closed: bool,
    closed: bool,
    /// The other side broke a rule; the library must not be asked again.
    is_broken: bool,
    /// The socket takes nothing any more; what it brings is still read.
    is_cut: bool,
}

/// How much one read may bring.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Portion {
    /// For conversations; wiped from the thread's buffer.
    Small,
    /// For copying.
    Large,
}

impl<S: Side> Secured<S> {
    /// The handshake; `received` is what was read from the other side already.
    ///
    /// # Errors
    /// `InvalidData` with the library's words where the other side is at fault (it was sent an alert), `UnexpectedEof`
    /// where it went away, or what the socket says.
    pub(super) async fn handshake(tcp: TcpStream, side: S, mut received: Vec<u8>) -> io::Result<Self> {
        let mut secured = Self {
            tcp,
            side,
            held: Vec::new(),
            opened: Opened::default(),
            unsent: Vec::new(),
            peer_closed: false,
            closed: false,
            is_broken: false,
            is_cut: false,
        };
        poll_fn(|cx| {
            let mut early = Opened::default();
            let begun = secured.open(cx, &mut received, |_, octets| early.keep(octets));
            secured.opened = early;
            Poll::Ready(begun)
        })
        .await?;
        poll_fn(|cx| secured.poll_handshake(cx)).await?;
        if !secured.side.leaves_only_tickets() {
            poll_fn(|cx| secured.poll_unsent(cx)).await?;
        }
        Ok(secured)
    }

    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.common().is_handshaking() {
            ready!(self.poll_unsent(cx))?;
            let mut early = std::mem::take(&mut self.opened);
            let brought = self.poll_bring(cx, Portion::Small, |_, octets| early.keep(octets));
            self.opened = early;
            // Who says Finished and close_notify in one breath has finished.
            if ready!(brought)?.end && self.common().is_handshaking() {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
        }
        Poll::Ready(Ok(()))
    }

    pub(super) const fn tcp(&self) -> &TcpStream {
        &self.tcp
    }

    pub(super) fn common(&self) -> &CommonState {
        self.side.common()
    }

    /// Reads, and hands the octets in clear to `take`, record by record. Ready with how many there were; 0 is an
    /// orderly end. `take` may write to other connections, but must not read from one.
    ///
    /// # Errors
    /// `UnexpectedEof` where the other side went away without `close_notify`, `InvalidData` where it broke TLS's rules,
    /// or what the socket or `take` says.
    pub(super) fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        mut take: impl FnMut(&mut Context<'_>, &[u8]) -> io::Result<()>,
    ) -> Poll<io::Result<usize>> {
        let opened = std::mem::take(&mut self.opened);
        match opened.waiting() {
            [] => self.poll_clear(cx, Portion::Large, take),
            waiting => Poll::Ready(take(cx, waiting).map(|()| waiting.len())),
        }
    }

    /// Reads until there are octets in clear, or none will come.
    fn poll_clear(
        &mut self,
        cx: &mut Context<'_>,
        portion: Portion,
        mut take: impl FnMut(&mut Context<'_>, &[u8]) -> io::Result<()>,
    ) -> Poll<io::Result<usize>> {
        if self.is_broken {
            return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
        }
        while !self.peer_closed {
            // The other side may be waiting for this before it says anything. Where it cannot be sent, what the other side
            // said last is still there to be read.
            if self.poll_unsent(cx).is_pending() && self.unsent.len() > UNANSWERED_BYTES {
                return Poll::Pending;
            }
            let brought = ready!(self.poll_bring(cx, portion, &mut take))?;
            if brought.octets > 0 {
                return Poll::Ready(Ok(brought.octets));
            }
        }
        Poll::Ready(Ok(0))
    }

    /// Reads once.
    fn poll_bring(
        &mut self,
        cx: &mut Context<'_>,
        portion: Portion,
        take: impl FnMut(&mut Context<'_>, &[u8]) -> io::Result<()>,
    ) -> Poll<io::Result<Brought>> {
        let at_most = match portion {
            Portion::Small => SMALL_READ_BYTES,
            Portion::Large => READ_BYTES,
        };
        scratch::incoming(|buffer| {
            let held = self.held.len();
            let free = buffer.get_mut(held..held + at_most).ok_or_else(too_long)?;
            let mut read = ReadBuf::new(free);
            ready!(Pin::new(&mut self.tcp).poll_read(cx, &mut read))?;
            let read = read.filled().len();
            if read == 0 {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            let received = buffer.get_mut(..held + read).ok_or_else(too_long)?;
            put_first(received, &self.held);
            let brought = self.open(cx, received, take);
            if portion == Portion::Small {
                received.zeroize();
            }
            Poll::Ready(brought)
        })
    }

    /// Opens what is whole in `received` and keeps the rest; what the library has to say to it waits to be sent.
    fn open(
        &mut self,
        cx: &mut Context<'_>,
        received: &mut [u8],
        mut take: impl FnMut(&mut Context<'_>, &[u8]) -> io::Result<()>,
    ) -> io::Result<Brought> {
        let opened = open(&mut self.side, &mut self.unsent, received, |octets| take(cx, octets));
        let brought = opened.map_err(|error| {
            self.is_broken = true;
            // The alert leaves as far as the socket takes it; what counts is the fault.
            let _ = self.poll_unsent(cx);
            io::Error::new(io::ErrorKind::InvalidData, error)
        })?;
        let rest = received.get(brought.used..).unwrap_or_default();
        if rest.len() > S::HELD_BYTES {
            // The library counts in what is dropped here, so it must not be asked again.
            self.is_broken = true;
            return Err(too_long());
        }
        // Of exactly this size, and nothing on the heap where nothing is kept.
        self.held = rest.to_vec();
        self.peer_closed |= brought.end;
        match brought.refused {
            Some(error) => Err(error),
            None => Ok(brought),
        }
    }

    /// Sends what waits. An error is told once.
    fn poll_unsent(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.unsent.is_empty() {
            return Poll::Ready(Ok(()));
        }
        let (sent, result) = send(&mut self.tcp, cx, &self.unsent);
        if let Poll::Ready(Err(_)) = result {
            self.cut();
        } else if sent > 0 {
            self.unsent = self.unsent.get(sent..).unwrap_or_default().to_vec();
        }
        result
    }

    /// Nothing can be sent any more.
    fn cut(&mut self) {
        self.unsent = Vec::new();
        self.is_cut = true;
    }

    /// Seals what fits of `octets` and sends it behind what waits, in one write; what the socket does not take waits.
    fn poll_seal(&mut self, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_broken || self.is_cut {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if self.unsent.len() > JOINED_BYTES {
            ready!(self.poll_unsent(cx))?;
        }
        let octets = octets.get(..WRITE_BYTES).unwrap_or(octets);
        scratch::outgoing(|buffer| {
            let waiting = self.unsent.len();
            put_first(buffer, &self.unsent);
            let free = buffer.get_mut(waiting..).unwrap_or_default();
            let sealed = seal(&mut self.side, &mut self.held, free, |traffic, free| {
                traffic.encrypt(octets, free)
            })?;
            let all = buffer.get(..waiting + sealed).unwrap_or_default();
            let (sent, result) = send(&mut self.tcp, cx, all);
            self.unsent = all.get(sent..).unwrap_or_default().to_vec();
            match result {
                Poll::Ready(Err(error)) => {
                    self.cut();
                    Poll::Ready(Err(error))
                }
                _ => Poll::Ready(Ok(octets.len())),
            }
        })
    }

    /// Says `close_notify`, once, behind what waits.
    fn say_close(&mut self) -> io::Result<()> {
        // After a fault, the alert was the last word.
        if self.is_broken || self.is_cut || std::mem::replace(&mut self.closed, true) {
            return Ok(());
        }
        scratch::outgoing(|buffer| {
            let sealed = seal(&mut self.side, &mut self.held, buffer, |traffic, free| {
                traffic.queue_close_notify(free)
            })?;
            self.unsent.extend_from_slice(buffer.get(..sealed).unwrap_or_default());
            Ok(())
        })
    }
}

/// Sends as much as the socket takes at this moment; ready once that is everything.
fn send(tcp: &mut TcpStream, cx: &mut Context<'_>, octets: &[u8]) -> (usize, Poll<io::Result<()>>) {
    let mut sent = 0;
    while let Some(rest) = octets.get(sent..).filter(|rest| !rest.is_empty()) {
        match Pin::new(&mut *tcp).poll_write(cx, rest) {
            Poll::Ready(Ok(0)) => return (sent, Poll::Ready(Err(io::ErrorKind::WriteZero.into()))),
            Poll::Ready(Ok(taken)) => sent += taken,
            Poll::Ready(Err(error)) => return (sent, Poll::Ready(Err(error))),
            Poll::Pending => return (sent, Poll::Pending),
        }
    }
    (sent, Poll::Ready(Ok(())))
}

/// Copies `octets` to the beginning of `buffer`, which is never shorter.
fn put_first(buffer: &mut [u8], octets: &[u8]) {
    if let Some(begin) = buffer.get_mut(..octets.len()) {
        begin.copy_from_slice(octets);
    }
}

fn too_long() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a TLS message longer than any may be")
}

impl<S: Side> AsyncRead for Secured<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.opened.waiting().is_empty() {
            let mut later = Opened::default();
            let read = this.poll_clear(cx, Portion::Small, |_, octets| {
                let (now, rest) = octets.split_at(octets.len().min(buffer.remaining()));
                buffer.put_slice(now);
                later.keep(rest)
            });
            this.opened = later;
            read.map_ok(drop)
        } else {
            this.opened.take(buffer);
            Poll::Ready(Ok(()))
        }
    }
}

impl<S: Side> AsyncWrite for Secured<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().poll_seal(cx, octets)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_unsent(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.say_close()?;
        ready!(this.poll_unsent(cx))?;
        match ready!(Pin::new(&mut this.tcp).poll_shutdown(cx)) {
            // It was reset; there is nothing left to close.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Poll::Ready(Ok(())),
            result => Poll::Ready(result),
        }
    }
}

impl<S> std::fmt::Debug for Secured<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secured")
            .field("tcp", &self.tcp)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
