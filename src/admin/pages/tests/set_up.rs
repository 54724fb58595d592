//! The first owner, by the one-time link.

use super::kit::*;
use crate::model::Language;

const FORM: [(&str, &str); 5] = [
    ("organisation", "Acme"),
    ("name", "Sophie Laurent"),
    ("address", "sophie@private.example"),
    ("password", "seven wet umbrellas"),
    ("language", "fr"),
];

fn with<'a>(name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    FORM.iter()
        .map(|field| if field.0 == name { (name, value) } else { *field })
        .collect()
}

async fn link(fresh: &Fresh) -> String {
    let link = fresh
        .pages
        .desk()
        .directory()
        .make_set_up_link(&fresh.machine)
        .await
        .unwrap();
    format!("/set-up/{}", link.shown().expose())
}

#[tokio::test]
async fn the_first_owner_is_made_once() {
    let fresh = Fresh::new();
    let replaced = link(&fresh).await;
    let path = link(&fresh).await;
    let mut browser = fresh.browser();
    browser.get(&replaced).await.says(410, "This link is used up");
    browser
        .get("/set-up/psu_nonsense")
        .await
        .says(410, "postern user set-up-link");
    browser.get(&path).await.says(200, "Welcome to Postern");
    let mut second = fresh.browser();
    second.get(&path).await.says(200, "Welcome to Postern");
    let welcome = browser.send(&path, &FORM).await;
    // The overview is somebody else's page; what counts is who is there.
    assert!(browser.session().is_some(), "{}", welcome.text());
    let me = browser.get("/me/account").await;
    assert_eq!(me.field("name").as_deref(), Some("Sophie Laurent"));
    assert!(me.body.contains("<html lang=\"fr\""));
    second.post(&path, &FORM).await.says(410, "This link is used up");
    browser.get(&path).await.says(410, "Ce lien");
    let user = fresh
        .pages
        .desk()
        .directory()
        .find_user("sophie@private.example")
        .await
        .unwrap();
    assert_eq!(user.language, Language::French);
}

#[tokio::test]
async fn what_is_wrong_is_told_at_its_field_and_nothing_typed_is_lost() {
    let fresh = Fresh::new();
    let path = link(&fresh).await;
    let mut browser = fresh.browser();
    let refused = browser.post(&path, &with("organisation", "")).await;
    refused.says(422, "Please fill this in.");
    for (name, value) in [("name", "Sophie Laurent"), ("address", "sophie@private.example")] {
        assert_eq!(refused.field(name).as_deref(), Some(value));
    }
    assert_eq!(
        refused.field("password").as_deref(),
        Some(""),
        "a password is never sent back"
    );
    assert!(refused.body.contains("value=\"fr\" lang=\"fr\" selected"));
    browser
        .post(&path, &with("address", "sophie"))
        .await
        .says(422, "Write a whole address");
    browser
        .post(&path, &with("password", "short"))
        .await
        .says(422, "Use at least 12 characters.");
    browser
        .post(&path, &with("password", "password1234"))
        .await
        .says(422, "Everybody tries this one first");
    browser
        .post(&path, &with("name", &"x".repeat(101)))
        .await
        .says(422, "at most 100 characters");
    browser.post(&path, &FORM).await;
    assert!(browser.session().is_some());
}

#[tokio::test]
async fn an_organisation_from_the_command_line_gets_its_first_owner() {
    let fresh = Fresh::new();
    let acme = fresh
        .pages
        .desk()
        .directory()
        .create_org(&fresh.machine, "Acme")
        .await
        .unwrap();
    let path = link(&fresh).await;
    let mut browser = fresh.browser();
    let page = browser.get(&path).await;
    assert_eq!(page.field("organisation").as_deref(), Some("Acme"));
    browser.post(&path, &FORM).await.leads_to(&format!("/o/{}", acme.id));
    assert_eq!(fresh.pages.desk().directory().orgs().await.unwrap().len(), 1);
}
