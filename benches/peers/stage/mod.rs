//! Everything that the proxies share: certificate, store, `auth-http`, mailboxes, and the generator's side of it.

pub(crate) mod helper;
pub(crate) mod site;

use std::cell::OnceCell;

use crate::helpers::{Identity, Ports, Settings};
use crate::kit::certificates::Certificates;
use crate::measure::machine::Cores;
use helper::Helper;
use site::Site;

/// What the proxies share.
pub(crate) struct Stage {
    /// Who is bound where.
    pub(crate) cores: Cores,
    /// Files that a process may open.
    pub(crate) files: u64,
    /// One authority, one certificate.
    pub(crate) certificates: Certificates,
    /// The mail store.
    pub(crate) store: Helper,
    /// What nginx asks.
    pub(crate) auth_http: Helper,
    /// Dovecot's own hash of the password, made when it is first needed.
    pub(crate) dovecot_hash: OnceCell<String>,
    site: Site,
}

impl Stage {
    /// Starts the helpers and makes so many mailboxes.
    pub(crate) fn start(cores: Cores, files: u64, mailboxes: u32) -> anyhow::Result<Self> {
        let certificates = Certificates::new()?;
        let site = Site::make(mailboxes, 1, 0..mailboxes)?;
        let settings = Settings {
            identity: identity(&certificates),
            password: site.password.clone(),
            refuse: false,
            imap: 0,
            smtp: 0,
        };
        let store = Helper::start("store", &settings)?;
        let Ports { imap, smtp, .. } = store.ports;
        let auth_http = Helper::start("auth-http", &Settings { imap, smtp, ..settings })?;
        Ok(Self {
            cores,
            files,
            certificates,
            store,
            auth_http,
            dovecot_hash: OnceCell::new(),
            site,
        })
    }

    /// The mailboxes.
    pub(crate) const fn site(&self) -> &Site {
        &self.site
    }

    /// Everybody's password.
    pub(crate) fn password(&self) -> &str {
        &self.site.password
    }

    /// All login names.
    pub(crate) fn usernames(&self) -> impl Iterator<Item = String> {
        (0..self.site.mailboxes).map(site::username)
    }

    /// What helpers in front of the store are told.
    pub(crate) fn helper_settings(&self) -> Settings {
        let Ports { imap, smtp, .. } = self.store.ports;
        Settings {
            identity: identity(&self.certificates),
            password: self.site.password.clone(),
            refuse: false,
            imap,
            smtp,
        }
    }
}

fn identity(certificates: &Certificates) -> Identity {
    Identity {
        certificate: certificates.certificate.clone(),
        key: certificates.key.clone(),
    }
}
