//! The live record on its way out of SQLite: what every login reads, on a reader thread and back.
//!
//! `ping` is the way to a reader thread and back with next to nothing to do there, so what the other reads take beyond it
//! is SQLite and the making of the record. One at a time each read wakes a thread and is waited for; 32 at a time
//! show what is left of that under load (the time is that of all 32).

use std::cell::LazyCell;
use std::sync::Arc;

use criterion::{Criterion, Throughput};
use futures_util::future::join_all;
use postern::clock::{Clock, Timestamp};
use postern::model::device::Use;
use postern::model::{Address, DeviceId};
use postern::peer::Protocol;
use postern::store::sqlite::{Config, SqliteStore};
use postern::store::{
    Actor, CredentialStore, DeviceFilter, DeviceUse, DirectoryStore, Hash, IMPORT_ROWS_MAX, ImportRow, NewCredential,
    Resolved,
};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::is_measured;

const DEVICES: usize = 5;

/// Reads that are under way together.
const TOGETHER: usize = 32;

/// As long as an Argon2id hash is in its PHC form.
const HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$Zm9ydHl0aHJlZWxldHRlcnNhcmV0aGlydHl0d29vY3RldHM";

pub(crate) fn bench(criterion: &mut Criterion) {
    for mailboxes in [1_000, 100_000] {
        let filled = LazyCell::new(|| Filled::new(if is_measured() { mailboxes } else { 3 }));
        let mut group = criterion.benchmark_group(format!("SQLite with {mailboxes} mailboxes"));
        group.bench_function("ping", |bencher| {
            let filled = &*filled;
            bencher.iter(|| filled.runtime.block_on(filled.store.ping()));
        });
        group.bench_function("resolve", |bencher| {
            let filled = &*filled;
            let mut addresses = filled.addresses.iter().cycle();
            bencher.iter(|| {
                let address = addresses.next().expect("there are mailboxes");
                let found = filled.runtime.block_on(filled.store.resolve_login(address));
                assert!(matches!(&found, Ok(Resolved::Mailbox(found)) if found.credentials.len() == DEVICES));
            });
        });
        group.bench_function("resolve and epoch, as a login does", |bencher| {
            let filled = &*filled;
            let mut addresses = filled.addresses.iter().cycle();
            bencher.iter(|| {
                let address = addresses.next().expect("there are mailboxes");
                filled.runtime.block_on(async {
                    let found = filled.store.resolve_login(address).await;
                    let Ok(Resolved::Mailbox(mailbox)) = found else {
                        panic!("no mailbox")
                    };
                    let device = mailbox.credentials.last().expect("there are devices").device.id;
                    let epoch = filled.store.epoch(device, mailbox.id).await;
                    assert!(matches!(epoch, Ok(Some(_))));
                });
            });
        });
        group.throughput(Throughput::Elements(TOGETHER as u64));
        group.bench_function("resolve, 32 at a time", |bencher| {
            let filled = &*filled;
            let mut addresses = filled.addresses.iter().cycle();
            bencher.iter(|| {
                let reads = addresses.by_ref().take(TOGETHER);
                let reads = reads.map(|address| filled.store.resolve_login(address));
                filled.runtime.block_on(join_all(reads))
            });
        });
        group.finish();
    }
}

/// A database with mailboxes of five used devices each.
struct Filled {
    runtime: Runtime,
    store: Arc<SqliteStore>,
    /// In no order that the database knows.
    addresses: Vec<Address>,
    _place: TempDir,
}

impl Filled {
    fn new(mailboxes: usize) -> Self {
        let place = tempfile::tempdir().expect("a folder");
        let config = Config {
            path: place.path().join("postern.db"),
            readers: 2,
            busy_timeout: std::time::Duration::from_secs(5),
        };
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime starts");
        let store = SqliteStore::create(&config, Clock::system()).expect("a database");
        let addresses: Vec<Address> = (0..mailboxes)
            .map(|number| Address::parse(&format!("user.{number}@mail.example.org")).expect("an address"))
            .collect();
        runtime.block_on(fill(&store, &addresses));
        Self {
            runtime,
            store,
            addresses: scattered(&addresses),
            _place: place,
        }
    }
}

/// A step that has no divisor in common with any number of ours visits everything once.
fn scattered(all: &[Address]) -> Vec<Address> {
    let visited = (0..all.len()).map(|index| index.wrapping_mul(7_919) % all.len());
    visited.filter_map(|index| all.get(index).cloned()).collect()
}

async fn fill(store: &SqliteStore, addresses: &[Address]) {
    let actor = Actor::cli("bench");
    let org = store.create_org(&actor, "Bench").await.expect("an organisation");
    let domain = addresses.first().expect("there are mailboxes").domain();
    store.create_domain(&actor, org.id, &domain).await.expect("a domain");
    let row = |(address, device): (&Address, usize)| ImportRow {
        address: address.clone(),
        label: format!("Anna's device {device}"),
        expires_at: None,
        credential: NewCredential {
            tag: u16::try_from(device * 1_000).ok(),
            key_id: 1,
            hash: Hash(HASH.to_owned()),
        },
    };
    let rows: Vec<ImportRow> = (0..DEVICES)
        .flat_map(|device| addresses.iter().map(move |address| (address, device)))
        .map(row)
        .collect();
    for part in rows.chunks(IMPORT_ROWS_MAX) {
        store.import(&actor, part).await.expect("an import");
    }
    let devices = store.devices(&DeviceFilter::default()).await.expect("a list");
    let devices: Vec<DeviceId> = devices.into_iter().map(|device| device.id).collect();
    let usage = Use {
        at: Timestamp(1_790_000_000_000),
        ip: "192.0.2.7".parse().expect("an address"),
        protocol: Protocol::Imap,
        client: Some("iPhone Mail 22C161".to_owned()),
    };
    let used = |device: &DeviceId| DeviceUse {
        device: *device,
        network: usage.ip.into(),
        since: usage.at,
        usage: usage.clone(),
    };
    let uses: Vec<DeviceUse> = devices.iter().map(used).collect();
    store.record_uses(&uses).await.expect("uses are written");
}
