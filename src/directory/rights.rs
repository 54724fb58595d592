//! Who may do what: one table, asked before every operation of console and API.
//!
//! A role counts for a whole organisation, a right for one mailbox; what either allows is allowed. Everybody manages their
//! own sign-in (password, codes, sessions), which no organisation has a say in. The command line acts as the machine and
//! is not asked. `docs/rights.md` shows the table to people; a test keeps the two equal.

use crate::model::person::{Right, Rights, Role};

/// All roles, as bits of a [`Who`].
const fn role_bit(role: Role) -> u8 {
    match role {
        Role::Owner => 1,
        Role::Administrator => 2,
        Role::MailboxManager => 4,
        Role::Auditor => 8,
        Role::Member => 16,
    }
}

/// What an operation is about: for a mailbox, a right on it may allow what the role does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// One mailbox and what belongs to it.
    Mailbox,
    /// The organisation as a whole.
    Org,
}

/// Whom an operation is allowed.
struct Who {
    about: About,
    changes: bool,
    roles: u8,
    rights: Rights,
}

const OWNER: u8 = role_bit(Role::Owner);
const PEOPLE: u8 = OWNER | role_bit(Role::Administrator);
const MAILBOXES: u8 = PEOPLE | role_bit(Role::MailboxManager);
const AUDITOR: u8 = role_bit(Role::Auditor);
const ALL_ROLES: u8 = MAILBOXES | AUDITOR | role_bit(Role::Member);

/// Whoever has any right on a mailbox.
const ANY: Rights = Rights::ALL;
const MANAGE_DEVICES: Rights = Rights::NONE.with(Right::ManageDevices);
const SEE_DEVICES: Rights = MANAGE_DEVICES.with(Right::SeeDevices);
const OWN_DEVICES: Rights = MANAGE_DEVICES.with(Right::AddOwnDevices);
const ALIASES: Rights = Rights::NONE.with(Right::ManageAliases);

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident, $word:literal, $title:literal: $about:ident $kind:ident, $roles:expr, $rights:expr;)*) => {
        /// What can be done in an organisation: dotted words, the thing first, as in the audit log.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Operation {
            $($(#[$doc])* $name,)*
        }

        impl Operation {
            /// Every operation, in the order of the document.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The fixed word in the API and the document.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }

            /// What it is, in words, for the document.
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$name => $title,)*
                }
            }

            const fn who(self) -> Who {
                match self {
                    $(Self::$name => Who {
                        about: About::$about,
                        changes: is_change(stringify!($kind)),
                        roles: $roles,
                        rights: $rights,
                    },)*
                }
            }
        }
    };
}

const fn is_change(kind: &str) -> bool {
    matches!(kind.as_bytes(), b"change")
}

