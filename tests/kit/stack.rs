//! All of it together: Postern in front of one Dovecot and one Postfix.

use super::certificates::Certificates;
use super::dovecot::Dovecot;
use super::imap::Imap;
use super::postern::{Device, Login, Postern, Route, Settings};
use super::postfix::{self, Postfix};
use super::smtp::Smtp;

/// The mail domain of a stack.
pub(crate) const DOMAIN: &str = "acme.test";

/// How Postern logs in at a stack's servers, and what else its configuration says.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    /// At Dovecot.
    pub(crate) imap: Login,
    /// At Postfix.
    pub(crate) smtp: Login,
    /// Alias and mailbox, as Postfix delivers.
    pub(crate) aliases: Vec<(&'a str, &'a str)>,
    /// See [`Settings::proxy_listener`].
    pub(crate) proxy_listener: bool,
    /// See [`Settings::sections`].
    pub(crate) sections: &'a str,
}

impl Default for Plan<'_> {
    fn default() -> Self {
        Self {
            imap: Login::Authzid,
            smtp: Login::Xclient,
            aliases: Vec::new(),
            proxy_listener: false,
            sections: "",
        }
    }
}

/// The three servers. Postern ends first.
#[derive(Debug)]
pub(crate) struct Stack {
    /// The gateway.
    pub(crate) postern: Postern,
    /// The submission server behind it.
    pub(crate) postfix: Postfix,
    /// The mail store behind both.
    pub(crate) dovecot: Dovecot,
    /// Trusted by everybody here.
    pub(crate) certificates: Certificates,
}

impl Stack {
    /// Starts the servers; Postern knows one organisation `Acme` with [`DOMAIN`] and no mailbox.
    pub(crate) fn start(plan: &Plan<'_>) -> anyhow::Result<Self> {
        let stack = Self::start_empty(plan)?;
        stack.postern.add_org("Acme", DOMAIN)?;
        Ok(stack)
    }

    /// Starts the servers; Postern knows nobody yet.
    pub(crate) fn start_empty(plan: &Plan<'_>) -> anyhow::Result<Self> {
        let certificates = Certificates::new()?;
        let dovecot = Dovecot::start(&certificates)?;
        let settings = postfix::Settings {
            domains: vec![(DOMAIN, &dovecot)],
            aliases: plan.aliases.clone(),
            trust_loopback: plan.smtp == Login::TrustedNetwork,
            ..Default::default()
        };
        let postfix = Postfix::start(&certificates, &settings)?;
        let route = Route {
            name: "main",
            domains: vec![],
            imap: (&dovecot, plan.imap),
            smtp: (&postfix, plan.smtp),
        };
        let settings = Settings {
            routes: vec![route],
            proxy_listener: plan.proxy_listener,
            sections: plan.sections,
        };
        let postern = Postern::start(&certificates, &settings)?;
        Ok(Self {
            postern,
            postfix,
            dovecot,
            certificates,
        })
    }

    /// Adds a mailbox at the store and in Postern; gives its own password at the store.
    pub(crate) fn add_mailbox(&self, address: &str) -> anyhow::Result<String> {
        self.postern.add_mailbox(address)?;
        self.dovecot.add_mailbox(address)
    }

    /// A greeted IMAP connection to Postern over TLS.
    pub(crate) fn imap(&self) -> anyhow::Result<Imap> {
        Imap::connect_tls(self.postern.port("imaps")?, &self.certificates)
    }

    /// The same, logged in and with the INBOX open.
    pub(crate) fn inbox(&self, device: &Device) -> anyhow::Result<Imap> {
        let mut imap = self.imap()?;
        imap.login(&device.address, &device.password)?.ok()?;
        imap.command("SELECT INBOX")?.ok()?;
        Ok(imap)
    }

    /// A greeted submission connection to Postern over TLS, after EHLO.
    pub(crate) fn smtp(&self) -> anyhow::Result<Smtp> {
        let mut smtp = Smtp::connect_tls(self.postern.port("submissions")?, &self.certificates)?;
        smtp.ehlo()?.expect(250)?;
        Ok(smtp)
    }

    /// The same, logged in.
    pub(crate) fn submission(&self, device: &Device) -> anyhow::Result<Smtp> {
        let mut smtp = self.smtp()?;
        smtp.auth_plain(&device.address, &device.password)?.expect(235)?;
        Ok(smtp)
    }
}
