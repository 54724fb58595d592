//! Devices and live mail sessions.

use serde::Serialize;
use utoipa::ToSchema;

use super::{MailboxRef, PersonRef};
use crate::admin::api::Api;
use crate::admin::api::words::{DeviceId, DeviceKind, Language, Moment, Networks, Protocol, Senders, protocols};
use crate::model::{self, DeviceLinkState, DeviceState};
use crate::revoke::SessionSnapshot;
use crate::store::DeviceRow;

/// One use of a device.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::admin::api) struct Use {
    at: Moment,
    /// From where.
    ip: String,
    protocol: Protocol,
    /// What the mail program calls itself.
    #[schema(required = true)]
    client: Option<String>,
}

impl From<&model::device::Use> for Use {
    fn from(used: &model::device::Use) -> Self {
        Self {
            at: Moment(used.at),
            ip: used.ip.to_string(),
            protocol: used.protocol.into(),
            client: used.client.clone(),
        }
    }
}

/// Where an old password of a device is still tried.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::admin::api) struct Knocking {
    /// How often so far.
    tries: u64,
    /// The first time.
    since: Moment,
    /// The last time.
    last: Use,
}

impl From<&model::device::Knocking> for Knocking {
    fn from(knocking: &model::device::Knocking) -> Self {
        Self {
            tries: knocking.tries,
            since: Moment(knocking.since),
            last: Use::from(&knocking.last),
        }
    }
}

/// Whether a device may sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::admin::api) enum State {
    /// It may.
    Active,
    /// Switched off for a while.
    Paused,
    /// Its end has come.
    Expired,
    /// Ended for good.
    Revoked,
}

/// A device: one password of one mailbox.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::admin::api) struct Device {
    pub(in crate::admin::api) id: DeviceId,
    mailbox: MailboxRef,
    /// What people call it.
    name: String,
    kind: DeviceKind,
    /// The person it belongs to; null where a printer or a program uses it.
    #[schema(required = true)]
    user: Option<PersonRef>,
    state: State,
    /// Since when it is paused, expired or revoked.
    #[schema(required = true)]
    state_since: Option<Moment>,
    /// What it may do.
    scopes: Vec<Protocol>,
    /// Refused from this moment on.
    #[schema(required = true)]
    expires_at: Option<Moment>,
    networks: Networks,
    senders: Senders,
    created_at: Moment,
    /// When its password was last replaced.
    #[schema(required = true)]
    replaced_at: Option<Moment>,
    /// Its password came by import instead of being generated.
    imported: bool,
    #[schema(required = true)]
    first_used: Option<Use>,
    #[schema(required = true)]
    last_used: Option<Use>,
    /// An old password of it is still tried somewhere.
    #[schema(required = true)]
    knocking: Option<Knocking>,
    /// Live sessions at this moment.
    connections: usize,
    /// To be given back with a change of the record.
    revision: String,
}

impl Device {
    pub(in crate::admin::api) fn of(api: &Api, row: &DeviceRow) -> Self {
        let device = &row.device;
        let connections = api.registry.sessions_of_device(device.id).len();
        let (state, since) = match (device.state, device.expires_at) {
            (DeviceState::Revoked(at), _) => (State::Revoked, Some(at)),
            (_, Some(end)) if end <= api.clock.utc() => (State::Expired, Some(end)),
            (DeviceState::Paused(at), _) => (State::Paused, Some(at)),
            (DeviceState::Active, _) => (State::Active, None),
        };
        let person = device.user.zip(row.owner.clone());
        Self {
            id: DeviceId(device.id),
            mailbox: MailboxRef::new(device.mailbox, &row.address),
            name: device.label.clone(),
            kind: DeviceKind(device.kind),
            user: person.map(|(id, name)| PersonRef::new(id, name)),
            state,
            state_since: since.map(Moment),
            scopes: protocols(device.scopes),
            expires_at: device.expires_at.map(Moment),
            networks: Networks(device.networks.clone()),
            senders: Senders(device.senders.clone()),
            created_at: Moment(device.created_at),
            replaced_at: device.replaced_at.map(Moment),
            imported: device.imported,
            first_used: device.first_used.as_ref().map(Use::from),
            last_used: device.last_used.as_ref().map(Use::from),
            knocking: row.knocking.as_ref().map(Knocking::from),
            connections,
            revision: device.revision.to_string(),
        }
    }
}

