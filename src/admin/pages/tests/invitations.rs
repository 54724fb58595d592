//! Accepting an invitation, in each way and at each time.

use std::time::Duration;

use super::kit::*;
use crate::directory::Invite;
use crate::model::{Address, InvitationId, Language, MailKind, OrgId, Right, Rights, Role};
use crate::store::{AfterFailure, GrantTerms, NewMail};

async fn invite(site: &Site, address: &str, role: Role) -> (String, InvitationId) {
    let contact = site.mailbox("contact").await;
    let rights = Rights::NONE.with(Right::SeeDevices).with(Right::AddOwnDevices);
    let invite = Invite {
        address: address.to_owned(),
        role,
        grants: vec![(contact.id, GrantTerms { rights, ends_at: None })],
        language: Language::English,
        invited_by: "Sophie".to_owned(),
    };
    let (invitation, link) = site
        .directory()
        .invite(&site.machine, site.acme.id, invite)
        .await
        .unwrap();
    (format!("/invitation/{}", link.shown().expose()), invitation.id)
}

const NEW: [(&str, &str); 4] = [
    ("action", "create"),
    ("name", "Lucie"),
    ("password", "nine blue marbles"),
    ("language", "en"),
];

async fn is_member(site: &Site, address: &str, org: OrgId) -> bool {
    let user = site.directory().find_user(address).await.unwrap();
    site.directory()
        .orgs_of(user.id)
        .await
        .unwrap()
        .iter()
        .any(|of| of.org.id == org)
}

#[tokio::test]
async fn somebody_new_accepts_and_is_signed_in() {
    let site = Site::new().await;
    let (path, _) = invite(&site, "lucie@private.example", Role::Member).await;
    let mut browser = site.browser();
    let page = browser.get(&path).await;
    page.says(200, "Sophie invites lucie@private.example to Acme.");
    page.says(200, "contact@example.org");
    page.says(200, "see devices, add own devices");
    let refused = browser
        .post(&path, &[("action", "create"), ("name", "Lucie"), ("password", "short")])
        .await;
    refused.says(422, "Use at least 12 characters.");
    assert_eq!(refused.field("name").as_deref(), Some("Lucie"));
    browser
        .post(&path, &[("action", "create"), ("password", "nine blue marbles")])
        .await
        .says(422, "Please fill this in.");
    let me = browser.send(&path, &NEW).await;
    me.says(200, "Welcome to Acme.");
    me.says(200, "contact@example.org");
    assert!(is_member(&site, "lucie@private.example", site.acme.id).await);
    browser.get("/me").await.says(200, "contact@example.org");
    assert!(
        !browser.get("/me").await.text().contains("Welcome to Acme."),
        "said once"
    );
}

#[tokio::test]
async fn an_existing_user_signs_in_and_accepts() {
    let site = Site::new().await;
    let lucie = site.user("lucie").await;
    let (path, _) = invite(&site, "lucie@private.example", Role::Administrator).await;
    let mut browser = site.browser();
    // The page of a stranger is the same whether the address is a user's or not.
    let page = browser.get(&path).await;
    page.says(200, "I have a sign-in here");
    page.says(200, "I am new here");
    browser
        .post(&path, &NEW)
        .await
        .leads_to(&format!("/sign-in?next={}&done=known", path.replace('/', "%2F")));
    browser
        .post(&path, &[("action", "accept")])
        .await
        .leads_to(&format!("/sign-in?next={}", path.replace('/', "%2F")));
    browser
        .get("/sign-in?done=known")
        .await
        .says(200, "You have a sign-in here already");
    let fields = [
        ("address", lucie.address.as_str()),
        ("password", PASSWORD),
        ("next", path.as_str()),
    ];
    browser.post("/sign-in", &fields).await.leads_to(&path);
    browser
        .get(&path)
        .await
        .says(200, "You are signed in as lucie (lucie@private.example).");
    browser
        .post(&path, &[("action", "accept")])
        .await
        .leads_to(&site.at(""));
    assert!(is_member(&site, "lucie@private.example", site.acme.id).await);
}

#[tokio::test]
async fn an_invitation_for_another_address_asks_to_sign_out_first() {
    let site = Site::new().await;
    site.user("ben").await;
    let (path, _) = invite(&site, "lucie@private.example", Role::Member).await;
    let ben = site.directory().find_user("ben@private.example").await.unwrap();
    let mut browser = site.signed_in(&ben).await;
    let words = "You are signed in as ben@private.example, but the invitation went to lucie@private.example.";
    browser.get(&path).await.says(200, words);
    browser.post(&path, &[("action", "accept")]).await.says(403, words);
    assert!(!is_member(&site, "ben@private.example", site.acme.id).await);
    browser.post("/sign-out", &[("next", &path)]).await.leads_to(&path);
    browser.get(&path).await.says(200, "I am new here");
}

