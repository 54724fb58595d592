//! Organisations, mail domains, mailboxes, aliases.

use super::*;
use crate::model::{AliasId, DomainId, MailDomain, MailboxId, OrgId};
use crate::store::ChangeKind;

pub(in crate::store) async fn organisations_have_unique_names(backend: &Backend) {
    let store = &*backend.store;
    let acme = store.create_org(&actor(), " Acme ").await.unwrap();
    assert_eq!((acme.name.as_str(), acme.created_at), ("Acme", START));
    let second = store.create_org(&actor(), "ACME").await;
    conflict(
        second,
        "an organisation named \"Acme\" exists already; choose another name",
    );
    refused(store.create_org(&actor(), "  ").await, "empty");
    refused(store.create_org(&actor(), "a\u{202e}b").await, "U+202E");
    let zoo = store.create_org(&actor(), "zoo").await.unwrap();
    let bar = store.create_org(&actor(), "Bar").await.unwrap();
    assert_eq!(store.orgs().await.unwrap(), [acme, bar, zoo]);
}

pub(in crate::store) async fn an_organisation_with_domains_stays(backend: &Backend) {
    let store = &*backend.store;
    let acme = org(store, "Acme", "example.org").await;
    refused(store.delete_org(&actor(), acme.id).await, "still has 1 mail domain;");
    let domain = store.domains(Some(acme.id)).await.unwrap().remove(0);
    store.delete_domain(&actor(), domain.id).await.unwrap();
    store.delete_org(&actor(), acme.id).await.unwrap();
    assert_eq!(store.orgs().await.unwrap(), []);
    not_found(
        store.delete_org(&actor(), acme.id).await,
        "there is no organisation org-",
    );
}

pub(in crate::store) async fn mail_domains_are_unique_and_stay_while_they_are_used(backend: &Backend) {
    let store = &*backend.store;
    let acme = org(store, "Acme", "example.org").await;
    let other = org(store, "Other", "b.example").await;
    let again = store.create_domain(&actor(), other.id, &domain("example.org")).await;
    conflict(again, "the mail domain example.org exists already");
    not_found(
        store
            .create_domain(&actor(), OrgId::from_raw(1), &domain("c.example"))
            .await,
        "no organisation",
    );

    let names = |domains: Vec<MailDomain>| -> Vec<String> {
        domains.into_iter().map(|domain| domain.name.to_string()).collect()
    };
    assert_eq!(names(store.domains(None).await.unwrap()), ["b.example", "example.org"]);
    for (name, is_known) in [("b.example", true), ("example.org", true), ("c.example", false)] {
        assert_eq!(store.has_domain(&domain(name)).await.unwrap(), is_known, "{name}");
    }
    assert_eq!(names(store.domains(Some(acme.id)).await.unwrap()), ["example.org"]);

    let first = store.domains(Some(acme.id)).await.unwrap().remove(0);
    let second = store
        .create_domain(&actor(), acme.id, &domain("alias.example"))
        .await
        .unwrap();
    let mailbox = store
        .create_mailbox(&actor(), &address("anna@example.org"))
        .await
        .unwrap();
    let alias = store
        .create_alias(&actor(), &address("anna@alias.example"), mailbox.id)
        .await
        .unwrap();
    refused(
        store.delete_domain(&actor(), first.id).await,
        "still has 1 mailbox(es) and 0 alias(es)",
    );
    refused(
        store.delete_domain(&actor(), second.id).await,
        "still has 0 mailbox(es) and 1 alias(es)",
    );
    store.delete_alias(&actor(), alias.id).await.unwrap();
    store.delete_domain(&actor(), second.id).await.unwrap();
    not_found(
        store.delete_domain(&actor(), DomainId::from_raw(1)).await,
        "there is no mail domain",
    );
}

pub(in crate::store) async fn mailboxes_live_in_known_domains(backend: &Backend) {
    let store = &*backend.store;
    let missing = store.create_mailbox(&actor(), &address("anna@example.org")).await;
    not_found(missing, "the mail domain example.org is not known");
    let mailbox = anna(store).await;
    assert_eq!(store.mailbox(&mailbox.address).await.unwrap(), Some(mailbox.clone()));
    assert_eq!(
        (mailbox.suspended_at, mailbox.active_devices, mailbox.created_at),
        (None, 0, START)
    );
    assert_eq!(store.mailbox(&address("nobody@example.org")).await.unwrap(), None);
}

