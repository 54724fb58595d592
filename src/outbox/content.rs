//! What a mail tells: facts, not words. The words are chosen when it is sent (`page`), in the receiver's language.
//!
//! A link is kept as its secret alone: scheme and host are put before it when the mail is sent, from the configuration,
//! so that nobody who writes a mail can make it lead elsewhere.

mod device;

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::clock::Timestamp;
use crate::keys::Keyring;
use crate::model::{Address, Language, MailKind, MailboxId, OrgId, Rights, Role, TokenScope};
use crate::secret::{Secret, SecretBytes};
use crate::store::NewMail;

pub use device::{DeviceDigest, DeviceNetwork, DeviceUnused, Happened, Happening, SignedIn, SwitchedOff, Unused};

use super::Error;

/// The shortest and the longest secret of a link, in characters.
const TOKEN_LENGTHS: std::ops::RangeInclusive<usize> = 20..=128;

/// The secret of a link: letters, digits, `_` and `-`, so that it cannot end or change the link that it stands in.
pub struct Token(Secret<String>);

impl Token {
    /// Takes the secret of a link, as it stands in its path.
    ///
    /// # Errors
    /// It is too short to be a secret, too long, or has other characters.
    pub fn new(text: Secret<String>) -> Result<Self, Error> {
        let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || b"_-".contains(&octet);
        if TOKEN_LENGTHS.contains(&text.expose().len()) && text.expose().bytes().all(is_plain) {
            Ok(Self(text))
        } else {
            Err(Error::Token)
        }
    }

    /// The secret, for the one place where it is written into a link.
    pub(super) fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Secret::new(String::deserialize(deserializer)?)).map_err(de::Error::custom)
    }
}

/// Everything that a mail tells. Names are shown as they are and need not be harmless.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Content {
    /// Somebody may now use a mailbox, or has other rights there.
    AccessGiven(AccessGiven),
    /// Somebody may no longer use mailboxes.
    AccessWithdrawn(AccessWithdrawn),
    /// Another sign-in address is to be confirmed. For the new address.
    AddressConfirm(AddressConfirm),
    /// Somebody signs in with another address from now on. For the old address and the new one.
    AddressConfirmed(AddressConfirmed),
    /// A mailbox has a new device, or a device a new password.
    DeviceAdded(DeviceAdded),
    /// What happened to a device since the last mail about it.
    DeviceDigest(DeviceDigest),
    /// A device signed in from a network that it was not known from.
    DeviceNetwork(DeviceNetwork),
    /// Devices were not used for a long time.
    DeviceUnused(DeviceUnused),
    /// A device is to be set up.
    DeviceLink(DeviceLink),
    /// An offer to become a member.
    Invitation(Invitation),
    /// An organisation sends fewer notices of devices from now on. For its owners.
    NoticesOff(SwitchedOff),
    /// A new password was asked for.
    PasswordReset(PasswordReset),
    /// A password or a code was changed.
    SignInChanged(SignInChanged),
    /// Somebody tries whether mail arrives.
    Test(Test),
    /// A token for the API was made in the receiver's name.
    TokenMade(TokenMade),
}

/// What somebody may do with one mailbox, and until when.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Access {
    /// The mailbox.
    #[serde(with = "address")]
    pub mailbox: Address,
    /// The rights.
    #[serde(with = "text")]
    pub rights: Rights,
    /// Their end, if they have one.
    #[serde(with = "moment::option")]
    pub ends_at: Option<Timestamp>,
}

/// See [`Content::AccessGiven`].
#[derive(Debug, Serialize, Deserialize)]
pub struct AccessGiven {
    /// Who gave it.
    pub by: String,
    /// The organisation's name.
    pub org: String,
    /// What was given.
    pub access: Access,
}

/// See [`Content::AccessWithdrawn`].
#[derive(Debug, Serialize, Deserialize)]
pub struct AccessWithdrawn {
    /// Who withdrew it.
    pub by: String,
    /// The organisation's name.
    pub org: String,
    /// The mailboxes.
    #[serde(with = "address::list")]
    pub mailboxes: Vec<Address>,
    /// The receiver's own devices that ended with it.
    pub devices: Vec<String>,
    /// The receiver is no longer a member of the organisation.
    pub left: bool,
}

