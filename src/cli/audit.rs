//! `postern audit`: what was done, by whom and when.

use serde_json::{Value, json};

use super::failure::Failure;
use super::local::Local;
use super::output::{Output, table};
use super::time;
use crate::store::{Actor, AuditFilter, AuditRow};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  postern audit --since 7d --action device.\n  postern audit --subject anna@example.org --json\n  postern audit --since 2026-11-01 --csv > november.csv"
)]
pub(super) struct Args {
    /// Rows since then: a date, a moment, or a span back such as 7d.
    #[arg(long, value_name = "DATE|SPAN")]
    since: Option<String>,
    /// Rows about this id or address, or part of one.
    #[arg(long)]
    subject: Option<String>,
    /// Rows whose action begins with this, such as device.revoke or just device.
    #[arg(long)]
    action: Option<String>,
    /// Rows of this organisation (name or id).
    #[arg(long)]
    org: Option<String>,
    /// At most so many, the newest.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    limit: u32,
    /// Print CSV for a spreadsheet.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

pub(super) async fn run(args: Args, local: &Local, output: &Output) -> Result<(), Failure> {
    let org = local.org(args.org.as_deref()).await?;
    let since = args
        .since
        .as_deref()
        .map(|text| time::read_begin(text, local.now()))
        .transpose()
        .map_err(Failure::usage)?;
    let filter = AuditFilter {
        org,
        subject: args.subject,
        action: args.action,
        since,
        limit: args.limit,
        ..AuditFilter::default()
    };
    let rows = local.directory.audit(&filter).await?;
    if args.csv {
        return output.line(&csv(&rows)?);
    }
    if output.is_json() {
        return rows.iter().try_for_each(|row| output.row(&json_of(row), String::new));
    }
    let cells = rows.iter().map(|row| {
        [
            row.number.to_string(),
            time::human(row.at, local.now()),
            who(&row.actor),
            row.action.clone(),
            on(row),
            detail(&row.detail),
        ]
    });
    output.line(&table(
        ["NO", "WHEN", "WHO", "WHAT", "ON", "DETAIL"],
        cells.collect(),
        "Nothing matches.",
    ))
}

/// The actor, in whose name, and from where, unless that is the plain command line.
fn who(actor: &Actor) -> String {
    let mut who = actor.who.clone();
    if let Some(behalf) = &actor.behalf {
        who.push_str(&format!(" for {behalf}"));
    }
    if !matches!(actor.origin.as_str(), "" | "local") {
        who.push_str(&format!(" ({})", actor.origin));
    }
    who
}

/// A device by its name where the row has it, as commands take it.
fn on(row: &AuditRow) -> String {
    match (row.detail.get("mailbox"), row.detail.get("label")) {
        (Some(Value::String(mailbox)), Some(Value::String(label))) => format!("{mailbox}/{label}"),
        _ => row.subject.clone(),
    }
}

/// `scopes=smtp networks=192.0.2.7`, without what stands in the column before and without what is empty.
fn detail(detail: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    detail.as_object().map_or_else(String::new, |facts| {
        let named = facts.contains_key("mailbox") && facts.contains_key("label");
        facts
            .iter()
            .filter(|(name, value)| {
                !(value.is_null() || *value == "" || named && (*name == "mailbox" || *name == "label"))
            })
            .map(|(name, value)| format!("{name}={}", text(value)))
            .collect::<Vec<_>>()
            .join(" ")
    })
}

fn csv(rows: &[AuditRow]) -> Result<String, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer
        .write_record([
            "number", "at", "actor", "origin", "behalf", "action", "org", "subject", "detail",
        ])
        .map_err(Failure::failed)?;
    for row in rows {
        let fields = [
            row.number.to_string(),
            row.at.rfc3339(),
            row.actor.who.clone(),
            row.actor.origin.clone(),
            row.actor.behalf.clone().unwrap_or_default(),
            row.action.clone(),
            row.org.map(|org| org.to_string()).unwrap_or_default(),
            row.subject.clone(),
            row.detail.to_string(),
        ];
        writer.write_record(fields.map(defused)).map_err(Failure::failed)?;
    }
    let octets = writer.into_inner().map_err(|error| Failure::failed(error.error()))?;
    String::from_utf8(octets).map_err(Failure::failed)
}

/// A label such as `=HYPERLINK(...)` must not run in the spreadsheet of whoever opens the export.
fn defused(field: String) -> String {
    if field.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{field}")
    } else {
        field
    }
}

fn json_of(row: &AuditRow) -> Value {
    json!({
        "number": row.number,
        "at": row.at.rfc3339(),
        "actor": row.actor.who,
        "origin": row.actor.origin,
        "behalf": row.actor.behalf,
        "user": row.actor.user,
        "action": row.action,
        "org": row.org,
        "mailbox": row.mailbox,
        "subject": row.subject,
        "detail": row.detail,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_defused() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"] {
            assert!(defused(text.to_owned()).starts_with('\''), "{text}");
        }
        assert_eq!(defused("anna@example.org".to_owned()), "anna@example.org");
    }
}
