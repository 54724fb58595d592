//! Names that act as HTML, or turn the text around them, do neither on any page.

use super::*;
use crate::model::{Language, Role};
use crate::store::{UserEdit, people};

/// Right-to-left letters, and what would open a script, an attribute or an entity.
const NAME: &str = "<script>alert(1)</script>\"'&quot; \u{5d0}\u{5d1}";

/// What stands in a page where such a name was written out as it is.
const TRACES: [&str; 4] = ["<script>alert", "alert(1)</script>", "\"'&quot;", "{{"];

#[tokio::test]
async fn names_never_act_on_any_page() {
    let site = Site::new().await;
    let (directory, machine) = (site.directory(), &site.machine);
    let mallory = site.member("mallory", Role::Member).await;
    let edit = UserEdit {
        name: Some(NAME.to_owned()),
        ..UserEdit::default()
    };
    directory.edit_user(machine, mallory.id, &edit).await.unwrap();
    let mailbox = site.mailbox("contact").await;
    site.grant(&mailbox, &mallory, Rights::ALL).await;
    let device = site.device(&mailbox, NAME, Some(mallory.id)).await;
    let live = connect(&site, &mailbox, &device, Protocol::Imap);
    live.set_client(NAME);
    let invite = crate::directory::Invite {
        address: "guest@private.example".to_owned(),
        role: Role::Member,
        grants: vec![(
            mailbox.id,
            people::GrantTerms {
                rights: Rights::ALL,
                ends_at: None,
            },
        )],
        language: Language::English,
        invited_by: NAME.to_owned(),
    };
    let invitation = directory.invite(machine, site.acme.id, invite).await.unwrap().0.id;
    // Mallory does something, so that the log names them.
    let mut browser = site.signed_in(&mallory).await;
    let paused = browser
        .post(&site.at(&format!("devices/{}/pause", device.id)), &[])
        .await;
    assert_eq!(paused.status.as_u16(), 303, "{}", paused.text());

    let of_mailbox = |rest: &str| format!("mailboxes/{}{rest}", mailbox.id);
    let of_device = |rest: &str| format!("devices/{}{rest}", device.id);
    let of_mallory = |rest: &str| format!("people/{}{rest}", mallory.id);
    let encoded = "%3Cscript%3Ealert(1)%3C%2Fscript%3E%22";
    let mut paths = vec![
        String::new(),
        "mailboxes".to_owned(),
        "people".to_owned(),
        "invitations".to_owned(),
        "devices".to_owned(),
        "sessions".to_owned(),
        "activity".to_owned(),
        format!("sessions/{}/end", live.id().0),
        format!("invitations/{invitation}"),
        format!("invitations/{invitation}/withdraw"),
        of_mailbox(&format!("/people/{}", mallory.id)),
        of_mailbox(&format!("/people/{}/withdraw", mallory.id)),
    ];
    paths.extend(
        [
            "/people",
            "/devices",
            "/activity",
            "/people/new",
            "/devices/new?kind=app",
            "/devices/revoke-all",
        ]
        .map(of_mailbox),
    );
    paths.extend(["", "/edit", "/pause", "/disconnect", "/replace", "/password"].map(of_device));
    paths.extend(["", "/role", "/remove"].map(of_mallory));
    for list in [
        "mailboxes",
        "people",
        "invitations",
        "devices",
        "sessions",
        "activity",
        "search",
    ] {
        paths.push(format!("{list}?q={encoded}&show={encoded}&after={encoded}"));
    }
    paths.push(format!(
        "invitations/new?address={encoded}&ends={encoded}&role={encoded}"
    ));
    paths.push(format!("mailboxes/new?local={encoded}&domain={encoded}"));
    paths.push(of_mailbox(&format!(
        "/devices/new?kind=app&name={encoded}&networks={encoded}&alias={encoded}"
    )));

    let mut sophie = site.sophie().await;
    let mut named = 0;
    for path in &paths {
        let answer = sophie.get(&site.at(path)).await;
        assert_eq!(answer.status.as_u16(), 200, "{path}: {}", answer.text());
        for trace in TRACES {
            assert!(!answer.body.contains(trace), "{path} has {trace}");
        }
        named += usize::from(answer.body.contains("&#60;script&#62;"));
    }
    assert!(named > 20, "the name is shown on {named} pages only");
    // A name that turns is kept by itself.
    let list = sophie.get(&site.at("people")).await;
    let at = list.body.find('\u{5d0}').unwrap();
    let before = &list.body[..at];
    assert!(before.rfind("<bdi>") > before.rfind("</bdi>"), "it is not isolated");
}

#[tokio::test]
async fn names_that_steer_the_text_around_them_are_not_taken() {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    let mut sophie = site.sophie().await;
    let form = site.at(&format!("mailboxes/{}/devices/new", mailbox.id));
    for name in ["Anna\u{202e}enohP", "Anna\u{2066}", "Anna\u{7}", "An\u{2028}na"] {
        let fields = [
            ("kind", "iphone"),
            ("name", name),
            ("person", ""),
            ("scope", "imap"),
            ("expires", "never"),
        ];
        let answer = sophie.post(&form, &fields).await;
        answer.says(422, "It holds a character that cannot be shown safely.");
    }
    assert_eq!(site.registry.sessions().len(), 0);
}

#[tokio::test]
async fn only_the_fields_of_a_form_are_taken() {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    let device = site.device(&mailbox, "CRM", None).await;
    let mut sophie = site.sophie().await;
    let revision = device.revision.to_string();
    let fields = [
        ("name", "CRM 2"),
        ("scope", "imap"),
        ("expires", "never"),
        ("revision", revision.as_str()),
        ("senders", "off"),
        ("user", "usr-0000000000007"),
        ("person", "usr-0000000000007"),
        ("epoch", "99"),
        ("state", "revoked"),
        ("mailbox", "mbx-0000000000007"),
    ];
    let answer = sophie
        .post(&site.at(&format!("devices/{}/edit", device.id)), &fields)
        .await;
    answer.leads_to(&site.at(&format!("devices/{}", device.id)));
    let row = now(&site, device.id).await;
    assert_eq!((row.device.label.as_str(), row.device.user), ("CRM 2", None));
    assert_eq!(row.device.senders, device.senders);
    assert_eq!((row.device.mailbox, row.device.state), (device.mailbox, device.state));
}
