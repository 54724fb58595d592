//! What paths name, of pages and API alike: ids, read into types. An id that cannot be read is one that is unknown.

use std::str::FromStr;

use axum::extract::RawPathParams;

use crate::model::{AliasId, DeviceId, DomainId, InvitationId, MailboxId, TokenId, UserId};
use crate::revoke::SessionId;

/// Something that a path names.
pub(super) trait Named: Sized + Send {
    /// What it is.
    const WHAT: &'static str;

    /// Reads it from the path's parameters.
    fn read(params: &RawPathParams) -> Option<Self>;
}

fn param<T: FromStr>(params: &RawPathParams, name: &str) -> Option<T> {
    let mut params = params.iter();
    params
        .find(|(given, _)| *given == name)
        .and_then(|(_, value)| value.parse().ok())
}

macro_rules! named {
    ($($type:ty => $name:literal, $what:literal;)*) => {
        $(impl Named for $type {
            const WHAT: &'static str = $what;

            fn read(params: &RawPathParams) -> Option<Self> {
                param(params, $name)
            }
        })*
    };
}

named! {
    AliasId => "alias", "alias";
    DeviceId => "device", "device";
    DomainId => "domain", "mail domain";
    InvitationId => "invitation", "invitation";
    MailboxId => "mailbox", "mailbox";
    TokenId => "token", "token";
    UserId => "user", "member";
    i64 => "number", "entry";
}

impl Named for SessionId {
    const WHAT: &'static str = "session";

    fn read(params: &RawPathParams) -> Option<Self> {
        param(params, "session").map(Self)
    }
}

impl<A: Named, B: Named> Named for (A, B) {
    const WHAT: &'static str = B::WHAT;

    fn read(params: &RawPathParams) -> Option<Self> {
        Some((A::read(params)?, B::read(params)?))
    }
}
