//! Setting up a device by a link, without a sign-in: in every state that a link can be in, by people, bots and others.

use std::time::Duration;

use plist::Value;

use super::kit::*;
use crate::audit::Actor;
use crate::directory::desk::testing;
use crate::directory::{DeviceSpec, LinkTerms};
use crate::model::{Device, DeviceKind, DeviceState, Language, OrgId, Scopes};
use crate::store::{AuditFilter, Resolved};

const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1";
const PIXEL: &str =
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36";
const PREVIEW: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0";

const PASSWORD_FORM: [(&str, &str); 1] = [("action", "password")];
const AGAIN: [(&str, &str); 2] = [("action", "password"), ("again", "1")];
const PROFILE: [(&str, &str); 1] = [("action", "profile")];

async fn linked(site: &Site, by: &Actor, label: &str, scopes: Scopes) -> (Device, String) {
    let mailbox = site.mailbox("contact").await;
    let spec = DeviceSpec {
        label: label.to_owned(),
        kind: DeviceKind::Iphone,
        scopes: Some(scopes),
        ..DeviceSpec::default()
    };
    let terms = LinkTerms {
        sent_by: "Sophie".to_owned(),
        recipient: None,
        language: Language::English,
        token: None,
    };
    let (device, _, link) = site
        .directory()
        .add_linked_device(by, &mailbox, spec, terms)
        .await
        .unwrap();
    (device, format!("/s/{}", link.shown().expose()))
}

async fn link(site: &Site) -> (Device, String) {
    linked(site, &site.machine, "Lucie's iPhone", Scopes::ALL).await
}

/// How many passwords of the mailbox are in use.
async fn passwords(site: &Site) -> usize {
    let mailbox = site.mailbox("contact").await;
    match site.store.resolve_login(&mailbox.address).await.unwrap() {
        Resolved::Mailbox(found) => found
            .credentials
            .iter()
            .filter(|credential| credential.retired_at.is_none())
            .count(),
        other => panic!("{other:?}"),
    }
}

/// The password on a page that shows one.
fn shown(answer: &Answer) -> String {
    let secret = answer
        .body
        .split("class=\"secret\"")
        .nth(1)
        .expect("a page with a password");
    secret
        .split("<code>")
        .nth(1)
        .unwrap()
        .split("</code>")
        .next()
        .unwrap()
        .to_owned()
}

/// Whether this is the password that the device signs in with now.
async fn is_password(site: &Site, device: &Device, password: &str) -> bool {
    let mailbox = site.mailbox("contact").await;
    testing::is_password(&*site.store, &mailbox, device.id, password).await
}

#[tokio::test]
async fn looking_burns_nothing_whoever_looks_and_however_often() {
    let site = Site::new().await;
    let (device, path) = link(&site).await;
    for agent in [IPHONE, PIXEL, FIREFOX, PREVIEW] {
        let mut browser = site.browser();
        browser.agent = agent;
        let page = browser.get(&path).await;
        page.says(
            200,
            "Sophie asks you to set up “Lucie's iPhone” for the mailbox contact@example.org.",
        );
        page.says(200, "Acme");
        assert_eq!(page.headers.get("cache-control").unwrap(), "no-store");
        assert!(page.cookies().is_empty(), "{:?}", page.cookies());
        assert_eq!(browser.head(&path).await.status.as_u16(), 200);
    }
    assert_eq!(passwords(&site).await, 0, "nobody has a password yet");
    let found = site
        .directory()
        .device_link(site.acme.id, &device)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.state.name(), "sent");
}

