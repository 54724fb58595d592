//! What waits to be told of devices becomes mails.

use std::net::IpAddr;

use super::*;
use crate::model::device::Use;
use crate::model::{Device, DeviceKind, Mailbox, Networks, NoticeKind, NoticesOff, Org, Scopes, SenderRule, User};
use crate::peer::{NetworkPrefixes, Protocol};
use crate::store::{
    Actor, CredentialStore, DeviceUse, DirectoryStore, FirstOrg, Hash, NewCredential, NewDevice, NewUser, NoticeStore,
    PeopleStore,
};

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// An organisation with an owner and a mailbox, over an outbox that is not asked to send.
struct Office {
    store: Arc<SqliteStore>,
    keys: Arc<Keyring>,
    clock: Clock,
    notices: Notices,
    org: Org,
    contact: Mailbox,
    /// Her language is French.
    owner: User,
    _bench: Bench,
}

impl Office {
    async fn open(config: Config) -> Self {
        let bench = Bench::new(config.clone());
        let (store, keys, clock) = (Arc::clone(&bench.store), Arc::clone(&bench.keys), bench.clock.clone());
        let mails: Arc<dyn OutboxStore> = Arc::clone(&store) as _;
        let outbox = Outbox::new(
            config,
            mails,
            Arc::clone(&keys),
            clock.clone(),
            Arc::clone(&bench.metrics),
        );
        let waiting: Arc<dyn NoticeStore> = Arc::clone(&store) as _;
        let notices = Notices::new(waiting, Arc::new(outbox.unwrap()), Arc::clone(&keys), clock.clone());
        let machine = Actor::cli("root");
        let owner = NewUser {
            address: address(LUCIE),
            name: "Lucie".to_owned(),
            language: Language::French,
            password: None,
        };
        let first = FirstOrg::New("Acme".to_owned());
        let (owner, org) = store.create_first_owner(&machine, None, &first, &owner).await.unwrap();
        let contact = address("contact@acme.test");
        store.create_domain(&machine, org.id, &contact.domain()).await.unwrap();
        let contact = store.create_mailbox(&machine, &contact).await.unwrap();
        Self {
            store,
            keys,
            clock,
            notices,
            org,
            contact,
            owner,
            _bench: bench,
        }
    }

    async fn device(&self, label: &str, tag: u16) -> Device {
        let new = NewDevice {
            mailbox: self.contact.id,
            label: label.to_owned(),
            kind: DeviceKind::Other,
            user: None,
            scopes: Scopes::ALL,
            expires_at: None,
            networks: Networks::default(),
            senders: SenderRule::Mailbox,
            credential: Some(NewCredential {
                tag: Some(tag),
                key_id: 1,
                hash: Hash(format!("$argon2id${tag}")),
            }),
            imported: false,
        };
        self.store.create_device(&Actor::cli("root"), &new).await.unwrap()
    }

    async fn sign_in(&self, device: &Device, from: &str) {
        let (ip, at): (IpAddr, _) = (from.parse().unwrap(), self.clock.utc());
        let used = DeviceUse {
            device: device.id,
            network: NetworkPrefixes::default().network_of(ip),
            since: at,
            usage: Use {
                at,
                ip,
                protocol: Protocol::Smtp,
                client: Some("Copier".to_owned()),
            },
        };
        self.store.record_uses(&[used]).await.unwrap();
    }

    /// What is told, by everything that is put and not looked at yet.
    async fn told(&self) -> Vec<Content> {
        self.notices.tell_due().await.unwrap();
        self.notices.tell_unused().await.unwrap();
        let due = self.store.take_due_mails(Duration::from_secs(1), 100).await.unwrap();
        let mut told = Vec::new();
        for mail in due {
            assert_eq!((mail.recipient.as_str(), mail.language), (LUCIE, Language::French));
            assert_eq!(mail.org, Some(self.org.id));
            told.push(Content::open(mail.kind, &mail.recipient, &mail.sealed, &self.keys).unwrap());
            self.store.mail_sent(mail.id).await.unwrap();
        }
        told
    }
}

