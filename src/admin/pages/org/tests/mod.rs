//! The pages of an organisation through their router, over a real store.

mod activity;
mod devices;
mod domains;
mod hostile;
mod isolation;
mod live;
mod mailboxes;
mod matrix;
mod people;

use super::super::tests::kit::{Answer, Browser, PASSWORD, START, Site, Wish};
use crate::model::{Device, DeviceId, Mailbox, Right, Rights};
use crate::peer::Protocol;
use crate::revoke::{LiveSession, SessionInfo};
use crate::store::DeviceRow;

fn right(right: Right) -> Rights {
    Rights::NONE.with(right)
}

/// Where live sessions of tests come from.
const PEER: &str = "198.51.100.7";

/// A live session of a device, for as long as it is held.
fn connect(site: &Site, mailbox: &Mailbox, device: &Device, protocol: Protocol) -> LiveSession {
    site.registry.register(session_info(site, mailbox, device, protocol))
}

fn session_info(site: &Site, mailbox: &Mailbox, device: &Device, protocol: Protocol) -> SessionInfo {
    SessionInfo {
        device: device.id,
        label: device.label.as_str().into(),
        mailbox: mailbox.id,
        address: mailbox.address.clone(),
        protocol,
        peer: PEER.parse().unwrap(),
        since: site.clock.utc(),
        expires_at: None,
        client: Some("Thunderbird".into()),
        route: "default".into(),
        is_trial: false,
    }
}

/// A device as the store has it now.
async fn now(site: &Site, id: DeviceId) -> DeviceRow {
    site.store.device_in(site.acme.id, id).await.unwrap().unwrap()
}
