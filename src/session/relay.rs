//! SMTP after login: both directions pass through the command guard.
//!
//! The guard decides what reaches the mail store and in which order the client hears of it; this file only moves
//! octets and stops reading where the guard or a slow side asks for it. The octets of a message go on to the mail store
//! from where they were read; only what the guard has to think about is copied.

use std::io;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BytesMut;

use super::summary::{Ending, Moved};
use super::transfer::{Outbox, linger, poll_read_scratch};
use crate::smtp::guard::{Flow, Guard, Output};
use crate::tls::Stream;

/// One submission session after login.
pub(super) struct Relay {
    down: Stream,
    up: Stream,
    guard: Guard,
    from_client: BytesMut,
    from_upstream: BytesMut,
    to_down: Outbox,
    to_up: Outbox,
    client_closed: bool,
    /// The mail store takes nothing any more.
    up_shut: bool,
    finished: Option<Ending>,
}

impl Relay {
    /// Takes over both streams; `from_client` was read too early and goes first.
    pub(super) fn new(down: Stream, up: Stream, guard: Guard, from_client: BytesMut) -> Self {
        let mut relay = Self {
            down,
            up,
            guard,
            from_client,
            from_upstream: BytesMut::new(),
            to_down: Outbox::default(),
            to_up: Outbox::default(),
            client_closed: false,
            up_shut: false,
            finished: None,
        };
        release_if_empty(&mut relay.from_client);
        relay.guard_client();
        relay
    }

    /// What was sent so far.
    pub(super) const fn moved(&self) -> Moved {
        Moved {
            up: self.to_up.sent,
            down: self.to_down.sent,
            messages: self.guard.messages(),
        }
    }

    /// Cuts the mail store (a message under way is never completed), says goodbye and closes.
    pub(super) async fn close(mut self, goodbye: Option<&str>, limit: Duration) -> Moved {
        if let Some(line) = goodbye.and_then(|text| self.guard.farewell(text)) {
            self.to_down.queue().extend_from_slice(&line);
        }
        let moved = self.moved();
        drop(self.up);
        linger(self.down, self.to_down, limit).await;
        moved
    }

    /// Relays until one side ends.
    pub(super) fn poll_relay(&mut self, cx: &mut Context<'_>) -> Poll<Ending> {
        self.poll_turns(cx).map(|result| result.unwrap_or(Ending::Broken))
    }

    fn poll_turns(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Ending>> {
        // Each direction runs until it has to wait; an answer from upstream may let the client's side go on.
        loop {
            let before = self.progress();
            let _ = self.poll_up(cx)?;
            if let Poll::Ready(()) = self.poll_down(cx)? {
                return Poll::Ready(Ok(self.finished.unwrap_or(Ending::Upstream)));
            }
            self.guard_client();
            if before == self.progress() {
                return Poll::Pending;
            }
        }
    }

    /// Changes whenever an octet was read, guarded or written.
    fn progress(&mut self) -> [u64; 5] {
        let waiting = |outbox: &mut Outbox| outbox.queue().len() as u64;
        let (to_up, to_down) = (waiting(&mut self.to_up), waiting(&mut self.to_down));
        [
            self.to_up.sent,
            self.to_down.sent,
            to_up,
            to_down,
            self.from_client.len() as u64,
        ]
    }

    /// Client to mail store; ready once the client closed and the mail store was told, or takes nothing any more: what it
    /// said last (421 and why) is then still read.
    fn poll_up(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.up_shut {
                return Poll::Ready(Ok(()));
            }
            self.up_shut = ready!(self.to_up.poll_forward(cx, &mut self.up, self.client_closed));
            if self.up_shut {
                continue;
            }
            if self.finished.is_some() || !self.guard.wants_client_input() || !self.to_down.is_empty() {
                return Poll::Pending;
            }
            let Self {
                down,
                up,
                guard,
                from_client,
                to_up,
                up_shut,
                ..
            } = self;
            let octets = ready!(poll_read_scratch(cx, down, |cx, chunk| {
                let is_next = from_client.is_empty() && to_up.is_empty() && !*up_shut;
                // A message goes on from where it was read; what the guard has to think about is kept for it.
                let (clean, rest) = chunk.split_at(if is_next { guard.pass(chunk) } else { 0 });
                *up_shut |= to_up.poll_send(cx, up, clean).is_err();
                from_client.extend_from_slice(rest);
                Ok(())
            }))?;
            self.client_closed = octets == 0;
            self.guard_client();
        }
    }

    /// Mail store to client; ready once the mail store closed and the client has everything.
    fn poll_down(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.to_down.poll_drain(cx, &mut self.down))?;
            if self.finished.is_some() {
                return Poll::Ready(Ok(()));
            }
            let Self { up, from_upstream, .. } = self;
            let read = ready!(poll_read_scratch(cx, up, |_, chunk| {
                from_upstream.extend_from_slice(chunk);
                Ok(())
            }));
            // A reset is an end like any other: the client hears of it.
            let octets = read.unwrap_or(0);
            let mut out = Output::default();
            if octets == 0 {
                self.finished = Some(if self.client_closed {
                    Ending::Client
                } else {
                    Ending::Upstream
                });
                if let Some(line) = self.guard.upstream_lost() {
                    self.to_down.queue().extend_from_slice(&line);
                }
            } else {
                let flow = self.guard.from_upstream(&mut self.from_upstream, &mut out);
                self.take(flow, out);
                release_if_empty(&mut self.from_upstream);
                self.guard_client();
            }
        }
    }

    fn guard_client(&mut self) {
        if self.finished.is_some() || self.from_client.is_empty() {
            return;
        }
        let mut out = Output::default();
        let flow = self.guard.from_client(&mut self.from_client, &mut out);
        self.take(flow, out);
        release_if_empty(&mut self.from_client);
    }

    fn take(&mut self, flow: Flow, out: Output) {
        append(self.to_up.queue(), out.upstream);
        append(self.to_down.queue(), out.downstream);
        match flow {
            Flow::Go => {}
            // After a 421 of the mail store nothing more is for it: no message may be completed that the client was told is lost.
            Flow::Finished => {
                self.to_up.discard();
                self.finished = Some(Ending::Client);
            }
            Flow::Broken { rule, .. } => {
                self.to_up.discard();
                self.finished = Some(Ending::Rule(rule));
            }
        }
    }
}

/// Gives the memory back with the last octet: most sessions wait most of the time.
fn release_if_empty(buffer: &mut BytesMut) {
    if buffer.is_empty() {
        *buffer = BytesMut::new();
    }
}

fn append(queue: &mut BytesMut, more: BytesMut) {
    if queue.is_empty() {
        *queue = more;
    } else {
        queue.extend_from_slice(&more);
    }
}

#[cfg(test)]
mod tests;
