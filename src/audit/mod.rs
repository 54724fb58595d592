//! The words of the audit log: who ([`Actor`]), what ([`Action`]), and free text made harmless ([`clean`]).
//!
//! The rows themselves are written by the store, in the transaction of the change they tell of. Free text (labels,
//! client names, user names) is stored with controls and direction overrides escaped, so that no row can forge a
//! second one, steer a terminal or read differently from what it is. No secret is ever part of a row. [`chain`] ties each
//! row to the one before it.

pub mod chain;

use serde_json::{Value, json};

use crate::model::name::is_unshowable;
use crate::model::{Address, Device, UserId};

/// The longest free text in one field of an audit row, in characters; longer text is cut.
pub const TEXT_MAX: usize = 512;

/// Somebody of whom nothing is known but where they come from.
pub const STRANGER: &str = "stranger";

/// Who does something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// `cli:root`, `daemon`, `stranger`, `user:anna@example.org`, `token:CRM`.
    pub who: String,
    /// Where from: `local`, an address.
    pub origin: String,
    /// In whose name, where that is somebody else: the user of a token, or whom somebody helps (`user:anna@example.org`).
    pub behalf: Option<String>,
    /// The user who did it, in whose name a token did, or whose sign-in a stranger tried: addresses change hands, ids do
    /// not.
    pub user: Option<UserId>,
}

impl Actor {
    /// Somebody at the command line of this machine, by their system user name.
    pub fn cli(user: &str) -> Self {
        Self {
            who: format!("cli:{user}"),
            origin: "local".to_owned(),
            behalf: None,
            user: None,
        }
    }

    /// The running daemon itself.
    pub fn daemon() -> Self {
        Self {
            who: "daemon".to_owned(),
            origin: "local".to_owned(),
            behalf: None,
            user: None,
        }
    }

    /// A person in the Manager, by their sign-in address and the address of their browser.
    pub fn user(address: &Address, origin: &str) -> Self {
        Self {
            who: format!("user:{address}"),
            origin: origin.to_owned(),
            behalf: None,
            user: None,
        }
    }

    /// A program that uses the API with a token of this name, in the name of the token's user.
    pub fn token(name: &str, user: &Address, origin: &str) -> Self {
        Self {
            who: format!("token:{name}"),
            origin: origin.to_owned(),
            behalf: Some(format!("user:{user}")),
            user: None,
        }
    }

    /// Somebody who has not signed in, in a matter of this user, whose activity shows it.
    pub fn stranger(origin: &str, user: UserId) -> Self {
        Self {
            user: Some(user),
            ..Self::unknown(origin)
        }
    }

    /// Somebody who has not signed in, in a matter of nobody who is known as a user.
    pub fn unknown(origin: &str) -> Self {
        Self {
            who: STRANGER.to_owned(),
            origin: origin.to_owned(),
            behalf: None,
            user: None,
        }
    }

    /// The same as one user, who is known.
    #[must_use]
    pub fn by(mut self, user: UserId) -> Self {
        self.user = Some(user);
        self
    }

