//! The tail: follows the change log and applies each change once, in order: forget its entries, then end its sessions.
//!
//! The table is the truth, wake-ups are hints: every look reads on from the last applied number, so that a lost wake-up
//! delays a change by one poll and never loses it. A store that fails is asked again with growing pauses; sessions go on
//! meanwhile.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::registry::Registry;
use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::store::{Change, ChangeKind, ChangeStore, Error, Seq};

/// Changes read at a time.
const BATCH: u32 = 256;

/// Changes of which it is remembered how many sessions they ended.
const REMEMBERED: usize = 4096;

/// The pause after the first failure of the store; each further one doubles it, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What the caller of [`Tail::new`] does with a change before its sessions are ended.
type Forget = Box<dyn Fn(&Change) + Send + Sync>;

/// Follows the change log and applies it; one a process.
pub struct Tail {
    store: Arc<dyn ChangeStore>,
    registry: Arc<Registry>,
    forget: Forget,
    poll: Duration,
    metrics: Arc<Metrics>,
    /// Only measures how long applying took, so it needs no place in anybody's test.
    stopwatch: Clock,
    seen: watch::Sender<Seq>,
    ended: Mutex<VecDeque<(Seq, usize)>>,
    woken: Notify,
}

/// What was done for one change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Applied {
    /// Sessions that were told to end on this node.
    pub sessions_ended: usize,
}

impl Tail {
    /// `forget` is called for each change before sessions are ended (drops entries); `poll` is the longest time until a
    /// change is noticed whose wake-up was lost.
    pub fn new(
        store: Arc<dyn ChangeStore>,
        registry: Arc<Registry>,
        forget: Forget,
        poll: Duration,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        Arc::new(Self {
            store,
            registry,
            forget,
            poll,
            metrics,
            stopwatch: Clock::system(),
            seen: watch::Sender::new(Seq::default()),
            ended: Mutex::default(),
            woken: Notify::new(),
        })
    }

    /// Reads the latest number, so that only later changes are applied. Call before listeners open: there is nothing to
    /// forget or end yet.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn start(&self) -> Result<(), Error> {
        let latest = self.store.latest_change().await?;
        self.seen.send_replace(latest);
        Ok(())
    }

    /// Runs until cancelled; survives store errors with growing pauses.
    pub async fn run(&self) {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.follow().await {
                Ok(()) => pause = FIRST_PAUSE,
                Err(error) => {
                    self.metrics.store_errors.inc();
                    tracing::error!(%error, change.seq = self.seen().0, "the change log cannot be read");
                    tokio::select! {
                        biased;
                        () = self.woken.notified() => {}
                        () = tokio::time::sleep(pause) => {}
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Asks for an immediate look (the control socket calls this).
    pub fn wake(&self) {
        self.woken.notify_one();
    }

    /// Waits until this change has been applied; says how many sessions it ended (0 where that is long ago).
    pub async fn applied(&self, seq: Seq) -> Applied {
        self.applied_between(Seq(seq.0.saturating_sub(1)), seq).await
    }

    /// Waits until the changes after `after` up to `last` have been applied; says how many sessions they ended together.
    pub async fn applied_between(&self, after: Seq, last: Seq) -> Applied {
        let mut seen = self.seen.subscribe();
        seen.wait_for(|seen| *seen >= last)
            .await
            .expect("the tail that we borrow holds the sender");
        let ended = self.ended();
        let of_these = ended.iter().filter(|(seq, _)| *seq > after && *seq <= last);
        Applied {
            sessions_ended: of_these.map(|(_, sessions)| sessions).sum(),
        }
    }

    /// The number of the last applied change.
    pub fn seen(&self) -> Seq {
        *self.seen.borrow()
    }

    /// One look, and the wait for a reason to look again.
    async fn follow(&self) -> Result<(), Error> {
        let mut wait = self.store.wait_for_change(self.poll);
        // Listening begins before looking: what is committed after our look then ends the wait.
        let first = poll_fn(|cx| Poll::Ready(wait.as_mut().poll(cx))).await;
        self.catch_up().await?;
        if let Poll::Ready(changed) = first {
            return changed;
        }
        tokio::select! {
            biased;
            () = self.woken.notified() => Ok(()),
            changed = wait => changed,
        }
    }

    async fn catch_up(&self) -> Result<(), Error> {
        loop {
            let seen = self.seen();
            let changes = self.store.changes_after(seen, BATCH).await?;
            let begun = self.stopwatch.now();
            let full = changes.len() >= BATCH as usize;
            // A number at or below the last one has been applied.
            for change in changes.into_iter().filter(|change| change.seq > seen) {
                self.apply(&change);
                let took = self.stopwatch.now().saturating_duration_since(begun);
                self.metrics.revocation_seconds.observe(took.as_secs_f64());
            }
            if !full || self.seen() == seen {
                return Ok(());
            }
        }
    }

    fn apply(&self, change: &Change) {
        (self.forget)(change);
        let sessions_ended = match change.kind {
            ChangeKind::DeviceEnded { device, reason, .. } => self.registry.end_device(device, reason),
            ChangeKind::MailboxEnded { mailbox } => self.registry.end_mailbox(mailbox),
        };
        tracing::info!(change.seq = change.seq.0, change.kind = ?change.kind, sessions = sessions_ended, "change applied");
        let mut ended = self.ended();
        if ended.len() >= REMEMBERED {
            ended.pop_front();
        }
        ended.push_back((change.seq, sessions_ended));
        drop(ended);
        self.seen.send_replace(change.seq);
    }

    fn ended(&self) -> MutexGuard<'_, VecDeque<(Seq, usize)>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
