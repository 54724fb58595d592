//! A run's progress on a terminal, and its report.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::super::failure::Failure;
use super::super::output::{Output, counted, table};
use crate::load::{self, Latency, Part, Plan, Report, Security, Watch, Work};

/// Steps of the bar.
const STEPS: u64 = 1000;

/// A bar on a terminal, nothing elsewhere.
pub(super) struct Progress {
    bar: ProgressBar,
    begin: Instant,
}

impl Progress {
    pub(super) fn new(plan: &Plan, output: &Output) -> Self {
        let hidden = output.is_json() || !std::io::stderr().is_terminal();
        let style = ProgressStyle::with_template("{bar:40} {elapsed} {msg}");
        let bar = match style {
            Ok(style) if !hidden => ProgressBar::new(STEPS).with_style(style),
            _ => ProgressBar::hidden(),
        };
        Self {
            bar,
            begin: plan.clock.now(),
        }
    }

    pub(super) fn look(&self, plan: &Plan, watch: &Watch) {
        let (done, failed) = (watch.done(), watch.failed());
        let by_time = plan.bound.time().map(|time| {
            let passed = plan.clock.now().saturating_duration_since(self.begin);
            passed.as_secs_f64() / time.as_secs_f64()
        });
        let by_count = plan.bound.count().map(|count| ratio(done + failed, count));
        let part = by_time.unwrap_or(0.0).max(by_count.unwrap_or(0.0)).min(1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is between 0 and the number of steps"
        )]
        self.bar.set_position((part * STEPS as f64) as u64);
        let open = match plan.work {
            Work::Idle => format!(", {} open", watch.open()),
            _ => String::new(),
        };
        let ending = if watch.is_stopped() { ", ending" } else { "" };
        self.bar
            .set_message(format!("{done} done, {failed} failed{open}{ending}"));
    }

    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// Prints the report.
pub(super) fn report(name: &str, plan: &Plan, watch: &Watch, report: &Report, output: &Output) -> Result<(), Failure> {
    output.show(&value(name, plan, watch, report), || text(name, plan, watch, report))?;
    for left in &report.left_behind {
        output.note(&format!(
            "the folder {} of {} may be left behind: {}; look whether it is this run's, and delete it with a mail program",
            left.folder, left.username, left.reason
        ));
    }
    Ok(())
}

fn value(name: &str, plan: &Plan, watch: &Watch, report: &Report) -> Value {
    let operations: Vec<Value> = report
        .parts
        .iter()
        .map(|(operation, part)| {
            json!({
                "operation": operation,
                "done": part.done,
                "failed": part.failed(),
                "resumed": part.resumed,
                "octets": part.octets,
                "per_second": per_second(operation, part.done, report.elapsed),
                "latency_milliseconds": part.latency().map(latency),
                "errors": part.errors,
            })
        })
        .collect();
    let errors: Vec<Value> = report
        .errors()
        .iter()
        .map(|(kind, count)| json!({ "kind": kind, "count": count, "first": report.examples.get(kind) }))
        .collect();
    let left_behind: Vec<Value> = report
        .left_behind
        .iter()
        .map(|left| json!({ "username": left.username, "folder": left.folder, "reason": left.reason }))
        .collect();
    json!({
        "work": name,
        "address": plan.target.address,
        "server_name": server_name(plan),
        "protocol": plan.target.protocol.name(),
        "security": plan.target.security.name(),
        "clients": plan.clients,
        "elapsed_milliseconds": milliseconds(report.elapsed.as_secs_f64() * 1e6),
        "interrupted": watch.is_stopped(),
        "done": report.done(),
        "failed": report.failed(),
        "unfinished": report.unfinished,
        "octets": report.octets(),
        "operations": operations,
        "errors": errors,
        "left_behind": left_behind,
    })
}

fn latency(latency: Latency) -> Value {
    let of = |microseconds: u64| milliseconds(microseconds as f64);
    json!({
        "min": of(latency.min),
        "mean": milliseconds(latency.mean),
        "p50": of(latency.p50),
        "p90": of(latency.p90),
        "p99": of(latency.p99),
        "p999": of(latency.p999),
        "max": of(latency.max),
    })
}

