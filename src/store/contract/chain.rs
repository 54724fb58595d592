//! The chain of audit rows, and the pages of the log.

use std::time::Duration;

use super::*;
use crate::audit::chain::{Head, Outcome, Walk};
use crate::store::audit::AUDIT_SEARCHED_MAX;

const MINUTE: Duration = Duration::from_secs(60);

/// A walk in portions of `limit` rows.
async fn walked(store: &dyn Store, known: Option<Head>, limit: u32) -> Outcome {
    let mut walk = Walk::new(known);
    loop {
        walk = store.verify_audit(walk, limit).await.unwrap();
        if let Some(outcome) = walk.outcome() {
            return outcome;
        }
    }
}

pub(in crate::store) async fn the_chain_of_all_rows_fits_and_has_a_head(backend: &Backend) {
    let store = &*backend.store;
    let empty = walked(store, None, 1).await;
    assert_eq!((empty.chained, empty.head, empty.broken), (0, None, None));
    world(store).await;
    let first = walked(store, None, 100).await;
    assert_eq!((first.chained, first.before_chain, first.broken), (13, 0, None));
    let head = first.head.unwrap();
    assert_eq!(head.number, 13);
    for limit in [1, 2, 12, 13, 14] {
        assert_eq!(walked(store, Some(head), limit).await, first, "{limit}");
    }
    // Rows of both processes stand in one chain, and a refused write leaves no gap.
    let write = |store: &Arc<dyn Store>, name: &'static str| {
        let store = Arc::clone(store);
        tokio::spawn(async move {
            for number in 0..20 {
                let made = store.create_org(&actor(), &format!("{name} {number}")).await.unwrap();
                assert!(store.create_org(&actor(), &made.name).await.is_err());
            }
        })
    };
    let (one, two) = (write(&backend.store, "one"), write(&backend.other, "two"));
    one.await.unwrap();
    two.await.unwrap();
    let second = walked(store, Some(head), 7).await;
    assert_eq!((second.chained, second.broken), (53, None));
}

/// The labels of devices, or the actions, of a page, and where the next one begins.
async fn told(store: &dyn Store, filter: &AuditFilter) -> (Vec<String>, Option<i64>) {
    let page = store.audit_page(filter).await.unwrap();
    let told = page.rows.iter().map(|row| {
        let label = row.detail.get("label").and_then(serde_json::Value::as_str);
        label.unwrap_or(&row.action).to_owned()
    });
    (told.collect(), page.next)
}

/// A minute later Sophie adds devices to info@, and a script of Lucie's one to sales@.
async fn busy(backend: &Backend) -> (World, Actor, Actor) {
    let store = &*backend.store;
    let world = world(store).await;
    backend.clock.advance(MINUTE);
    let sophie = Actor::user(&world.sophie.address, "192.0.2.7");
    let script = Actor::token("Script", &world.lucie.address, "192.0.2.8");
    for (by, mailbox, label, tag) in [
        (&sophie, &world.info, "one", 1),
        (&script, &world.sales, "two", 1),
        (&sophie, &world.info, "three", 2),
    ] {
        store.create_device(by, &new_device(mailbox, label, tag)).await.unwrap();
    }
    (world, sophie, script)
}

pub(in crate::store) async fn the_log_is_read_in_pages(backend: &Backend) {
    let store = &*backend.store;
    let (world, sophie, _) = busy(backend).await;
    let page = async |filter: AuditFilter| told(store, &filter).await;
    let any = AuditFilter {
        org: Some(world.acme),
        limit: 2,
        ..AuditFilter::default()
    };
    let (first, next) = page(any.clone()).await;
    assert_eq!(first, ["three", "two"]);
    let (second, _) = page(AuditFilter {
        before: next,
        ..any.clone()
    })
    .await;
    assert_eq!(second, ["one", "member.add"]);
    let all = AuditFilter { limit: 99, ..any };
    assert_eq!(page(all.clone()).await.0.len(), 9);
    assert_eq!(page(all.clone()).await.1, None);
    let who = |who: &Actor| AuditFilter {
        who: Some(who.who.clone()),
        ..all.clone()
    };
    assert_eq!(page(who(&sophie)).await.0, ["three", "one"]);
    let everywhere = AuditFilter {
        org: None,
        ..who(&actor())
    };
    assert_eq!(page(everywhere).await.0.len(), 13);
    let mailbox = |mailbox: &Mailbox| AuditFilter {
        mailbox: Some(mailbox.id),
        ..all.clone()
    };
    assert_eq!(page(mailbox(&world.info)).await.0, ["three", "one", "mailbox.create"]);
    assert_eq!(
        page(mailbox(&world.foreign)).await.0,
        [""; 0],
        "it is another organisation's"
    );
    let since = AuditFilter {
        since: Some(START.plus(MINUTE)),
        ..all.clone()
    };
    assert_eq!(page(since).await.0, ["three", "two", "one"]);
    let until = AuditFilter {
        until: Some(START.plus(MINUTE)),
        action: Some("mailbox.".into()),
        ..all.clone()
    };
    assert_eq!(page(until).await.0, ["mailbox.create"; 2]);
    let subject = AuditFilter {
        subject: Some("sales@example.org".into()),
        ..all.clone()
    };
    assert_eq!(page(subject).await.0, ["two", "mailbox.create"]);
}

pub(in crate::store) async fn a_row_says_on_whose_behalf_and_has_a_place_of_its_own(backend: &Backend) {
    let store = &*backend.store;
    let (world, _, script) = busy(backend).await;
    let filter = AuditFilter {
        mailbox: Some(world.sales.id),
        limit: 1,
        ..AuditFilter::default()
    };
    let row = store.audit_page(&filter).await.unwrap().rows.remove(0);
    assert_eq!(row.actor, script);
    assert_eq!(row.actor.behalf.as_deref(), Some("user:lucie@private.example"));
    assert_eq!((row.org, row.mailbox), (Some(world.acme), Some(world.sales.id)));
    let link = async |org| store.audit_row(org, row.number).await.unwrap();
    assert_eq!(link(None).await.as_ref(), Some(&row));
    assert_eq!(link(Some(world.acme)).await, Some(row.clone()));
    assert_eq!(link(Some(world.other)).await, None);
    assert_eq!(store.audit_row(None, 999).await.unwrap(), None);
}

pub(in crate::store) async fn a_page_looks_at_a_bounded_number_of_rows(backend: &Backend) {
    let store = &*backend.store;
    let world = world(store).await;
    // In few writes: an import makes a row for each.
    let rows: Vec<_> = (0..AUDIT_SEARCHED_MAX + 10)
        .map(|number| crate::store::ImportRow {
            address: address(&format!("box{}@example.org", number % 200)),
            label: format!("old {number}"),
            expires_at: None,
            credential: NewCredential {
                tag: None,
                ..credential(0)
            },
        })
        .collect();
    store.import(&actor(), &rows).await.unwrap();
    let filter = AuditFilter {
        org: Some(world.acme),
        action: Some("member.add".into()),
        limit: 9,
        ..AuditFilter::default()
    };
    let first = store.audit_page(&filter).await.unwrap();
    assert_eq!(first.rows, [], "none of the newest rows");
    let second = AuditFilter {
        before: first.next,
        ..filter
    };
    let second = store.audit_page(&second).await.unwrap();
    assert_eq!((second.rows.len(), second.next), (2, None));
}
