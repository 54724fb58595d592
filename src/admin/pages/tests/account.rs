//! One's own account: name, language, colours, address, password, codes, sessions.

use std::time::Duration;

use super::doors::use_codes;
use super::kit::*;
use crate::directory::letter::{Letter, SignInChange};
use crate::model::Address;
use crate::store::UserEdit;

const STEP_UP_ENDED: Duration = Duration::from_secs(11 * 60);
const FORM: [(&str, &str); 3] = [("name", "Sophie"), ("language", "en"), ("theme", "system")];

#[tokio::test]
async fn name_language_and_colours_are_changed() {
    let site = Site::new().await;
    let mut browser = site.sophie().await;
    browser.get("/me/account").await.says(200, "Firefox / Linux");
    browser
        .send("/me/account", &FORM)
        .await
        .says(200, "Nothing was changed.");
    let fields = [
        ("name", "Sophie Laurent"),
        ("language", "fr"),
        ("theme", "dark"),
        ("role", "owner"),
    ];
    let page = browser.send("/me/account", &fields).await;
    assert!(
        page.body.contains("<html lang=\"fr\" data-theme=\"dark\""),
        "{}",
        page.body
    );
    assert_eq!(page.field("name").as_deref(), Some("Sophie Laurent"));
    let refused = browser
        .post("/me/account", &[("name", " "), ("language", "en"), ("theme", "light")])
        .await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.body.contains("value=\"light\" checked"),
        "what was chosen is kept"
    );
}

