//! Sessions in IDLE: opened a few at a time, then held together, and counted when they are lost.
//!
//! A session is asked into a new IDLE before servers end it (RFC 9051 §6.3.13 says every 29 minutes at the latest).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::failure::Failure;
use super::report::{Done, Report};
use super::run::{AFTER_OPEN_FAILURE, Run};
use super::session::Session;
use super::worker::INBOX;

/// Sessions that are being opened or ended at the same time.
const AT_ONCE: usize = 64;
/// So many failures in a row, and no more sessions are opened: the host is gone, or full.
const GIVE_UP_AFTER: u64 = 2 * AT_ONCE as u64;
/// Steps that end a session: DONE, LOGOUT.
const LAST_STEPS: u32 = 2;
/// Lines that are still read once the time is over: a goodbye may be among them.
const LATE_LINES: u32 = 1000;
/// Before the server's half hour is over.
const RENEW_AFTER: Duration = Duration::from_secs(25 * 60);

/// What the held sessions share.
#[derive(Clone)]
struct Hold {
    run: Run,
    places: Arc<Semaphore>,
    failures_in_a_row: Arc<AtomicU64>,
    /// The time is over.
    over: CancellationToken,
}

/// Opens all sessions, holds them for the bound's time from then on, ends them.
pub(super) async fn hold(run: Run) -> Report {
    let hold = Hold {
        places: Arc::new(Semaphore::new(AT_ONCE)),
        failures_in_a_row: Arc::default(),
        over: run.cut.child_token(),
        run,
    };
    let (opening, mut opened) = tokio::sync::mpsc::channel::<()>(1);
    let mut sessions = JoinSet::new();
    for number in 0..hold.run.plan.clients {
        sessions.spawn(hold.clone().session(number as u64, opening.clone()));
    }
    drop(opening);
    // Nobody sends: it ends when the last session has dropped its end.
    let _ = opened.recv().await;
    let time = hold.run.plan.bound.time().unwrap_or_default();
    tokio::select! {
        () = hold.over.cancelled() => {}
        () = sleep(time) => {}
        () = async { while sessions.join_next().await.is_some() {} } => {}
    }
    let elapsed = hold.run.elapsed();
    hold.over.cancel();
    let all = async { while sessions.join_next().await.is_some() {} };
    tokio::pin!(all);
    tokio::select! {
        () = &mut all => {}
        // For all of them together: a server that fell silent is not asked in turn by thousands.
        () = sleep(hold.run.plan.step_time * LAST_STEPS) => {
            hold.run.cut.cancel();
            all.await;
        }
    }
    hold.run.report(elapsed)
}

impl Hold {
    async fn session<T>(self, number: u64, opening: T) {
        let Some(mut session) = Box::pin(self.opened(number)).await else {
            return;
        };
        drop(opening);
        self.run.watch.open.fetch_add(1, Ordering::Relaxed);
        let held = self.held(&mut session).await;
        self.run.watch.open.fetch_sub(1, Ordering::Relaxed);
        let outcome = match held {
            Ok(()) if self.run.cut.is_cancelled() => self.cut_off(),
            Ok(()) => Box::pin(self.ended(session)).await,
            Err(failure) => Err(failure),
        };
        self.run.add("hold", outcome.map(|()| Done::default()));
    }

    /// A session in IDLE; nothing where it failed or the run is over.
    async fn opened(&self, number: u64) -> Option<Session> {
        let _place = self.places.acquire().await;
        if self.failures_in_a_row.load(Ordering::Relaxed) >= GIVE_UP_AFTER {
            self.run.add_unfinished();
            return None;
        }
        if self.run.turn(number, None).await.is_none() {
            self.run.add_unfinished();
            return None;
        }
        tokio::select! {
            biased;
            () = self.run.cut.cancelled() => {
                self.run.add_unfinished();
                None
            }
            outcome = self.open(number) => match outcome {
                Ok((session, done)) => {
                    self.failures_in_a_row.store(0, Ordering::Relaxed);
                    self.run.add("open", Ok(done));
                    Some(session)
                }
                Err(failure) => {
                    self.failures_in_a_row.fetch_add(1, Ordering::Relaxed);
                    self.run.add("open", Err(failure));
                    sleep(AFTER_OPEN_FAILURE).await;
                    None
                }
            },
        }
    }

    async fn open(&self, number: u64) -> Result<(Session, Done), Failure> {
        let plan = &self.run.plan;
        let begin = plan.clock.now();
        let mut session = Session::open(&plan.target, self.run.from(number), plan.step_time).await?;
        session.login(self.run.account(number), plan.mechanism).await?;
        session.select(INBOX).await?;
        session.idle().await?;
        let done = Done {
            latency: Some(plan.clock.now().saturating_duration_since(begin)),
            resumed: session.resumed(),
            octets: 0,
        };
        Ok((session, done))
    }

    /// Listens until the time is over.
    async fn held(&self, session: &mut Session) -> Result<(), Failure> {
        let mut said_late = 0;
        loop {
            let heard = tokio::select! {
                // What has come already counts, also at the end.
                biased;
                heard = timeout(RENEW_AFTER, session.next_line()) => heard,
                () = self.over.cancelled() => return Ok(()),
            };
            match heard {
                // A server that never stops talking does not hold us either.
                Ok(line) => {
                    drop(line?);
                    said_late += u32::from(self.over.is_cancelled());
                    if said_late > LATE_LINES {
                        return Ok(());
                    }
                }
                Err(_) => {
                    session.done().await?;
                    session.idle().await?;
                }
            }
        }
    }

    async fn ended(&self, mut session: Session) -> Result<(), Failure> {
        let _place = self.places.acquire().await;
        tokio::select! {
            () = self.run.cut.cancelled() => self.cut_off(),
            outcome = async {
                session.done().await?;
                session.logout().await
            } => outcome,
        }
    }

    /// Where the caller wants the report now, the session was alive to the last; else the server was too slow.
    fn cut_off(&self) -> Result<(), Failure> {
        if self.run.watch.is_stopped() {
            Ok(())
        } else {
            Err(Failure::Timeout("the logout"))
        }
    }
}
