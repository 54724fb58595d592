//! People: users, their roles in organisations, what they may do with a mailbox, and invitations.
//!
//! A user exists once, whatever number of organisations they belong to, and is no mailbox. Roles, rights, languages and
//! scopes have a text form that is the same on the command line, in the store, in the API and in forms: what `Display`
//! writes, `FromStr` reads.

use std::fmt;
use std::str::FromStr;

use super::address::Address;
use super::id::{InvitationId, MailboxId, OrgId, TokenId, UserId};
use crate::clock::Timestamp;

/// A text that is not a word of the model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not {what}: write {choices}")]
pub struct BadWord {
    given: String,
    what: &'static str,
    choices: &'static str,
}

macro_rules! words {
    (
        $(#[$doc:meta])* $type:ident, $what:literal, $choices:literal;
        $($(#[$variant_doc:meta])* $name:ident => $text:literal,)*
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $type {
            $($(#[$variant_doc])* $name,)*
        }

        impl $type {
            /// Every one, in the order in which they are offered.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The fixed word in the store, on the command line and in the API.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $type {
            type Err = BadWord;

            fn from_str(text: &str) -> Result<Self, BadWord> {
                let word = text.trim();
                let found = Self::ALL.iter().copied().find(|one| word.eq_ignore_ascii_case(one.name()));
                found.ok_or_else(|| BadWord { given: word.to_owned(), what: $what, choices: $choices })
            }
        }
    };
}

words! {
    /// A language of the Manager and its mails.
    Language, "a language", "en or fr";
    /// English.
    English => "en",
    /// French.
    French => "fr",
}

words! {
    /// What a member may do in an organisation, apart from grants.
    Role, "a role", "owner, administrator, mailbox-manager, auditor, or member";
    /// Everything. At least one always remains.
    Owner => "owner",
    /// People, mailboxes and devices.
    Administrator => "administrator",
    /// Mailboxes, aliases, devices and grants.
    MailboxManager => "mailbox-manager",
    /// Reads all, changes nothing.
    Auditor => "auditor",
    /// Only what was granted.
    Member => "member",
}

impl Role {
    /// Whether this role reaches every mailbox of its organisation without a grant, so that devices of all of them may
    /// belong to whoever has it.
    pub const fn manages_mailboxes(self) -> bool {
        matches!(self, Self::Owner | Self::Administrator | Self::MailboxManager)
    }

    /// Whether somebody with this role may invite others as `role`. An invitation ends when whoever wrote it may not write
    /// it any more.
    pub const fn may_invite(self, role: Self) -> bool {
        match self {
            Self::Owner => true,
            Self::Administrator => !matches!(role, Self::Owner),
            Self::MailboxManager | Self::Auditor | Self::Member => false,
        }
    }
}

words! {
    /// One thing that a user may do with one mailbox.
    Right, "a right", "see-devices, add-own-devices, manage-devices, manage-aliases, or send-as";
    /// See the mailbox's devices.
    SeeDevices => "see-devices",
    /// Add devices that belong to themselves, and manage these.
    AddOwnDevices => "add-own-devices",
    /// Add, change and revoke every device.
    ManageDevices => "manage-devices",
    /// Add and remove aliases.
    ManageAliases => "manage-aliases",
    /// Their devices, on any mailbox, may use the mailbox's addresses as senders.
    SendAs => "send-as",
}

words! {
    /// What a token may do within its role.
    TokenScope, "a scope", "read or write";
    /// Read only.
    Read => "read",
    /// Read and change.
    Write => "write",
}

/// What one user may do with one mailbox: a set of [`Right`]s.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Rights(u8);

impl Rights {
    /// No right at all.
    pub const NONE: Self = Self(0);

    /// Every right.
    pub const ALL: Self = Self::NONE
        .with(Right::SeeDevices)
        .with(Right::AddOwnDevices)
        .with(Right::ManageDevices)
        .with(Right::ManageAliases)
        .with(Right::SendAs);

    const fn bit(right: Right) -> u8 {
        match right {
            Right::SeeDevices => 1,
            Right::AddOwnDevices => 2,
            Right::ManageDevices => 4,
            Right::ManageAliases => 8,
            Right::SendAs => 16,
        }
    }

    /// These and one more.
    #[must_use]
    pub const fn with(self, right: Right) -> Self {
        Self(self.0 | Self::bit(right))
    }

    /// All that one of the two has.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether this right is among them.
    pub const fn has(self, right: Right) -> bool {
        self.0 & Self::bit(right) != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The rights, in their fixed order.
    pub fn iter(self) -> impl Iterator<Item = Right> {
        Right::ALL.iter().copied().filter(move |right| self.has(*right))
    }
}

impl FromIterator<Right> for Rights {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Self {
        rights.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("none");
        }
        for (index, right) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            f.write_str(right.name())?;
        }
        Ok(())
    }
}

impl FromStr for Rights {
    type Err = BadWord;

    /// Reads rights with commas between them, or `none`.
    fn from_str(text: &str) -> Result<Self, BadWord> {
        if text.trim().eq_ignore_ascii_case("none") {
            return Ok(Self::NONE);
        }
        text.split(',').map(str::parse).collect()
    }
}

/// A person who signs in to the Manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// What they sign in with: an address of any domain, unique among users.
    pub address: Address,
    /// What they are called: 1 to 100 characters ([`super::name::person_name`]).
    pub name: String,
    /// In which language the Manager speaks and writes to them.
    pub language: Language,
    /// Whether they have a password.
    pub has_password: bool,
    /// Whether they give a one-time code as well.
    pub has_code: bool,
    /// When they became a user.
    pub created_at: Timestamp,
    /// When they last used the Manager (written at most once a minute).
    pub seen_at: Option<Timestamp>,
}

/// That a user belongs to an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// Where.
    pub org: OrgId,
    /// Who.
    pub user: UserId,
    /// What they may do there.
    pub role: Role,
    /// Since when.
    pub since: Timestamp,
}

/// A user as an organisation sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user: User,
    /// What they may do here.
    pub role: Role,
    /// Since when.
    pub since: Timestamp,
}

/// What one user may do with one mailbox ("access" on screens).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// With which mailbox.
    pub mailbox: MailboxId,
    /// Its address.
    pub address: Address,
    /// Who.
    pub user: UserId,
    /// What: at least one right.
    pub rights: Rights,
    /// It does not count from this moment on.
    pub ends_at: Option<Timestamp>,
    /// When it was given.
    pub created_at: Timestamp,
}

