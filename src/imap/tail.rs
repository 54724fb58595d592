//! The last octets of a line that passes in pieces, enough to see whether it announces a literal.

use super::syntax::{self, LiteralHeader};

/// Octets of the longest literal announcement, `{18446744073709551615+}`, and the CR behind it.
const TAIL_BYTES: usize = 24;

/// The end of a line so far, without its LF.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Tail([u8; TAIL_BYTES]);

impl Tail {
    /// Takes more of the line.
    pub(super) fn push(&mut self, segment: &[u8]) {
        let kept = segment
            .get(segment.len().saturating_sub(TAIL_BYTES)..)
            .unwrap_or(segment);
        self.0.rotate_left(kept.len());
        if let Some(end) = self.0.get_mut(TAIL_BYTES.saturating_sub(kept.len())..) {
            end.copy_from_slice(kept);
        }
    }

    pub(super) fn ends_with_cr(&self) -> bool {
        self.0.last() == Some(&b'\r')
    }

    /// The literal that a line which ends here announces.
    pub(super) fn literal_header(&self) -> Option<LiteralHeader> {
        syntax::literal_header(self.0.strip_suffix(b"\r")?)
    }
}
