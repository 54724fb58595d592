//! What a request asks for: which document, under which name, for which mail domain.

use std::borrow::Cow;

use axum::extract::{Query, Request};
use axum::http::Uri;

use crate::admin::manager::host_of;
use crate::model::{DomainName, Origin};
use crate::onboard::pacc;

/// Where version 1 of Autodiscover is asked, in the letters that Exchange uses.
pub(super) const AUTODISCOVER_XML: &str = "/autodiscover/autodiscover.xml";
/// Where version 2 is asked; an address may follow.
const AUTODISCOVER_JSON: &str = "/autodiscover/autodiscover.json";
/// Where autoconfig is asked: on `autoconfig.D`, on `D` itself, and where Nine looks for it.
const AUTOCONFIG: [&str; 3] = [
    "/mail/config-v1.1.xml",
    "/.well-known/autoconfig/mail/config-v1.1.xml",
    "/v1.1/mail/config-v1.1.xml",
];
/// What stands before a mail domain, or before the domain of its mail exchanger.
const LABELS: [&str; 3] = ["autoconfig.", "autodiscover.", "ua-auto-config."];
/// A path that is longer is none of ours, with any address.
const PATH_MAX: usize = 1024;

/// A document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    Autoconfig,
    AutodiscoverXml,
    AutodiscoverJson,
    Pacc,
}

impl Route {
    /// The document that a path stands for, in any case of its letters: Outlook asks for `/Autodiscover/`, others for
    /// `/AutoDiscover/`.
    pub(super) fn of(path: &str) -> Option<Self> {
        if path.len() > PATH_MAX {
            return None;
        }
        let is = |known: &str| path.eq_ignore_ascii_case(known);
        let is_below = |known: &str| {
            path.split_at_checked(known.len())
                .is_some_and(|(begin, rest)| begin.eq_ignore_ascii_case(known) && rest.starts_with('/'))
        };
        if AUTOCONFIG.iter().any(|known| is(known)) {
            Some(Self::Autoconfig)
        } else if is(AUTODISCOVER_XML) {
            Some(Self::AutodiscoverXml)
        } else if is(AUTODISCOVER_JSON) || is_below(AUTODISCOVER_JSON) {
            Some(Self::AutodiscoverJson)
        } else if is(pacc::PATH) {
            Some(Self::Pacc)
        } else {
            None
        }
    }

    /// The one text for all its paths, in metrics and in the log.
    pub(super) const fn pattern(self) -> &'static str {
        match self {
            Self::Autoconfig => "/mail/config-v1.1.xml",
            Self::AutodiscoverXml => AUTODISCOVER_XML,
            Self::AutodiscoverJson => AUTODISCOVER_JSON,
            Self::Pacc => pacc::PATH,
        }
    }

    /// The methods that it is asked with.
    pub(super) const fn methods(self) -> &'static str {
        match self {
            Self::AutodiscoverXml => "GET, HEAD, POST",
            Self::Autoconfig | Self::AutodiscoverJson | Self::Pacc => "GET, HEAD",
        }
    }
}

/// The name that a request was sent to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// The Manager's own.
    Own,
    /// Another one.
    Name {
        /// As it was asked for, with its port.
        authority: String,
        /// The name itself, and before it what stands behind one of our labels.
        domains: Vec<DomainName>,
        /// It begins with one of our labels.
        is_labelled: bool,
    },
}

impl Host {
    /// Reads the name of a request; nothing where there is none.
    pub(super) fn of(request: &Request, origin: &Origin) -> Option<Self> {
        Self::read(host_of(request)?, origin)
    }

    fn read(given: &str, origin: &Origin) -> Option<Self> {
        if given.eq_ignore_ascii_case(origin.authority()) {
            return Some(Self::Own);
        }
        let given = given.to_ascii_lowercase();
        let (name, port) = match given.split_once(':') {
            Some((name, port)) => (name, Some(port.parse::<u16>().ok()?)),
            None => (given.as_str(), None),
        };
        let name = name.strip_suffix('.').unwrap_or(name);
        let below = LABELS.iter().find_map(|label| name.strip_prefix(label));
        let whole = DomainName::parse(name).ok()?;
        let authority = port.map_or_else(|| whole.to_string(), |port| format!("{whole}:{port}"));
        let below = below.and_then(|below| DomainName::parse(below).ok());
        Some(Self::Name {
            authority,
            is_labelled: below.is_some(),
            domains: below.into_iter().chain([whole]).collect(),
        })
    }

    /// The mail domains that it may stand for, the likeliest first.
    pub(super) fn domains(&self) -> &[DomainName] {
        match self {
            Self::Own => &[],
            Self::Name { domains, .. } => domains,
        }
    }

    /// Whether any domain of ours may be asked for here: at the Manager, and under one of our labels.
    pub(super) const fn is_for_any_domain(&self) -> bool {
        match self {
            Self::Own => true,
            Self::Name { is_labelled, .. } => *is_labelled,
        }
    }

    /// The link to a path on the same host: programs follow it with a password in their hand, and no other host gets it.
    pub(super) fn link(&self, origin: &Origin, path: &str) -> String {
        match self {
            Self::Own => origin.link(path),
            Self::Name { authority, .. } => format!("https://{authority}{path}"),
        }
    }
}

/// The first value of the query under one of these names, in lower case; any case in the query.
pub(super) fn in_query(uri: &Uri, names: &[&str]) -> Option<String> {
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri).ok()?;
    let is_asked = |name: &str| names.iter().any(|asked| name.eq_ignore_ascii_case(asked));
    pairs
        .into_iter()
        .find(|(name, _)| is_asked(name))
        .map(|(_, value)| value)
}

