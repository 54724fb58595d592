//! IMAP after login: octets are copied unchanged, in order, without parsing.
//!
//! Three watchers stand beside the stream and change nothing: the boundary tracker (so that `* BYE` is never put
//! inside a literal), the ID observer (so that people recognise the client), and the counters. Only where the mail
//! store offers UNAUTHENTICATE (RFC 8437) a command filter stands *in* the stream.

use std::io;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BytesMut;

use super::summary::{Ending, Moved};
use super::transfer::{Outbox, linger, poll_read_scratch};
use crate::imap::boundary::Boundary;
use crate::imap::filter::CommandFilter;
use crate::imap::observe::IdObserver;
use crate::tls::Stream;

/// One IMAP session after login.
pub(super) struct Splice {
    down: Stream,
    up: Stream,
    to_down: Outbox,
    to_up: Outbox,
    client_closed: bool,
    /// The mail store takes nothing any more.
    up_shut: bool,
    boundary: Boundary,
    filter: Option<Box<Filter>>,
    observer: IdObserver,
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
}

/// The command filter with the octets that it holds: part of a verb at most.
struct Filter {
    rules: CommandFilter,
    held: BytesMut,
}

impl Filter {
    fn new(capabilities: &[String]) -> Option<Box<Self>> {
        let rules = CommandFilter::new(capabilities)?;
        let held = BytesMut::new();
        Some(Box::new(Self { rules, held }))
    }

    fn pass(&mut self, chunk: &[u8], up: &mut BytesMut) -> io::Result<()> {
        self.held.extend_from_slice(chunk);
        let free = self.rules.pass(&mut self.held).map_err(io::Error::other)?;
        up.extend_from_slice(&self.held.split_to(free));
        Ok(())
    }
}

impl Splice {
    /// Takes over both streams; what was read too early goes first. `noticed` is told what the client calls itself in ID,
    /// here or in [`Splice::poll_copy`], at most once.
    pub(super) fn new(start: Start<'_>, noticed: &dyn Fn(&str)) -> io::Result<Self> {
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
        };
        splice.boundary.feed(&start.from_upstream);
        splice.to_down = Outbox::with(start.from_upstream);
        if let Some(name) = splice.observer.feed(&start.from_client) {
            noticed(&name);
        }
        match &mut splice.filter {
            None => splice.to_up = Outbox::with(start.from_client),
            Some(filter) => filter.pass(&start.from_client, splice.to_up.queue())?,
        }
        Ok(splice)
    }

    /// What was sent so far.
    pub(super) const fn moved(&self) -> Moved {
        Moved {
            up: self.to_up.sent,
            down: self.to_down.sent,
            messages: 0,
        }
    }

    /// Says goodbye where the client can understand it, and closes both sides.
    pub(super) async fn close(mut self, goodbye: Option<&str>, limit: Duration) -> Moved {
        if let Some(text) = goodbye.filter(|_| self.boundary.at_boundary()) {
            self.to_down
                .queue()
                .extend_from_slice(format!("* BYE {text}\r\n").as_bytes());
        }
        let moved = self.moved();
        drop(self.up);
        linger(self.down, self.to_down, limit).await;
        moved
    }

    /// Copies until one side closes.
    pub(super) fn poll_copy(&mut self, cx: &mut Context<'_>, noticed: &dyn Fn(&str)) -> Poll<Ending> {
        if let Poll::Ready(Err(_)) = self.poll_up(cx, noticed) {
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
    fn poll_up(&mut self, cx: &mut Context<'_>, noticed: &dyn Fn(&str)) -> Poll<io::Result<()>> {
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
                ..
            } = self;
            let octets = ready!(poll_read_scratch(cx, down, |cx, chunk| {
                if let Some(name) = observer.feed(chunk) {
                    noticed(&name);
                }
                match filter {
                    // A hole in what the mail store gets would be worse than an end.
                    None if *up_shut => {}
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
                ..
            } = self;
            let octets = ready!(poll_read_scratch(cx, up, |cx, chunk| {
                boundary.feed(chunk);
                to_down.poll_send(cx, down, chunk)
            }))?;
            if octets == 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }
}
