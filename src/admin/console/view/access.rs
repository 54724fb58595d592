//! Access of a person to a mailbox: given and changed. Its withdrawal is `confirm`'s.

use super::device::{MailboxLink, PersonLink};
use super::scope::*;

/// `/o/{org}/mailboxes/{mailbox}/people/new`. Sends `person` (an id) or `address` (somebody to invite), `rights` (any number),
/// `ends` (a day or nothing), `language` for an invitation, and `then`.
#[derive(Debug, Template)]
#[template(path = "org/access_new.html")]
pub struct NewAccess {
    /// What stands around it.
    pub frame: Frame,
    /// To which mailbox.
    pub mailbox: MailboxLink,
    /// People of the organisation without access to it.
    pub people: Vec<Choice>,
    /// Who was chosen.
    pub person: Field,
    /// Or the address of somebody who is not here yet.
    pub address: Field,
    /// The language of the invitation.
    pub language: Field,
    /// What they may do.
    pub rights: Ticks,
    /// The last day.
    pub ends: Field,
    /// People may be invited.
    pub may_invite: bool,
    /// `device` where a device is added next.
    pub then: String,
}

impl NewAccess {
    fn title(&self) -> Line {
        Line::new("access-give")
    }
}

/// `/o/{org}/mailboxes/{mailbox}/people/{user}`. Sends `rights`, `ends`, `revision`.
#[derive(Debug, Template)]
#[template(path = "org/access.html")]
pub struct AccessPage {
    /// What stands around it.
    pub frame: Frame,
    /// To which mailbox.
    pub mailbox: MailboxLink,
    /// Whose.
    pub person: PersonLink,
    /// Their sign-in address.
    pub address: String,
    /// What they may do.
    pub rights: Ticks,
    /// The last day.
    pub ends: Field,
    /// Since when.
    pub since: Timestamp,
    /// Which state of the record this is, so that nobody's change is overwritten.
    pub revision: String,
}

impl AccessPage {
    fn title(&self) -> Line {
        Line::new("access-title")
            .with("name", &self.person.name)
            .with("mailbox", &self.mailbox.address)
    }
}
