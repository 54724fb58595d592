//! Judging a login as a session does, `Verifier::claim` and the whole of `Verifier::verify`, over a store that answers at
//! once from memory.
//!
//! `the store's own share` is what the store of this bench takes for its answer and the drop of it (it copies a record
//! of five devices, with a dozen allocations, as a store makes a fresh one each time); the verifier takes the rest.

use std::hint::black_box;
use std::sync::Arc;

use async_trait::async_trait;
use criterion::Criterion;
use futures_util::FutureExt;
use hashbrown::HashMap;
use postern::clock::Clock;
use postern::keys::{Keyring, fill_random};
use postern::metrics::Metrics;
use postern::model::password::PlainPassword;
use postern::model::{Address, CredentialId, DeviceId, DeviceState, MailboxId, Networks, Scopes, SenderRule};
use postern::peer::{Peer, Protocol};
use postern::preauth::Credentials;
use postern::secret::Secret;
use postern::store::{
    Credential, CredentialStore, DeviceUse, Epoch, Error, Hash, Knocks, LoginDevice, LoginMailbox, Resolved,
};
use postern::throttle::{self, Throttle};
use postern::verify::{self, Reason, Verdict, Verifier, hash, tag};

/// Devices of the mailbox that logs in.
const DEVICES: i64 = 5;

const ADDRESS: &str = "anna.schmidt@mail.example.org";

pub(crate) fn bench(criterion: &mut Criterion) {
    // Hash lanes wait with the runtime's timer; nothing that is measured waits.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime starts");
    let _within = runtime.enter();
    let home = Home::new();
    let right = credentials(ADDRESS, home.passwords[2].shown().expose());
    // Once over a lane; from now on there is an entry.
    let claim = home.verifier.claim(&right);
    let first = runtime.block_on(home.verifier.verify(&claim, Protocol::Imap, &home.peer, true));
    assert!(matches!(first, Verdict::Accept(_)));

    let mut group = criterion.benchmark_group("verify");
    group.bench_function("entry hit", |bencher| {
        bencher.iter(|| match home.judge(&right) {
            Verdict::Accept(login) => login,
            _ => panic!("the right password is refused"),
        });
    });
    let wrong = credentials(ADDRESS, home.another_password().shown().expose());
    group.bench_function("rejected by tag", |bencher| {
        bencher.iter(|| home.refuse(&wrong, Reason::WrongPassword));
    });
    let unknown = credentials("nobody@mail.example.org", home.passwords[2].shown().expose());
    group.bench_function("unknown mailbox", |bencher| {
        bencher.iter(|| home.refuse(&unknown, Reason::UnknownMailbox));
    });
    group.bench_function("the store's own share", |bencher| {
        let address = Address::parse(ADDRESS).expect("an address");
        let store: &dyn CredentialStore = &*home.store;
        bencher.iter(|| {
            let answer = store.resolve_login(black_box(&address)).now_or_never();
            drop(black_box(answer));
        });
    });
    group.finish();
    parts(criterion, &home);
}

/// What stands around the verdict.
fn parts(criterion: &mut Criterion, home: &Home) {
    let mut group = criterion.benchmark_group("judge");
    group.bench_function("address of a login", |bencher| {
        bencher.iter(|| Address::from_login(black_box("Anna.Schmidt@Mail.Example.org"), None));
    });
    group.bench_function("generated password read", |bencher| {
        let shown = home.passwords[0].shown();
        bencher.iter(|| drop(black_box(PlainPassword::read(black_box(shown.expose().as_bytes())))));
    });
    let throttle = Throttle::new(throttle::Config::default());
    let (now, ip) = (Clock::system().now(), home.peer.ip());
    group.bench_function("throttle: may hash untagged", |bencher| {
        bencher.iter(|| throttle.may_hash_untagged(now, throttle.source(ip, black_box(ADDRESS))));
    });
    let mut number = 0_u64;
    group.bench_function("throttle: count a wrong secret", |bencher| {
        bencher.iter(|| {
            number += 1;
            throttle.count(now, throttle.source(ip, ADDRESS), &number.to_le_bytes())
        });
    });
    group.finish();
}

fn credentials(name: &str, password: &str) -> Credentials {
    Credentials::new(
        name.as_bytes(),
        None,
        Secret::new(password.as_bytes().to_vec()),
        "PLAIN",
    )
}

/// A verifier with one mailbox.
struct Home {
    verifier: Verifier,
    store: Arc<Memory>,
    passwords: Vec<PlainPassword>,
    peer: Peer,
    keys: Arc<Keyring>,
}

