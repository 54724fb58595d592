//! The table for people.

use std::fmt::Write as _;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ColumnConstraint, Table, Width};

use super::Judged;
use super::figures::{Figures, short};
use crate::proxies::Peer;
use crate::rounds::{Results, WorkResult};
use crate::works::{Bound, Metric};

/// Of the columns, so that the tables of all metrics stand below each other.
const WIDTHS: [u16; 8] = [17, 10, 10, 10, 8, 12, 12, 9];

/// All works.
pub(super) fn text(results: &Results) -> String {
    let (machine, versions) = (results.machine.line(), results.versions.join(", "));
    let mut text = format!("\nPostern beside its peers\n{machine}\n{versions}\n");
    for note in &results.notes {
        let _ = writeln!(text, "note: {note}");
    }
    let (mut reached, mut missed) = (0, 0);
    for work in &results.works {
        let figures = Figures::of(work);
        let _ = write!(text, "\n{}", of_work(work, &figures));
        for goal in work.work.goals() {
            match Judged::of(goal, &figures) {
                Some(judged) if judged.is_reached() => reached += 1,
                Some(_) => missed += 1,
                None => {}
            }
        }
    }
    let _ = writeln!(text, "\ngoals: {reached} reached, {missed} missed");
    for failure in &results.failures {
        let _ = writeln!(text, "FAILED: {failure}");
    }
    text
}

/// What a test says: how much ended well, and what did not.
pub(super) fn of_test(results: &Results) -> String {
    let runs: usize = results.works.iter().map(|work| work.samples.len()).sum();
    let works = results.works.len();
    let mut text = format!("{works} works of the comparison ended, {runs} times in all, and moved the right octets\n");
    for failure in &results.failures {
        let _ = writeln!(text, "FAILED: {failure}");
    }
    text
}

fn of_work(result: &WorkResult, figures: &Figures) -> String {
    let work = result.work;
    let mut text = format!("{}: {} ({} s", work.name(), work.about(), result.took.as_secs());
    if result.repeated > 0 {
        let _ = write!(text, ", {} measurements repeated", result.repeated);
    }
    text.push_str(")\n");
    for metric in work.metrics() {
        let _ = write!(text, "{}", of_metric(result, figures, metric));
    }
    if !figures.disturbed.is_empty() {
        let names = figures
            .disturbed
            .iter()
            .map(|peer| peer.name())
            .collect::<Vec<_>>()
            .join(", ");
        let _ = writeln!(text, "disturbed by others in every round: {names}");
    }
    text
}

fn of_metric(result: &WorkResult, figures: &Figures, metric: &Metric) -> String {
    let unit = match metric.unit {
        "" => String::new(),
        unit => format!(" ({unit})"),
    };
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(["", "median", "from", "to", "rounds", "Postern is", "goal", ""]);
    for (column, width) in table.column_iter_mut().zip(WIDTHS) {
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width)));
        column.set_cell_alignment(CellAlignment::Right);
    }
    for at in [0, WIDTHS.len() - 1] {
        if let Some(column) = table.column_mut(at) {
            column.set_cell_alignment(CellAlignment::Left);
        }
    }
    let own = figures.median(Peer::Postern, metric.key);
    let mut rows = 0;
    for &peer in result.work.peers() {
        let (Some(median), Some((least, most))) = (figures.median(peer, metric.key), figures.spread(peer, metric.key))
        else {
            continue;
        };
        rows += 1;
        let ratio = own.filter(|_| peer != Peer::Postern).map(|own| own / median);
        let judged = judged(result, figures, metric, peer);
        table.add_row([
            peer.name().to_owned(),
            short(median),
            short(least),
            short(most),
            figures.count(peer, metric.key).to_string(),
            ratio.filter(|ratio| ratio.is_finite()).map(short).unwrap_or_default(),
            judged
                .as_ref()
                .map(|judged| format!("<= {}", short(judged.limit)))
                .unwrap_or_default(),
            judged.map(|judged| judged.word().to_owned()).unwrap_or_default(),
        ]);
    }
    if rows == 0 {
        return String::new();
    }
    format!("  {}{unit}\n{}\n", metric.about, table.trim_fmt())
}

/// The goal that belongs into a peer's row: Postern's ratio to it, or its own limit.
fn judged(result: &WorkResult, figures: &Figures, metric: &Metric, row: Peer) -> Option<Judged> {
    let goals = result.work.goals().into_iter().filter(|goal| goal.metric == metric.key);
    let mut here = goals.filter(|goal| match goal.bound {
        Bound::AtMost(_) => goal.subject == row,
        Bound::Of(peer, _) => peer == row,
    });
    Judged::of(here.next()?, figures)
}
