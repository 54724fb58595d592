//! People: roles, access, invitations, and what ends with each.

use std::time::Duration;

use super::*;
use crate::directory::letter::Letter;
use crate::model::{DeviceId, DeviceState, Role};
use crate::store::InvitationQuery;

#[tokio::test]
async fn withdrawing_access_shows_what_ends_and_ends_exactly_that() {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    let lucie = site.member("lucie", Role::Member).await;
    site.grant(&mailbox, &lucie, Rights::ALL).await;
    let hers = site.device(&mailbox, "Lucie's iPhone", Some(lucie.id)).await;
    let crm = site.device(&mailbox, "CRM", None).await;
    let live = [
        connect(&site, &mailbox, &hers, Protocol::Imap),
        connect(&site, &mailbox, &crm, Protocol::Smtp),
    ];
    let _browser = site.signed_in(&lucie).await;
    let path = site.at(&format!("mailboxes/{}/people/{}/withdraw", mailbox.id, lucie.id));
    let mut sophie = site.sophie().await;
    let question = sophie.get(&path).await;
    question.says(200, "Withdraw the access of lucie to contact@example.org?");
    question.says(200, "“Lucie's iPhone” is disconnected, and its connection ends.");
    question.says(200, "Wherever lucie is signed in, this is gone at once.");
    assert!(!question.text().contains("CRM"));
    let done = sophie.send(&path, &[]).await;
    done.says(
        200,
        "lucie no longer has access to contact@example.org. 1 device disconnected. 1 connection closed in",
    );
    assert!(matches!(
        now(&site, hers.id).await.device.state,
        DeviceState::Revoked(_)
    ));
    assert_eq!(now(&site, crm.id).await.device.state, DeviceState::Active);
    drop(live);
    sophie.get(&path).await.says(404, "There is nothing here");
}

#[tokio::test]
async fn removing_somebody_shows_what_ends_and_names_what_is_left_alone() {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    let lucie = site.member("lucie", Role::Member).await;
    site.grant(&mailbox, &lucie, Rights::ALL).await;
    let hers = site.device(&mailbox, "Lucie's iPhone", Some(lucie.id)).await;
    let _live = connect(&site, &mailbox, &hers, Protocol::Imap);
    let lucies = site.signed_in(&lucie).await;
    let of_lucie = |rest: &str| site.at(&format!("people/{}{rest}", lucie.id));
    let mut sophie = site.sophie().await;
    let page = sophie.get(&of_lucie("")).await;
    page.says(200, "lucie loses access to 1 mailbox. 1 device is disconnected.");
    page.says(200, "1 mailbox is left without any person.");
    let question = sophie.get(&of_lucie("/remove")).await;
    for words in [
        "lucie is no longer a member of Acme.",
        "“Lucie's iPhone” on contact@example.org is disconnected, and its connection ends.",
        // Whether she is signed in, and belongs elsewhere, is not told.
        "Wherever lucie is signed in, this is gone at once.",
        "contact@example.org, but nobody will have access to it.",
    ] {
        question.says(200, words);
    }
    assert!(!question.text().contains("browser"));
    assert_eq!(question.field("revision").as_deref(), Some("member"));
    // Whoever says nothing of what they saw is shown the question.
    sophie
        .send(&of_lucie("/remove"), &[])
        .await
        .says(200, "Remove lucie from Acme?");
    let done = sophie.send(&of_lucie("/remove"), &[("revision", "member")]).await;
    done.says(
        200,
        "lucie no longer belongs to Acme. 1 device disconnected. 1 connection closed in",
    );
    let mut lucies = lucies;
    let refused = lucies.get(&site.at("")).await;
    assert!(matches!(refused.status.as_u16(), 303 | 404), "{}", refused.text());
}

