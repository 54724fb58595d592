//! IMAP as far as a login gateway speaks it (RFC 9051, RFC 3501): towards the client until it is logged in, towards the
//! mail store until we are logged in there, and what little the splice has to know of the stream afterwards.
//!
//! [`Session`] is the client's side, [`client::Client`] the mail store's. [`boundary::Boundary`] tells where a goodbye
//! fits into a spliced stream, [`filter::CommandFilter`] keeps a spliced session from going back before its login, and
//! [`observe::IdObserver`] reads what a client calls itself. None of them knows a socket or a clock, and no command
//! that works on mail is known here at all.
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

pub mod boundary;
pub mod client;
pub mod filter;
pub mod observe;

mod command;
mod frame;
mod response;
mod session;
mod syntax;
mod tail;

pub use session::{Config, Session};
