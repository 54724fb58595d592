//! The change log and the audit log.

use std::time::Duration;

use super::*;
use crate::model::{DeviceState, OrgId};
use crate::store::{ChangeKind, EndReason};

pub(in crate::store) async fn changes_are_read_in_order_and_in_parts(backend: &Backend) {
    let store = &*backend.store;
    assert_eq!(store.latest_change().await.unwrap(), Seq(0));
    let mailbox = anna(store).await;
    let device = add(store, &mailbox, "iPhone", 1).await;
    let first = store
        .replace_credential(&actor(), device.id, &credential(2))
        .await
        .unwrap();
    let second = store
        .set_device_state(&actor(), &[device.id], DeviceState::Paused(START))
        .await
        .unwrap();
    let third = store.set_mailbox_suspended(&actor(), mailbox.id, true).await.unwrap();
    assert!(first < second && second < third);
    assert_eq!(store.latest_change().await.unwrap(), third);
    let seqs = async |seen, limit| -> Vec<Seq> {
        store
            .changes_after(seen, limit)
            .await
            .unwrap()
            .into_iter()
            .map(|change| change.seq)
            .collect()
    };
    assert_eq!(seqs(Seq(0), 2).await, [first, second]);
    assert_eq!(seqs(second, 2).await, [third]);
    assert_eq!(seqs(third, 2).await, []);
}

pub(in crate::store) async fn a_change_is_seen_through_another_store(backend: &Backend) {
    let (store, other) = (&*backend.store, &*backend.other);
    let mailbox = anna(store).await;
    let device = add(store, &mailbox, "iPhone", 1).await;
    let before = other.latest_change().await.unwrap();
    let seq = store
        .set_device_state(&actor(), &[device.id], DeviceState::Revoked(START))
        .await
        .unwrap();
    other.wait_for_change(Duration::from_millis(1)).await.unwrap();
    let reason = EndReason::Revoked;
    let kind = ChangeKind::DeviceEnded {
        device: device.id,
        mailbox: mailbox.id,
        reason,
    };
    assert_eq!(other.changes_after(before, 10).await.unwrap(), [Change { seq, kind }]);
    assert_eq!(other.epoch(device.id, device.mailbox).await.unwrap(), None);
}

pub(in crate::store) async fn an_own_change_ends_the_wait_at_once(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    let device = add(store, &mailbox, "iPhone", 1).await;
    let day = Duration::from_secs(86_400);
    // While waiting.
    let by = actor();
    let suspend = store.set_mailbox_suspended(&by, mailbox.id, true);
    let (waited, suspended) = tokio::join!(store.wait_for_change(day), suspend);
    waited.unwrap();
    suspended.unwrap();
    // Between two waits; a permit may be left over from above, so this one clears it.
    store.wait_for_change(Duration::from_millis(1)).await.unwrap();
    store
        .replace_credential(&actor(), device.id, &credential(2))
        .await
        .unwrap();
    store.wait_for_change(day).await.unwrap();
    assert_eq!(changes(store).await.len(), 2);
}

pub(in crate::store) async fn each_write_leaves_one_audit_row(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    let alias = store
        .create_alias(&actor(), &address("hello@example.org"), mailbox.id)
        .await
        .unwrap();
    let device = add(store, &mailbox, "iPhone", 1).await;
    let edit = crate::store::DeviceEdit {
        scopes: "imap".parse().ok(),
        ..Default::default()
    };
    store.edit_device(&actor(), device.id, &edit).await.unwrap();
    store
        .replace_credential(&actor(), device.id, &credential(2))
        .await
        .unwrap();
    store
        .set_device_state(&actor(), &[device.id], DeviceState::Revoked(START))
        .await
        .unwrap();
    store.delete_alias(&actor(), alias.id).await.unwrap();
    store.delete_mailbox(&actor(), mailbox.id).await.unwrap();
    let domain = store.domains(None).await.unwrap().remove(0);
    store.delete_domain(&actor(), domain.id).await.unwrap();
    store.delete_org(&actor(), domain.org).await.unwrap();
    store
        .append_audit(&Actor::daemon(), "daemon.start", None, "", serde_json::json!({}))
        .await
        .unwrap();

    let expected = [
        "org.create",
        "domain.create",
        "mailbox.create",
        "alias.create",
        "device.add",
        "device.edit",
        "device.replace",
        "device.revoke",
        "alias.delete",
        "mailbox.delete",
        "domain.delete",
        "org.delete",
        "daemon.start",
    ];
    assert_eq!(actions(store).await, expected);
    let rows = store
        .audit_rows(&AuditFilter {
            limit: 100,
            ..AuditFilter::default()
        })
        .await
        .unwrap();
    assert!(rows.is_sorted_by_key(|row| std::cmp::Reverse(row.number)));
    let edited = &rows[7];
    assert_eq!(
        (&edited.actor, edited.at, edited.org),
        (&actor(), START, Some(mailbox.org))
    );
    assert_eq!(edited.subject, device.id.to_string());
    let detail = serde_json::json!({
        "mailbox": "anna@example.org", "label": "iPhone", "changed": { "scopes": ["imap,smtp", "imap"] }
    });
    assert_eq!(edited.detail, detail);
    let everything = format!("{rows:?}");
    assert!(!everything.contains("argon2id"), "no hash in any row");
}

