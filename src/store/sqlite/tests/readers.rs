//! What people ask at the Manager, and mail logins: neither waits for the other.

use std::sync::{Mutex, mpsc};

use tokio::sync::oneshot;

use super::*;
use crate::model::Address;
use crate::store::{ChangeStore as _, CredentialStore as _, DirectoryStore as _, Resolved, Seq};

#[tokio::test]
async fn mail_logins_go_on_while_every_other_reader_is_stuck_and_their_queue_is_full() {
    let (_directory, config) = place();
    let store = SqliteStore::create(&config, Clock::manual(START)).unwrap();
    let org = store.create_org(&actor(), "Acme").await.unwrap();
    let anna = Address::parse("anna@example.org").unwrap();
    store.create_domain(&actor(), org.id, &anna.domain()).await.unwrap();
    store.create_mailbox(&actor(), &anna).await.unwrap();
    let mut releases = Vec::new();
    let mut stuck = Vec::new();
    for _ in 0..OTHER_READERS {
        let (release, blocked) = mpsc::channel::<()>();
        let (began, begun) = oneshot::channel();
        let blocked = Mutex::new(blocked);
        let reader = Arc::clone(&store);
        stuck.push(tokio::spawn(async move {
            reader
                .read(move |_| {
                    let _ = began.send(());
                    let _ = blocked.lock().unwrap().recv();
                    Ok(())
                })
                .await
        }));
        begun.await.unwrap();
        releases.push(release);
    }
    let mut waiting: Vec<_> = (0..QUEUED_MAX).map(|_| Box::pin(store.orgs())).collect();
    for list in &mut waiting {
        assert!(futures_util::poll!(list.as_mut()).is_pending());
    }
    let full = store.orgs().await.unwrap_err();
    assert!(reason(full).contains("try again"));
    // None of these would come back if it stood behind the others.
    assert!(matches!(
        store.resolve_login(&anna).await.unwrap(),
        Resolved::Mailbox(_)
    ));
    assert!(store.changes_after(Seq(0), 9).await.unwrap().is_empty());
    store.ping().await.unwrap();
    drop(releases);
    for reader in stuck {
        reader.await.unwrap().unwrap();
    }
    for list in waiting {
        assert_eq!(list.await.unwrap().len(), 1);
    }
}