/// The path of the link in the letter that asks to confirm an address.
fn confirmation(site: &Site) -> String {
    let mut letters = site.letters.take();
    match (letters.pop(), letters.len()) {
        (Some((_, Letter::AddressConfirm { link, .. })), 0) => {
            format!("/me/account/address/{}", link.shown().expose())
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_address_is_changed_after_a_proof_and_a_link_and_both_are_told() {
    let site = Site::new().await;
    site.user("taken").await;
    let mut browser = site.sophie().await;
    let page = browser.get("/me/account/address").await;
    assert_eq!(page.field("address").as_deref(), Some("sophie@private.example"));
    let path = "/me/account/address";
    let refused = browser.post(path, &[("address", "sophie")]).await;
    refused.says(422, "Write a whole address");
    assert_eq!(refused.field("address").as_deref(), Some("sophie"));
    browser
        .post(path, &[("address", "taken@private.example")])
        .await
        .says(422, "a sign-in address already");
    site.clock.advance(STEP_UP_ENDED);
    // What was typed survives the step-up.
    let led = browser.post(path, &[("address", "laurent@private.example")]).await;
    let form = "%2Fme%2Faccount%2Faddress%3Faddress%3Dlaurent%2540private.example";
    led.leads_to(&format!("/step-up?next={form}"));
    let next = "/me/account/address?address=laurent%40private.example";
    browser
        .post("/step-up", &[("password", PASSWORD), ("next", next)])
        .await
        .leads_to(next);
    let again = browser.get(next).await;
    assert_eq!(again.field("address").as_deref(), Some("laurent@private.example"));
    site.letters.take();
    let asked = browser.send(path, &[("address", "laurent@private.example")]).await;
    asked.says(200, "A mail with a link went to laurent@private.example.");
    asked.says(200, "laurent@private.example waits to be confirmed");
    let link = confirmation(&site);
    // The link is a question first: mail programs open links before people do.
    let mut elsewhere = site.browser();
    let door = elsewhere.get(&link).await;
    let place = door.location().unwrap().to_owned();
    assert!(
        place.starts_with("/sign-in?next=%2Fme%2Faccount%2Faddress%2Fpsa_"),
        "{place}"
    );
    browser
        .get(&link)
        .await
        .says(200, "Sign in with laurent@private.example from now on?");
    let account = browser.get("/me/account").await;
    account.says(200, "waits to be confirmed");
    let changed = browser.send(&link, &[]).await;
    changed.says(200, "laurent@private.example");
    assert!(!changed.text().contains("waits to be confirmed"), "{}", changed.text());
    for dead in [&link, "/me/account/address/nonsense"] {
        browser.get(dead).await.says(410, "This link is used up");
        assert_eq!(browser.post(dead, &[]).await.status, 410);
    }
    let told: Vec<_> = site
        .letters
        .take()
        .into_iter()
        .map(|(to, _)| to.address.to_string())
        .collect();
    assert_eq!(told, ["sophie@private.example", "laurent@private.example"]);
    let fields = [("address", "laurent@private.example"), ("password", PASSWORD)];
    site.browser().post("/sign-in", &fields).await.leads_to("/");
}

#[tokio::test]
async fn another_password_needs_a_fresh_proof_and_ends_the_other_sessions() {
    let site = Site::new().await;
    let (mut browser, mut other) = (site.sophie().await, site.sophie().await);
    let path = "/me/account/password";
    browser
        .post(path, &[("password", "too short")])
        .await
        .says(422, "Use at least 12 characters.");
    site.clock.advance(STEP_UP_ENDED);
    let new = [("password", "nine blue marbles")];
    browser
        .post(path, &new)
        .await
        .leads_to("/step-up?next=%2Fme%2Faccount%2Fpassword");
    browser
        .post("/step-up", &[("password", PASSWORD), ("next", path)])
        .await
        .leads_to(path);
    site.letters.take();
    let done = browser.send(path, &new).await;
    done.says(200, "Your password was changed. 1 other browser was signed out.");
    assert_eq!(other.get("/me").await.status, 303);
    let letters = site.letters.take();
    let [(_, Letter::SignInChanged { change, .. })] = letters.as_slice() else {
        panic!("{letters:?}")
    };
    assert_eq!(*change, SignInChange::Password);
}

#[tokio::test]
async fn codes_are_set_up_by_a_code_that_proves_them_and_recovery_codes_are_shown_once() {
    let site = Site::new().await;
    let mut browser = site.sophie().await;
    let mut other = site.sophie().await;
    let offer = browser.get("/me/account/code").await;
    offer.says(200, "Or type this key:");
    assert!(offer.body.contains("<svg class=\"qr\""));
    let (sealed, key) = (
        offer.field("offer").unwrap(),
        offer.body.split("<code>").nth(1).unwrap().to_owned(),
    );
    let key = key.split('<').next().unwrap();
    let wrong = browser
        .post("/me/account/code", &[("offer", &sealed), ("code", "000000")])
        .await;
    wrong.says(422, "This code does not fit");
    assert!(wrong.body.contains(key), "the program on the phone has its key already");
    let code = site.code(key);
    // Another session cannot bring an offer along.
    let theirs = other
        .post("/me/account/code", &[("offer", &sealed), ("code", &code)])
        .await;
    theirs.leads_to("/me/account/code");
    let again = wrong.field("offer").unwrap();
    let shown = browser
        .post("/me/account/code", &[("offer", &again), ("code", &code)])
        .await;
    shown.says(200, "Recovery codes");
    assert_eq!(shown.body.matches("<code>").count(), 10);
    assert_eq!(shown.headers["cache-control"], "no-store");
    assert_eq!(other.get("/me").await.status, 303, "other sessions owe a code now");
    let page = browser.get("/me/account").await;
    page.says(200, "10 left");
    assert!(!page.body.contains("<code>"));
}

#[tokio::test]
async fn codes_are_turned_off_and_recovery_codes_made_anew_after_a_proof() {
    let site = Site::new().await;
    let mut browser = site.sophie().await;
    browser.get("/me/account/code/off").await.leads_to("/me/account");
    browser.get("/me/account/recovery-codes").await.leads_to("/me/account");
    let (key, old) = use_codes(&mut browser, &site).await;
    site.clock.advance(STEP_UP_ENDED);
    for path in ["/me/account/code/off", "/me/account/recovery-codes"] {
        let form = format!("/step-up?next={}", path.replace('/', "%2F"));
        browser.get(path).await.leads_to(&form);
        browser.post(path, &[]).await.leads_to(&form);
    }
    let code = site.code(&key);
    let next = "/me/account/recovery-codes";
    browser
        .get("/step-up?next=%2Fme%2Faccount%2Frecovery-codes")
        .await
        .says(200, "Code");
    browser
        .post("/step-up", &[("password", ""), ("code", "000000"), ("next", next)])
        .await
        .says(422, "does not fit");
    browser
        .post("/step-up", &[("password", ""), ("code", &code), ("next", next)])
        .await
        .leads_to(next);
    browser.get(next).await.says(200, "Make new recovery codes?");
    let fresh = browser.post(next, &[]).await;
    fresh.says(200, "Recovery codes");
    assert!(old.iter().all(|code| !fresh.body.contains(code.as_str())));
    browser
        .get("/me/account/code/off")
        .await
        .says(200, "Sign in without a code?");
    browser
        .post("/me/account/code/off", &[("code", PASSWORD)])
        .await
        .says(422, "does not fit");
    site.clock.advance(Duration::from_secs(30));
    let code = site.code(&key);
    let off = browser.send("/me/account/code/off", &[("code", &code)]).await;
    off.says(200, "Signing in asks for the password alone now.");
    let fields = [("address", "sophie@private.example"), ("password", PASSWORD)];
    site.browser().post("/sign-in", &fields).await.leads_to("/");
}

#[tokio::test]
async fn one_signs_out_elsewhere() {
    let site = Site::new().await;
    let (mut browser, mut one, mut two) = (site.sophie().await, site.sophie().await, site.sophie().await);
    let page = browser.get("/me/account").await;
    let path = |page: &Answer| {
        let rest = page.body.split("action=\"/me/account/sessions/").nth(1).unwrap();
        format!("/me/account/sessions/{}", rest.split('"').next().unwrap())
    };
    let stale = path(&page);
    browser.send(&stale, &[]).await.says(200, "1 browser was signed out.");
    browser.post(&stale, &[]).await.says(404, "There is nothing here");
    browser
        .post("/me/account/sessions/nonsense/end", &[])
        .await
        .says(404, "There is nothing here");
    browser
        .get("/me/account/sessions/end-others")
        .await
        .says(200, "1 other browser is signed out.");
    let done = browser.send("/me/account/sessions/end-others", &[]).await;
    done.says(200, "1 browser was signed out.");
    assert_eq!((one.get("/me").await.status, two.get("/me").await.status).0, 303);
    assert_eq!(two.get("/me").await.status, 303);
    browser.get("/me").await.says(200, "My mailboxes");
    // Nobody ends the session of somebody else.
    let ben = site.user("ben").await;
    let mut his = site.signed_in(&ben).await;
    let second = site.signed_in(&ben).await;
    let of_his = path(&his.get("/me/account").await);
    browser.post(&of_his, &[]).await.says(404, "There is nothing here");
    his.send(&of_his, &[]).await.says(200, "1 browser was signed out.");
    assert_eq!(second.clone().get("/me").await.status, 303);
}

#[tokio::test]
async fn whoever_signs_in_with_an_address_of_the_organisation_is_warned() {
    let site = Site::new().await;
    let mut browser = site.sophie().await;
    let words = "If that mailbox is deleted, you lose this sign-in.";
    assert!(!browser.get("/me/account").await.text().contains(words));
    let edit = UserEdit {
        address: Some(Address::parse("sophie@example.org").unwrap()),
        ..UserEdit::default()
    };
    let directory = site.directory();
    directory.edit_user(&site.machine, site.sophie.id, &edit).await.unwrap();
    browser.get("/me/account").await.says(200, words);
}

#[tokio::test]
async fn without_mail_the_address_changes_at_once_and_the_page_says_so() {
    let site = Site::with(Wish {
        sends_mail: false,
        ..Wish::default()
    })
    .await;
    let mut browser = site.sophie().await;
    let path = "/me/account/address";
    browser.get(path).await.says(200, "It counts at once");
    let changed = browser.send(path, &[("address", "laurent@private.example")]).await;
    changed.says(
        200,
        "From now on you sign in with laurent@private.example. No mail goes out here",
    );
    let fields = [("address", "laurent@private.example"), ("password", PASSWORD)];
    site.browser().post("/sign-in", &fields).await.leads_to("/");
}

#[tokio::test]
async fn where_the_mail_cannot_be_written_the_address_stays() {
    let site = Site::new().await;
    let mut browser = site.sophie().await;
    site.letters.refuse(true);
    let refused = browser
        .post("/me/account/address", &[("address", "laurent@private.example")])
        .await;
    refused.says(422, "The mail with the link could not be written");
    assert_eq!(refused.field("address").as_deref(), Some("laurent@private.example"));
    site.sophie().await;
}
