//! What is wrong with a configuration file, and where: `file:line:column: key: what; what to do`.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Whether the file can be used in spite of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It cannot.
    Error,
    /// It can, but somebody should know.
    Warning,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Error or warning.
    pub severity: Severity,
    /// The file.
    pub path: PathBuf,
    /// Line and column, from 1; 0 where the finding has no place in the file.
    pub line: usize,
    /// Column in characters.
    pub column: usize,
    /// The key, dotted; empty where there is none.
    pub key: String,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Collects findings while a file is read and checked.
#[derive(Debug)]
pub(super) struct Problems<'a> {
    path: &'a Path,
    text: &'a str,
    found: Vec<Problem>,
}

impl<'a> Problems<'a> {
    pub(super) const fn new(path: &'a Path, text: &'a str) -> Self {
        Self {
            path,
            text,
            found: Vec::new(),
        }
    }

    /// An error at a span of the text.
    pub(super) fn error_at(&mut self, span: Option<Range<usize>>, key: &str, message: impl Into<String>) {
        self.push(Severity::Error, span, key, message.into());
    }

    /// A warning at a span of the text.
    pub(super) fn warning_at(&mut self, span: Option<Range<usize>>, key: &str, message: impl Into<String>) {
        self.push(Severity::Warning, span, key, message.into());
    }

    pub(super) fn has_errors(&self) -> bool {
        self.found.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// All findings, in the order of the file.
    pub(super) fn into_sorted(mut self) -> Vec<Problem> {
        self.found.sort_by_key(|problem| (problem.line, problem.column));
        self.found
    }

    fn push(&mut self, severity: Severity, span: Option<Range<usize>>, key: &str, message: String) {
        let (line, column) = span.map_or((0, 0), |span| self.position(span.start));
        self.found.push(Problem {
            severity,
            path: self.path.to_owned(),
            line,
            column,
            key: key.to_owned(),
            message,
        });
    }

    fn position(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count();
        (before.matches('\n').count() + 1, column + 1)
    }
}
