//! Import of mailboxes with their old passwords.

use super::*;
use crate::store::{DeviceFilter, ImportRow};

fn row(text: &str, label: &str) -> ImportRow {
    let credential = NewCredential {
        tag: None,
        key_id: 1,
        hash: Hash("$2b$12$imported".into()),
    };
    ImportRow {
        address: address(text),
        label: label.into(),
        expires_at: Some(Timestamp(7)),
        credential,
    }
}

pub(in crate::store) async fn rows_become_devices_and_missing_mailboxes_are_created(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    let label = "Existing password";
    store
        .import(
            &actor(),
            &[row("anna@example.org", label), row("bob@example.org", label)],
        )
        .await
        .unwrap();

    let imported = store.devices(&DeviceFilter::default()).await.unwrap();
    assert_eq!(imported.len(), 2);
    for device in &imported {
        assert_eq!(
            (device.label.as_str(), device.imported, device.expires_at),
            (label, true, Some(Timestamp(7)))
        );
        assert_eq!(device.scopes, Scopes::ALL);
    }
    assert_eq!(imported[0].mailbox, mailbox.id);
    let bob = login(store, "bob@example.org").await;
    assert_eq!(
        (bob.credentials[0].tag, &bob.credentials[0].hash),
        (None, &Hash("$2b$12$imported".into()))
    );

    let rows = store
        .audit_rows(&AuditFilter {
            limit: 2,
            ..AuditFilter::default()
        })
        .await
        .unwrap();
    let created: Vec<_> = rows
        .iter()
        .rev()
        .map(|row| (row.action.as_str(), &row.detail["mailbox_created"]))
        .collect();
    assert_eq!(
        created,
        [("device.import", &false.into()), ("device.import", &true.into())]
    );
}

pub(in crate::store) async fn one_bad_row_leaves_nothing_behind(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    store
        .create_alias(&actor(), &address("hello@example.org"), mailbox.id)
        .await
        .unwrap();
    let before = actions(store).await;
    let good = row("bob@example.org", "old");
    let import = async |bad: ImportRow| store.import(&actor(), &[good.clone(), bad]).await;

    not_found(
        import(row("x@unknown.example", "old")).await,
        "row 2: the mail domain unknown.example is not known",
    );
    conflict(
        import(row("bob@example.org", "OLD")).await,
        "row 2: bob@example.org has a device named \"old\" already; \
         choose another name, or replace that device's password",
    );
    conflict(
        import(row("hello@example.org", "old")).await,
        "row 2: hello@example.org is an alias of anna@example.org, which has no devices of its own",
    );
    refused(
        import(row("carl@example.org", "")).await,
        "row 2: the name of a device is empty",
    );

    assert_eq!(store.mailbox(&address("bob@example.org")).await.unwrap(), None);
    assert_eq!(store.devices(&DeviceFilter::default()).await.unwrap(), []);
    assert_eq!(actions(store).await, before);
    store.import(&actor(), &[]).await.unwrap();
}
