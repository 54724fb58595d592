//! What the API shows of each thing: named fields of our own choice, so that a new field of the model is not shown before
//! somebody means it to be. None of them is a hash, a tag or a secret; a secret is shown once, beside the thing that it
//! is of, by the handler that made it.

mod devices;
mod mailboxes;
mod people;
mod records;

pub(super) use devices::{Device, DeviceLink, Session};
pub(super) use mailboxes::{Alias, Domain, Grant, Mailbox, MailboxRef, Overview};
pub(super) use people::{Ending, Entry, Invitation, Member, PersonRef, Token, User};
pub(super) use records::DomainRecords;

use serde::Serialize;

/// A revision of something that has no number of its own: another one wherever one of these parts is another.
pub(super) fn revision(parts: &impl Serialize) -> String {
    /// Letters of it: it tells states of one thing apart, and is no secret.
    const LETTERS: usize = 16;
    let octets = serde_json::to_vec(parts).unwrap_or_default();
    let mut text = blake3::hash(&octets).to_hex().to_string();
    text.truncate(LETTERS);
    text
}
