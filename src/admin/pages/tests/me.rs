//! One's own mailboxes, devices and history.

use super::kit::*;
use crate::model::{DeviceState, Right, Rights, Role};
use crate::peer::Protocol;
use crate::revoke::SessionInfo;
use crate::store::GrantTerms;

fn right(right: Right) -> Rights {
    Rights::NONE.with(right)
}

#[tokio::test]
async fn somebody_sees_their_mailboxes_and_nothing_else() {
    let site = Site::new().await;
    let lucie = site.member("lucie", Role::Member).await;
    let mut browser = site.signed_in(&lucie).await;
    browser.get("/").await.leads_to("/me");
    browser
        .get("/me")
        .await
        .says(200, "You can sign in here, and see no mailbox yet.");
    let (contact, secret) = (site.mailbox("contact").await, site.mailbox("secret").await);
    site.grant(&contact, &lucie, right(Right::AddOwnDevices)).await;
    site.device(&contact, "Lucie's iPhone", Some(lucie.id)).await;
    site.device(&contact, "CRM", None).await;
    site.device(&secret, "Vault", None).await;
    let page = browser.get("/me").await;
    page.says(200, "contact@example.org");
    page.says(200, "Lucie's iPhone");
    for hidden in ["secret@", "Vault", "CRM", "not yours"] {
        assert!(!page.text().contains(hidden), "{hidden} is in {}", page.text());
    }
    assert!(
        page.body
            .contains(&site.at(&format!("mailboxes/{}/devices/new", contact.id)))
    );
    let terms = right(Right::SeeDevices);
    let ben = site.member("ben", Role::Member).await;
    site.grant(&contact, &ben, terms).await;
    let mut his = site.signed_in(&ben).await;
    let page = his.get("/me").await;
    page.says(200, "2 devices that are not yours");
    assert!(!page.body.contains("devices/new"), "he may see, and add none");
}

#[tokio::test]
async fn many_mailboxes_of_several_organisations_are_shown_page_by_page() {
    let site = Site::new().await;
    let lucie = site.member("lucie", Role::Member).await;
    let directory = site.directory();
    let zebra = directory.create_org(&site.machine, "Zebra").await.unwrap();
    directory
        .create_domain(&site.machine, &zebra, "zebra.example")
        .await
        .unwrap();
    let joined = site.store.add_member(&site.machine, zebra.id, lucie.id, Role::Member);
    joined.await.unwrap();
    let terms = GrantTerms {
        rights: right(Right::AddOwnDevices),
        ends_at: None,
    };
    let mut expected = Vec::new();
    for (org, domain, count) in [(site.acme.id, "example.org", 70), (zebra.id, "zebra.example", 35)] {
        for number in 0..count {
            let address = format!("box{number:03}@{domain}");
            let mailbox = directory.create_mailbox(&site.machine, &address).await.unwrap();
            site.store
                .give_grant(&site.machine, org, mailbox.id, lucie.id, &terms)
                .await
                .unwrap();
            expected.push(address);
        }
    }
    // On the last page, and still a device that can be lost.
    let last = site.directory().find_mailbox("box034@zebra.example").await.unwrap();
    site.device(&last, "Phone", Some(lucie.id)).await;
    let mut browser = site.signed_in(&lucie).await;
    let mut path = "/me".to_owned();
    let mut seen = Vec::new();
    for (rows, leads_on) in [(50, true), (50, true), (5, false)] {
        let page = browser.get(&path).await;
        page.says(200, "Lost a device?");
        let boxes = page.body.split("<h2><a href=").skip(1).map(|rest| {
            let name = rest.split("<bdi>").nth(1).unwrap();
            name.split('<').next().unwrap().to_owned()
        });
        let boxes: Vec<_> = boxes.collect();
        assert_eq!(boxes.len(), rows, "{path}");
        seen.extend(boxes);
        assert_eq!(page.body.contains("rel=\"next\""), leads_on);
        assert_eq!(page.text().contains("Back to the beginning"), path != "/me");
        let next = page
            .body
            .split("rel=\"next\"")
            .next()
            .unwrap()
            .rsplit("href=\"")
            .next()
            .unwrap();
        path = next.split('"').next().unwrap().replace("&#38;", "&");
    }
    assert_eq!(seen, expected);
    // A place that is none, or in an organisation that is not theirs, is the beginning.
    for after in ["nonsense", "org-0000000000009/box050@example.org", "%2F"] {
        browser
            .get(&format!("/me?after={after}"))
            .await
            .says(200, "box000@example.org");
    }
}

#[tokio::test]
async fn a_lost_device_is_paused_and_its_connections_end() {
    let site = Site::new().await;
    let lucie = site.member("lucie", Role::Member).await;
    let contact = site.mailbox("contact").await;
    site.grant(&contact, &lucie, right(Right::AddOwnDevices)).await;
    let phone = site.device(&contact, "Lucie's iPhone", Some(lucie.id)).await;
    let crm = site.device(&contact, "CRM", None).await;
    let session = |device: &crate::model::Device| {
        site.registry.register(SessionInfo {
            device: device.id,
            label: device.label.as_str().into(),
            mailbox: contact.id,
            address: contact.address.clone(),
            protocol: Protocol::Imap,
            peer: "192.0.2.7".parse().unwrap(),
            client: None,
            since: START,
            expires_at: None,
            route: "default".into(),
            is_trial: false,
        })
    };
    let (_hers, _other) = (session(&phone), session(&crm));
    let mut browser = site.signed_in(&lucie).await;
    let page = browser.get("/me/lost").await;
    page.says(200, "Lucie's iPhone");
    assert!(!page.text().contains("CRM"));
    let answer = browser.send("/me/lost", &[("device", &phone.id.to_string())]).await;
    answer.says(
        200,
        "“Lucie's iPhone” is paused. Nobody can read your mail with it. 1 connection closed in",
    );
    let now = site.directory().find_device(&phone.id.to_string()).await.unwrap();
    assert!(matches!(now.state, DeviceState::Paused(_)));
    browser
        .get("/me/lost")
        .await
        .says(200, "None of your devices can sign in now.");
    // Nobody else's, and none that is not there.
    browser
        .post("/me/lost", &[("device", &crm.id.to_string())])
        .await
        .says(404, "There is nothing here");
    browser
        .post("/me/lost", &[("device", "nonsense")])
        .await
        .says(404, "There is nothing here");
}

#[tokio::test]
async fn somebody_sees_what_they_did_page_by_page() {
    let site = Site::new().await;
    let mut browser = site.sophie().await;
    for number in 0..60 {
        let name = format!("Sophie {number}");
        browser
            .post(
                "/me/account",
                &[("name", &name), ("language", "en"), ("theme", "system")],
            )
            .await;
    }
    let first = browser.get("/me/activity").await;
    first.says(200, "My activity");
    let next = first
        .body
        .split("href=\"/me/activity?before=")
        .nth(1)
        .expect("a second page");
    let before = next.split('"').next().unwrap();
    let second = browser.get(&format!("/me/activity?before={before}")).await;
    second.says(200, "signed in");
    second.says(200, "Back to the beginning");
    browser
        .get("/me/activity?before=nonsense")
        .await
        .says(200, "My activity");
}
