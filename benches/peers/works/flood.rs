//! Good logins while strangers guess passwords: that whoever has the right one does not wait for those who have not.

use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use postern::peer::Protocol;

use super::{Bench, Goal, Metric, Values, Work, at_most, of};
use crate::generator::{self, From, closed_loop, log_in, quantile_ms, source, timed};
use crate::helpers::Settings;
use crate::helpers::attackers::{Attack, Tries, Victims};
use crate::options::Scale;
use crate::proxies::{Peer, Proxy};
use crate::stage::Stage;
use crate::stage::helper::Helper;

/// Mailboxes whose devices are known, and which log in by turns.
const KNOWN: usize = 40;
/// The longest that a refusal waits: from then on as many end as begin.
const STEADY: Duration = Duration::from_secs(6);

/// A kind of attack, and who logs in meanwhile.
pub(crate) struct Flood {
    name: &'static str,
    about: &'static str,
    kind: Kind,
    peers: &'static [Peer],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// So many tries a second, whatever becomes of them.
    Rate,
    /// Attackers that try again as soon as they are refused.
    Loop,
    /// The same against imported passwords, which keep the hash lanes busy; the good logins are cold.
    Cold,
}

/// A rate that any provider sees.
pub(crate) const RATE: Flood = Flood {
    name: "flood-rate",
    about: "known devices log in during 300 wrong passwords a second from other networks",
    kind: Kind::Rate,
    peers: &[Peer::Postern],
};

/// As much as 64 connections can.
pub(crate) const LOOP: Flood = Flood {
    name: "flood-loop",
    about: "known devices log in while 64 attackers guess in a closed loop",
    kind: Kind::Loop,
    peers: &[Peer::Nginx, Peer::Postern],
};

/// When each try costs a hash run.
pub(crate) const COLD: Flood = Flood {
    name: "flood-cold",
    about: "devices without an entry in memory log in while 64 attackers guess imported passwords in a closed loop",
    kind: Kind::Cold,
    peers: &[Peer::Postern],
};

const QUIET: Metric = Metric {
    key: "quiet_p99_ms",
    about: "p99 of the logins before the attack",
    unit: "ms",
};
const DURING: Metric = Metric {
    key: "p99_ms",
    about: "p99 of the logins during the attack",
    unit: "ms",
};
const SLOWER: Metric = Metric {
    key: "slower",
    about: "p99 during / p99 before",
    unit: "",
};
const TRIES: Metric = Metric {
    key: "tries_per_s",
    about: "wrong passwords that were refused",
    unit: "/s",
};
const LONGEST: Metric = Metric {
    key: "longest_ms",
    about: "longest login",
    unit: "ms",
};

#[async_trait(?Send)]
impl Work for Flood {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn metrics(&self) -> &'static [Metric] {
        match self.kind {
            Kind::Cold => &[LONGEST, TRIES],
            Kind::Loop | Kind::Rate => &[QUIET, DURING, SLOWER, TRIES],
        }
    }

    fn goals(&self) -> Vec<Goal> {
        vec![match self.kind {
            Kind::Rate => at_most(SLOWER.key, 1.5),
            Kind::Loop => of(Peer::Nginx, DURING.key, 0.30),
            Kind::Cold => at_most(LONGEST.key, 2000.0),
        }]
    }

    fn peers(&self) -> &'static [Peer] {
        self.peers
    }

    /// Who guessed before is remembered, and who logged in is no longer cold.
    fn wants_fresh(&self) -> bool {
        true
    }

    async fn run(&self, bench: &Bench<'_>, proxy: &Proxy) -> anyhow::Result<Values> {
        match self.kind {
            Kind::Cold => self.cold(bench, proxy).await,
            Kind::Loop | Kind::Rate => self.known(bench, proxy).await,
        }
    }
}

