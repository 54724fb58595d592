//! `[manager]`: where people open the Manager, and what browsers see of it.

use std::net::SocketAddr;
use std::path::Path;

use super::MAX_SOCKET_PATH;
use super::file;
use super::section::{Section, or, span};
use crate::admin::manager::{Config, Place};
use crate::listen::ListenerConfig;
use crate::model::Origin;
use crate::peer::NetworkPrefixes;

/// Checks the section; nothing where the Manager is off, which it is without an address. What one network is comes from
/// `[limits]` and is filled in by the caller.
pub(super) fn check(
    section: &mut Section<'_, '_>,
    raw: &file::Manager,
    taken: (&[ListenerConfig], Option<SocketAddr>),
    (origin, sends_mail): (Option<&Origin>, bool),
) -> Option<Config> {
    let max_connections = section.number("connections", &raw.connections, 512, 1..=100_000);
    let per_network = max_connections.min(64);
    let max_per_network = section.number(
        "connections_per_network",
        &raw.connections_per_network,
        per_network,
        1..=100_000,
    );
    let proxies: Vec<_> = or(&raw.proxies, Vec::new())
        .into_iter()
        .map(|network| network.into_inner().0)
        .collect();
    let Some(place) = place(section, raw, taken) else {
        if raw.origin.is_some() && !sends_mail {
            section.warning(
                "address",
                &raw.origin,
                "the Manager has an origin and no place to listen, so it is off; add address = \"0.0.0.0:443\" or unix_socket",
            );
        }
        return None;
    };
    let origin = known(section, raw, origin)?;
    let in_clear = matches!(&place, Place::Tcp { tls: false, .. });
    if in_clear && origin.is_secure() && proxies.is_empty() {
        section.warning(
            "proxies",
            &raw.origin,
            "people come through a reverse proxy that is not named, so all of them seem to come from its address; add proxies = [\"127.0.0.1\"]",
        );
    }
    if matches!(&place, Place::Tcp { tls: true, .. }) && !origin.is_secure() {
        section.error(
            "origin",
            &raw.origin,
            format!("the Manager speaks TLS here, but {origin} does not; write https:// or set tls = false"),
        );
    }
    Some(Config {
        place,
        origin,
        proxies,
        network: NetworkPrefixes::default(),
        max_connections,
        max_per_network,
    })
}

fn place(
    section: &mut Section<'_, '_>,
    raw: &file::Manager,
    (listeners, operations): (&[ListenerConfig], Option<SocketAddr>),
) -> Option<Place> {
    if let Some(path) = section.optional_path(&raw.unix_socket) {
        if raw.address.is_some() {
            section.error(
                "unix_socket",
                &raw.unix_socket,
                "there is an address as well; keep one of the two",
            );
        }
        if or(&raw.tls, false) {
            section.error(
                "tls",
                &raw.tls,
                "a Unix socket has no TLS; remove this, the reverse proxy speaks it",
            );
        }
        short_enough(section, raw, &path);
        return Some(Place::Unix(path));
    }
    let address = raw.address.as_ref().map(|address| address.get_ref().0)?;
    let is_taken = listeners.iter().any(|listener| listener.address == address) || operations == Some(address);
    if is_taken && address.port() != 0 {
        section.error(
            "address",
            &raw.address,
            "a listener has this address already; use another port",
        );
    }
    let tls = or(&raw.tls, true);
    if !tls && !address.ip().is_loopback() {
        section.error_at(
            "tls",
            span(&raw.tls),
            format!("without TLS, passwords would cross the network to {address} in clear; listen on 127.0.0.1 or a unix_socket behind a reverse proxy, or remove tls = false"),
        );
    }
    Some(Place::Tcp { address, tls })
}

fn short_enough(section: &mut Section<'_, '_>, raw: &file::Manager, path: &Path) {
    let length = path.as_os_str().len();
    if length > MAX_SOCKET_PATH {
        let message = format!(
            "{} has {length} octets and a Unix socket at most {MAX_SOCKET_PATH}; name a shorter path",
            path.display()
        );
        section.error("unix_socket", &raw.unix_socket, message);
    }
}

/// One that is none was told already, with `[mail]`, which needs it too.
fn known(section: &mut Section<'_, '_>, raw: &file::Manager, origin: Option<&Origin>) -> Option<Origin> {
    if raw.origin.is_none() {
        section.error(
            "origin",
            &raw.origin,
            "links in mails need to know where browsers find the Manager; add origin = \"https://manager.example.org\"",
        );
    }
    origin.cloned()
}
