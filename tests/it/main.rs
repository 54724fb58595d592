//! The integration tests: one binary.

#[expect(dead_code, reason = "the demo uses parts of the kit that no test needs")]
#[path = "../kit/mod.rs"]
mod kit;

mod cli;
mod clients;
mod config;
mod fuzz_corpus;
mod gateway;
mod hostile;
mod import;
mod outage;
mod real_servers;
mod records;
mod revocation;
mod site;
mod smuggling;
mod transcripts;