impl Home {
    fn new() -> Self {
        let place = tempfile::tempdir().expect("a folder");
        let keys = Arc::new(Keyring::create(&place.path().join("key")).expect("a key file"));
        let passwords: Vec<_> = (0..DEVICES)
            .map(|_| PlainPassword::generate(&mut fill_random))
            .collect();
        let address = Address::parse(ADDRESS).expect("an address");
        let mailbox = mailbox(&keys, &address, &passwords);
        let store = Arc::new(Memory(HashMap::from([(address, mailbox)])));
        let config = verify::Config {
            lanes: 1,
            argon2_memory_kib: 64,
            argon2_passes: 1,
            ..verify::Config::default()
        };
        let peer = Peer::new(
            "192.0.2.7:50000".parse().expect("an address"),
            "192.0.2.1:993".parse().expect("an address"),
        );
        let verifier = Verifier::new(
            config,
            Arc::clone(&keys),
            Arc::clone(&store) as Arc<dyn CredentialStore>,
            Clock::system(),
            Arc::new(Metrics::new()),
        );
        Self {
            verifier,
            store,
            passwords,
            peer,
            keys,
        }
    }

    /// A password of nobody, whose tag is that of no device.
    fn another_password(&self) -> PlainPassword {
        let tag_of = |password: &PlainPassword| tag(self.keys.current(), MAILBOX, password.canonical());
        let taken: Vec<u16> = self.passwords.iter().map(tag_of).collect();
        std::iter::repeat_with(|| PlainPassword::generate(&mut fill_random))
            .find(|password| !taken.contains(&tag_of(password)))
            .expect("most tags are free")
    }

    fn judge(&self, credentials: &Credentials) -> Verdict {
        let claim = self.verifier.claim(black_box(credentials));
        self.verifier
            .verify(&claim, Protocol::Imap, &self.peer, true)
            .now_or_never()
            .expect("nothing is hashed")
    }

    fn refuse(&self, credentials: &Credentials, reason: Reason) -> Verdict {
        let verdict = self.judge(credentials);
        assert!(matches!(&verdict, Verdict::Reject(rejection) if rejection.reason == reason));
        verdict
    }
}

const MAILBOX: MailboxId = MailboxId::from_raw(0x0123_4567_89ab_cdef);

/// A mailbox as a store has it after some weeks of use.
fn mailbox(keys: &Keyring, address: &Address, passwords: &[PlainPassword]) -> LoginMailbox {
    let params = hash::Params {
        memory_kib: 64,
        passes: 1,
    };
    let credential = |(id, password): (i64, &PlainPassword)| Credential {
        id: CredentialId::from_raw(id),
        tag: Some(tag(keys.current(), MAILBOX, password.canonical())),
        key_id: keys.current().id,
        hash: hash::hash(params, keys.current(), password.canonical()),
        retired_at: None,
        device: LoginDevice {
            id: DeviceId::from_raw(id),
            label: format!("Anna's device {id}"),
            state: DeviceState::Active,
            scopes: Scopes::ALL,
            expires_at: None,
            networks: Networks::default(),
            senders: SenderRule::Mailbox,
            epoch: 0,
        },
    };
    LoginMailbox {
        id: MAILBOX,
        address: address.clone(),
        suspended: false,
        epoch: 0,
        upstream_secret: None,
        credentials: (1..).zip(passwords).map(credential).collect(),
    }
}

/// A store that answers at once.
struct Memory(HashMap<Address, LoginMailbox>);

#[async_trait]
impl CredentialStore for Memory {
    async fn resolve_login(&self, address: &Address) -> Result<Resolved, Error> {
        let found = self.0.get(address);
        Ok(found.map_or(Resolved::Unknown, |mailbox| Resolved::Mailbox(mailbox.clone())))
    }

    async fn epoch(&self, _: DeviceId, _: MailboxId) -> Result<Option<Epoch>, Error> {
        Ok(None)
    }

    async fn sender_addresses(&self, _: MailboxId) -> Result<Vec<Address>, Error> {
        Ok(Vec::new())
    }

    async fn epoch_and_senders(
        &self,
        device: DeviceId,
        mailbox: MailboxId,
    ) -> Result<Option<(Epoch, Vec<Address>)>, Error> {
        Ok(self.epoch(device, mailbox).await?.map(|epoch| (epoch, Vec::new())))
    }

    async fn upgrade_hash(&self, _: CredentialId, _: &Hash, _: &Hash, _: u32) -> Result<(), Error> {
        Ok(())
    }

    async fn record_uses(&self, _: &[DeviceUse]) -> Result<(), Error> {
        Ok(())
    }

    async fn record_knocks(&self, _: &[Knocks]) -> Result<(), Error> {
        Ok(())
    }

    async fn ping(&self) -> Result<(), Error> {
        Ok(())
    }
}
