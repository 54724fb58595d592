//! What belongs to another organisation, and what one may not see, answers exactly like what is not there.

use super::*;
use crate::directory::Invite;
use crate::model::{Language, Role};
use crate::store::{AuditFilter, GrantTerms};

/// Ids of things, to be put into paths.
struct Ids {
    mailbox: String,
    device: String,
    alias: String,
    user: String,
    invitation: String,
    domain: String,
    number: String,
    session: String,
}

impl Ids {
    /// Ids that nothing has.
    fn unknown() -> Self {
        Self {
            mailbox: "mbx-0000000000007".to_owned(),
            device: "dev-0000000000007".to_owned(),
            alias: "als-0000000000007".to_owned(),
            user: "usr-0000000000007".to_owned(),
            invitation: "inv-0000000000007".to_owned(),
            domain: "dom-0000000000007".to_owned(),
            number: "999999".to_owned(),
            session: "999999".to_owned(),
        }
    }

    /// What is no id at all.
    fn nonsense() -> Self {
        let no = || "%27OR-1".to_owned();
        Self {
            mailbox: no(),
            device: no(),
            alias: no(),
            user: no(),
            invitation: no(),
            domain: no(),
            number: no(),
            session: no(),
        }
    }

    /// A path with these ids in it.
    fn fill(&self, path: &str) -> String {
        let ids = [
            ("{mailbox}", &self.mailbox),
            ("{device}", &self.device),
            ("{alias}", &self.alias),
            ("{user}", &self.user),
            ("{invitation}", &self.invitation),
            ("{domain}", &self.domain),
            ("{number}", &self.number),
            ("{session}", &self.session),
        ];
        ids.iter()
            .fold(path.to_owned(), |path, (name, id)| path.replace(name, id))
    }
}

/// Every page that is about one thing.
const PAGES: &[&str] = &[
    "mailboxes/{mailbox}",
    "mailboxes/{mailbox}/people",
    "mailboxes/{mailbox}/devices",
    "mailboxes/{mailbox}/aliases",
    "mailboxes/{mailbox}/activity",
    "mailboxes/{mailbox}/created",
    "mailboxes/{mailbox}/suspend",
    "mailboxes/{mailbox}/delete",
    "mailboxes/{mailbox}/people/new",
    "mailboxes/{mailbox}/people/{user}",
    "mailboxes/{mailbox}/people/{user}/withdraw",
    "mailboxes/{mailbox}/devices/new",
    "mailboxes/{mailbox}/devices/revoke-all",
    "mailboxes/{mailbox}/aliases/new",
    "mailboxes/{mailbox}/aliases/{alias}",
    "mailboxes/{mailbox}/aliases/{alias}/delete",
    "devices/{device}",
    "devices/{device}/edit",
    "devices/{device}/pause",
    "devices/{device}/disconnect",
    "devices/{device}/replace",
    "devices/{device}/password",
    "devices/{device}/link",
    "people/{user}",
    "people/{user}/role",
    "people/{user}/remove",
    "invitations/{invitation}",
    "invitations/{invitation}/withdraw",
    "domains/{domain}/remove",
    "activity/{number}",
    "sessions/{session}/end",
];

/// Every form that is about one thing.
const FORMS: &[&str] = &[
    "mailboxes/{mailbox}/suspend",
    "mailboxes/{mailbox}/resume",
    "mailboxes/{mailbox}/delete",
    "mailboxes/{mailbox}/people/new",
    "mailboxes/{mailbox}/people/{user}",
    "mailboxes/{mailbox}/people/{user}/withdraw",
    "mailboxes/{mailbox}/devices/new",
    "mailboxes/{mailbox}/devices/revoke-all",
    "mailboxes/{mailbox}/aliases/new",
    "mailboxes/{mailbox}/aliases/{alias}/delete",
    "devices/{device}/edit",
    "devices/{device}/pause",
    "devices/{device}/resume",
    "devices/{device}/disconnect",
    "devices/{device}/replace",
    "devices/{device}/test",
    "devices/{device}/link",
    "devices/{device}/link/withdraw",
    "devices/{device}/sessions/{session}/end",
    "people/{user}/role",
    "people/{user}/remove",
    "invitations/{invitation}/resend",
    "invitations/{invitation}/withdraw",
    "domains/{domain}/check",
    "domains/{domain}/remove",
];

