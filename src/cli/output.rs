//! stdout: one JSON value, or text and tables for people. stderr: failures and notes.
//!
//! Labels and client names come from outside; the model and the audit log keep controls out of them, and JSON escapes
//! the rest, so nothing printed here can steer a terminal.

use std::io::{self, IsTerminal, Write};

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use serde::Serialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::failure::{Exit, Failure};

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
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(header);
    if io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        if table.width().is_none_or(|width| width < MIN_TABLE_WIDTH) {
            table.set_width(MIN_TABLE_WIDTH);
        }
    }
    for row in rows {
        table.add_row(row);
    }
    for column in 0..N {
        if let Some(column) = table.column_mut(column) {
            column.set_padding((0, 2));
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
