//! The login path touches indexes only, and each of its statements is planned once; a list of one organisation never reads
//! another one's rows.

use rusqlite::types::Value;
use rusqlite::{StatementStatus, ToSql, params_from_iter};

use super::super::credential::{EPOCH, EPOCH_AND_USER, LOGIN, SENDERS, SENDERS_GRANTED};
use super::super::person::SIGN_INS;
use super::super::query::Query;
use super::super::{audit, invitation, member, page, search};
use super::*;
use crate::clock::Timestamp;
use crate::model::{Address, DeviceKind, DomainId, MailboxId, OrgId, Role, UserId};
use crate::store::{
    AuditFilter, CredentialStore, DeviceOwner, DeviceQuery, DeviceStatus, DirectoryStore, InvitationQuery,
    MailboxQuery, MemberQuery, Resolved,
};

#[tokio::test]
async fn the_login_path_never_scans_a_table() {
    let (_directory, config) = place();
    let store = SqliteStore::create(&config, Clock::manual(START)).unwrap();
    let plans = store.read(|conn| {
        let mut plans = Vec::new();
        let sign_ins = format!("SELECT 1 {SIGN_INS}");
        for sql in [LOGIN, EPOCH, EPOCH_AND_USER, SENDERS, SENDERS_GRANTED, &sign_ins] {
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
        let sorts = (sql == SENDERS || sql == SENDERS_GRANTED) && step.starts_with("USE TEMP B-TREE");
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
    let counts = store.read_for_login(|conn| {
        let statement = conn.prepare_cached(LOGIN)?;
        Ok((
            statement.get_status(StatementStatus::Run),
            statement.get_status(StatementStatus::RePrepare),
        ))
    });
    assert_eq!(counts.await.unwrap(), (10, 0));
}

/// The organisation whose lists are looked at.
const OURS: OrgId = OrgId::from_raw(1);
const NOW: Timestamp = Timestamp(1_800_000_000_000);

type Named = Vec<(String, Query)>;

/// Every form of every list, by name.
fn lists() -> Named {
    let parts = [device_lists(), mailbox_lists(), people_lists(), log_lists(), searches()];
    parts.into_iter().flatten().collect()
}

fn device_lists() -> Named {
    let mut lists = Vec::new();
    for status in [
        DeviceStatus::Live,
        DeviceStatus::All,
        DeviceStatus::Recent(NOW),
        DeviceStatus::Knocking,
        DeviceStatus::NeverUsed,
        DeviceStatus::UnusedSince(NOW),
        DeviceStatus::Paused,
        DeviceStatus::Revoked,
        DeviceStatus::EndingBefore(NOW),
    ] {
        for (name, filter) in device_filters() {
            let query = DeviceQuery { status, ..filter };
            let query = page::device_query(OURS, &query, NOW).unwrap();
            lists.push((format!("{name} {status:?}"), query));
        }
    }
    lists
}

fn mailbox_lists() -> Named {
    let mut lists = Vec::new();
    let mailboxes = MailboxQuery {
        limit: 50,
        ..MailboxQuery::default()
    };
    for query in [
        MailboxQuery {
            suspended: Some(true),
            ..mailboxes.clone()
        },
        MailboxQuery {
            unreachable: true,
            ..mailboxes.clone()
        },
        MailboxQuery {
            text: Some("zzz".into()),
            ..mailboxes.clone()
        },
        MailboxQuery {
            domain: Some(DomainId::from_raw(2)),
            ..mailboxes.clone()
        },
        MailboxQuery {
            after: Address::parse("name1@a.example").ok(),
            ..mailboxes.clone()
        },
        mailboxes,
    ] {
        lists.push((format!("mailboxes {query:?}"), page::mailbox_query(OURS, &query, NOW)));
    }
    lists
}

fn people_lists() -> Named {
    let mut lists = Vec::new();
    let members = MemberQuery {
        limit: 50,
        ..MemberQuery::default()
    };
    for query in [
        MemberQuery {
            text: Some("zzz".into()),
            ..members.clone()
        },
        MemberQuery {
            role: Some(Role::Auditor),
            ..members.clone()
        },
        MemberQuery {
            after: "name1/usr-0000000000001".parse().ok(),
            ..members.clone()
        },
        members,
    ] {
        lists.push((format!("members {query:?}"), member::members_query(OURS, &query)));
    }
    for open in [true, false] {
        let query = InvitationQuery {
            open,
            before: None,
            limit: 50,
        };
        lists.push((
            format!("invitations {query:?}"),
            invitation::invitations_query(OURS, &query, NOW),
        ));
    }
    lists
}

fn log_lists() -> Named {
    let mut lists = Vec::new();
    let log = AuditFilter {
        org: Some(OURS),
        limit: 50,
        ..AuditFilter::default()
    };
    for filter in [
        AuditFilter {
            who: Some("daemon".into()),
            ..log.clone()
        },
        AuditFilter {
            mailbox: Some(MailboxId::from_raw(1)),
            who: Some("daemon".into()),
            ..log.clone()
        },
        AuditFilter {
            subject: Some("zzz".into()),
            action: Some("zzz".into()),
            ..log.clone()
        },
        AuditFilter {
            org: None,
            user: Some(UserId::from_raw(1)),
            ..log.clone()
        },
        log,
    ] {
        lists.push((format!("log {filter:?}"), audit::page_query(&filter, None)));
    }
    lists
}

fn searches() -> Named {
    let mut lists = Vec::new();
    let values = |count| {
        let all = [
            Value::from(1),
            Value::from("zzz".to_owned()),
            Value::from("zzzz".to_owned()),
            Value::from(50),
        ];
        all.into_iter().take(count).collect::<Vec<_>>()
    };
    for sql in search::SEARCHES {
        let query = Query {
            sql: sql.to_owned(),
            values: values(4),
        };
        lists.push((format!("search {sql}"), query));
    }
    for sql in search::overviews() {
        let count = if sql.contains("?2") { 2 } else { 1 };
        lists.push((
            format!("overview {sql}"),
            Query {
                values: values(count),
                sql,
            },
        ));
    }
    lists
}

fn device_filters() -> Vec<(&'static str, DeviceQuery)> {
    let any = DeviceQuery {
        limit: 50,
        ..DeviceQuery::default()
    };
    let owner = |owner| DeviceQuery {
        owner: Some(owner),
        ..any.clone()
    };
    let user = DeviceOwner::User(UserId::from_raw(1));
    vec![
        ("devices", any.clone()),
        (
            "devices after",
            DeviceQuery {
                after: "7/dev-0000000000001".parse().ok(),
                ..any.clone()
            },
        ),
        (
            "devices of a kind",
            DeviceQuery {
                kind: Some(DeviceKind::App),
                ..any.clone()
            },
        ),
        (
            "devices with text",
            DeviceQuery {
                text: Some("zzz".into()),
                ..any.clone()
            },
        ),
        (
            "devices used from",
            DeviceQuery {
                last_ip: "192.0.2.1".parse().ok(),
                ..any.clone()
            },
        ),
        ("devices of nobody", owner(DeviceOwner::Nobody)),
        ("few devices of a person", owner(user)),
        (
            "few devices of a mailbox",
            DeviceQuery {
                mailbox: Some(MailboxId::from_raw(1)),
                ..any.clone()
            },
        ),
    ]
}

#[tokio::test]
async fn a_list_is_read_in_its_order_from_an_index_of_its_organisation() {
    let (_directory, config) = place();
    let store = SqliteStore::create(&config, Clock::manual(START)).unwrap();
    let plans = store.read(|conn| {
        let mut plans = Vec::new();
        for (name, query) in lists() {
            let mut plan = conn.prepare(&format!("EXPLAIN QUERY PLAN {}", query.sql))?;
            let steps = plan.query_map(params_from_iter(&query.values), |row| row.get::<_, String>(3))?;
            plans.push((name, steps.collect::<Result<Vec<_>, _>>()?));
        }
        Ok(plans)
    });
    for (name, steps) in plans.await.unwrap() {
        let few = ["few ", "search ", "mailboxes "]
            .iter()
            .any(|kind| name.starts_with(kind));
        let searches: Vec<_> = steps.iter().filter(|step| step.starts_with("SEARCH")).collect();
        let bounded = [
            "(org_id=?",
            "org_id=? AND",
            "(mailbox_id=?",
            "(user_id=?",
            "USING INTEGER PRIMARY KEY (rowid=?)",
        ];
        assert!(bounded.iter().any(|by| searches[0].contains(by)), "{name}: {steps:?}");
        for (few, by) in [
            ("few devices of a person", &["device_user"][..]),
            ("few devices of a mailbox", &["(mailbox_id=?", "(rowid=?)"]),
        ] {
            let found = by.iter().any(|by| searches[0].contains(by));
            assert!(!name.starts_with(few) || found, "{name}: {steps:?}");
        }
        // What is on the page is found without reading records; only then are they read, and those few sorted again.
        let found_first = steps.iter().any(|step| step == "SCAN f");
        let by_name = ["devices of a kind ", "devices with text ", "devices after "];
        let by_column = ["NeverUsed", "UnusedSince", "Paused", "Revoked", "EndingBefore"];
        let starts = by_name.iter().any(|kind| name.starts_with(kind));
        if starts && by_column.iter().any(|status| name.contains(status)) {
            assert!(
                found_first && searches[0].contains("COVERING INDEX"),
                "{name}: {steps:?}"
            );
        }
        for step in &steps {
            let subquery = step == "SCAN f"
                || step.contains("SUBQUERY")
                || step.starts_with("CO-ROUTINE f")
                || step.starts_with("MATERIALIZE f")
                || step == "CREATE BLOOM FILTER"
                || step == "SCAN CONSTANT ROW";
            let sorts = step.starts_with("USE TEMP B-TREE");
            assert!(
                step.starts_with("SEARCH") || subquery || ((few || found_first) && sorts),
                "{name}: {steps:?}"
            );
            assert!(!step.contains("AUTOMATIC"), "{name}: {steps:?}");
        }
    }
}

/// Gives the organisation with the raw id `org`, and domain of the same number, so many mailboxes with three devices each.
fn fill(config: &Config, org: i64, count: i64) {
    let first = org * 1_000_000;
    let sql = format!(
        "WITH RECURSIVE n (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM n WHERE n < {first} + {count} - 1)
         INSERT INTO mailbox (id, domain_id, org_id, address, created_at)
             SELECT n, {org}, {org}, 'name' || n || '@d{org}.example', 0 FROM n;
         INSERT INTO address (address, domain_id, mailbox_id, alias_id, created_at)
             SELECT address, domain_id, id, NULL, 0 FROM mailbox WHERE org_id = {org}
             UNION ALL SELECT 'alias.' || address, domain_id, id, id, 0 FROM mailbox WHERE org_id = {org};
         INSERT INTO device (id, mailbox_id, org_id, label, label_key, scopes, networks, senders, imported, created_at)
             SELECT m.id * 3 + k.k, m.id, {org}, 'Device ' || k.k, 'device ' || k.k, 'imap', '', 'mailbox', 0, 0
             FROM mailbox m, (SELECT 0 AS k UNION ALL SELECT 1 UNION ALL SELECT 2) k WHERE m.org_id = {org};
         UPDATE device SET revoked_at = 1 WHERE org_id = {org} AND id % 3 = 0;
         UPDATE device SET paused_at = 1, expires_at = 1, last_day = 1 WHERE org_id = {org} AND id % 3 = 1;
         INSERT INTO audit (at, who, origin, action, org_id, mailbox_id, subject, detail)
             SELECT 0, 'daemon', 'local', 'mailbox.create', {org}, id, address, '{{}}' FROM mailbox
             WHERE org_id = {org};
         INSERT INTO user (id, address, name, name_key, language, created_at)
             SELECT id, 'user' || address, 'name' || id, 'name' || id, 'en', 0 FROM mailbox WHERE org_id = {org};
         INSERT INTO membership (org_id, user_id, name_key, role, since)
             SELECT {org}, id, name_key, 'member', 0 FROM user WHERE id IN (SELECT id FROM mailbox WHERE org_id = {org});
         INSERT INTO invitation (id, org_id, address, role, language, invited_by, created_at, expires_at)
             SELECT id, {org}, address, 'member', 'en', 'x', 0, 1 FROM mailbox WHERE org_id = {org};"
    );
    Connection::open(&config.path).unwrap().execute_batch(&sql).unwrap();
}

/// How many steps SQLite's machine takes for each list.
async fn steps(store: &SqliteStore) -> Vec<(String, i32)> {
    let steps = store.read(|conn| {
        let mut steps = Vec::new();
        for (name, query) in lists() {
            let mut statement = conn.prepare(&query.sql)?;
            let mut rows = statement.query(params_from_iter(&query.values))?;
            while rows.next()?.is_some() {}
            drop(rows);
            steps.push((name, statement.get_status(StatementStatus::VmStep)));
        }
        Ok(steps)
    });
    steps.await.unwrap()
}

#[tokio::test]
async fn a_list_costs_the_same_however_large_the_other_organisations_are() {
    let (_directory, config) = place();
    let store = SqliteStore::create(&config, Clock::manual(START)).unwrap();
    let orgs = "INSERT INTO org VALUES (1, 'a', 'a', 0), (2, 'b', 'b', 0);
        INSERT INTO mail_domain VALUES (1, 1, 'd1.example', 0), (2, 2, 'd2.example', 0);";
    Connection::open(&config.path).unwrap().execute_batch(orgs).unwrap();
    fill(&config, 1, 100);
    let alone = steps(&store).await;
    fill(&config, 2, 2000);
    for ((name, before), (_, after)) in alone.iter().zip(steps(&store).await) {
        // The end of a range of an index is found at the row behind it, which may be the other organisation's.
        assert!(
            *before > 0 && (before - after).abs() < 20,
            "{name}: {before} steps, then {after}"
        );
    }
}
