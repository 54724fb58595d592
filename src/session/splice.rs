//! IMAP after login: octets are copied unchanged, in order, without parsing.
//!
//! Three watchers stand beside the stream and change nothing: the boundary tracker (so that `* BYE` is never put
//! inside a literal), the ID observer (so that people recognise the client), and the counters. Only where the mail
//! store offers UNAUTHENTICATE (RFC 8437) a command filter stands *in* the stream.

use std::future::Future;
use std::io;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BytesMut;

use super::summary::{Ending, Moved};
use super::transfer::{Outbox, linger, poll_read_scratch, until_end};
use crate::imap::boundary::Boundary;
use crate::imap::filter::CommandFilter;
use crate::imap::observe::IdObserver;
use crate::revoke::LiveSession;
use crate::store::EndReason;
use crate::tls::Stream;

/// One IMAP session after login.
pub(super) struct Splice<'a> {
    down: Stream,
    up: Stream,
    to_down: Outbox,
    to_up: Outbox,
    client_closed: bool,
    /// The mail store takes nothing any more.
    up_shut: bool,
    boundary: Boundary,
    filter: Option<Filter>,
    observer: IdObserver,
    live: &'a LiveSession,
    noticed: &'a (dyn Fn(&str) + Send + Sync),
}

/// What a splice starts from.
pub(super) struct Start<'a> {
    /// The client.
    pub(super) down: Stream,
    /// The mail store, logged in.
    pub(super) up: Stream,
    /// Already read from the client, for the mail store.
    pub(super) from_client: BytesMut,
    /// Already read from the mail store, for the client.
    pub(super) from_upstream: BytesMut,
    /// What the mail store offers after login.
    pub(super) capabilities: &'a [String],
    /// The registered session.
    pub(super) live: &'a LiveSession,
    /// Called once with what the client calls itself in ID.
    pub(super) noticed: &'a (dyn Fn(&str) + Send + Sync),
}

/// The command filter with the octets that it holds: part of a verb at most.
struct Filter {
    rules: CommandFilter,
    held: BytesMut,
}

impl Filter {
    fn new(capabilities: &[String]) -> Option<Self> {
        CommandFilter::new(capabilities).map(|rules| Self {
            rules,
            held: BytesMut::new(),
        })
    }

    fn pass(&mut self, chunk: &[u8], up: &mut BytesMut) -> io::Result<()> {
        self.held.extend_from_slice(chunk);
        let free = self.rules.pass(&mut self.held).map_err(io::Error::other)?;
        up.extend_from_slice(&self.held.split_to(free));
        Ok(())
    }
}

impl<'a> Splice<'a> {
    /// Takes over both streams; what was read too early goes first.
    pub(super) fn new(start: Start<'a>) -> io::Result<Self> {
        let mut splice = Self {
            down: start.down,
            up: start.up,
            to_down: Outbox::default(),
            to_up: Outbox::default(),
            client_closed: false,
            up_shut: false,
            boundary: Boundary::default(),
            filter: Filter::new(start.capabilities),
            observer: IdObserver::default(),
            live: start.live,
            noticed: start.noticed,
        };
        splice.boundary.feed(&start.from_upstream);
        splice.to_down = Outbox::with(start.from_upstream);
        splice.observe(&start.from_client);
        match &mut splice.filter {
            None => splice.to_up = Outbox::with(start.from_client),
            Some(filter) => filter.pass(&start.from_client, splice.to_up.queue())?,
        }
        Ok(splice)
    }

    /// Copies until one side closes, nothing moves for `idle`, or `ended` says that it must end.
    pub(super) async fn run(&mut self, ended: impl Future<Output = EndReason>, idle: Duration) -> Ending {
        until_end(ended, idle, |cx| {
            let copied = self.poll_copy(cx);
            (copied, self.to_up.sent + self.to_down.sent)
        })
        .await
    }

    /// Says goodbye where the client can understand it, and closes both sides.
    pub(super) async fn close(mut self, goodbye: Option<&str>, limit: Duration) -> Moved {
        if let Some(text) = goodbye.filter(|_| self.boundary.at_boundary()) {
            self.to_down
                .queue()
                .extend_from_slice(format!("* BYE {text}\r\n").as_bytes());
        }
        let moved = Moved {
            up: self.to_up.sent,
            down: self.to_down.sent,
            messages: 0,
        };
        drop(self.up);
        linger(self.down, self.to_down, limit).await;
        moved
    }

    fn poll_copy(&mut self, cx: &mut Context<'_>) -> Poll<Ending> {
        if let Poll::Ready(Err(_)) = self.poll_up(cx) {
            return Poll::Ready(Ending::Broken);
        }
        match self.poll_down(cx) {
            Poll::Ready(Ok(())) if self.client_closed => Poll::Ready(Ending::Client),
            Poll::Ready(Ok(())) => Poll::Ready(Ending::Upstream),
            Poll::Ready(Err(_)) => Poll::Ready(Ending::Broken),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Client to mail store; ready once the client closed and the mail store was told, or takes nothing any more: what it
    /// said last (`* BYE` and why) may still be on its way to the client, whose side goes on until its end.
    fn poll_up(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.up_shut {
            self.up_shut = ready!(self.to_up.poll_forward(cx, &mut self.up, self.client_closed));
            if self.up_shut {
                break;
            }
            let Self {
                down,
                up,
                to_up,
                up_shut,
                filter,
                observer,
                live,
                noticed,
                ..
            } = self;
            let octets = ready!(poll_read_scratch(cx, down, |cx, chunk| {
                if let Some(name) = observer.feed(chunk) {
                    noticed(&name);
                }
                live.add_bytes(chunk.len() as u64, 0);
                match filter {
                    None => *up_shut = to_up.poll_send(cx, up, chunk).is_err(),
                    Some(filter) => filter.pass(chunk, to_up.queue())?,
                }
                Ok(())
            }))?;
            self.client_closed = octets == 0;
        }
        Poll::Ready(Ok(()))
    }

    /// Mail store to client; ready once the mail store closed and the client has everything.
    fn poll_down(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.to_down.poll_drain(cx, &mut self.down))?;
            let Self {
                down,
                up,
                to_down,
                boundary,
                live,
                ..
            } = self;
            let octets = ready!(poll_read_scratch(cx, up, |cx, chunk| {
                boundary.feed(chunk);
                live.add_bytes(0, chunk.len() as u64);
                to_down.poll_send(cx, down, chunk)
            }))?;
            if octets == 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }

    fn observe(&mut self, chunk: &[u8]) {
        if let Some(name) = self.observer.feed(chunk) {
            (self.noticed)(&name);
        }
    }
}
