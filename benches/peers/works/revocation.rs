//! Revoking one device while thousands of others have sessions: how soon its own sessions end, and whether any other
//! notices.
//!
//! What the command line does is done in this process, by the same functions: the change is written to the database
//! that the daemon has open, then the daemon is told through its control socket. Meanwhile sessions of other devices
//! make round trips, before and during.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use async_trait::async_trait;
use futures_util::future::{join, try_join, try_join_all};
use postern::audit::Actor;
use postern::clock::Clock;
use postern::directory::Directory;
use postern::keys::Keyring;
use postern::load::{Failure, Session, Target};
use postern::peer::Protocol;
use postern::store::ChangeStore as _;
use postern::store::Seq;
use postern::store::sqlite::{Config, SqliteStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::time::{sleep, timeout};

use super::idle::{SESSIONS_PER_DEVICE, open};
use super::{Bench, Goal, Metric, Values, Work, at_most, settle};
use crate::generator::{self, From, STEP_TIME, log_in, quantile_ms, source};
use crate::proxies::{Peer, Proxy};
use crate::stage::site::username;

/// Open sessions, those of the revoked devices included.
const SESSIONS: usize = 9500;
/// Devices that are revoked, one after the other.
const REVOCATIONS: usize = 200;
/// Sessions of each of them.
const SESSIONS_EACH: usize = 2;
/// Sessions that make round trips.
const PROBES: usize = 4;
/// Between two round trips of a session.
const PROBE_PAUSE: Duration = Duration::from_millis(1);
/// Between two revocations: the next one meets a daemon at rest.
const PAUSE: Duration = Duration::from_millis(20);

/// Two hundred of them.
pub(crate) struct Revocation;

const CLOSED: Metric = Metric {
    key: "closed_p99_ms",
    about: "p99 from the written change to the end of the device's last session",
    unit: "ms",
};
const CLOSED_P50: Metric = Metric {
    key: "closed_p50_ms",
    about: "p50 from the written change to the end of the device's last session",
    unit: "ms",
};
const WHOLE: Metric = Metric {
    key: "whole_p99_ms",
    about: "p99 from the command, with its write to disk",
    unit: "ms",
};
const QUIET: Metric = Metric {
    key: "quiet_probe_max_ms",
    about: "longest round trip of another session, before",
    unit: "ms",
};
const DURING: Metric = Metric {
    key: "probe_max_ms",
    about: "longest round trip of another session, during",
    unit: "ms",
};
const DELAY: Metric = Metric {
    key: "delay_ms",
    about: "longest round trip during - median before",
    unit: "ms",
};

#[async_trait(?Send)]
impl Work for Revocation {
    fn name(&self) -> &'static str {
        "revocation"
    }

    fn about(&self) -> &'static str {
        "200 devices are revoked, one after the other, with 9,500 sessions open"
    }

    fn metrics(&self) -> &'static [Metric] {
        &[CLOSED, CLOSED_P50, WHOLE, QUIET, DURING, DELAY]
    }

    fn goals(&self) -> Vec<Goal> {
        vec![at_most(CLOSED.key, 10.0), at_most(DELAY.key, 5.0)]
    }

    fn peers(&self) -> &'static [Peer] {
        &[Peer::Postern]
    }

    fn wants_fresh(&self) -> bool {
        true
    }

    async fn run(&self, bench: &Bench<'_>, proxy: &Proxy) -> anyhow::Result<Values> {
        let revocations = bench.scale.pick(REVOCATIONS, 50, 2);
        let all = bench.sessions(bench.scale.pick(SESSIONS, 1000, 20));
        let others = all.saturating_sub(revocations * SESSIONS_EACH + PROBES).max(1);
        let devices = others.div_ceil(SESSIONS_PER_DEVICE);
        let probers = devices..devices + PROBES;
        let victims = probers.end..probers.end + revocations;
        generator::warm_up(bench.stage, proxy, Protocol::Imap, victims.end).await?;
        let target = generator::target(proxy, Protocol::Imap, generator::tls(bench.stage, false)?);
        let resting = open(bench, &target, others).await.context("opening idle sessions")?;
        let mut probes = Vec::new();
        for number in probers {
            probes.push(log_in(&target, bench.stage.account(number), source(From::Users, number)).await?);
        }
        let mut doomed = Vec::new();
        for number in victims {
            doomed.push((number, idle_sessions(bench, &target, number).await?));
        }
        settle(proxy).await?;

        let meter = bench.meter(proxy)?;
        let (quiet, _) = probed(&mut probes, async {
            sleep(
                bench
                    .scale
                    .pick(Duration::from_secs(4), Duration::from_secs(1), Duration::ZERO),
            )
            .await;
            anyhow::Ok(())
        })
        .await?;
        let desk = Desk::open(proxy).await?;
        let (during, times) = probed(&mut probes, revoke_all(&desk, doomed)).await?;
        meter.end().await?;
        drop(resting);
        let (mut whole, mut closed): (Vec<Duration>, Vec<Duration>) = times.into_iter().unzip();
        whole.sort_unstable();
        closed.sort_unstable();
        Ok(vec![
            (CLOSED.key, quantile_ms(&closed, 0.99)?),
            (CLOSED_P50.key, quantile_ms(&closed, 0.5)?),
            (WHOLE.key, quantile_ms(&whole, 0.99)?),
            (QUIET.key, quantile_ms(&quiet, 1.0)?),
            (DURING.key, quantile_ms(&during, 1.0)?),
            (DELAY.key, quantile_ms(&during, 1.0)? - quantile_ms(&quiet, 0.5)?),
        ])
    }
}

