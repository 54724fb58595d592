//! What an address is, in words: for `doctor`, and for everybody who asks why a login fails.

use std::fmt;

use super::mailboxes::parse;
use super::{Directory, Error};
use crate::model::{Address, Alias, DomainName, Mailbox};

/// What an address is to a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressMeaning {
    /// An alias: it cannot log in.
    Alias(Alias),
    /// A mailbox with devices that may log in.
    Mailbox(Mailbox),
    /// A mailbox without a device: nobody can log in yet.
    NoDevice(Mailbox),
    /// A suspended mailbox.
    Suspended(Mailbox),
    /// An address in a known domain that is neither mailbox nor alias.
    UnknownAddress {
        /// What was asked.
        address: Address,
        /// A mailbox with a similar name.
        near: Option<String>,
    },
    /// An address in a domain that is not known.
    UnknownDomain {
        /// The domain.
        domain: DomainName,
        /// A domain with a similar name.
        near: Option<String>,
    },
}

impl fmt::Display for AddressMeaning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let near = match self {
            Self::Alias(alias) => {
                let (address, target) = (&alias.address, &alias.target);
                return write!(
                    f,
                    "{address} is an alias of {target} and cannot log in; sign in as {target}"
                );
            }
            Self::Mailbox(mailbox) => {
                let devices = if mailbox.active_devices == 1 {
                    "device"
                } else {
                    "devices"
                };
                return write!(
                    f,
                    "{} is a mailbox with {} active {devices}",
                    mailbox.address, mailbox.active_devices
                );
            }
            Self::NoDevice(mailbox) => {
                let address = &mailbox.address;
                return write!(
                    f,
                    "{address} is a mailbox without an active device: nobody can log in; add a device"
                );
            }
            Self::Suspended(mailbox) => {
                return write!(f, "{} is suspended and refuses every login; resume it", mailbox.address);
            }
            Self::UnknownAddress { address, near } => {
                write!(f, "{address} is neither a mailbox nor an alias")?;
                near
            }
            Self::UnknownDomain { domain, near } => {
                write!(f, "the mail domain {domain} is not known here")?;
                near
            }
        };
        near.as_ref().map_or(Ok(()), |near| write!(f, "; did you mean {near}?"))
    }
}

impl Directory {
    /// Says what an address is.
    ///
    /// # Errors
    /// It is not an address, or the store cannot be read.
    pub async fn explain_address(&self, address: &str) -> Result<AddressMeaning, Error> {
        let address = parse(address)?;
        match self.find_mailbox(address.as_str()).await {
            Ok(mailbox) if mailbox.suspended_at.is_some() => Ok(AddressMeaning::Suspended(mailbox)),
            Ok(mailbox) if mailbox.active_devices == 0 => Ok(AddressMeaning::NoDevice(mailbox)),
            Ok(mailbox) => Ok(AddressMeaning::Mailbox(mailbox)),
            Err(Error::UnknownMailbox { address, near }) => Ok(AddressMeaning::UnknownAddress { address, near }),
            Err(Error::UnknownDomain { domain, near }) => Ok(AddressMeaning::UnknownDomain { domain, near }),
            Err(Error::IsAlias { alias, .. }) => match self.store.alias(&alias).await? {
                Some(alias) => Ok(AddressMeaning::Alias(alias)),
                None => Ok(AddressMeaning::UnknownAddress {
                    address: alias,
                    near: None,
                }),
            },
            Err(error) => Err(error),
        }
    }
}
