//! Octets in clear that wait for a reader whose buffer was too small for them.

use std::io;

use tokio::io::ReadBuf;
use zeroize::Zeroize;

/// Octets in clear that wait for their reader; wiped when they are taken, when they grow and when they go.
#[derive(Default)]
pub(super) struct Opened {
    octets: Vec<u8>,
    taken: usize,
}

impl Opened {
    pub(super) fn waiting(&self) -> &[u8] {
        self.octets.get(self.taken..).unwrap_or_default()
    }

    /// Whether no memory is held.
    #[cfg(test)]
    pub(super) const fn is_released(&self) -> bool {
        self.octets.capacity() == 0
    }

    /// Adds to what waits. Never fails; has the shape of a taker.
    pub(super) fn keep(&mut self, more: &[u8]) -> io::Result<()> {
        if more.is_empty() {
            return Ok(());
        }
        // Growing by itself would leave the old octets where they were.
        let mut larger = Vec::with_capacity(self.octets.len() + more.len());
        larger.extend_from_slice(&self.octets);
        larger.extend_from_slice(more);
        self.octets.zeroize();
        self.octets = larger;
        Ok(())
    }

    /// Moves what fits into `buffer`.
    pub(super) fn take(&mut self, buffer: &mut ReadBuf<'_>) {
        let now = self
            .waiting()
            .get(..buffer.remaining())
            .unwrap_or_else(|| self.waiting());
        buffer.put_slice(now);
        self.taken += now.len();
        if self.waiting().is_empty() {
            *self = Self::default();
        }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.octets.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_small_reader_leaves_is_given_piece_by_piece() {
        let mut opened = Opened::default();
        opened.keep(b"a LOGIN anna ").unwrap();
        opened.keep(b"secret\r\n").unwrap();
        let mut given = Vec::new();
        while !opened.waiting().is_empty() {
            let mut piece = [0; 5];
            let mut buffer = ReadBuf::new(&mut piece);
            opened.take(&mut buffer);
            given.extend_from_slice(buffer.filled());
        }
        assert_eq!(given, b"a LOGIN anna secret\r\n");
        assert!(opened.is_released());
    }
}
