//! The command line, run as the real program in folders of its own.
//!
//! What is printed for people is held by snapshots with ids, times and paths replaced; what is printed for programs is
//! read as JSON.

mod daemon;
mod devices;
mod directory;
mod dns;
mod doctor;
mod help;
mod import;
pub(crate) mod installation;
mod people;
mod people_refused;
mod setup;
mod story;
mod trail;