#[tokio::test]
async fn one_owner_always_remains() {
    let site = Site::new().await;
    let mut sophie = site.sophie().await;
    let me = |rest: &str| site.at(&format!("people/{}{rest}", site.sophie.id));
    let page = sophie.get(&me("")).await;
    page.says(200, "One owner must remain.");
    assert!(!page.body.contains("/remove\""));
    let fields = [("role", "member"), ("revision", "owner")];
    sophie
        .post(&me("/role"), &fields)
        .await
        .says(422, "One owner must remain.");
    sophie
        .send(&me("/remove"), &[("revision", "owner")])
        .await
        .says(200, "One owner must remain.");
    // Administrators are not offered what only owners may.
    let marc = site.member("marc", Role::Administrator).await;
    let mut marcs = site.signed_in(&marc).await;
    let lucie = site.member("lucie", Role::Member).await;
    let page = marcs.get(&site.at(&format!("people/{}/role", lucie.id))).await;
    assert!(
        page.text().contains("Auditor") && !page.body.contains("value=\"owner\""),
        "{}",
        page.text()
    );
    marcs.get(&me("/role")).await.says(403, "Sophie can.");
}

#[tokio::test]
async fn a_role_is_changed_from_what_was_seen() {
    let site = Site::new().await;
    let lucie = site.member("lucie", Role::Member).await;
    let path = site.at(&format!("people/{}/role", lucie.id));
    let mut sophie = site.sophie().await;
    assert_eq!(sophie.get(&path).await.field("revision").as_deref(), Some("member"));
    let (directory, machine, org) = (site.directory(), &site.machine, site.acme.id);
    directory
        .set_role(machine, org, lucie.id, Role::Member, Role::Auditor)
        .await
        .unwrap();
    let conflict = sophie
        .post(&path, &[("role", "mailbox-manager"), ("revision", "member")])
        .await;
    conflict.says(409, "Changed by root");
    conflict.says(409, "Mailbox manager");
    assert_eq!(conflict.field("revision").as_deref(), Some("auditor"));
    sophie
        .send(&path, &[("role", "mailbox-manager"), ("revision", "auditor")])
        .await
        .says(200, "Saved.");
    sophie
        .send(&path, &[("role", "mailbox-manager"), ("revision", "mailbox-manager")])
        .await
        .says(200, "Nothing was changed.");
    sophie
        .post(&path, &[("role", "king"), ("revision", "mailbox-manager")])
        .await
        .says(422, "Please choose.");
}

#[tokio::test]
async fn somebody_whose_role_is_another_one_by_now_is_not_removed() {
    let site = Site::new().await;
    let lucie = site.member("lucie", Role::Member).await;
    let path = site.at(&format!("people/{}/remove", lucie.id));
    let mut sophie = site.sophie().await;
    sophie.get(&path).await.says(200, "Remove lucie from Acme?");
    site.directory()
        .set_role(&site.machine, site.acme.id, lucie.id, Role::Member, Role::Administrator)
        .await
        .unwrap();
    let told = sophie.send(&path, &[("revision", "member")]).await;
    told.says(200, "Nothing was changed: lucie got another role meanwhile.");
    assert_eq!(told.field("revision").as_deref(), Some("administrator"));
    sophie
        .send(&path, &[("revision", "administrator")])
        .await
        .says(200, "lucie no longer belongs to Acme.");
}

