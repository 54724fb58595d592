//! The code that the Thunderbird app on Android scans to add an account (its format of 2025-02-06, version 1): JSON, with
//! the password inside. So it is drawn when somebody asks for it and hidden again; any other camera shows it as text.

use serde_json::{Value, json};

use super::{Service, Settings};
use crate::secret::Secret;

/// The version of the format.
const VERSION: u8 = 1;
/// IMAP, and SMTP, in their own places.
const PROTOCOL: u8 = 0;
/// How a server is spoken to.
const STARTTLS: u8 = 2;
/// TLS from the first octet.
const TLS: u8 = 3;
/// How one signs in: with a password, which TLS protects.
const PASSWORD: u8 = 1;

/// The text of the code for one account; none where the app would have nowhere to receive or to send. `name` is what stands
/// before the address in mails.
pub fn account(settings: &Settings, address: &str, name: &str, password: &Secret<String>) -> Option<Secret<String>> {
    let (imap, smtp) = (settings.imap.as_ref()?, settings.smtp.as_ref()?);
    let mut incoming = server(imap, address);
    incoming.extend([json!(address), json!(password.expose())]);
    let mut outgoing = server(smtp, address);
    outgoing.push(json!(password.expose()));
    let account = json!([VERSION, [1, 1], incoming, [[outgoing, [address, name]]]]);
    Some(Secret::new(account.to_string()))
}

/// Protocol, host, port, security, way to sign in, user name.
fn server(service: &Service, address: &str) -> Vec<Value> {
    let security = if service.implicit_tls { TLS } else { STARTTLS };
    vec![
        json!(PROTOCOL),
        json!(service.host),
        json!(service.port),
        json!(security),
        json!(PASSWORD),
        json!(address),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(port: u16, implicit_tls: bool) -> Option<Service> {
        Some(Service {
            host: "mail.example.org".to_owned(),
            port,
            implicit_tls,
        })
    }

    #[test]
    fn an_account_is_what_the_app_reads() {
        let settings = Settings {
            provider: "Example Mail".to_owned(),
            imap: service(993, true),
            smtp: service(587, false),
        };
        let password = Secret::new("kqzm-xwdp-hpdt-vnrc".to_owned());
        let account = account(&settings, "anna@example.org", "Anna \"A.\" Muster", &password).unwrap();
        assert_eq!(
            account.expose(),
            r#"[1,[1,1],[0,"mail.example.org",993,3,1,"anna@example.org","anna@example.org","kqzm-xwdp-hpdt-vnrc"],[[[0,"mail.example.org",587,2,1,"anna@example.org","kqzm-xwdp-hpdt-vnrc"],["anna@example.org","Anna \"A.\" Muster"]]]]"#
        );
        let receiving = Settings { smtp: None, ..settings };
        assert!(super::account(&receiving, "a@b.c", "", &password).is_none());
    }
}
