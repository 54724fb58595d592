//! The public origin of the Manager (RFC 6454 §4): the only source of links.
//!
//! It comes from the configuration. A link that was made from a request's `Host` header would send a stranger's secret
//! to whoever wrote that header.

use std::fmt;
use std::net::IpAddr;

/// The longest origin in octets: a scheme, a host name of 253 and a port.
const ORIGIN_MAX: usize = 270;

/// A text that is not an origin that links can begin with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadOrigin {
    /// No scheme that a browser opens.
    #[error("a public origin begins with https:// (or http:// on this machine)")]
    Scheme,
    /// The host is none, or something stands around it.
    #[error("a public origin is https:// and a host name, with a port where it is not 443, and nothing behind it")]
    Host,
    /// The port is no number from 1 to 65535.
    #[error("the port of a public origin is a number from 1 to 65535")]
    Port,
    /// Cleartext towards another machine.
    #[error("without TLS (http://) a public origin can only be this machine: localhost, 127.0.0.1 or [::1]")]
    Cleartext,
}

/// `https://host` or `https://host:port`, in lower case and without a final slash.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Origin(String);

impl Origin {
    /// Reads an origin; a final slash and the scheme's own port are left out.
    ///
    /// # Errors
    /// It is not one, or not a safe one.
    pub fn parse(text: &str) -> Result<Self, BadOrigin> {
        let text = text.trim().to_ascii_lowercase();
        if text.len() > ORIGIN_MAX {
            return Err(BadOrigin::Host);
        }
        let (secure, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return Err(BadOrigin::Scheme),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = host_and_port(rest)?;
        if !is_host(host) {
            return Err(BadOrigin::Host);
        }
        if !secure && !is_this_machine(host) {
            return Err(BadOrigin::Cleartext);
        }
        let scheme = if secure { "https" } else { "http" };
        let usual = if secure { 443 } else { 80 };
        Ok(Self(match port.filter(|port| *port != usual) {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        }))
    }

    /// The origin as browsers write it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Host and port, as a browser writes them in `Host`.
    pub fn authority(&self) -> &str {
        self.0.split_once("://").map_or("", |(_, authority)| authority)
    }

    /// The host alone; an address of IPv6 in its brackets.
    pub fn host(&self) -> &str {
        let authority = self.authority();
        match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|octet| octet.is_ascii_digit()) => host,
            _ => authority,
        }
    }

    /// The absolute link to a path of ours, which begins with a slash.
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// Whether it is reached by TLS.
    pub fn is_secure(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The host, with brackets where it is an IPv6 address, and the port.
fn host_and_port(text: &str) -> Result<(&str, Option<u16>), BadOrigin> {
    let split = match text.rfind(']') {
        Some(end) => text
            .get(end..)
            .and_then(|rest| rest.find(':'))
            .and_then(|at| end.checked_add(at)),
        None => text.find(':'),
    };
    let Some((host, port)) = split.and_then(|at| text.split_at_checked(at)) else {
        return Ok((text, None));
    };
    let digits = port.trim_start_matches(':');
    let is_number = port.len() == digits.len().saturating_add(1) && digits.bytes().all(|octet| octet.is_ascii_digit());
    let port: u16 = digits.parse().map_err(|_| BadOrigin::Port)?;
    if !is_number || port == 0 {
        return Err(BadOrigin::Port);
    }
    Ok((host, Some(port)))
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return matches!(address.parse(), Ok(IpAddr::V6(_)));
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.len() <= 253 && host.split('.').all(is_label)
}

fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.ends_with(".localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_one_form() {
        for (text, shown) in [
            ("https://manager.example.org", "https://manager.example.org"),
            (" HTTPS://Manager.Example.ORG:443/ ", "https://manager.example.org"),
            ("https://manager.example.org:8443", "https://manager.example.org:8443"),
            ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
            ("https://[2001:db8::1]", "https://[2001:db8::1]"),
            ("http://localhost:8080", "http://localhost:8080"),
            ("http://127.0.0.1:80", "http://127.0.0.1"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("http://postern.localhost:8080", "http://postern.localhost:8080"),
        ] {
            assert_eq!(
                Origin::parse(text).map(|origin| origin.to_string()),
                Ok(shown.to_owned())
            );
        }
    }

    #[test]
    fn links_begin_with_the_origin() {
        let origin = Origin::parse("https://manager.example.org:8443").unwrap();
        assert_eq!(origin.link("/me"), "https://manager.example.org:8443/me");
        assert_eq!(origin.authority(), "manager.example.org:8443");
        assert!(origin.is_secure() && !Origin::parse("http://localhost").unwrap().is_secure());
    }

    #[test]
    fn what_a_link_must_not_begin_with_is_refused() {
        for (text, error) in [
            ("manager.example.org", BadOrigin::Scheme),
            ("javascript://manager.example.org", BadOrigin::Scheme),
            ("https://", BadOrigin::Host),
            ("https://manager.example.org/postern", BadOrigin::Host),
            ("https://manager.example.org?a", BadOrigin::Host),
            ("https://anna@manager.example.org", BadOrigin::Host),
            ("https://manager.example.org\r\nBcc: x", BadOrigin::Port),
            ("https://manager\"onload.example.org", BadOrigin::Host),
            ("https://manager..example.org", BadOrigin::Host),
            ("https://[2001:db8::x]", BadOrigin::Host),
            ("https://manager.example.org:0", BadOrigin::Port),
            ("https://manager.example.org:99999", BadOrigin::Port),
            ("https://manager.example.org:+80", BadOrigin::Port),
            ("https://manager.example.org:", BadOrigin::Port),
            ("https://anna:secret@example.org", BadOrigin::Port),
            ("http://manager.example.org", BadOrigin::Cleartext),
            ("http://192.0.2.1", BadOrigin::Cleartext),
        ] {
            assert_eq!(Origin::parse(text), Err(error), "{text}");
        }
    }
}
