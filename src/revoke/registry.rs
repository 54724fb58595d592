//! The registry of live sessions, indexed by device and by mailbox, so that ending one device touches its sessions only.
//!
//! Both indexes are split into independently locked parts; no operation holds two locks. A session costs one shared
//! record of some 250 octets and, while it idles, one registered waker. The record is also what the session itself knows
//! of its login: nothing else of it is kept.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;
use prometheus_client::metrics::gauge::Gauge;

use super::index::Index;
use super::sweep::{Expiring, Quiet};

use crate::clock::Timestamp;
use crate::metrics::{Metrics, ProtocolLabel};
use crate::model::{Address, DeviceId, MailboxId};
use crate::peer::Protocol;
use crate::store::EndReason;

/// What is known of a live session, as the list of them shows it.
#[derive(Debug, Clone)]
pub struct SessionInfo {
    /// The device that logged in.
    pub device: DeviceId,
    /// Its label at that time.
    pub label: Box<str>,
    /// The mailbox that it logged into.
    pub mailbox: MailboxId,
    /// The mailbox's address.
    pub address: Address,
    /// By which protocol.
    pub protocol: Protocol,
    /// From where.
    pub peer: IpAddr,
    /// When it logged in.
    pub since: Timestamp,
    /// When the device's access ends by itself.
    pub expires_at: Option<Timestamp>,
    /// What the client calls itself, as far as known.
    pub client: Option<Box<str>>,
    /// The route to its mail store.
    pub route: Arc<str>,
    /// A test message of our own, which is no use of the device.
    pub is_trial: bool,
}

/// A session as listed.
#[derive(Debug, Clone)]
pub struct SessionSnapshot {
    /// Its number.
    pub id: SessionId,
    /// Who and from where.
    pub info: SessionInfo,
    /// Octets from the client to the mail store.
    pub bytes_up: u64,
    /// Octets from the mail store to the client.
    pub bytes_down: u64,
}

/// The number of a session, unique in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub u64);

/// A session's shared record.
pub(super) struct Record {
    pub(super) id: SessionId,
    pub(super) info: SessionInfo,
    /// What the client called itself later (IMAP ID after login).
    client: OnceLock<Box<str>>,
    bytes_up: AtomicU64,
    bytes_down: AtomicU64,
    pub(super) quiet: Quiet,
    /// Set once: the first reason stands.
    end: OnceLock<EndReason>,
    told: AtomicWaker,
}

impl Record {
    /// True for the caller who ended it.
    pub(super) fn tell(&self, reason: EndReason) -> bool {
        let first = self.end.set(reason).is_ok();
        self.told.wake();
        first
    }

    /// All octets that it moved so far.
    pub(super) fn octets(&self) -> u64 {
        let (up, down) = self.moved();
        up.wrapping_add(down)
    }

    fn moved(&self) -> (u64, u64) {
        (
            self.bytes_up.load(Ordering::Relaxed),
            self.bytes_down.load(Ordering::Relaxed),
        )
    }

    fn snapshot(&self) -> SessionSnapshot {
        let mut info = self.info.clone();
        if let Some(client) = self.client.get() {
            info.client = Some(client.clone());
        }
        let (bytes_up, bytes_down) = self.moved();
        SessionSnapshot {
            id: self.id,
            info,
            bytes_up,
            bytes_down,
        }
    }
}

/// All live sessions of this process.
pub struct Registry {
    pub(super) devices: Index,
    mailboxes: Index,
    pub(super) expiring: Expiring,
    next_id: AtomicU64,
    metrics: Arc<Metrics>,
    imap: Gauge,
    smtp: Gauge,
}

/// A registered session; deregisters on drop.
pub struct LiveSession {
    record: Arc<Record>,
    registry: Arc<Registry>,
}

impl LiveSession {
    /// Its number.
    pub fn id(&self) -> SessionId {
        self.record.id
    }

    /// What is known of it.
    pub fn info(&self) -> &SessionInfo {
        &self.record.info
    }

    /// Resolves once the session must end.
    #[cfg(test)]
    pub(super) async fn ended(&self) -> EndReason {
        std::future::poll_fn(|cx| self.poll_ended(cx)).await
    }

    /// Ready once the session must end; at once where that was said before. Wakes the task that asked last: a session is
    /// one task.
    pub fn poll_ended(&self, cx: &Context<'_>) -> Poll<EndReason> {
        let record = &self.record;
        // Listening comes before looking, so that nothing said in between is missed.
        record.told.register(cx.waker());
        record.end.get().map_or(Poll::Pending, |reason| Poll::Ready(*reason))
    }

    /// Notes how many octets were moved so far, to the mail store and to the client. The list shows them, and where they
    /// stay the same the session is idle.
    pub fn note_moved(&self, up: u64, down: u64) {
        self.record.bytes_up.store(up, Ordering::Relaxed);
        self.record.bytes_down.store(down, Ordering::Relaxed);
    }