#[tokio::test]
async fn the_first_one_gets_the_password_and_everybody_else_a_page() {
    let site = Site::new().await;
    let (device, path) = link(&site).await;
    let (mut lucie, mut mallory) = (site.browser(), site.browser());
    mallory.ip = "203.0.113.9";
    let page = lucie.post(&path, &PASSWORD_FORM).await;
    page.says(200, "“Lucie's iPhone” is ready to connect");
    let password = shown(&page);
    assert!(is_password(&site, &device, &password).await);
    assert_eq!(page.headers.get("cache-control").unwrap(), "no-store");
    let cookie = page.cookies()[0].to_owned();
    for attribute in [
        "__Secure-postern-device=psb_",
        "HttpOnly",
        "Secure",
        "SameSite=Strict",
        &format!("Path={path}"),
    ] {
        assert!(cookie.contains(attribute), "{attribute} is not in {cookie}");
    }
    for answer in [
        mallory.get(&path).await,
        mallory.post(&path, &PASSWORD_FORM).await,
        mallory.post(&path, &AGAIN).await,
    ] {
        answer.says(410, "This link was opened already");
        answer.says(410, "Tell Sophie, and ask for a new one.");
        assert!(
            !answer.text().contains("contact@example.org"),
            "no address for strangers"
        );
    }
    mallory.agent = IPHONE;
    mallory
        .post(&path, &PROFILE)
        .await
        .says(410, "This link was opened already");
    assert!(is_password(&site, &device, &password).await, "still the first one");
    // Sent again by the browser, the form makes no further one.
    lucie
        .post(&path, &PASSWORD_FORM)
        .await
        .says(200, "You opened this link");
    assert!(is_password(&site, &device, &password).await);
    // Asked for, it does, and the old one is dead.
    let again = shown(&lucie.post(&path, &AGAIN).await);
    assert!(is_password(&site, &device, &again).await && !is_password(&site, &device, &password).await);
}

#[tokio::test]
async fn of_two_at_the_same_moment_exactly_one_wins() {
    for _ in 0..4 {
        let site = Site::new().await;
        let (_, path) = link(&site).await;
        let (mut one, mut other) = (site.browser(), site.browser());
        let (one, other) = tokio::join!(one.post(&path, &PASSWORD_FORM), other.post(&path, &PASSWORD_FORM));
        let mut statuses = [one.status.as_u16(), other.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 410]);
        assert_eq!(passwords(&site).await, 1);
    }
}

#[tokio::test]
async fn a_profile_is_given_once_to_an_apple_device_and_its_password_made_in_that_moment() {
    let site = Site::new().await;
    let (device, path) = link(&site).await;
    let mut phone = site.browser();
    phone.agent = IPHONE;
    let page = phone.get(&path).await;
    page.says(200, "Set up this iPhone or iPad");
    page.says(200, "At the top stands “Profile Downloaded”");
    let opened = phone.post(&path, &PROFILE).await;
    assert_eq!(opened.status.as_u16(), 303);
    let file = opened.location().unwrap().to_owned();
    assert!(file.starts_with(&format!("{path}/profile/psf_")), "{file}");
    assert_eq!(passwords(&site).await, 0, "not before the file is read");
    // Others, and a look at the head, get the page and burn nothing.
    for agent in [FIREFOX, PIXEL, PREVIEW] {
        let mut other = site.browser();
        other.agent = agent;
        assert_eq!(other.get(&file).await.status.as_u16(), 410);
    }
    assert_eq!(phone.head(&file).await.status.as_u16(), 200);
    assert_eq!(passwords(&site).await, 0);
    let answer = phone.get(&file).await;
    assert_eq!(answer.status.as_u16(), 200);
    for (name, value) in [
        ("content-type", "application/x-apple-aspen-config"),
        ("cache-control", "no-store"),
        ("content-disposition", "attachment; filename=\"mail.mobileconfig\""),
    ] {
        assert_eq!(answer.headers.get(name).unwrap(), value);
    }
    let profile = Value::from_reader_xml(answer.body.as_bytes()).unwrap();
    let mail = profile.as_dictionary().unwrap().get("PayloadContent").unwrap();
    let mail = mail.as_array().unwrap()[0].as_dictionary().unwrap();
    let text = |key: &str| mail.get(key).unwrap().as_string().unwrap().to_owned();
    assert_eq!(text("EmailAddress"), "contact@example.org");
    assert!(is_password(&site, &device, &text("IncomingPassword")).await);
    // Once.
    phone.get(&file).await.says(200, "You opened this link");
    assert!(is_password(&site, &device, &text("IncomingPassword")).await);
    let found = site
        .directory()
        .device_link(site.acme.id, &device)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.state.name(), "fetched");
}