/// See [`Content::AddressConfirm`].
#[derive(Debug, Serialize, Deserialize)]
pub struct AddressConfirm {
    /// The address that signs in so far.
    #[serde(with = "address")]
    pub old: Address,
    /// The address that is to sign in.
    #[serde(with = "address")]
    pub new: Address,
    /// When it was asked for.
    #[serde(with = "moment")]
    pub at: Timestamp,
    /// The network address of whoever asked.
    pub from: Option<IpAddr>,
    /// When the link ends.
    #[serde(with = "moment")]
    pub expires_at: Timestamp,
    /// The link's secret.
    pub token: Token,
}

/// See [`Content::AddressConfirmed`].
#[derive(Debug, Serialize, Deserialize)]
pub struct AddressConfirmed {
    /// The address that no longer signs in.
    #[serde(with = "address")]
    pub old: Address,
    /// The address that signs in now.
    #[serde(with = "address")]
    pub new: Address,
    /// When.
    #[serde(with = "moment")]
    pub at: Timestamp,
    /// The network address of whoever did it.
    pub from: Option<IpAddr>,
}

/// See [`Content::DeviceAdded`].
#[derive(Debug, Serialize, Deserialize)]
pub struct DeviceAdded {
    /// Who added it.
    pub by: String,
    /// Of which organisation the mailbox is.
    #[serde(with = "text")]
    pub org: OrgId,
    /// The mailbox, for the link.
    #[serde(with = "text")]
    pub mailbox: MailboxId,
    /// Its address.
    #[serde(with = "address")]
    pub address: Address,
    /// The device's label.
    pub device: String,
    /// When.
    #[serde(with = "moment")]
    pub at: Timestamp,
    /// Its first sign-in, where the mail tells of that.
    #[serde(default)]
    pub set_up: Option<SignedIn>,
}

/// See [`Content::DeviceLink`].
#[derive(Debug, Serialize, Deserialize)]
pub struct DeviceLink {
    /// Who asks for it.
    pub by: String,
    /// The organisation's name.
    pub org: String,
    /// The mailbox that the device is for.
    #[serde(with = "address")]
    pub mailbox: Address,
    /// The device's label.
    pub device: String,
    /// When the link ends.
    #[serde(with = "moment")]
    pub expires_at: Timestamp,
    /// The link's secret.
    pub token: Token,
}

/// See [`Content::Invitation`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Invitation {
    /// Who invites.
    pub by: String,
    /// To which organisation.
    pub org: String,
    /// As what.
    #[serde(with = "text")]
    pub role: Role,
    /// To which mailboxes, and what may be done there.
    pub accesses: Vec<Access>,
    /// When the link ends.
    #[serde(with = "moment")]
    pub expires_at: Timestamp,
    /// The link's secret.
    pub token: Token,
}

/// See [`Content::PasswordReset`].
#[derive(Debug, Serialize, Deserialize)]
pub struct PasswordReset {
    /// Whose password: the sign-in address.
    #[serde(with = "address")]
    pub address: Address,
    /// When it was asked for.
    #[serde(with = "moment")]
    pub at: Timestamp,
    /// The network address of whoever asked.
    pub from: Option<IpAddr>,
    /// When the link ends.
    #[serde(with = "moment")]
    pub expires_at: Timestamp,
    /// The link's secret.
    pub token: Token,
}

/// See [`Content::SignInChanged`].
#[derive(Debug, Serialize, Deserialize)]
pub struct SignInChanged {
    /// Whose sign-in.
    #[serde(with = "address")]
    pub address: Address,
    /// What was changed.
    pub change: SignInChange,
    /// When.
    #[serde(with = "moment")]
    pub at: Timestamp,
    /// The network address of whoever did it.
    pub from: Option<IpAddr>,
}

/// How somebody's sign-in was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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

