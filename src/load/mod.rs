//! A mail client that makes load: the generator behind `postern load` and of the benchmark.
//!
//! It speaks IMAP and SMTP as a client to any host, knows nothing of the gateway, checks what it gets back, and counts
//! what goes wrong by kind ([`Failure::word`]). Server certificates are always verified. Every step has a time limit,
//! every buffer a size, and a run is bounded by count or time, so that no host can hold it.
//!
//! [`Session`] is one connection; [`run()`] carries a [`Plan`] out and makes a [`Report`].

mod client_tls;
mod expected;
mod failure;
mod folder;
mod idle;
mod plan;
mod report;
mod run;
mod session;
mod target;
#[cfg(test)]
mod tests;
mod wire;
mod worker;

pub use client_tls::{ClientTls, Error, Offer, Trust};
pub use expected::Expected;
pub use failure::Failure;
pub use plan::{Bound, Folder, Guess, Plan, Watch, Work};
pub use report::{BESIDE, Latency, LeftBehind, Part, Report};
pub use run::run;
pub use session::Session;
pub use target::{Account, Mechanism, Security, Target};
