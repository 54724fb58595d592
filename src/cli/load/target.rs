//! From HOST:PORT and its options to a target.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use super::super::failure::Failure;
use crate::load::{ClientTls, Offer, Security, Target, Trust};
use crate::peer::Protocol;

/// Where to, and how.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The mail server, as mail.example.org:993 or 192.0.2.1:587; an IPv6 address in brackets.
    #[arg(value_name = "HOST:PORT")]
    target: HostPort,
    /// What it speaks, where the port does not say so (143, 993 are IMAP; 25, 465, 587 SMTP).
    #[arg(long, value_enum, help_heading = "Target")]
    protocol: Option<Spoken>,
    /// Begin TLS with STARTTLS instead of at once.
    #[arg(long, conflicts_with = "cleartext", help_heading = "Target")]
    starttls: bool,
    /// No TLS at all: passwords travel in clear.
    #[arg(long, conflicts_with_all = ["ca", "server_name"], help_heading = "Target")]
    cleartext: bool,
    /// The name that the certificate must have, where it is not HOST.
    #[arg(long, value_name = "NAME", help_heading = "Target")]
    server_name: Option<String>,
    /// Trust the CA certificates of this PEM file instead of the system's.
    #[arg(long, value_name = "FILE", help_heading = "Target")]
    ca: Option<PathBuf>,
    /// Local addresses to connect from, in turn.
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',', help_heading = "Target")]
    from: Vec<IpAddr>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Spoken {
    Imap,
    Smtp,
}

/// A host name or address, and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
struct HostPort {
    host: String,
    port: u16,
}

impl std::str::FromStr for HostPort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("`{text}` is not HOST:PORT; write mail.example.org:993 or [2001:db8::1]:993");
        let (host, port) = text.rsplit_once(':').ok_or_else(bad)?;
        let port = port.parse().map_err(|_| bad())?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host = bare.unwrap_or(host);
        if host.is_empty() || port == 0 || (bare.is_none() && host.contains(':')) {
            return Err(bad());
        }
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }
}

impl Args {
    /// Finds the host and reads the CA file. Also the local addresses.
    pub(super) async fn target(&self) -> Result<(Target, Vec<IpAddr>), Failure> {
        let HostPort { host, port } = &self.target;
        let protocol = match (self.protocol, port) {
            (Some(Spoken::Imap), _) | (None, 143 | 993) => Protocol::Imap,
            (Some(Spoken::Smtp), _) | (None, 25 | 465 | 587) => Protocol::Smtp,
            (None, port) => {
                return Err(Failure::usage(format!(
                    "port {port} does not say what is spoken there; add --protocol imap or --protocol smtp"
                )));
            }
        };
        let security = match (self.starttls, self.cleartext) {
            (true, _) => Security::StartTls,
            (_, true) => Security::Cleartext,
            _ => Security::ImplicitTls,
        };
        let trust = match (&self.ca, self.cleartext) {
            (Some(path), _) => Trust::File(path.clone()),
            (None, true) => Trust::Nobody,
            (None, false) => Trust::System,
        };
        let tls = ClientTls::new(&trust, Offer::Default, false).map_err(Failure::failed)?;
        let target = Target {
            address: self.address().await?,
            server_name: self.server_name.clone().unwrap_or_else(|| host.clone()),
            protocol,
            security,
            tls,
        };
        Ok((target, self.from.clone()))
    }

    /// The host's first address of the family of the local ones.
    async fn address(&self) -> Result<SocketAddr, Failure> {
        let HostPort { host, port } = &self.target;
        let family = self.from.first().map(IpAddr::is_ipv4);
        if self.from.iter().any(|from| Some(from.is_ipv4()) != family) {
            return Err(Failure::usage(
                "--from takes IPv4 addresses or IPv6 addresses, not both",
            ));
        }
        let found = tokio::net::lookup_host((host.as_str(), *port)).await;
        let mut found = found.map_err(|error| Failure::failed(format!("{host} has no address: {error}")))?;
        found
            .find(|address| family.is_none_or(|is_ipv4| address.is_ipv4() == is_ipv4))
            .ok_or_else(|| Failure::failed(format!("{host} has no address that can be reached from --from")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_host_and_a_port() {
        let read = |text: &str| text.parse::<HostPort>().map(|target| (target.host, target.port));
        assert_eq!(read("mail.example.org:993"), Ok(("mail.example.org".to_owned(), 993)));
        assert_eq!(read("[2001:db8::1]:25"), Ok(("2001:db8::1".to_owned(), 25)));
        for wrong in [
            "mail.example.org",
            "mail:imaps",
            ":993",
            "mail:0",
            "2001:db8::1:993",
            "mail:70000",
            "[]:993",
        ] {
            assert!(read(wrong).unwrap_err().contains("HOST:PORT"), "{wrong}");
        }
    }
}