impl SignInChange {
    /// Every change.
    pub const ALL: [Self; 5] = [
        Self::CodesOff,
        Self::CodesOn,
        Self::Password,
        Self::RecoveryCodes,
        Self::RecoveryCodeUsed,
    ];

    /// The word in the names of texts.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::CodesOff => "codes-off",
            Self::CodesOn => "codes-on",
            Self::Password => "password",
            Self::RecoveryCodes => "recovery-codes",
            Self::RecoveryCodeUsed => "recovery-code-used",
        }
    }
}

/// See [`Content::TokenMade`].
#[derive(Debug, Serialize, Deserialize)]
pub struct TokenMade {
    /// Of which organisation.
    #[serde(with = "text")]
    pub org: OrgId,
    /// That organisation's name.
    pub org_name: String,
    /// What the token is called.
    pub name: String,
    /// What it may do at most.
    #[serde(with = "text")]
    pub role: Role,
    /// Whether it may change anything.
    #[serde(with = "text")]
    pub scope: TokenScope,
    /// When it ends by itself.
    #[serde(with = "moment")]
    pub expires_at: Timestamp,
    /// When it was made.
    #[serde(with = "moment")]
    pub at: Timestamp,
    /// The network address of whoever made it.
    pub from: Option<IpAddr>,
}

/// See [`Content::Test`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Test {
    /// The gateway's name.
    pub host: String,
    /// When.
    #[serde(with = "moment")]
    pub at: Timestamp,
}

/// Whom a mail goes to, and in which language.
#[derive(Debug, Clone, Copy)]
pub struct Recipient<'a> {
    /// The address.
    pub address: &'a Address,
    /// The language.
    pub language: Language,
}

impl Content {
    /// What the mail is about.
    pub const fn kind(&self) -> MailKind {
        match self {
            Self::AccessGiven(_) => MailKind::AccessGiven,
            Self::AccessWithdrawn(_) => MailKind::AccessWithdrawn,
            Self::AddressConfirm(_) => MailKind::AddressConfirm,
            Self::AddressConfirmed(_) => MailKind::AddressConfirmed,
            Self::DeviceAdded(_) => MailKind::DeviceAdded,
            Self::DeviceDigest(_) => MailKind::DeviceDigest,
            Self::DeviceNetwork(_) => MailKind::DeviceNetwork,
            Self::DeviceUnused(_) => MailKind::DeviceUnused,
            Self::DeviceLink(_) => MailKind::DeviceLink,
            Self::Invitation(_) => MailKind::Invitation,
            Self::NoticesOff(_) => MailKind::NoticesOff,
            Self::PasswordReset(_) => MailKind::PasswordReset,
            Self::SignInChanged(_) => MailKind::SignInChanged,
            Self::Test(_) => MailKind::Test,
            Self::TokenMade(_) => MailKind::TokenMade,
        }
    }

    /// The secret of its link, if it has one.
    pub(super) const fn token(&self) -> Option<&Token> {
        match self {
            Self::AddressConfirm(AddressConfirm { token, .. })
            | Self::DeviceLink(DeviceLink { token, .. })
            | Self::Invitation(Invitation { token, .. })
            | Self::PasswordReset(PasswordReset { token, .. }) => Some(token),
            _ => None,
        }
    }

    /// When its link ends: a mail that would arrive later is not sent.
    const fn useful_until(&self) -> Option<Timestamp> {
        match self {
            Self::AddressConfirm(AddressConfirm { expires_at, .. })
            | Self::DeviceLink(DeviceLink { expires_at, .. })
            | Self::Invitation(Invitation { expires_at, .. })
            | Self::PasswordReset(PasswordReset { expires_at, .. }) => Some(*expires_at),
            _ => None,
        }
    }

    /// Seals the content for one recipient; what comes out is put into the outbox by the store, in the transaction of
    /// what the mail is about.
    ///
    /// # Errors
    /// The cipher refuses the length.
    pub fn sealed(&self, to: Recipient<'_>, org: Option<OrgId>, keys: &Keyring) -> Result<NewMail, Error> {
        let plain = serde_json::to_vec(self).map_err(|_| Error::Content)?;
        let plain: SecretBytes = Secret::new(plain);
        let kind = self.kind();
        let sealed = keys
            .seal(&seal_context(kind, to.address), plain.expose())
            .map_err(|_| Error::Content)?;
        Ok(NewMail {
            kind,
            org,
            invitation: None,
            link: None,
            recipient: to.address.clone(),
            language: to.language,
            sealed,
            useful_until: self.useful_until(),
        })
    }

