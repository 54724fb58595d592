//! The registry of live sessions, indexed by device and by mailbox, so that ending one device touches its sessions only.
//!
//! Both indexes are split into independently locked parts; no operation holds two locks. A session costs one shared
//! record of a few hundred octets and, while it idles, one registered waker.

use std::hash::Hash;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use hashbrown::HashMap;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::Notify;

use crate::clock::Timestamp;
use crate::metrics::{Metrics, ProtocolLabel};
use crate::model::{Address, DeviceId, MailboxId};
use crate::peer::Protocol;
use crate::store::EndReason;

/// Independently locked parts of an index.
const SHARDS: usize = 64;

/// What the list of live sessions shows.
#[derive(Debug, Clone)]
pub struct SessionInfo {
    /// The device that logged in.
    pub device: DeviceId,
    /// Its label at that time.
    pub label: String,
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
    /// What the client calls itself, as far as known.
    pub client: Option<String>,
    /// The route to its mail store.
    pub route: Arc<str>,
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
struct Record {
    id: SessionId,
    info: SessionInfo,
    /// What the client called itself later (IMAP ID after login).
    client: Mutex<Option<String>>,
    bytes_up: AtomicU64,
    bytes_down: AtomicU64,
    /// Set once: the first reason stands.
    end: OnceLock<EndReason>,
    told: Notify,
}

impl Record {
    /// True for the caller who ended it.
    fn tell(&self, reason: EndReason) -> bool {
        let first = self.end.set(reason).is_ok();
        self.told.notify_waiters();
        first
    }

    fn client(&self) -> MutexGuard<'_, Option<String>> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn snapshot(&self) -> SessionSnapshot {
        let mut info = self.info.clone();
        if let Some(client) = self.client().clone() {
            info.client = Some(client);
        }
        let (up, down) = (
            self.bytes_up.load(Ordering::Relaxed),
            self.bytes_down.load(Ordering::Relaxed),
        );
        SessionSnapshot {
            id: self.id,
            info,
            bytes_up: up,
            bytes_down: down,
        }
    }
}

type Shard<K> = Mutex<HashMap<K, Vec<Arc<Record>>>>;

/// Sessions by one of their ids.
struct Index<K>(Vec<Shard<K>>);

impl<K: Copy + Eq + Hash> Index<K> {
    fn new() -> Self {
        Self(std::iter::repeat_with(Mutex::default).take(SHARDS).collect())
    }

    /// The part in which this id's sessions are; `raw` is its number, whose lower bits are random.
    fn shard(&self, raw: i64) -> MutexGuard<'_, HashMap<K, Vec<Arc<Record>>>> {
        let place = usize::try_from(raw.unsigned_abs() % SHARDS as u64).ok();
        let shard = place
            .and_then(|place| self.0.get(place))
            .expect("the remainder is below the number of shards");
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn insert(&self, raw: i64, key: K, record: &Arc<Record>) {
        self.shard(raw).entry(key).or_default().push(Arc::clone(record));
    }

    fn remove(&self, raw: i64, key: K, id: SessionId) {
        let mut shard = self.shard(raw);
        if let Some(sessions) = shard.get_mut(&key) {
            sessions.retain(|record| record.id != id);
            if sessions.is_empty() {
                shard.remove(&key);
            }
        }
    }

    fn count(&self, raw: i64, key: K) -> usize {
        self.shard(raw).get(&key).map_or(0, Vec::len)
    }

    /// A copy, so that nobody is woken under the lock.
    fn of(&self, raw: i64, key: K) -> Vec<Arc<Record>> {
        self.shard(raw).get(&key).cloned().unwrap_or_default()
    }
}

/// All live sessions of this process.
pub struct Registry {
    devices: Index<DeviceId>,
    mailboxes: Index<MailboxId>,
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

    /// Resolves once the session must end; at once where that was said before. Cancel safe.
    pub async fn ended(&self) -> EndReason {
        // Listening comes before looking, so that nothing said in between is missed.
        let told = self.record.told.notified();
        if let Some(reason) = self.record.end.get() {
            return *reason;
        }
        told.await;
        *self.record.end.get().expect("the reason is set before anybody is told")
    }

    /// Adds to the octets that the list shows.
    pub fn add_bytes(&self, up: u64, down: u64) {
        self.record.bytes_up.fetch_add(up, Ordering::Relaxed);
        self.record.bytes_down.fetch_add(down, Ordering::Relaxed);
    }

    /// Notes what the client calls itself.
    pub fn set_client(&self, name: &str) {
        *self.record.client() = Some(name.to_owned());
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
            devices: Index::new(),
            mailboxes: Index::new(),
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
            client: Mutex::default(),
            bytes_up: AtomicU64::new(0),
            bytes_down: AtomicU64::new(0),
            end: OnceLock::new(),
            told: Notify::new(),
        });
        self.gauge(record.info.protocol).inc();
        let (device, mailbox) = (record.info.device, record.info.mailbox);
        self.devices.insert(device.raw(), device, &record);
        self.mailboxes.insert(mailbox.raw(), mailbox, &record);
        LiveSession {
            record,
            registry: Arc::clone(self),
        }
    }

    /// Tells the sessions of a device to end; says how many had not been told before.
    pub fn end_device(&self, device: DeviceId, reason: EndReason) -> usize {
        self.end(&self.devices.of(device.raw(), device), reason)
    }

    /// Tells the sessions of a mailbox to end; says how many had not been told before.
    pub fn end_mailbox(&self, mailbox: MailboxId) -> usize {
        self.end(&self.mailboxes.of(mailbox.raw(), mailbox), EndReason::MailboxEnded)
    }

    /// Tells one session to end; false where it is not there or was told before.
    pub fn end_session(&self, id: SessionId, reason: EndReason) -> bool {
        let found = self.records().into_iter().find(|record| record.id == id);
        found.is_some_and(|record| self.end(&[record], reason) == 1)
    }

    /// Tells every session to end; says how many had not been told before.
    pub fn end_all(&self, reason: EndReason) -> usize {
        self.end(&self.records(), reason)
    }

    /// All live sessions, oldest first.
    pub fn sessions(&self) -> Vec<SessionSnapshot> {
        let mut sessions: Vec<_> = self.records().iter().map(|record| record.snapshot()).collect();
        sessions.sort_by_key(|session| session.id);
        sessions
    }

    /// Live sessions of one device and of one mailbox (for the per-device and per-mailbox caps).
    pub fn count(&self, device: DeviceId, mailbox: MailboxId) -> (usize, usize) {
        (
            self.devices.count(device.raw(), device),
            self.mailboxes.count(mailbox.raw(), mailbox),
        )
    }

    fn end(&self, records: &[Arc<Record>], reason: EndReason) -> usize {
        let ended = records.iter().filter(|record| record.tell(reason)).count();
        self.metrics.sessions_ended.inc_by(ended as u64);
        ended
    }

    fn records(&self) -> Vec<Arc<Record>> {
        let of = |shard: &Shard<DeviceId>| {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.values().flatten().cloned().collect::<Vec<_>>()
        };
        self.devices.0.iter().flat_map(of).collect()
    }

    fn deregister(&self, record: &Record) {
        let (device, mailbox) = (record.info.device, record.info.mailbox);
        self.devices.remove(device.raw(), device, record.id);
        self.mailboxes.remove(mailbox.raw(), mailbox, record.id);
        self.gauge(record.info.protocol).dec();
    }

    const fn gauge(&self, protocol: Protocol) -> &Gauge {
        match protocol {
            Protocol::Imap => &self.imap,
            Protocol::Smtp => &self.smtp,
        }
    }
}