pub(in crate::store) async fn an_address_is_a_mailbox_or_an_alias_never_both(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    let hello = address("hello@example.org");
    store.create_alias(&actor(), &hello, mailbox.id).await.unwrap();
    let taken = "hello@example.org is an alias of anna@example.org; remove the alias first, or choose another address";
    conflict(store.create_mailbox(&actor(), &hello).await, taken);
    conflict(store.create_alias(&actor(), &hello, mailbox.id).await, taken);
    let taken = "anna@example.org exists already as a mailbox; choose another address";
    conflict(store.create_mailbox(&actor(), &mailbox.address).await, taken);
    conflict(store.create_alias(&actor(), &mailbox.address, mailbox.id).await, taken);
    assert_eq!(store.mailbox(&hello).await.unwrap(), None);
    assert_eq!(store.alias(&mailbox.address).await.unwrap(), None);
}

pub(in crate::store) async fn mailboxes_are_listed_in_pages(backend: &Backend) {
    let store = &*backend.store;
    let acme = org(store, "Acme", "example.org").await;
    let other = org(store, "Other", "b.example").await;
    for text in ["c@example.org", "a@example.org", "b@example.org", "a@b.example"] {
        store.create_mailbox(&actor(), &address(text)).await.unwrap();
    }
    let listed = async |org, domain, after: Option<&str>, limit| -> Vec<String> {
        let after = after.map(address);
        let page = store.mailboxes(org, domain, after.as_ref(), limit).await.unwrap();
        page.into_iter().map(|mailbox| mailbox.address.to_string()).collect()
    };
    assert_eq!(listed(None, None, None, 2).await, ["a@b.example", "a@example.org"]);
    assert_eq!(
        listed(None, None, Some("a@example.org"), 2).await,
        ["b@example.org", "c@example.org"]
    );
    assert_eq!(
        listed(Some(acme.id), None, None, 9).await,
        ["a@example.org", "b@example.org", "c@example.org"]
    );
    let domain = store.domains(Some(other.id)).await.unwrap().remove(0).id;
    assert_eq!(listed(None, Some(domain), None, 9).await, ["a@b.example"]);
    assert_eq!(listed(Some(acme.id), Some(domain), None, 9).await, [""; 0]);
}

pub(in crate::store) async fn suspending_ends_and_resuming_does_not(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    let device = add(store, &mailbox, "iPhone", 1).await;
    let before = store.epoch(device.id, device.mailbox).await.unwrap().unwrap();

    let seq = store.set_mailbox_suspended(&actor(), mailbox.id, true).await.unwrap();
    assert_eq!(
        changes(store).await,
        [Change {
            seq,
            kind: ChangeKind::MailboxEnded { mailbox: mailbox.id }
        }]
    );
    assert_eq!(
        store.mailbox(&mailbox.address).await.unwrap().unwrap().suspended_at,
        Some(START)
    );
    assert!(login(store, "anna@example.org").await.suspended);
    assert_eq!(
        store.set_mailbox_suspended(&actor(), mailbox.id, true).await.unwrap(),
        seq
    );

    assert_eq!(
        store.set_mailbox_suspended(&actor(), mailbox.id, false).await.unwrap(),
        seq
    );
    let after = store.epoch(device.id, device.mailbox).await.unwrap().unwrap();
    assert_eq!((after.device, after.mailbox), (before.device, before.mailbox + 1));
    assert!(!login(store, "anna@example.org").await.suspended);
    assert_eq!(changes(store).await.len(), 1);
    assert_eq!(actions(store).await[4..], ["mailbox.suspend", "mailbox.resume"]);
    not_found(
        store
            .set_mailbox_suspended(&actor(), MailboxId::from_raw(1), true)
            .await,
        "there is no mailbox",
    );
}

