//! The outbox: one transaction with what a mail is about, bounds, and what is left of a content.

use super::super::outbox::BACKLOG;
use super::*;
use crate::model::{Address, Language, MailKind, OrgId};
use crate::store::outbox::{MAIL_SEALED_MAX, MAILS_QUEUED_MAX};
use crate::store::{DirectoryStore, MailBacklog, NewMail, OutboxStore};

const SEALED: &[u8] = b"sealed content that must not stay";

fn new_mail() -> NewMail {
    NewMail {
        kind: MailKind::PasswordReset,
        org: None,
        invitation: None,
        link: None,
        recipient: Address::parse("lucie@private.test").unwrap(),
        language: Language::English,
        sealed: SEALED.to_vec(),
        useful_until: None,
    }
}

#[tokio::test]
async fn a_mail_is_put_with_what_it_is_about_or_not_at_all() {
    let (_directory, config) = place();
    let store = SqliteStore::create(&config, Clock::manual(START)).unwrap();
    let refusal = store
        .write(|write| -> Outcome<()> {
            write.put_mail(&new_mail())?;
            Err(fault::refused("what it is about was refused".to_owned()))
        })
        .await;
    assert!(matches!(refusal, Err(Error::Refused(_))), "{refusal:?}");
    assert_eq!(store.mail_backlog().await.unwrap(), MailBacklog::default());
    store
        .write(|write| {
            let org = org::create_org(write, &actor(), "Acme")?;
            write.put_mail(&NewMail {
                org: Some(org.id),
                ..new_mail()
            })
        })
        .await
        .unwrap();
    assert_eq!(store.mail_backlog().await.unwrap().queued, 1);
    assert_eq!(store.orgs().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_sent_mail_leaves_no_octet_of_its_content_in_the_file() {
    let (directory, config) = place();
    let store = SqliteStore::create(&config, Clock::manual(START)).unwrap();
    let id = store.put_mail(&new_mail()).await.unwrap();
    let is_there = || {
        let files = std::fs::read_dir(directory.path()).unwrap();
        files
            .map(|file| std::fs::read(file.unwrap().path()).unwrap())
            .any(|octets| memchr::memmem::find(&octets, SEALED).is_some())
    };
    assert!(is_there());
    store.mail_sent(id).await.unwrap();
    // The last connection to close folds the write-ahead log into the file and removes it.
    drop(store);
    assert!(!is_there());
}

#[tokio::test]
async fn an_outbox_that_nobody_empties_is_bounded() {
    let (_directory, config) = place();
    let store = SqliteStore::create(&config, Clock::manual(START)).unwrap();
    let large = NewMail {
        sealed: vec![0; MAIL_SEALED_MAX + 1],
        ..new_mail()
    };
    let refusal = store.put_mail(&large).await;
    assert!(
        matches!(&refusal, Err(Error::Refused(text)) if text.contains("256 KiB")),
        "{refusal:?}"
    );
    let fill = "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ?1)
                INSERT INTO mail (id, kind, recipient, language, sealed, state, next_at, created_at)
                SELECT n, 'test', 'a@b.test', 'en', x'00', 'queued', 0, 0 FROM number";
    let filled = store.write(move |write| write.execute(fill, [MAILS_QUEUED_MAX]));
    assert_eq!(filled.await.unwrap(), 10_000);
    let refusal = store.put_mail(&new_mail()).await;
    assert!(
        matches!(&refusal, Err(Error::Refused(text)) if text.contains("10000 mails")),
        "{refusal:?}"
    );
}

#[tokio::test]
async fn one_organisation_leaves_room_for_others_and_what_is_told_leaves_room_for_links() {
    let (_directory, config) = place();
    let store = SqliteStore::create(&config, Clock::manual(START)).unwrap();
    let notice = |org: i64| NewMail {
        org: Some(OrgId::from_raw(org)),
        useful_until: None,
        ..new_mail()
    };
    let link = |org: i64| NewMail {
        useful_until: Some(START.plus(Duration::from_secs(60))),
        ..notice(org)
    };
    let fill = async |org: Option<i64>, first: u32, last: u32| {
        let fill = "WITH RECURSIVE number (n) AS (SELECT ?2 UNION ALL SELECT n + 1 FROM number WHERE n < ?3)
                    INSERT INTO mail (id, kind, org_id, recipient, language, sealed, state, next_at, created_at)
                    SELECT n, 'test', ?1, 'a@b.test', 'en', x'00', 'queued', 0, 0 FROM number";
        let filled = store.write(move |write| write.execute(fill, rusqlite::params![org, first, last]));
        filled.await.unwrap();
    };
    let refused = async |mail: NewMail, part: &str| {
        let refusal = store.put_mail(&mail).await;
        assert!(
            matches!(&refusal, Err(Error::Refused(text)) if text.contains(part)),
            "{part}: {refusal:?}"
        );
    };
    fill(Some(7), 1, 1500).await;
    refused(notice(7), "1500 mails of this organisation").await;
    store.put_mail(&link(7)).await.unwrap();
    store.put_mail(&notice(8)).await.unwrap();
    fill(Some(7), 1501, 1999).await;
    refused(link(7), "2000 mails of this organisation").await;
    fill(None, 2000, 7500).await;
    refused(notice(8), "7502 mails wait").await;
    store.put_mail(&link(8)).await.unwrap();
}

#[tokio::test]
async fn what_the_sender_asks_again_and_again_touches_an_index_only() {
    let (_directory, config) = place();
    let store = SqliteStore::create(&config, Clock::manual(START)).unwrap();
    let plan = store.read(|conn| {
        let sql = format!("EXPLAIN QUERY PLAN {BACKLOG}");
        Ok(conn.query_row(&sql, [], |row| row.get::<_, String>(3))?)
    });
    let plan = plan.await.unwrap();
    assert!(plan.contains("COVERING INDEX mail_due"), "{plan}");
}
