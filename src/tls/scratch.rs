//! Buffers that belong to threads, not to connections: what an idle connection does not hold costs nothing.
//!
//! A poll borrows one, and gives it back before it returns. There are two, because copying means writing to one
//! connection while octets read from another are still in the hand.

use std::cell::RefCell;

/// Octets taken by one read. Four TLS records of 16 KiB: fewer calls of the system than with one record each.
pub(super) const READ_BYTES: usize = 64 * 1024;

/// Octets in clear that one write takes over: four full TLS records.
pub(super) const WRITE_BYTES: usize = 64 * 1024;

/// The most that any connection keeps of a read that ended in the middle of something.
pub(super) const HELD_BYTES: usize = 80 * 1024;

/// Headers, nonces and tags of four records, a record of waiting alerts or key updates, and what a handshake left.
pub(super) const OVERHEAD_BYTES: usize = 8 * 1024;

thread_local! {
    static INCOMING: RefCell<Box<[u8]>> = RefCell::new(vec![0; HELD_BYTES + READ_BYTES].into_boxed_slice());
    static OUTGOING: RefCell<Box<[u8]>> = RefCell::new(vec![0; WRITE_BYTES + OVERHEAD_BYTES].into_boxed_slice());
}

/// Lends this thread's buffer for reading: [`HELD_BYTES`] and [`READ_BYTES`] behind them. `work` may write to
/// connections, but not read from one.
pub(super) fn incoming<T>(work: impl FnOnce(&mut [u8]) -> T) -> T {
    INCOMING.with_borrow_mut(|buffer| work(buffer))
}

/// Lends this thread's buffer for writing TLS: [`WRITE_BYTES`] and [`OVERHEAD_BYTES`]. `work` must not lend it again.
pub(super) fn outgoing<T>(work: impl FnOnce(&mut [u8]) -> T) -> T {
    OUTGOING.with_borrow_mut(|buffer| work(buffer))
}
