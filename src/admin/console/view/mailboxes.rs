//! Mailboxes: the list, a new one, one with its tabs, and its aliases.

use super::activity::ActivityRow;
use super::device::{DeviceRow, MailboxLink, PersonLink};
use super::scope::*;
use crate::model::{AliasId, InvitationId, MailboxId, Right};

/// A mailbox in the list.
#[derive(Debug, Clone)]
pub struct MailboxRow {
    /// Which.
    pub id: MailboxId,
    /// Its address.
    pub address: String,
    /// The first few people with access, by name.
    pub people: Vec<String>,
    /// How many have access altogether.
    pub people_count: u64,
    /// Devices that may log in.
    pub devices: u64,
    /// None of them signed in for ninety days.
    pub is_silent: bool,
    /// Aliases.
    pub aliases: u64,
    /// The last sign-in, and the name of the device.
    pub last_used: Option<(Timestamp, String)>,
    /// Since when it refuses every login.
    pub suspended_at: Option<Timestamp>,
}

impl MailboxRow {
    /// Its state.
    pub fn badge(&self) -> Badge {
        if self.suspended_at.is_some() {
            Badge::new(Tone::Warning, Line::new("mailbox-suspended"))
        } else if self.people_count == 0 && self.devices == 0 {
            Badge::new(Tone::Warning, Line::new("mailbox-unread"))
        } else {
            Badge::new(Tone::Plain, Line::new("mailbox-active"))
        }
    }

    /// How many people are behind those that are named.
    pub fn more_people(&self) -> u64 {
        self.people_count
            .saturating_sub(u64::try_from(self.people.len()).unwrap_or(u64::MAX))
    }
}

/// `/o/{org}/mailboxes`. Takes `q`, the filters of the listing, and where to go on.
#[derive(Debug, Template)]
#[template(path = "org/mailboxes.html")]
pub struct Mailboxes {
    /// What stands around it.
    pub frame: Frame,
    /// The list.
    pub listing: Listing,
    /// Its rows.
    pub rows: Vec<MailboxRow>,
    /// There is a mail domain to make a mailbox in.
    pub has_domain: bool,
    /// Mailboxes may be created.
    pub may_create: bool,
}

impl Mailboxes {
    fn title(&self) -> Line {
        Line::new("nav-mailboxes")
    }
}

/// `/o/{org}/mailboxes/new`. Sends `local` and `domain`.
#[derive(Debug, Template)]
#[template(path = "org/mailbox_new.html")]
pub struct NewMailbox {
    /// What stands around it.
    pub frame: Frame,
    /// The part in front of the at sign, or a whole address, which people paste.
    pub local: Field,
    /// The domain.
    pub domain: Field,
    /// The organisation's domains.
    pub domains: Vec<String>,
}

impl NewMailbox {
    fn title(&self) -> Line {
        Line::new("mailbox-new-title")
    }
}

/// `/o/{org}/mailboxes/{mailbox}/created`: the page after creation, with the ways on.
#[derive(Debug, Template)]
#[template(path = "org/mailbox_created.html")]
pub struct MailboxCreated {
    /// What stands around it.
    pub frame: Frame,
    /// Which.
    pub id: MailboxId,
    /// Its address.
    pub address: String,
    /// Access may be given.
    pub may_grant: bool,
    /// Devices may be added.
    pub may_add_device: bool,
}

impl MailboxCreated {
    fn title(&self) -> Line {
        Line::name(&self.address)
    }
}

/// The tabs of a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    /// What happened.
    Activity,
    /// Its further addresses.
    Aliases,
    /// Its devices.
    Devices,
    /// Who has access.
    People,
}

/// What stands above the tabs of a mailbox.
#[derive(Debug, Clone)]
pub struct MailboxHead {
    /// Which.
    pub id: MailboxId,
    /// Its address.
    pub address: String,
    /// Since when it refuses every login.
    pub suspended_at: Option<Timestamp>,
    /// How many people have access.
    pub people: u64,
    /// How many devices may log in.
    pub devices: u64,
    /// How many aliases it has.
    pub aliases: u64,
    /// The list of mailboxes is the way back; otherwise it is one's own mailboxes.
    pub from_list: bool,
    /// The person sees the tab of people.
    pub may_see_people: bool,
    /// Access may be given and withdrawn.
    pub may_grant: bool,
    /// Devices may be added, at least one's own.
    pub may_add_device: bool,
    /// All its devices may be managed.
    pub may_manage_devices: bool,
    /// Aliases may be added and removed.
    pub may_manage_aliases: bool,
    /// It may be suspended, resumed and deleted.
    pub may_change: bool,
}