#[tokio::test]
async fn a_file_that_is_not_read_in_time_is_gone_and_one_starts_again() {
    let site = Site::new().await;
    let (_, path) = link(&site).await;
    let mut phone = site.browser();
    phone.agent = IPHONE;
    let first = phone.post(&path, &PROFILE).await.location().unwrap().to_owned();
    site.clock.advance(Duration::from_secs(5 * 60));
    phone.get(&first).await.says(200, "You opened this link");
    assert_eq!(passwords(&site).await, 0);
    let second = phone.post(&path, &PROFILE).await.location().unwrap().to_owned();
    phone.get(&first).await.says(200, "You opened this link");
    assert_eq!(
        phone.get(&second).await.headers.get("content-type").unwrap(),
        "application/x-apple-aspen-config"
    );
    assert_eq!(passwords(&site).await, 1);
    // The address of a file leads nowhere below another link.
    let (_, other) = linked(&site, &site.machine, "Other", Scopes::ALL).await;
    let third = phone.post(&path, &PROFILE).await.location().unwrap().to_owned();
    let moved = third.replace(&path, &other);
    assert!(phone.get(&moved).await.body.starts_with("<!doctype"));
    assert_eq!(passwords(&site).await, 1);
}

#[tokio::test]
async fn a_file_is_read_by_the_browser_that_opened_the_link_or_by_one_without_cookies() {
    let site = Site::new().await;
    let (_, path) = link(&site).await;
    let (_, other) = linked(&site, &site.machine, "Other", Scopes::ALL).await;
    let (mut phone, mut mallory) = (site.browser(), site.browser());
    (phone.agent, mallory.agent) = (IPHONE, IPHONE);
    let file = phone.post(&path, &PROFILE).await.location().unwrap().to_owned();
    // She knows the path, and opened another link before.
    mallory.post(&other, &PROFILE).await;
    mallory.get(&file).await.says(410, "This link was opened already");
    let name = mallory.cookies.keys().next().unwrap().clone();
    for nonsense in ["", "psb_", "x"] {
        mallory.cookies.insert(name.clone(), nonsense.to_owned());
        mallory.get(&file).await.says(410, "This link was opened already");
    }
    assert_eq!(passwords(&site).await, 0, "nothing is burnt");
    let mut process = site.browser();
    process.agent = "com.apple.WebKit.Networking/8621 CFNetwork/3826 Darwin/24.6.0";
    let profile = "application/x-apple-aspen-config";
    assert_eq!(process.get(&file).await.headers.get("content-type").unwrap(), profile);
    let again = phone.post(&path, &PROFILE).await.location().unwrap().to_owned();
    assert_eq!(phone.get(&again).await.headers.get("content-type").unwrap(), profile);
}

#[tokio::test]
async fn what_is_no_apple_device_gets_no_profile_and_half_an_account_has_none() {
    let site = Site::new().await;
    let (_, path) = link(&site).await;
    let mut pixel = site.browser();
    pixel.agent = PIXEL;
    pixel.get(&path).await.says(200, "Set up this Android device");
    // Also where it says that it is one.
    let as_iphone = format!("{path}?for=iphone");
    pixel.get(&as_iphone).await.says(200, "Install the profile");
    pixel
        .post(&path, &PROFILE)
        .await
        .says(200, "Set up this Android device");
    assert_eq!(passwords(&site).await, 0);
    let page = pixel.post(&path, &PASSWORD_FORM).await;
    page.says(200, "Show a QR code for Thunderbird");
    assert!(page.body.contains("<svg class=\"qr\""));
    let send_only = Scopes {
        imap: false,
        smtp: true,
    };
    let (_, half) = linked(&site, &site.machine, "Copier", send_only).await;
    let mut phone = site.browser();
    phone.agent = IPHONE;
    assert!(!phone.get(&half).await.text().contains("Install the profile"));
    assert_eq!(phone.post(&half, &PROFILE).await.status.as_u16(), 200);
    let page = phone.post(&half, &PASSWORD_FORM).await;
    page.says(200, "Outgoing mail (SMTP)");
    assert!(!page.text().contains("Incoming mail (IMAP)"));
}

