//! What waits to be told of devices becomes mails.

use std::net::IpAddr;

use super::*;
use crate::model::device::Use;
use crate::model::{Device, DeviceKind, Mailbox, Networks, NoticeKind, NoticesOff, Org, Scopes, SenderRule, User};
use crate::peer::{NetworkPrefixes, Protocol};
use crate::store::{
    Actor, CredentialStore, DeviceUse, DirectoryStore, FirstOrg, GrantTerms, Hash, NewCredential, NewDevice, NewUser,
    NoticeBy, NoticeStore, PeopleStore,
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
    bench: Bench,
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
            bench,
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

    /// A connection of its own to the database.
    fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.bench.directory.path().join("postern.db")).unwrap()
    }

    /// Somebody with this right on the mailbox.
    async fn with_access(&self, local: &str, rights: &str) -> User {
        let machine = Actor::cli("root");
        let new = NewUser {
            address: address(&format!("{local}@private.test")),
            name: local.to_owned(),
            language: Language::English,
            password: None,
        };
        let user = self.store.create_user(&machine, &new).await.unwrap();
        let (org, mailbox) = (self.org.id, self.contact.id);
        self.store
            .add_member(&machine, org, user.id, Role::Member)
            .await
            .unwrap();
        let terms = GrantTerms {
            rights: rights.parse().unwrap(),
            ends_at: None,
        };
        let given = self.store.give_grant(&machine, org, mailbox, user.id, &terms);
        given.await.unwrap();
        user
    }

    /// What was put for whom, and is not looked at yet.
    async fn put(&self) -> Vec<(String, Content)> {
        let due = self.store.take_due_mails(Duration::from_secs(1), 5000).await.unwrap();
        let mut put = Vec::new();
        for mail in due {
            let content = Content::open(mail.kind, &mail.recipient, &mail.sealed, &self.keys);
            put.push((mail.recipient.to_string(), content.unwrap()));
            self.store.mail_sent(mail.id).await.unwrap();
        }
        put.sort_by(|(one, _), (other, _)| one.cmp(other));
        put
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
    for name in ["Anna", "Ben"] {
        let by = NoticeBy {
            user: office.owner.id,
            name: name.to_owned(),
        };
        office.store.take_notice(phone.id, &by).await.unwrap();
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

#[tokio::test]
async fn a_held_password_is_told_to_those_with_access_without_what_they_may_not_see() {
    let office = Office::open(config(Some(clear_server(25)))).await;
    office.with_access("marc", "add-own-devices").await;
    let phone = office.device("Phone", 1).await;
    let by = NoticeBy {
        user: office.owner.id,
        name: "Lucie".to_owned(),
    };
    for from in ["192.0.2.1", "198.51.100.1"] {
        office.sign_in(&phone, from).await;
    }
    office.store.hold_notice(phone.id, &by).await.unwrap();
    office.notices.tell_due().await.unwrap();
    let put = office.put().await;
    let [(lucie, Content::DeviceDigest(all)), (marc, Content::DeviceAdded(added))] = &put[..] else {
        panic!("{put:?}")
    };
    assert_eq!((lucie.as_str(), marc.as_str()), (LUCIE, "marc@private.test"));
    assert_eq!((all.happened.len(), all.page_of), (2, None));
    assert_eq!((added.by.as_str(), added.mailbox), ("Lucie", office.contact.id));

    // Several of them are one mail, with a link to where he may go.
    for _ in 0..2 {
        office.store.hold_notice(phone.id, &by).await.unwrap();
    }
    office.clock.advance(HOUR);
    office.notices.tell_due().await.unwrap();
    let put = office.put().await;
    let to_marc = put.iter().find(|(to, _)| to == "marc@private.test");
    let Some((_, Content::DeviceDigest(digest))) = to_marc else {
        panic!("{put:?}")
    };
    assert_eq!((digest.happened.len(), digest.page_of), (2, Some(office.contact.id)));
}

/// A second organisation with a mailbox whose device is Lucie's to hear of.
const OTHER_ORG: &str = "
    INSERT INTO org VALUES (77, 'Other', 'other', 0);
    INSERT INTO mail_domain VALUES (77, 77, 'other.test', 0);
    INSERT INTO mailbox (id, domain_id, org_id, address, created_at) VALUES (77, 77, 77, 'anna@other.test', 0);
    INSERT INTO membership (org_id, user_id, role, since, name_key)
        SELECT 77, user_id, role, since, name_key FROM membership;
    INSERT INTO device (id, mailbox_id, org_id, label, label_key, scopes, networks, senders, imported, created_at, kind)
        VALUES (7, 77, 77, 'Phone', 'phone', 'imap', '', 'mailbox', 0, $START, 'other');";

#[tokio::test]
async fn an_organisation_whose_mails_have_no_room_keeps_no_other_waiting() {
    let office = Office::open(config(Some(clear_server(25)))).await;
    let database = office.database();
    // More devices than one reading takes, all longer unused than that of the other organisation.
    let many = format!(
        "WITH RECURSIVE n (n) AS (VALUES (1000) UNION ALL SELECT n + 1 FROM n LIMIT 700)
         INSERT INTO device (id, mailbox_id, org_id, label, label_key, scopes, networks, senders, imported, created_at, kind)
         SELECT n, {}, {}, n, n, 'imap', '', 'mailbox', 0, 0, 'other' FROM n;",
        office.contact.id.raw(),
        office.org.id.raw()
    );
    database.execute_batch(&many).unwrap();
    database
        .execute_batch(&OTHER_ORG.replace("$START", &START.0.to_string()))
        .unwrap();
    let full = format!(
        "WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n LIMIT 1500)
         INSERT INTO mail (id, kind, org_id, recipient, language, sealed, state, next_at, created_at)
         SELECT n, 'test', {}, 'x@acme.test', 'en', x'00', 'queued', 9000000000000, 0 FROM n",
        office.org.id.raw()
    );
    database.execute_batch(&full).unwrap();
    office.clock.advance(DAY * 91);
    office.notices.tell_unused().await.unwrap();
    let put = office.put().await;
    let [(to, Content::DeviceUnused(unused))] = &put[..] else {
        panic!("{put:?}")
    };
    assert_eq!((to.as_str(), unused.devices.len()), (LUCIE, 1));
    assert_eq!(unused.devices[0].mailbox.as_str(), "anna@other.test");
    // When there is room again, the next rounds tell of those, too.
    database.execute_batch("DELETE FROM mail").unwrap();
    let mut told = 0;
    for _ in 0..3 {
        office.notices.tell_unused().await.unwrap();
        for (_, content) in office.put().await {
            let Content::DeviceUnused(unused) = content else {
                panic!("{content:?}")
            };
            told += unused.devices.len() + unused.more as usize;
        }
        database.execute_batch("DELETE FROM mail").unwrap();
    }
    assert_eq!(told, 700);
}

#[tokio::test]
async fn a_device_of_which_nothing_can_be_told_keeps_no_other_waiting() {
    let office = Office::open(config(Some(clear_server(25)))).await;
    let (broken, whole) = (office.device("Broken", 1).await, office.device("Whole", 2).await);
    for device in [&broken, &whole] {
        for from in ["192.0.2.1", "198.51.100.1"] {
            office.sign_in(device, from).await;
        }
        office.clock.advance(Duration::from_secs(1));
    }
    // Neither can its notices be told, nor can they be postponed.
    let trigger = format!(
        "CREATE TRIGGER broken BEFORE UPDATE ON device_notice WHEN new.device_id = {}
         BEGIN SELECT RAISE(ABORT, 'broken by the test'); END",
        broken.id.raw()
    );
    let database = office.database();
    database.execute_batch(&trigger).unwrap();
    assert!(office.notices.tell_due().await.is_err());
    let labels = |put: Vec<(String, Content)>| {
        let labels = put.into_iter().map(|(_, content)| match content {
            Content::DeviceNetwork(network) => network.label,
            other => panic!("{other:?}"),
        });
        labels.collect::<Vec<_>>()
    };
    assert_eq!(labels(office.put().await), ["Whole"]);
    database.execute_batch("DROP TRIGGER broken").unwrap();
    office.notices.tell_due().await.unwrap();
    let put = labels(office.put().await);
    assert!(put.contains(&"Broken".to_owned()), "{put:?}");
}
