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

    /// Every page that is about one thing, and every form.
    fn paths(&self) -> (Vec<String>, Vec<String>) {
        let Self {
            mailbox: m,
            device: d,
            alias: a,
            user: u,
            invitation: i,
            domain: o,
            number: n,
            session: s,
        } = self;
        let pages = [
            (
                "mailboxes/",
                m,
                &[
                    "",
                    "/people",
                    "/devices",
                    "/aliases",
                    "/activity",
                    "/created",
                    "/people/new",
                ][..],
            ),
            (
                "mailboxes/",
                m,
                &[
                    "/suspend",
                    "/delete",
                    "/devices/new",
                    "/devices/revoke-all",
                    "/aliases/new",
                ],
            ),
            (
                "devices/",
                d,
                &["", "/edit", "/pause", "/disconnect", "/replace", "/password"],
            ),
            ("people/", u, &["", "/role", "/remove"]),
            ("invitations/", i, &["", "/withdraw"]),
            ("domains/", o, &["/remove"]),
            ("activity/", n, &[""]),
            ("sessions/", s, &["/end"]),
        ];
        let deeds = [
            ("mailboxes/", m, &["/suspend", "/resume", "/delete", "/people/new"][..]),
            (
                "mailboxes/",
                m,
                &["/devices/new", "/devices/revoke-all", "/aliases/new"],
            ),
            (
                "devices/",
                d,
                &["/edit", "/pause", "/resume", "/disconnect", "/replace"],
            ),
            ("people/", u, &["/role", "/remove"]),
            ("invitations/", i, &["/resend", "/withdraw"]),
            ("domains/", o, &["/remove"]),
        ];
        let join = |parts: &[(&str, &String, &[&str])]| -> Vec<String> {
            let of = |(thing, id, rests): &(&str, &String, &[&str])| {
                rests
                    .iter()
                    .map(|rest| format!("{thing}{id}{rest}"))
                    .collect::<Vec<_>>()
            };
            parts.iter().flat_map(of).collect()
        };
        let (mut pages, mut deeds) = (join(&pages), join(&deeds));
        for rest in [
            format!("aliases/{a}"),
            format!("aliases/{a}/delete"),
            format!("people/{u}"),
            format!("people/{u}/withdraw"),
        ] {
            pages.push(format!("mailboxes/{m}/{rest}"));
        }
        for rest in [
            format!("aliases/{a}/delete"),
            format!("people/{u}"),
            format!("people/{u}/withdraw"),
        ] {
            deeds.push(format!("mailboxes/{m}/{rest}"));
        }
        deeds.push(format!("devices/{d}/sessions/{s}/end"));
        (pages, deeds)
    }
}

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
    let all = [foreign, Ids::unknown(), Ids::nonsense()].map(|ids| ids.paths());
    for index in 0..all[0].0.len() {
        let mut answers = Vec::new();
        for (pages, _) in &all {
            let path = site.at(&pages[index]);
            let answer = sophie.get(&path).await;
            assert_eq!(answer.status.as_u16(), 404, "{path}: {}", answer.text());
            answers.push(said(&answer, &path));
        }
        assert_eq!(answers[0], answers[1], "{}", all[0].0[index]);
        assert_eq!(answers[0], answers[2], "{}", all[0].0[index]);
    }
    for index in 0..all[0].1.len() {
        let mut answers = Vec::new();
        for (_, deeds) in &all {
            let path = site.at(&deeds[index]);
            let answer = sophie.post(&path, FIELDS).await;
            assert_eq!(answer.status.as_u16(), 404, "{path}: {}", answer.text());
            answers.push(said(&answer, &path));
        }
        assert_eq!(answers[0], answers[1], "{}", all[0].1[index]);
        assert_eq!(answers[0], answers[2], "{}", all[0].1[index]);
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