#[tokio::test]
async fn each_reason_why_an_invitation_is_closed_has_its_page() {
    let site = Site::new().await;
    let mut browser = site.browser();
    browser
        .get("/invitation/psi_cut-off")
        .await
        .says(404, "There is no such invitation");

    let (used, _) = invite(&site, "lucie@private.example", Role::Member).await;
    browser.post(&used, &NEW).await;
    let mut stranger = site.browser();
    for answer in [stranger.get(&used).await, stranger.post(&used, &NEW).await] {
        answer.says(410, "This invitation has been used");
        answer.says(410, "by lucie@…. Not you? Ask Sophie for a new one.");
    }

    let (withdrawn, id) = invite(&site, "ben@private.example", Role::Member).await;
    site.directory()
        .withdraw_invitation(&site.machine, site.acme.id, id)
        .await
        .unwrap();
    stranger.get(&withdrawn).await.says(410, "Sophie took it back.");
    stranger
        .post(&withdrawn, &NEW)
        .await
        .says(410, "This invitation was withdrawn");

    let (declined, _) = invite(&site, "carla@private.example", Role::Member).await;
    stranger
        .get(&format!("{declined}/decline"))
        .await
        .says(200, "Decline the invitation?");
    stranger
        .post(&declined, &[("action", "decline")])
        .await
        .says(200, "You declined");
    for path in [declined.clone(), format!("{declined}/decline")] {
        stranger.get(&path).await.says(410, "You declined");
    }
    let list = site.sophie().await.get(&site.at("invitations")).await;
    let row = list.text();
    assert!(
        row.contains("carla@private.example") && row.contains("Declined"),
        "{row}"
    );

    let (late, _) = invite(&site, "dora@private.example", Role::Member).await;
    site.clock.advance(Duration::from_secs(8 * 24 * 60 * 60));
    stranger.get(&late).await.says(410, "This invitation has expired");
    stranger.post(&late, &NEW).await.says(410, "Ask Sophie for a new one.");
    stranger
        .post(&late, &[("action", "other")])
        .await
        .says(400, "This form cannot be read");
}

#[tokio::test]
async fn two_browsers_at_once_make_one_member() {
    let site = Site::new().await;
    let (path, _) = invite(&site, "lucie@private.example", Role::Member).await;
    let (mut one, mut two) = (site.browser(), site.browser());
    let (first, second) = tokio::join!(one.post(&path, &NEW), two.post(&path, &NEW));
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 410]);
}

/// Invites this address by mail.
async fn send(sophie: &mut Browser<'_>, site: &Site, address: &str) -> Answer {
    let fields = [
        ("address", address),
        ("role", "member"),
        ("ends", ""),
        ("language", "en"),
        ("send", "mail"),
    ];
    sophie.post(&site.at("invitations/new"), &fields).await
}

#[tokio::test]
async fn an_invitation_whose_mail_cannot_be_written_is_handed_over_as_a_link() {
    let site = Site::new().await;
    let mut sophie = site.sophie().await;
    site.letters.refuse(true);
    let made = send(&mut sophie, &site, "lucie@private.example").await;
    made.says(200, "no mail with it could be written. Pass its link on");
    let link = made
        .body
        .split("https://manager.example.org/invitation/")
        .nth(1)
        .unwrap();
    let link: String = link
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
        .collect();
    site.browser()
        .get(&format!("/invitation/{link}"))
        .await
        .says(200, "lucie@private.example");
    site.letters.refuse(false);
    let sent = send(&mut sophie, &site, "marc@private.example").await;
    sophie.follow(sent).await.says(200, "is on its way");
}

#[tokio::test]
async fn an_invitation_says_what_became_of_its_mail() {
    let site = Site::new().await;
    let mut sophie = site.sophie().await;
    // As after a crash between the invitation and its mail: the letter of this test never reaches the store.
    let made = send(&mut sophie, &site, "lucie@private.example").await;
    let page = made.location().unwrap().to_owned();
    let id: InvitationId = page.rsplit('/').next().unwrap().parse().unwrap();
    let looks = async |in_list: &str, on_page: &str| {
        let mut sophie = site.sophie().await;
        let list = sophie.get(&site.at("invitations")).await;
        list.says(200, in_list);
        sophie.get(&page).await.says(200, on_page);
    };
    looks(
        "Not sent",
        "No mail with this invitation went out. Pass its link on, or send it again below.",
    )
    .await;

    let mail = NewMail {
        kind: MailKind::Invitation,
        org: Some(site.acme.id),
        invitation: Some(id),
        link: None,
        recipient: Address::parse("lucie@private.example").unwrap(),
        language: Language::English,
        sealed: vec![1],
        useful_until: None,
    };
    site.store.put_mail(&mail).await.unwrap();
    looks("Being sent", "Being sent").await;
    let taken = async || {
        let due = site.store.take_due_mails(Duration::from_secs(60), 9).await.unwrap();
        due.into_iter().next().unwrap()
    };
    let due = taken().await;
    let refused = "550 5.1.1 <lucie> unknown";
    let ended = site
        .store
        .mail_failed(due.id, due.attempt, refused, AfterFailure::GiveUp)
        .await;
    assert!(ended.unwrap());
    looks("Not delivered", "The mail server said: 550 5.1.1 <lucie> unknown").await;
    let overview = site.sophie().await.get(&site.at("")).await;
    overview.says(200, "1 invitation could not be delivered");

    site.store.put_mail(&mail).await.unwrap();
    let due = taken().await;
    site.store.mail_sent(due.id).await.unwrap();
    looks("Sent", "It can be sent again").await;
    let overview = site.sophie().await.get(&site.at("")).await;
    assert!(
        !overview.text().contains("could not be delivered"),
        "{}",
        overview.text()
    );
}
