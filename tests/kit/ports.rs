//! Loopback ports for servers that cannot be told "any port".
//!
//! They lie below Linux's ephemeral range (32768 and up), so that no outgoing connection takes one between the look
//! and the server's own bind, nor while a server is stopped and about to come back on the same port. A port is never
//! handed out twice by one process; another process may still win the race, so servers retry with fresh ports.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Context as _;

const FIRST: u32 = 20_000;
const COUNT: u32 = 12_000;

static HANDED_OUT: AtomicU32 = AtomicU32::new(0);

/// A port on 127.0.0.1 that nothing listens on.
pub(crate) fn free() -> anyhow::Result<u16> {
    // Different processes begin at different places.
    let start = std::process::id().wrapping_mul(97);
    (0..COUNT)
        .map(|_| FIRST + start.wrapping_add(HANDED_OUT.fetch_add(1, Ordering::Relaxed)) % COUNT)
        .filter_map(|port| u16::try_from(port).ok())
        .find(|&port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok())
        .context("no free port between 20000 and 31999 on 127.0.0.1")
}
