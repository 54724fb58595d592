//! The text of each value that the model names.

use crate::model::{DeviceKind, Right, Role, Scopes};
use crate::peer::Protocol;

/// What a role is called.
pub const fn role(role: &Role) -> &'static str {
    match role {
        Role::Owner => "role-owner",
        Role::Administrator => "role-administrator",
        Role::MailboxManager => "role-mailbox-manager",
        Role::Auditor => "role-auditor",
        Role::Member => "role-member",
    }
}

/// What a role may do, in a sentence.
pub const fn role_hint(role: &Role) -> &'static str {
    match role {
        Role::Owner => "role-owner-hint",
        Role::Administrator => "role-administrator-hint",
        Role::MailboxManager => "role-mailbox-manager-hint",
        Role::Auditor => "role-auditor-hint",
        Role::Member => "role-member-hint",
    }
}

/// What a right is called.
pub const fn right(right: &Right) -> &'static str {
    match right {
        Right::SeeDevices => "right-see-devices",
        Right::AddOwnDevices => "right-add-own-devices",
        Right::ManageDevices => "right-manage-devices",
        Right::ManageAliases => "right-manage-aliases",
        Right::SendAs => "right-send-as",
    }
}

/// What a right means, in a sentence.
pub const fn right_hint(right: &Right) -> &'static str {
    match right {
        Right::SeeDevices => "right-see-devices-hint",
        Right::AddOwnDevices => "right-add-own-devices-hint",
        Right::ManageDevices => "right-manage-devices-hint",
        Right::ManageAliases => "right-manage-aliases-hint",
        Right::SendAs => "right-send-as-hint",
    }
}

/// What a kind of device is called.
pub const fn kind(kind: &DeviceKind) -> &'static str {
    match kind {
        DeviceKind::Iphone => "kind-iphone",
        DeviceKind::Android => "kind-android",
        DeviceKind::Outlook => "kind-outlook",
        DeviceKind::AppleMail => "kind-apple-mail",
        DeviceKind::Thunderbird => "kind-thunderbird",
        DeviceKind::Printer => "kind-printer",
        DeviceKind::App => "kind-app",
        DeviceKind::Other => "kind-other",
    }
}

/// What a device may do with mail.
pub const fn scopes(scopes: &Scopes) -> &'static str {
    match (scopes.imap, scopes.smtp) {
        (true, true) => "scopes-both",
        (true, false) => "scopes-receive",
        (false, true) => "scopes-send",
        (false, false) => "scopes-none",
    }
}

/// What a protocol is for.
pub const fn protocol(protocol: &Protocol) -> &'static str {
    match protocol {
        Protocol::Imap => "protocol-imap",
        Protocol::Smtp => "protocol-smtp",
    }
}
