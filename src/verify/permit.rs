//! The rule by which a proved secret is let in or not, from the live record alone: no store, no hash, no memory of
//! earlier logins.

use std::net::IpAddr;

use super::Reason;
use super::hint::Refused;
use crate::clock::Timestamp;
use crate::model::DeviceState;
use crate::peer::Protocol;
use crate::store::Credential;

/// What a login is judged by besides the record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Circumstances {
    pub(super) now: Timestamp,
    pub(super) protocol: Protocol,
    pub(super) ip: IpAddr,
    pub(super) suspended: bool,
}

/// Why this credential may not log in now, if so. What ended for good is told before what may change.
pub(super) fn refusal(credential: &Credential, at: Circumstances) -> Option<(Reason, Refused)> {
    let device = &credential.device;
    match (device.state, credential.retired_at, device.expires_at) {
        (DeviceState::Revoked(since), ..) => Some((Reason::DeviceRevoked, Refused::Revoked(since))),
        (_, Some(since), _) => Some((Reason::OldPassword, Refused::OldPassword(since))),
        (_, _, Some(end)) if end <= at.now => Some((Reason::DeviceExpired, Refused::Expired(end))),
        (DeviceState::Paused(since), ..) => Some((Reason::DevicePaused, Refused::Paused(since))),
        _ if at.suspended => Some((Reason::MailboxSuspended, Refused::Suspended)),
        _ if !device.scopes.allow(at.protocol) => Some((Reason::ScopeNotAllowed, Refused::Scope(at.protocol.name()))),
        _ if !device.networks.allow(at.ip) => Some((Reason::NetworkNotAllowed, Refused::Network)),
        _ => None,
    }
}
