//! The organisation's settings and API tokens.

use std::time::Duration;

use super::kit::*;
use crate::directory::desk::Visitor;
use crate::model::Role;

const STEP_UP_ENDED: Duration = Duration::from_secs(11 * 60);

fn token_form<'a>(once: &'a str, name: &'a str) -> [(&'static str, &'a str); 5] {
    [
        ("once", once),
        ("name", name),
        ("role", "auditor"),
        ("access", "read"),
        ("expires", "30"),
    ]
}

#[tokio::test]
async fn an_owner_renames_the_organisation_and_nobody_else_does() {
    let site = Site::new().await;
    let path = site.at("settings");
    let mut browser = site.sophie().await;
    let page = browser.get(&path).await;
    let revision = page.field("revision").unwrap();
    browser
        .send(&path, &[("name", "Acme"), ("revision", &revision)])
        .await
        .says(200, "Nothing was changed.");
    let refused = browser.post(&path, &[("name", ""), ("revision", &revision)]).await;
    refused.says(422, "Please fill this in.");
    site.other_org().await;
    let taken = browser.post(&path, &[("name", "other"), ("revision", &revision)]).await;
    taken.says(422, "An organisation has this name already.");
    assert_eq!(taken.field("name").as_deref(), Some("other"));
    let ben = site.member("ben", Role::Administrator).await;
    let mut his = site.signed_in(&ben).await;
    assert_eq!(
        his.get(&path).await.field("name"),
        None,
        "an administrator sees the name"
    );
    let answer = his.post(&path, &[("name", "Ben's"), ("revision", &revision)]).await;
    answer.says(403, "Sophie can.");
    browser
        .send(&path, &[("name", "Acme Ltd"), ("revision", &revision)])
        .await
        .says(200, "Saved.");
    browser.get(&path).await.says(200, "Acme Ltd");
}

#[tokio::test]
async fn notices_are_switched_by_whoever_may_and_seen_by_everybody() {
    let site = Site::new().await;
    let (path, send) = (site.at("settings"), site.at("settings/notices"));
    let ben = site.member("ben", Role::Administrator).await;
    let mut his = site.signed_in(&ben).await;
    let page = his.get(&path).await;
    page.says(200, "Notices by mail");
    page.says(200, "Always sent: invitations");
    assert_eq!(page.body.matches("name=\"notices\"").count(), 3);
    assert_eq!(page.body.matches("\" checked>").count(), 3);
    let on = [
        ("notices", "device-added"),
        ("notices", "device-network"),
        ("revision", ""),
    ];
    his.send(&send, &on).await.says(200, "Saved.");
    let page = his.get(&path).await;
    assert_eq!(page.body.matches("\" checked>").count(), 2);
    assert_eq!(page.field("revision").as_deref(), Some("device-unused"));
    let again = [&on[..2], &[("revision", "device-unused")]].concat();
    his.send(&send, &again).await.says(200, "Nothing was changed.");
    // Sophie's page is older.
    let mut hers = site.sophie().await;
    let conflict = hers
        .post(&send, &[("notices", "device-unused"), ("revision", "")])
        .await;
    conflict.says(409, "Changed by ben@private.example");
    conflict.says(409, "Device not used for 90 days");
    let keep = [("notices", "device-unused"), ("revision", "device-unused")];
    hers.send(&send, &keep).await.says(200, "Saved.");
    let lucie = site.member("lucie", Role::Member).await;
    let mut member = site.signed_in(&lucie).await;
    let page = member.get(&path).await;
    page.says(200, "Sign-in from a new network: not sent");
    page.says(200, "Device not used for 90 days: sent");
    member.post(&send, &on).await.says(403, "can");
    member.get(&send).await.leads_to(&path);
}

#[tokio::test]
async fn who_was_slower_sees_both_and_chooses() {
    let site = Site::new().await;
    let path = site.at("settings");
    let (mut one, mut two) = (site.sophie().await, site.sophie().await);
    one.post(&path, &[("name", "First"), ("revision", "Acme")])
        .await
        .leads_to(&path);
    let conflict = two.post(&path, &[("name", "Second"), ("revision", "Acme")]).await;
    conflict.says(409, "Changed by sophie@private.example");
    conflict.says(409, "Second");
    assert_eq!(conflict.field("name").as_deref(), Some("Second"));
    let revision = conflict.field("revision").unwrap();
    assert_eq!(revision, "First", "mine can be kept, knowing theirs");
    two.send(&path, &[("name", "Second"), ("revision", &revision)])
        .await
        .says(200, "Saved.");
}