/// Somebody with access to a mailbox.
#[derive(Debug, Clone)]
pub struct AccessRow {
    /// Who.
    pub person: PersonLink,
    /// Their sign-in address.
    pub address: String,
    /// What they may do.
    pub rights: Vec<Right>,
    /// When it ends by itself.
    pub ends_at: Option<Timestamp>,
    /// Their devices on this mailbox.
    pub devices: u64,
    /// Since when.
    pub since: Timestamp,
}

/// An invitation under way that will give access to a mailbox.
#[derive(Debug, Clone)]
pub struct InvitedRow {
    /// The invitation.
    pub id: InvitationId,
    /// To whom.
    pub address: String,
    /// What they will be able to do.
    pub rights: Vec<Right>,
    /// Until when it can be accepted.
    pub until: Timestamp,
}

/// `/o/{org}/mailboxes/{mailbox}` and `.../people`.
#[derive(Debug, Template)]
#[template(path = "org/mailbox_people.html")]
pub struct MailboxPeople {
    /// What stands around it.
    pub frame: Frame,
    /// Which mailbox.
    pub head: MailboxHead,
    /// Who has access.
    pub rows: Vec<AccessRow>,
    /// Invitations under way that will give access.
    pub invited: Vec<InvitedRow>,
}

impl MailboxPeople {
    const TAB: Tab = Tab::People;

    fn title(&self) -> Line {
        Line::name(&self.head.address)
    }
}

/// `/o/{org}/mailboxes/{mailbox}/devices`.
#[derive(Debug, Template)]
#[template(path = "org/mailbox_devices.html")]
pub struct MailboxDevices {
    /// What stands around it.
    pub frame: Frame,
    /// Which mailbox.
    pub head: MailboxHead,
    /// The list.
    pub listing: Listing,
    /// Its devices.
    pub rows: Vec<DeviceRow>,
    /// Only one's own devices are shown, for want of the right to see all.
    pub only_own: bool,
}

impl MailboxDevices {
    const TAB: Tab = Tab::Devices;

    /// Devices that ended are all there is: nobody can use the mailbox, as if there were none.
    fn is_nobody_left(&self) -> bool {
        let is_all = !self.listing.is_filtered() && !self.listing.has_pages();
        is_all && self.rows.iter().all(DeviceRow::is_over)
    }

    fn title(&self) -> Line {
        Line::name(&self.head.address)
    }
}

/// An alias in a list.
#[derive(Debug, Clone)]
pub struct AliasRow {
    /// Which.
    pub id: AliasId,
    /// The address.
    pub address: String,
    /// Since when.
    pub created_at: Timestamp,
}

/// `/o/{org}/mailboxes/{mailbox}/aliases`.
#[derive(Debug, Template)]
#[template(path = "org/mailbox_aliases.html")]
pub struct MailboxAliases {
    /// What stands around it.
    pub frame: Frame,
    /// Which mailbox.
    pub head: MailboxHead,
    /// Its aliases.
    pub rows: Vec<AliasRow>,
}

impl MailboxAliases {
    const TAB: Tab = Tab::Aliases;

    fn title(&self) -> Line {
        Line::name(&self.head.address)
    }
}

/// `/o/{org}/mailboxes/{mailbox}/activity`.
#[derive(Debug, Template)]
#[template(path = "org/mailbox_activity.html")]
pub struct MailboxActivity {
    /// What stands around it.
    pub frame: Frame,
    /// Which mailbox.
    pub head: MailboxHead,
    /// The list.
    pub listing: Listing,
    /// What happened.
    pub rows: Vec<ActivityRow>,
}

impl MailboxActivity {
    const TAB: Tab = Tab::Activity;

    fn title(&self) -> Line {
        Line::name(&self.head.address)
    }
}

/// `/o/{org}/mailboxes/{mailbox}/aliases/new`. Sends `local` and `domain`.
#[derive(Debug, Template)]
#[template(path = "org/alias_new.html")]
pub struct NewAlias {
    /// What stands around it.
    pub frame: Frame,
    /// Of which mailbox.
    pub mailbox: MailboxLink,
    /// The part in front of the at sign, or a whole address.
    pub local: Field,
    /// The domain.
    pub domain: Field,
    /// The organisation's domains.
    pub domains: Vec<String>,
}

impl NewAlias {
    fn title(&self) -> Line {
        Line::new("alias-new-title")
    }
}

/// `/o/{org}/mailboxes/{mailbox}/aliases/{alias}`: what an alias is, and the way to what people look for here.
#[derive(Debug, Template)]
#[template(path = "org/alias.html")]
pub struct AliasPage {
    /// What stands around it.
    pub frame: Frame,
    /// Which.
    pub alias: AliasRow,
    /// Of which mailbox.
    pub mailbox: MailboxLink,
    /// A device may be added to the mailbox.
    pub may_add_device: bool,
    /// The alias may be removed.
    pub may_remove: bool,
}

impl AliasPage {
    fn title(&self) -> Line {
        Line::name(&self.alias.address)
    }
}