#[tokio::test]
async fn a_link_that_ended_says_how_and_what_to_do() {
    let site = Site::new().await;
    let mut browser = site.browser();
    let machine = &site.machine;
    browser.get("/s/psd_aaaa").await.says(404, "There is no such link");
    let unknown = format!("/s/psd_{}", "a".repeat(52));
    browser
        .post(&unknown, &PASSWORD_FORM)
        .await
        .says(404, "There is no such link");

    let (device, path) = linked(&site, machine, "Withdrawn", Scopes::ALL).await;
    site.directory()
        .withdraw_device_link(machine, site.acme.id, &device)
        .await
        .unwrap();
    browser
        .get(&path)
        .await
        .says(410, "Sophie took it back or sent a newer one.");
    browser
        .post(&path, &PASSWORD_FORM)
        .await
        .says(410, "This link does not work any more");

    let (device, path) = linked(&site, machine, "Revoked", Scopes::ALL).await;
    site.directory().revoke_device(machine, &device).await.unwrap();
    browser
        .post(&path, &PASSWORD_FORM)
        .await
        .says(410, "This device is switched off");

    let (device, path) = linked(&site, machine, "Paused", Scopes::ALL).await;
    site.directory().pause_device(machine, &device).await.unwrap();
    browser
        .post(&path, &PASSWORD_FORM)
        .await
        .says(410, "This device is switched off");
    site.directory().resume_device(machine, &device).await.unwrap();
    browser.get(&path).await.says(200, "Set up this device");

    let (device, path) = linked(&site, machine, "Replaced", Scopes::ALL).await;
    site.directory().replace_device(machine, &device).await.unwrap();
    browser
        .post(&path, &PASSWORD_FORM)
        .await
        .says(410, "This link does not work any more");

    let (_, path) = linked(&site, machine, "Late", Scopes::ALL).await;
    site.clock.advance(Duration::from_secs(24 * 60 * 60));
    browser.get(&path).await.says(410, "This link has expired");
    browser
        .post(&path, &PASSWORD_FORM)
        .await
        .says(410, "Ask Sophie for a new one.");
    assert_eq!(passwords(&site).await, 1, "of the device whose password was replaced");
}

#[tokio::test]
async fn whoever_opened_it_may_start_again_until_the_device_has_signed_in_and_not_for_ever() {
    let site = Site::new().await;
    let (device, path) = link(&site).await;
    let mut lucie = site.browser();
    lucie.post(&path, &PASSWORD_FORM).await;
    for _ in 1..crate::store::device_link::LINK_STARTS_MAX {
        lucie.post(&path, &AGAIN).await.says(200, "is ready to connect");
    }
    lucie
        .post(&path, &AGAIN)
        .await
        .says(200, "cannot be set up by this link again");

    let (device_of_other, other) = linked(&site, &site.machine, "Other", Scopes::ALL).await;
    // The cookie of one link is none of another.
    let mut stranger = site.browser();
    stranger
        .post(&other, &PASSWORD_FORM)
        .await
        .says(200, "is ready to connect");
    let mut crossed = site.browser();
    crossed.cookies = lucie.cookies.clone();
    crossed
        .post(&other, &AGAIN)
        .await
        .says(410, "This link was opened already");
    let used = crate::store::DeviceUse {
        device: device_of_other.id,
        network: "192.0.2.0/24".parse().unwrap(),
        since: site.clock.utc(),
        usage: crate::model::device::Use {
            at: site.clock.utc(),
            ip: "192.0.2.7".parse().unwrap(),
            protocol: crate::peer::Protocol::Imap,
            client: None,
        },
    };
    site.store.record_uses(&[used]).await.unwrap();
    stranger
        .post(&other, &AGAIN)
        .await
        .says(200, "has signed in. There is nothing more to do here.");
    // Nothing of a link outlives the device.
    site.directory().revoke_device(&site.machine, &device).await.unwrap();
    lucie.get(&path).await.says(410, "This device is switched off");
}

#[tokio::test]
async fn a_link_is_no_more_than_its_sender_may_do_at_that_moment() {
    let site = Site::new().await;
    let manager = site.member("max", crate::model::Role::MailboxManager).await;
    let by = Actor::user(&manager.address, "192.0.2.3").by(manager.id);
    let (_, path) = linked(&site, &by, "Max's", Scopes::ALL).await;
    let mut browser = site.browser();
    browser.get(&path).await.says(200, "Set up this device");
    site.store
        .remove_member(
            &site.machine,
            site.acme.id,
            manager.id,
            crate::model::Role::MailboxManager,
        )
        .await
        .unwrap();
    browser.get(&path).await.says(410, "This link does not work any more");
    browser
        .post(&path, &PASSWORD_FORM)
        .await
        .says(410, "This link does not work any more");
    assert_eq!(passwords(&site).await, 0);
}

