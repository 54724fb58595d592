//! The integration tests: one binary.

#[expect(dead_code, reason = "the demo uses parts of the kit that no test needs")]
#[path = "../kit/mod.rs"]
mod kit;

mod api;
mod browser;
mod cli;
mod clients;
mod config;
mod discovery;
mod fuzz_corpus;
mod gateway;
mod hostile;
mod import;
mod load;
mod mail_out;
mod names;
mod outage;
mod real_servers;
mod records;
mod reload;
mod revocation;
mod secrets;
mod site;
mod smuggling;
mod thunderbird;
mod tls;
mod transcripts;
mod upstreams;