#[tokio::test]
async fn a_role_that_takes_devices_along_says_which_before() {
    let site = Site::new().await;
    let (contact, sales) = (site.mailbox("contact").await, site.mailbox("sales").await);
    let marc = site.member("marc", Role::MailboxManager).await;
    site.grant(&sales, &marc, Rights::ALL).await;
    let his = site.device(&contact, "Marc's iPhone", Some(marc.id)).await;
    let granted = site.device(&sales, "Marc's iPad", Some(marc.id)).await;
    let _live = connect(&site, &contact, &his, Protocol::Imap);
    let path = site.at(&format!("people/{}/role", marc.id));
    let mut sophie = site.sophie().await;
    let fields = [("role", "auditor"), ("revision", "mailbox-manager")];
    let question = sophie.post(&path, &fields).await;
    for words in [
        "Change the role of marc?",
        "As Auditor, marc no longer reaches every mailbox.",
        "“Marc's iPhone” on contact@example.org is disconnected, and its connection ends.",
        "What marc was given access to, with their devices there.",
    ] {
        question.says(200, words);
    }
    assert!(!question.text().contains("iPad"), "{}", question.text());
    let find = async |id: DeviceId| site.directory().find_device(&id.to_string()).await.unwrap();
    assert_eq!(find(his.id).await.state, DeviceState::Active, "a question ends nothing");

    let sure = [&fields[..], &[("sure", "yes")]].concat();
    let done = sophie.send(&path, &sure).await;
    done.says(
        200,
        "marc has another role now. 1 device disconnected. 1 connection closed in",
    );
    assert!(matches!(find(his.id).await.state, DeviceState::Revoked(_)));
    assert_eq!(find(granted.id).await.state, DeviceState::Active);
}

#[tokio::test]
async fn power_is_given_with_a_fresh_proof_only_and_the_form_comes_back_filled() {
    let site = Site::new().await;
    let lucie = site.member("lucie", Role::Member).await;
    let path = site.at(&format!("people/{}/role", lucie.id));
    let mut sophie = site.sophie().await;
    site.clock.advance(Duration::from_secs(11 * 60));
    sophie
        .send(&path, &[("role", "auditor"), ("revision", "member")])
        .await
        .says(200, "Saved.");
    let asked = sophie
        .post(&path, &[("role", "administrator"), ("revision", "auditor")])
        .await;
    let place = asked.location().unwrap().to_owned();
    assert!(place.starts_with("/step-up?next="), "{place}");
    let next = sophie.get(&place).await.field("next").unwrap().replace("&#38;", "&");
    let back = sophie
        .send("/step-up", &[("password", PASSWORD), ("next", &next)])
        .await;
    back.says(200, "Role of lucie");
    let chosen = back.body.split("value=\"administrator\"").nth(1).unwrap();
    assert!(chosen.starts_with(" checked"), "{}", &chosen[..40]);
    sophie
        .send(&path, &[("role", "administrator"), ("revision", "auditor")])
        .await
        .says(200, "Saved.");

    site.clock.advance(Duration::from_secs(11 * 60));
    let invite = [
        ("address", "new@private.example"),
        ("role", "administrator"),
        ("ends", ""),
        ("send", "mail"),
    ];
    let asked = sophie.post(&site.at("invitations/new"), &invite).await;
    let place = asked.location().unwrap().to_owned();
    let next = sophie.get(&place).await.field("next").unwrap().replace("&#38;", "&");
    let back = sophie
        .send("/step-up", &[("password", PASSWORD), ("next", &next)])
        .await;
    assert_eq!(back.field("address").as_deref(), Some("new@private.example"));
}