pub(in crate::store) async fn a_refused_write_leaves_no_trace(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    let before = actions(store).await;
    assert!(store.create_org(&actor(), "acme").await.is_err());
    assert!(store.create_mailbox(&actor(), &mailbox.address).await.is_err());
    assert!(
        store
            .create_device(&actor(), &new_device(&mailbox, "", 1))
            .await
            .is_err()
    );
    assert!(store.delete_org(&actor(), mailbox.org).await.is_err());
    assert_eq!(actions(store).await, before);
    assert_eq!(changes(store).await, []);
}

pub(in crate::store) async fn audit_rows_are_filtered(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    org(store, "Other", "b.example").await;
    backend.clock.advance(Duration::from_secs(60));
    let device = add(store, &mailbox, "iPhone", 1).await;
    let found = async |filter: AuditFilter| -> Vec<String> {
        let rows = store.audit_rows(&AuditFilter { limit: 100, ..filter }).await.unwrap();
        rows.into_iter().map(|row| row.action).collect()
    };
    let any = AuditFilter::default();
    let subject = |text: &str| AuditFilter {
        subject: Some(text.into()),
        ..AuditFilter::default()
    };
    assert_eq!(found(any.clone()).await.len(), 6);
    assert_eq!(
        found(AuditFilter {
            org: Some(mailbox.org),
            ..any.clone()
        })
        .await
        .len(),
        4
    );
    assert_eq!(
        found(AuditFilter {
            org: Some(OrgId::from_raw(1)),
            ..any.clone()
        })
        .await
        .len(),
        0
    );
    assert_eq!(
        found(subject("anna@example.org")).await,
        ["device.add", "mailbox.create"]
    );
    assert_eq!(found(subject(&device.id.to_string())).await, ["device.add"]);
    assert_eq!(found(subject("%")).await, [""; 0], "no pattern language");
    assert_eq!(
        found(AuditFilter {
            action: Some("org.".into()),
            ..any.clone()
        })
        .await,
        ["org.create"; 2]
    );
    let since = Some(START.plus(Duration::from_secs(60)));
    assert_eq!(found(AuditFilter { since, ..any.clone() }).await, ["device.add"]);
    let newest = store.audit_rows(&AuditFilter { limit: 1, ..any }).await.unwrap();
    assert_eq!(newest[0].action, "device.add");
}

pub(in crate::store) async fn free_text_is_stored_harmlessly(backend: &Backend) {
    let store = &*backend.store;
    let forger = Actor {
        who: "x\nroot".into(),
        origin: "\u{1b}]0;".into(),
        behalf: Some("user:\u{202e}".into()),
        user: None,
    };
    let detail = serde_json::json!({ "user": "a\r\nb", "list": ["\u{202e}"] });
    store
        .append_audit(&forger, "session.end\n", None, "'; DROP TABLE audit; --\0", detail)
        .await
        .unwrap();
    let row = store
        .audit_rows(&AuditFilter {
            limit: 1,
            ..AuditFilter::default()
        })
        .await
        .unwrap()
        .remove(0);
    assert_eq!(
        (
            row.actor.who.as_str(),
            row.actor.origin.as_str(),
            row.actor.behalf.as_deref()
        ),
        ("x\\u{a}root", "\\u{1b}]0;", Some("user:\\u{202e}"))
    );
    assert_eq!(
        (row.action.as_str(), row.subject.as_str()),
        ("session.end\\u{a}", "'; DROP TABLE audit; --\\u{0}")
    );
    assert_eq!(
        row.detail,
        serde_json::json!({ "user": "a\\u{d}\\u{a}b", "list": ["\\u{202e}"] })
    );
}

pub(in crate::store) async fn concurrent_writers_lose_nothing(backend: &Backend) {
    let mailbox = anna(&*backend.store).await;
    let add_through = |store: Arc<dyn Store>, first: u16| {
        let mailbox = mailbox.clone();
        tokio::spawn(async move {
            for tag in first..first + 25 {
                let device = add(&*store, &mailbox, &format!("device {tag}"), tag).await;
                store
                    .set_device_state(&actor(), &[device.id], DeviceState::Paused(START))
                    .await
                    .unwrap();
            }
        })
    };
    let one = add_through(Arc::clone(&backend.store), 0);
    let two = add_through(Arc::clone(&backend.other), 100);
    one.await.unwrap();
    two.await.unwrap();
    assert_eq!(login(&*backend.other, "anna@example.org").await.credentials.len(), 50);
    let seqs: Vec<_> = changes(&*backend.store)
        .await
        .into_iter()
        .map(|change| change.seq.0)
        .collect();
    assert_eq!(seqs, (1..=50).collect::<Vec<_>>());
}
