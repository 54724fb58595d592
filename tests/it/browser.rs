//! The Manager in a real browser: Chromium in front of the real daemon, a real Dovecot and a real Postfix.
//!
//! The scripts of `tests/browser` are the people at their browsers. Servers and mail programs are here; a script asks for
//! what these do by a line of JSON, and gets one back. What a failed script saw (pictures, pages, the daemon's log) is left
//! in `target/browser-tests`. With `POSTERN_LOOK` set, every page is photographed into `target/look-live`
//! (`scripts/look-live`).

mod answers;
mod programs;
mod script;
mod site;

use site::Manager;

/// Starts the servers and lets one script play against them.
fn play(script: &str) -> anyhow::Result<()> {
    script::run(script, Manager::start()?)
}

#[test]
fn the_story_from_an_empty_installation_to_a_withdrawn_access() -> anyhow::Result<()> {
    play("story")
}

#[test]
fn everything_works_without_scripts() -> anyhow::Result<()> {
    play("plain")
}

#[test]
fn links_from_mails_open_once_and_only_for_whom_they_are_meant() -> anyhow::Result<()> {
    play("links")
}

#[test]
fn secrets_leave_with_the_reader_and_nobody_overwrites_another() -> anyhow::Result<()> {
    play("edges")
}

#[test]
fn each_tile_ends_in_a_sign_in_that_turns_the_page_green() -> anyhow::Result<()> {
    play("tiles")
}

#[test]
fn every_page_of_every_role_is_accessible_and_within_its_rules() -> anyhow::Result<()> {
    play("walk")
}
