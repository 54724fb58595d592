//! XCLIENT commands (Postfix's `XCLIENT_README`): who the client is, told to an upstream that trusts our address.
//!
//! Values are xtext, as EHLO names are text of strangers (CVE-2026-28753 was one that was not encoded). HELO and PROTO
//! go first and NAME and ADDR last, because the upstream may stop trusting us as soon as it takes us for the client.
//! Postfix with `inet_protocols = ipv4` refuses IPv6 addresses with 501; rather no address than no login, so such a
//! command is said again without them.

use std::net::IpAddr;

use crate::smtp::syntax;

/// Octets of one command, CRLF included.
const MAX_COMMAND_BYTES: usize = 512;
/// Octets of the client's own name before encoding; three times as many may go on the line.
const MAX_HELO_BYTES: usize = 128;

/// What the upstream is told; it gets of these what its EHLO lists behind XCLIENT.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    /// What the client called itself in EHLO.
    pub helo: Option<String>,
    /// The mailbox that the client logged in to. With 64 octets before the `@` it fits a command however it is encoded.
    pub login: Option<String>,
    /// The client's address.
    pub addr: Option<IpAddr>,
    /// The client's port.
    pub port: Option<u16>,
    /// Our address that the client connected to.
    pub dest_addr: Option<IpAddr>,
    /// Our port that the client connected to.
    pub dest_port: Option<u16>,
}

/// What stands for an address or a name that we do not tell.
const UNAVAILABLE: &str = "[UNAVAILABLE]";

/// The command with its IPv6 addresses left out; `None` where there are none.
pub(super) fn without_ipv6(command: &str) -> Option<String> {
    let mut found = false;
    let words = command.split(' ').map(|word| match word.split_once("=IPV6:") {
        Some((name @ ("ADDR" | "DESTADDR"), rest)) => {
            found = true;
            let end = if rest.ends_with("\r\n") { "\r\n" } else { "" };
            format!("{name}={UNAVAILABLE}{end}")
        }
        _ => word.to_owned(),
    });
    let rest = words.collect::<Vec<_>>().join(" ");
    found.then_some(rest)
}

impl Attributes {
    /// The commands, in order, each with CRLF; none where the upstream takes none of the attributes.
    pub(super) fn commands(&self, offered: &str) -> Vec<String> {
        let helo = self.helo.as_deref().filter(|name| !name.is_empty()).map(str::as_bytes);
        let address = |value: Option<IpAddr>| {
            value.map(|address| match address.to_canonical() {
                IpAddr::V4(address) => address.to_string(),
                IpAddr::V6(address) => format!("IPV6:{address}"),
            })
        };
        let port = |value: Option<u16>| value.map(|port| port.to_string());
        let ordered = [
            (
                "HELO",
                helo.map(|name| syntax::xtext_encode(name.get(..MAX_HELO_BYTES).unwrap_or(name))),
            ),
            ("PROTO", Some("ESMTP".to_owned())),
            (
                "LOGIN",
                self.login
                    .as_deref()
                    .map(|login| syntax::xtext_encode(login.as_bytes())),
            ),
            ("DESTADDR", address(self.dest_addr)),
            ("DESTPORT", port(self.dest_port)),
            ("PORT", port(self.port)),
            // We look up no names; without this the upstream might keep our own.
            ("NAME", self.addr.map(|_| UNAVAILABLE.to_owned())),
            ("ADDR", address(self.addr)),
        ];
        let mut commands: Vec<String> = Vec::new();
        for (name, value) in ordered {
            let is_offered = offered.split(' ').any(|attribute| attribute.eq_ignore_ascii_case(name));
            let Some(value) = value.filter(|_| is_offered) else {
                continue;
            };
            let pair = format!(" {name}={value}");
            match commands.last_mut() {
                Some(command) if command.len().saturating_add(pair.len()).saturating_add(2) <= MAX_COMMAND_BYTES => {
                    command.push_str(&pair);
                }
                _ => commands.push(format!("XCLIENT{pair}")),
            }
        }
        for command in &mut commands {
            command.push_str("\r\n");
        }
        commands
    }
}