/// How far a set-up link has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum LinkState {
    /// Nobody has opened it yet.
    Sent,
    /// It was opened.
    Opened,
    /// Its file was read.
    Fetched,
    /// The device has signed in.
    SignedIn,
    /// Withdrawn, or replaced by a newer one or by a password that was shown.
    Withdrawn,
    /// Its time ran out before anybody opened it.
    Expired,
    /// The device was revoked.
    Ended,
}

impl From<DeviceLinkState> for LinkState {
    fn from(state: DeviceLinkState) -> Self {
        match state {
            DeviceLinkState::Sent => Self::Sent,
            DeviceLinkState::Opened(_) => Self::Opened,
            DeviceLinkState::Fetched(_) => Self::Fetched,
            DeviceLinkState::SignedIn(_) => Self::SignedIn,
            DeviceLinkState::Withdrawn(_) => Self::Withdrawn,
            DeviceLinkState::Expired(_) => Self::Expired,
            DeviceLinkState::Ended(_) => Self::Ended,
        }
    }
}

/// A set-up link: whoever opens it gets the device's password.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::admin::api) struct DeviceLink {
    state: LinkState,
    /// Since when; null while it waits.
    #[schema(required = true)]
    state_since: Option<Moment>,
    /// Who sent it.
    sent_by: String,
    /// Where it was mailed to; null where it was handed over.
    #[schema(required = true)]
    recipient: Option<String>,
    language: Language,
    created_at: Moment,
    /// Its end.
    expires_at: Moment,
    #[schema(required = true)]
    opened_at: Option<Moment>,
    /// From where it was opened.
    #[schema(required = true)]
    opened_from: Option<String>,
    /// When its file was read.
    #[schema(required = true)]
    fetched_at: Option<Moment>,
}

impl From<&model::DeviceLink> for DeviceLink {
    fn from(link: &model::DeviceLink) -> Self {
        Self {
            state: link.state.into(),
            state_since: link.state.since().map(Moment),
            sent_by: link.sent_by.clone(),
            recipient: link.recipient.as_ref().map(ToString::to_string),
            language: Language(link.language),
            created_at: Moment(link.created_at),
            expires_at: Moment(link.expires_at),
            opened_at: link.opened_at.map(Moment),
            opened_from: link.opened_from.map(|from| from.to_string()),
            fetched_at: link.fetched_at.map(Moment),
        }
    }
}

/// A device, by its id and name.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::admin::api) struct DeviceRef {
    id: DeviceId,
    name: String,
}

/// A live mail session.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::admin::api) struct Session {
    /// Its number; it counts anew when Postern starts.
    pub(in crate::admin::api) id: u64,
    mailbox: MailboxRef,
    device: DeviceRef,
    protocol: Protocol,
    /// Since when.
    since: Moment,
    /// From where.
    ip: String,
    /// What the mail program calls itself.
    #[schema(required = true)]
    client: Option<String>,
    /// Octets from the mail store to the client.
    received: u64,
    /// Octets from the client to the mail store.
    sent: u64,
}

impl From<SessionSnapshot> for Session {
    fn from(session: SessionSnapshot) -> Self {
        let info = session.info;
        Self {
            id: session.id.0,
            mailbox: MailboxRef::new(info.mailbox, &info.address),
            device: DeviceRef {
                id: DeviceId(info.device),
                name: info.label.into(),
            },
            protocol: info.protocol.into(),
            since: Moment(info.since),
            ip: info.peer.to_string(),
            client: info.client.map(String::from),
            received: session.bytes_down,
            sent: session.bytes_up,
        }
    }
}
