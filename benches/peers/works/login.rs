//! Logins: connect, TLS, log in, log out; what each costs the proxy.

use std::cell::Cell;

use anyhow::Context as _;
use async_trait::async_trait;
use futures_util::future::try_join_all;
use postern::load::Target;
use postern::peer::Protocol;

use super::{Bench, Goal, Metric, Values, Work, ms_each, number, of};
use crate::generator::{self, From, closed_loop, log_in, quantile_ms, source, timed};
use crate::proxies::{Peer, Proxy};

/// Mailboxes that log in by turns; all of them are known to the proxy before.
const MAILBOXES: usize = 100;

/// Logins in a closed loop.
pub(crate) struct Logins {
    name: &'static str,
    about: &'static str,
    protocol: Protocol,
    /// Whether clients resume their TLS sessions.
    resume: bool,
    goals: &'static [Goal],
    peers: &'static [Peer],
}

/// IMAP with a full handshake.
pub(crate) const IMAP: Logins = Logins {
    name: "login-imap",
    about: "IMAP login and logout, full TLS handshake, known devices",
    protocol: Protocol::Imap,
    resume: false,
    goals: &[
        of(Peer::Nginx, CPU.key, 0.50),
        of(Peer::Splice, CPU.key, 1.2),
        of(Peer::DovecotArgon2, CPU.key, 1.0 / 200.0),
    ],
    peers: &[
        Peer::Null,
        Peer::Splice,
        Peer::Haproxy,
        Peer::Nginx,
        Peer::Dovecot,
        Peer::DovecotArgon2,
        Peer::Postern,
    ],
};

/// IMAP with resumed TLS sessions.
pub(crate) const RESUMED: Logins = Logins {
    name: "login-resumed",
    about: "IMAP login and logout, TLS session resumed, known devices",
    protocol: Protocol::Imap,
    resume: true,
    goals: &[of(Peer::Nginx, CPU.key, 0.50)],
    peers: &[
        Peer::Null,
        Peer::Splice,
        Peer::Haproxy,
        Peer::Nginx,
        Peer::Dovecot,
        Peer::Postern,
    ],
};

/// SMTP with a full handshake.
pub(crate) const SMTP: Logins = Logins {
    name: "login-smtp",
    about: "SMTP AUTH PLAIN and QUIT, full TLS handshake, known devices",
    protocol: Protocol::Smtp,
    resume: false,
    goals: &[of(Peer::Nginx, CPU.key, 0.45)],
    peers: RESUMED.peers,
};

const CPU: Metric = Metric {
    key: "cpu_ms_per_login",
    about: "CPU per login",
    unit: "ms",
};

const LATENCY: Metric = Metric {
    key: "p50_ms",
    about: "p50 of the logins, all clients at work",
    unit: "ms",
};

const RESUMED_SHARE: Metric = Metric {
    key: "resumed_share",
    about: "resumed / all logins",
    unit: "",
};

#[async_trait(?Send)]
impl Work for Logins {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn metrics(&self) -> &'static [Metric] {
        if self.resume {
            &[CPU, LATENCY, RESUMED_SHARE]
        } else {
            &[CPU, LATENCY]
        }
    }

    fn goals(&self) -> Vec<Goal> {
        self.goals.to_vec()
    }

    fn peers(&self) -> &'static [Peer] {
        self.peers
    }

    async fn run(&self, bench: &Bench<'_>, proxy: &Proxy) -> anyhow::Result<Values> {
        let stage = bench.stage;
        let mailboxes = bench.scale.pick(MAILBOXES, 40, 2);
        let count = if proxy.peer.hashes_each_login() {
            bench.scale.pick(24, 8, 2)
        } else {
            bench.scale.pick(4000, 600, 4)
        };
        let clients = bench.scale.pick(32, 32, 2);
        generator::warm_up(stage, proxy, self.protocol, mailboxes).await?;
        let tls = generator::tls(stage, false)?;
        // Each client has tickets of its own, and gets the first one before.
        let targets: Vec<Target> = (0..clients)
            .map(|_| generator::target(proxy, self.protocol, tls.separate(self.resume)))
            .collect();
        let resumed = Cell::new(0);
        let one = |client: usize, number: usize| {
            let (target, resumed) = (targets.get(client), &resumed);
            async move {
                let target = target.context("each client has a target")?;
                let (account, from) = (stage.account(number % mailboxes), source(From::Users, number));
                let (session, time) = timed(log_in(target, account, from)).await?;
                resumed.set(resumed.get() + usize::from(session.resumed()));
                session.logout().await?;
                anyhow::Ok(time)
            }
        };
        if self.resume {
            try_join_all((0..clients).map(|client| one(client, client)))
                .await
                .context("first login")?;
            resumed.set(0);
        }
        let meter = bench.meter(proxy)?;
        let times = closed_loop(clients, count, one).await.context("login")?;
        let used = meter.end().await?;
        let mut values = vec![
            (CPU.key, ms_each(used.cpu, count)),
            (LATENCY.key, quantile_ms(&times, 0.5)?),
        ];
        if self.resume {
            values.push((RESUMED_SHARE.key, number(resumed.get()) / number(count)));
        }
        Ok(values)
    }
}
