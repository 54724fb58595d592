//! What people are told by mail: facts, not words. Whoever puts them into the outbox finds the words, in the receiver's
//! language, and makes links from the configured origin only.
//!
//! A letter that cannot be put is no reason to undo what it tells of: the change is done, and its audit row says so.

use std::net::IpAddr;

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::identity::Token;
use crate::identity::token::{Address as AddressLink, Device as DeviceLink, Invitation, Reset};
use crate::model::{
    Address, ApiToken, DeviceLinkId, InvitationId, InvitedGrant, Language, MailboxId, NoticeKind, Org, OrgId, Rights,
    Role, TokenScope,
};
use crate::store::{Ending, GrantTerms};

/// To whom, and in which language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Where it goes.
    pub address: Address,
    /// In which language.
    pub language: Language,
}

/// One thing that somebody is told.
#[derive(Debug)]
pub enum Letter {
    /// They may use a mailbox, or have other rights there.
    AccessGiven {
        /// Who gave it.
        by: String,
        /// The organisation's name.
        org: String,
        /// The mailbox.
        mailbox: Address,
        /// What they may do.
        rights: Rights,
        /// Until when.
        ends_at: Option<Timestamp>,
    },
    /// They may no longer use mailboxes.
    AccessWithdrawn {
        /// Who withdrew it.
        by: String,
        /// The organisation's name.
        org: String,
        /// Which.
        mailboxes: Vec<Address>,
        /// Their devices that ended with it.
        devices: Vec<String>,
        /// They are no longer a member.
        left: bool,
    },
    /// They want to sign in with another address, which is where this goes.
    AddressConfirm {
        /// The one that signs in so far.
        old: Address,
        /// The one that is to.
        new: Address,
        /// When it was asked for.
        at: Timestamp,
        /// From where.
        from: Option<IpAddr>,
        /// Until when the link works.
        expires_at: Timestamp,
        /// What the link ends with.
        link: Token<AddressLink>,
    },
    /// Their sign-in address is another one from now on; the old and the new address are told.
    AddressChanged {
        /// The one that no longer signs in.
        old: Address,
        /// The one that signs in now.
        new: Address,
        /// When.
        at: Timestamp,
        /// From where.
        from: Option<IpAddr>,
    },
    /// A mailbox that they may use has a new device, or a device a new password.
    DeviceAdded {
        /// Who added it.
        by: String,
        /// In which organisation.
        org: OrgId,
        /// Which mailbox.
        mailbox: MailboxId,
        /// Its address.
        address: Address,
        /// What the device is called.
        device: String,
        /// When.
        at: Timestamp,
    },
    /// They are to set up a device.
    DeviceLink {
        /// Which link, so that whoever sends it is told what becomes of this letter.
        id: DeviceLinkId,
        /// Who asks them to.
        by: String,
        /// The organisation's name.
        org: String,
        /// The mailbox that the device is for.
        mailbox: Address,
        /// What the device is called.
        device: String,
        /// Until when the link works.
        expires_at: Timestamp,
        /// What the link ends with.
        link: Token<DeviceLink>,
    },
    /// They are invited.
    Invitation {
        /// Who invites.
        by: String,
        /// Where to.
        org: String,
        /// Which invitation, so that it is known as sent once this letter is.
        invitation: InvitationId,
        /// As what.
        role: Role,
        /// With which mailboxes.
        grants: Vec<InvitedGrant>,
        /// Until when.
        expires_at: Timestamp,
        /// What the link ends with.
        link: Token<Invitation>,
    },
    /// An organisation that they own sends fewer notices of devices from now on.
    NoticesOff {
        /// Who switched them off.
        by: String,
        /// In which organisation.
        org: OrgId,
        /// That organisation's name.
        org_name: String,
        /// Which.
        kinds: Vec<NoticeKind>,
        /// When.
        at: Timestamp,
        /// From where.
        from: Option<IpAddr>,
    },
    /// Somebody asked for a new password for them.
    PasswordReset {
        /// Their sign-in address.
        address: Address,
        /// When it was asked for.
        at: Timestamp,
        /// From where.
        from: Option<IpAddr>,
        /// Until when the link works.
        expires_at: Timestamp,
        /// What the link ends with.
        link: Token<Reset>,
    },
    /// A token for the API was made in their name.
    TokenMade {
        /// In which organisation.
        org: OrgId,
        /// That organisation's name.
        org_name: String,
        /// What it is called.
        name: String,
        /// What it may do at most.
        role: Role,
        /// Whether it may change anything.
        scope: TokenScope,
        /// When it ends by itself.
        expires_at: Timestamp,
        /// When.
        at: Timestamp,
        /// From where.
        from: Option<IpAddr>,
    },
    /// Their sign-in was changed.
    SignInChanged {
        /// Their sign-in address.
        address: Address,
        /// What was changed.
        change: SignInChange,
        /// When.
        at: Timestamp,
        /// From where.
        from: Option<IpAddr>,
    },
}

impl Letter {
    /// That somebody may use a mailbox from now on.
    pub fn access_given(by: String, org: String, mailbox: Address, terms: &GrantTerms) -> Self {
        Self::AccessGiven {
            by,
            org,
            mailbox,
            rights: terms.rights,
            ends_at: terms.ends_at,
        }
    }

    /// That a token acts in somebody's name.
    pub fn token_made(token: &ApiToken, org: &Org, expires_at: Timestamp, from: Option<IpAddr>) -> Self {
        Self::TokenMade {
            org: org.id,
            org_name: org.name.clone(),
            name: token.name.clone(),
            role: token.role,
            scope: token.scope,
            expires_at,
            at: token.created_at,
            from,
        }
    }

    /// What somebody may no longer do; `left` where they are no longer a member.
    pub fn access_withdrawn(by: String, org: String, what: &Ending, left: bool) -> Self {
        let mut mailboxes: Vec<_> = what.grants.iter().map(|grant| grant.address.clone()).collect();
        if mailboxes.is_empty() {
            // What only a role reached.
            mailboxes = what.devices.iter().map(|row| row.address.clone()).collect();
            mailboxes.dedup();
        }
        Self::AccessWithdrawn {
            by,
            org,
            mailboxes,
            devices: what.devices.iter().map(|row| row.device.label.clone()).collect(),
            left,
        }
    }
}

/// How somebody's sign-in was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInChange {
    /// One-time codes are no longer asked for.
    CodesOff,
    /// One-time codes are asked for from now on, or come from another program.
    CodesOn,
    /// The password is another one.
    Password,
    /// There are new recovery codes; the old ones are worth nothing.
    RecoveryCodes,
    /// A recovery code was used in place of a one-time code.
    RecoveryCodeUsed,
}

/// A letter was not put.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the mail was not put into the outbox: {0}")]
pub struct NotPosted(pub String);

/// Takes letters.
#[async_trait]
pub trait Post: Send + Sync {
    /// Whether this installation sends mail at all.
    fn is_open(&self) -> bool;

    /// Puts a letter into the outbox, to be sent as soon as that works.
    async fn put(&self, to: &Recipient, org: Option<OrgId>, letter: Letter) -> Result<(), NotPosted>;
}

/// An installation that sends no mail: links are shown to whoever makes them, to be handed over.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPost;

#[async_trait]
impl Post for NoPost {
    fn is_open(&self) -> bool {
        false
    }

    async fn put(&self, _: &Recipient, _: Option<OrgId>, _: Letter) -> Result<(), NotPosted> {
        Ok(())
    }
}