/// Every form's fields together, filled in well: what is refused is refused for what it is about.
const FIELDS: &[(&str, &str)] = &[
    ("name", "Name"),
    ("scope", "imap"),
    ("expires", "never"),
    ("revision", "1"),
    ("role", "auditor"),
    ("rights", "send-as"),
    ("confirm", "foreign@other.example"),
    ("local", "alias"),
    ("domain", "example.org"),
    ("kind", "other"),
    ("send", "link"),
    ("password", "kqzm-xwdp-hpdt-vnrc"),
];

/// Things of another organisation, with one device connected.
async fn foreign(site: &Site) -> (Ids, LiveSession) {
    let (other, otto) = site.other_org().await;
    let (directory, machine) = (site.directory(), &site.machine);
    let domain = directory.create_domain(machine, &other, "other.example").await.unwrap();
    let mailbox = directory
        .create_mailbox(machine, "foreign@other.example")
        .await
        .unwrap();
    let alias = directory
        .create_alias(machine, "alias@other.example", "foreign@other.example")
        .await
        .unwrap();
    let device = site.device(&mailbox, "Foreign", None).await;
    let terms = GrantTerms {
        rights: Rights::ALL,
        ends_at: None,
    };
    directory
        .give_grant(machine, other.id, mailbox.id, otto.id, &terms)
        .await
        .unwrap();
    let invite = Invite {
        address: "guest@private.example".to_owned(),
        role: Role::Member,
        grants: Vec::new(),
        language: Language::English,
        invited_by: "Otto".to_owned(),
    };
    let invitation = directory.invite(machine, other.id, invite).await.unwrap().0;
    let live = connect(site, &mailbox, &device, Protocol::Imap);
    let newest = AuditFilter {
        org: Some(other.id),
        limit: 1,
        ..AuditFilter::default()
    };
    let rows = directory.audit(&newest).await.unwrap();
    let ids = Ids {
        mailbox: mailbox.id.to_string(),
        device: device.id.to_string(),
        alias: alias.id.to_string(),
        user: otto.id.to_string(),
        invitation: invitation.id.to_string(),
        domain: domain.id.to_string(),
        number: rows[0].number.to_string(),
        session: live.id().0.to_string(),
    };
    (ids, live)
}

/// What an answer says, without the id that was asked for.
fn said(answer: &Answer, path: &str) -> (u16, String, String) {
    let plain = answer.body.replace(path, "");
    let headers = format!("{:?}", answer.headers);
    (answer.status.as_u16(), plain, headers.replace(path, ""))
}

