//! Large messages: what a megabyte costs the proxy on its way to the client (FETCH) and to the store (DATA).

use anyhow::Context as _;
use async_trait::async_trait;
use postern::load::{Expected, Session};
use postern::peer::Protocol;

use super::{Bench, Goal, Metric, Values, Work, of};
use crate::generator::{self, From, expect_messages, log_in, source};
use crate::proxies::{Peer, Proxy};

/// Octets of a megabyte, here as in the goals.
const MEGABYTE: u64 = 1_000_000;

/// One direction.
pub(crate) struct Transfer {
    name: &'static str,
    about: &'static str,
    protocol: Protocol,
    goals: &'static [Goal],
    peers: &'static [Peer],
}

/// To the client.
pub(crate) const FETCH: Transfer = Transfer {
    name: "fetch",
    about: "IMAP FETCH of large messages in one session",
    protocol: Protocol::Imap,
    goals: &[
        of(Peer::Nginx, CPU.key, 0.50),
        of(Peer::Haproxy, CPU.key, 0.70),
        of(Peer::Splice, CPU.key, 1.05),
    ],
    peers: &[Peer::Splice, Peer::Haproxy, Peer::Nginx, Peer::Dovecot, Peer::Postern],
};

/// To the store.
pub(crate) const DATA: Transfer = Transfer {
    name: "data",
    about: "SMTP DATA of large messages in one session, Postern with command guard and sender check",
    protocol: Protocol::Smtp,
    goals: &[of(Peer::Nginx, CPU.key, 0.70), of(Peer::Haproxy, CPU.key, 0.75)],
    peers: FETCH.peers,
};

const CPU: Metric = Metric {
    key: "cpu_ms_per_mb",
    about: "CPU per MB",
    unit: "ms",
};

const RATE: Metric = Metric {
    key: "mb_per_s",
    about: "throughput",
    unit: "MB/s",
};

#[async_trait(?Send)]
impl Work for Transfer {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn metrics(&self) -> &'static [Metric] {
        &[CPU, RATE]
    }

    fn goals(&self) -> Vec<Goal> {
        self.goals.to_vec()
    }

    fn peers(&self) -> &'static [Peer] {
        self.peers
    }

    async fn run(&self, bench: &Bench<'_>, proxy: &Proxy) -> anyhow::Result<Values> {
        let stage = bench.stage;
        let message = Expected::new(bench.scale.pick(64, 32, 1) * MEGABYTE);
        let times = bench.scale.pick(12, 4, 1);
        let target = generator::target(proxy, self.protocol, generator::tls(stage, false)?);
        let account = stage.account(0);
        let mut session = log_in(&target, account, source(From::Users, 0)).await?;
        if self.protocol == Protocol::Imap {
            session.select("INBOX").await?;
        }
        // The first message makes buffers and windows as large as they become.
        self.move_one(&mut session, &account.username, message).await?;
        let before = stage.counts()?;
        let meter = bench.meter(proxy)?;
        for _ in 0..times {
            self.move_one(&mut session, &account.username, message).await?;
        }
        let used = meter.end().await?;
        let after = stage.counts()?;
        session.logout().await?;
        if self.protocol == Protocol::Smtp {
            expect_messages(after.messages - before.messages, after.wrong - before.wrong, times)?;
        }
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let megabytes = (message.octets() * times) as f64 / MEGABYTE as f64;
        Ok(vec![
            (CPU.key, used.cpu.as_secs_f64() * 1000.0 / megabytes),
            (RATE.key, megabytes / used.elapsed.as_secs_f64()),
        ])
    }
}

impl Transfer {
    async fn move_one(&self, session: &mut Session, sender: &str, message: Expected) -> anyhow::Result<()> {
        let moved = match self.protocol {
            // At this store a message's number is its size.
            Protocol::Imap => session.fetch_whole(u32::try_from(message.octets())?, &message).await,
            Protocol::Smtp => session.send(sender, "somebody@example.org", &message).await,
        };
        let octets = moved.context(self.name)?;
        // A message that is sent has some header lines in front.
        anyhow::ensure!(
            octets >= message.octets(),
            "{octets} octets of {} were moved",
            message.octets()
        );
        Ok(())
    }
}
