//! Set-up links that programs make: they are worth what the token is that made them.

use serde_json::json;

use super::*;
use crate::model::MailKind;
use crate::store::{AfterFailure, DeviceEdit, NewMail};

const LINK: &str = "This link does not work any more";
const HOUR: Duration = Duration::from_secs(60 * 60);

/// A token of Sophie's with this role, that ends in an hour.
async fn token(site: &Site, role: Role) -> (String, ApiToken) {
    let spec = TokenSpec {
        name: "A program".to_owned(),
        role,
        scope: TokenScope::Write,
        expires_at: site.clock.utc().plus(HOUR),
    };
    let made = site
        .directory()
        .create_token(&site.machine, site.acme.id, site.sophie.id, spec)
        .await;
    let (record, token) = made.unwrap();
    (token.shown().expose().clone(), record)
}

/// A device with a link that this token makes: its id, and the link's path.
async fn linked(site: &Site, token: &str, name: &str) -> (String, String) {
    let mailbox = site.mailbox("contact").await;
    let program = Client::new(site, Some(token.to_owned()));
    let path = format!("/mailboxes/{}/devices", mailbox.id);
    let made = program.post(&path, json!({ "name": name, "link": {} })).await.is(201);
    let url = made["set_up"]["url"].as_str().unwrap();
    let path = url.strip_prefix("https://manager.example.org").unwrap().to_owned();
    (made["device"]["id"].as_str().unwrap().to_owned(), path)
}

/// Whether the link says this, to whoever looks at it and to whoever opens it, and gives nothing.
async fn is_dead(site: &Site, device: &str, path: &str, why: &str) {
    let mut browser = site.browser();
    browser.get(path).await.says(410, why);
    let opened = browser.post(path, &[("action", "password")]).await;
    opened.says(410, why);
    assert!(!opened.body.contains("class=\"secret\""), "no password");
    let device = site.directory().find_device(device).await.unwrap();
    assert_eq!(device.replaced_at, None, "it has no password");
}

async fn is_alive(site: &Site, path: &str) {
    site.browser().get(path).await.says(200, "Set up this device");
}

#[tokio::test]
async fn a_link_is_dead_where_the_token_is_that_made_it() {
    let site = Site::new().await;
    let (secret, record) = token(&site, Role::Owner).await;
    let (revoked, with_revoked) = linked(&site, &secret, "Revoked").await;
    let (opened, with_opened) = linked(&site, &secret, "Opened").await;
    let (other, _) = token(&site, Role::Owner).await;
    let (expired, with_other) = linked(&site, &other, "Expired").await;
    let mut lucie = site.browser();
    lucie
        .post(&with_opened, &[("action", "password")])
        .await
        .says(200, "is ready to connect");
    is_alive(&site, &with_revoked).await;
    site.directory()
        .revoke_token(&site.machine, site.acme.id, record.id)
        .await
        .unwrap();
    is_dead(&site, &revoked, &with_revoked, LINK).await;
    // Whoever sent it sees that as well.
    let program = sophie(&site).await;
    let state = async |device: &str| program.get(&format!("/devices/{device}/link")).await.is(200)["state"].clone();
    assert_eq!(
        (state(&revoked).await, state(&opened).await),
        (json!("withdrawn"), json!("withdrawn"))
    );
    // Nobody starts again with it either, and the password that was given stays.
    let again = lucie
        .post(&with_opened, &[("action", "password"), ("again", "1")])
        .await;
    again.says(410, LINK);
    assert!(
        site.directory()
            .find_device(&opened)
            .await
            .unwrap()
            .replaced_at
            .is_some()
    );
    is_alive(&site, &with_other).await;
    site.clock.advance(HOUR);
    // It was never longer than its token.
    is_dead(&site, &expired, &with_other, "This link has expired").await;
    assert_eq!(state(&expired).await, json!("expired"));
}

