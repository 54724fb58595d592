//! The audit log as a file, the same from the Manager and from the command line: CSV for spreadsheets, JSON lines for
//! programs.
//!
//! A spreadsheet takes a field that begins with certain characters for a formula and may send what stands beside it
//! elsewhere: such fields begin with an apostrophe in CSV. Programs get them as they are.

use std::io;
use std::str::FromStr;

use serde_json::json;

use crate::store::AuditRow;

/// Rows of one file. Beyond it, the last line says so; a day that is named makes further files.
pub const EXPORTED_MAX: usize = 1_000_000;

/// What a spreadsheet reads as the begin of a formula, in front of any blanks; also in full width, which some fold.
const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// Spreadsheets take a file for UTF-8 only where it begins with this.
const BYTE_ORDER_MARK: &str = "\u{feff}";

const COLUMNS: [&str; 12] = [
    "number", "at", "who", "origin", "behalf", "action", "subject", "detail", "hash", "org", "mailbox", "user",
];

/// In which form a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// For spreadsheets.
    Csv,
    /// For programs: one object a line.
    JsonLines,
}

/// A word that names no shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a format: write csv or jsonl")]
pub struct BadShape(String);

impl FromStr for Shape {
    type Err = BadShape;

    fn from_str(word: &str) -> Result<Self, BadShape> {
        [Self::Csv, Self::JsonLines]
            .into_iter()
            .find(|shape| shape.extension().eq_ignore_ascii_case(word))
            .ok_or_else(|| BadShape(word.to_owned()))
    }
}

impl Shape {
    /// Its media type.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::JsonLines => "application/x-ndjson",
        }
    }

    /// How names of such files end.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
        }
    }

    /// What a file begins with.
    ///
    /// # Errors
    /// A line cannot be written.
    pub fn head(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Csv => {
                let mut head = BYTE_ORDER_MARK.as_bytes().to_vec();
                head.extend(csv_line(&COLUMNS)?);
                Ok(head)
            }
            Self::JsonLines => Ok(Vec::new()),
        }
    }

    /// Rows, a line each.
    ///
    /// # Errors
    /// A line cannot be written.
    pub fn rows(self, rows: &[AuditRow]) -> io::Result<Vec<u8>> {
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
    ///
    /// # Errors
    /// The line cannot be written.
    pub fn cut(self, before: i64) -> io::Result<Vec<u8>> {
        match self {
            Self::Csv => {
                let said = format!("not everything: go on with entries before {before}");
                csv_line(&["", "", "", "", "", "", "", &said, "", "", "", ""])
            }
            Self::JsonLines => Ok(format!("{}\n", json!({ "cut": true, "before": before })).into_bytes()),
        }
    }
}

fn csv_row(row: &AuditRow) -> io::Result<Vec<u8>> {
    let (number, at, detail) = (row.number.to_string(), row.at.rfc3339(), row.detail.to_string());
    let hash = hash(row);
    let org = row.org.map(|org| org.to_string());
    let mailbox = row.mailbox.map(|mailbox| mailbox.to_string());
    let user = row.actor.user.map(|user| user.to_string());
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
        org.as_deref().unwrap_or_default(),
        mailbox.as_deref().unwrap_or_default(),
        user.as_deref().unwrap_or_default(),
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
        "org": row.org,
        "mailbox": row.mailbox,
        "subject": row.subject,
        "detail": row.detail,
        "hash": hash(row),
    });
    format!("{line}\n").into_bytes()
}

/// The place of a row in the chain, in hexadecimal digits.
pub fn hash(row: &AuditRow) -> Option<String> {
    row.hash
        .map(|hash| hash.iter().map(|octet| format!("{octet:02x}")).collect())
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

    #[test]
    fn every_line_of_a_table_has_all_its_columns() {
        let file = [Shape::Csv.head().unwrap(), Shape::Csv.cut(7).unwrap()].concat();
        let mut reader = csv::Reader::from_reader(&*file);
        let row = reader.records().next().unwrap().unwrap();
        assert_eq!(row.len(), COLUMNS.len());
        assert!(row.iter().any(|field| field.contains("before 7")));
    }

    #[test]
    fn shapes_are_named_like_their_files() {
        assert_eq!("CSV".parse(), Ok(Shape::Csv));
        assert_eq!("jsonl".parse(), Ok(Shape::JsonLines));
        assert!(
            "xls"
                .parse::<Shape>()
                .is_err_and(|bad| bad.to_string().contains("csv or jsonl"))
        );
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