#[tokio::test]
async fn access_is_given_changed_and_conflicts_are_shown() {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    let lucie = site.member("lucie", Role::Member).await;
    let of_mailbox = |rest: &str| site.at(&format!("mailboxes/{}/people{rest}", mailbox.id));
    let person = lucie.id.to_string();
    let mut sophie = site.sophie().await;
    sophie
        .get(&of_mailbox("/new"))
        .await
        .says(200, "lucie (lucie@private.example)");
    let nobody = sophie.post(&of_mailbox("/new"), &[("ends", "2020-01-01")]).await;
    for words in [
        "Choose a person, or",
        "Tick at least one right.",
        "Choose a day to come.",
    ] {
        nobody.says(422, words);
    }
    assert_eq!(nobody.field("ends").as_deref(), Some("2020-01-01"));
    let end = crate::clock::Timestamp(START.0 + 30 * 24 * 60 * 60 * 1000).day();
    let fields = [
        ("person", person.as_str()),
        ("rights", "see-devices"),
        ("rights", "send-as"),
        ("ends", &end),
    ];
    let given = sophie.send(&of_mailbox("/new"), &fields).await;
    given.says(200, "lucie has access to contact@example.org.");
    sophie
        .post(&of_mailbox("/new"), &fields)
        .await
        .says(422, "This person has access already.");

    let one = of_mailbox(&format!("/{person}"));
    let page = sophie.get(&one).await;
    assert_eq!(page.field("ends").as_deref(), Some(end.as_str()));
    let seen = page.field("revision").unwrap();
    let change = [("rights", "manage-devices"), ("ends", ""), ("revision", seen.as_str())];
    sophie.send(&one, &change).await.says(200, "Saved.");
    let late = [
        ("rights", "manage-aliases"),
        ("ends", end.as_str()),
        ("revision", seen.as_str()),
    ];
    let conflict = sophie.post(&one, &late).await;
    conflict.says(409, "manage all devices");
    conflict.says(409, "manage aliases");
    conflict.says(409, &end);
    let fresh = conflict.field("revision").unwrap();
    let kept = [
        ("rights", "manage-aliases"),
        ("ends", end.as_str()),
        ("revision", fresh.as_str()),
    ];
    sophie.send(&one, &kept).await.says(200, "Saved.");
    let again = sophie.get(&one).await.field("revision").unwrap();
    let same = [
        ("rights", "manage-aliases"),
        ("ends", end.as_str()),
        ("revision", again.as_str()),
    ];
    sophie.send(&one, &same).await.says(200, "Nothing was changed.");
    sophie
        .post(&one, &[("revision", again.as_str())])
        .await
        .says(422, "Tick at least one right.");
}

#[tokio::test]
async fn somebody_who_is_not_here_yet_is_invited_to_a_mailbox_and_then_a_device_follows() {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    let path = site.at(&format!("mailboxes/{}/people/new", mailbox.id));
    let mut sophie = site.sophie().await;
    let fields = [
        ("address", "lucie@private.example"),
        ("rights", "add-own-devices"),
        ("language", "fr"),
        ("then", "device"),
    ];
    let invited = sophie.send(&path, &fields).await;
    invited.says(200, "The invitation to lucie@private.example is on its way.");
    invited.says(200, "What is it?");
    let letters = site.letters.take();
    assert!(letters.iter().any(|(to, letter)| {
        to.address.as_str() == "lucie@private.example"
            && matches!(letter, Letter::Invitation { grants, .. } if grants.len() == 1)
    }));
    let page = sophie.get(&site.at(&format!("mailboxes/{}/people", mailbox.id))).await;
    page.says(200, "lucie@private.example invited, not here yet");
    sophie
        .post(&path, &[("address", "nobody"), ("rights", "send-as")])
        .await
        .says(422, "Write a whole address");
    // A member who is named by the address is no guest.
    let marc = site.member("marc", Role::Member).await;
    let fields = [("address", marc.address.as_str()), ("rights", "see-devices")];
    sophie
        .send(&path, &fields)
        .await
        .says(200, "marc has access to contact@example.org.");
    assert!(
        !site
            .letters
            .take()
            .iter()
            .any(|(_, letter)| matches!(letter, Letter::Invitation { .. }))
    );
}

