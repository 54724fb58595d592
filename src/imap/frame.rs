//! Where one command, or one response, ends: lines and the literals between them, before any syntax is looked at.
//!
//! Framing first means that a command nobody understands still ends where its sender thinks it ends, so that a
//! literal's octets are never read as commands (RFC 9051 §4.3). The input stays in the caller's buffer: a frame is
//! nothing but an offset into it.

use super::syntax::{self, LiteralHeader};
use crate::wire::{self, LineError};

/// How far a command at the front of a buffer is known to be complete.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    /// Octets up to the end of the last complete line, or of the literal that it announced, which may not be there yet.
    at: usize,
    /// Octets of the lines among them.
    line_bytes: usize,
}

/// What stands at the frame's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// The command has so many octets, its last CRLF included.
    Complete(usize),
    /// More input is needed.
    Incomplete,
    /// A line with a literal's announcement; the caller decides whether to [`Frame::keep`] the literal.
    Literal(LiteralHeader),
}

impl Frame {
    /// The frame of a command of which nothing was read yet.
    pub(super) const fn new() -> Self {
        Self { at: 0, line_bytes: 0 }
    }

    /// Octets that belong to the command so far.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// Finds the next piece. `lines` caps the octets of all lines of the command together, `limit` the whole of it.
    pub(super) fn next(&mut self, input: &[u8], lines: usize, limit: usize) -> Result<Piece, LineError> {
        let Some(rest) = input.get(self.at..) else {
            return Ok(Piece::Incomplete);
        };
        let room = lines.saturating_sub(self.line_bytes).min(limit.saturating_sub(self.at));
        let Some(length) = wire::line_length(rest, room)? else {
            return Ok(Piece::Incomplete);
        };
        self.at = self.at.saturating_add(length);
        self.line_bytes = self.line_bytes.saturating_add(length);
        let line = rest.get(..length.saturating_sub(2)).unwrap_or_default();
        Ok(syntax::literal_header(line).map_or(Piece::Complete(self.at), Piece::Literal))
    }

    /// Counts the literal announced by the last line to the command, if the command then has `limit` octets at most.
    #[must_use]
    pub(super) fn keep(&mut self, header: LiteralHeader, limit: usize) -> bool {
        let end = usize::try_from(header.size)
            .ok()
            .and_then(|size| self.at.checked_add(size));
        match end {
            Some(end) if end <= limit => {
                self.at = end;
                true
            }
            _ => false,
        }
    }
}
