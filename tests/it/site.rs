//! One organisation before real servers: a Dovecot, a Postfix that delivers to it, and Postern in front of both.

use std::fs;

use anyhow::Context as _;

use crate::kit::certificates::Certificates;
use crate::kit::dovecot::Dovecot;
use crate::kit::imap::Imap;
use crate::kit::postern::{Device, Login, Postern, Route, Settings};
use crate::kit::postfix::{self, Postfix};
use crate::kit::smtp::Smtp;

/// The mail domain of every site.
pub(crate) const DOMAIN: &str = "example.test";
/// The mailbox that most tests use.
pub(crate) const ANNA: &str = "anna@example.test";

/// Failures are answered quickly and a stop waits for nobody, so that tests are short.
pub(crate) const QUICK: &str = "\
[throttle]
base_delay = \"100ms\"
max_delay = \"400ms\"

[sessions]
drain_time = \"200ms\"
close_time = \"1s\"
usage_write_interval = \"1s\"
";

/// Everything that a test needs, stopped on drop (the gateway first).
pub(crate) struct Site {
    pub(crate) postern: Postern,
    pub(crate) postfix: Postfix,
    pub(crate) dovecot: Dovecot,
    pub(crate) certificates: Certificates,
}

impl Site {
    /// A site with one mailbox, [`ANNA`], that has no device yet.
    pub(crate) fn start() -> anyhow::Result<Self> {
        Self::start_with(QUICK, (Login::MasterUser, Login::Xclient))
    }

    /// The same with other sections of the configuration file and other ways to log in upstream.
    pub(crate) fn start_with(sections: &str, logins: (Login, Login)) -> anyhow::Result<Self> {
        let certificates = Certificates::new()?;
        let dovecot = Dovecot::start(&certificates)?;
        let trust_loopback = logins.1 == Login::TrustedNetwork;
        let domains = vec![(DOMAIN, &dovecot)];
        let postfix = Postfix::start(
            &certificates,
            &postfix::Settings {
                domains,
                trust_loopback,
                ..Default::default()
            },
        )?;
        let route = Route {
            name: "main",
            domains: Vec::new(),
            imap: (&dovecot, logins.0),
            smtp: (&postfix, logins.1),
        };
        let settings = Settings {
            routes: vec![route],
            proxy_listener: true,
            sections,
        };
        let postern = Postern::start(&certificates, &settings)?;
        postern.add_org("Example", DOMAIN)?;
        let site = Self {
            postern,
            postfix,
            dovecot,
            certificates,
        };
        site.add_mailbox(ANNA)?;
        Ok(site)
    }

    /// Adds a mailbox to the store and to the gateway.
    pub(crate) fn add_mailbox(&self, address: &str) -> anyhow::Result<()> {
        self.dovecot.add_mailbox(address)?;
        self.postern.add_mailbox(address)
    }

    /// Adds a device of [`ANNA`].
    pub(crate) fn device(&self, label: &str) -> anyhow::Result<Device> {
        self.postern.add_device(ANNA, label)
    }

    /// Changes the configuration file; a reload or a restart takes it over.
    pub(crate) fn edit_config(&self, edit: impl FnOnce(String) -> String) -> anyhow::Result<()> {
        let file = self.postern.config();
        Ok(fs::write(&file, edit(fs::read_to_string(&file)?))?)
    }

    /// Connects to IMAP with implicit TLS, not logged in.
    pub(crate) fn imap(&self) -> anyhow::Result<Imap> {
        Imap::connect_tls(self.postern.port("imaps")?, &self.certificates)
    }

    /// Logs in by IMAP.
    pub(crate) fn imap_as(&self, device: &Device) -> anyhow::Result<Imap> {
        let mut imap = self.imap()?;
        imap.login(&device.address, &device.password)?
            .ok()
            .context("IMAP login")?;
        Ok(imap)
    }

    /// Connects to submission with implicit TLS and says EHLO, not logged in.
    pub(crate) fn smtp(&self) -> anyhow::Result<Smtp> {
        let mut smtp = Smtp::connect_tls(self.postern.port("submissions")?, &self.certificates)?;
        smtp.ehlo()?.expect(250)?;
        Ok(smtp)
    }

    /// Logs in by submission.
    pub(crate) fn smtp_as(&self, device: &Device) -> anyhow::Result<Smtp> {
        let mut smtp = self.smtp()?;
        smtp.auth_plain(&device.address, &device.password)?
            .expect(235)
            .context("SMTP login")?;
        Ok(smtp)
    }

    /// The value of one metric with exactly these labels, 0 where it has not been counted yet.
    pub(crate) fn metric(&self, name_and_labels: &str) -> anyhow::Result<f64> {
        let text = self.operations("/metrics")?;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name_and_labels)?.strip_prefix(' '));
        Ok(line.map(str::parse).transpose()?.unwrap_or(0.0))
    }

    /// A page of the operators' listener, headers included.
    pub(crate) fn operations(&self, path: &str) -> anyhow::Result<String> {
        let mut wire = crate::kit::wire::Wire::connect(self.postern.port("operations")?)?;
        wire.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes())?;
        Ok(String::from_utf8(wire.rest()?)?)
    }
}
