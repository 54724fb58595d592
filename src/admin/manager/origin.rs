//! The public origin (RFC 6454): scheme, host and port under which browsers reach the Manager.

use std::fmt;
use std::net::IpAddr;

use axum::http::Uri;

/// The begin of every link, such as `https://manager.example.org`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    text: String,
    secure: bool,
}

/// A text that is not an origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadOrigin {
    /// Not scheme and host, or more than that.
    #[error("{given:?} is not an origin; write scheme and host such as \"https://manager.example.org\", without a path")]
    Form {
        /// What was given.
        given: String,
    },
    /// Passwords would cross a network in clear.
    #[error(
        "{given:?} has no TLS, and passwords would be sent in clear; write https:// (http:// is for localhost only)"
    )]
    Cleartext {
        /// What was given.
        given: String,
    },
}

impl Origin {
    /// Reads an origin. `http` is taken for a loopback host only.
    ///
    /// # Errors
    /// It is not one, or has no TLS; the message says how to write it.
    pub fn parse(given: &str) -> Result<Self, BadOrigin> {
        let form = || BadOrigin::Form {
            given: given.to_owned(),
        };
        let uri: Uri = given.trim().trim_end_matches('/').parse().map_err(|_| form())?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(form());
        };
        let is_bare = uri.path_and_query().is_none_or(|path| path.as_str() == "/");
        if authority.as_str().contains('@') || authority.host().is_empty() || !is_bare {
            return Err(form());
        }
        let secure = match scheme {
            "https" => true,
            "http" if is_loopback(authority.host()) => false,
            "http" => {
                return Err(BadOrigin::Cleartext {
                    given: given.to_owned(),
                });
            }
            _ => return Err(form()),
        };
        // Browsers leave a scheme's own port out of Host and Origin.
        let own_port = if secure { 443 } else { 80 };
        let host = authority.host().to_ascii_lowercase();
        let text = match authority.port_u16() {
            Some(port) if port != own_port => format!("{scheme}://{host}:{port}"),
            _ => format!("{scheme}://{host}"),
        };
        Ok(Self { text, secure })
    }

    /// The origin itself, without a slash behind it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Host and port, as a browser writes them in `Host`.
    pub fn authority(&self) -> &str {
        self.text.split_once("://").map_or("", |(_, authority)| authority)
    }

    /// Whether browsers speak TLS to it; cookies are then for TLS only.
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// The absolute link to a path of ours, which begins with a slash.
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.text)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port_and_nothing_else() {
        for (given, read) in [
            ("https://manager.example.org", "https://manager.example.org"),
            ("https://Manager.Example.org/", "https://manager.example.org"),
            ("https://manager.example.org:443", "https://manager.example.org"),
            ("https://manager.example.org:8443", "https://manager.example.org:8443"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("http://localhost:80", "http://localhost"),
        ] {
            assert_eq!(Origin::parse(given).unwrap().as_str(), read, "{given}");
        }
        for given in [
            "manager.example.org",
            "https://",
            "https://a@manager.example.org",
            "https://manager.example.org/admin",
            "https://manager.example.org?x",
            "ftp://manager.example.org",
            "",
        ] {
            assert!(matches!(Origin::parse(given), Err(BadOrigin::Form { .. })), "{given}");
        }
    }

    #[test]
    fn passwords_never_cross_a_network_in_clear() {
        for given in ["http://manager.example.org", "http://192.0.2.1:8080"] {
            assert!(matches!(Origin::parse(given), Err(BadOrigin::Cleartext { .. })), "{given}");
        }
    }

    #[test]
    fn links_begin_with_the_origin() {
        let origin = Origin::parse("https://manager.example.org:8443").unwrap();
        assert_eq!(origin.link("/me"), "https://manager.example.org:8443/me");
        assert_eq!(origin.authority(), "manager.example.org:8443");
    }
}
