//! The QR code that Thunderbird for Android reads under "Import settings" (format version 1): one account with its
//! password, as JSON arrays.
//!
//! Other camera programs show what is in it, so it is drawn only once somebody asks for it.

use super::{Service, Settings};
use crate::secret::Secret;

/// Numbers of the format.
const VERSION: u8 = 1;
const STARTTLS: u8 = 2;
const TLS: u8 = 3;
/// A password that the encryption of the connection protects.
const PASSWORD: u8 = 1;

/// Octets around what is filled in.
const FRAME_BYTES: usize = 128;

/// The account that a code holds.
#[derive(Debug, Clone, Copy)]
pub struct Account<'a> {
    /// The mailbox's address, which is the user name as well.
    pub address: &'a str,
    /// The name beside the address in mails that are sent.
    pub name: &'a str,
}

/// The text of the code; none where the program could not both receive and send: it takes whole accounts only.
pub fn code(settings: &Settings, account: Account<'_>, password: &Secret<String>) -> Option<Secret<String>> {
    let (imap, smtp) = (settings.imap.as_ref()?, settings.smtp.as_ref()?);
    let secret = password.expose();
    let names = account
        .address
        .len()
        .saturating_mul(4)
        .saturating_add(account.name.len());
    let hosts = imap.host.len().saturating_add(smtp.host.len());
    // Escaping makes at most six of one, and a text that grows would leave copies of the password behind.
    let length = names
        .saturating_add(hosts)
        .saturating_add(secret.len().saturating_mul(2))
        .saturating_mul(6)
        .saturating_add(FRAME_BYTES);
    let mut text = Secret::new(String::with_capacity(length));
    let out = text.expose_mut();
    out.push_str(&format!("[{VERSION},[1,1],[0,"));
    server(out, imap, account.address);
    out.push(',');
    // The name of the account in the program.
    string(out, account.address);
    out.push(',');
    string(out, secret);
    out.push_str("],[[[0,");
    server(out, smtp, account.address);
    out.push(',');
    string(out, secret);
    out.push_str("],[");
    string(out, account.address);
    out.push(',');
    string(out, account.name);
    out.push_str("]]]]");
    Some(text)
}

/// Host, port, encryption, kind of proof, and user name.
fn server(out: &mut String, service: &Service, user: &str) {
    string(out, &service.host);
    let security = if service.implicit_tls { TLS } else { STARTTLS };
    out.push_str(&format!(",{},{security},{PASSWORD},", service.port));
    string(out, user);
}

/// A JSON string (RFC 8259 §7), written in place.
fn string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn settings(imap_tls: bool) -> Settings {
        let service = |port, implicit_tls| Service {
            host: "mail.example.org".to_owned(),
            port,
            implicit_tls,
        };
        Settings {
            provider: "Example Mail".to_owned(),
            imap: Some(service(if imap_tls { 993 } else { 143 }, imap_tls)),
            smtp: Some(service(465, true)),
        }
    }

    const ANNA: Account<'_> = Account {
        address: "anna@example.org",
        name: "Anna Muster",
    };

    fn password() -> Secret<String> {
        Secret::new("kqzm-xwdp-hpdt-vnrc".to_owned())
    }

    #[test]
    fn a_code_is_the_text_that_the_program_reads() {
        let code = code(&settings(true), ANNA, &password()).unwrap();
        assert_eq!(
            code.expose(),
            r#"[1,[1,1],[0,"mail.example.org",993,3,1,"anna@example.org","anna@example.org","kqzm-xwdp-hpdt-vnrc"],[[[0,"mail.example.org",465,3,1,"anna@example.org","kqzm-xwdp-hpdt-vnrc"],["anna@example.org","Anna Muster"]]]]"#
        );
    }

    #[test]
    fn starttls_is_said_and_no_name_leaves_its_place() {
        let hostile = Account {
            address: "\"a\\\"@example.org",
            name: "]],\"\u{7}\nZoë 😀",
        };
        let code = code(&settings(false), hostile, &password()).unwrap();
        let read: Value = serde_json::from_str(code.expose()).unwrap();
        assert_eq!(read[2][2], json!(143));
        assert_eq!(read[2][3], json!(2));
        assert_eq!(read[2][5], json!(hostile.address));
        assert_eq!(read[3][0][1], json!([hostile.address, hostile.name]));
        assert!(code.expose().len() < code.expose().capacity(), "it never grew");
    }

    #[test]
    fn there_is_no_code_for_half_an_account() {
        let mut half = settings(true);
        half.smtp = None;
        assert!(code(&half, ANNA, &password()).is_none());
    }
}
