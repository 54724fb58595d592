//! Devices: added, shown once, changed by two people at once, ended.

use std::time::Duration;

use super::super::super::tests::kit::Log;
use super::*;
use crate::clock::Timestamp;
use crate::model::device::{Knocking, Use};
use crate::model::{DeviceId, DeviceKind, DeviceState, Role, Scopes};
use crate::peer::Protocol;
use crate::store::{DeviceUse, Knocks, Resolved};

/// The fields of a new device.
fn form<'f>(name: &'f str, person: &'f str, once: &'f str) -> Vec<(&'f str, &'f str)> {
    vec![
        ("kind", "iphone"),
        ("name", name),
        ("person", person),
        ("scope", "imap"),
        ("scope", "smtp"),
        ("expires", "never"),
        ("once", once),
    ]
}

/// The password that a page shows: four groups of four of its letters.
fn password(answer: &Answer) -> Option<String> {
    let is_group =
        |group: &str| group.len() == 4 && group.bytes().all(|letter| b"bcdfghjkmnpqrstvwxyz".contains(&letter));
    let shown = answer
        .body
        .split("<code>")
        .skip(1)
        .filter_map(|rest| rest.split('<').next());
    let mut passwords = shown.filter(|text| text.split('-').count() == 4 && text.split('-').all(is_group));
    passwords.next().map(str::to_owned)
}