/// The domain of the address in a query. What stands before its `@` is never looked at: programs make it up.
pub(super) fn domain_in_query(uri: &Uri) -> Option<DomainName> {
    domain_of(&in_query(uri, &["emailaddress", "email"])?)
}

/// The domain of the address in a request of version 2: in its query, or at the end of its path.
pub(super) fn domain_in_json_request(uri: &Uri) -> Option<DomainName> {
    let at_end = || {
        let (_, last) = uri.path().rsplit_once('/')?;
        domain_of(&decoded(last)?)
    };
    domain_in_query(uri).or_else(at_end)
}

fn domain_of(address: &str) -> Option<DomainName> {
    let (_, domain) = address.trim().rsplit_once('@')?;
    DomainName::parse(domain).ok()
}

/// A segment of a path without its escapes.
fn decoded(segment: &str) -> Option<Cow<'_, str>> {
    let mut parts = segment.split('%');
    let first = parts.next()?;
    let mut octets = first.as_bytes().to_vec();
    for part in parts {
        let (hex, rest) = part.split_at_checked(2)?;
        octets.push(u8::from_str_radix(hex, 16).ok()?);
        octets.extend_from_slice(rest.as_bytes());
    }
    if octets.len() == segment.len() {
        return Some(Cow::Borrowed(segment));
    }
    String::from_utf8(octets).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Host {
        let origin = Origin::parse("https://manager.example.org:8443").unwrap();
        Host::read(text, &origin).unwrap()
    }

    #[test]
    fn paths_are_known_in_any_case_and_others_are_not() {
        for (path, route) in [
            ("/mail/config-v1.1.xml", Some(Route::Autoconfig)),
            ("/v1.1/mail/config-v1.1.xml", Some(Route::Autoconfig)),
            ("/.well-known/autoconfig/mail/config-v1.1.xml", Some(Route::Autoconfig)),
            ("/AutoDiscover/AutoDiscover.XML", Some(Route::AutodiscoverXml)),
            ("/Autodiscover/Autodiscover.json", Some(Route::AutodiscoverJson)),
            (
                "/autodiscover/autodiscover.json/v1.0/a%40b.example",
                Some(Route::AutodiscoverJson),
            ),
            ("/.well-known/user-agent-configuration.json", Some(Route::Pacc)),
            ("/", None),
            ("/autodiscover/autodiscover.jsonx", None),
            ("/autodiscover/autodiscover.xml/", None),
            ("/sign-in", None),
        ] {
            assert_eq!(Route::of(path), route, "{path}");
        }
        let long = format!("/autodiscover/autodiscover.json/{}", "a".repeat(PATH_MAX));
        assert_eq!(Route::of(&long), None);
    }

    #[test]
    fn a_name_stands_for_what_is_behind_its_label_or_for_itself() {
        let domains = |text: &str| -> Vec<String> { name(text).domains().iter().map(ToString::to_string).collect() };
        assert_eq!(
            domains("autoconfig.Acme.example"),
            ["acme.example", "autoconfig.acme.example"]
        );
        assert_eq!(domains("acme.example:443"), ["acme.example"]);
        assert_eq!(
            domains("ua-auto-config.acme.example."),
            ["acme.example", "ua-auto-config.acme.example"]
        );
        assert_eq!(
            domains("autoconfig.example"),
            ["autoconfig.example"],
            "`example` is no domain"
        );
        assert_eq!(name("Manager.Example.org:8443"), Host::Own);
        assert!(domains("manager.example.org:8443").is_empty());
        assert!(name("autodiscover.mx.example").is_for_any_domain() && !name("acme.example").is_for_any_domain());
        let origin = Origin::parse("https://manager.example.org").unwrap();
        for text in [
            "",
            "example",
            "acme.example:x",
            "acme.example:70000",
            "a b.example",
            "[::1]:443",
            "anna@acme.example",
        ] {
            assert_eq!(Host::read(text, &origin), None, "{text:?}");
        }
    }

    #[test]
    fn a_link_stays_on_the_host_that_was_asked() {
        let origin = Origin::parse("https://manager.example.org:8443").unwrap();
        let link = |text: &str| name(text).link(&origin, "/x");
        assert_eq!(
            link("Autodiscover.acme.example:8443"),
            "https://autodiscover.acme.example:8443/x"
        );
        assert_eq!(link("acme.example"), "https://acme.example/x");
        assert_eq!(link("manager.example.org:8443"), "https://manager.example.org:8443/x");
    }

    #[test]
    fn the_domain_is_read_out_of_any_address() {
        let of = |uri: &str| domain_in_json_request(&uri.parse().unwrap()).map(|domain| domain.to_string());
        let acme = Some("acme.example".to_owned());
        for uri in [
            "/x?emailaddress=anna%40acme.example",
            "/x?EmailAddress=%25EMAILADDRESS%25%40Acme.example",
            "/x?a=b&email=EVOLUTIONUSER@acme.example",
            "/x?Email=anna+tag@acme.example&Protocol=Autodiscoverv1",
            "/autodiscover/autodiscover.json/v1.0/anna%40acme.example?Protocol=x",
            "/autodiscover/autodiscover.json/v1.0/anna@acme.example",
        ] {
            assert_eq!(of(uri), acme, "{uri}");
        }
        for uri in [
            "/x",
            "/x?emailaddress=",
            "/x?emailaddress=anna",
            "/x?emailaddress=anna@",
            "/a/b%4",
            "/a/b%zz@acme.example",
        ] {
            assert_eq!(of(uri), None, "{uri}");
        }
    }
}
