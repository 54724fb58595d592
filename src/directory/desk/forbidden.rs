//! A refusal that says who can.

use std::fmt;

use super::super::rights::Operation;
use super::{Acting, Desk, Error};
use crate::model::{Address, Role};
use crate::store::MemberQuery;

/// People that a refusal names.
const NAMED_MAX: usize = 3;

/// Something that whoever asks may not do, and who can.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Forbidden {
    /// What was to be done.
    pub operation: Operation,
    /// The mailbox that it is about, where it is about one.
    pub mailbox: Option<Address>,
    /// Owners and administrators who can do it or give the right to, the most powerful first; at most three.
    pub who_can: Vec<String>,
    /// Why their right is not enough here, where they have it otherwise.
    pub because: Option<Because>,
}

/// Why a right is not enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// Somebody signs in to the Manager with the address: whoever opens its mail could have a new password sent to it.
    SomebodySignsIn,
    /// The name speaks for a domain, or is one of another domain.
    SpeaksForDomain,
}

impl Because {
    const fn text(self) -> &'static str {
        match self {
            Self::SomebodySignsIn => ", as somebody signs in to the Manager with this address",
            Self::SpeaksForDomain => ", as the name is one of another domain, or speaks for the whole domain",
        }
    }
}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "you may not {}", self.operation.title())?;
        if let Some(mailbox) = &self.mailbox {
            write!(f, " ({mailbox})")?;
        }
        f.write_str(self.because.map_or("", Because::text))?;
        match self.who_can.as_slice() {
            [] => f.write_str("; ask an owner of the organisation"),
            [one] => write!(f, "; {one} can"),
            [others @ .., last] => write!(f, "; {} and {last} can", others.join(", ")),
        }
    }
}

impl Desk {
    /// The refusal of an operation, with the names of those who can do it.
    pub(super) async fn forbidden(
        &self,
        acting: &Acting,
        operation: Operation,
        mailbox: Option<Address>,
    ) -> Result<Error, Error> {
        self.refusal(acting, (operation, operation), mailbox, None).await
    }

    /// The refusal of an operation that whoever acts may do elsewhere, with the names of those who may do what it needs
    /// here.
    pub(super) async fn forbidden_because(
        &self,
        acting: &Acting,
        operations: (Operation, Operation),
        mailbox: Option<Address>,
        because: Because,
    ) -> Result<Error, Error> {
        self.refusal(acting, operations, mailbox, Some(because)).await
    }

    async fn refusal(
        &self,
        acting: &Acting,
        (operation, needed): (Operation, Operation),
        mailbox: Option<Address>,
        because: Option<Because>,
    ) -> Result<Error, Error> {
        let mut who_can = Vec::new();
        let could = |role: &Role| needed.allows_role(*role);
        for role in [Role::Owner, Role::Administrator].into_iter().filter(could) {
            let query = MemberQuery {
                role: Some(role),
                limit: u32::try_from(NAMED_MAX).unwrap_or(u32::MAX),
                ..MemberQuery::default()
            };
            let page = self.store().members(acting.org.id, &query).await?;
            who_can.extend(page.rows.into_iter().map(|row| row.member.user.name));
        }
        who_can.truncate(NAMED_MAX);
        Ok(Error::Forbidden(Box::new(Forbidden {
            operation,
            mailbox,
            who_can,
            because,
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_who_can() {
        let refusal = |names: &[&str]| {
            Forbidden {
                operation: Operation::DeviceAdd,
                mailbox: Address::parse("info@example.org").ok(),
                who_can: names.iter().map(|name| (*name).to_owned()).collect(),
                because: None,
            }
            .to_string()
        };
        let begin = "you may not add a device that belongs to nobody (info@example.org)";
        assert_eq!(refusal(&["Sophie"]), format!("{begin}; Sophie can"));
        assert_eq!(refusal(&["Sophie", "Marc"]), format!("{begin}; Sophie and Marc can"));
        assert_eq!(
            refusal(&["Sophie", "Marc", "Ann"]),
            format!("{begin}; Sophie, Marc and Ann can")
        );
        assert_eq!(refusal(&[]), format!("{begin}; ask an owner of the organisation"));
    }
}