    /// Opens what [`Content::sealed`] made.
    pub(super) fn open(kind: MailKind, recipient: &Address, sealed: &[u8], keys: &Keyring) -> Result<Self, Error> {
        let plain = keys
            .unseal(&seal_context(kind, recipient), sealed)
            .map_err(Error::Sealed)?;
        let content: Self = serde_json::from_slice(plain.expose()).map_err(|_| Error::Content)?;
        if content.kind() == kind {
            Ok(content)
        } else {
            Err(Error::Content)
        }
    }
}

/// What a sealed content is bound to. With the recipient among it nobody who can write to the database, but has no
/// server key, can have a link sent to another address.
fn seal_context(kind: MailKind, recipient: &Address) -> Vec<u8> {
    format!("mail {} to {recipient}", kind.name()).into_bytes()
}

/// Values that are kept as the text that they show.
mod text {
    use super::{Deserialize, Deserializer, Serializer, de, fmt};

    pub(super) fn serialize<S: Serializer>(value: &impl fmt::Display, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, D, T>(deserializer: D) -> Result<T, D::Error>
    where
        D: Deserializer<'de>,
        T: std::str::FromStr<Err: fmt::Display>,
    {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }

    pub(super) mod option {
        use super::{Deserialize, Deserializer, Serializer, de, fmt};

        pub(in super::super) fn serialize<S: Serializer>(
            value: &Option<impl fmt::Display>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            match value {
                Some(value) => serializer.collect_str(value),
                None => serializer.serialize_none(),
            }
        }

        pub(in super::super) fn deserialize<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
        where
            D: Deserializer<'de>,
            T: std::str::FromStr<Err: fmt::Display>,
        {
            let text = Option::<String>::deserialize(deserializer)?;
            text.map(|text| text.parse().map_err(de::Error::custom)).transpose()
        }
    }

    pub(super) mod list {
        use super::{Deserialize, Deserializer, Serializer, de, fmt};

        pub(in super::super) fn serialize<S: Serializer>(
            list: &[impl fmt::Display],
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            serializer.collect_seq(list.iter().map(ToString::to_string))
        }

        pub(in super::super) fn deserialize<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
        where
            D: Deserializer<'de>,
            T: std::str::FromStr<Err: fmt::Display>,
        {
            let texts = Vec::<String>::deserialize(deserializer)?;
            let read = texts.iter().map(|text| text.parse().map_err(de::Error::custom));
            read.collect()
        }
    }
}

/// Addresses, kept as text.
mod address {
    use super::{Address, Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(address: &Address, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(address.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Address, D::Error> {
        Address::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }

    pub(super) mod list {
        use super::{Address, Deserialize, Deserializer, Serializer, de};

        pub(in super::super) fn serialize<S: Serializer>(list: &[Address], serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_seq(list.iter().map(Address::as_str))
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Vec<Address>, D::Error> {
            let texts = Vec::<String>::deserialize(deserializer)?;
            let read = texts.iter().map(|text| Address::parse(text));
            read.collect::<Result<_, _>>().map_err(de::Error::custom)
        }
    }
}

/// Moments, kept as milliseconds.
mod moment {
    use super::{Deserialize, Deserializer, Serializer, Timestamp};

    pub(super) fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(at.0)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(deserializer).map(Timestamp)
    }

    pub(super) mod option {
        use super::{Deserialize, Deserializer, Serializer, Timestamp};
        use crate::outbox::content::Serialize;

        pub(in super::super) fn serialize<S: Serializer>(
            at: &Option<Timestamp>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            at.map(|at| at.0).serialize(serializer)
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<Timestamp>, D::Error> {
            Ok(Option::<i64>::deserialize(deserializer)?.map(Timestamp))
        }
    }
}
