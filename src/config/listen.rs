//! `[[listener]]` and `[limits]`: where clients connect, and how many may.

use std::net::{IpAddr, SocketAddr};

use serde_spanned::Spanned;

use super::file;
use super::section::{Section, ms, or, secs, span};
use crate::listen::{Config, ListenerConfig, TlsMode};
use crate::peer::{NetworkPrefixes, Protocol};

/// More sockets than a machine has a use for are a mistake in a generated file.
const MAX_LISTENERS: usize = 64;

/// Checks the limits; times of a stop come from `[sessions]` and are filled in by the caller.
pub(super) fn limits(section: &mut Section<'_, '_>, raw: &file::Limits, listeners: Vec<ListenerConfig>) -> Config {
    // Defaults follow a smaller limit above them: whoever sets only that one has said enough.
    let max_connections = section.number("connections", &raw.connections, 20_000, 1..=1_000_000);
    let max_before_login = section.number(
        "before_login",
        &raw.before_login,
        max_connections.min(2000),
        1..=1_000_000,
    );
    let network = NetworkPrefixes::default();
    let config = Config {
        listeners,
        max_connections,
        max_before_login,
        max_before_login_per_network: section.number(
            "before_login_per_network",
            &raw.before_login_per_network,
            max_before_login.min(100),
            1..=1_000_000,
        ),
        max_per_network: section.number(
            "connections_per_network",
            &raw.connections_per_network,
            max_connections.min(2000),
            1..=1_000_000,
        ),
        network: NetworkPrefixes {
            ipv4: section.number("ipv4_prefix", &raw.ipv4_prefix, network.ipv4, 8..=32),
            ipv6: section.number("ipv6_prefix", &raw.ipv6_prefix, network.ipv6, 16..=128),
        },
        proxy_header_time: section.time("proxy_header_time", &raw.proxy_header_time, secs(3), ms(100)..=secs(60)),
        drain_time: secs(30).0,
        close_time: secs(5).0,
    };
    let pairs = [
        (
            "before_login",
            &raw.before_login,
            config.max_before_login,
            "connections",
            config.max_connections,
        ),
        (
            "before_login_per_network",
            &raw.before_login_per_network,
            config.max_before_login_per_network,
            "before_login",
            config.max_before_login,
        ),
        (
            "connections_per_network",
            &raw.connections_per_network,
            config.max_per_network,
            "connections",
            config.max_connections,
        ),
    ];
    for (name, key, value, above, limit) in pairs {
        if value > limit {
            section.error(
                name,
                key,
                format!("{value} is more than {above} = {limit}; lower this or raise {above}"),
            );
        }
    }
    config
}

/// Checks all listeners.
pub(super) fn listeners(section: &mut Section<'_, '_>, raw: &[Spanned<file::Listener>]) -> Vec<ListenerConfig> {
    if raw.is_empty() {
        section.error_at(
            "listener",
            None,
            "there is no listener; add [[listener]] with name = \"imaps\", address = \"0.0.0.0:993\", protocol = \"imap\"",
        );
    }
    if raw.len() > MAX_LISTENERS {
        section.error_at(
            "listener",
            raw.get(MAX_LISTENERS).map(Spanned::span),
            format!("there are more than {MAX_LISTENERS} listeners; remove some"),
        );
    }
    let mut seen: Vec<ListenerConfig> = Vec::new();
    for entry in raw.iter().take(MAX_LISTENERS) {
        let Some(listener) = listener(section, entry) else {
            continue;
        };
        let raw = entry.get_ref();
        if let Some(other) = seen.iter().find(|other| overlap(other.address, listener.address)) {
            let message = format!(
                "{} is already taken by listener \"{}\"; give each listener an address or port of its own",
                listener.address, other.name
            );
            section.error_at("listener.address", span(&raw.address), message);
        }
        if seen.iter().any(|other| other.name == listener.name) {
            section.error_at(
                "listener.name",
                span(&raw.name),
                format!(
                    "there are two listeners named \"{}\"; logs could not tell them apart, rename one",
                    listener.name
                ),
            );
        }
        seen.push(listener);
    }
    seen
}

fn listener(section: &mut Section<'_, '_>, entry: &Spanned<file::Listener>) -> Option<ListenerConfig> {
    let raw = entry.get_ref();
    let mut missing = |name: &str, example: &str| {
        section.error_at(
            &format!("listener.{name}"),
            Some(entry.span()),
            format!("this listener has no {name}; add {name} = {example}"),
        );
    };
    let (Some(address), Some(protocol)) = (&raw.address, &raw.protocol) else {
        if raw.address.is_none() {
            missing("address", "\"0.0.0.0:993\"");
        }
        if raw.protocol.is_none() {
            missing("protocol", "\"imap\" or \"smtp\"");
        }
        return None;
    };
    let address = address.get_ref().0;
    let protocol = match protocol.get_ref() {
        file::Protocol::Imap => Protocol::Imap,
        file::Protocol::Smtp => Protocol::Smtp,
    };
    let tls = match or(&raw.security, file::ListenerSecurity::Tls) {
        file::ListenerSecurity::Tls => TlsMode::Implicit,
        file::ListenerSecurity::Starttls => TlsMode::StartTls,
    };
    let proxy_from = raw.proxy_from.as_ref().map(|list| {
        if list.get_ref().is_empty() {
            section.error_at("listener.proxy_from", Some(list.span()), "a listener that expects PROXY headers trusts nobody; list the load balancer's networks, or remove proxy_from for direct connections");
        }
        for network in list.get_ref().iter().filter(|network| network.get_ref().0.prefix_len() == 0) {
            section.error_at("listener.proxy_from", Some(network.span()), "this trusts the whole internet to say who it is; list only the load balancer's networks");
        }
        list.get_ref().iter().map(|network| network.get_ref().0).collect()
    });
    if let Some(usual) = contradicted_port(address.port(), protocol, tls) {
        section.warning(
            "listener.address",
            &raw.address,
            format!(
                "clients expect {usual} on port {}; check protocol and security",
                address.port()
            ),
        );
    }
    let name = raw
        .name
        .as_ref()
        .map_or_else(|| usual_name(protocol, tls).to_owned(), |name| name.get_ref().clone());
    Some(ListenerConfig {
        name,
        address,
        protocol,
        tls,
        proxy_from,
    })
}

/// IANA's service names (RFC 8314 §7).
const fn usual_name(protocol: Protocol, tls: TlsMode) -> &'static str {
    match (protocol, tls) {
        (Protocol::Imap, TlsMode::Implicit) => "imaps",
        (Protocol::Imap, TlsMode::StartTls) => "imap",
        (Protocol::Smtp, TlsMode::Implicit) => "submissions",
        (Protocol::Smtp, TlsMode::StartTls) => "submission",
    }
}

fn contradicted_port(port: u16, protocol: Protocol, tls: TlsMode) -> Option<&'static str> {
    let usual = match port {
        143 => "imap",
        465 => "submissions",
        587 => "submission",
        993 => "imaps",
        _ => return None,
    };
    (usual != usual_name(protocol, tls)).then_some(usual)
}

/// Whether the system would refuse the second socket. Port 0 asks for any free port.
fn overlap(a: SocketAddr, b: SocketAddr) -> bool {
    let wildcard = |ip: IpAddr| ip.is_unspecified();
    a.port() != 0
        && a.port() == b.port()
        && (a.ip() == b.ip() || (a.is_ipv4() == b.is_ipv4() && (wildcard(a.ip()) || wildcard(b.ip()))))
}
