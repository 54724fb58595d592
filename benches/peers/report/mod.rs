//! What came of it: a table for people, JSON with every value, and the tables of the document.

mod figures;
mod json;
mod markdown;
mod table;

use std::fs;
use std::path::Path;

use anyhow::Context as _;

use crate::options::Options;
use crate::rounds::Results;
use crate::works::{Bound, Goal};
use figures::Figures;

/// Prints the tables and writes the files that were asked for.
pub(crate) fn show(options: &Options, results: &Results) -> anyhow::Result<()> {
    if options.is_test() {
        println!("{}", table::of_test(results));
    } else {
        println!("{}", table::text(results));
    }
    if let Some(path) = &options.json {
        write(
            path,
            &(serde_json::to_string_pretty(&json::value(options, results))? + "\n"),
        )?;
    }
    if let Some(path) = &options.markdown {
        write(path, &markdown::text(results))?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// A goal with what was measured.
pub(crate) struct Judged {
    /// The ratio, or the value itself.
    pub(crate) value: f64,
    /// Its limit.
    pub(crate) limit: f64,
}

impl Judged {
    /// Judges a goal; nothing where one side was not measured.
    pub(crate) fn of(goal: Goal, figures: &Figures) -> Option<Self> {
        let own = figures.median(goal.subject, goal.metric)?;
        let (value, limit) = match goal.bound {
            Bound::AtMost(limit) => (own, limit),
            Bound::Of(peer, limit) => (own / figures.median(peer, goal.metric)?, limit),
        };
        Some(Self { value, limit })
    }

    /// Whether it is reached.
    pub(crate) fn is_reached(&self) -> bool {
        self.value <= self.limit
    }

    /// The word for it.
    pub(crate) fn word(&self) -> &'static str {
        if self.is_reached() { "reached" } else { "MISSED" }
    }
}
