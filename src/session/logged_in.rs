//! A session after login: all that an idle one keeps in memory, and its end.
//!
//! It is a future written by hand, because the compiler keeps a value that moves through an `async fn` once for each
//! place that it had, and most of a session's life is spent here. What a login needed (the verified record with its
//! device, the mail store's capabilities, TLS facts, buffers) is gone; names for the goodbye and the log line are read
//! from the registry's record. There is no timer: the registry's sweeper ends idle and expired sessions.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::Plane;
use super::drive::{Begun, Ready};
use super::login::Admitted;
use super::relay::Relay;
use super::splice::{Splice, Start};
use super::summary::{Ending, Moved, log_end};
use crate::model::device::Use;
use crate::revoke::LiveSession;

/// A session whose client was told OK; resolves once both its connections are closed and its log line is written.
#[must_use]
pub struct LoggedIn(State);

#[expect(
    clippy::large_enum_variant,
    reason = "it is large for as long as the session lives, and small for the moment of its end"
)]
enum State {
    Open(Session),
    Closing(Pin<Box<dyn Future<Output = ()> + Send>>),
    Closed,
}

/// An open session.
struct Session {
    plane: Arc<Plane>,
    live: LiveSession,
    path: Path,
    begun: Begun,
    tls_version: &'static str,
}

/// What the octets pass through.
#[expect(
    clippy::large_enum_variant,
    reason = "sessions that send are few and short, so they take a box that IMAP sessions do without"
)]
enum Path {
    Imap(Splice),
    Smtp(Box<Relay>),
}

impl LoggedIn {
    /// Lets go of the login and takes over its connections. `None` where the client hid a command behind its login that
    /// the filter refuses: that session is over, and logged.
    pub(super) fn start(plane: &Arc<Plane>, ready: Ready, begun: Begun) -> Option<Self> {
        let Ready {
            admitted,
            down,
            input,
            tls_version,
        } = ready;
        let Admitted {
            login: _proof,
            upstream,
            live,
            guard,
        } = *admitted;
        let path = if let Some(guard) = guard {
            Path::Smtp(Box::new(Relay::new(down, upstream.stream, guard, input)))
        } else {
            let start = Start {
                down,
                up: upstream.stream,
                from_client: input,
                from_upstream: upstream.received,
                capabilities: &upstream.capabilities,
            };
            match Splice::new(start, &|name| note_client(plane, &live, name)) {
                Ok(splice) => Path::Imap(splice),
                Err(_) => {
                    let lasted = begun.lasted(plane);
                    log_end(
                        (begun.id, tls_version),
                        live.info(),
                        (Ending::Broken, Moved::default(), lasted),
                    );
                    return None;
                }
            }
        };
        Some(Self(State::Open(Session {
            plane: Arc::clone(plane),
            live,
            path,
            begun,
            tls_version,
        })))
    }
}

impl Future for LoggedIn {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let state = &mut self.get_mut().0;
        loop {
            match state {
                State::Open(session) => {
                    let ending = ready!(session.poll_ending(cx));
                    if let State::Open(session) = std::mem::replace(state, State::Closed) {
                        *state = State::Closing(Box::pin(session.close(ending)));
                    }
                }
                State::Closing(closing) => {
                    ready!(closing.as_mut().poll(cx));
                    *state = State::Closed;
                }
                State::Closed => return Poll::Ready(()),
            }
        }
    }
}

impl Session {
    /// Moves octets until one side closes, or the session is told to end.
    fn poll_ending(&mut self, cx: &mut Context<'_>) -> Poll<Ending> {
        let Self { plane, live, path, .. } = self;
        if let Poll::Ready(reason) = live.poll_ended(cx) {
            return Poll::Ready(Ending::Ended(reason));
        }
        let (ending, moved) = match path {
            Path::Imap(splice) => {
                let ending = splice.poll_copy(cx, &|name| note_client(plane, live, name));
                (ending, splice.moved())
            }
            Path::Smtp(relay) => (relay.poll_relay(cx), relay.moved()),
        };
        live.note_moved(moved.up, moved.down);
        ending
    }

    /// Says goodbye where the client can understand it, closes both sides, and writes the log line.
    async fn close(self, ending: Ending) {
        let Self {
            plane,
            live,
            path,
            begun,
            tls_version,
        } = self;
        let text = ending.goodbye(&live.info().label);
        let limit = plane.config.load().close_time;
        let moved = match path {
            Path::Imap(splice) => splice.close(text.as_deref(), limit).await,
            Path::Smtp(relay) => relay.close(text.as_deref(), limit).await,
        };
        plane.metrics.bytes_up.inc_by(moved.up);
        plane.metrics.bytes_down.inc_by(moved.down);
        let lasted = begun.lasted(&plane);
        log_end((begun.id, tls_version), live.info(), (ending, moved, lasted));
    }
}

/// The client said after login what it calls itself.
fn note_client(plane: &Plane, live: &LiveSession, name: &str) {
    live.set_client(name);
    let info = live.info();
    let usage = Use {
        at: plane.clock.utc(),
        ip: info.peer,
        protocol: info.protocol,
        client: Some(name.to_owned()),
    };
    plane.usage.note(info.device, usage);
}
