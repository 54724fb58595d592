//! What the chain tells of somebody who changes the audit log by hand.

use super::*;
use crate::audit::chain::{Break, Head, Outcome as Walked, Walk};
use crate::store::{AuditStore, DirectoryStore};

async fn walked(store: &SqliteStore, known: Option<Head>) -> Walked {
    let mut walk = Walk::new(known);
    loop {
        walk = store.verify_audit(walk, 3).await.unwrap();
        if let Some(outcome) = walk.outcome() {
            return outcome;
        }
    }
}

/// Five rows, changed by hand as `sql` says, and then one more.
async fn after(sql: &str) -> (Head, Arc<SqliteStore>, tempfile::TempDir) {
    let (directory, config) = place();
    let store = SqliteStore::create(&config, Clock::manual(START)).unwrap();
    for number in 1..=5 {
        store.create_org(&actor(), &format!("org {number}")).await.unwrap();
    }
    let head = walked(&store, None).await.head.unwrap();
    Connection::open(&config.path).unwrap().execute_batch(sql).unwrap();
    store.create_org(&actor(), "org 6").await.unwrap();
    (head, store, directory)
}

#[tokio::test]
async fn every_change_by_hand_names_the_first_row_that_does_not_fit() {
    let altered = |number| Some(Break::Altered { number });
    let missing = |number| Some(Break::Missing { number });
    for (sql, expected) in [
        ("", None),
        ("UPDATE audit SET subject = 'org 33' WHERE number = 3", altered(3)),
        ("UPDATE audit SET at = at + 1 WHERE number = 3", altered(3)),
        ("UPDATE audit SET who = 'cli:anna' WHERE number = 3", altered(3)),
        ("UPDATE audit SET behalf = 'user:x' WHERE number = 3", altered(3)),
        ("UPDATE audit SET mailbox_id = 7 WHERE number = 3", altered(3)),
        ("UPDATE audit SET org_id = NULL WHERE number = 3", altered(3)),
        ("UPDATE audit SET detail = '{\"x\":1}' WHERE number = 3", altered(3)),
        ("UPDATE audit SET hash = NULL WHERE number = 3", altered(3)),
        ("UPDATE audit SET hash = zeroblob(32) WHERE number = 3", altered(3)),
        ("DELETE FROM audit WHERE number = 3", missing(3)),
        ("DELETE FROM audit WHERE number = 1", missing(1)),
        ("UPDATE audit SET number = 30 WHERE number = 3", missing(3)),
        ("DELETE FROM audit WHERE number >= 4", missing(4)),
        ("DELETE FROM audit", missing(1)),
        (
            "UPDATE meta SET value = '2' WHERE key = 'audit.chain_after'",
            altered(1),
        ),
    ] {
        let (_, store, _directory) = after(sql).await;
        assert_eq!(walked(&store, None).await.broken, expected, "{sql}");
    }
}

#[tokio::test]
async fn rows_that_were_cut_off_and_written_anew_are_told_by_the_head() {
    let cut = "DELETE FROM audit WHERE number >= 4; UPDATE sqlite_sequence SET seq = 3 WHERE name = 'audit'";
    let (head, store, _directory) = after(cut).await;
    let whole = walked(&store, None).await;
    assert_eq!((whole.chained, whole.broken), (4, None), "the chain alone looks whole");
    assert_eq!(head.number, 5);
    assert_eq!(
        walked(&store, Some(head)).await.broken,
        Some(Break::Missing { number: 5 })
    );
    store.create_org(&actor(), "org 7").await.unwrap();
    assert_eq!(
        walked(&store, Some(head)).await.broken,
        Some(Break::Rewritten { number: 5 })
    );
}