#[tokio::test]
async fn other_sites_cannot_open_a_link_and_hammering_is_slowed() {
    let site = Site::new().await;
    let (_, path) = link(&site).await;
    let browser = site.browser();
    let answer = browser.post_elsewhere(&path, "action=password").await;
    assert_eq!(answer.as_u16(), 403);
    assert_eq!(passwords(&site).await, 0);
    let mut guesser = site.browser();
    let mut last = 404;
    for number in 0..200 {
        let guess = format!("/s/psd_{number:a<52}").replace(|c: char| c.is_ascii_digit(), "b");
        last = guesser.get(&guess).await.status.as_u16();
        if last == 429 {
            break;
        }
    }
    assert_eq!(last, 429);
    guesser.get(&path).await.says(200, "Set up this device");
}

#[tokio::test]
async fn a_device_whose_link_nobody_opened_is_revoked_some_days_later() {
    let site = Site::new().await;
    let (never, _) = linked(&site, &site.machine, "Never", Scopes::ALL).await;
    let (opened, path) = linked(&site, &site.machine, "Opened", Scopes::ALL).await;
    site.browser().post(&path, &PASSWORD_FORM).await;
    let state = async |device: &Device| site.store.device(device.id).await.unwrap().unwrap().state;
    site.clock.advance(Duration::from_secs(7 * 24 * 60 * 60));
    site.directory().tidy_people().await.unwrap();
    assert_eq!(state(&never).await, DeviceState::Active, "its link may be sent again");
    site.clock.advance(Duration::from_secs(2 * 24 * 60 * 60));
    site.directory().tidy_people().await.unwrap();
    assert!(matches!(state(&never).await, DeviceState::Revoked(_)));
    assert_eq!(state(&opened).await, DeviceState::Active);
    let audit = audit(&site, site.acme.id).await;
    assert!(
        audit.iter().any(|row| row.contains("daemon device.revoke")),
        "{audit:?}"
    );
}

async fn audit(site: &Site, org: OrgId) -> Vec<String> {
    let filter = AuditFilter {
        org: Some(org),
        limit: 100,
        ..AuditFilter::default()
    };
    let rows = site.directory().audit(&filter).await.unwrap();
    rows.iter()
        .map(|row| format!("{} {} {} {}", row.actor.who, row.action, row.subject, row.detail))
        .collect()
}

#[tokio::test]
async fn no_secret_is_in_the_log_the_audit_log_or_the_database() {
    let (log, guard) = Log::listen();
    let site = Site::new().await;
    let (_, path) = link(&site).await;
    let mut phone = site.browser();
    phone.agent = IPHONE;
    let file = phone.post(&path, &PROFILE).await.location().unwrap().to_owned();
    phone.get(&file).await;
    let password = shown(&phone.post(&path, &AGAIN).await);
    drop(guard);
    let rows = audit(&site, site.acme.id).await;
    for action in [
        "device.add",
        "device.link.send",
        "device.link.open",
        "device.link.fetch",
    ] {
        assert!(rows.iter().any(|row| row.contains(action)), "{action}: {rows:?}");
    }
    let mut database = Vec::new();
    for file in std::fs::read_dir(site.place.path()).unwrap() {
        database.extend(std::fs::read(file.unwrap().path()).unwrap());
    }
    let database = String::from_utf8_lossy(&database);
    let cookie = phone.cookies.values().next().unwrap().clone();
    let (link, file) = (path.rsplit('/').next().unwrap(), file.rsplit('/').next().unwrap());
    let plain = password.replace('-', "");
    for secret in [link, file, &cookie, &password, &plain] {
        assert!(!log.text().contains(secret), "in the log");
        assert!(!rows.concat().contains(secret), "in the audit log");
        assert!(!database.contains(secret), "in the database");
        assert!(
            !database.contains(secret.get(4..).unwrap()),
            "in the database, without its prefix"
        );
    }
}