impl Flood {
    async fn known(&self, bench: &Bench<'_>, proxy: &Proxy) -> anyhow::Result<Values> {
        let known = bench.scale.pick(KNOWN, 10, 2);
        generator::warm_up(bench.stage, proxy, Protocol::Imap, known).await?;
        // A peer that takes a tenth of a second for each gives enough of them in the time.
        let count = match proxy.peer {
            Peer::Postern => bench.scale.pick(3000, 500, 4),
            _ => bench.scale.pick(200, 50, 4),
        };
        let meter = bench.meter(proxy)?;
        let quiet = quantile_ms(&logins(bench, proxy, known, count, From::Users).await?, 0.99)?;
        meter.end().await?;

        let attackers = Attackers::start(bench, proxy, self.kind)?;
        tokio::time::sleep(bench.scale.pick(STEADY, STEADY / 2, Duration::ZERO)).await;
        let meter = bench.meter(proxy)?;
        let before = attackers.tries()?;
        let during = quantile_ms(&logins(bench, proxy, known, count, From::Users).await?, 0.99)?;
        let after = attackers.tries()?;
        let used = meter.end_idle()?;
        expect_refusals(after)?;
        Ok(vec![
            (QUIET.key, quiet),
            (DURING.key, during),
            (SLOWER.key, during / quiet),
            (TRIES.key, rate(before, after, used.elapsed)),
        ])
    }

    async fn cold(&self, bench: &Bench<'_>, proxy: &Proxy) -> anyhow::Result<Values> {
        let attackers = Attackers::start(bench, proxy, self.kind)?;
        tokio::time::sleep(bench.scale.pick(STEADY, STEADY / 2, Duration::ZERO)).await;
        let meter = bench.meter(proxy)?;
        let before = attackers.tries()?;
        let count = bench.scale.pick(50, 10, 2);
        // Each is another mailbox: cold.
        let times = logins(bench, proxy, count, count, From::Users).await?;
        let after = attackers.tries()?;
        let used = meter.end_idle()?;
        // Who keeps the lanes busy is told to try later, too.
        let begun = after.refused + after.failed > 0 || bench.scale == Scale::Smallest;
        anyhow::ensure!(begun, "the attackers did nothing");
        Ok(vec![
            (LONGEST.key, quantile_ms(&times, 1.0)?),
            (TRIES.key, rate(before, after, used.elapsed)),
        ])
    }
}

/// One client, one login and logout after the other; the sorted times of the logins.
async fn logins(
    bench: &Bench<'_>,
    proxy: &Proxy,
    mailboxes: usize,
    count: usize,
    from: From,
) -> anyhow::Result<Vec<Duration>> {
    let target = generator::target(proxy, Protocol::Imap, generator::tls(bench.stage, false)?);
    let one = |_, number: usize| {
        let target = &target;
        async move {
            let account = bench.stage.account(number % mailboxes);
            let (session, time) = timed(log_in(target, account, source(from, number))).await?;
            session.logout().await?;
            anyhow::Ok(time)
        }
    };
    closed_loop(1, count, one)
        .await
        .context("a login with the right password")
}

/// Attackers at work; ended when dropped.
struct Attackers(Helper);

impl Attackers {
    fn start(bench: &Bench<'_>, proxy: &Proxy, kind: Kind) -> anyhow::Result<Self> {
        let stage: &Stage = bench.stage;
        let networks = bench.scale.pick(5000, 5000, 10);
        let names = stage.site().mailboxes;
        let attack = Attack {
            port: proxy.imap,
            authority: stage.certificates.authority.clone(),
            victims: if kind == Kind::Cold {
                Victims::Imported
            } else {
                Victims::Some
            },
            names: if kind == Kind::Cold { stage.imported } else { names },
            networks,
            clients: match kind {
                Kind::Rate => 1900,
                Kind::Loop | Kind::Cold => bench.scale.pick(64, 64, 2),
            },
            rate: (kind == Kind::Rate).then(|| bench.scale.pick(300.0, 300.0, 4.0)),
        };
        let settings = Settings {
            attack: Some(attack),
            ..stage.helper_settings()
        };
        // They are part of the world, not of the measuring: the clients that are measured go first on their processor.
        Ok(Self(Helper::start_behind("attackers", &settings)?))
    }

    fn tries(&self) -> anyhow::Result<Tries> {
        self.0.ask("tries")
    }
}

/// Nobody may have been let in, and few may have got no answer.
fn expect_refusals(tries: Tries) -> anyhow::Result<()> {
    let Tries { refused, failed } = tries;
    anyhow::ensure!(
        failed <= refused / 50,
        "{failed} of the wrong passwords were not answered as such, {refused} were"
    );
    Ok(())
}

fn rate(before: Tries, after: Tries, elapsed: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let refused = after.refused.saturating_sub(before.refused) as f64;
    refused / elapsed.as_secs_f64().max(f64::EPSILON)
}
