//! What became of the mail with a set-up link, on the pages of whoever sent it.

use std::time::Duration;

use super::kit::*;
use crate::directory::letter::Letter;
use crate::model::{DeviceId, DeviceLink, Language, MailKind, MailState};
use crate::store::{AfterFailure, NewMail};

/// A device that Sophie adds with a link by mail to Lucie.
async fn linked(site: &Site, sophie: &mut Browser<'_>) -> DeviceId {
    let mailbox = site.mailbox("contact").await;
    let fields = [
        ("kind", "other"),
        ("name", "Scanner"),
        ("scope", "imap"),
        ("expires", "never"),
        ("how", "mail"),
        ("to", "lucie@private.example"),
        ("language", "fr"),
    ];
    let path = site.at(&format!("mailboxes/{}/devices/new", mailbox.id));
    let made = sophie.post(&path, &fields).await;
    let place = made.location().unwrap_or_else(|| panic!("{}", made.text())).to_owned();
    place.split('/').rev().nth(1).unwrap().parse().unwrap()
}

async fn link_of(site: &Site, device: DeviceId) -> DeviceLink {
    let links = site.store.device_links(site.acme.id, &[device]).await.unwrap();
    links.get(&device).unwrap().clone()
}

/// The mail that the outbox would make of the letter with a link; letters of this site reach no store.
fn mail(link: &DeviceLink) -> NewMail {
    NewMail {
        kind: MailKind::DeviceLink,
        org: Some(link.org),
        invitation: None,
        link: Some(link.id),
        recipient: link.recipient.clone().unwrap(),
        language: Language::French,
        sealed: vec![1],
        useful_until: Some(link.expires_at),
    }
}

#[tokio::test]
async fn a_link_says_what_became_of_its_mail() {
    let site = Site::new().await;
    let mut sophie = site.sophie().await;
    let device = linked(&site, &mut sophie).await;
    let link = link_of(&site, device).await;
    let put = site.letters.take();
    let [_, (to, letter)] = &put[..] else { panic!("{put:?}") };
    assert_eq!(
        (to.address.as_str(), to.language),
        ("lucie@private.example", Language::French)
    );
    assert!(
        matches!(letter, Letter::DeviceLink { id, .. } if *id == link.id),
        "{letter:?}"
    );
    let page = site.at(&format!("devices/{device}/link"));
    let looks = async |on_page: &str, on_device: &str| {
        let mut sophie = site.sophie().await;
        sophie.get(&page).await.says(200, on_page);
        let of_device = sophie.get(&site.at(&format!("devices/{device}"))).await;
        of_device.says(200, on_device);
    };
    // As after a crash between the link and its mail.
    looks("No mail with this link went out.", "Link sent No mail sent").await;
    let waiting = site.store.put_mail(&mail(&link)).await.unwrap();
    looks("Mail Being sent", "Link sent Being sent").await;
    let take = async || {
        let due = site.store.take_due_mails(Duration::from_secs(60), 9).await.unwrap();
        due.into_iter().next().unwrap()
    };
    let failed = async |reason: &str, then| {
        let due = take().await;
        assert!(site.store.mail_failed(due.id, due.attempt, reason, then).await.unwrap());
    };
    failed("421 busy", AfterFailure::RetryAt(site.clock.utc())).await;
    looks("it is tried again. The mail server said: 421 busy", "Being sent").await;
    failed("550 5.1.1 <lucie> unknown", AfterFailure::GiveUp).await;
    looks(
        "The mail server said: 550 5.1.1 <lucie> unknown",
        "Link sent Not delivered",
    )
    .await;
    let state = site.store.mail(waiting).await.unwrap().unwrap().state;
    assert!(matches!(state, MailState::Failed(_)));
    let again = site.store.put_mail(&mail(&link)).await.unwrap();
    site.store.mail_sent(take().await.id).await.unwrap();
    looks("Mail Taken by the mail server", "Taken by the mail server").await;
    assert!(matches!(
        site.store.mail(again).await.unwrap().unwrap().state,
        MailState::Sent(_)
    ));
}

#[tokio::test]
async fn a_link_that_is_withdrawn_or_sent_again_takes_its_mail_along() {
    let site = Site::new().await;
    let mut sophie = site.sophie().await;
    let device = linked(&site, &mut sophie).await;
    let place = site.at(&format!("devices/{device}/link"));
    let state = async |id| site.store.mail(id).await.unwrap().unwrap().state.name();
    let first = site.store.put_mail(&mail(&link_of(&site, device).await)).await.unwrap();
    let fields = [("send", "mail"), ("to", "lucie@private.example"), ("language", "en")];
    sophie.post(&place, &fields).await.leads_to(&place);
    assert_eq!(state(first).await, "withdrawn");
    let second = site.store.put_mail(&mail(&link_of(&site, device).await)).await.unwrap();
    assert_eq!(state(second).await, "queued");
    sophie.post(&format!("{place}/withdraw"), &[]).await.leads_to(&place);
    assert_eq!(state(second).await, "withdrawn");
    sophie.get(&place).await.says(200, "Mail Not sent any more");
    // One that is handed over has none.
    sophie
        .post(&place, &[("send", "link")])
        .await
        .says(200, "Copy the link");
    let page = sophie.get(&place).await;
    page.says(200, "Link sent");
    assert!(!page.text().contains("No mail"), "{}", page.text());
}
