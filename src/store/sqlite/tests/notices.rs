//! Notices: what an upgrade makes of devices that were there before, and that no round reads devices that it need not.

use rusqlite::ToSql;

use super::super::notice::{DUE, NEVER_SET_UP, UNUSED, WAITING_OF_GIVER};
use super::*;
use crate::clock::Timestamp;
use crate::model::DeviceId;
use crate::model::device::Use;
use crate::peer::Protocol;
use crate::store::{CredentialStore, DeviceUse, NoticeStore};

const DAY: i64 = 24 * 60 * 60 * 1000;

/// A database from before notices, with a phone used today, and a copier that nobody has used for long.
const CONTENT: &str = "
    INSERT INTO org VALUES (1, 'Acme', 'acme', 0);
    INSERT INTO mail_domain VALUES (1, 1, 'example.org', 0);
    INSERT INTO mailbox (id, domain_id, org_id, address, created_at) VALUES (1, 1, 1, 'anna@example.org', 0);
    INSERT INTO device (id, mailbox_id, org_id, label, label_key, scopes, networks, senders, imported, created_at,
            first_at, first_ip, first_protocol, last_at, last_ip, last_protocol, last_day) VALUES
        (1, 1, 1, 'Phone', 'phone', 'imap,smtp', '', 'mailbox', 0, 0, 0, '198.51.100.1', 'imap', 17280000000,
            '192.0.2.7', 'imap', 200),
        (2, 1, 1, 'Copier', 'copier', 'smtp', '', 'mailbox', 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        (3, 1, 1, 'Desk', 'desk', 'imap', '', 'mailbox', 0, 9504000000, NULL, NULL, NULL, NULL, NULL, NULL, NULL);";

fn used(ip: [u8; 4], at: Timestamp) -> DeviceUse {
    let ip = std::net::IpAddr::from(ip);
    DeviceUse {
        device: DeviceId::from_raw(1),
        network: ipnet::IpNet::new(ip, 24).unwrap().trunc(),
        since: at,
        usage: Use {
            at,
            ip,
            protocol: Protocol::Imap,
            client: None,
        },
    }
}

#[tokio::test]
async fn an_upgrade_tells_nobody_of_what_was_so_before() {
    let (_directory, config) = place();
    let mut conn = Connection::open(&config.path).unwrap();
    conn.execute_batch(migrations::HISTORY).unwrap();
    let tx = conn.transaction().unwrap();
    for migration in migrations::ALL.iter().filter(|migration| migration.name() < "0008") {
        migrations::step(&tx, migration, START).unwrap();
    }
    tx.execute_batch(CONTENT).unwrap();
    tx.commit().unwrap();
    drop(conn);
    let now = Timestamp(200 * DAY);
    let clock = Clock::manual(now);
    let store = SqliteStore::open(&config, clock.clone()).unwrap();
    assert_eq!(
        store.unused_devices(9, None).await.unwrap(),
        [],
        "the copier was unused before, the desk is not yet"
    );
    // Both networks that are known of the phone are, and another one is not.
    for ip in [[198, 51, 100, 99], [192, 0, 2, 99]] {
        store.record_uses(&[used(ip, now)]).await.unwrap();
    }
    assert_eq!(store.due_notices(9).await.unwrap(), []);
    store.record_uses(&[used([203, 0, 113, 1], now)]).await.unwrap();
    assert_eq!(store.due_notices(9).await.unwrap().len(), 1);
    clock.advance(Duration::from_secs(24 * 60 * 60));
    let unused = store.unused_devices(9, None).await.unwrap();
    assert_eq!(unused.len(), 1);
    assert_eq!(unused[0].about.label, "Desk");
}

#[tokio::test]
async fn what_waits_because_of_somebody_is_found_by_an_index() {
    let (_directory, config) = place();
    let store = SqliteStore::create(&config, Clock::manual(START)).unwrap();
    let plans = store.read(|conn| {
        let mut plans = Vec::new();
        for sql in [WAITING_OF_GIVER.to_owned(), format!("SELECT {NEVER_SET_UP} {DUE}")] {
            let mut plan = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
            let values = vec![&1_i64 as &dyn ToSql; plan.parameter_count()];
            for step in plan.query_map(values.as_slice(), |row| row.get::<_, String>(3))? {
                plans.push(step?);
            }
        }
        Ok(plans)
    });
    let plans = plans.await.unwrap();
    for index in [
        "notice_giver (user_id=? AND mailbox_id=? AND while_off=?)",
        "device_link_device",
        "credential_device",
    ] {
        assert!(plans.iter().any(|step| step.contains(index)), "{index}: {plans:?}");
    }
    assert!(plans.iter().all(|step| !step.starts_with("SCAN")), "{plans:?}");
}

#[tokio::test]
async fn a_round_reads_no_device_that_it_does_not_tell_of() {
    let (_directory, config) = place();
    let store = SqliteStore::create(&config, Clock::manual(START)).unwrap();
    let plans = store.read(|conn| {
        let mut plans = Vec::new();
        for rest in [DUE, UNUSED] {
            let sql = format!("EXPLAIN QUERY PLAN SELECT d.id {rest}");
            let mut plan = conn.prepare(&sql)?;
            let values = vec![&1_i64 as &dyn ToSql; plan.parameter_count()];
            for step in plan.query_map(values.as_slice(), |row| row.get::<_, String>(3))? {
                plans.push(step?);
            }
        }
        Ok(plans)
    });
    let plans = plans.await.unwrap();
    assert!(plans.iter().any(|step| step.contains("device_notice_due")), "{plans:?}");
    assert!(plans.iter().any(|step| step.contains("device_unused")), "{plans:?}");
    for step in &plans {
        assert!(!step.starts_with("SCAN") && !step.contains("TEMP B-TREE"), "{plans:?}");
    }
}
