//! Idle sessions: what each holds in memory, what all of them cost while nothing happens and when something does, and
//! whether their memory is given back.

use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use futures_util::future::try_join_all;
use postern::clock::Clock;
use postern::load::{Failure, Session, Target};
use postern::peer::Protocol;
use tokio::time::timeout;

use super::{Bench, Bound, Goal, Metric, Values, Work, at_most, ms_each, number, of, settle};
use crate::generator::{self, From, STEP_TIME, closed_loop, log_in, source};
use crate::options::Scale;
use crate::proxies::{Peer, Proxy};

/// Sessions of one device; Postern's default allows 20.
pub(super) const SESSIONS_PER_DEVICE: usize = 19;
/// Clients that open and close sessions side by side.
const OPENERS: usize = 64;
/// How long memory may take to be given back: allocators wait before they do.
const GIVE_BACK_TIME: Duration = Duration::from_secs(20);
/// The same for those of whom nothing is expected.
const LOOK_TIME: Duration = Duration::from_secs(3);
/// What may be kept of it.
const KEPT: f64 = 0.10;

/// So many sessions in IDLE.
pub(crate) struct Idle {
    name: &'static str,
    about: &'static str,
    sessions: usize,
    is_quick: bool,
    peers: &'static [Peer],
}

const PEERS: &[Peer] = &[
    Peer::Null,
    Peer::Splice,
    Peer::Haproxy,
    Peer::Nginx,
    Peer::Dovecot,
    Peer::Postern,
    Peer::PosternTls,
];

/// As many as a small provider has.
pub(crate) const FEW: Idle = Idle {
    name: "idle-2000",
    about: "2,000 sessions in IMAP IDLE",
    sessions: 2000,
    is_quick: true,
    peers: PEERS,
};

/// As many as 20,000 open files allow.
pub(crate) const MANY: Idle = Idle {
    name: "idle-9500",
    about: "9,500 sessions in IMAP IDLE",
    sessions: 9500,
    is_quick: false,
    // Those that goals are about, and the floor: it takes long.
    peers: &[Peer::Splice, Peer::Nginx, Peer::Postern, Peer::PosternTls],
};

const MEMORY: Metric = Metric {
    key: "kib_per_session",
    about: "memory per session",
    unit: "KiB",
};
const CPU: Metric = Metric {
    key: "idle_cpu_ms_per_s",
    about: "CPU while idle, all sessions",
    unit: "ms/s",
};
const WAKE: Metric = Metric {
    key: "wake_up_us",
    about: "CPU per session to be woken by one line",
    unit: "us",
};
const KEPT_SHARE: Metric = Metric {
    key: "kept_share",
    about: "memory kept after all have closed / memory of the sessions",
    unit: "",
};

#[async_trait(?Send)]
impl Work for Idle {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn metrics(&self) -> &'static [Metric] {
        &[MEMORY, CPU, WAKE, KEPT_SHARE]
    }

    fn goals(&self) -> Vec<Goal> {
        vec![
            at_most(MEMORY.key, 12.0),
            of(Peer::Nginx, MEMORY.key, 0.50),
            Goal {
                subject: Peer::PosternTls,
                metric: MEMORY.key,
                bound: Bound::AtMost(18.0),
            },
            at_most(CPU.key, 5.0),
            of(Peer::Nginx, WAKE.key, 0.90),
            at_most(KEPT_SHARE.key, KEPT),
        ]
    }

    fn peers(&self) -> &'static [Peer] {
        self.peers
    }

    fn is_quick(&self) -> bool {
        self.is_quick
    }

    fn wants_fresh(&self) -> bool {
        true
    }

    async fn run(&self, bench: &Bench<'_>, proxy: &Proxy) -> anyhow::Result<Values> {
        let stage = bench.stage;
        let wanted = bench.scale.pick(self.sessions, self.sessions.min(1000), 20);
        let count = bench.sessions(wanted);
        let target = generator::target(proxy, Protocol::Imap, generator::tls(stage, false)?);
        generator::warm_up(stage, proxy, Protocol::Imap, count.div_ceil(SESSIONS_PER_DEVICE)).await?;
        settle(proxy).await?;
        let before = proxy.pss_kib()?;

        let mut sessions = open(bench, &target, count).await.context("opening idle sessions")?;
        settle(proxy).await?;
        let idling = stage.counts()?.idling;
        if proxy.peer != Peer::Null {
            anyhow::ensure!(idling == count as u64, "{idling} of {count} sessions idle at the store");
        }
        let full = proxy.pss_kib()?;

        let meter = bench.meter(proxy)?;
        tokio::time::sleep(
            bench
                .scale
                .pick(Duration::from_secs(5), Duration::from_secs(2), Duration::ZERO),
        )
        .await;
        let idle = meter.end_idle()?;
        let wake_ups = wake(bench, proxy, &mut sessions)
            .await
            .context("waking idle sessions")?;
        close(sessions).await.context("closing idle sessions")?;

        let mut values = vec![
            (MEMORY.key, (full - before) / number(count)),
            (
                CPU.key,
                idle.cpu.as_secs_f64() * 1000.0 / idle.elapsed.as_secs_f64().max(f64::EPSILON),
            ),
        ];
        values.extend(wake_ups.map(|wake_up| (WAKE.key, wake_up)));
        // Allocators give back when some ten seconds have gone by, which a quick look does not wait for.
        if bench.scale != Scale::Quick {
            values.push((KEPT_SHARE.key, kept(bench, proxy, before, full).await?));
        }
        Ok(values)
    }
}

