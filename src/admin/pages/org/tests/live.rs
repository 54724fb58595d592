//! The stream that keeps open pages true: what it says, and when it ends.

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http_body_util::BodyExt as _;

use super::*;
use crate::directory::{DeviceSpec, LinkTerms};
use crate::model::{Language, Role};

/// How long a test waits for what must come by itself.
const PATIENCE: Duration = Duration::from_secs(20);

/// A stream as a browser reads it.
struct Stream {
    body: Body,
    rest: String,
}

impl Stream {
    fn of(response: Response) -> Self {
        assert_eq!(response.status().as_u16(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Self {
            body: response.into_body(),
            rest: String::new(),
        }
    }

    /// The next message: the name of an element, and its new content. None where the stream is over.
    async fn next(&mut self) -> Option<(String, String)> {
        loop {
            while let Some((event, rest)) = self.rest.split_once("\n\n") {
                let lines = event.lines().filter_map(|line| line.strip_prefix("data:"));
                let lines: Vec<_> = lines
                    .map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned())
                    .collect();
                self.rest = rest.to_owned();
                if let Some((name, html)) = lines.split_first() {
                    return Some((name.clone(), html.join("\n")));
                }
            }
            let frame = tokio::time::timeout(PATIENCE, self.body.frame())
                .await
                .expect("a message or an end");
            let data = frame?.unwrap().into_data().unwrap();
            self.rest.push_str(str::from_utf8(&data).unwrap());
        }
    }

    /// Reads on until an element says this.
    async fn until(&mut self, name: &str, words: &str) {
        loop {
            let (said, html) = self
                .next()
                .await
                .unwrap_or_else(|| panic!("over before {name} says {words}"));
            if said == name && html.contains(words) {
                return;
            }
        }
    }

    /// Reads on to the end.
    async fn end(mut self) {
        while self.next().await.is_some() {}
    }
}

/// A device with a set-up link, as the machine adds it.
async fn linked(site: &Site, mailbox: &Mailbox, label: &str) -> Device {
    let spec = DeviceSpec {
        label: label.to_owned(),
        ..DeviceSpec::default()
    };
    let terms = LinkTerms {
        sent_by: "Sophie".to_owned(),
        recipient: None,
        language: Language::English,
        token: None,
    };
    let made = site
        .directory()
        .add_linked_device(&site.machine, mailbox, spec, terms)
        .await;
    made.unwrap().0
}

#[tokio::test]
async fn a_page_turns_to_connected_when_the_device_signs_in() {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    let device = site.device(&mailbox, "Laptop", None).await;
    let (state, first) = (format!("device:{}", device.id), format!("first:{}", device.id));
    let sophie = site.sophie().await;
    let mut stream = Stream::of(
        sophie
            .open(&site.at(&format!("live?watch={state}&watch={first}")))
            .await,
    );
    stream.until(&state, "Never used").await;
    stream.until(&first, "Not seen yet").await;
    let live = connect(&site, &mailbox, &device, Protocol::Imap);
    stream.until(&state, "Connected").await;
    stream.until(&first, "Receiving works").await;
    drop(connect(&site, &mailbox, &device, Protocol::Smtp));
    drop(live);
    stream.until(&state, "Active").await;
    // What was seen stays seen, though the record does not tell it yet.
    let again = connect(&site, &mailbox, &device, Protocol::Smtp);
    stream.until(&first, "Sending works").await;
    drop(again);
    site.directory().pause_device(&site.machine, &device).await.unwrap();
    stream.until(&state, "Paused").await;
    site.directory().resume_device(&site.machine, &device).await.unwrap();
    stream.until(&state, "Active").await;
}

#[tokio::test]
async fn the_list_of_live_sessions_follows() {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    let device = site.device(&mailbox, "Laptop", None).await;
    let sophie = site.sophie().await;
    let mut stream = Stream::of(sophie.open(&site.at("live?watch=sessions&q=laptop")).await);
    stream.until("sessions", "Nothing matches").await;
    let live = connect(&site, &mailbox, &device, Protocol::Imap);
    stream.until("sessions", "Laptop").await;
    live.note_moved(7, 2_000);
    stream.until("sessions", "2.0 kB").await;
    drop(live);
    stream.until("sessions", "Nothing matches").await;
}

#[tokio::test]
async fn the_stream_of_somebody_whose_access_is_withdrawn_ends() {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    let (lucie, marc) = (
        site.member("lucie", Role::Member).await,
        site.member("marc", Role::Member).await,
    );
    for person in [&lucie, &marc] {
        site.grant(&mailbox, person, right(Right::AddOwnDevices)).await;
    }
    let hers = site.device(&mailbox, "Lucie's iPhone", Some(lucie.id)).await;
    let his = site.device(&mailbox, "Marc's iPhone", Some(marc.id)).await;
    let (lucies, marcs) = (site.signed_in(&lucie).await, site.signed_in(&marc).await);
    let path = |device: &Device| site.at(&format!("live?watch=device:{}", device.id));
    let mut stream = Stream::of(lucies.open(&path(&hers)).await);
    let mut other = Stream::of(marcs.open(&path(&his)).await);
    stream.until(&format!("device:{}", hers.id), "Never used").await;
    let withdraw = site.at(&format!("mailboxes/{}/people/{}/withdraw", mailbox.id, lucie.id));
    let mut sophie = site.sophie().await;
    sophie
        .post(&withdraw, &[])
        .await
        .leads_to(&site.at(&format!("mailboxes/{}/people", mailbox.id)));
    stream.end().await;
    assert_eq!(
        lucies.open(&path(&hers)).await.status().as_u16(),
        404,
        "it does not come back"
    );
    let live = connect(&site, &mailbox, &his, Protocol::Imap);
    other.until(&format!("device:{}", his.id), "Connected").await;
    drop(live);
    // Rights that are others than they were end it as well, and it may come back with what is left.
    let change = site.at(&format!("mailboxes/{}/people/{}", mailbox.id, marc.id));
    let fields = [("rights", "see-devices"), ("revision", "add-own-devices/")];
    assert_eq!(sophie.post(&change, &fields).await.status.as_u16(), 303);
    other.end().await;
    assert_eq!(marcs.open(&path(&his)).await.status().as_u16(), 200);
}

#[tokio::test]
async fn the_stream_of_somebody_who_is_signed_out_or_removed_ends() {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    let marc = site.member("marc", Role::MailboxManager).await;
    let device = site.device(&mailbox, "Laptop", None).await;
    let path = site.at(&format!("live?watch=device:{}", device.id));
    let mut marcs = site.signed_in(&marc).await;
    let stream = Stream::of(marcs.open(&path).await);
    marcs.post("/sign-out", &[]).await;
    stream.end().await;
    assert_eq!(marcs.open(&path).await.status().as_u16(), 404);
    let marcs = site.signed_in(&marc).await;
    let stream = Stream::of(marcs.open(&path).await);
    site.directory()
        .remove_member(&site.machine, site.acme.id, marc.id, Role::MailboxManager)
        .await
        .unwrap();
    stream.end().await;
}

#[tokio::test]
async fn a_stream_ends_after_its_time_and_is_no_use_of_the_session() {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    let device = site.device(&mailbox, "Laptop", None).await;
    let path = site.at(&format!("live?watch=device:{}", device.id));
    let mut sophie = site.sophie().await;
    let mut stream = Stream::of(sophie.open(&path).await);
    stream.until(&format!("device:{}", device.id), "Never used").await;
    site.clock.advance(Duration::from_secs(10 * 60));
    stream.end().await;
    // The browser comes back again and again, and nobody is there.
    for _ in 0..72 {
        drop(sophie.open(&path).await);
        site.clock.advance(Duration::from_secs(10 * 60));
    }
    assert_eq!(
        sophie.open(&path).await.status().as_u16(),
        404,
        "twelve hours without a use"
    );
    assert!(
        sophie
            .get(&site.at(""))
            .await
            .location()
            .unwrap()
            .starts_with("/sign-in")
    );
}

#[tokio::test]
async fn one_user_has_so_many_streams_and_a_closed_one_is_given_back() {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    let device = site.device(&mailbox, "Laptop", None).await;
    let path = site.at(&format!("live?watch=device:{}", device.id));
    let sophie = site.sophie().await;
    let mut open = Vec::new();
    for _ in 0..8 {
        open.push(Stream::of(sophie.open(&path).await));
    }
    assert_eq!(sophie.open(&path).await.status().as_u16(), 429);
    open.pop();
    assert_eq!(sophie.open(&path).await.status().as_u16(), 200);
    for nothing in ["live", "live?watch=x", "live?watch=device:dev-0000000000007"] {
        assert_eq!(sophie.open(&site.at(nothing)).await.status().as_u16(), 404, "{nothing}");
    }
    let nobody = site.browser();
    assert_eq!(nobody.open(&path).await.status().as_u16(), 404);
}

#[tokio::test]
async fn ids_of_another_organisation_are_no_part_of_a_stream() {
    let site = Site::new().await;
    let (other, _) = site.other_org().await;
    let (directory, machine) = (site.directory(), &site.machine);
    directory.create_domain(machine, &other, "other.example").await.unwrap();
    let foreign = directory
        .create_mailbox(machine, "foreign@other.example")
        .await
        .unwrap();
    let theirs = linked(&site, &foreign, "Foreign").await;
    let own = linked(&site, &site.mailbox("contact").await, "Own").await;
    let sophie = site.sophie().await;
    for kind in ["link", "device", "first"] {
        let mut answers = Vec::new();
        for id in [theirs.id.to_string(), "dev-0000000000007".to_owned(), "x".to_owned()] {
            let answer = sophie.open(&site.at(&format!("live?watch={kind}:{id}"))).await;
            assert_eq!(answer.status().as_u16(), 404, "{kind}:{id}");
            let headers = format!("{:?}", answer.headers());
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            answers.push((headers, body));
        }
        assert!(
            answers.iter().all(|answer| *answer == answers[0]),
            "{kind}: {answers:?}"
        );
    }
    // Beside one's own they are left out, whatever becomes of them.
    let watched = format!("live?watch=link:{}&watch=link:{}", theirs.id, own.id);
    let mut stream = Stream::of(sophie.open(&site.at(&watched)).await);
    let name = format!("link:{}", own.id);
    let (said, html) = stream.next().await.unwrap();
    assert!(said == name && html.contains("Link sent"), "{said}: {html}");
    for (org, device) in [(other.id, &theirs), (site.acme.id, &own)] {
        directory.withdraw_device_link(machine, org, device).await.unwrap();
    }
    let (said, html) = stream.next().await.unwrap();
    assert!(said == name && html.contains("Link withdrawn"), "{said}: {html}");
}

#[tokio::test]
async fn a_test_message_under_way_does_not_show_its_device_as_connected() {
    const BADGE: &str = ">Connected</span>";
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    let device = site.device(&mailbox, "Copier", None).await;
    let _trial = site.registry.register(SessionInfo {
        is_trial: true,
        ..session_info(&site, &mailbox, &device, Protocol::Smtp)
    });
    let page = site.at(&format!("devices/{}", device.id));
    let list = site.at(&format!("mailboxes/{}/devices", mailbox.id));
    let mut sophie = site.sophie().await;
    for path in [&page, &list] {
        let shown = sophie.get(path).await;
        shown.says(200, "Copier");
        assert!(!shown.body.contains(BADGE), "{path}: {}", shown.body);
    }
    let _live = connect(&site, &mailbox, &device, Protocol::Smtp);
    for path in [&page, &list] {
        let shown = sophie.get(path).await;
        assert!(shown.body.contains(BADGE), "{path}: {}", shown.body);
    }
}
