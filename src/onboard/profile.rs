//! The configuration profile with which iPhone, iPad and Mac set up a mail account: a property list (Apple, "Device
//! Management", `TopLevel` and `Mail`), which the caller may sign.
//!
//! Apple's account is whole: it receives and sends. Where a device may do one of them only there is no profile, as the other
//! half could only fail on the device, with words that help nobody.

use serde::Serialize;

use super::{Service, Settings};
use crate::model::{DeviceId, Origin};
use crate::secret::{Secret, SecretBytes};

/// What the file is.
pub const CONTENT_TYPE: &str = "application/x-apple-aspen-config";

/// What a browser calls the file.
pub const FILE_NAME: &str = "mail.mobileconfig";

/// Octets around what is filled in.
const FRAME_BYTES: usize = 6 * 1024;

/// What derives the identifiers; another text would make other devices of all.
const UUID_CONTEXT: &str = "postern 2026-11 identifiers of a configuration profile";

/// Whose account it is, and what the device's owner reads.
#[derive(Debug, Clone, Copy)]
pub struct Account<'a> {
    /// The device: a profile of the same device replaces the one before.
    pub device: DeviceId,
    /// Where the Manager is: its host makes the identifiers ours.
    pub origin: &'a Origin,
    /// The mailbox's address, which is the user name as well.
    pub address: &'a str,
    /// The name beside the address in mails that are sent, where one is known.
    pub name: Option<&'a str>,
    /// The organisation.
    pub org: &'a str,
    /// What the profile is called in the device's settings.
    pub title: &'a str,
    /// What it does.
    pub description: &'a str,
    /// What is read before it is installed.
    pub consent: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TopLevel<'a> {
    payload_type: &'static str,
    payload_version: u32,
    payload_identifier: &'a str,
    #[serde(rename = "PayloadUUID")]
    payload_uuid: &'a str,
    payload_display_name: &'a str,
    payload_description: &'a str,
    payload_organization: &'a str,
    payload_removal_disallowed: bool,
    consent_text: Consent<'a>,
    payload_content: [Mail<'a>; 1],
}

#[derive(Serialize)]
struct Consent<'a> {
    default: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Mail<'a> {
    payload_type: &'static str,
    payload_version: u32,
    payload_identifier: &'a str,
    #[serde(rename = "PayloadUUID")]
    payload_uuid: &'a str,
    payload_display_name: &'a str,
    email_account_type: &'static str,
    email_account_description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_account_name: Option<&'a str>,
    email_address: &'a str,
    incoming_mail_server_authentication: &'static str,
    incoming_mail_server_host_name: &'a str,
    incoming_mail_server_port_number: u16,
    #[serde(rename = "IncomingMailServerUseSSL")]
    incoming_mail_server_use_ssl: bool,
    incoming_mail_server_username: &'a str,
    incoming_password: &'a str,
    outgoing_mail_server_authentication: &'static str,
    outgoing_mail_server_host_name: &'a str,
    outgoing_mail_server_port_number: u16,
    #[serde(rename = "OutgoingMailServerUseSSL")]
    outgoing_mail_server_use_ssl: bool,
    outgoing_mail_server_username: &'a str,
    outgoing_password: &'a str,
    prevent_move: bool,
    prevent_app_sheet: bool,
    #[serde(rename = "disableMailRecentsSyncing")]
    disable_mail_recents_syncing: bool,
    #[serde(rename = "allowMailDrop")]
    allow_mail_drop: bool,
}

/// Whether there is a profile for a device that may do this.
pub fn fits(settings: &Settings, scopes: crate::model::Scopes) -> bool {
    scopes.imap && scopes.smtp && settings.imap.is_some() && settings.smtp.is_some()
}