#[tokio::test]
async fn a_password_is_in_one_answer_and_nowhere_else() {
    let site = Site::new().await;
    let (log, listening) = Log::listen();
    let mailbox = site.mailbox("contact").await;
    let path = site.at(&format!("mailboxes/{}/devices/new", mailbox.id));
    let mut sophie = site.sophie().await;
    let tiles = sophie.get(&path).await;
    tiles.says(200, "What is it?");
    let page = sophie.get(&format!("{path}?kind=iphone")).await;
    assert_eq!(
        page.field("name").as_deref(),
        Some("Sophie’s iPhone"),
        "there is nothing to type"
    );
    let once = page.field("once").unwrap();
    let me = site.sophie.id.to_string();

    let added = sophie.post(&path, &form("Sophie’s iPhone", &me, &once)).await;
    added.says(200, "“Sophie’s iPhone” is ready to connect");
    let secret = password(&added).unwrap_or_else(|| panic!("no password: {}", added.text()));
    assert_eq!(added.body.matches(&secret).count(), 1);
    assert_eq!(added.headers["cache-control"], "no-store");
    added.says(200, "mail.example.org");
    assert!(added.text().contains("Port 993") && added.text().contains("Port 465"));

    let device = site
        .directory()
        .find_device("contact@example.org/Sophie’s iPhone")
        .await
        .unwrap();
    assert_eq!(
        (device.kind, device.user, device.scopes),
        (DeviceKind::Iphone, Some(site.sophie.id), Scopes::ALL)
    );
    // The same form again makes no second device and shows nothing.
    let again = sophie.post(&path, &form("Sophie’s iPhone", &me, &once)).await;
    again.leads_to(&site.at(&format!("devices/{}/password", device.id)));
    let gone = sophie.follow(again).await;
    gone.says(200, "its password cannot be shown again");
    let bare = secret.replace('-', "");
    let paths = [
        path.clone(),
        site.at("devices"),
        site.at(&format!("devices/{}", device.id)),
        site.at(&format!("devices/{}/edit", device.id)),
        site.at(&format!("mailboxes/{}/devices", mailbox.id)),
        site.at("activity"),
        site.at("activity/export.jsonl"),
        site.at(""),
    ];
    for path in paths {
        let answer = sophie.get(&path).await;
        let is_there = answer.body.contains(&secret) || answer.body.contains(&bare);
        assert!(!is_there && password(&answer).is_none(), "{path} shows a password");
    }
    drop(listening);
    let log = log.text();
    assert!(!log.contains(&secret) && !log.contains(&bare), "the log has it");
    assert_eq!(
        site.directory()
            .devices(&crate::store::DeviceFilter::default())
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_proof_that_is_too_old_leads_to_a_fresh_one_and_back_to_the_filled_form() {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    let path = site.at(&format!("mailboxes/{}/devices/new", mailbox.id));
    let mut sophie = site.sophie().await;
    site.clock.advance(Duration::from_secs(11 * 60));
    let asked = sophie.get(&path).await;
    let place = asked.location().unwrap().to_owned();
    assert!(place.starts_with("/step-up?next="), "{place}");
    let mut fields = form("Anna’s & Ben’s", "", "x-1");
    fields.push(("networks", "192.0.2.0/24"));
    let posted = sophie.post(&path, &fields).await;
    let place = posted.location().unwrap().to_owned();
    assert!(place.starts_with("/step-up?next="), "{place}");
    let page = sophie.get(&place).await;
    let next = page.field("next").unwrap();
    let next = next.replace("&#38;", "&").replace("&amp;", "&");
    let proved = sophie
        .post("/step-up", &[("password", PASSWORD), ("next", &next)])
        .await;
    assert_eq!(proved.status.as_u16(), 303, "{}", proved.text());
    let filled = sophie.follow(proved).await;
    filled.says(200, "iPhone or iPad");
    assert_eq!(filled.field("networks").as_deref(), Some("192.0.2.0/24"));
    let name = filled.field("name").unwrap();
    assert!(name.starts_with("Anna’s") && name.ends_with("Ben’s"), "{name}");
    assert!(filled.field("once").is_some_and(|mark| mark != "x-1"));
}

#[tokio::test]
async fn a_refused_form_comes_back_as_it_was_typed() {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    site.device(&mailbox, "iPhone", None).await;
    let path = site.at(&format!("mailboxes/{}/devices/new", mailbox.id));
    let mut sophie = site.sophie().await;
    let taken = sophie.post(&path, &form("IPHONE", "", "")).await;
    taken.says(422, "Another device has this name. “IPHONE 2” is free.");
    assert_eq!(taken.field("name").as_deref(), Some("IPHONE"));
    assert!(taken.body.contains("<title>Please check: "), "{}", taken.text());

    let fields = [
        ("kind", "printer"),
        ("name", " "),
        ("person", ""),
        ("expires", "on"),
        ("expires_on", "2020-01-01"),
        ("networks", "192.0.2.0/24, office"),
    ];
    let wrong = sophie.post(&path, &fields).await;
    for words in [
        "Please fill this in.",
        "Tick at least one",
        "Choose a day to come.",
        "“office” is no network.",
    ] {
        wrong.says(422, words);
    }
    assert_eq!(wrong.field("networks").as_deref(), Some("192.0.2.0/24, office"));
    assert_eq!(wrong.field("expires_on").as_deref(), Some("2020-01-01"));
    let posted = sophie.post(&path, &form("Copier", "usr-x", "")).await;
    posted.says(422, "Please choose.");
    let devices = site
        .directory()
        .devices(&crate::store::DeviceFilter::default())
        .await
        .unwrap();
    assert_eq!(devices.len(), 1);
}

#[tokio::test]
async fn a_member_adds_their_own_device_and_no_other() {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    let lucie = site.member("lucie", Role::Member).await;
    site.grant(&mailbox, &lucie, right(Right::AddOwnDevices)).await;
    let path = site.at(&format!("mailboxes/{}/devices/new", mailbox.id));
    let mut browser = site.signed_in(&lucie).await;
    let page = browser.get(&format!("{path}?kind=printer")).await;
    assert!(!page.body.contains("name=\"person\""), "it can only be hers");
    // A form without the field, as her page sends it.
    let fields = [
        ("kind", "printer"),
        ("name", "Scanner"),
        ("scope", "smtp"),
        ("expires", "7"),
    ];
    browser.post(&path, &fields).await.says(200, "is ready to connect");
    let device = site
        .directory()
        .find_device("contact@example.org/Scanner")
        .await
        .unwrap();
    assert_eq!(device.user, Some(lucie.id));
    assert_eq!(
        device.expires_at,
        Some(site.clock.utc().plus(Duration::from_secs(7 * 24 * 60 * 60)))
    );
    browser
        .post(&path, &form("CRM", "", ""))
        .await
        .says(403, "You may not do this");
    let sophie = site.sophie.id.to_string();
    browser
        .post(&path, &form("Hers", &sophie, ""))
        .await
        .says(403, "You may not do this");
}

#[tokio::test]
async fn whoever_was_slower_is_shown_theirs_and_mine() {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    let marc = site.member("marc", Role::MailboxManager).await;
    let device = site.device(&mailbox, "CRM", None).await;
    let path = site.at(&format!("devices/{}/edit", device.id));
    let (mut sophie, mut marcs) = (site.sophie().await, site.signed_in(&marc).await);
    let seen = sophie.get(&path).await.field("revision").unwrap();
    let fields = |name: &'static str, networks: &'static str, revision: &str| {
        let fields = [
            ("name", name),
            ("scope", "imap"),
            ("scope", "smtp"),
            ("expires", "never"),
            ("networks", networks),
        ];
        let mut fields: Vec<(String, String)> = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        fields.push(("revision".to_owned(), revision.to_owned()));
        fields
    };
    let send = |fields: Vec<(String, String)>| fields;
    let theirs = send(fields("Shop", "", &seen));
    let pairs: Vec<_> = theirs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let saved = marcs.send(&path, &pairs).await;
    saved.says(200, "Saved.");

    let mine = fields("CRM new", "192.0.2.0/24", &seen);
    let pairs: Vec<_> = mine
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let conflict = sophie.post(&path, &pairs).await;
    conflict.says(409, "Changed by marc");
    for words in ["Shop", "CRM new", "192.0.2.0/24", "Show theirs", "Keep mine"] {
        conflict.says(409, words);
    }
    assert!(!conflict.text().contains("May"), "what is alike is not told");
    assert_eq!(now(&site, device.id).await.device.label, "Shop");
    // Keeping mine sends all that was typed, with the present revision.
    let revision = conflict.field("revision").unwrap();
    assert_ne!(revision, seen);
    assert_eq!(conflict.field("networks").as_deref(), Some("192.0.2.0/24"));
    let mine = fields("CRM new", "192.0.2.0/24", &revision);
    let pairs: Vec<_> = mine
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    sophie.send(&path, &pairs).await.says(200, "Saved.");
    assert_eq!(now(&site, device.id).await.device.label, "CRM new");
    let same = sophie.get(&path).await.field("revision").unwrap();
    let mine = fields("CRM new", "192.0.2.0/24", &same);
    let pairs: Vec<_> = mine
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    sophie.send(&path, &pairs).await.says(200, "Nothing was changed.");
}

#[tokio::test]
async fn an_end_that_was_not_touched_stays_where_it_is() {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    let noon = site.clock.utc().plus(Duration::from_secs(40 * 60 * 60));
    let spec = crate::directory::DeviceSpec {
        label: "CRM".to_owned(),
        expires_at: Some(noon),
        ..crate::directory::DeviceSpec::default()
    };
    let device = site
        .directory()
        .add_device(&site.machine, "contact@example.org", spec)
        .await
        .unwrap()
        .0;
    let path = site.at(&format!("devices/{}/edit", device.id));
    let mut sophie = site.sophie().await;
    let page = sophie.get(&path).await;
    let (day, revision) = (page.field("expires_on").unwrap(), page.field("revision").unwrap());
    let fields = [
        ("name", "Shop"),
        ("scope", "imap"),
        ("scope", "smtp"),
        ("expires", "on"),
        ("expires_on", &day),
        ("revision", &revision),
    ];
    sophie.send(&path, &fields).await.says(200, "Saved.");
    assert_eq!(now(&site, device.id).await.device.expires_at, Some(noon));
    let _ = mailbox;
}

#[tokio::test]
async fn ending_a_device_says_how_many_connections_closed() {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    let device = site.device(&mailbox, "Anna's iPhone", None).await;
    let other = site.device(&mailbox, "CRM", None).await;
    let _live = [Protocol::Imap, Protocol::Smtp].map(|by| connect(&site, &mailbox, &device, by));
    let kept = connect(&site, &mailbox, &other, Protocol::Imap);
    let of_device = |rest: &str| site.at(&format!("devices/{}{rest}", device.id));
    let mut sophie = site.sophie().await;
    let question = sophie.get(&of_device("/disconnect")).await;
    question.says(200, "“Anna's iPhone” is disconnected, and its 2 connections end.");
    assert!(!question.text().contains("It is the last device"));
    let done = sophie.send(&of_device("/disconnect"), &[]).await;
    done.says(200, "“Anna's iPhone” disconnected. 2 connections closed in");
    done.says(200, "Add it again");
    let told: Vec<_> = site.registry.sessions().iter().map(|session| session.id).collect();
    assert!(told.contains(&kept.id()));
    assert!(matches!(
        now(&site, device.id).await.device.state,
        DeviceState::Revoked(_)
    ));
    sophie.send(&of_device("/resume"), &[]).await.says(200, "revoked");
    let question = sophie.get(&site.at(&format!("devices/{}/disconnect", other.id))).await;
    question.says(
        200,
        "It is the last device: nothing can then read or send as contact@example.org.",
    );
}

#[tokio::test]
async fn a_pause_ends_connections_and_a_resumption_brings_the_password_back() {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    let device = site.device(&mailbox, "Laptop", None).await;
    let _live = connect(&site, &mailbox, &device, Protocol::Imap);
    let of_device = |rest: &str| site.at(&format!("devices/{}{rest}", device.id));
    let mut sophie = site.sophie().await;
    sophie
        .send(&of_device("/pause"), &[])
        .await
        .says(200, "“Laptop” paused. 1 connection closed in");
    assert!(matches!(
        now(&site, device.id).await.device.state,
        DeviceState::Paused(_)
    ));
    sophie
        .send(&of_device("/resume"), &[])
        .await
        .says(200, "“Laptop” works again.");
    assert_eq!(now(&site, device.id).await.device.state, DeviceState::Active);
    let replaced = sophie.post(&of_device("/replace"), &[]).await;
    replaced.says(200, "New password for “Laptop”");
    assert!(password(&replaced).is_some());
}

#[tokio::test]
async fn all_devices_of_a_mailbox_are_disconnected_and_none_that_came_later() {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    let shown = [
        site.device(&mailbox, "One", None).await,
        site.device(&mailbox, "Two", None).await,
    ];
    let _live = connect(&site, &mailbox, &shown[0], Protocol::Imap);
    let path = site.at(&format!("mailboxes/{}/devices/revoke-all", mailbox.id));
    let mut sophie = site.sophie().await;
    let question = sophie.get(&path).await;
    question.says(200, "Disconnect 2 devices");
    let later = site.device(&mailbox, "Three", None).await;
    let ids: Vec<_> = shown.iter().map(|device| device.id.to_string()).collect();
    assert!(ids.iter().all(|id| question.body.contains(id)));
    let fields: Vec<_> = ids.iter().map(|id| ("device", id.as_str())).collect();
    let done = sophie.send(&path, &fields).await;
    done.says(
        200,
        "2 devices of contact@example.org disconnected. 1 connection closed in",
    );
    assert_eq!(now(&site, later.id).await.device.state, DeviceState::Active);
}

fn used_once(device: DeviceId, at: Timestamp) -> DeviceUse {
    let ip: std::net::IpAddr = PEER.parse().unwrap();
    DeviceUse {
        device,
        network: ip.into(),
        since: at,
        usage: Use {
            at,
            ip,
            protocol: Protocol::Imap,
            client: None,
        },
    }
}

#[tokio::test]
async fn lists_are_filtered_searched_and_paged() {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    for number in 0..60 {
        site.device(&mailbox, &format!("Device {number:02}"), None).await;
    }
    let used = site
        .directory()
        .find_device("contact@example.org/Device 07")
        .await
        .unwrap();
    let at = site.clock.utc();
    let once = used_once(used.id, at);
    site.store.record_uses(&[once]).await.unwrap();
    let paused = site
        .directory()
        .find_device("contact@example.org/Device 08")
        .await
        .unwrap();
    site.directory().pause_device(&site.machine, &paused).await.unwrap();
    let live = connect(&site, &mailbox, &used, Protocol::Imap);
    let mut sophie = site.sophie().await;
    let rows = |answer: &Answer| answer.body.matches("class=\"row-link\"").count();
    for list in [
        site.at("devices"),
        site.at(&format!("mailboxes/{}/devices", mailbox.id)),
    ] {
        let mut answer = sophie.get(&list).await;
        assert_eq!(rows(&answer), 50, "{list}");
        let next = answer
            .body
            .split("rel=\"next\"")
            .next()
            .unwrap()
            .rsplit("href=\"")
            .next()
            .unwrap();
        let next = next.split('"').next().unwrap().replace("&#38;", "&");
        answer = sophie.get(&next).await;
        assert_eq!(rows(&answer), 10, "{next}");
        answer.says(200, "Back to the beginning");
        for (show, count) in [
            ("live", 1),
            ("never", 50),
            ("paused", 1),
            ("revoked", 0),
            ("silent", 0),
            ("soon", 0),
        ] {
            let answer = sophie.get(&format!("{list}?show={show}")).await;
            assert_eq!(rows(&answer), count, "{list} {show}");
            assert_eq!(answer.text().contains("Nothing matches."), count == 0, "{show}");
        }
        assert_eq!(rows(&sophie.get(&format!("{list}?q=device+1")).await), 10, "{list}");
        assert_eq!(rows(&sophie.get(&format!("{list}?q={PEER}")).await), 1, "by address");
        assert_eq!(rows(&sophie.get(&format!("{list}?q=08&show=live")).await), 0);
    }
    drop(live);
    site.clock.advance(Duration::from_secs(92 * 24 * 60 * 60));
    let mut sophie = site.sophie().await;
    assert_eq!(rows(&sophie.get(&site.at("devices?show=silent")).await), 1);
    assert_eq!(rows(&sophie.get(&site.at("devices?show=live")).await), 0);
}

/// A mailbox with an iPhone whose old password is still tried, a revoked laptop that still tries, and a revoked device that
/// is quiet.
async fn knocking_site() -> (Site, Mailbox, Device, Device) {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    let phone = site.device(&mailbox, "iPhone", Some(site.sophie.id)).await;
    let gone = site.device(&mailbox, "Old laptop", None).await;
    let quiet = site.device(&mailbox, "Quiet", None).await;
    let credentials = match site.store.resolve_login(&mailbox.address).await.unwrap() {
        Resolved::Mailbox(found) => found.credentials,
        other => panic!("{other:?}"),
    };
    site.directory().replace_device(&site.machine, &phone).await.unwrap();
    for device in [&gone, &quiet] {
        site.directory().revoke_device(&site.machine, device).await.unwrap();
    }
    let last = |seconds| Use {
        at: site.clock.utc().plus(Duration::from_secs(seconds)),
        ip: PEER.parse().unwrap(),
        protocol: Protocol::Imap,
        client: None,
    };
    let knocks = |device: &Device, tries, seconds| {
        let credential = credentials.iter().find(|one| one.device.id == device.id).unwrap().id;
        let knocking = Knocking {
            tries,
            since: site.clock.utc(),
            last: last(seconds),
        };
        Knocks { credential, knocking }
    };
    let written = [knocks(&phone, 212, 60), knocks(&gone, 1, 90)];
    site.store.record_knocks(&written).await.unwrap();
    site.clock.advance(Duration::from_secs(120));
    (site, mailbox, phone, gone)
}

#[tokio::test]
async fn an_old_password_that_is_still_tried_stands_in_lists_and_at_the_device() {
    let (site, mailbox, phone, gone) = knocking_site().await;
    let mut sophie = site.sophie().await;
    let of_mailbox = site.at(&format!("mailboxes/{}/devices", mailbox.id));
    for list in [site.at("devices"), of_mailbox.clone()] {
        let all = sophie.get(&list).await;
        all.says(200, "old password still tries (× 212, last 1 minute ago)");
        all.says(200, "old password still tries, just now");
        assert_eq!(
            all.body.matches("class=\"over\"").count(),
            2,
            "revoked ones stay: {}",
            all.text()
        );
        let knocking = sophie.get(&format!("{list}?show=knocking")).await;
        let place = |name: &str| knocking.body.find(name).unwrap_or(usize::MAX);
        assert!(place("Old laptop") < place("iPhone") && place("iPhone") < usize::MAX);
        assert_eq!(knocking.body.matches("class=\"row-link\"").count(), 2);
    }
    let page = async |device: &Device| {
        site.sophie()
            .await
            .get(&site.at(&format!("devices/{}", device.id)))
            .await
    };
    let of_phone = page(&phone).await;
    for words in [
        "An old password of this device still tries since",
        ": 212 times, last 1 minute ago from 198.51.100.7 by IMAP.",
    ] {
        of_phone.says(200, words);
    }
    page(&gone).await.says(200, "The password of this device was tried just now, from 198.51.100.7 by IMAP. It does no harm; remove the account there");
    sophie
        .get("/me")
        .await
        .says(200, "old password still tries (× 212, last 1 minute ago)");
    let todo = sophie.get(&site.at("")).await;
    todo.says(200, "2 old passwords are still tried");
    assert!(todo.body.contains("devices?show=knocking"), "{}", todo.body);
}

#[tokio::test]
async fn devices_that_ended_are_in_sight_for_a_while() {
    let (site, mailbox, phone, _) = knocking_site().await;
    let mut sophie = site.sophie().await;
    let of_mailbox = site.at(&format!("mailboxes/{}/devices", mailbox.id));
    // Who only has ended devices has none: that is said first.
    site.directory().revoke_device(&site.machine, &phone).await.unwrap();
    let ended = sophie.get(&of_mailbox).await;
    ended.says(200, "No device can read or send as contact@example.org.");
    assert_eq!(ended.body.matches("class=\"over\"").count(), 3);

    site.clock.advance(crate::store::RETIRED_KEPT);
    let later = site.sophie().await.get(&of_mailbox).await;
    assert_eq!(
        later.body.matches("class=\"over\"").count(),
        0,
        "after 90 days they are out of sight"
    );
    let revoked = site.sophie().await.get(&format!("{of_mailbox}?show=revoked")).await;
    assert_eq!(revoked.body.matches("class=\"over\"").count(), 3);
}

#[tokio::test]
async fn a_device_that_was_not_seen_yet_says_what_to_check() {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    let device = site.device(&mailbox, "Laptop", None).await;
    let path = site.at(&format!("devices/{}", device.id));
    let mut sophie = site.sophie().await;
    sophie
        .get(&path)
        .await
        .says(200, "Not seen yet. Waiting for the first sign-in");
    site.clock.advance(Duration::from_secs(61));
    sophie
        .get(&path)
        .await
        .says(200, "Check server mail.example.org, port 993.");
    let _live = connect(&site, &mailbox, &device, Protocol::Imap);
    let text = sophie.get(&path).await.text();
    assert!(
        !text.contains("First sign-in Not seen") && !text.contains("has not reached us"),
        "{text}"
    );
    sophie.get(&path).await.says(200, "Thunderbird");
}
