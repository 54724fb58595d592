//! `attackers`: wrong passwords from many networks, by the load generator, until it is ended.
//!
//! A process of its own, so that the clients that are measured meanwhile do not wait behind it in one event loop. The
//! control port answers any line with what came of the tries.

use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use postern::clock::Clock;
use postern::load::{
    Account, Bound, ClientTls, Guess, Mechanism, Offer, Plan, Security, Target, Trust, Watch, Work, run,
};
use postern::peer::Protocol;
use postern::secret::Secret;
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;

use super::wire::Wire;
use super::{Ports, Settings, listen};
use crate::generator::{From, STEP_TIME, source};
use crate::kit::certificates::SERVER_NAME;
use crate::stage::site;

/// No work takes longer.
const MAX_TIME: Duration = Duration::from_secs(3600);

/// How they attack.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Attack {
    /// The proxy's IMAP port.
    pub(crate) port: u16,
    /// Whose certificates are trusted.
    pub(crate) authority: PathBuf,
    /// Whose passwords are guessed, by turns.
    pub(crate) victims: Victims,
    /// How many of them.
    pub(crate) names: u32,
    /// From how many networks, by turns.
    pub(crate) networks: usize,
    /// Connections at the same time, at most.
    pub(crate) clients: usize,
    /// Tries a second; without it each client tries again at once.
    pub(crate) rate: Option<f64>,
}

/// Whose passwords are guessed.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) enum Victims {
    /// Half of them exist.
    Some,
    /// Mailboxes with an imported password, each try of which costs Postern a hash run.
    Imported,
}

impl Victims {
    fn username(self, number: u32) -> String {
        match (self, number % 2) {
            (Self::Imported, _) => site::imported(number),
            (Self::Some, 0) => site::username(number),
            (Self::Some, _) => site::stranger(number),
        }
    }
}

/// What came of it.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Tries {
    /// Passwords that were refused as wrong.
    pub(crate) refused: u64,
    /// Tries that ended in any other way.
    pub(crate) failed: u64,
}

/// Starts to attack.
pub(super) async fn serve(settings: &Settings) -> anyhow::Result<Ports> {
    let attack = settings.attack.as_ref().context("attackers need a target")?;
    let plan = Arc::new(plan(attack)?);
    let watch = Arc::new(Watch::default());
    let seen = Arc::clone(&watch);
    let control = listen::serve(move |stream| report(stream, Arc::clone(&seen)))?;
    tokio::task::spawn_local(async move { run(&plan, &watch).await });
    Ok(Ports {
        control,
        ..Ports::default()
    })
}

fn plan(attack: &Attack) -> anyhow::Result<Plan> {
    let accounts = (0..attack.names).map(|number| Account {
        username: attack.victims.username(number),
        // Never used: each try makes up its own.
        password: Secret::new(Vec::new()),
    });
    Ok(Plan {
        target: Target {
            address: (Ipv4Addr::LOCALHOST, attack.port).into(),
            server_name: SERVER_NAME.to_owned(),
            protocol: Protocol::Imap,
            security: Security::ImplicitTls,
            tls: ClientTls::new(&Trust::File(attack.authority.clone()), Offer::Aes128X25519, false)?,
        },
        accounts: Arc::new(accounts.collect()),
        mechanism: Mechanism::Login,
        work: Work::WrongPassword(Guess::Each),
        clients: attack.clients,
        rate: attack.rate,
        bound: Bound::Time(MAX_TIME),
        step_time: STEP_TIME,
        from: (0..attack.networks)
            .map(|number| source(From::Attackers, number))
            .collect(),
        clock: Clock::system(),
    })
}

async fn report(stream: TcpStream, watch: Arc<Watch>) -> io::Result<()> {
    let mut wire = Wire::new(stream);
    while wire.line().await?.is_some() {
        let tries = Tries {
            refused: watch.done(),
            failed: watch.failed(),
        };
        wire.say(&[&serde_json::to_vec(&tries)?, b"\n"]);
    }
    Ok(())
}
