//! Who may be the sender of a message (RFC 6409 §6.1): the mailbox, its aliases, and what the device's list adds.
//!
//! Local parts compare without case and domains by their A-labels, as everywhere in the model. A subaddress
//! (`anna+news@`) counts as its mailbox where a delimiter is configured. What the model takes for no address at all,
//! such as a local part that needs quotes, is nobody's.

use bytes::Bytes;

use crate::model::{Address, DomainName};
use crate::smtp::reply;
use crate::smtp::syntax::{Mailbox, ReversePath};

/// Which reverse-paths pass.
#[derive(Debug, Clone)]
pub enum SenderPolicy {
    /// Only these.
    Check {
        /// The mailbox, its aliases, and single addresses of the device's list.
        allowed: Vec<Address>,
        /// Domains of the device's list: any local part.
        domains: Vec<DomainName>,
        /// Whether `<>` passes.
        null_sender: bool,
        /// What separates a subaddress from its local part, such as `+`.
        subaddress_delimiter: Option<char>,
    },
    /// Any; the mail store decides.
    Off,
}

impl SenderPolicy {
    /// Whether this sender passes; the error is the reply.
    pub(super) fn judge(&self, path: &ReversePath) -> Result<(), Bytes> {
        let Self::Check {
            allowed,
            domains,
            null_sender,
            subaddress_delimiter,
        } = self
        else {
            return Ok(());
        };
        let mailbox = match path {
            ReversePath::Null if *null_sender => return Ok(()),
            ReversePath::Null => return Err(Bytes::from_static(reply::NULL_SENDER.as_bytes())),
            ReversePath::Mailbox(mailbox) => mailbox,
        };
        let address = address(mailbox);
        let owned = address.is_some_and(|address| {
            allowed.contains(&address)
                || base(&address, *subaddress_delimiter).is_some_and(|base| allowed.contains(&base))
                // Postfix reads `site!user` and `user%site` at its own domains as addresses of `site`; the model
                // has no `%`.
                || (domains.contains(&address.domain()) && !address.local().contains('!'))
        });
        if owned {
            Ok(())
        } else {
            Err(reply::sender_not_owned(&mailbox.to_string()))
        }
    }
}

/// The address that upstream will read. [`Address::parse`] trims what people type; in a quoted local part outer blanks
/// make another address.
fn address(mailbox: &Mailbox) -> Option<Address> {
    if mailbox.local.contains(' ') {
        return None;
    }
    Address::parse(&format!("{}@{}", mailbox.local, mailbox.host)).ok()
}

/// The address without its subaddress.
fn base(address: &Address, delimiter: Option<char>) -> Option<Address> {
    let (base, _) = address.local().split_once(delimiter?)?;
    Address::parse(&format!("{base}@{}", address.domain())).ok()
}