#[tokio::test]
async fn a_link_is_shown_once_where_it_was_asked_for_and_where_no_mail_goes_out() {
    let silent = Site::with(Wish {
        sends_mail: false,
        ..Wish::default()
    });
    for (site, send) in [(Site::new().await, "link"), (silent.await, "mail")] {
        let mailbox = site.mailbox("contact").await.id.to_string();
        let mut sophie = site.sophie().await;
        let path = site.at("invitations/new");
        let fields = [
            ("address", "lucie@private.example"),
            ("role", "member"),
            ("mailbox", &mailbox),
            ("rights", "send-as"),
            ("send", send),
        ];
        let made = sophie.post(&path, &fields).await;
        made.says(200, "You will not see this again.");
        assert_eq!(made.headers["cache-control"], "no-store");
        let link = made.body.split("<code>").nth(1).unwrap().split('<').next().unwrap();
        assert!(
            link.starts_with("https://manager.example.org/invitation/psi_"),
            "{link}"
        );
        let newest = InvitationQuery {
            limit: 1,
            ..InvitationQuery::default()
        };
        let id = site.directory().invitations(site.acme.id, &newest).await.unwrap().rows[0].id;
        let page = sophie.get(&site.at(&format!("invitations/{id}"))).await;
        assert!(!page.body.contains("psi_"));
        page.says(200, "contact@example.org send as");
        sophie.post(&path, &fields).await.says(422, "lucie@private.example");

        let again = sophie
            .post(&site.at(&format!("invitations/{id}/resend")), &[("send", "link")])
            .await;
        let other = again.body.split("<code>").nth(1).unwrap().split('<').next().unwrap();
        assert_ne!(link, other);
        let withdrawn = sophie.send(&site.at(&format!("invitations/{id}/withdraw")), &[]).await;
        withdrawn.says(200, "The invitation of lucie@private.example was withdrawn.");
        sophie
            .send(&site.at(&format!("invitations/{id}/resend")), &[("send", "link")])
            .await
            .says(200, "withdrawn");
        assert!(site.letters.take().is_empty());
    }
}

#[tokio::test]
async fn an_invitation_form_says_what_is_wrong_and_loses_nothing() {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await.id.to_string();
    let mut sophie = site.sophie().await;
    let path = site.at("invitations/new");
    let fields = [
        ("address", "lucie"),
        ("role", "member"),
        ("mailbox", mailbox.as_str()),
        ("ends", "2020-01-01"),
        ("send", "mail"),
    ];
    let wrong = sophie.post(&path, &fields).await;
    wrong.says(422, "Tick at least one right.");
    wrong.says(422, "Choose a day to come.");
    assert_eq!(wrong.field("address").as_deref(), Some("lucie"));
    assert!(wrong.body.contains(&format!("value=\"{mailbox}\" checked")));
    let bad = sophie.post(&path, &[("address", "lucie"), ("role", "member")]).await;
    bad.says(422, "Write a whole address");
    sophie.post(&path, &[("role", "")]).await.says(422, "Please choose.");
    let own = sophie
        .send(
            &path,
            &[("address", "info@example.org"), ("role", "member"), ("send", "mail")],
        )
        .await;
    own.says(200, "If this mailbox is deleted, they lose this sign-in.");
    let list = sophie.get(&site.at("invitations?q=info")).await;
    list.says(200, "info@example.org");
    sophie
        .get(&site.at("invitations?q=nobody"))
        .await
        .says(200, "Nothing matches.");
}

#[tokio::test]
async fn access_is_given_after_a_fresh_proof_and_what_was_meant_is_told() {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    let lucie = site.member("lucie", Role::Member).await;
    let path = site.at(&format!("mailboxes/{}/people/new", mailbox.id));
    let mut sophie = site.sophie().await;
    site.clock.advance(Duration::from_secs(11 * 60));
    let led = format!("/step-up?next={}", path.replace('/', "%2F"));
    sophie.get(&path).await.leads_to(&led);
    sophie
        .get(&led)
        .await
        .says(200, "To give access to contact@example.org");
    let id = lucie.id.to_string();
    let fields = [("person", id.as_str()), ("rights", "see-devices")];
    sophie.post(&path, &fields).await.leads_to(&led);
    sophie
        .post("/step-up", &[("password", PASSWORD), ("next", &path)])
        .await
        .leads_to(&path);
    sophie.send(&path, &fields).await.says(200, "contact@example.org");
    let people = sophie.get(&site.at(&format!("mailboxes/{}/people", mailbox.id))).await;
    people.says(200, "lucie");
}
