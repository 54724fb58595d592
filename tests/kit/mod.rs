//! Real mail servers and a small mail client, for the integration tests and for the demo.
//!
//! Everything runs as the caller in temporary folders on free loopback ports, and ends when its value is dropped. The
//! programs are Debian's own (`scripts/setup` installs them). Needs nothing of a test harness; both users include it
//! with `#[path]`. Errors say what was waited for and end with the tail of the log of the program at fault.

pub(crate) mod certificates;
pub(crate) mod dovecot;
pub(crate) mod http;
pub(crate) mod imap;
pub(crate) mod message;
#[expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
pub(crate) mod name_server;
pub(crate) mod ports;
pub(crate) mod postern;
pub(crate) mod postfix;
pub(crate) mod process;
pub(crate) mod secrets;
pub(crate) mod smtp;
pub(crate) mod stack;
pub(crate) mod wait;
pub(crate) mod wire;
pub(crate) mod work_dir;

/// A password for a server of the kit: 128 random bits in hexadecimal.
pub(crate) fn random_word() -> anyhow::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
