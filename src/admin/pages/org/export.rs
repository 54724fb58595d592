//! The activity as a file: CSV for spreadsheets, JSON lines for programs.
//!
//! Rows are read and sent page by page, and before each page rights are asked again; where they are gone, the connection
//! breaks off, so that a file that ends well is whole. A spreadsheet takes a field that begins with certain characters for
//! a formula and may send what stands beside it elsewhere: such fields begin with an apostrophe here.

use std::io;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use futures_util::stream;
use serde_json::json;

use super::activity::ActivityQuery;
use super::scope::*;
use crate::directory::desk::{Acting, Visit};
use crate::store::{AuditFilter, AuditRow, page};

/// Rows of one file. Beyond it, the last line says so; a day that is named makes further files.
const EXPORTED_MAX: usize = 1_000_000;

/// What a spreadsheet reads as the begin of a formula, in front of any blanks; also in full width, which some fold.
const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// Spreadsheets take a file for UTF-8 only where it begins with this.
const BYTE_ORDER_MARK: &str = "\u{feff}";

pub(super) fn routes() -> Router<Arc<Pages>> {
    Router::new()
        .route("/o/{org}/activity/export.csv", get(csv_file))
        .route("/o/{org}/activity/export.jsonl", get(json_lines))
}

async fn csv_file(State(pages): Here, inside: Inside, Asked(asked): Asked<ActivityQuery>) -> Reply {
    file(pages, inside, &asked, Shape::Csv).await
}

async fn json_lines(State(pages): Here, inside: Inside, Asked(asked): Asked<ActivityQuery>) -> Reply {
    file(pages, inside, &asked, Shape::JsonLines).await
}

/// In which form a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Csv,
    JsonLines,
}

impl Shape {
    const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::JsonLines => "application/x-ndjson",
        }
    }

    const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
        }
    }

    fn head(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Csv => {
                let mut head = BYTE_ORDER_MARK.as_bytes().to_vec();
                head.extend(csv_line(&COLUMNS)?);
                Ok(head)
            }
            Self::JsonLines => Ok(Vec::new()),
        }
    }

    fn rows(self, rows: &[AuditRow]) -> io::Result<Vec<u8>> {
        let mut lines = Vec::new();
        for row in rows {
            match self {
                Self::Csv => lines.extend(csv_row(row)?),
                Self::JsonLines => lines.extend(json_line(row)),
            }
        }
        Ok(lines)
    }

    /// The last line of a file that does not hold everything.
    fn cut(self, before: i64) -> io::Result<Vec<u8>> {
        match self {
            Self::Csv => {
                let said = format!("not everything: go on with entries before {before}");
                csv_line(&["", "", "", "", "", "", "", &said, ""])
            }
            Self::JsonLines => Ok(format!("{}\n", json!({ "cut": true, "before": before })).into_bytes()),
        }
    }
}

const COLUMNS: [&str; 9] = [
    "number", "at", "who", "origin", "behalf", "action", "subject", "detail", "hash",
];

fn csv_row(row: &AuditRow) -> io::Result<Vec<u8>> {
    let (number, at, detail) = (row.number.to_string(), row.at.rfc3339(), row.detail.to_string());
    let hash = hash(row);
    csv_line(&[
        &number,
        &at,
        &row.actor.who,
        &row.actor.origin,
        row.actor.behalf.as_deref().unwrap_or_default(),
        &row.action,
        &row.subject,
        &detail,
        hash.as_deref().unwrap_or_default(),
    ])
}

fn csv_line(fields: &[&str]) -> io::Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new()
        .quote_style(csv::QuoteStyle::Always)
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    writer.write_record(fields.iter().map(|field| defused(field)))?;
    writer.into_inner().map_err(|error| io::Error::other(error.to_string()))
}

/// A field that no spreadsheet takes for a formula.
fn defused(field: &str) -> String {
    let is_formula = field.starts_with(FORMULA) || field.trim_start().starts_with(FORMULA);
    if is_formula {
        format!("'{field}")
    } else {
        field.to_owned()
    }
}

fn json_line(row: &AuditRow) -> Vec<u8> {
    let line = json!({
        "number": row.number,
        "at": row.at.rfc3339(),
        "who": row.actor.who,
        "origin": row.actor.origin,
        "behalf": row.actor.behalf,
        "user": row.actor.user,
        "action": row.action,
        "mailbox": row.mailbox,
        "subject": row.subject,
        "detail": row.detail,
        "hash": hash(row),
    });
    format!("{line}\n").into_bytes()
}