    /// Notes what the client calls itself after login, once.
    pub fn set_client(&self, name: &str) {
        // Whoever says it twice is known already.
        let _ = self.record.client.set(name.into());
    }
}

impl Drop for LiveSession {
    fn drop(&mut self) {
        self.registry.deregister(&self.record);
    }
}

impl Registry {
    /// An empty registry.
    pub fn new(metrics: Arc<Metrics>) -> Arc<Self> {
        let gauge = |protocol: Protocol| {
            metrics
                .live_sessions
                .get_or_create(&ProtocolLabel {
                    protocol: protocol.name(),
                })
                .clone()
        };
        let (imap, smtp) = (gauge(Protocol::Imap), gauge(Protocol::Smtp));
        Arc::new(Self {
            devices: Index::new(|record| record.info.device.raw()),
            mailboxes: Index::new(|record| record.info.mailbox.raw()),
            expiring: Expiring::default(),
            next_id: AtomicU64::new(1),
            metrics,
            imap,
            smtp,
        })
    }

    /// Takes a session in; it can be ended and is listed from now on. `admit` is the way for logins.
    pub fn register(self: &Arc<Self>, info: SessionInfo) -> LiveSession {
        let record = Arc::new(Record {
            id: SessionId(self.next_id.fetch_add(1, Ordering::Relaxed)),
            info,
            client: OnceLock::new(),
            bytes_up: AtomicU64::new(0),
            bytes_down: AtomicU64::new(0),
            quiet: Quiet::default(),
            end: OnceLock::new(),
            told: AtomicWaker::new(),
        });
        self.gauge(record.info.protocol).inc();
        self.devices.insert(&record);
        self.mailboxes.insert(&record);
        self.expiring.insert(&record);
        LiveSession {
            record,
            registry: Arc::clone(self),
        }
    }

    /// Tells the sessions of a device to end; says how many had not been told before.
    pub fn end_device(&self, device: DeviceId, reason: EndReason) -> usize {
        self.end(&self.devices.of(device.raw()), reason)
    }

    /// Tells the sessions of a mailbox to end; says how many had not been told before.
    pub fn end_mailbox(&self, mailbox: MailboxId) -> usize {
        self.end(&self.mailboxes.of(mailbox.raw()), EndReason::MailboxEnded)
    }

    /// Tells one session to end; false where it is not there or was told before.
    pub fn end_session(&self, id: SessionId, reason: EndReason) -> bool {
        let found = self.devices.all().into_iter().find(|record| record.id == id);
        found.is_some_and(|record| self.end(&[record], reason) == 1)
    }

    /// Tells every session to end; says how many had not been told before.
    pub fn end_all(&self, reason: EndReason) -> usize {
        self.end(&self.devices.all(), reason)
    }

    /// All live sessions, oldest first.
    pub fn sessions(&self) -> Vec<SessionSnapshot> {
        let mut sessions: Vec<_> = self.devices.all().iter().map(|record| record.snapshot()).collect();
        sessions.sort_by_key(|session| session.id);
        sessions
    }

    /// The live sessions of one mailbox, oldest first.
    pub fn sessions_of(&self, mailbox: MailboxId) -> Vec<SessionSnapshot> {
        let records = self.mailboxes.of(mailbox.raw());
        let mut sessions: Vec<_> = records.iter().map(|record| record.snapshot()).collect();
        sessions.sort_by_key(|session| session.id);
        sessions
    }

    /// The live sessions that a device opened itself, oldest first: a test message of ours is none.
    pub fn sessions_of_device(&self, device: DeviceId) -> Vec<SessionSnapshot> {
        let records = self.devices.of(device.raw());
        let own = records.iter().filter(|record| !record.info.is_trial);
        let mut sessions: Vec<_> = own.map(|record| record.snapshot()).collect();
        sessions.sort_by_key(|session| session.id);
        sessions
    }

    /// Live sessions of one device and of one mailbox (for the per-device and per-mailbox caps).
    pub fn count(&self, device: DeviceId, mailbox: MailboxId) -> (usize, usize) {
        (self.devices.count(device.raw()), self.mailboxes.count(mailbox.raw()))
    }

    fn end(&self, records: &[Arc<Record>], reason: EndReason) -> usize {
        let ended = records.iter().filter(|record| record.tell(reason)).count();
        self.metrics.sessions_ended.inc_by(ended as u64);
        ended
    }

    fn deregister(&self, record: &Record) {
        self.devices.remove(record);
        self.mailboxes.remove(record);
        self.expiring.remove(record);
        self.gauge(record.info.protocol).dec();
    }

    const fn gauge(&self, protocol: Protocol) -> &Gauge {
        match protocol {
            Protocol::Imap => &self.imap,
            Protocol::Smtp => &self.smtp,
        }
    }
}
