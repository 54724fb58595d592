//! What to do in a device, in its own words; what belongs into a copier's form; and how a test message fared.

use super::scope::*;
use crate::model::DeviceKind;
use crate::onboard::sheet::{Entry, Maker, Value};
use crate::trial::{Report, Stage};

/// The form of one maker's copiers, filled in.
#[derive(Debug, Clone)]
pub struct MakerForm {
    /// Whose.
    pub maker: Maker,
    /// Its fields, in its order.
    pub entries: Vec<Entry>,
}

/// What to do in a device of this kind, one step after the other.
pub fn steps(kind: DeviceKind) -> Vec<Line> {
    match kind {
        DeviceKind::Iphone => vec![
            Line::new("steps-iphone-open"),
            Line::new("steps-iphone-other"),
            Line::new("steps-iphone-account"),
            Line::new("steps-iphone-servers"),
            Line::new("steps-iphone-save"),
        ],
        DeviceKind::Android => vec![
            Line::new("steps-android-app"),
            Line::new("steps-android-import"),
            Line::new("steps-android-scan"),
            Line::new("steps-android-other"),
        ],
        DeviceKind::Outlook => vec![
            Line::new("steps-outlook-open"),
            Line::new("steps-outlook-address"),
            Line::new("steps-outlook-password"),
            Line::new("steps-outlook-advanced"),
        ],
        DeviceKind::AppleMail => vec![
            Line::new("steps-apple-mail-open"),
            Line::new("steps-apple-mail-account"),
            Line::new("steps-apple-mail-servers"),
        ],
        DeviceKind::Thunderbird => vec![
            Line::new("steps-thunderbird-open"),
            Line::new("steps-thunderbird-address"),
            Line::new("steps-thunderbird-password"),
            Line::new("steps-thunderbird-done"),
        ],
        DeviceKind::Printer => vec![
            Line::new("steps-printer-open"),
            Line::new("steps-printer-form"),
            Line::new("steps-printer-save"),
        ],
        DeviceKind::App => vec![
            Line::new("steps-app-open"),
            Line::new("steps-app-kind"),
            Line::new("steps-app-fields"),
        ],
        DeviceKind::Other => vec![Line::new("steps-other-open"), Line::new("steps-other-fields")],
    }
}

/// Whether a device of this kind finds the servers by itself, so that they need not be in sight.
pub const fn finds_servers(kind: DeviceKind) -> bool {
    matches!(kind, DeviceKind::Thunderbird)
}

/// What a field of a form holds, where it is a text to type.
pub const fn typed(entry: &Entry) -> Option<&String> {
    match &entry.value {
        Value::Text(text) => Some(text),
        Value::Choice(_) | Value::Password => None,
    }
}

/// What a field of a form is set to, where it is a switch or a list.
pub const fn chosen(entry: &Entry) -> Option<&'static str> {
    match entry.value {
        Value::Choice(word) => Some(word),
        Value::Text(_) | Value::Password => None,
    }
}

/// How a test message fared.
#[derive(Debug, Clone)]
pub enum Trial {
    /// There were some just before.
    TooSoon,
    /// The password is not the device's, so nothing was tried.
    OtherPassword,
    /// It was sent, or came so far.
    Ran {
        /// Who gets it.
        to: String,
        /// What was done and said.
        report: Report,
        /// What to do, where it failed.
        advice: Option<Line>,
    },
}

impl Trial {
    /// What there is to say of an attempt. `host` is the server as clients know it, `from` the mailbox; a device with
    /// networks of its own may not sign in from here.
    pub fn of(report: Report, (host, from, to): (&str, &str, &str), has_networks: bool) -> Self {
        let advice = report.failed.as_ref().map(|failed| match (failed.stage, failed.code) {
            (Stage::Connection, _) => Line::new("trial-advice-connection"),
            (Stage::Tls, _) => Line::new("trial-advice-tls").with("host", host),
            (Stage::SignIn, Some(535)) if has_networks => Line::new("trial-advice-network"),
            (Stage::SignIn, Some(535)) => Line::new("trial-advice-sign-in"),
            (Stage::Sender, Some(500..)) => Line::new("trial-advice-sender").with("address", from),
            (Stage::Recipient, Some(500..)) => Line::new("trial-advice-recipient").with("address", to),
            _ => Line::new("trial-advice-later"),
        });
        Self::Ran {
            to: to.to_owned(),
            report,
            advice,
        }
    }
}

/// What a step is called.
pub const fn stage(stage: &Stage) -> &'static str {
    match stage {
        Stage::Connection => "trial-connection",
        Stage::Tls => "trial-tls",
        Stage::SignIn => "trial-sign-in",
        Stage::Sender => "trial-sender",
        Stage::Recipient => "trial-recipient",
        Stage::Message => "trial-message",
    }
}
