//! People of an organisation: the list, and a person with their accesses, devices and what happens when they leave.

use super::device::{DeviceRow, MailboxLink};
use super::scope::*;
use crate::model::{Right, Role, UserId};

/// A person in the list.
#[derive(Debug, Clone)]
pub struct PersonRow {
    /// Who.
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// Their sign-in address.
    pub address: String,
    /// Their role.
    pub role: Role,
    /// How many mailboxes they have access to.
    pub mailboxes: u64,
    /// How many devices are theirs.
    pub devices: u64,
    /// They give a code besides the password.
    pub has_code: bool,
    /// When they last used the Manager.
    pub seen_at: Option<Timestamp>,
    /// It is the person who looks at the list.
    pub is_me: bool,
}

impl PersonRow {
    /// What a list says of somebody whom no mailbox was granted: most roles see all of them anyway.
    fn without_mailbox(&self) -> &'static str {
        match self.role {
            Role::Member => "person-no-mailbox",
            _ => "person-all-mailboxes",
        }
    }

    /// The same on their own page.
    fn without_access(&self) -> &'static str {
        match self.role {
            Role::Member => "person-no-access",
            _ => "person-all-access",
        }
    }
}

/// `/o/{org}/people`. Takes `q` and the filters of the listing.
#[derive(Debug, Template)]
#[template(path = "org/people.html")]
pub struct People {
    /// What stands around it.
    pub frame: Frame,
    /// The list.
    pub listing: Listing,
    /// Its rows.
    pub rows: Vec<PersonRow>,
    /// People may be invited.
    pub may_invite: bool,
}

impl People {
    fn title(&self) -> Line {
        Line::new("nav-people")
    }

    /// Only the person who looks.
    fn is_alone(&self) -> bool {
        !self.listing.is_filtered() && self.rows.iter().all(|row| row.is_me)
    }
}

/// An access of a person.
#[derive(Debug, Clone)]
pub struct PersonAccess {
    /// To which mailbox.
    pub mailbox: MailboxLink,
    /// What they may do.
    pub rights: Vec<Right>,
    /// When it ends by itself.
    pub ends_at: Option<Timestamp>,
}

/// What ends when a person is removed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Leaving {
    /// Accesses.
    pub accesses: u64,
    /// Their devices.
    pub devices: u64,
    /// Mailboxes that nobody would have access to.
    pub unread: u64,
}

/// `/o/{org}/people/{user}`.
#[derive(Debug, Template)]
#[template(path = "org/person.html")]
pub struct Person {
    /// What stands around it.
    pub frame: Frame,
    /// Who.
    pub person: PersonRow,
    /// Since when they belong to the organisation.
    pub since: Timestamp,
    /// Their accesses.
    pub accesses: Vec<PersonAccess>,
    /// Their devices.
    pub devices: Vec<DeviceRow>,
    /// What ends when they leave.
    pub leaving: Leaving,
    /// Their role may be changed.
    pub may_change_role: bool,
    /// What they may do with mailboxes may be changed.
    pub may_change_access: bool,
    /// They may be removed.
    pub may_remove: bool,
    /// Why they may not, where that needs saying (the last owner).
    pub why_not: Option<Line>,
}

impl Person {
    fn title(&self) -> Line {
        Line::name(&self.person.name)
    }

    /// The table of devices can neither be searched nor sorted here.
    fn listing(&self) -> Listing {
        Listing::default()
    }
}

/// `/o/{org}/people/{user}/role`. Sends `role` and `revision`.
#[derive(Debug, Template)]
#[template(path = "org/person_role.html")]
pub struct PersonRole {
    /// What stands around it.
    pub frame: Frame,
    /// Who.
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// The role.
    pub role: Field,
    /// The roles that the person at the keyboard may give.
    pub offered: Vec<Role>,
    /// Which state of the record this is.
    pub revision: String,
}

impl PersonRole {
    fn title(&self) -> Line {
        Line::new("person-role-title").with("name", &self.name)
    }
}