#[tokio::test]
async fn a_link_is_no_more_than_the_role_of_its_token_may_do() {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    // What was granted to its user a token may use, whatever its role.
    site.grant(&mailbox, &site.sophie, right(Right::ManageDevices)).await;
    let (lesser, _) = token(&site, Role::Member).await;
    let (whole, _) = token(&site, Role::Owner).await;
    let (first, with_first) = linked(&site, &lesser, "First").await;
    let (device, with_lesser) = linked(&site, &lesser, "Lesser").await;
    let (other, with_whole) = linked(&site, &whole, "Whole").await;
    is_alive(&site, &with_lesser).await;
    // The password of somebody else's device is for roles alone.
    let lucie = site.member("lucie", Role::Member).await;
    site.grant(&mailbox, &lucie, right(Right::AddOwnDevices)).await;
    for id in [&device, &other] {
        let found = site.directory().find_device(id).await.unwrap();
        let edit = DeviceEdit {
            user: Some(Some(lucie.id)),
            ..DeviceEdit::default()
        };
        site.directory().edit_device(&site.machine, &found, edit).await.unwrap();
    }
    is_dead(&site, &device, &with_lesser, LINK).await;
    is_alive(&site, &with_whole).await;
    is_alive(&site, &with_first).await;
    let (directory, machine) = (site.directory(), &site.machine);
    directory
        .withdraw_grant(machine, site.acme.id, mailbox.id, site.sophie.id)
        .await
        .unwrap();
    is_dead(&site, &first, &with_first, LINK).await;
    is_alive(&site, &with_whole).await;
}

#[tokio::test]
async fn a_link_opens_nobodys_sign_in_whom_its_token_could_not_change() {
    let site = Site::new().await;
    let (lesser, _) = token(&site, Role::MailboxManager).await;
    let (whole, _) = token(&site, Role::Owner).await;
    let (device, with_lesser) = linked(&site, &lesser, "Lesser").await;
    let (_, with_whole) = linked(&site, &whole, "Whole").await;
    is_alive(&site, &with_lesser).await;
    let (directory, machine) = (site.directory(), &site.machine);
    let password = Some("three tall kettles");
    let new = directory
        .new_user(
            "contact@example.org",
            "Carla",
            crate::model::Language::English,
            password,
        )
        .await
        .unwrap();
    let carla = directory.create_user(machine, &new).await.unwrap();
    directory
        .add_member(machine, site.acme.id, carla.id, Role::Member)
        .await
        .unwrap();
    is_dead(&site, &device, &with_lesser, LINK).await;
    is_alive(&site, &with_whole).await;
}

#[tokio::test]
async fn a_link_says_what_became_of_its_mail() {
    let site = Site::new().await;
    let program = sophie(&site).await;
    let mailbox = site.mailbox("contact").await;
    let path = format!("/mailboxes/{}/devices", mailbox.id);
    let body = json!({ "name": "Scanner", "link": { "to": "lucie@private.example" } });
    let made = program.post(&path, body).await.is(201);
    assert_eq!(made["set_up"]["url"], Value::Null);
    let id = made["device"]["id"].as_str().unwrap();
    let place = format!("/devices/{id}/link");
    let mail = async || program.get(&place).await.is(200)["mail"].clone();
    // The letters of this site reach no store: it is as if the daemon had ended before its mail was put.
    assert_eq!(mail().await, Value::Null);
    let device = id.parse().unwrap();
    let links = site.store.device_links(site.acme.id, &[device]).await.unwrap();
    let link = &links[&device];
    let new = NewMail {
        kind: MailKind::DeviceLink,
        org: Some(link.org),
        invitation: None,
        link: Some(link.id),
        recipient: link.recipient.clone().unwrap(),
        language: link.language,
        sealed: vec![1],
        useful_until: Some(link.expires_at),
    };
    site.store.put_mail(&new).await.unwrap();
    assert_eq!(mail().await, json!({ "state": "queued", "last_error": null }));
    let due = site.store.take_due_mails(Duration::from_secs(60), 1).await.unwrap();
    let later = AfterFailure::RetryAt(site.clock.utc());
    site.store
        .mail_failed(due[0].id, due[0].attempt, "421 busy", later)
        .await
        .unwrap();
    assert_eq!(mail().await, json!({ "state": "queued", "last_error": "421 busy" }));
    let withdrawn = program.delete(&place).await.is(200);
    assert_eq!(withdrawn["mail"]["state"], "withdrawn");
}