/// The file; none where this installation does not both receive and send.
pub fn document(settings: &Settings, account: Account<'_>, password: &Secret<String>) -> Option<SecretBytes> {
    let (imap, smtp) = (settings.imap.as_ref()?, settings.smtp.as_ref()?);
    let prefix = reversed(account.origin.host());
    let identifier = format!("{prefix}.device.{}", account.device);
    let inner = format!("{identifier}.mail");
    let (uuid, inner_uuid) = (uuid(&identifier), uuid(&inner));
    let mail = mail(imap, smtp, account, password.expose());
    let profile = TopLevel {
        payload_type: "Configuration",
        payload_version: 1,
        payload_identifier: &identifier,
        payload_uuid: &uuid,
        payload_display_name: account.title,
        payload_description: account.description,
        payload_organization: account.org,
        payload_removal_disallowed: false,
        consent_text: Consent {
            default: account.consent,
        },
        payload_content: [Mail {
            payload_identifier: &inner,
            payload_uuid: &inner_uuid,
            ..mail
        }],
    };
    let mut file = SecretBytes::new(Vec::with_capacity(length(account, imap, smtp)));
    // What is written are texts, numbers and truths: no property list can refuse them.
    plist::to_writer_xml(file.expose_mut(), &profile).ok()?;
    Some(file)
}

fn mail<'a>(imap: &'a Service, smtp: &'a Service, account: Account<'a>, password: &'a str) -> Mail<'a> {
    Mail {
        payload_type: "com.apple.mail.managed",
        payload_version: 1,
        payload_identifier: "",
        payload_uuid: "",
        payload_display_name: account.title,
        email_account_type: "EmailTypeIMAP",
        email_account_description: account.title,
        email_account_name: account.name,
        email_address: account.address,
        incoming_mail_server_authentication: "EmailAuthPassword",
        incoming_mail_server_host_name: &imap.host,
        incoming_mail_server_port_number: imap.port,
        // On a port that begins in clear the device uses STARTTLS by this.
        incoming_mail_server_use_ssl: true,
        incoming_mail_server_username: account.address,
        incoming_password: password,
        outgoing_mail_server_authentication: "EmailAuthPassword",
        outgoing_mail_server_host_name: &smtp.host,
        outgoing_mail_server_port_number: smtp.port,
        outgoing_mail_server_use_ssl: true,
        outgoing_mail_server_username: account.address,
        // That it is the same one is asked for at the device unless it is written here.
        outgoing_password: password,
        prevent_move: false,
        prevent_app_sheet: false,
        disable_mail_recents_syncing: false,
        allow_mail_drop: true,
    }
}

/// More than the file can have, so that it never grows: a buffer that grows leaves copies of the password behind.
fn length(account: Account<'_>, imap: &Service, smtp: &Service) -> usize {
    let texts = [
        (account.address, 4),
        (account.name.unwrap_or_default(), 1),
        (account.org, 1),
        (account.title, 3),
        (account.description, 1),
        (account.consent, 1),
        (account.origin.as_str(), 2),
        (&imap.host, 1),
        (&smtp.host, 1),
    ];
    // An escaped character is at most six.
    let texts = texts.iter().map(|(text, times)| text.len().saturating_mul(times * 6));
    texts.fold(FRAME_BYTES, usize::saturating_add)
}

/// `manager.example.org` as Apple's identifiers begin: `org.example.manager`.
fn reversed(host: &str) -> String {
    let labels: Vec<&str> = host.split('.').rev().collect();
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    labels.join(".").chars().map(plain).collect()
}

/// A UUID that belongs to an identifier for good (RFC 9562 §5.8: version 8).
fn uuid(identifier: &str) -> String {
    let derived = blake3::derive_key(UUID_CONTEXT, identifier.as_bytes());
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] = derived;
    let number = u128::from_be_bytes([
        a,
        b,
        c,
        d,
        e,
        f,
        (g & 0x0f) | 0x80,
        h,
        (i & 0x3f) | 0x80,
        j,
        k,
        l,
        m,
        n,
        o,
        p,
    ]);
    let digits = format!("{number:032X}");
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

#[cfg(test)]
mod tests {
    use plist::{Dictionary, Value};

    use super::super::example;
    use super::*;

    fn read(device: i64, title: &str, password: &str) -> Dictionary {
        let origin = Origin::parse("https://manager.example.org:8443").unwrap();
        let account = Account {
            device: DeviceId::from_raw(device),
            origin: &origin,
            address: "anna@example.org",
            name: Some("Anna Muster"),
            org: "Acme & <Söhne>",
            title,
            description: "Sets up mail.",
            consent: "Ask Sophie.",
        };
        let file = document(&example(), account, &Secret::new(password.to_owned())).unwrap();
        assert!(
            file.expose().len()
                < length(
                    account,
                    example().imap.as_ref().unwrap(),
                    example().smtp.as_ref().unwrap()
                )
        );
        Value::from_reader_xml(file.expose().as_slice())
            .unwrap()
            .into_dictionary()
            .unwrap()
    }