fn hash(row: &AuditRow) -> Option<String> {
    row.hash
        .map(|hash| hash.iter().map(|octet| format!("{octet:02x}")).collect())
}

/// Where a file has come to.
struct Reading {
    pages: Arc<Pages>,
    inside: Inside,
    filter: AuditFilter,
    form: Shape,
    sent: usize,
    next: Next,
}

enum Next {
    /// A page that was read already.
    Page(Vec<u8>, Option<i64>),
    /// The page before this entry.
    Before(i64),
    Nothing,
}

async fn file(pages: Arc<Pages>, inside: Inside, asked: &ActivityQuery, form: Shape) -> Reply {
    let filter = asked.filter(&inside, page::PAGE_MAX);
    // The first page before the answer begins, so that a refusal is a page and no broken file.
    let first = pages
        .desk
        .activity(&inside.acting, filter.clone())
        .await
        .map_err(|error| inside.failed(error))?;
    let broken = |error: io::Error| {
        tracing::error!(error = %error, "a file of the activity could not be written");
        inside.failed(Error::Unknown { what: "file" })
    };
    let mut begin = form.head().map_err(broken)?;
    begin.extend(form.rows(&first.rows).map_err(broken)?);
    let name = format!("activity-{}.{}", pages.clock.utc().day(), form.extension());
    let place = Reading {
        sent: first.rows.len(),
        next: Next::Page(begin, first.next),
        pages,
        inside,
        filter,
        form,
    };
    let attachment = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(form.content_type())),
        (
            header::CONTENT_DISPOSITION,
            attachment.unwrap_or_else(|_| HeaderValue::from_static("attachment")),
        ),
    ];
    Ok((headers, Body::from_stream(stream::try_unfold(place, go_on))).into_response())
}

/// The next piece of a file.
async fn go_on(mut place: Reading) -> io::Result<Option<(Bytes, Reading)>> {
    let before = match std::mem::replace(&mut place.next, Next::Nothing) {
        Next::Nothing => return Ok(None),
        Next::Page(octets, next) => {
            place.next = next.map_or(Next::Nothing, Next::Before);
            return Ok(Some((octets.into(), place)));
        }
        Next::Before(before) => before,
    };
    if place.sent >= EXPORTED_MAX {
        return Ok(Some((place.form.cut(before)?.into(), place)));
    }
    let filter = AuditFilter {
        before: Some(before),
        ..place.filter.clone()
    };
    let acting = still_there(&place).await?;
    let page = place
        .pages
        .desk
        .activity(&acting, filter)
        .await
        .map_err(io::Error::other)?;
    place.sent = place.sent.saturating_add(page.rows.len());
    place.next = page.next.map_or(Next::Nothing, Next::Before);
    let octets = place.form.rows(&page.rows)?;
    Ok(Some((octets.into(), place)))
}

/// Whoever began the file, as they stand now: a file may take longer than a session.
async fn still_there(place: &Reading) -> io::Result<Acting> {
    let Reading { pages, inside, .. } = place;
    let guest = &inside.person.guest;
    let visit = pages
        .desk
        .look(&guest.visitor, guest.session.as_deref())
        .await
        .map_err(io::Error::other)?;
    let Visit::SignedIn(signed_in) = visit else {
        return Err(io::Error::other("the session is over"));
    };
    pages
        .desk
        .acting(&signed_in, inside.acting.org.id)
        .await
        .map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn formulas_are_defused_wherever_they_begin() {
        for (field, safe) in [
            ("=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(1)", "'@SUM(1)"),
            ("\t=1", "'\t=1"),
            (" =1", "' =1"),
            ("＝1", "'＝1"),
            ("dev-1", "dev-1"),
            ("a=1", "a=1"),
            ("", ""),
        ] {
            assert_eq!(defused(field), safe, "{field:?}");
        }
    }

    #[test]
    fn a_line_is_quoted_whole() {
        let line = String::from_utf8(csv_line(&["a\"b", "c,d", "e\nf", "=1"]).unwrap()).unwrap();
        assert_eq!(line, "\"a\"\"b\",\"c,d\",\"e\nf\",\"'=1\"\r\n");
    }

    proptest! {
        #[test]
        fn no_field_begins_with_a_formula(field in "\\PC{0,40}|[=+@ \t-]{0,3}\\PC{0,10}") {
            let safe = defused(&field);
            let begin = safe.trim_start().chars().next();
            prop_assert!(begin.is_none_or(|first| !FORMULA.contains(&first)), "{:?}", safe);
            prop_assert!(safe.ends_with(&field));
        }
    }
}
