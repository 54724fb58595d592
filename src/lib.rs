//! Postern: an authentication gateway for IMAP and SMTP submission that gives each device a password of its own.
//!
//! Read `ARCHITECTURE.md` first. Modules stand in the order of their layers, smallest knowledge first; `tests/tidy.rs`
//! holds who may import whom.

// words
pub mod clock;
pub mod log_filter;
pub mod metrics;
pub mod peer;
pub mod secret;
// pure
pub mod imap;
pub mod model;
pub mod onboard;
pub mod preauth;
pub mod sasl;
pub mod smtp;
pub mod wire;
// mechanism
pub mod audit;
pub mod dns;
pub mod identity;
pub mod keys;
pub mod outbox;
pub mod revoke;
pub mod store;
pub mod throttle;
pub mod tls;
pub mod trial;
pub mod tries;
pub mod upstream;
pub mod verify;
// use
pub mod directory;
pub mod session;
// edge
pub mod admin;
pub mod cli;
pub mod listen;
pub mod load;
// root
pub mod config;
pub mod server;