#[tokio::test]
async fn ids_of_another_organisation_answer_like_unknown_ones() {
    let site = Site::new().await;
    let (foreign, live) = foreign(&site).await;
    let mut sophie = site.sophie().await;
    let all = [foreign, Ids::unknown(), Ids::nonsense()];
    for (paths, is_form) in [(PAGES, false), (FORMS, true)] {
        for pattern in paths {
            let mut answers = Vec::new();
            for ids in &all {
                let path = site.at(&ids.fill(pattern));
                let answer = if is_form {
                    sophie.post(&path, FIELDS).await
                } else {
                    sophie.get(&path).await
                };
                assert_eq!(answer.status.as_u16(), 404, "{path}: {}", answer.text());
                answers.push(said(&answer, &path));
            }
            assert_eq!(answers[0], answers[1], "{pattern}");
            assert_eq!(answers[0], answers[2], "{pattern}");
        }
    }
    // A mailbox of one's own makes nothing else one's own.
    let own = Ids {
        mailbox: site.mailbox("contact").await.id.to_string(),
        ..Ids::unknown()
    };
    let theirs = Ids {
        mailbox: own.mailbox.clone(),
        ..all.into_iter().next().unwrap()
    };
    let both = |pattern: &&&str| pattern.contains("{user}") || pattern.contains("{alias}");
    for pattern in PAGES.iter().filter(both) {
        let (unknown, foreign) = (site.at(&own.fill(pattern)), site.at(&theirs.fill(pattern)));
        let (unknown, foreign) = (
            said(&sophie.get(&unknown).await, &unknown),
            said(&sophie.get(&foreign).await, &foreign),
        );
        assert_eq!((unknown.0, &unknown), (404, &foreign), "{pattern}");
    }
    // Nothing was done to it.
    assert!(site.registry.sessions().iter().any(|session| session.id == live.id()));
    assert!(
        site.directory()
            .find_device("foreign@other.example/Foreign")
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn another_organisation_answers_like_none() {
    let site = Site::new().await;
    let (other, _) = site.other_org().await;
    let mut sophie = site.sophie().await;
    let paths = [
        "",
        "/mailboxes",
        "/people",
        "/devices",
        "/activity",
        "/activity/export.csv",
        "/sessions",
        "/search?q=a",
    ];
    for rest in paths {
        let foreign = format!("/o/{}{rest}", other.id);
        let unknown = format!("/o/org-0000000000007{rest}");
        let (theirs, nobodys) = (sophie.get(&foreign).await, sophie.get(&unknown).await);
        assert_eq!(theirs.status.as_u16(), 404, "{foreign}");
        assert_eq!(said(&theirs, &foreign), said(&nobodys, &unknown), "{rest}");
    }
    let lists = [
        "mailboxes",
        "people",
        "devices",
        "invitations",
        "sessions",
        "activity",
        "domains",
        "search?q=other",
    ];
    for list in lists {
        let text = sophie.get(&site.at(list)).await.text();
        assert!(
            !text.contains("Otto") && !text.contains("other.example"),
            "{list}: {text}"
        );
    }
}

#[tokio::test]
async fn a_member_is_told_of_nothing_that_was_not_granted() {
    let site = Site::new().await;
    let lucie = site.member("lucie", Role::Member).await;
    let (open, closed) = (site.mailbox("contact").await, site.mailbox("boss").await);
    site.grant(&open, &lucie, right(Right::AddOwnDevices)).await;
    let device = site.device(&closed, "Boss", None).await;
    let others = site.device(&open, "Copier", None).await;
    let mut browser = site.signed_in(&lucie).await;
    let unknown = site.at("mailboxes/mbx-0000000000007");
    for rest in ["", "/devices", "/aliases", "/activity", "/devices/new", "/people"] {
        let hidden = site.at(&format!("mailboxes/{}{rest}", closed.id));
        let (theirs, nobodys) = (
            browser.get(&hidden).await,
            browser.get(&format!("{unknown}{rest}")).await,
        );
        assert_eq!(theirs.status.as_u16(), 404, "{hidden}: {}", theirs.text());
        assert_eq!(
            said(&theirs, &hidden),
            said(&nobodys, &format!("{unknown}{rest}")),
            "{rest}"
        );
    }
    for device in [device, others] {
        browser
            .get(&site.at(&format!("devices/{}", device.id)))
            .await
            .says(404, "There is nothing here");
    }
    let devices = browser.get(&site.at(&format!("mailboxes/{}/devices", open.id))).await;
    devices.says(200, "You see your own devices only.");
    assert!(!devices.text().contains("Copier"));
    let found = browser.get(&site.at("search?q=boss")).await.text();
    assert!(found.contains("Nothing found"), "{found}");
    browser.get(&site.at("")).await.leads_to("/me");
}
