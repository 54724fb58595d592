//! Runs a plan: clients side by side, each with the next operation, until count, time or the caller end it.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;

use super::failure::Failure;
use super::plan::{Folder, Plan, Watch, Work};
use super::report::{Done, Report};
use super::target::Account;
use super::worker::Worker;
use super::{folder, idle};

/// The wait of a client whose connection could not be opened, so that a dead host is not hammered in a spin.
pub(super) const AFTER_OPEN_FAILURE: Duration = Duration::from_millis(100);

/// Runs a plan to its end. Dropping the future ends everything at once.
pub async fn run(plan: &Arc<Plan>, watch: &Arc<Watch>) -> Report {
    let mut run = Run::new(plan, watch);
    if plan.accounts.is_empty() {
        return Report::default();
    }
    match &plan.work {
        Work::Idle => Box::pin(idle::hold(run)).await,
        Work::Fetch {
            folder: Folder::Own(name),
            message,
        } => {
            let accounts = plan.accounts.len().min(plan.clients);
            let owners = Box::pin(folder::store(&run, name, *message, accounts)).await;
            run.restart(owners.clone());
            if !owners.is_empty() {
                work(&run).await;
            }
            let elapsed = run.elapsed();
            // Not cut off with the rest: what was made is cleaned up, each in the time of a step.
            Box::pin(folder::delete(&run, name, owners)).await;
            run.report(elapsed)
        }
        _ => {
            work(&run).await;
            let elapsed = run.elapsed();
            run.report(elapsed)
        }
    }
}

/// All clients, until they have nothing more to do or are cut off.
async fn work(run: &Run) {
    let mut clients = JoinSet::new();
    for index in 0..run.useful_clients() {
        clients.spawn(Worker::new(run.clone(), index).run());
    }
    run.join(clients).await;
}

/// What the clients of a run share.
#[derive(Clone)]
pub(super) struct Run {
    pub(super) plan: Arc<Plan>,
    pub(super) watch: Arc<Watch>,
    /// Drops what is in flight.
    pub(super) cut: CancellationToken,
    begin: Instant,
    next: Arc<AtomicU64>,
    report: Arc<Mutex<Report>>,
    /// Indices of the accounts that take part, all where absent.
    owners: Option<Arc<Vec<usize>>>,
}

/// The right to one operation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ticket {
    /// Its number, from 0.
    pub(super) number: u64,
    /// From when its latency counts.
    pub(super) begin: Instant,
}

impl Run {
    fn new(plan: &Arc<Plan>, watch: &Arc<Watch>) -> Self {
        Self {
            plan: Arc::clone(plan),
            watch: Arc::clone(watch),
            cut: watch.stopped.child_token(),
            begin: plan.clock.now(),
            next: Arc::default(),
            report: Arc::default(),
            owners: None,
        }
    }

    /// The preparations are over: time counts from here, and only these accounts take part.
    fn restart(&mut self, owners: Vec<usize>) {
        self.begin = self.plan.clock.now();
        self.owners = Some(Arc::new(owners));
    }

    /// Waits for the next operation's turn; nothing once the run is over.
    pub(super) async fn ticket(&self) -> Option<Ticket> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        if self.plan.bound.count().is_some_and(|count| number >= count) {
            return None;
        }
        self.turn(number, self.deadline()).await
    }

    /// The same for a given number, without regard to the count.
    pub(super) async fn turn(&self, number: u64, deadline: Option<Instant>) -> Option<Ticket> {
        let now = self.plan.clock.now();
        let due = match self.plan.rate {
            Some(rate) => self.begin + spread(number, rate),
            None => now,
        };
        if self.cut.is_cancelled() || deadline.is_some_and(|deadline| due.max(now) >= deadline) {
            return None;
        }
        if due <= now {
            // Late, because no client was free: that wait is what users would see.
            return Some(Ticket { number, begin: due });
        }
        tokio::select! {
            () = self.cut.cancelled() => None,
            // The timer's own lateness is ours, not the server's.
            () = sleep_until(due.into()) => Some(Ticket { number, begin: self.plan.clock.now() }),
        }
    }

    /// The account of an operation, or of a client: those that take part have their turns.
    pub(super) fn account(&self, number: u64) -> &Account {
        let pick = |length: usize| usize::try_from(number % length.max(1) as u64).unwrap_or(0);
        match self.owners.as_deref() {
            Some(owners) => self.account_at(owners.get(pick(owners.len())).copied().unwrap_or(0)),
            None => self.account_at(pick(self.plan.accounts.len())),
        }
    }

    /// The account of this index.
    pub(super) fn account_at(&self, index: usize) -> &Account {
        self.plan
            .accounts
            .get(index)
            .expect("a run has an account, and every index here is one of an account")
    }

    /// The local address of an operation.
    pub(super) fn from(&self, number: u64) -> Option<IpAddr> {
        let length = self.plan.from.len().max(1) as u64;
        let index = usize::try_from(number % length).ok()?;
        self.plan.from.get(index).copied()
    }

    pub(super) fn add(&self, operation: &'static str, outcome: Result<Done, Failure>) {
        let counter = if outcome.is_ok() {
            &self.watch.done
        } else {
            &self.watch.failed
        };
        counter.fetch_add(1, Ordering::Relaxed);
        self.tally().add(operation, outcome);
    }

    pub(super) fn add_unfinished(&self) {
        self.tally().unfinished += 1;
    }

    pub(super) fn tally(&self) -> MutexGuard<'_, Report> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for all clients; cuts them off one step time after the deadline.
    pub(super) async fn join(&self, mut clients: JoinSet<()>) {
        let end = self.deadline().map(|deadline| deadline + self.plan.step_time);
        let all = async { while clients.join_next().await.is_some() {} };
        tokio::pin!(all);
        if let Some(end) = end {
            tokio::select! {
                () = &mut all => return,
                () = sleep_until(end.into()) => self.cut.cancel(),
            }
        }
        all.await;
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.plan.clock.now().saturating_duration_since(self.begin)
    }

    pub(super) fn report(self, elapsed: Duration) -> Report {
        let mut report = std::mem::take(&mut *self.tally());
        report.elapsed = elapsed;
        report
    }

    fn deadline(&self) -> Option<Instant> {
        self.begin.checked_add(self.plan.bound.time()?)
    }

    /// More clients than operations would only wait.
    fn useful_clients(&self) -> usize {
        let count = self.plan.bound.count().and_then(|count| usize::try_from(count).ok());
        self.plan.clients.min(count.unwrap_or(usize::MAX))
    }
}

/// When the operation of this number is due after the begin.
fn spread(number: u64, rate: f64) -> Duration {
    #[expect(clippy::cast_precision_loss, reason = "2^52 operations are years")]
    let seconds = number as f64 / rate;
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_spreads_the_begins() {
        assert_eq!(spread(0, 300.0), Duration::ZERO);
        assert_eq!(spread(450, 300.0), Duration::from_millis(1500));
        assert_eq!(spread(1, 0.5), Duration::from_secs(2));
        assert!(spread(u64::MAX, 1e-300) > Duration::from_secs(u64::MAX / 8));
    }
}
