//! Everything that was measured, for programs: fields are added, never renamed.

use serde_json::{Value, json};

use super::Judged;
use super::figures::Figures;
use crate::options::Options;
use crate::rounds::{Results, WorkResult};
use crate::works::Bound;

/// The whole result.
pub(super) fn value(options: &Options, results: &Results) -> Value {
    json!({
        "machine": results.machine,
        "versions": results.versions,
        "scale": format!("{:?}", options.scale()).to_lowercase(),
        "rounds": options.rounds(),
        "notes": results.notes,
        "failures": results.failures,
        "works": results.works.iter().map(work).collect::<Vec<_>>(),
    })
}

fn work(result: &WorkResult) -> Value {
    let figures = Figures::of(result);
    let metrics = result.work.metrics().iter().map(|metric| {
        let peers = result.work.peers().iter().filter_map(|&peer| {
            let (least, most) = figures.spread(peer, metric.key)?;
            let value = json!({ "median": figures.median(peer, metric.key), "least": least, "most": most });
            Some((peer.name().to_owned(), value))
        });
        let peers: serde_json::Map<String, Value> = peers.collect();
        json!({ "key": metric.key, "about": metric.about, "unit": metric.unit, "peers": peers })
    });
    let goals = result.work.goals().into_iter().filter_map(|goal| {
        let judged = Judged::of(goal, &figures)?;
        let of = match goal.bound {
            Bound::AtMost(_) => None,
            Bound::Of(peer, _) => Some(peer.name()),
        };
        Some(json!({
            "metric": goal.metric,
            "subject": goal.subject.name(),
            "of": of,
            "at_most": judged.limit,
            "value": judged.value,
            "reached": judged.is_reached(),
        }))
    });
    json!({
        "name": result.work.name(),
        "about": result.work.about(),
        "seconds": result.took.as_secs_f64(),
        "repeated": result.repeated,
        "metrics": metrics.collect::<Vec<_>>(),
        "goals": goals.collect::<Vec<_>>(),
        "samples": result.samples,
    })
}
