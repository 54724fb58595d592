//! The queries of set-up links read what they ask for, by an index of their own, and nothing of other devices.

use rusqlite::ToSql;

use super::super::device_link::{
    END, FORGET, MADE_WITH, NEVER_OPENED, SENT_BY, SENT_BY_MEMBER, WAITING_OF, followed, newest_of, waiting_by,
};
use super::super::outbox::MAILS_WITH_LINK;
use super::*;

#[tokio::test]
async fn no_query_of_links_reads_a_whole_table() {
    let (_directory, config) = place();
    let store = SqliteStore::create(&config, Clock::manual(START)).unwrap();
    let queries = [
        ("device_link_device", newest_of()),
        ("sqlite_autoindex_device_link_1", followed()),
        ("device_link_mailbox", waiting_by("mailbox_id")),
        ("device_link_org", waiting_by("org_id")),
        ("device_link_of_device", END.to_owned()),
        ("device_link_token", MADE_WITH.to_owned()),
        ("device_link_sender", SENT_BY.to_owned()),
        ("device_link_sender", SENT_BY_MEMBER.to_owned()),
        ("device_link_mailbox", format!("SELECT id {WAITING_OF}")),
        ("device_link_end", NEVER_OPENED.to_owned()),
        ("device_link_end", FORGET.to_owned()),
        (
            "mail_link",
            format!("SELECT id FROM mail WHERE {MAILS_WITH_LINK} ORDER BY id DESC LIMIT 1"),
        ),
        // What ends with a token, and whatever else a foreign key looks for.
        (
            "device_link_token",
            "SELECT id FROM device_link WHERE token_id = ?1".to_owned(),
        ),
    ];
    let plans = store.read(move |conn| {
        let mut plans = Vec::new();
        for (index, sql) in queries {
            let mut plan = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
            let values = vec![&1_i64 as &dyn ToSql; plan.parameter_count()];
            let steps = plan.query_map(values.as_slice(), |row| row.get::<_, String>(3))?;
            plans.push((index, sql.clone(), steps.collect::<Result<Vec<_>, _>>()?));
        }
        Ok(plans)
    });
    for (index, sql, steps) in plans.await.unwrap() {
        assert!(
            steps.iter().any(|step| step.contains(index)),
            "{index}: {steps:?} of {sql}"
        );
        for step in &steps {
            let is_bounded = step.starts_with("SEARCH") || step.contains("SUBQUERY");
            assert!(is_bounded && !step.contains("AUTOMATIC"), "{step} of {sql}");
        }
    }
}