#[tokio::test]
async fn ten_new_networks_within_an_hour_are_one_mail_and_one_digest() {
    let office = Office::open(config(Some(clear_server(25)))).await;
    let phone = office.device("Phone", 1).await;
    office.sign_in(&phone, "192.0.2.1").await;
    assert!(office.told().await.is_empty(), "the first network of all");
    office.sign_in(&phone, "198.51.100.1").await;
    let told = office.told().await;
    let [Content::DeviceNetwork(network)] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!((network.org, network.device), (office.org.id, phone.id));
    assert_eq!(
        (network.label.as_str(), network.mailbox.as_str()),
        ("Phone", "contact@acme.test")
    );
    assert_eq!((network.signed_in.protocol.as_str(), network.at), ("smtp", START));
    assert!(office.told().await.is_empty(), "once");
    for number in 2..=10 {
        office.clock.advance(Duration::from_secs(60));
        office.sign_in(&phone, &format!("198.51.100.{number}")).await;
        assert!(office.told().await.is_empty(), "{number}");
    }
    office.clock.advance(HOUR - Duration::from_secs(9 * 60 + 1));
    assert!(office.told().await.is_empty(), "a second is left");
    office.clock.advance(Duration::from_secs(1));
    let told = office.told().await;
    let [Content::DeviceDigest(digest)] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!((digest.happened.len(), digest.more), (9, 0));
    assert!(office.told().await.is_empty(), "once");
    // One thing alone is told in full.
    office.sign_in(&phone, "198.51.100.99").await;
    office.clock.advance(HOUR);
    let told = office.told().await;
    assert!(matches!(&told[..], [Content::DeviceNetwork(_)]), "{told:?}");
}

#[tokio::test]
async fn a_new_password_that_waited_is_told_as_one() {
    let office = Office::open(config(Some(clear_server(25)))).await;
    let phone = office.device("Phone", 1).await;
    for by in ["Anna", "Ben"] {
        office.store.take_notice(phone.id, by).await.unwrap();
    }
    assert!(
        office.told().await.is_empty(),
        "Anna's was told by whoever asked, and Ben's waits"
    );
    office.clock.advance(HOUR);
    let told = office.told().await;
    let [Content::DeviceAdded(added)] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!((added.by.as_str(), added.mailbox), ("Ben", office.contact.id));
}

#[tokio::test]
async fn unused_devices_are_one_mail_for_each_reader() {
    let office = Office::open(config(Some(clear_server(25)))).await;
    let mut devices = Vec::new();
    for tag in 0..23 {
        devices.push(office.device(&format!("Device {tag}"), tag).await);
    }
    office.clock.advance(DAY * 91);
    let told = office.told().await;
    let [Content::DeviceUnused(unused)] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!((unused.devices.len(), unused.more, unused.days), (20, 3, 90));
    office.clock.advance(DAY * 91);
    assert!(office.told().await.is_empty(), "each is told of once");
    office.sign_in(&devices[7], "192.0.2.1").await;
    office.clock.advance(DAY * 91);
    let told = office.told().await;
    let [Content::DeviceUnused(unused)] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!(
        (unused.devices[0].device, unused.devices.len(), unused.more),
        (devices[7].id, 1, 0)
    );
}

#[tokio::test]
async fn nobody_hears_of_what_is_switched_off_or_was_before_a_mail_server_was_there() {
    let office = Office::open(config(Some(clear_server(25)))).await;
    let off: NoticesOff = NoticeKind::ALL.into_iter().collect();
    let (none, machine) = (NoticesOff::default(), Actor::cli("root"));
    office
        .store
        .set_notices_off(&machine, office.org.id, none, off)
        .await
        .unwrap();
    let phone = office.device("Phone", 1).await;
    for from in ["192.0.2.1", "198.51.100.1"] {
        office.sign_in(&phone, from).await;
    }
    office.clock.advance(DAY * 91);
    assert!(office.told().await.is_empty());
    office
        .store
        .set_notices_off(&machine, office.org.id, off, none)
        .await
        .unwrap();
    assert!(office.told().await.is_empty());

    let silent = Office::open(config(None)).await;
    assert_eq!(silent.owner.language, Language::French);
    let phone = silent.device("Phone", 1).await;
    for from in ["192.0.2.1", "198.51.100.1"] {
        silent.sign_in(&phone, from).await;
    }
    assert!(silent.told().await.is_empty());
    assert!(silent.store.due_notices(9).await.unwrap().is_empty(), "it is forgotten");
}
