//! The user agent configuration of a provider in JSON (PACC, draft-ietf-mailmaint-pacc-04), and its digest for the DNS.
//!
//! The format has no ports: whoever reads it uses TLS from the first octet on the registered ones (RFC 8314 §7). Where a
//! service is elsewhere there is nothing true to say, so there is no document.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{Service, Settings};
use crate::model::Origin;

/// Where the document is found, on the host `ua-auto-config` of a domain.
pub const PATH: &str = "/.well-known/user-agent-configuration.json";
/// IMAP over TLS (RFC 8314 §7.2).
const IMAPS: u16 = 993;
/// Submission over TLS (RFC 8314 §7.3).
const SUBMISSIONS: u16 = 465;
/// Programs show the short name where there is little room.
const SHORT_NAME_MAX: usize = 20;

#[derive(Serialize)]
struct Document<'a> {
    protocols: Protocols<'a>,
    authentication: Authentication,
    info: Info<'a>,
}

#[derive(Serialize)]
struct Protocols<'a> {
    imap: Host<'a>,
    smtp: Host<'a>,
}

#[derive(Serialize)]
struct Host<'a> {
    host: &'a str,
}

#[derive(Serialize)]
struct Authentication {
    password: bool,
}

#[derive(Serialize)]
struct Info<'a> {
    provider: Provider<'a>,
    help: Help,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Provider<'a> {
    name: &'a str,
    short_name: &'a str,
}

#[derive(Serialize)]
struct Help {
    documentation: String,
}

/// The document, octet for octet as it is served and as its digest is made of; nothing where a service is missing or not
/// on its registered port with TLS from the first octet. `manager` is where people read on.
pub fn document(settings: &Settings, manager: &Origin) -> Option<Vec<u8>> {
    let document = Document {
        protocols: Protocols {
            imap: usual(settings.imap.as_ref(), IMAPS)?,
            smtp: usual(settings.smtp.as_ref(), SUBMISSIONS)?,
        },
        authentication: Authentication { password: true },
        info: Info {
            provider: Provider {
                name: &settings.provider,
                short_name: short(&settings.provider),
            },
            help: Help {
                documentation: manager.link("/"),
            },
        },
    };
    serde_json::to_vec(&document).ok()
}

/// The digest of a document, as the TXT record `_ua-auto-config` of a domain has it (`d=`): base 64 of SHA-256.
pub fn digest(document: &[u8]) -> String {
    STANDARD.encode(Sha256::digest(document))
}

fn usual(service: Option<&Service>, port: u16) -> Option<Host<'_>> {
    let service = service.filter(|service| service.implicit_tls && service.port == port)?;
    Some(Host { host: &service.host })
}

/// As much of a name as fits, up to the end of a word where it has words.
fn short(name: &str) -> &str {
    let Some((end, _)) = name.char_indices().nth(SHORT_NAME_MAX) else {
        return name;
    };
    let cut = name.get(..end).unwrap_or(name);
    cut.rsplit_once(' ').map_or(cut, |(words, _)| words.trim_end())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::example;
    use super::*;

    fn manager() -> Origin {
        Origin::parse("https://manager.example.org").unwrap()
    }

    #[test]
    fn the_document_says_what_a_program_needs() {
        let document = document(&example(), &manager()).unwrap();
        let read: Value = serde_json::from_slice(&document).unwrap();
        let expected = serde_json::json!({
            "protocols": {"imap": {"host": "mail.example.org"}, "smtp": {"host": "mail.example.org"}},
            "authentication": {"password": true},
            "info": {
                "provider": {"name": "Example Mail", "shortName": "Example Mail"},
                "help": {"documentation": "https://manager.example.org/"},
            },
        });
        assert_eq!(read, expected);
    }

    #[test]
    fn its_octets_are_the_same_each_time_so_that_a_published_digest_holds() {
        let first = document(&example(), &manager()).unwrap();
        assert_eq!(first, document(&example(), &manager()).unwrap());
        // A change of these octets makes every published TXT record wrong: say so in the change log.
        assert_eq!(
            String::from_utf8(first).unwrap(),
            concat!(
                r#"{"protocols":{"imap":{"host":"mail.example.org"},"smtp":{"host":"mail.example.org"}},"#,
                r#""authentication":{"password":true},"info":{"provider":{"name":"Example Mail","#,
                r#""shortName":"Example Mail"},"help":{"documentation":"https://manager.example.org/"}}}"#,
            )
        );
    }

    #[test]
    fn where_a_program_would_ask_the_wrong_port_there_is_no_document() {
        let without = |change: fn(&mut Settings)| {
            let mut settings = example();
            change(&mut settings);
            document(&settings, &manager())
        };
        assert!(without(|settings| settings.imap = None).is_none());
        assert!(without(|settings| settings.smtp = None).is_none());
        assert!(without(|settings| settings.imap.as_mut().unwrap().port = 1993).is_none());
        assert!(without(|settings| settings.smtp.as_mut().unwrap().port = 587).is_none());
        assert!(without(|settings| settings.smtp.as_mut().unwrap().implicit_tls = false).is_none());
        assert!(without(|_| ()).is_some());
    }

    #[test]
    fn a_digest_is_sha_256_in_base_64() {
        // FIPS 180-4, SHA-256 of "abc".
        assert_eq!(digest(b"abc"), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
    }

    #[test]
    fn a_long_name_is_cut_at_a_word_and_never_inside_a_letter() {
        assert_eq!(short("Example Mail"), "Example Mail");
        assert_eq!(short("The Example Company of Zürich"), "The Example Company");
        assert_eq!(short(&"ü".repeat(60)), "ü".repeat(SHORT_NAME_MAX));
    }
}
