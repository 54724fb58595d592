//! Wrong passwords: what a connection costs the proxy whose login is refused.
//!
//! Every try has a password of its own in the form of Postern's, comes from its own network and names another mailbox,
//! so that nothing that slows down or counts repetitions takes part. Postern answers failures on a clock, a second or
//! more later; so many connections wait side by side.

use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use postern::load::{Account, Failure, Session};
use postern::peer::Protocol;

use super::{Bench, Goal, Metric, Values, Work, at_most, ms_each, number, of};
use crate::generator::{self, From, STEP_TIME, closed_loop, mechanism, source};
use crate::proxies::{Peer, Proxy};
use crate::stage::site;

/// Refused logins.
pub(crate) struct Rejected {
    name: &'static str,
    about: &'static str,
    username: fn(u32) -> String,
}

/// The mailbox exists.
pub(crate) const EXISTING: Rejected = Rejected {
    name: "rejected-existing",
    about: "IMAP logins with wrong passwords to mailboxes that exist",
    username: site::username,
};

/// It does not.
pub(crate) const MISSING: Rejected = Rejected {
    name: "rejected-missing",
    about: "IMAP logins to mailboxes that do not exist",
    username: site::stranger,
};

const CPU: Metric = Metric {
    key: "cpu_ms_per_rejection",
    about: "CPU per connection",
    unit: "ms",
};
const HASHED: Metric = Metric {
    key: "hash_share",
    about: "Argon2id runs / connections",
    unit: "",
};
/// Tags have 16 bits: of so many tries one in 65,536 may meet a tag by chance.
const BY_CHANCE: f64 = 0.002;

#[async_trait(?Send)]
impl Work for Rejected {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn metrics(&self) -> &'static [Metric] {
        &[CPU, HASHED]
    }

    fn goals(&self) -> Vec<Goal> {
        vec![
            of(Peer::NullRefusing, CPU.key, 1.15),
            of(Peer::Nginx, CPU.key, 0.40),
            at_most(HASHED.key, BY_CHANCE),
        ]
    }

    fn peers(&self) -> &'static [Peer] {
        &[Peer::NullRefusing, Peer::Nginx, Peer::Postern]
    }

    /// Who was refused before is remembered.
    fn wants_fresh(&self) -> bool {
        true
    }

    async fn run(&self, bench: &Bench<'_>, proxy: &Proxy) -> anyhow::Result<Values> {
        let stage = bench.stage;
        let target = generator::target(proxy, Protocol::Imap, generator::tls(stage, false)?);
        let one = |_, number: usize| {
            let target = &target;
            async move {
                let username = (self.username)(u32::try_from(number)?);
                let mut session = Session::open(target, Some(source(From::Attackers, number)), STEP_TIME).await?;
                expect_refusal(&mut session, &Account::made_up(&username)?).await?;
                // Servers may end the session with the refusal.
                let _ = session.logout().await;
                anyhow::Ok(Duration::ZERO)
            }
        };
        let count = bench.scale.pick(4000, 600, 4);
        let clients = bench.scale.pick(800, 300, 4);
        let warm = count / 20;
        closed_loop(clients, warm, one).await.context("warm-up")?;
        let hashed = hash_runs(proxy)?;
        let meter = bench.meter(proxy)?;
        closed_loop(clients, count, |client, number| one(client, warm + number))
            .await
            .context("wrong password")?;
        let used = meter.end().await?;
        let mut values = vec![(CPU.key, ms_each(used.cpu, count))];
        if let (Some(before), Some(after)) = (hashed, hash_runs(proxy)?) {
            values.push((HASHED.key, (after - before) / number(count)));
        }
        Ok(values)
    }
}

async fn expect_refusal(session: &mut Session, account: &Account) -> anyhow::Result<()> {
    match session.login(account, mechanism(Protocol::Imap)).await {
        Err(Failure::WrongPassword) => Ok(()),
        Err(failure) => Err(failure.into()),
        Ok(()) => anyhow::bail!("a wrong password was accepted"),
    }
}

/// Argon2id runs so far, of Postern.
pub(super) fn hash_runs(proxy: &Proxy) -> anyhow::Result<Option<f64>> {
    let daemon = proxy.daemon.as_ref();
    daemon
        .map(|daemon| daemon.metric("postern_hash_runs_total"))
        .transpose()
}
