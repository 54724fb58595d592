//! stdout: one JSON value, or text and tables for people. stderr: failures and notes.
//!
//! Labels and client names come from outside; the model and the audit log keep controls out of them, and JSON escapes
//! the rest, so nothing printed here can steer a terminal.

use std::io::{self, IsTerminal, Write};

use comfy_table::presets::NOTHING;
use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width};
use serde::Serialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::failure::{Exit, Failure};

/// How wide a terminal is taken for that does not say it.
const USUAL_WIDTH: u16 = 80;
/// Blanks behind a column.
const PADDING: u16 = 2;
/// Words up to so many characters are not broken, however narrow the terminal is.
const WORD_MAX: usize = 40;
/// A table is not squeezed below this, however narrow the terminal says it is.
const MIN_TABLE_WIDTH: u16 = 60;
/// The capacity that holds any answer with a password in it, so that its buffer never moves unwiped.
const SECRET_CAPACITY: usize = 16_384;

/// Where a command writes.
pub(super) struct Output {
    json: bool,
    to: Stream,
}

#[derive(Clone, Copy)]
enum Stream {
    Stdout,
    Stderr,
}

impl Output {
    pub(super) const fn new(json: bool) -> Self {
        Self {
            json,
            to: Stream::Stdout,
        }
    }

    /// For what accompanies a complete answer on stdout.
    pub(super) const fn beside(json: bool) -> Self {
        Self {
            json,
            to: Stream::Stderr,
        }
    }

    pub(super) const fn is_json(&self) -> bool {
        self.json
    }

    /// Prints the JSON value, or what `human` makes of the same facts.
    pub(super) fn show(&self, value: &impl Serialize, human: impl FnOnce() -> String) -> Result<(), Failure> {
        let text = if self.json {
            serde_json::to_string_pretty(value).map_err(Failure::failed)?
        } else {
            human()
        };
        self.line(&text)
    }

    /// The same for facts with a password among them: every copy is wiped.
    pub(super) fn show_secret(
        &self,
        value: &impl Serialize,
        human: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
    ) -> Result<(), Failure> {
        let mut text = Zeroizing::new(Vec::with_capacity(SECRET_CAPACITY));
        if self.json {
            serde_json::to_writer_pretty(&mut *text, value).map_err(Failure::failed)?;
        } else {
            human(&mut text)?;
        }
        if text.last() != Some(&b'\n') {
            text.push(b'\n');
        }
        let mut stdout = io::stdout().lock();
        ended(stdout.write_all(&text).and_then(|()| stdout.flush()))
    }

    /// Prints one JSON value on one line, or its text: for answers of many independent rows.
    pub(super) fn row(&self, value: &impl Serialize, human: impl FnOnce() -> String) -> Result<(), Failure> {
        let text = if self.json {
            serde_json::to_string(value).map_err(Failure::failed)?
        } else {
            human()
        };
        self.line(&text)
    }

    /// Prints text as it is.
    pub(super) fn line(&self, text: &str) -> Result<(), Failure> {
        let text = text.trim_end_matches('\n');
        match self.to {
            Stream::Stdout => {
                let mut stdout = io::stdout().lock();
                ended(writeln!(stdout, "{text}").and_then(|()| stdout.flush()))
            }
            Stream::Stderr => {
                self.note(text);
                Ok(())
            }
        }
    }

    /// Tells people something that is not part of the answer.
    pub(super) fn note(&self, text: &str) {
        // Nobody to tell is no reason to fail.
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    pub(super) fn failure(&self, failure: &Failure) {
        if failure.message.is_empty() {
            return;
        }
        if self.json {
            self.note(&json!({ "error": { "kind": failure.exit.name(), "message": failure.message } }).to_string());
        } else if failure.exit == Exit::Config {
            self.note(&failure.message);
        } else {
            self.note(&format!("postern: {}", failure.message));
        }
    }
}

/// A reader that went away (`postern audit | head`) has all it wanted.
fn ended(outcome: io::Result<()>) -> Result<(), Failure> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(Failure::from),
    }
}

/// An aligned table; `empty` is said in place of one without rows.
pub(super) fn table<const N: usize>(header: [&str; N], rows: Vec<[String; N]>, empty: &str) -> String {
    if rows.is_empty() {
        return empty.to_owned();
    }
    let width = io::stdout().is_terminal().then(|| {
        let width = rustix::termios::tcgetwinsize(io::stdout()).map_or(0, |size| size.ws_col);
        // Some terminals do not say.
        if width == 0 {
            USUAL_WIDTH
        } else {
            width.max(MIN_TABLE_WIDTH)
        }
    });
    arranged(header, rows, width)
}

/// The table, squeezed to a width where there is one.
fn arranged<const N: usize>(header: [&str; N], rows: Vec<[String; N]>, width: Option<u16>) -> String {
    let mut words = header.map(str::len);
    for row in &rows {
        for (longest, cell) in words.iter_mut().zip(row) {
            *longest = cell
                .split_whitespace()
                .map(|word| word.chars().count())
                .fold(*longest, usize::max);
        }
    }
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(header);
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(width);
    }
    for row in rows {
        table.add_row(row);
    }
    for (column, longest) in words.into_iter().enumerate() {
        if let Some(column) = table.column_mut(column) {
            column.set_padding((0, PADDING));
            // An address or an id that is broken in two can be neither read nor copied.
            let least = u16::try_from(longest.min(WORD_MAX)).unwrap_or_default();
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least + PADDING)));
        }
    }
    table.trim_fmt()
}

/// `1 device`, `2 devices`.
pub(super) fn counted(number: usize, one: &str, many: &str) -> String {
    if number == 1 {
        format!("1 {one}")
    } else {
        format!("{number} {many}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_table_breaks_between_words_and_never_inside_an_address_or_id() {
        let row = ["lucie@private.example", "Lucie Martin", "usr-06ybf0fszp15a"].map(str::to_owned);
        let shown = |width| arranged(["ADDRESS", "NAME", "ID"], vec![row.clone()], width);
        assert_eq!(
            shown(Some(50)),
            "ADDRESS                NAME    ID\n\
             lucie@private.example  Lucie   usr-06ybf0fszp15a\n                       Martin"
        );
        for width in [Some(10), Some(200), None] {
            let shown = shown(width);
            assert!(
                shown.contains("lucie@private.example") && shown.contains("usr-06ybf0fszp15a"),
                "{shown}"
            );
        }
        assert_eq!(shown(Some(200)), shown(None));
        let long = "x".repeat(WORD_MAX * 3);
        let shown = arranged(["WORD", "ID"], vec![[long, "usr-06ybf0fszp15a".to_owned()]], Some(80));
        assert!(shown.lines().all(|line| line.len() <= 80), "{shown}");
    }
}
