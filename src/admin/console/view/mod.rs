//! Pages as plain data: one struct a page, which its template in `templates/` turns into HTML.
//!
//! A handler fills the struct and calls `render` ([`askama::Template`]). Nothing here knows the store, HTTP or rights:
//! what a person may not do is a flag that the handler has set, and the page then leaves the way to it out. The
//! documentation of each struct names the path of the page and, where it has a form, what the form sends.
//!
//! Every text comes from `texts/`; whatever people or clients wrote is escaped and kept from turning the text around it.

pub mod access;
pub mod account;
pub mod activity;
pub mod confirm;
pub mod device;
pub mod devices;
pub mod domains;
pub mod done;
pub mod door;
pub mod error;
pub mod form;
pub mod frame;
pub mod icon;
pub mod invitations;
pub mod listing;
pub mod mail;
pub mod mailboxes;
pub mod me;
pub mod overview;
pub mod people;
pub mod qr;
pub mod search;
pub mod sessions;
pub mod set_up_device;
pub mod setting_up;
pub mod settings;
pub mod words;

pub use form::{Choice, Field, Ticks};
pub use frame::{Flash, Frame, Place, Places, Theme, Tone};
pub use listing::Listing;

/// What every template needs in scope.
mod scope {
    pub(super) use askama::Template;

    pub(super) use super::form::{Choice, Field, Ticks};
    pub(super) use super::frame::{Frame, Place, Theme, Tone};
    pub(super) use super::icon::icon_path;
    pub(super) use super::listing::Listing;
    pub(super) use super::{Badge, words};
    pub(super) use crate::admin::console::text::Line;
    pub(super) use crate::clock::Timestamp;
    pub(super) use crate::model::{DeviceKind, Right};
}

use crate::admin::console::text::Line;

/// A state in a word, with a colour that says the same.
#[derive(Debug, Clone)]
pub struct Badge {
    /// The colour.
    pub tone: Tone,
    /// The word.
    pub line: Line,
}

impl Badge {
    /// A badge that says this.
    pub const fn new(tone: Tone, line: Line) -> Self {
        Self { tone, line }
    }
}