    fn inner(profile: &Dictionary) -> &Dictionary {
        let content = profile.get("PayloadContent").unwrap().as_array().unwrap();
        assert_eq!(content.len(), 1);
        content[0].as_dictionary().unwrap()
    }

    #[test]
    fn a_profile_says_all_that_a_device_needs() {
        let profile = read(7, "Mail", "kqzm-xwdp-hpdt-vnrc");
        let text = |of: &Dictionary, key: &str| of.get(key).unwrap().as_string().unwrap().to_owned();
        assert_eq!(text(&profile, "PayloadType"), "Configuration");
        assert_eq!(text(&profile, "PayloadOrganization"), "Acme & <Söhne>");
        assert_eq!(
            text(&profile, "PayloadIdentifier"),
            format!("org.example.manager.device.{}", DeviceId::from_raw(7))
        );
        assert_eq!(
            profile.get("PayloadRemovalDisallowed").unwrap().as_boolean(),
            Some(false)
        );
        let mail = inner(&profile);
        assert_eq!(text(mail, "PayloadType"), "com.apple.mail.managed");
        for key in ["IncomingPassword", "OutgoingPassword"] {
            assert_eq!(text(mail, key), "kqzm-xwdp-hpdt-vnrc");
        }
        for key in [
            "IncomingMailServerUsername",
            "OutgoingMailServerUsername",
            "EmailAddress",
        ] {
            assert_eq!(text(mail, key), "anna@example.org");
        }
        for (key, port) in [
            ("IncomingMailServerPortNumber", 993),
            ("OutgoingMailServerPortNumber", 465),
        ] {
            assert_eq!(mail.get(key).unwrap().as_unsigned_integer(), Some(port));
        }
        for key in ["IncomingMailServerUseSSL", "OutgoingMailServerUseSSL"] {
            assert_eq!(mail.get(key).unwrap().as_boolean(), Some(true));
        }
    }

    #[test]
    fn a_replacement_replaces_and_another_device_has_a_profile_of_its_own() {
        let (first, again, other) = (read(7, "Mail", "a"), read(7, "Post", "b"), read(8, "Mail", "a"));
        for key in ["PayloadIdentifier", "PayloadUUID"] {
            assert_eq!(first.get(key), again.get(key), "{key}");
            assert_ne!(first.get(key), other.get(key), "{key}");
            assert_eq!(inner(&first).get(key), inner(&again).get(key), "{key}");
            assert_ne!(first.get(key), inner(&first).get(key), "{key}");
        }
        let uuid = first.get("PayloadUUID").unwrap().as_string().unwrap();
        let shape: String = uuid.chars().map(|c| if c == '-' { '-' } else { 'x' }).collect();
        assert_eq!(shape, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
        assert_eq!(uuid.as_bytes()[14], b'8');
        assert!(b"89AB".contains(&uuid.as_bytes()[19]), "{uuid}");
    }

    #[test]
    fn identifiers_begin_with_the_managers_host_whatever_it_is() {
        for (origin, prefix) in [
            ("https://manager.example.org", "org.example.manager"),
            ("https://manager.example.org:8443", "org.example.manager"),
            ("http://localhost:1", "localhost"),
            ("http://[::1]:8443", "---1-"),
            ("http://[::1]", "---1-"),
        ] {
            let origin = Origin::parse(origin).unwrap();
            assert_eq!(reversed(origin.host()), prefix);
        }
    }

    #[test]
    fn there_is_no_profile_for_half_an_account() {
        let scopes = |imap, smtp| crate::model::Scopes { imap, smtp };
        assert!(fits(&example(), scopes(true, true)));
        assert!(!fits(&example(), scopes(true, false)) && !fits(&example(), scopes(false, true)));
        let half = Settings {
            smtp: None,
            ..example()
        };
        assert!(!fits(&half, scopes(true, true)));
    }
}