async fn idle_sessions(bench: &Bench<'_>, target: &Target, number: usize) -> anyhow::Result<Vec<Session>> {
    let mut sessions = Vec::new();
    for _ in 0..SESSIONS_EACH {
        let mut session = log_in(target, bench.stage.account(number), source(From::Users, number)).await?;
        session.select("INBOX").await?;
        session.idle().await?;
        sessions.push(session);
    }
    Ok(sessions)
}

/// Does something while sessions make round trips; gives their times, sorted.
async fn probed<T>(
    probes: &mut [Session],
    something: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<(Vec<Duration>, T)> {
    let clock = Clock::system();
    let (times, over) = (RefCell::new(Vec::new()), Cell::new(false));
    let probe = async |session: &mut Session| {
        loop {
            let begin = clock.now();
            session.noop().await.context("a session that was not revoked")?;
            times.borrow_mut().push(clock.now().duration_since(begin));
            if over.get() {
                return anyhow::Ok(());
            }
            sleep(PROBE_PAUSE).await;
        }
    };
    let something = async {
        let done = something.await;
        over.set(true);
        done
    };
    let (probed, done) = join(try_join_all(probes.iter_mut().map(probe)), something).await;
    probed?;
    let mut times = times.into_inner();
    times.sort_unstable();
    Ok((times, done?))
}

/// Revokes one device after the other; how long each took from the command and from the written change on.
async fn revoke_all(desk: &Desk, doomed: Vec<(usize, Vec<Session>)>) -> anyhow::Result<Vec<(Duration, Duration)>> {
    let clock = Clock::system();
    let mut times = Vec::new();
    for (number, mut sessions) in doomed {
        let name = username(u32::try_from(number)?);
        let ends = try_join_all(sessions.iter_mut().map(|session| end_of(&clock, session)));
        let revoked = async {
            let begin = clock.now();
            let written = desk.revoke(&clock, &name).await?;
            anyhow::Ok((begin, written))
        };
        let ((begin, written), ends) = try_join(revoked, ends).await?;
        let last = ends.into_iter().max().context("the device had sessions")?;
        times.push((last.duration_since(begin), last.saturating_duration_since(written)));
        sleep(PAUSE).await;
    }
    Ok(times)
}

/// When the session heard that it is over.
async fn end_of(clock: &Clock, session: &mut Session) -> anyhow::Result<Instant> {
    match timeout(STEP_TIME, session.next_line()).await {
        Ok(Err(Failure::Unavailable(_) | Failure::Closed)) => Ok(clock.now()),
        Ok(Err(failure)) => Err(failure.into()),
        Ok(Ok(line)) => bail!("a revoked session heard `{line}`"),
        Err(_) => bail!("a session of a revoked device goes on"),
    }
}

/// Where revocations are made: what a command of `postern` opens.
struct Desk {
    store: Arc<SqliteStore>,
    directory: Directory,
    actor: Actor,
    socket: std::path::PathBuf,
}

impl Desk {
    async fn open(proxy: &Proxy) -> anyhow::Result<Self> {
        let data: &Path = &proxy.daemon.as_ref().context("only Postern revokes")?.data;
        let clock = Clock::system();
        let config = Config {
            path: data.join("postern.db"),
            readers: 1,
            busy_timeout: Duration::from_secs(5),
        };
        let store = SqliteStore::open(&config, clock.clone())?;
        let keys = Arc::new(Keyring::load(&data.join("server.key"))?);
        store.check_key_fingerprints(&keys.fingerprints()).await?;
        let params = postern::verify::Config::default().params();
        Ok(Self {
            directory: Directory::new(Arc::clone(&store) as Arc<_>, keys, clock, params),
            store,
            actor: Actor::cli("benchmark"),
            socket: data.join("control.sock"),
        })
    }

    /// Revokes a mailbox's device and tells the daemon; when it was written.
    async fn revoke(&self, clock: &Clock, mailbox: &str) -> anyhow::Result<Instant> {
        let before = self.store.latest_change().await?;
        let (last, devices) = self.directory.revoke_all(&self.actor, mailbox).await?;
        let written = clock.now();
        anyhow::ensure!(devices.len() == 1, "{mailbox} had {} devices", devices.len());
        self.apply(before, last).await.context("the control socket")?;
        Ok(written)
    }

    /// What the command line asks the daemon for: to apply the changes after one up to another.
    async fn apply(&self, after: Seq, last: Seq) -> anyhow::Result<()> {
        let mut stream = UnixStream::connect(&self.socket).await?;
        let request = format!(
            "POST /v1/changes/{}/applied?after={} HTTP/1.1\r\nhost: postern\r\nx-postern-actor: benchmark\r\n\
             connection: close\r\n\r\n",
            last.0, after.0
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        anyhow::ensure!(answer.starts_with("HTTP/1.1 200"), "the daemon answered {answer}");
        Ok(())
    }
}
