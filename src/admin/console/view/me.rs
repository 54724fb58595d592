//! One's own mailboxes, devices and history, across all organisations.

use super::activity::ActivityRow;
use super::device::{DeviceRow, MailboxLink};
use super::scope::*;
use crate::model::OrgId;

/// One of one's own mailboxes.
#[derive(Debug, Clone)]
pub struct MyMailbox {
    /// In which organisation.
    pub org: OrgId,
    /// The organisation's name.
    pub org_name: String,
    /// Which.
    pub mailbox: MailboxLink,
    /// One's own devices on it.
    pub devices: Vec<DeviceRow>,
    /// How many devices of others there are, where one may see them.
    pub others: Option<u64>,
    /// When the access ends by itself.
    pub ends_at: Option<Timestamp>,
    /// It refuses every login.
    pub is_suspended: bool,
    /// Devices may be added.
    pub may_add_device: bool,
}

/// `/me`.
#[derive(Debug, Template)]
#[template(path = "me/mailboxes.html")]
pub struct MyMailboxes {
    /// What stands around it.
    pub frame: Frame,
    /// The list.
    pub listing: Listing,
    /// The mailboxes.
    pub mailboxes: Vec<MyMailbox>,
    /// One may lose a device only where there is one, on this page or another.
    pub has_devices: bool,
}

impl MyMailboxes {
    fn title(&self) -> Line {
        Line::new("nav-my-mailboxes")
    }

    /// With one organisation its name says nothing.
    fn has_orgs(&self) -> bool {
        self.frame.orgs.len() > 1
    }
}

/// `/me/lost`: which device was lost. Sends `device`, which is paused at once.
#[derive(Debug, Template)]
#[template(path = "me/lost.html")]
pub struct LostDevice {
    /// What stands around it.
    pub frame: Frame,
    /// One's own devices that are not paused.
    pub devices: Vec<DeviceRow>,
}

impl LostDevice {
    fn title(&self) -> Line {
        Line::new("lost-title")
    }
}

/// `/me/activity`.
#[derive(Debug, Template)]
#[template(path = "me/activity.html")]
pub struct MyActivity {
    /// What stands around it.
    pub frame: Frame,
    /// The list.
    pub listing: Listing,
    /// Its rows.
    pub rows: Vec<ActivityRow>,
}

impl MyActivity {
    fn title(&self) -> Line {
        Line::new("nav-my-activity")
    }
}
