//! Messages that nobody keeps: what the store sends and compares is the load generator's own known content.

use postern::load::Expected;

/// Longer than any message.
const ENDLESS: u64 = 1 << 62;

/// Compares a message that comes in with what it must be.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    octets: u64,
    wrong: bool,
}

impl Comparison {
    /// The next octets of the message.
    pub(super) fn take(&mut self, piece: &[u8]) {
        self.wrong |= Expected::new(ENDLESS).check(self.octets, piece).is_err();
        self.octets += piece.len() as u64;
    }

    /// How many octets have come.
    pub(super) const fn octets(&self) -> u64 {
        self.octets
    }

    /// Whether each was the one that belongs there.
    pub(super) const fn is_right(&self) -> bool {
        !self.wrong
    }
}