pub(in crate::store) async fn deleting_a_mailbox_takes_devices_and_aliases_along(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    let device = add(store, &mailbox, "iPhone", 1).await;
    store
        .create_alias(&actor(), &address("hello@example.org"), mailbox.id)
        .await
        .unwrap();
    let seq = store.delete_mailbox(&actor(), mailbox.id).await.unwrap();
    assert_eq!(
        changes(store).await,
        [Change {
            seq,
            kind: ChangeKind::MailboxEnded { mailbox: mailbox.id }
        }]
    );
    assert_eq!(store.device(device.id).await.unwrap(), None);
    assert_eq!(store.epoch(device.id, device.mailbox).await.unwrap(), None);
    assert_eq!(store.aliases(None, None).await.unwrap(), []);
    assert!(matches!(
        store.resolve_login(&mailbox.address).await.unwrap(),
        Resolved::Unknown
    ));
    not_found(store.delete_mailbox(&actor(), mailbox.id).await, "there is no mailbox");

    // The same address again is another mailbox: nothing of the old one comes back.
    let again = store.create_mailbox(&actor(), &mailbox.address).await.unwrap();
    assert_ne!(again.id, mailbox.id);
    assert!(login(store, "anna@example.org").await.credentials.is_empty());
    store
        .create_mailbox(&actor(), &address("hello@example.org"))
        .await
        .unwrap();
}

pub(in crate::store) async fn aliases_belong_to_one_mailbox_of_the_same_organisation(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    let other = org(store, "Other", "b.example").await;
    let bob = store.create_mailbox(&actor(), &address("bob@b.example")).await.unwrap();
    let foreign = store
        .create_alias(&actor(), &address("anna@b.example"), mailbox.id)
        .await;
    refused(foreign, "belongs to another organisation");
    let unknown = store
        .create_alias(&actor(), &address("anna@c.example"), mailbox.id)
        .await;
    not_found(unknown, "the mail domain c.example is not known");
    not_found(
        store
            .create_alias(&actor(), &address("x@b.example"), MailboxId::from_raw(1))
            .await,
        "no mailbox",
    );

    let hello = store
        .create_alias(&actor(), &address("hello@example.org"), mailbox.id)
        .await
        .unwrap();
    let info = store
        .create_alias(&actor(), &address("info@example.org"), mailbox.id)
        .await
        .unwrap();
    let team = store
        .create_alias(&actor(), &address("team@b.example"), bob.id)
        .await
        .unwrap();
    assert_eq!((hello.target.as_str(), hello.mailbox), ("anna@example.org", mailbox.id));
    assert_eq!(store.alias(&hello.address).await.unwrap(), Some(hello.clone()));
    assert_eq!(
        store.aliases(None, None).await.unwrap(),
        [hello.clone(), info.clone(), team.clone()]
    );
    assert_eq!(
        store.aliases(Some(mailbox.id), None).await.unwrap(),
        [hello.clone(), info.clone()]
    );
    assert_eq!(store.aliases(None, Some(other.id)).await.unwrap(), [team]);
    assert_eq!(store.aliases(Some(mailbox.id), Some(other.id)).await.unwrap(), []);

    assert_eq!(store.delete_alias(&actor(), hello.id).await.unwrap(), Seq(0));
    assert_eq!(store.aliases(Some(mailbox.id), None).await.unwrap(), [info]);
    not_found(
        store.delete_alias(&actor(), AliasId::from_raw(1)).await,
        "there is no alias",
    );
}

pub(in crate::store) async fn an_upstream_secret_is_set_and_removed(backend: &Backend) {
    let store = &*backend.store;
    let mailbox = anna(store).await;
    store
        .set_upstream_secret(&actor(), mailbox.id, Some(b"sealed"))
        .await
        .unwrap();
    assert_eq!(
        login(store, "anna@example.org").await.upstream_secret.as_deref(),
        Some(&b"sealed"[..])
    );
    store.set_upstream_secret(&actor(), mailbox.id, None).await.unwrap();
    assert_eq!(login(store, "anna@example.org").await.upstream_secret, None);
    assert_eq!(
        actions(store).await[3..],
        ["mailbox.secret.set", "mailbox.secret.remove"]
    );
    not_found(
        store.set_upstream_secret(&actor(), MailboxId::from_raw(1), None).await,
        "there is no mailbox",
    );
}
