//! Which work runs on which peer when: rounds interleaved over the peers, so that a slow minute of the machine meets
//! all of them, and a disturbed measurement once more.

use std::collections::BTreeMap;
use std::time::Duration;

use postern::clock::Clock;
use serde::Serialize;

use crate::measure::machine::{Cores, Description, Disturbance, WANTED_FILES};
use crate::options::{Options, Scale};
use crate::proxies::{Peer, Proxy, versions};
use crate::stage::Stage;
use crate::tell;
use crate::works::{Bench, Values, Work};

/// Mailboxes of the site that most works use: one device each.
const MAILBOXES: u32 = 10_000;
/// Those of the smallest form.
const FEW_MAILBOXES: u32 = 50;
/// Before a disturbed measurement is made again.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest that one run of a work may take.
const MAX_RUN_TIME: Duration = Duration::from_secs(1200);

/// One run of a work on one peer.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Sample {
    /// Values by the metric's key.
    pub(crate) values: BTreeMap<&'static str, f64>,
    /// Who else used the processors.
    pub(crate) disturbance: Disturbance,
}

/// All runs of a work.
pub(crate) struct WorkResult {
    /// Which work.
    pub(crate) work: &'static dyn Work,
    /// By peer, one a round.
    pub(crate) samples: BTreeMap<Peer, Vec<Sample>>,
    /// Measurements that were made again.
    pub(crate) repeated: usize,
    /// How long all of it took.
    pub(crate) took: Duration,
}

/// All that was measured.
pub(crate) struct Results {
    /// The machine.
    pub(crate) machine: Description,
    /// Who was compared.
    pub(crate) versions: Vec<String>,
    /// What limits or weakens the results, in words.
    pub(crate) notes: Vec<String>,
    /// What did not work, in words: the reason for an exit code of 1.
    pub(crate) failures: Vec<String>,
    /// The works in the order in which they ran.
    pub(crate) works: Vec<WorkResult>,
}

impl Results {
    /// Nothing yet.
    pub(crate) fn new(options: &Options, files: u64) -> Self {
        let mut notes = Vec::new();
        match options.scale() {
            Scale::Smallest => notes.push("smallest form: the figures mean nothing".to_owned()),
            Scale::Quick => notes.push("a quick look: fewer of everything than the works' names say".to_owned()),
            Scale::Full => {}
        }
        if files < WANTED_FILES {
            notes.push(format!(
                "only {files} open files are allowed (ulimit -n), so the works with many sessions have fewer of them"
            ));
        }
        Self {
            machine: Description::read(),
            versions: versions::read(),
            notes,
            failures: Vec::new(),
            works: Vec::new(),
        }
    }
}

/// Runs the works. What fails is noted and the rest goes on; an error is something without which nothing can run.
pub(crate) async fn run(
    options: &Options,
    works: &[&'static dyn Work],
    cores: Cores,
    files: u64,
    results: &mut Results,
) -> anyhow::Result<()> {
    if cores.proxy.is_none() {
        results
            .notes
            .push("one processor only: proxy and generator share it, and every figure is worse for it".to_owned());
    }
    let mailboxes = options.scale().pick(MAILBOXES, MAILBOXES, FEW_MAILBOXES);
    let stage = Stage::start(cores, files, mailboxes)?;
    for &work in works {
        if !options.is_test() {
            tell(&format!("{}: {}", work.name(), work.about()));
        }
        let result = run_work(options, &stage, work, results).await;
        results.works.push(result);
    }
    Ok(())
}

async fn run_work(options: &Options, stage: &Stage, work: &'static dyn Work, results: &mut Results) -> WorkResult {
    let clock = Clock::system();
    let begin = clock.now();
    let mut result = WorkResult {
        work,
        samples: BTreeMap::new(),
        repeated: 0,
        took: Duration::ZERO,
    };
    let mut peers: Vec<Peer> = work
        .peers()
        .iter()
        .copied()
        .filter(|peer| options.wants(*peer))
        .collect();
    let mut running = BTreeMap::new();
    for round in 1..=options.rounds().min(work.max_rounds()) {
        // Who failed is out: it would fail again, and has been told.
        let taking_part = peers.clone();
        for peer in taking_part {
            match measure(options, stage, work, peer, &mut running, &mut result.repeated).await {
                Ok(sample) => {
                    if !options.is_test() {
                        tell(&format!("  round {round} {peer:14} {}", line(work, &sample)));
                    }
                    result.samples.entry(peer).or_default().push(sample);
                }
                Err(error) => {
                    let failure = format!("{} with {peer}: {error:#}", work.name());
                    tell(&format!("  FAILED {failure}"));
                    results.failures.push(failure);
                    peers.retain(|other| *other != peer);
                    running.remove(&peer);
                }
            }
        }
    }
    result.took = clock.now().duration_since(begin);
    result
}

/// One sample of one peer; of several disturbed ones the least disturbed.
async fn measure(
    options: &Options,
    stage: &Stage,
    work: &dyn Work,
    peer: Peer,
    running: &mut BTreeMap<Peer, Proxy>,
    repeated: &mut usize,
) -> anyhow::Result<Sample> {
    let mut best: Option<Sample> = None;
    for attempt in 0..=options.repeats() {
        if attempt > 0 {
            *repeated += 1;
            tokio::time::sleep(PAUSE).await;
        }
        if work.wants_fresh() {
            running.remove(&peer);
        }
        let proxy = match running.remove(&peer) {
            Some(proxy) => proxy,
            None => peer.start(stage)?,
        };
        let bench = Bench::new(stage, options.scale());
        let values = tokio::time::timeout(MAX_RUN_TIME, work.run(&bench, &proxy)).await;
        let values: Values = values.map_err(|_| anyhow::anyhow!("no end within {} s", MAX_RUN_TIME.as_secs()))??;
        running.insert(peer, proxy);
        let sample = Sample {
            values: values.into_iter().collect(),
            disturbance: bench.disturbance(),
        };
        let is_quiet = !sample.disturbance.is_much();
        if best
            .as_ref()
            .is_none_or(|best| sample.disturbance.sum() < best.disturbance.sum())
        {
            best = Some(sample);
        }
        if is_quiet {
            break;
        }
    }
    best.ok_or_else(|| anyhow::anyhow!("nothing was measured"))
}

/// A sample in one line.
fn line(work: &dyn Work, sample: &Sample) -> String {
    let values = work.metrics().iter().filter_map(|metric| {
        let value = sample.values.get(metric.key)?;
        Some(
            format!("{} {value:.3} {}", metric.about, metric.unit)
                .trim_end()
                .to_owned(),
        )
    });
    let mut line = values.collect::<Vec<_>>().join(", ");
    if sample.disturbance.is_much() {
        let Disturbance { foreign, stolen } = sample.disturbance;
        line += &format!(
            " (disturbed: others took {:.0} %, the host {:.0} %)",
            foreign * 100.0,
            stolen * 100.0
        );
    }
    line
}