impl Grant {
    /// What it allows at this moment.
    pub fn rights_at(&self, now: Timestamp) -> Rights {
        if self.ends_at.is_none_or(|ends_at| now < ends_at) {
            self.rights
        } else {
            Rights::NONE
        }
    }
}

/// What an invitation will grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitedGrant {
    /// With which mailbox.
    pub mailbox: MailboxId,
    /// Its address.
    pub address: Address,
    /// What: at least one right.
    pub rights: Rights,
    /// When it ends.
    pub ends_at: Option<Timestamp>,
}

/// A single-use, expiring offer to become a member with given rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// Into which organisation.
    pub org: OrgId,
    /// Whom: only a user with this sign-in address can accept it.
    pub address: Address,
    /// As what.
    pub role: Role,
    /// With which mailboxes; those that were deleted meanwhile are gone from here.
    pub grants: Vec<InvitedGrant>,
    /// In which language it speaks.
    pub language: Language,
    /// Who invited, as people read it.
    pub invited_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When a mail with it last went out.
    pub sent_at: Option<Timestamp>,
    /// When one of its links was first opened.
    pub opened_at: Option<Timestamp>,
    /// Until when it can be accepted.
    pub expires_at: Timestamp,
    /// What became of it.
    pub state: InvitationState,
}

/// What became of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvitationState {
    /// Nothing yet: it can be accepted.
    Sent,
    /// Accepted, which works once.
    Accepted(Timestamp),
    /// Whoever was invited does not want it.
    Declined(Timestamp),
    /// Taken back by the organisation.
    Withdrawn(Timestamp),
    /// Its time ran out.
    Expired,
}