/// Opens so many sessions in IDLE, of the first mailboxes.
pub(super) async fn open(bench: &Bench<'_>, target: &Target, count: usize) -> anyhow::Result<Vec<Session>> {
    let sessions = std::cell::RefCell::new(Vec::with_capacity(count));
    let one = |_, number: usize| {
        let sessions = &sessions;
        async move {
            let account = bench.stage.account(number / SESSIONS_PER_DEVICE);
            let mut session = log_in(target, account, source(From::Users, number)).await?;
            session.select("INBOX").await?;
            session.idle().await?;
            sessions.borrow_mut().push(session);
            anyhow::Ok(Duration::ZERO)
        }
    };
    closed_loop(OPENERS, count, one).await?;
    Ok(sessions.into_inner())
}

/// CPU of one wake-up in microseconds; nothing for a proxy that has no store behind it.
async fn wake(bench: &Bench<'_>, proxy: &Proxy, sessions: &mut [Session]) -> anyhow::Result<Option<f64>> {
    if proxy.peer == Peer::Null {
        return Ok(None);
    }
    let times = bench.scale.pick(5, 3, 1);
    let count = sessions.len();
    let meter = bench.meter(proxy)?;
    for _ in 0..times {
        bench.stage.wake()?;
        try_join_all(sessions.iter_mut().map(async |session| {
            let line = timeout(STEP_TIME, session.next_line()).await;
            let line = line.unwrap_or(Err(Failure::Timeout("the untagged line")))?;
            anyhow::ensure!(line == "* 2 EXISTS", "a wake-up brought `{line}`");
            Ok(())
        }))
        .await?;
    }
    let used = meter.end().await?;
    Ok(Some(ms_each(used.cpu, times * count) * 1000.0))
}

async fn close(sessions: Vec<Session>) -> anyhow::Result<()> {
    let sessions: Vec<_> = sessions
        .into_iter()
        .map(|session| std::cell::Cell::new(Some(session)))
        .collect();
    let one = |_, number: usize| {
        let session = sessions.get(number).and_then(std::cell::Cell::take);
        async move {
            let mut session = session.context("each session is closed once")?;
            session.done().await?;
            session.logout().await?;
            anyhow::Ok(Duration::ZERO)
        }
    };
    closed_loop(OPENERS, sessions.len(), one).await.map(drop)
}

/// Which part of what the sessions took is still taken, once it is little or the time is over.
async fn kept(bench: &Bench<'_>, proxy: &Proxy, before: f64, full: f64) -> anyhow::Result<f64> {
    let clock = Clock::system();
    let begin = clock.now();
    let patience = match proxy.peer {
        _ if bench.scale == Scale::Smallest => Duration::ZERO,
        Peer::Postern | Peer::PosternTls => GIVE_BACK_TIME,
        _ => LOOK_TIME,
    };
    loop {
        settle(proxy).await?;
        let kept = (proxy.pss_kib()? - before) / (full - before).max(1.0);
        if kept <= KEPT || clock.now().duration_since(begin) >= patience {
            return Ok(kept.max(0.0));
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
