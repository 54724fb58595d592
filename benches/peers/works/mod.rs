//! The works: what is measured, of whom, and what Postern is to reach.
//!
//! A work runs on one started proxy at a time and gives its metrics. It must notice when something did not happen: wrong
//! octets, a login that should not have been, sessions that were not there. How often it runs, and on whom next, is
//! `rounds`'.

mod big_store;
mod cold_start;
mod flood;
mod idle;
mod latency;
mod login;
mod manager_lists;
mod rejected;
mod revocation;
mod transfer;

use std::cell::Cell;
use std::time::Duration;

use async_trait::async_trait;
use postern::clock::Clock;

use crate::measure::machine::{Disturbance, Moment};
use crate::options::Scale;
use crate::proxies::{Peer, Proxy};
use crate::stage::Stage;

/// All works, in the order of the report.
pub(crate) const ALL: &[&dyn Work] = &[
    &login::IMAP,
    &login::RESUMED,
    &login::SMTP,
    &latency::Latency,
    &idle::FEW,
    &idle::MANY,
    &transfer::FETCH,
    &transfer::DATA,
    &rejected::EXISTING,
    &rejected::MISSING,
    &flood::RATE,
    &flood::LOOP,
    &flood::COLD,
    &cold_start::ColdStart,
    &big_store::BigStore,
    &revocation::Revocation,
    &manager_lists::ManagerLists,
];

/// One kind of number that a work gives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Metric {
    /// Its name in JSON and in goals.
    pub(crate) key: &'static str,
    /// What it is, for people.
    pub(crate) about: &'static str,
    /// Its unit.
    pub(crate) unit: &'static str,
}

/// Something to reach.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Goal {
    /// Who is to reach it.
    pub(crate) subject: Peer,
    /// Which number.
    pub(crate) metric: &'static str,
    /// How much of it.
    pub(crate) bound: Bound,
}

/// How much.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bound {
    /// At most this.
    AtMost(f64),
    /// At most this part of another's.
    Of(Peer, f64),
}

/// The common case: Postern's number, as a part of another's.
pub(crate) const fn of(peer: Peer, metric: &'static str, at_most: f64) -> Goal {
    Goal {
        subject: Peer::Postern,
        metric,
        bound: Bound::Of(peer, at_most),
    }
}

/// Postern's number itself.
pub(crate) const fn at_most(metric: &'static str, at_most: f64) -> Goal {
    Goal {
        subject: Peer::Postern,
        metric,
        bound: Bound::AtMost(at_most),
    }
}

/// What one run of a work gives: values by the metric's key.
pub(crate) type Values = Vec<(&'static str, f64)>;

/// One work.
#[async_trait(?Send)]
pub(crate) trait Work: Sync {
    /// Its name on the command line.
    fn name(&self) -> &'static str;
    /// What it is, in a line.
    fn about(&self) -> &'static str;
    /// Its numbers.
    fn metrics(&self) -> &'static [Metric];
    /// What is to be reached.
    fn goals(&self) -> Vec<Goal>;
    /// Who does it.
    fn peers(&self) -> &'static [Peer];
    /// Whether it belongs to the quick look.
    fn is_quick(&self) -> bool {
        true
    }
    /// Whether each run needs a proxy that was just started.
    fn wants_fresh(&self) -> bool {
        false
    }
    /// Rounds at most, for works that take long or repeat themselves.
    fn max_rounds(&self) -> usize {
        usize::MAX
    }
    /// Runs it once.
    async fn run(&self, bench: &Bench<'_>, proxy: &Proxy) -> anyhow::Result<Values>;
}

/// What a work runs in.
pub(crate) struct Bench<'a> {
    /// Everything around the proxies.
    pub(crate) stage: &'a Stage,
    /// How large.
    pub(crate) scale: Scale,
    disturbance: Cell<Disturbance>,
}

/// A measurement under way.
pub(crate) struct Meter<'a> {
    bench: &'a Bench<'a>,
    proxy: &'a Proxy,
    begin: Moment,
    cpu: Duration,
}

/// What a measurement gave.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Used {
    /// CPU time of the proxy.
    pub(crate) cpu: Duration,
    /// How long it took.
    pub(crate) elapsed: Duration,
}

impl<'a> Bench<'a> {
    /// A bench on which nothing was disturbed yet.
    pub(crate) fn new(stage: &'a Stage, scale: Scale) -> Self {
        Self {
            stage,
            scale,
            disturbance: Cell::default(),
        }
    }

    /// Begins to measure.
    pub(crate) fn meter(&'a self, proxy: &'a Proxy) -> anyhow::Result<Meter<'a>> {
        let begin = Moment::now()?;
        Ok(Meter {
            bench: self,
            proxy,
            begin,
            cpu: proxy.cpu()?,
        })
    }

    /// The worst disturbance of all measurements so far.
    pub(crate) fn disturbance(&self) -> Disturbance {
        self.disturbance.get()
    }

    /// Fewer sessions, where the system gives a process fewer files than they need on the side that needs most.
    pub(crate) fn sessions(&self, wanted: usize) -> usize {
        /// Log, database, listeners, warm connections.
        const OTHER_FILES: u64 = 500;
        let room = self.stage.files.saturating_sub(OTHER_FILES) / 2;
        wanted.min(usize::try_from(room).unwrap_or(usize::MAX))
    }
}

impl Meter<'_> {
    /// Ends the measurement once the proxy has come to rest: what an operation leaves to do belongs to it.
    pub(crate) async fn end(self) -> anyhow::Result<Used> {
        let elapsed = self.elapsed();
        settle(self.proxy).await?;
        self.end_now(elapsed)
    }

    /// Ends the measurement of a time in which nothing is asked of the proxy.
    pub(crate) fn end_idle(self) -> anyhow::Result<Used> {
        let elapsed = self.elapsed();
        self.end_now(elapsed)
    }

    fn elapsed(&self) -> Duration {
        self.begin.until(Clock::system().now())
    }

    fn end_now(self, elapsed: Duration) -> anyhow::Result<Used> {
        let cpu = self.proxy.cpu()?.saturating_sub(self.cpu);
        let disturbance = Moment::now()?.since(&self.begin);
        let worst = self.bench.disturbance.get();
        if disturbance.sum() > worst.sum() {
            self.bench.disturbance.set(disturbance);
        }
        Ok(Used { cpu, elapsed })
    }
}

/// Waits until the proxy's CPU time stands still, or nearly so.
pub(crate) async fn settle(proxy: &Proxy) -> anyhow::Result<()> {
    const PAUSE: Duration = Duration::from_millis(20);
    const STILL: Duration = Duration::from_micros(200);
    const LOOKS: usize = 100;
    let mut before = proxy.cpu()?;
    for _ in 0..LOOKS {
        tokio::time::sleep(PAUSE).await;
        let now = proxy.cpu()?;
        if now.saturating_sub(before) < STILL {
            return Ok(());
        }
        before = now;
    }
    Ok(())
}

/// A count as a number to divide by.
#[expect(clippy::cast_precision_loss, reason = "counts of operations are far below 2^52")]
pub(crate) const fn number(count: usize) -> f64 {
    count as f64
}

/// Milliseconds of something for each of `count`.
pub(crate) fn ms_each(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1000.0 / number(count.max(1))
}
