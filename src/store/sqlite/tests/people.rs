//! A database from before there were people becomes one with them.

use super::*;
use crate::audit::chain::Walk;
use crate::model::{Address, DeviceKind};
use crate::store::{
    AuditFilter, AuditStore, CredentialStore, DeviceQuery, DeviceStatus, DirectoryStore, MailboxQuery, PeopleStore,
    Resolved,
};

/// A database of the first schema with two organisations, three mailboxes, an alias and two devices.
const CONTENT: &str = "
    INSERT INTO org VALUES (1, 'Acme', 'acme', 0), (2, 'Other', 'other', 0);
    INSERT INTO mail_domain VALUES (1, 1, 'example.org', 0), (2, 2, 'b.example', 0);
    INSERT INTO mailbox (id, domain_id, address, created_at) VALUES
        (1, 1, 'anna@example.org', 0), (2, 1, 'bea@example.org', 0), (3, 2, 'bob@b.example', 0);
    INSERT INTO address (address, domain_id, mailbox_id, alias_id, created_at) VALUES
        ('anna@example.org', 1, 1, NULL, 0), ('bea@example.org', 1, 2, NULL, 0), ('bob@b.example', 2, 3, NULL, 0),
        ('hello@example.org', 1, 1, 9, 0);
    INSERT INTO device (id, mailbox_id, label, label_key, scopes, networks, senders, imported, created_at, last_at,
            last_ip, last_protocol) VALUES
        (1, 1, 'iPhone', 'iphone', 'imap,smtp', '', 'mailbox', 0, 0, 86400000, '192.0.2.7', 'imap'),
        (2, 3, 'CRM', 'crm', 'smtp', '', 'mailbox', 0, 0, NULL, NULL, NULL);
    INSERT INTO credential (id, device_id, mailbox_id, tag, key_id, hash, created_at) VALUES
        (1, 1, 1, 7, 1, '$argon2id$1', 0);
    INSERT INTO audit (number, at, who, origin, action, org_id, subject, detail) VALUES
        (1, 0, 'cli:root', 'local', 'mailbox.create', 1, 'anna@example.org', '{\"id\":\"mbx-1\"}'),
        (2, 0, 'cli:root', 'local', 'device.add', 1, 'dev-1', '{\"mailbox\":\"anna@example.org\"}'),
        (3, 0, 'cli:root', 'local', 'org.create', 2, 'Other', '{}');";

#[tokio::test]
async fn what_was_there_before_keeps_its_place() {
    let (_directory, config) = place();
    let mut conn = Connection::open(&config.path).unwrap();
    conn.execute_batch(migrations::HISTORY).unwrap();
    let tx = conn.transaction().unwrap();
    migrations::step(&tx, &migrations::ALL[0], START).unwrap();
    tx.execute_batch(CONTENT).unwrap();
    tx.commit().unwrap();
    drop(conn);
    assert_eq!(
        SqliteStore::pending_migrations(&config).unwrap(),
        [
            "0002_people",
            "0003_outbox",
            "0004_knocks",
            "0005_requests",
            "0006_inviter",
            "0007_set_up_links",
            "0008_notices",
            "0009_link_token",
            "0010_held_notices",
        ]
    );
    let store = SqliteStore::open(&config, Clock::manual(START)).unwrap();

    let [acme, other] = store.orgs().await.unwrap().try_into().unwrap();
    let anna = Address::parse("anna@example.org").unwrap();
    assert!(matches!(
        store.resolve_login(&anna).await.unwrap(),
        Resolved::Mailbox(mailbox) if mailbox.credentials.len() == 1
    ));
    let mailboxes = MailboxQuery {
        limit: 9,
        ..MailboxQuery::default()
    };
    let of_acme = store.mailbox_page(acme.id, &mailboxes).await.unwrap().rows;
    assert_eq!((of_acme.len(), of_acme[0].aliases), (2, 1));
    assert_eq!(store.mailbox_page(other.id, &mailboxes).await.unwrap().rows.len(), 1);
    let devices = async |org, status| {
        let query = DeviceQuery {
            status,
            limit: 9,
            ..DeviceQuery::default()
        };
        store.device_page(org, &query).await.unwrap().rows
    };
    let phone = devices(acme.id, DeviceStatus::Live).await.remove(0).device;
    assert_eq!((phone.kind, phone.user, phone.revision), (DeviceKind::Other, None, 0));
    assert_eq!(devices(acme.id, DeviceStatus::UnusedSince(START)).await.len(), 1);
    assert_eq!(devices(other.id, DeviceStatus::NeverUsed).await.len(), 1);

    let of_mailbox = AuditFilter {
        mailbox: Some(phone.mailbox),
        limit: 9,
        ..AuditFilter::default()
    };
    let rows = store.audit_page(&of_mailbox).await.unwrap().rows;
    assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), [2, 1]);
    store.create_org(&actor(), "New").await.unwrap();
    let walk = store.verify_audit(Walk::new(None), 100).await.unwrap();
    let outcome = walk.outcome().unwrap();
    assert_eq!((outcome.before_chain, outcome.chained, outcome.broken), (3, 1, None));
    assert!(!store.has_owner().await.unwrap());
}
