//! The morning after a restart: every device logs in at once and nothing in memory knows any of them.
//!
//! Each client goes on until it is in, as a mail program would: it waits a second after a refusal that is not final,
//! twice as long after the next, sixteen at most, half as much again by chance. Those that are in stay.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use futures_util::future::{join, try_join_all};
use postern::clock::Clock;
use postern::load::{Failure, Session, Target};
use postern::peer::Protocol;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::rejected::hash_runs;
use super::{Bench, Goal, Metric, Values, Work, at_most, number, settle};
use crate::generator::{self, From, log_in, source};
use crate::proxies::{Peer, Proxy};

/// Devices; with the sessions that stay, two files each in the proxy, fewer where the system allows fewer.
const DEVICES: usize = 10_000;
/// The first wait after a refusal, and the longest.
const WAIT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(16));
/// How often memory is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// All at once.
pub(crate) struct ColdStart;

const RATIO: Metric = Metric {
    key: "time_ratio",
    about: "time until all are in / (hash runs x time of one / lanes)",
    unit: "",
};
const TIME: Metric = Metric {
    key: "time_s",
    about: "time until all are in",
    unit: "s",
};
const HASH: Metric = Metric {
    key: "hash_ms",
    about: "one Argon2id run alone",
    unit: "ms",
};
const WRONG: Metric = Metric {
    key: "wrong_passwords",
    about: "devices that were told that their password is wrong",
    unit: "devices",
};
const LATER: Metric = Metric {
    key: "unavailable",
    about: "refusals that say: try later",
    unit: "times",
};
const CLOSED: Metric = Metric {
    key: "closed",
    about: "connections closed before the login",
    unit: "times",
};
const PEAK: Metric = Metric {
    key: "peak_mib",
    about: "peak memory",
    unit: "MiB",
};
const OVER: Metric = Metric {
    key: "peak_ratio",
    about: "peak memory / memory with all lanes used and all sessions open",
    unit: "",
};
/// A session before its login holds more than afterwards, and there are 2,000 of those at most.
const MAX_OVER: f64 = 1.25;

#[derive(Default)]
struct Refusals {
    wrong: Cell<usize>,
    later: Cell<usize>,
    closed: Cell<usize>,
}

#[async_trait(?Send)]
impl Work for ColdStart {
    fn name(&self) -> &'static str {
        "cold-start"
    }

    fn about(&self) -> &'static str {
        "10,000 devices log in at once, none of them in memory"
    }

    fn metrics(&self) -> &'static [Metric] {
        &[RATIO, TIME, HASH, WRONG, LATER, CLOSED, PEAK, OVER]
    }

    fn goals(&self) -> Vec<Goal> {
        vec![
            at_most(RATIO.key, 1.1),
            at_most(WRONG.key, 0.0),
            at_most(OVER.key, MAX_OVER),
        ]
    }

    fn peers(&self) -> &'static [Peer] {
        &[Peer::Postern]
    }

    fn is_quick(&self) -> bool {
        false
    }

    fn wants_fresh(&self) -> bool {
        true
    }

    /// It takes minutes and is thousands of logins already.
    fn max_rounds(&self) -> usize {
        1
    }

    async fn run(&self, bench: &Bench<'_>, proxy: &Proxy) -> anyhow::Result<Values> {
        let stage = bench.stage;
        let devices = bench.sessions(bench.scale.pick(DEVICES, 500, 4));
        let hash_before = stage.hash_time()?;
        let target = generator::target(proxy, Protocol::Imap, generator::tls(stage, false)?);
        let refusals = Refusals::default();
        let sessions = RefCell::new(Vec::with_capacity(devices));
        let runs_before = hash_runs(proxy)?.context("postern has metrics")?;
        let (done, over) = watch::channel(false);
        let all = async {
            let one = |number| persist(bench, &target, number, &refusals, &sessions);
            let ended = try_join_all((0..devices).map(one)).await;
            done.send_replace(true);
            ended
        };
        let clock = Clock::system();
        let begin = clock.now();
        let meter = bench.meter(proxy)?;
        let (ended, peak) = join(all, peak_kib(proxy, over)).await;
        ended?;
        let time = clock.now().duration_since(begin);
        meter.end().await?;
        let peak = peak?;
        let runs = hash_runs(proxy)?.context("postern has metrics")? - runs_before;
        let lanes = number(stage.proxy_cores());
        settle(proxy).await?;
        let end = proxy.pss_kib()?;
        drop(sessions.into_inner());
        settle(proxy).await?;
        // What a machine does that nobody disturbs.
        let hash = stage.hash_time()?.min(hash_before);
        Ok(vec![
            (RATIO.key, time.as_secs_f64() / (runs * hash.as_secs_f64() / lanes)),
            (TIME.key, time.as_secs_f64()),
            (HASH.key, hash.as_secs_f64() * 1000.0),
            (WRONG.key, number(refusals.wrong.get())),
            (LATER.key, number(refusals.later.get())),
            (CLOSED.key, number(refusals.closed.get())),
            (PEAK.key, peak / 1024.0),
            // At the end all lanes have worked and all sessions are open.
            (OVER.key, peak / end),
        ])
    }
}

/// Tries until it is in.
async fn persist(
    bench: &Bench<'_>,
    target: &Target,
    number: usize,
    refusals: &Refusals,
    sessions: &RefCell<Vec<Session>>,
) -> anyhow::Result<()> {
    let count = |cell: &Cell<usize>| cell.set(cell.get() + 1);
    let mut wait = WAIT.0;
    loop {
        // Ten devices of a family or an office share an address.
        let from = source(From::Users, number / 10);
        match log_in(target, bench.stage.account(number), from).await {
            Ok(session) => {
                sessions.borrow_mut().push(session);
                return Ok(());
            }
            Err(Failure::WrongPassword) => {
                count(&refusals.wrong);
                return Ok(());
            }
            Err(Failure::Unavailable(_)) => count(&refusals.later),
            Err(Failure::Closed | Failure::Connect(_)) => count(&refusals.closed),
            Err(failure) => return Err(failure.into()),
        }
        let mut chance = [0];
        getrandom::fill(&mut chance)?;
        let [chance] = chance;
        sleep(wait.mul_f64(0.75 + f64::from(chance) / 512.0)).await;
        wait = (wait * 2).min(WAIT.1);
    }
}

/// Looks at the memory until the channel says that it is over.
async fn peak_kib(proxy: &Proxy, mut over: watch::Receiver<bool>) -> anyhow::Result<f64> {
    let mut peak = proxy.pss_kib()?;
    while timeout(LOOK, over.changed()).await.is_err() {
        peak = peak.max(proxy.pss_kib()?);
    }
    Ok(peak.max(proxy.pss_kib()?))
}