fn text(name: &str, plan: &Plan, watch: &Watch, report: &Report) -> String {
    let seconds = report.elapsed.as_secs_f64();
    let name_of_server = server_name(plan).map(|name| format!(" ({name})")).unwrap_or_default();
    let mut lines = vec![
        format!(
            "{name}: {}{name_of_server}, {}, {}, {}, {seconds:.1} s{}",
            plan.target.address,
            plan.target.protocol.name(),
            plan.target.security.name(),
            counted(plan.clients, "client", "clients"),
            if watch.is_stopped() { ", ended early" } else { "" },
        ),
        String::new(),
        operations(report),
    ];
    let resumed: u64 = report.parts.values().map(|part| part.resumed).sum();
    if resumed > 0 {
        lines.push(format!("{resumed} connections resumed a TLS session"));
    }
    if report.octets() > 0 {
        lines.extend(
            report
                .parts
                .iter()
                .filter(|(_, part)| part.octets > 0)
                .map(moved(seconds)),
        );
    }
    if report.unfinished > 0 {
        lines.push(format!(
            "{} operations were not begun or cut off at the end",
            report.unfinished
        ));
    }
    let errors = report.errors();
    if !errors.is_empty() {
        let row = |(&kind, count): (&&'static str, &u64)| {
            let first = report.examples.get(kind).cloned().unwrap_or_default();
            [kind.to_owned(), count.to_string(), first]
        };
        lines.push(String::new());
        lines.push(table(
            ["error", "count", "the first"],
            errors.iter().map(row).collect(),
            "",
        ));
    }
    lines.join("\n")
}

fn operations(report: &Report) -> String {
    let rows = report.parts.iter().map(|(operation, part)| {
        let quantile = |pick: fn(&Latency) -> u64| match part.latency() {
            Some(latency) => format!("{:.2}", pick(&latency) as f64 / 1000.0),
            None => "-".to_owned(),
        };
        [
            (*operation).to_owned(),
            part.done.to_string(),
            part.failed().to_string(),
            per_second(operation, part.done, report.elapsed)
                .map_or_else(|| "-".to_owned(), |rate| format!("{rate:.1}")),
            quantile(|latency| latency.p50),
            quantile(|latency| latency.p90),
            quantile(|latency| latency.p99),
            quantile(|latency| latency.max),
        ]
    });
    let header = [
        "operation",
        "done",
        "failed",
        "per second",
        "p50 ms",
        "p90 ms",
        "p99 ms",
        "max ms",
    ];
    table(header, rows.collect(), "nothing was begun")
}

/// A line for the octets of one kind of operation.
fn moved(seconds: f64) -> impl Fn((&&'static str, &Part)) -> String {
    move |(operation, part)| {
        let mebibytes = part.octets as f64 / f64::from(1 << 20);
        match *operation {
            "fetch" => format!(
                "{mebibytes:.1} MiB fetched and compared, {:.1} MiB a second",
                mebibytes / seconds.max(1e-6)
            ),
            "send" => format!(
                "{mebibytes:.1} MiB sent, {:.1} MiB a second",
                mebibytes / seconds.max(1e-6)
            ),
            _ => format!("{mebibytes:.1} MiB stored"),
        }
    }
}

fn server_name(plan: &Plan) -> Option<&str> {
    (plan.target.security != Security::Cleartext).then_some(plan.target.server_name.as_str())
}

/// Nothing for what is not done in the time that counts, or not one after the other.
fn per_second(operation: &str, number: u64, elapsed: Duration) -> Option<f64> {
    let rate = number as f64 / elapsed.as_secs_f64().max(1e-6);
    (!load::BESIDE.contains(&operation)).then_some((rate * 1000.0).round() / 1000.0)
}

/// Microseconds as milliseconds with three digits behind the point.
fn milliseconds(microseconds: f64) -> f64 {
    microseconds.round() / 1000.0
}

fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}
