//! Everything that the proxies share: certificate, store, `auth-http`, mailboxes, and the generator's side of it.

pub(crate) mod helper;
pub(crate) mod people;
pub(crate) mod site;

use std::time::Duration;

use postern::load::Account;

use crate::generator::account;
use crate::helpers::store::Counts;
use crate::helpers::{HELPER, Identity, Ports, Settings, hash_time};
use crate::kit::certificates::Certificates;
use crate::kit::process;
use crate::measure::machine::Cores;
use crate::proxies::pinned;
use helper::Helper;
use site::Site;

/// Of the site: one mailbox with an imported password for so many with a device.
const IMPORTED_SHARE: u32 = 10;

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
    /// How many mailboxes with an imported password there are.
    pub(crate) imported: u32,
    accounts: Vec<Account>,
    site: Site,
}

impl Stage {
    /// Starts the helpers and makes so many mailboxes.
    pub(crate) fn start(cores: Cores, files: u64, mailboxes: u32) -> anyhow::Result<Self> {
        let certificates = Certificates::new()?;
        let site = Site::make(mailboxes, 1, 0..mailboxes)?;
        let imported = mailboxes / IMPORTED_SHARE;
        site.import(imported)?;
        let settings = Settings {
            identity: identity(&certificates),
            password: site.password.clone(),
            refuse: false,
            imap: 0,
            smtp: 0,
            attack: None,
        };
        let store = Helper::start("store", &settings)?;
        let Ports { imap, smtp, .. } = store.ports;
        let auth_http = Helper::start("auth-http", &Settings { imap, smtp, ..settings })?;
        let accounts = (0..mailboxes).map(|number| account(site::username(number), &site.password));
        Ok(Self {
            imported,
            accounts: accounts.collect(),
            cores,
            files,
            certificates,
            store,
            auth_http,
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

    /// A mailbox that may log in.
    ///
    /// # Panics
    /// A work wants more mailboxes than there are: its author's mistake.
    pub(crate) fn account(&self, number: usize) -> &Account {
        self.accounts.get(number).expect("a work uses mailboxes that there are")
    }

    /// What the store has seen so far.
    pub(crate) fn counts(&self) -> anyhow::Result<Counts> {
        self.store.ask("counts")
    }

    /// Makes the store say one line to every session in IDLE.
    pub(crate) fn wake(&self) -> anyhow::Result<Counts> {
        self.store.ask("wake")
    }

    /// How long one hash run takes where the proxies run.
    pub(crate) fn hash_time(&self) -> anyhow::Result<Duration> {
        let mut command = pinned(self, &helper::program()?)?;
        command.args([HELPER, hash_time::NAME, "{}"]);
        Ok(Duration::from_micros(process::run(&command)?.trim().parse()?))
    }

    /// How many processors the proxies have.
    pub(crate) fn proxy_cores(&self) -> usize {
        match self.cores.proxy {
            Some(_) => 1,
            None => std::thread::available_parallelism().map_or(1, usize::from),
        }
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
            attack: None,
        }
    }
}

fn identity(certificates: &Certificates) -> Identity {
    Identity {
        certificate: certificates.certificate.clone(),
        key: certificates.key.clone(),
    }
}
