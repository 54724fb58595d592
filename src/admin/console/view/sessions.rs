//! Who is connected at this moment.

use super::device::MailboxLink;
use super::scope::*;
use crate::model::DeviceId;
use crate::model::device::Use;

/// A mail session.
#[derive(Debug, Clone)]
pub struct SessionRow {
    /// Its number, as forms send it.
    pub id: u64,
    /// In which mailbox.
    pub mailbox: MailboxLink,
    /// Which device.
    pub device: DeviceId,
    /// The device's name.
    pub device_name: String,
    /// By which protocol, since when, from where, with which program.
    pub used: Use,
    /// Octets from the mail store to the client.
    pub received: u64,
    /// Octets from the client to the mail store.
    pub sent: u64,
}

/// `/o/{org}/sessions`. `.../sessions/{id}/end` is `confirm`'s.
#[derive(Debug, Template)]
#[template(path = "org/sessions.html")]
pub struct Sessions {
    /// What stands around it.
    pub frame: Frame,
    /// The list.
    pub listing: Listing,
    /// Its rows.
    pub rows: Vec<SessionRow>,
    /// Who was connected last, where nobody is now: device and moment.
    pub last: Option<(String, Timestamp)>,
    /// Sessions may be ended.
    pub may_end: bool,
}

impl Sessions {
    fn title(&self) -> Line {
        Line::new("nav-sessions")
    }
}

/// The rows by themselves, for the live stream: what stands in the element whose `data-live` is `sessions`.
#[derive(Debug, Template)]
#[template(path = "live/sessions.html")]
pub struct LiveSessions<'a> {
    /// The reader's frame.
    pub frame: &'a Frame,
    /// The list.
    pub listing: &'a Listing,
    /// Its rows.
    pub rows: &'a [SessionRow],
    /// Who was connected last.
    pub last: Option<(String, Timestamp)>,
    /// Sessions may be ended.
    pub may_end: bool,
}
