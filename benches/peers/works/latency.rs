//! The time of one login on an idle machine: what a person waits.

use anyhow::Context as _;
use async_trait::async_trait;
use postern::peer::Protocol;

use super::{Bench, Goal, Metric, Values, Work, of};
use crate::generator::{self, From, closed_loop, log_in, quantile_ms, source, timed};
use crate::proxies::{Peer, Proxy};

/// One client, one session after the other.
pub(crate) struct Latency;

const P50: Metric = Metric {
    key: "p50_ms",
    about: "p50 from the connection to the end of the logout",
    unit: "ms",
};
const P99: Metric = Metric {
    key: "p99_ms",
    about: "p99 from the connection to the end of the logout",
    unit: "ms",
};

#[async_trait(?Send)]
impl Work for Latency {
    fn name(&self) -> &'static str {
        "latency"
    }

    fn about(&self) -> &'static str {
        "one client, one IMAP login and logout after the other"
    }

    fn metrics(&self) -> &'static [Metric] {
        &[P50, P99]
    }

    fn goals(&self) -> Vec<Goal> {
        vec![of(Peer::Nginx, P50.key, 0.05), of(Peer::Splice, P50.key, 1.5)]
    }

    fn peers(&self) -> &'static [Peer] {
        &[
            Peer::Null,
            Peer::Splice,
            Peer::Haproxy,
            Peer::Nginx,
            Peer::Dovecot,
            Peer::Postern,
        ]
    }

    async fn run(&self, bench: &Bench<'_>, proxy: &Proxy) -> anyhow::Result<Values> {
        let stage = bench.stage;
        generator::warm_up(stage, proxy, Protocol::Imap, 1).await?;
        let target = generator::target(proxy, Protocol::Imap, generator::tls(stage, false)?);
        let one = |_, number: usize| {
            let target = &target;
            async move {
                let whole = async {
                    let session = log_in(target, stage.account(0), source(From::Users, number)).await?;
                    session.logout().await
                };
                let ((), time) = timed(whole).await?;
                anyhow::Ok(time)
            }
        };
        let meter = bench.meter(proxy)?;
        let times = closed_loop(1, bench.scale.pick(200, 50, 2), one)
            .await
            .context("login")?;
        meter.end().await?;
        Ok(vec![
            (P50.key, quantile_ms(&times, 0.5)?),
            (P99.key, quantile_ms(&times, 0.99)?),
        ])
    }
}
