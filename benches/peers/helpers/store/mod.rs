//! `store`: the mail store that stands behind every proxy; and `null`, which is the same without a proxy before it.
//!
//! It believes every login, keeps nothing, and makes and compares messages as a pure function of the place
//! (`content`), so that its own cost is small and equal for all. The control port takes one command a line and answers
//! in JSON: `wake` makes it send one untagged line to every session in IDLE, `counts` says what it has seen.

mod content;
mod imap;
mod smtp;

use std::cell::Cell;
use std::io;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::wire::Wire;
use super::{Ports, Settings, listen};

/// What the store has seen since its start, and how many sessions are in IDLE now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    /// Logins, both protocols.
    pub(crate) logins: u64,
    /// Messages taken (APPEND, DATA, BDAT LAST).
    pub(crate) messages: u64,
    /// Octets of them.
    pub(crate) octets: u64,
    /// Messages of which an octet was not the one that belongs there.
    pub(crate) wrong: u64,
    /// Sessions in IDLE now.
    pub(crate) idling: u64,
}

/// What the sessions share; they all run on one thread.
struct Shared {
    refuse: bool,
    wake: watch::Sender<u64>,
    counts: Cell<Counts>,
}

impl Shared {
    fn new(refuse: bool) -> Rc<Self> {
        Rc::new(Self {
            refuse,
            wake: watch::Sender::new(0),
            counts: Cell::default(),
        })
    }

    fn count(&self, change: impl FnOnce(&mut Counts)) {
        let mut counts = self.counts.get();
        change(&mut counts);
        self.counts.set(counts);
    }

    /// Counts a message that was taken whole.
    fn taken(&self, message: &content::Comparison) {
        self.count(|counts| {
            counts.messages += 1;
            counts.octets += message.octets();
            counts.wrong += u64::from(!message.is_right());
        });
    }
}

/// Starts the store.
pub(super) async fn serve(settings: &Settings) -> anyhow::Result<Ports> {
    let shared = Shared::new(false);
    let (imap, smtp, control) = (Rc::clone(&shared), Rc::clone(&shared), Rc::clone(&shared));
    let secured = serve_secured(settings, &shared)?;
    Ok(Ports {
        imap: listen::serve(move |stream| imap::converse(stream, Rc::clone(&imap)))?,
        smtp: listen::serve(move |stream| smtp::converse(stream, Rc::clone(&smtp)))?,
        imaps: secured.imap,
        smtps: secured.smtp,
        control: listen::serve(move |stream| obey(stream, Rc::clone(&control)))?,
    })
}

/// Starts the floor of a login: TLS only.
pub(super) async fn serve_null(settings: &Settings) -> anyhow::Result<Ports> {
    serve_secured(settings, &Shared::new(settings.refuse))
}

fn serve_secured(settings: &Settings, shared: &Rc<Shared>) -> anyhow::Result<Ports> {
    let acceptor = listen::acceptor(&settings.identity)?;
    let (imap, smtp) = (Rc::clone(shared), Rc::clone(shared));
    let imap_acceptor = acceptor.clone();
    Ok(Ports {
        imap: listen::serve(move |stream| {
            let (acceptor, shared) = (imap_acceptor.clone(), Rc::clone(&imap));
            async move { imap::converse(listen::secure(&acceptor, stream).await?, shared).await }
        })?,
        smtp: listen::serve(move |stream| {
            let (acceptor, shared) = (acceptor.clone(), Rc::clone(&smtp));
            async move { smtp::converse(listen::secure(&acceptor, stream).await?, shared).await }
        })?,
        ..Ports::default()
    })
}

/// The control port.
async fn obey(stream: TcpStream, shared: Rc<Shared>) -> io::Result<()> {
    let mut wire = Wire::new(stream);
    while let Some(line) = wire.line().await? {
        if line.as_ref() == b"wake" {
            shared.wake.send_modify(|times| *times += 1);
        }
        let counts = serde_json::to_vec(&shared.counts.get())?;
        wire.say(&[&counts, b"\n"]);
    }
    Ok(())
}
