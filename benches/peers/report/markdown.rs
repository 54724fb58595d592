//! The tables of the document: the goals with what was reached, then every median.

use std::fmt::Write as _;

use super::Judged;
use super::figures::{Figures, short};
use crate::proxies::Peer;
use crate::rounds::{Results, WorkResult};
use crate::works::Bound;

/// Both tables.
pub(super) fn text(results: &Results) -> String {
    let mut text = format!("{}; {}.\n\n", results.machine.line(), results.versions.join(", "));
    for note in &results.notes {
        let _ = writeln!(text, "Note: {note}.\n");
    }
    text.push_str("| work | what | of | goal | measured | |\n| --- | --- | --- | --- | --- | --- |\n");
    for result in &results.works {
        let figures = Figures::of(result);
        for goal in result.work.goals() {
            goal_row(&mut text, result, goal, &figures);
        }
    }
    text.push_str("\n| work | what | peer | median | from | to | Postern is |\n");
    text.push_str("| --- | --- | --- | --- | --- | --- | --- |\n");
    for result in &results.works {
        let figures = Figures::of(result);
        for metric in result.work.metrics() {
            for &peer in result.work.peers() {
                let (Some(median), Some((least, most))) =
                    (figures.median(peer, metric.key), figures.spread(peer, metric.key))
                else {
                    continue;
                };
                let own = figures
                    .median(Peer::Postern, metric.key)
                    .filter(|_| peer != Peer::Postern);
                let _ = writeln!(
                    text,
                    "| {} | {} | {peer} | {} {} | {} | {} | {} |",
                    result.work.name(),
                    metric.about,
                    short(median),
                    metric.unit,
                    short(least),
                    short(most),
                    own.map(|own| own / median)
                        .filter(|ratio| ratio.is_finite())
                        .map(short)
                        .unwrap_or_default(),
                );
            }
        }
    }
    text
}

fn goal_row(text: &mut String, result: &WorkResult, goal: crate::works::Goal, figures: &Figures) {
    let Some(metric) = result.work.metrics().iter().find(|metric| metric.key == goal.metric) else {
        return;
    };
    let (of, unit) = match goal.bound {
        Bound::AtMost(_) => (goal.subject.name().to_owned(), metric.unit),
        Bound::Of(peer, _) => (format!("{} / {peer}", goal.subject), ""),
    };
    let limit = match goal.bound {
        Bound::AtMost(limit) | Bound::Of(_, limit) => limit,
    };
    let judged = Judged::of(goal, figures);
    let (value, word) = match &judged {
        Some(judged) => (short(judged.value), judged.word()),
        None => ("-".to_owned(), "not measured"),
    };
    let _ = writeln!(
        text,
        "| {} | {} | {of} | at most {} {unit} | {value} {unit} | {word} |",
        result.work.name(),
        metric.about,
        short(limit),
    );
}
