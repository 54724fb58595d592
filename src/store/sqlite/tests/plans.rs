//! The login path touches indexes only, and each of its statements is planned once.

use rusqlite::{StatementStatus, ToSql};

use super::super::credential::{EPOCH, LOGIN, SENDERS};
use super::*;
use crate::model::Address;
use crate::store::{CredentialStore, DirectoryStore, Resolved};

#[tokio::test]
async fn the_login_path_never_scans_a_table() {
    let (_directory, config) = place();
    let store = SqliteStore::create(&config, Clock::manual(START)).unwrap();
    let plans = store.read(|conn| {
        let mut plans = Vec::new();
        for sql in [LOGIN, EPOCH, SENDERS] {
            let mut plan = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
            let values = vec![&1_i64 as &dyn ToSql; plan.parameter_count()];
            for step in plan.query_map(values.as_slice(), |row| row.get::<_, String>(3))? {
                plans.push((sql.to_owned(), step?));
            }
        }
        Ok(plans)
    });
    let plans = plans.await.unwrap();
    assert!(plans.len() > 6, "{plans:?}");
    for (sql, step) in plans {
        // A few addresses are sorted; credentials come sorted.
        let sorts = sql == SENDERS && step.starts_with("USE TEMP B-TREE");
        assert!(step.starts_with("SEARCH") || sorts, "{step}: {sql}");
        assert!(!step.contains("AUTOMATIC"), "{step}: {sql}");
    }
}

#[tokio::test]
async fn the_login_path_plans_each_statement_once() {
    let (_directory, config) = place();
    let store = SqliteStore::create(&Config { readers: 1, ..config }, Clock::manual(START)).unwrap();
    let org = store.create_org(&actor(), "Acme").await.unwrap();
    let addresses = ["anna@example.org", "bob@example.org"].map(|text| Address::parse(text).unwrap());
    store
        .create_domain(&actor(), org.id, &addresses[0].domain())
        .await
        .unwrap();
    for address in &addresses {
        store.create_mailbox(&actor(), address).await.unwrap();
    }
    for address in addresses.iter().cycle().take(10) {
        assert!(matches!(
            store.resolve_login(address).await.unwrap(),
            Resolved::Mailbox(_)
        ));
    }
    let counts = store.read(|conn| {
        let statement = conn.prepare_cached(LOGIN)?;
        Ok((
            statement.get_status(StatementStatus::Run),
            statement.get_status(StatementStatus::RePrepare),
        ))
    });
    assert_eq!(counts.await.unwrap(), (10, 0));
}