    /// The same where this is the person whom it has just made a user.
    #[must_use]
    pub fn as_new_user(&self, user: UserId, address: &Address) -> Self {
        let is_themselves = self.user.is_none() && self.who == Self::user(address, &self.origin).who;
        Self {
            user: if is_themselves { Some(user) } else { self.user },
            ..self.clone()
        }
    }
}

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident => $text:literal,)*) => {
        /// What was done: a fixed, dotted word, the thing first.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action {
            $($(#[$doc])* $name,)*
        }

        impl Action {
            /// Every action, for completions and documents.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word that is stored.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

actions! {
    /// An alias was added.
    AliasCreate => "alias.create",
    /// An alias was removed.
    AliasDelete => "alias.delete",
    /// A device was added.
    DeviceAdd => "device.add",
    /// A device's record was changed.
    DeviceEdit => "device.edit",
    /// A device came by import.
    DeviceImport => "device.import",
    /// The file of a set-up link was read, which gave the device its password.
    DeviceLinkFetch => "device.link.fetch",
    /// A set-up link was opened, or its device set up anew by whoever had opened it.
    DeviceLinkOpen => "device.link.open",
    /// A set-up link was made.
    DeviceLinkSend => "device.link.send",
    /// A set-up link was withdrawn.
    DeviceLinkWithdraw => "device.link.withdraw",
    /// A device was paused.
    DevicePause => "device.pause",
    /// A device got a new password.
    DeviceReplace => "device.replace",
    /// A paused device was resumed.
    DeviceResume => "device.resume",
    /// A device was revoked.
    DeviceRevoke => "device.revoke",
    /// A mail domain was added.
    DomainCreate => "domain.create",
    /// A mail domain was removed.
    DomainDelete => "domain.delete",
    /// Somebody's access to a mailbox was changed.
    GrantChange => "grant.change",
    /// Somebody was given access to a mailbox.
    GrantGive => "grant.give",
    /// Somebody's access to a mailbox was withdrawn, or its date came.
    GrantWithdraw => "grant.withdraw",
    /// An invitation was accepted.
    InvitationAccept => "invitation.accept",
    /// Somebody was invited.
    InvitationCreate => "invitation.create",
    /// Whoever was invited does not want it.
    InvitationDecline => "invitation.decline",
    /// An invitation got a further link and another end.
    InvitationRenew => "invitation.renew",
    /// An invitation was withdrawn.
    InvitationWithdraw => "invitation.withdraw",
    /// A server key was added to the keyring.
    KeyRotate => "key.rotate",
    /// A mail that waited to be sent was withdrawn.
    MailWithdraw => "mail.withdraw",
    /// A mailbox was created.
    MailboxCreate => "mailbox.create",
    /// A mailbox was deleted with its devices and aliases.
    MailboxDelete => "mailbox.delete",
    /// A suspended mailbox was resumed.
    MailboxResume => "mailbox.resume",
    /// The upstream secret of a mailbox was removed.
    MailboxSecretRemove => "mailbox.secret.remove",
    /// The upstream secret of a mailbox was set.
    MailboxSecretSet => "mailbox.secret.set",
    /// A mailbox was suspended.
    MailboxSuspend => "mailbox.suspend",
    /// A user became a member of an organisation.
    MemberAdd => "member.add",
    /// A member was removed from an organisation.
    MemberRemove => "member.remove",
    /// A member got another role.
    MemberRole => "member.role",
    /// An organisation was created.
    OrgCreate => "org.create",
    /// An organisation was removed.
    OrgDelete => "org.delete",
    /// An organisation switched notices off or on.
    OrgNotices => "org.notices",
    /// An organisation got another name.
    OrgRename => "org.rename",
    /// An operator ended one live session.
    SessionEnd => "session.end",
    /// The link that makes the first owner was made.
    SetUpLink => "setup.link",
    /// A token for the API was made.
    TokenCreate => "token.create",
    /// A token for the API was ended.
    TokenRevoke => "token.revoke",
    /// A user wants to sign in with another address, and was sent a link to confirm it.
    UserAddressAsk => "user.address.ask",
    /// A user no longer gives one-time codes.
    UserCodeRemove => "user.code.remove",
    /// A user gives one-time codes from now on, or from another device.
    UserCodeSet => "user.code.set",
    /// A person became a user.
    UserCreate => "user.create",
    /// A user was removed.
    UserDelete => "user.delete",
    /// A user's name, address or language was changed.
    UserEdit => "user.edit",
    /// A user got another password.
    UserPassword => "user.password",
    /// A user got new recovery codes.
    UserRecoveryRenew => "user.recovery.renew",
    /// A user used up a recovery code.
    UserRecoveryUse => "user.recovery.use",
    /// A link to reset a user's password was made.
    UserResetLink => "user.reset.link",
    /// A user set a password by such a link.
    UserResetUse => "user.reset.use",
    /// A user signed in to the Manager.
    UserSignIn => "user.signin",
    /// A wrong password or code was given for a user; some of many only.
    UserSignInRefused => "user.signin.refused",
    /// A console session was ended.
    UserSignOut => "user.signout",
    /// Several console sessions of a user were ended together.
    UserSignOutAll => "user.signout.all",
}

/// Free text as it is stored: characters that cannot be shown safely are escaped (`\u{1b}`), and what is longer than
/// [`TEXT_MAX`] characters is cut and ends in `…`.
pub fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for (index, c) in text.chars().enumerate() {
        if index == TEXT_MAX {
            cleaned.push('…');
            break;
        }
        if is_unshowable(c) {
            cleaned.extend(c.escape_unicode());
        } else {
            cleaned.push(c);
        }
    }
    cleaned
}

/// [`clean`] for every text inside a detail object, keys included.
pub fn clean_detail(detail: Value) -> Value {
    match detail {
        Value::String(text) => Value::String(clean(&text)),
        Value::Array(items) => Value::Array(items.into_iter().map(clean_detail).collect()),
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(key, value)| (clean(&key), clean_detail(value)))
                .collect(),
        ),
        other => other,
    }
}

/// What an audit row says about a device besides its id: readable long after the device is gone.
pub fn device_detail(mailbox: &Address, device: &Device) -> Value {
    json!({ "mailbox": mailbox.as_str(), "label": device.label })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_text_can_neither_forge_a_row_nor_steer_a_terminal() {
        assert_eq!(clean("a\r\nb\u{1b}[2J\u{202e}c"), "a\\u{d}\\u{a}b\\u{1b}[2J\\u{202e}c");
        assert_eq!(clean("Zoë's iPhone"), "Zoë's iPhone");
        let detail = clean_detail(json!({ "label\n": ["x\u{7}", 3, null] }));
        assert_eq!(detail, json!({ "label\\u{a}": ["x\\u{7}", 3, null] }));
    }

    #[test]
    fn long_text_is_cut() {
        let cut = clean(&"ä".repeat(TEXT_MAX + 10));
        assert_eq!(cut.chars().count(), TEXT_MAX + 1);
        assert!(cut.ends_with('…'));
    }

    #[test]
    fn actions_are_distinct_dotted_words() {
        let mut words: Vec<_> = Action::ALL.iter().map(|action| action.as_str()).collect();
        assert!(words.is_sorted());
        words.dedup();
        assert_eq!(words.len(), Action::ALL.len());
        assert!(
            words
                .iter()
                .all(|word| word.contains('.') && word.chars().all(|c| c.is_ascii_lowercase() || c == '.'))
        );
    }
}
