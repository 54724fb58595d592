//! Who is claimed to log in: credentials with their name read, once for the throttle, the verdict and the log.

use crate::model::{Address, DomainName};
use crate::preauth::Credentials;

/// Credentials of which the name was read. Made by [`Verifier::claim`](super::Verifier::claim).
pub struct Claim<'a> {
    pub(super) credentials: &'a Credentials,
    /// The address that the name stands for; none where it can be no name.
    pub(super) address: Option<Address>,
}

impl<'a> Claim<'a> {
    pub(super) fn read(credentials: &'a Credentials, default_domain: Option<&DomainName>) -> Self {
        let address = Address::from_login(&credentials.username, default_domain).ok();
        Self { credentials, address }
    }

    /// The name in the one form in which failures are counted: however its owner or a guesser spells it (case,
    /// `mailto:`, U-labels, without its domain), a mailbox has one count. What can be no name stays as typed.
    pub fn name(&self) -> &str {
        let address = self.address.as_ref().map(Address::as_str);
        address.unwrap_or(&self.credentials.username)
    }
}
