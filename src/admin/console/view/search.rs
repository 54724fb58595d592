//! What a search found: mailboxes, people, devices, aliases, and what came from an address.

use super::activity::ActivityRow;
use super::device::{DeviceRow, MailboxLink};
use super::scope::*;
use crate::model::{AliasId, UserId};

/// An alias that was found.
#[derive(Debug, Clone)]
pub struct AliasFound {
    /// Which.
    pub id: AliasId,
    /// The address.
    pub address: String,
    /// Of which mailbox.
    pub mailbox: MailboxLink,
}

/// A person who was found.
#[derive(Debug, Clone)]
pub struct PersonFound {
    /// Who.
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// Their sign-in address.
    pub address: String,
}

/// `/o/{org}/search?q=`.
#[derive(Debug, Template)]
#[template(path = "org/search.html")]
pub struct Search {
    /// What stands around it.
    pub frame: Frame,
    /// What was searched for.
    pub query: String,
    /// Mailboxes.
    pub mailboxes: Vec<MailboxLink>,
    /// Aliases.
    pub aliases: Vec<AliasFound>,
    /// People.
    pub people: Vec<PersonFound>,
    /// Devices; for an internet address, those that used it.
    pub devices: Vec<DeviceRow>,
    /// For an internet address, what came from it.
    pub activity: Vec<ActivityRow>,
    /// There is more than is shown: a longer word finds less.
    pub is_cut: bool,
}

impl Search {
    fn title(&self) -> Line {
        if self.query.is_empty() {
            Line::new("search-label")
        } else {
            Line::new("search-title").with("query", &self.query)
        }
    }

    fn is_empty(&self) -> bool {
        self.mailboxes.is_empty()
            && self.aliases.is_empty()
            && self.people.is_empty()
            && self.devices.is_empty()
            && self.activity.is_empty()
    }

    /// The table of devices can neither be searched nor sorted here.
    fn listing(&self) -> Listing {
        Listing::default()
    }
}
