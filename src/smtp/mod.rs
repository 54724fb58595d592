//! SMTP submission (RFC 5321, RFC 6409): what is said before login, the login upstream, and the guard after it.
//!
//! [`Session`] speaks to a client until it is logged in; [`Client`] logs in upstream; [`Guard`] stays between the two
//! afterwards and lets only commands pass that it understood. All three are plain values: octets in, octets out. None
//! of them owns a socket, reads a clock or waits. No MAIL, RCPT or DATA is served here: that is the mail store's work.
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice
    )
)]

pub mod client;
pub mod command;
pub mod extensions;
pub mod guard;
pub mod received;
pub mod reply;
pub mod session;
pub mod syntax;

pub use client::Client;
pub use extensions::Extensions;
pub use guard::Guard;
pub use session::{Config, Session};