#[tokio::test]
async fn a_token_is_made_after_a_proof_shown_once_and_revoked() {
    let site = Site::new().await;
    let (path, new) = (site.at("settings"), site.at("settings/tokens/new"));
    let mut browser = site.sophie().await;
    site.clock.advance(STEP_UP_ENDED);
    let led = format!("/step-up?next={}", new.replace('/', "%2F"));
    browser.get(&new).await.leads_to(&led);
    browser.get(&led).await.says(200, "To make an API token");
    // The proof ran out while the form was filled: what was typed comes back.
    let sent = browser.post(&new, &token_form("1-1", "CRM sync")).await;
    let place = sent.location().unwrap().to_owned();
    assert!(
        place.contains("CRM%2Bsync") && place.starts_with("/step-up?next="),
        "{place}"
    );
    let next = format!("{new}?name=CRM+sync&role=auditor&access=read&expires=30");
    browser
        .post("/step-up", &[("password", PASSWORD), ("next", &next)])
        .await
        .leads_to(&next);
    let form = browser.get(&next).await;
    assert_eq!(form.field("name").as_deref(), Some("CRM sync"));
    let once = form.field("once").unwrap();
    let shown = browser.post(&new, &token_form(&once, "CRM sync")).await;
    shown.says(200, "You will not see this again.");
    shown.says(200, "https://manager.example.org/api/v1");
    assert_eq!(shown.headers["cache-control"], "no-store");
    let token = shown
        .body
        .split("<code>")
        .nth(1)
        .unwrap()
        .split('<')
        .next()
        .unwrap()
        .to_owned();
    assert!(token.starts_with("pst_"), "{token}");
    let visitor = Visitor::new("192.0.2.9".parse().unwrap(), "crm");
    let acting = site.pages.desk().acting_by_token(&visitor, &token).await.unwrap();
    assert_eq!(acting.user.id, site.sophie.id);
    // The same form again makes no second token.
    browser
        .send(&new, &token_form(&once, "CRM sync"))
        .await
        .says(200, "nothing was made a second time");
    let list = browser.get(&path).await;
    list.says(200, "CRM sync");
    assert!(!list.body.contains(&token), "it is shown once");
    assert_eq!(list.body.matches("/revoke\"").count(), 1);
    let revoke = list.body.split("href=\"").map(|rest| rest.split('"').next().unwrap());
    let revoke = revoke
        .into_iter()
        .find(|href| href.ends_with("/revoke"))
        .unwrap()
        .to_owned();
    browser.get(&revoke).await.says(200, "Revoke the token “CRM sync”?");
    browser
        .send(&revoke, &[])
        .await
        .says(200, "The token “CRM sync” no longer works.");
    assert!(site.pages.desk().acting_by_token(&visitor, &token).await.is_err());
    browser.post(&revoke, &[]).await.says(404, "There is nothing here");
}

#[tokio::test]
async fn what_is_wrong_with_a_token_is_told_at_its_field() {
    let site = Site::new().await;
    let new = site.at("settings/tokens/new");
    let ben = site.member("ben", Role::MailboxManager).await;
    let mut browser = site.signed_in(&ben).await;
    let form = browser.get(&new).await;
    form.says(200, "Mailbox manager");
    assert!(!form.body.contains("value=\"owner\"") && !form.body.contains("value=\"administrator\""));
    let once = form.field("once").unwrap();
    let with = |name: &'static str, value: &'static str| {
        token_form(&once, "CRM").map(|field| if field.0 == name { (name, value) } else { field })
    };
    for (name, value, words) in [
        ("name", "", "Please fill this in."),
        ("role", "owner", "Please choose."),
        ("access", "", "Please choose."),
        ("expires", "100000", "Please choose."),
    ] {
        let refused = browser.post(&new, &with(name, value)).await;
        refused.says(422, words);
        if name != "name" {
            assert_eq!(refused.field("name").as_deref(), Some("CRM"));
        }
    }
    browser
        .post(&new, &token_form(&once, "CRM"))
        .await
        .says(200, "You will not see this again.");
}

#[tokio::test]
async fn members_see_their_own_tokens_and_whoever_looks_after_people_sees_all() {
    let site = Site::new().await;
    let ben = site.member("ben", Role::Member).await;
    let (path, new) = (site.at("settings"), site.at("settings/tokens/new"));
    let mut his = site.signed_in(&ben).await;
    let fields = |name| {
        [
            ("once", ""),
            ("name", name),
            ("role", "member"),
            ("access", "write"),
            ("expires", "90"),
        ]
    };
    his.post(&new, &fields("Ben's script"))
        .await
        .says(200, "You will not see this again.");
    let mut hers = site.sophie().await;
    hers.post(&new, &token_form("", "Sophie's script"))
        .await
        .says(200, "You will not see this again.");
    let page = his.get(&path).await;
    page.says(200, "Ben's script");
    assert!(!page.text().contains("Sophie's script"));
    let page = hers.get(&path).await;
    page.says(200, "Ben's script ben Member");
    let href = page.body.split("href=\"").map(|rest| rest.split('"').next().unwrap());
    let revoke: Vec<_> = href
        .filter(|href| href.ends_with("/revoke"))
        .map(str::to_owned)
        .collect();
    assert_eq!(revoke.len(), 2);
    for href in &revoke {
        hers.get(href).await.says(200, "Revoke the token");
    }
    his.get(&path).await.says(200, "Ben's script");
    let denied = futures_util::future::join_all(revoke.iter().map(|href| {
        let mut his = his.clone();
        async move { his.get(href).await.status.as_u16() }
    }));
    let mut statuses = denied.await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 404], "his own, and not hers");
}
