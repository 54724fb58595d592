//! What a mail store shows before any login: address, TLS, greeting, and what it offers.

use std::net::{Ipv4Addr, SocketAddr};

use crate::clock::{Clock, Timestamp};
use crate::imap::filter;
use crate::peer::{Peer, Protocol};
use crate::smtp::Extensions;
use crate::tls::{self, Stream};
use crate::upstream::error::Error;
use crate::upstream::plan::takes_parameter;
use crate::upstream::route::{Strategy, Transport};
use crate::upstream::service::{LiveService, leave};

use super::{Report, said};

/// What submission is poorer without.
const KEYWORDS: [&str; 6] = ["PIPELINING", "8BITMIME", "SMTPUTF8", "CHUNKING", "SIZE", "DSN"];
/// What IMAP logins and clients are poorer without.
const CAPABILITIES: [&str; 3] = ["AUTH=PLAIN", "SASL-IR", "ID"];

/// A mail store that greeted us.
pub(super) struct Reached {
    /// This machine as the client: both ends are the socket's own end.
    pub(super) peer: Peer,
    /// Whether a name and a password can be said to it at all.
    pub(super) takes_passwords: bool,
    /// Whether the filter was reported.
    pub(super) is_filtered: bool,
}

/// Reports on the way to the greeting and what came with it; `None` where it was not reached.
pub(super) async fn inspect(service: &LiveService, clock: &Clock, report: &mut Report) -> Option<Reached> {
    let started = clock.now();
    let dialogue = match service.open().await {
        Ok(dialogue) => dialogue,
        Err(error) => {
            unreached(service, &error, report);
            return None;
        }
    };
    let took = clock.now().saturating_duration_since(started).as_millis();
    let tcp = dialogue.stream().tcp();
    let (far, near) = tcp.map_or((None, None), |tcp| (tcp.peer_addr().ok(), tcp.local_addr().ok()));
    let endpoint = &service.config.endpoint;
    match far {
        Some(address) => report.right("connection", format_args!("{endpoint} at {}", address.ip())),
        None => report.right("connection", endpoint),
    }
    protection(dialogue.stream(), far, clock.utc(), report);
    report.right("greeting", format_args!("after {took} ms"));
    let offered = dialogue.offered();
    let takes_passwords = match service.protocol {
        Protocol::Imap => imap_capabilities(service, offered, report),
        Protocol::Smtp => smtp_keywords(service, offered, report),
    };
    let is_filtered = filtered(offered, report);
    leave(dialogue).await;
    let near = near.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 1)));
    Some(Reached {
        peer: Peer::new(near, near),
        takes_passwords,
        is_filtered,
    })
}

fn unreached(service: &LiveService, error: &Error, report: &mut Report) {
    let said = said(error);
    match error {
        Error::Connect { .. } => report.wrong(
            "connection",
            format_args!("{said}; check the address, the port, the firewall, and that the mail store runs"),
        ),
        Error::Timeout { .. } => report.wrong(
            "connection",
            format_args!(
                "{said} to {}; check the firewall, and whether the port speaks TLS at once or after STARTTLS",
                service.config.endpoint
            ),
        ),
        Error::Tls { source, .. } => report.wrong("tls", format_args!("{said}; {}", tls::advice(source))),
        _ => {
            let advice = match service.config.transport {
                Transport::Cleartext => "see the mail store's log, and whether the port wants TLS at once",
                Transport::StartTls => "see the mail store's log, and whether it offers STARTTLS on this port",
                Transport::ImplicitTls => "see the mail store's log, and whether this is the protocol's port",
            };
            report.wrong("greeting", format_args!("{said}; {advice}"));
        }
    }
}

fn protection(stream: &Stream, far: Option<SocketAddr>, now: Timestamp, report: &mut Report) {
    let Some(facts) = stream.tls_facts() else {
        return match far {
            Some(address) if !address.ip().to_canonical().is_loopback() => report.warn(
                "tls",
                "none: whoever is on the way reads our credentials and all mail; use TLS unless that network is as \
                 safe as this machine",
            ),
            _ => report.right("tls", "none, on this machine"),
        };
    };
    let facts = format!("{} with {}", facts.version, facts.cipher);
    let Some(end) = stream.certificate_end() else {
        return report.right("tls", facts);
    };
    let detail = format!("{facts}, certificate until {}", end.day());
    if end < now.plus(tls::RENEWAL_NOTICE) {
        report.warn("tls", format_args!("{detail}: renew it"));
    } else {
        report.right("tls", detail);
    }
}

/// Says whether a password can be said.
fn imap_capabilities(service: &LiveService, offered: &[String], report: &mut Report) -> bool {
    let offers = |name: &str| offered.iter().any(|offered| offered.eq_ignore_ascii_case(name));
    let (has, lacks): (Vec<_>, Vec<_>) = CAPABILITIES.into_iter().partition(|name| offers(name));
    let listed = listed(&has, &lacks);
    let is_authzid = matches!(service.config.strategy, Strategy::Authzid { .. });
    let takes_passwords = offers("AUTH=PLAIN") || !(is_authzid || offers("LOGINDISABLED"));
    if !takes_passwords {
        report.wrong(
            "capabilities",
            format_args!(
                "{listed}: we cannot log in; let it offer AUTH=PLAIN on this port, or use TLS where it wants that first"
            ),
        );
    } else if service.config.send_client_address && !offers("ID") {
        report.warn(
            "capabilities",
            format_args!("{listed}: it cannot learn the client's address"),
        );
    } else {
        report.right("capabilities", listed);
    }
    takes_passwords
}

/// A capability that costs every spliced session a look at its commands; says whether it is there.
pub(super) fn filtered(capabilities: &[String], report: &mut Report) -> bool {
    let is_needed = filter::is_needed(capabilities);
    if is_needed {
        report.warn(
            "filter",
            "it offers UNAUTHENTICATE, so every session passes a filter that lets neither that nor COMPRESS through; \
             turn it off in the mail store where you can",
        );
    }
    is_needed
}

/// Says whether a password can be said.
fn smtp_keywords(service: &LiveService, offered: &[String], report: &mut Report) -> bool {
    let passable = Extensions::passable(offered);
    let (_, lacks): (Vec<&str>, Vec<&str>) = KEYWORDS.into_iter().partition(|keyword| passable.has(keyword));
    let passes: Vec<_> = passable.lines().iter().map(String::as_str).collect();
    report.right("keywords", listed(&passes, &lacks));
    let takes_passwords = takes_parameter(offered, "AUTH", "PLAIN");
    match service.config.strategy {
        Strategy::Xclient if takes_parameter(offered, "XCLIENT", "LOGIN") => {
            report.right("xclient", "it takes LOGIN from us");
        }
        Strategy::Xclient => report.wrong(
            "xclient",
            "it does not offer us XCLIENT with LOGIN: put our address into smtpd_authorized_xclient_hosts, and set \
             smtpd_sasl_auth_enable = yes",
        ),
        Strategy::TrustedNetwork => {}
        Strategy::Authzid { .. } | Strategy::MasterUser { .. } | Strategy::Plain { .. } | Strategy::Stored => {
            if !takes_passwords {
                report.wrong(
                    "auth",
                    "it does not offer AUTH PLAIN: we cannot log in; let it offer that on this port, or use TLS where \
                     it wants that first",
                );
            }
        }
    }
    takes_passwords
}

fn listed(has: &[&str], lacks: &[&str]) -> String {
    let join = |words: &[&str]| {
        if words.is_empty() {
            "nothing".to_owned()
        } else {
            words.join(", ")
        }
    };
    format!("offers {}; misses {}", join(has), join(lacks))
}
