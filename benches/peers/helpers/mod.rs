//! What the benchmark needs around the proxies, each a process of its own: this program, started again as
//! `peers helper NAME`.
//!
//! - `store`: the same cheap mail store behind all proxies (IMAP and SMTP, in clear and over TLS).
//! - `null`: the floor of a login: a TLS server that answers OK (or, asked to, NO) and has nothing behind it.
//! - `splice`: the floor of a proxy: TLS in front of a blind copy to the store.
//! - `auth-http`: what nginx asks about a login.
//! - `attackers`: wrong passwords, from many networks.
//!
//! Each takes its settings as JSON in its one argument, listens on free ports, says them in one line of JSON on
//! standard output, and goes on until it is ended. One thread each. `hash-time` alone says a number and ends.

pub(crate) mod attackers;
pub(crate) mod auth_http;
pub(crate) mod hash_time;
pub(crate) mod listen;
pub(crate) mod splice;
pub(crate) mod store;
mod wire;

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

/// A certificate with its key, as files.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// PEM.
    pub(crate) certificate: PathBuf,
    /// PEM.
    pub(crate) key: PathBuf,
}

/// What the helper is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// For those that speak TLS.
    pub(crate) identity: Identity,
    /// The one right password: `auth-http` refuses all others.
    pub(crate) password: String,
    /// `null` refuses every login.
    pub(crate) refuse: bool,
    /// The store's IMAP port in clear (`splice`, `auth-http`).
    pub(crate) imap: u16,
    /// The store's SMTP port in clear.
    pub(crate) smtp: u16,
    /// What `attackers` do.
    pub(crate) attack: Option<attackers::Attack>,
}

/// Where a helper listens; 0 where it does not.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Ports {
    /// IMAP: in clear at the store, over TLS at the floors.
    pub(crate) imap: u16,
    /// SMTP, likewise.
    pub(crate) smtp: u16,
    /// IMAP over TLS at the store.
    pub(crate) imaps: u16,
    /// SMTP over TLS at the store.
    pub(crate) smtps: u16,
    /// The control port of store and attackers, or HTTP of `auth-http`.
    pub(crate) control: u16,
}

/// The word behind the program's name that makes it a helper.
pub(crate) const HELPER: &str = "helper";

/// Runs as a helper until the process is ended.
pub(crate) fn run(name: &str, settings: &str) -> anyhow::Result<()> {
    if name == hash_time::NAME {
        println!("{}", hash_time::microseconds()?);
        return Ok(());
    }
    let settings: Settings = serde_json::from_str(settings).context("the helper's settings")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Connections are tasks of one thread.
    let local = tokio::task::LocalSet::new();
    runtime.block_on(local.run_until(async {
        let ports = match name {
            "store" => store::serve(&settings).await?,
            "null" => store::serve_null(&settings).await?,
            "splice" => splice::serve(&settings).await?,
            "attackers" => attackers::serve(&settings).await?,
            "auth-http" => auth_http::serve(&settings).await?,
            other => bail!("there is no helper {other}"),
        };
        println!("{}", serde_json::to_string(&ports)?);
        std::future::pending::<anyhow::Result<()>>().await
    }))
}