impl InvitationState {
    /// What the store's facts mean at `now`.
    pub fn of(
        accepted_at: Option<Timestamp>,
        withdrawn_at: Option<Timestamp>,
        declined_at: Option<Timestamp>,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Self {
        match (accepted_at, declined_at, withdrawn_at) {
            (Some(at), ..) => Self::Accepted(at),
            (None, Some(at), _) => Self::Declined(at),
            (None, None, Some(at)) => Self::Withdrawn(at),
            (None, None, None) if now < expires_at => Self::Sent,
            (None, None, None) => Self::Expired,
        }
    }
}

/// A key with which a program uses the API in a user's name, in one organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// Its id.
    pub id: TokenId,
    /// In whose name.
    pub user: UserId,
    /// In which organisation.
    pub org: OrgId,
    /// What it is called: 1 to 64 characters ([`super::name::token_name`]).
    pub name: String,
    /// The most it may do; never more than the user's own role at that moment.
    pub role: Role,
    /// Whether it may change anything.
    pub scope: TokenScope,
    /// When it was made.
    pub created_at: Timestamp,
    /// Refused from this moment on.
    pub expires_at: Option<Timestamp>,
    /// When it was last used (written at most once a minute).
    pub used_at: Option<Timestamp>,
    /// From where.
    pub used_from: Option<String>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        for language in Language::ALL {
            assert_eq!(language.to_string().parse(), Ok(*language));
        }
        for role in Role::ALL {
            assert_eq!(role.to_string().parse(), Ok(*role));
        }
        for right in Right::ALL {
            assert_eq!(right.to_string().parse(), Ok(*right));
        }
        for scope in TokenScope::ALL {
            assert_eq!(scope.to_string().parse(), Ok(*scope));
        }
        assert_eq!(" Mailbox-Manager ".parse(), Ok(Role::MailboxManager));
    }

    #[test]
    fn a_wrong_word_is_answered_with_the_right_ones() {
        let told = |error: BadWord| error.to_string();
        assert_eq!(
            told("boss".parse::<Role>().unwrap_err()),
            "\"boss\" is not a role: write owner, administrator, mailbox-manager, auditor, or member"
        );
        for role in Role::ALL {
            assert!(told("boss".parse::<Role>().unwrap_err()).contains(role.name()));
        }
        for right in Right::ALL {
            assert!(told("x".parse::<Right>().unwrap_err()).contains(right.name()));
        }
        assert_eq!(
            told("de".parse::<Language>().unwrap_err()),
            "\"de\" is not a language: write en or fr"
        );
        assert_eq!(
            told("all".parse::<TokenScope>().unwrap_err()),
            "\"all\" is not a scope: write read or write"
        );
        assert!("see-devices,,send-as".parse::<Rights>().is_err());
        assert!("".parse::<Rights>().is_err());
        assert!("none,send-as".parse::<Rights>().is_err());
    }

    #[test]
    fn rights_have_one_order_however_they_were_written() {
        let rights: Rights = "send-as, SEE-devices,send-as".parse().unwrap();
        assert_eq!(rights.to_string(), "see-devices,send-as");
        assert_eq!(
            Rights::ALL.to_string(),
            "see-devices,add-own-devices,manage-devices,manage-aliases,send-as"
        );
        assert_eq!(Rights::ALL, Right::ALL.iter().copied().collect());
        assert_eq!(Rights::NONE.to_string(), "none");
        assert!(Rights::NONE.is_empty() && Rights::default().is_empty());
        assert_eq!(
            rights.and("manage-aliases".parse().unwrap()).to_string(),
            "see-devices,manage-aliases,send-as"
        );
    }

    #[test]
    fn a_grant_counts_until_its_end_and_not_at_it() {
        let grant = |ends_at| Grant {
            mailbox: MailboxId::from_raw(1),
            address: Address::parse("info@example.org").unwrap(),
            user: UserId::from_raw(2),
            rights: Rights::ALL,
            ends_at,
            created_at: Timestamp(0),
        };
        assert_eq!(grant(None).rights_at(Timestamp(i64::MAX)), Rights::ALL);
        assert_eq!(grant(Some(Timestamp(10))).rights_at(Timestamp(9)), Rights::ALL);
        assert_eq!(grant(Some(Timestamp(10))).rights_at(Timestamp(10)), Rights::NONE);
    }

    #[test]
    fn an_invitation_that_was_accepted_declined_or_withdrawn_does_not_expire() {
        let (now, later) = (Timestamp(10), Timestamp(11));
        let of = |accepted_at, withdrawn_at, declined_at, expires_at| {
            InvitationState::of(accepted_at, withdrawn_at, declined_at, expires_at, now)
        };
        assert_eq!(of(None, None, None, later), InvitationState::Sent);
        assert_eq!(of(None, None, None, now), InvitationState::Expired);
        assert_eq!(of(Some(now), None, None, now), InvitationState::Accepted(now));
        assert_eq!(of(None, Some(now), None, now), InvitationState::Withdrawn(now));
        assert_eq!(of(None, Some(now), Some(now), now), InvitationState::Declined(now));
    }

    proptest! {
        #[test]
        fn any_rights_read_back_as_themselves(chosen in proptest::collection::vec(0..Right::ALL.len(), 0..8)) {
            let rights: Rights = chosen.iter().map(|index| Right::ALL[*index]).collect();
            prop_assert_eq!(rights.to_string().parse(), Ok(rights));
            for (index, right) in Right::ALL.iter().enumerate() {
                prop_assert_eq!(rights.has(*right), chosen.contains(&index));
            }
            prop_assert_eq!(rights.iter().collect::<Rights>(), rights);
        }
    }
}
