//! A million mailboxes: whether a login costs more, and a start takes longer, than with a thousand.
//!
//! Two databases of mailboxes with five devices each, served by two Posterns at the same time, measured by turns. As
//! many different mailboxes log in at both, spread over the whole database; all of them did so once before, because
//! the hash run of a first login would hide what is looked for.

use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use postern::clock::Clock;
use postern::load::Account;
use postern::peer::Protocol;

use super::{Bench, Goal, Metric, Values, Work, at_most, ms_each};
use crate::generator::{self, From, account, closed_loop, log_in, source};
use crate::options::Scale;
use crate::proxies::postern::start_on;
use crate::proxies::{Peer, Proxy};
use crate::stage::Stage;
use crate::stage::site::{Site, username};
use crate::tell;

/// Devices of each mailbox.
const DEVICES: u32 = 5;
/// Measurements of each database.
const PASSES: usize = 3;
/// Clients at once.
const CLIENTS: usize = 16;

/// A thousand against a million.
pub(crate) struct BigStore;

const SMALL: Metric = Metric {
    key: "small_cpu_ms",
    about: "CPU per login, 1,000 mailboxes",
    unit: "ms",
};
const BIG: Metric = Metric {
    key: "big_cpu_ms",
    about: "CPU per login, 1,000,000 mailboxes",
    unit: "ms",
};
const RATIO: Metric = Metric {
    key: "cpu_ratio",
    about: "CPU per login, 1,000,000 / 1,000 mailboxes",
    unit: "",
};
const START: Metric = Metric {
    key: "start_ms",
    about: "start to ready, 1,000,000 mailboxes",
    unit: "ms",
};
const MEMORY_SMALL: Metric = Metric {
    key: "small_start_mib",
    about: "memory when ready, 1,000 mailboxes",
    unit: "MiB",
};
const MEMORY_BIG: Metric = Metric {
    key: "big_start_mib",
    about: "memory when ready, 1,000,000 mailboxes",
    unit: "MiB",
};
const MEMORY_RATIO: Metric = Metric {
    key: "start_memory_ratio",
    about: "memory when ready, 1,000,000 / 1,000 mailboxes",
    unit: "",
};
/// "Independent of the number", but for pages of the database that a start reads.
const SAME_MEMORY: f64 = 1.05;

/// One of the two databases with who serves it.
struct Served {
    proxy: Proxy,
    accounts: Vec<Account>,
    start: Duration,
    memory_kib: f64,
    passes: Vec<f64>,
    // After the daemon, which has its database open.
    _site: Site,
}

#[async_trait(?Send)]
impl Work for BigStore {
    fn name(&self) -> &'static str {
        "big-store"
    }

    fn about(&self) -> &'static str {
        "logins with 1,000,000 mailboxes of 5 devices each, beside 1,000"
    }

    fn metrics(&self) -> &'static [Metric] {
        &[SMALL, BIG, RATIO, START, MEMORY_SMALL, MEMORY_BIG, MEMORY_RATIO]
    }

    fn goals(&self) -> Vec<Goal> {
        vec![
            at_most(RATIO.key, 1.15),
            at_most(START.key, 1000.0),
            at_most(MEMORY_RATIO.key, SAME_MEMORY),
        ]
    }

    fn peers(&self) -> &'static [Peer] {
        &[Peer::Postern]
    }

    fn is_quick(&self) -> bool {
        false
    }

    /// It has rounds of its own.
    fn max_rounds(&self) -> usize {
        1
    }

    async fn run(&self, bench: &Bench<'_>, _: &Proxy) -> anyhow::Result<Values> {
        let stage = bench.stage;
        let small = bench.scale.pick(1000, 200, 10);
        let big = bench.scale.pick(1_000_000, 20_000, 1000);
        let mut served = [serve(bench, small, small)?, serve(bench, big, small)?];
        for one in &mut served {
            log_all_in(stage, one, 1).await.context("warm-up")?;
        }
        for _ in 0..bench.scale.pick(PASSES, PASSES, 1) {
            for one in &mut served {
                let meter = bench.meter(&one.proxy)?;
                let logins = log_all_in(stage, one, bench.scale.pick(3, 1, 1)).await?;
                let used = meter.end().await?;
                one.passes.push(ms_each(used.cpu, logins));
            }
        }
        let [small, big] = &mut served;
        let (small_cpu, big_cpu) = (median(&mut small.passes)?, median(&mut big.passes)?);
        Ok(vec![
            (SMALL.key, small_cpu),
            (BIG.key, big_cpu),
            (RATIO.key, big_cpu / small_cpu),
            (START.key, big.start.as_secs_f64() * 1000.0),
            (MEMORY_SMALL.key, small.memory_kib / 1024.0),
            (MEMORY_BIG.key, big.memory_kib / 1024.0),
            (MEMORY_RATIO.key, big.memory_kib / small.memory_kib),
        ])
    }
}

/// Makes a database of so many mailboxes, of which every so many-th can log in, and serves it.
fn serve(bench: &Bench<'_>, mailboxes: u32, used: u32) -> anyhow::Result<Served> {
    let clock = Clock::system();
    let begin = clock.now();
    let step = mailboxes / used;
    let numbers = (0..used).map(|number| number * step + number % step);
    let site = Site::make(mailboxes, DEVICES, numbers.clone())?;
    let made = clock.now();
    if bench.scale > Scale::Smallest {
        let seconds = made.duration_since(begin).as_secs();
        tell(&format!("  {mailboxes} mailboxes made in {seconds} s"));
    }
    let proxy = start_on(bench.stage, &site)?;
    Ok(Served {
        start: clock.now().duration_since(made),
        memory_kib: proxy.pss_kib()?,
        accounts: numbers
            .map(|number| account(username(number), &site.password))
            .collect(),
        passes: Vec::new(),
        proxy,
        _site: site,
    })
}

/// Each mailbox so many times, all once before any again; gives the number of logins.
async fn log_all_in(stage: &Stage, served: &Served, times: usize) -> anyhow::Result<usize> {
    let target = generator::target(&served.proxy, Protocol::Imap, generator::tls(stage, false)?);
    let count = served.accounts.len() * times;
    let one = |_, number: usize| {
        let target = &target;
        async move {
            let account = served.accounts.get(number % served.accounts.len());
            let account = account.context("there are mailboxes")?;
            log_in(target, account, source(From::Users, number))
                .await?
                .logout()
                .await?;
            anyhow::Ok(Duration::ZERO)
        }
    };
    closed_loop(CLIENTS, count, one).await?;
    Ok(count)
}

fn median(values: &mut [f64]) -> anyhow::Result<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().context("nothing was measured")
}
