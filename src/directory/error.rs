//! Why an operation was not done. Each error says what to do, and names what was probably meant.

use super::import::RowError;
use crate::model::address::BadAddress;
use crate::model::{Address, DomainName};
use crate::{keys, store};

/// Why an operation was not done; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Several revoked devices share this name.
    #[error("{given:?} names {count} revoked devices; name one by its id")]
    AmbiguousDevice {
        /// What was given.
        given: String,
        /// How many.
        count: usize,
    },
    /// Not an address.
    #[error("{given:?} is not a mail address: {why}")]
    BadAddress {
        /// What was given.
        given: String,
        /// What is wrong with it.
        why: BadAddress,
    },
    /// Neither an id nor `address/label`.
    #[error("{given:?} is not a device: write its id (dev-...) or address/label, such as anna@example.org/iPhone")]
    BadDevice {
        /// What was given.
        given: String,
    },
    /// Not a mail domain.
    #[error("{given:?} is not a mail domain such as example.org: {why}")]
    BadDomain {
        /// What was given.
        given: String,
        /// What is wrong with it.
        why: BadAddress,
    },
    /// Rows of an import are refused; none was written.
    #[error("{} row(s) of the import are refused and nothing was written; the first is {}", .0.len(), first(.0))]
    Import(Vec<RowError>),
    /// An alias stands where a mailbox is needed.
    #[error("{alias} is an alias of {target}; devices belong to the mailbox: use {target}")]
    IsAlias {
        /// The alias.
        alias: Address,
        /// Its mailbox.
        target: Address,
    },
    /// A mailbox stands where an alias is needed.
    #[error("{address} is a mailbox, not an alias")]
    IsMailbox {
        /// The mailbox.
        address: Address,
    },
    /// The server keys cannot do it.
    #[error(transparent)]
    Keys(#[from] keys::Error),
    /// No unused tag was found for a new password.
    #[error("no password with a tag of its own was found for {address}; revoke devices that are no longer used")]
    NoTag {
        /// The mailbox.
        address: Address,
    },
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// No such alias.
    #[error("there is no alias {address}")]
    UnknownAlias {
        /// What was looked for.
        address: Address,
    },
    /// No such device.
    #[error("there is no device {given:?}{}", meant(.near))]
    UnknownDevice {
        /// What was given.
        given: String,
        /// What may have been meant.
        near: Option<String>,
    },
    /// No such mail domain.
    #[error("the mail domain {domain} is not known here; add it to an organisation first{}", meant(.near))]
    UnknownDomain {
        /// What was looked for.
        domain: DomainName,
        /// What may have been meant.
        near: Option<String>,
    },
    /// No such mailbox, in a known domain.
    #[error("there is no mailbox {address}{}", meant(.near))]
    UnknownMailbox {
        /// What was looked for.
        address: Address,
        /// What may have been meant.
        near: Option<String>,
    },
    /// No such organisation.
    #[error("there is no organisation {given:?}{}", meant(.near))]
    UnknownOrg {
        /// What was given.
        given: String,
        /// What may have been meant.
        near: Option<String>,
    },
}

fn meant(near: &Option<String>) -> String {
    near.as_ref()
        .map_or_else(String::new, |near| format!("; did you mean {near}?"))
}

fn first(rows: &[RowError]) -> String {
    rows.first().map_or_else(String::new, ToString::to_string)
}
