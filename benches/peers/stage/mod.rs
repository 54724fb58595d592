//! Everything that the proxies share: certificate, store, `auth-http`, mailboxes, and the generator's side of it.

pub(crate) mod helper;
pub(crate) mod site;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpStream};

use anyhow::Context as _;
use postern::load::Account;

use crate::generator::account;
use crate::helpers::store::Counts;
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
    accounts: Vec<Account>,
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
        let accounts = (0..mailboxes).map(|number| account(site::username(number), &site.password));
        Ok(Self {
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
        self.command("counts")
    }

    /// Makes the store say one line to every session in IDLE.
    pub(crate) fn wake(&self) -> anyhow::Result<Counts> {
        self.command("wake")
    }

    fn command(&self, command: &str) -> anyhow::Result<Counts> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.store.ports.control))?;
        stream.write_all(format!("{command}\n").as_bytes())?;
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer)?;
        serde_json::from_str(&answer).context("the store's answer")
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