operations! {
    /// See the organisation's name and its mail domains.
    OrgRead, "org.read", "see the overview and the mail domains": Org read, MAILBOXES | AUDITOR, Rights::NONE;
    /// Give the organisation another name.
    OrgEdit, "org.edit", "rename the organisation": Org change, OWNER, Rights::NONE;
    /// Add a mail domain.
    DomainCreate, "domain.create", "add a mail domain": Org change, OWNER, Rights::NONE;
    /// Remove a mail domain.
    DomainDelete, "domain.delete", "remove a mail domain": Org change, OWNER, Rights::NONE;

    /// See a mailbox and its aliases.
    MailboxRead, "mailbox.read", "see a mailbox and its aliases": Mailbox read, MAILBOXES | AUDITOR, ANY;
    /// See what was done to a mailbox, by whom.
    MailboxActivity, "mailbox.activity", "see what was done to a mailbox": Mailbox read, MAILBOXES | AUDITOR, ANY;
    /// Create a mailbox.
    MailboxCreate, "mailbox.create", "create a mailbox": Org change, MAILBOXES, Rights::NONE;
    /// Suspend a mailbox.
    MailboxSuspend, "mailbox.suspend", "suspend a mailbox": Mailbox change, MAILBOXES, Rights::NONE;
    /// Resume a suspended mailbox.
    MailboxResume, "mailbox.resume", "resume a mailbox": Mailbox change, MAILBOXES, Rights::NONE;
    /// Delete a mailbox with its devices and aliases.
    MailboxDelete, "mailbox.delete", "delete a mailbox": Mailbox change, MAILBOXES, Rights::NONE;

    /// Add an alias of a mailbox.
    AliasCreate, "alias.create", "add an alias": Mailbox change, MAILBOXES, ALIASES;
    /// Remove an alias.
    AliasDelete, "alias.delete", "remove an alias": Mailbox change, MAILBOXES, ALIASES;

    /// See who has access to a mailbox.
    GrantRead, "grant.read", "see who has access to a mailbox": Mailbox read, MAILBOXES | AUDITOR, Rights::NONE;
    /// Give somebody access to a mailbox, or change it.
    GrantGive, "grant.give", "give or change access to a mailbox": Mailbox change, MAILBOXES, Rights::NONE;
    /// Withdraw access to a mailbox.
    GrantWithdraw, "grant.withdraw", "withdraw access to a mailbox": Mailbox change, MAILBOXES, Rights::NONE;

    /// See all devices of a mailbox.
    DeviceRead, "device.read", "see all devices of a mailbox": Mailbox read, MAILBOXES | AUDITOR, SEE_DEVICES;
    /// Add a device that belongs to nobody.
    DeviceAdd, "device.add", "add a device that belongs to nobody": Mailbox change, MAILBOXES, MANAGE_DEVICES;
    /// Add a device for somebody else, give one to them, or learn its new password: it may send as whatever they may.
    DeviceAssign, "device.assign", "add, hand over or replace a device of somebody else": Mailbox change, MAILBOXES, Rights::NONE;
    /// Rename any device, or change its protocols, networks or end.
    DeviceEdit, "device.edit", "change any device": Mailbox change, MAILBOXES, MANAGE_DEVICES;
    /// Let a device use sender addresses that are not its mailbox's.
    DeviceSenders, "device.senders", "let a device use other sender addresses": Mailbox change, MAILBOXES, Rights::NONE;
    /// Pause any device.
    DevicePause, "device.pause", "pause any device": Mailbox change, MAILBOXES, MANAGE_DEVICES;
    /// Resume any device.
    DeviceResume, "device.resume", "resume any device": Mailbox change, MAILBOXES, MANAGE_DEVICES;
    /// Give a device that belongs to nobody a new password.
    DeviceReplace, "device.replace", "replace the password of a device that belongs to nobody": Mailbox change, MAILBOXES, MANAGE_DEVICES;
    /// Revoke any device.
    DeviceRevoke, "device.revoke", "revoke any device, or all of a mailbox": Mailbox change, MAILBOXES, MANAGE_DEVICES;

    /// See one's own devices.
    OwnDeviceRead, "own-device.read", "see one's own devices": Mailbox read, MAILBOXES | AUDITOR, ANY;
    /// Add a device that belongs to oneself.
    OwnDeviceAdd, "own-device.add", "add a device of one's own": Mailbox change, MAILBOXES, OWN_DEVICES;
    /// Rename one's own device, or change its protocols, networks or end.
    OwnDeviceEdit, "own-device.edit", "change a device of one's own": Mailbox change, MAILBOXES, OWN_DEVICES;
    /// Resume one's own device.
    OwnDeviceResume, "own-device.resume", "resume a device of one's own": Mailbox change, MAILBOXES, OWN_DEVICES;
    /// Give one's own device a new password.
    OwnDeviceReplace, "own-device.replace", "replace the password of a device of one's own": Mailbox change, MAILBOXES, OWN_DEVICES;
    /// Pause or revoke one's own device: whoever loses a phone must be able to, whatever right is left.
    OwnDeviceEnd, "own-device.end", "pause or revoke a device of one's own": Mailbox change, MAILBOXES, ANY;

    /// See who is connected.
    SessionRead, "session.read", "see the live mail sessions of a mailbox": Mailbox read, MAILBOXES | AUDITOR, SEE_DEVICES;
    /// End a live mail session.
    SessionEnd, "session.end", "end a live mail session": Mailbox change, MAILBOXES, MANAGE_DEVICES;

    /// See the organisation's members.
    MemberRead, "member.read", "see the members": Org read, MAILBOXES | AUDITOR, Rights::NONE;
    /// Give a member another role, other than owner.
    MemberRole, "member.role", "change the role of a member who is not an owner": Org change, PEOPLE, Rights::NONE;
    /// Remove a member who is not an owner.
    MemberRemove, "member.remove", "remove a member who is not an owner": Org change, PEOPLE, Rights::NONE;
    /// Make, change or remove an owner.
    OwnerChange, "owner.change", "make, change or remove an owner": Org change, OWNER, Rights::NONE;

    /// See the invitations.
    InvitationRead, "invitation.read", "see the invitations": Org read, PEOPLE | AUDITOR, Rights::NONE;
    /// Invite somebody.
    InvitationCreate, "invitation.create", "invite somebody, except as owner": Org change, PEOPLE, Rights::NONE;
    /// Send an invitation again, with a new link.
    InvitationSend, "invitation.send", "send an invitation again": Org change, PEOPLE, Rights::NONE;
    /// Take an invitation back.
    InvitationWithdraw, "invitation.withdraw", "withdraw an invitation": Org change, PEOPLE, Rights::NONE;

    /// See which notices are sent by mail.
    NoticeRead, "notice.read", "see which notices are sent by mail": Org read, ALL_ROLES, Rights::NONE;
    /// Choose which notices are sent by mail.
    NoticeChange, "notice.change", "choose which notices are sent by mail": Org change, PEOPLE, Rights::NONE;

    /// Read the organisation's audit log.
    AuditRead, "audit.read", "read and export everything that was done": Org read, PEOPLE | AUDITOR, Rights::NONE;

    /// Make and revoke API tokens that act for oneself.
    OwnToken, "own-token.change", "make and revoke API tokens of one's own": Org change, ALL_ROLES, Rights::NONE;
    /// See everybody's API tokens.
    TokenRead, "token.read", "see everybody's API tokens": Org read, PEOPLE | AUDITOR, Rights::NONE;
    /// Revoke anybody's API token.
    TokenRevoke, "token.revoke", "revoke anybody's API token": Org change, PEOPLE, Rights::NONE;
}

impl Operation {
    /// What it is about.
    pub const fn about(self) -> About {
        self.who().about
    }

    /// Whether it changes anything: an API token that may only read does none of these.
    pub const fn changes(self) -> bool {
        self.who().changes
    }

    /// Whether a role allows it in its whole organisation.
    pub const fn allows_role(self, role: Role) -> bool {
        self.who().roles & role_bit(role) != 0
    }

    /// Whether a right on a mailbox allows it there.
    pub const fn allows_right(self, right: Right) -> bool {
        self.who().rights.has(right)
    }

    /// The roles that allow it, the most powerful first.
    pub fn roles(self) -> impl Iterator<Item = Role> {
        Role::ALL.iter().copied().filter(move |role| self.allows_role(*role))
    }
}

/// Whether somebody with this role, and with these rights on the mailbox that the operation is about (none where it is
/// about none), may do it.
pub fn may(role: Role, rights: Rights, operation: Operation) -> bool {
    operation.allows_role(role) || rights.iter().any(|right| operation.allows_right(right))
}

#[cfg(test)]
mod tests;
