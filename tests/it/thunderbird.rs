//! Debian's Thunderbird sets up an account from nothing but a mail address and a device password.
//!
//! A profile that has never been used, the page that it opens with, and a person who types name, address and password and
//! clicks. Everything else Thunderbird finds out by itself: from the Manager, as it would from the real names on port 443,
//! which an HTTP proxy of the test stands for. `program` starts it, `person.mjs` sits before it.

mod program;
mod proxy;

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use crate::kit::certificates::Certificates;
use crate::kit::dovecot::Dovecot;
use crate::kit::postern::{Login, Postern, Route, Settings};
use crate::kit::postfix::{self, Postfix};
use crate::kit::{random_word, secrets, wait};
use program::{Person, Thunderbird};
use proxy::{Door, Proxy};

const DOMAIN: &str = "acme.test";
const ANNA: &str = "anna@acme.test";
/// What mail programs are told to connect to.
const MAIL_HOST: &str = "mail.provider.test";
/// Where people find the Manager.
const MANAGER: &str = "manager.provider.test";

/// The servers, with everything logged.
struct Place {
    postern: Postern,
    _postfix: Postfix,
    dovecot: Dovecot,
    certificates: Certificates,
    imap: Door,
    smtp: Door,
}

impl Place {
    /// The names are those that the daemon has a certificate for, besides that of the mail server.
    fn start(names: &[&str]) -> anyhow::Result<Self> {
        let certificates = Certificates::new()?;
        let issued = certificates.issue("names", &[names, &[MAIL_HOST, MANAGER]].concat())?;
        let dovecot = Dovecot::start(&certificates)?;
        let domains = postfix::Settings {
            domains: vec![(DOMAIN, &dovecot)],
            ..Default::default()
        };
        let postfix = Postfix::start(&certificates, &domains)?;
        let (imap, smtp) = (Door::open()?, Door::open()?);
        let sections = format!(
            "[[tls.certificate]]\nchain = \"{}\"\nkey = \"{}\"\n\n[log]\nformat = \"json\"\nlevel = \"trace\"\n\n\
             [manager]\naddress = \"127.0.0.1:0\"\norigin = \"https://{MANAGER}\"\n\n\
             [client_settings]\nprovider = \"Provider & Söhne\"\nimap_host = \"{MAIL_HOST}\"\nimap_port = {}\n\
             imap_security = \"tls\"\nsmtp_host = \"{MAIL_HOST}\"\nsmtp_port = {}\nsmtp_security = \"tls\"\n\n",
            issued.certificate.display(),
            issued.key.display(),
            imap.port,
            smtp.port
        );
        let route = Route {
            name: "main",
            domains: vec![],
            imap: (&dovecot, Login::Authzid),
            smtp: (&postfix, Login::Xclient),
        };
        let settings = Settings {
            routes: vec![route],
            sections: &sections,
            ..Settings::default()
        };
        let postern = Postern::start(&certificates, &settings)?;
        imap.lead_to(postern.port("imaps")?);
        smtp.lead_to(postern.port("submissions")?);
        postern.add_org("Acme", DOMAIN)?;
        postern.add_mailbox(ANNA)?;
        dovecot.add_mailbox(ANNA)?;
        Ok(Self {
            postern,
            _postfix: postfix,
            dovecot,
            certificates,
            imap,
            smtp,
        })
    }

    /// Lets Anna set up Thunderbird where these names lead to the Manager; gives what was asked of the proxy.
    fn set_up(&self, names: &[&str], exchangers: Value) -> anyhow::Result<Vec<String>> {
        let device = self.postern.add_device(ANNA, "Thunderbird")?;
        secrets::sent(&device.password);
        let manager = self.postern.port("manager")?;
        let names: BTreeMap<String, u16> = names.iter().map(|name| ((*name).to_owned(), manager)).collect();
        let proxy = Proxy::start(names)?;
        let thunderbird = Thunderbird::start(&self.certificates, proxy.port, MAIL_HOST)?;
        let subject = random_word()?;
        let person = Person {
            address: ANNA,
            password: &device.password,
            subject: &subject,
            exchangers,
        };
        let account = program::set_up(&thunderbird, &person)
            .with_context(|| format!("the proxy was asked for {:#?}", proxy.asked()))?;
        let server = |port| json!({"host": MAIL_HOST, "port": port, "tls": true, "user": ANNA});
        let expected = json!({
            "count": 1,
            "email": ANNA,
            "imap": server(self.imap.port),
            "smtp": server(self.smtp.port),
        });
        ensure!(
            account == expected,
            "the account says {account:#}, and not {expected:#}"
        );
        self.signed_in()?;
        self.dovecot.wait_for_message(ANNA, &subject)?;
        Ok(proxy.asked())
    }

    /// Thunderbird is connected as this device, and was also seen sending.
    fn signed_in(&self) -> anyhow::Result<()> {
        wait::until("the device has a live session by Thunderbird", || {
            let sessions = self.postern.cli(&["session", "list", "--json"])?.ok()?;
            Ok((sessions.contains("Thunderbird") && sessions.contains(ANNA)).then_some(()))
        })
    }
}

/// Whether the proxy was asked for this name by TLS.
fn has_asked(asked: &[String], name: &str) -> bool {
    asked.iter().any(|asked| asked == &format!("CONNECT {name}:443"))
}

#[test]
fn thunderbird_sets_itself_up_from_address_and_password() -> anyhow::Result<()> {
    let names = ["autoconfig.acme.test", "autodiscover.acme.test", "acme.test"];
    let place = Place::start(&names)?;
    let asked = place.set_up(&names, json!({}))?;
    for name in names {
        ensure!(has_asked(&asked, name), "{name} is not among {asked:#?}");
    }
    // Outlook's way was asked beside Thunderbird's own, and both were answered. All was logged that can be, and the
    // gateway's end searches it for the password.
    for route in ["/mail/config-v1.1.xml", "/autodiscover/autodiscover.xml"] {
        place.postern.wait_for_log(&["\"request\"", route, "200"])?;
    }
    Ok(())
}

#[test]
fn one_name_under_the_mail_exchangers_domain_serves_a_customers_domain() -> anyhow::Result<()> {
    let names = ["autoconfig.provider.test"];
    let place = Place::start(&names)?;
    let asked = place.set_up(&names, json!({"acme.test": "mx.provider.test"}))?;
    ensure!(
        has_asked(&asked, "autoconfig.acme.test"),
        "its own name comes first: {asked:#?}"
    );
    ensure!(has_asked(&asked, names[0]), "{asked:#?}");
    place
        .postern
        .wait_for_log(&["\"request\"", "/mail/config-v1.1.xml", "200"])
        .map(drop)
}
