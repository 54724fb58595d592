//! What people are told of devices, by a real daemon that sees real sign-ins.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use ::postern::clock::Clock;
use ::postern::store::sqlite::{self, SqliteStore};
use ::postern::store::{DueNotices, NoticeStore as _};
use anyhow::Context as _;
use serde_json::Value;
use socket2::{Domain, Socket, Type};

use super::post::{LUCIE, ORIGIN, Post, parsed};
use crate::kit::imap::Imap;
use crate::kit::postern::Device;
use crate::kit::wait;
use crate::kit::wire::Wire;

const CONTACT: &str = "contact@acme.test";
const HOUR: Duration = Duration::from_secs(60 * 60);

/// Signs a device in from an address of this machine, and waits until that is written down.
fn sign_in(post: &Post, device: &Device, from: Ipv4Addr) -> anyhow::Result<()> {
    let client = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    client.bind(&SocketAddr::from((from, 0)).into())?;
    let port = post.postern.port("imaps")?;
    client.connect(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
    let wire = Wire::over(client.into())?.into_tls(&post.certificates)?;
    let mut imap = Imap::greeted(wire)?;
    imap.login(&device.address, &device.password)?.ok()?;
    wait::until(&format!("the sign-in from {from} is written"), || {
        let shown = post.postern.cli(&["device", "show", &device.path, "--json"])?.ok()?;
        let shown: Value = serde_json::from_str(&shown)?;
        let is_last = shown.to_string().contains(&format!("\"ip\":\"{from}\""));
        Ok(is_last.then_some(()))
    })
}

fn mails(post: &Post) -> anyhow::Result<Vec<Value>> {
    let listed = post.postern.cli(&["mail", "list", "--json"])?.ok()?;
    let listed: Value = serde_json::from_str(&listed)?;
    listed["mails"].as_array().cloned().context("no list of mails")
}

/// What will wait when another hour has gone by, if nothing is told until then.
fn due_in_an_hour(post: &Post) -> anyhow::Result<Vec<DueNotices>> {
    let at = sqlite::Config {
        path: post.postern.data().join("postern.db"),
        readers: 1,
        busy_timeout: Duration::from_secs(5),
    };
    let store = SqliteStore::open(&at, Clock::manual(Clock::system().utc().plus(HOUR)))?;
    Ok(tokio::runtime::Runtime::new()?.block_on(store.due_notices(10))?)
}

/// The one mail that arrived: in the reader's language, with the way to the device and to what can be switched off.
fn check_mail(post: &Post, phone: &Device) -> anyhow::Result<()> {
    let delivered = post.delivered()?;
    let [mail] = &delivered[..] else {
        anyhow::bail!("{} mails", delivered.len())
    };
    let mail = parsed(mail)?;
    let header = |name: &str| mail["headers"][name][0].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        header("subject"),
        "Phone\u{a0}: connexion depuis un nouveau réseau".replace('\u{a0}', " ")
    );
    assert_eq!(header("to"), LUCIE);
    let settings = header("list-unsubscribe");
    assert!(
        settings.starts_with(&format!("<{ORIGIN}/o/org-")) && settings.ends_with("/settings#notices>"),
        "{settings}"
    );
    let text = mail["parts"][0]["text"].as_str().context("a text")?;
    assert!(
        text.contains("127.0.1.1") && text.contains(&format!("{ORIGIN}/o/org-")),
        "{text}"
    );
    assert!(
        text.contains("/devices/dev-") && !text.contains(&phone.password),
        "{text}"
    );
    Ok(())
}

#[test]
fn a_device_from_a_new_network_is_told_once_an_hour_and_not_where_it_is_switched_off() -> anyhow::Result<()> {
    let post = Post::start(Vec::new())?;
    post.postern.add_org("Acme", "acme.test")?;
    post.dovecot.add_mailbox(CONTACT)?;
    post.postern.add_mailbox(CONTACT)?;
    let create = [
        "user",
        "create",
        LUCIE,
        "--name",
        "Lucie",
        "--language",
        "fr",
        "--org",
        "Acme",
        "--role",
        "owner",
        "--password-stdin",
    ];
    post.postern.cli_with_input(&create, "vast otter plume\n")?.ok()?;
    let phone = post.postern.add_device(CONTACT, "Phone")?;

    sign_in(&post, &phone, Ipv4Addr::LOCALHOST)?;
    assert_eq!(mails(&post)?.len(), 0);
    sign_in(&post, &phone, Ipv4Addr::new(127, 0, 1, 1))?;
    wait::until("the mail is sent", || {
        let mails = mails(&post)?;
        Ok(mails.iter().any(|mail| mail["state"] == "sent").then_some(()))
    })?;
    check_mail(&post, &phone)?;

    // Ten further networks: one mail, after the hour.
    for network in 2..12 {
        sign_in(&post, &phone, Ipv4Addr::new(127, 0, network, 1))?;
    }
    assert_eq!(mails(&post)?.len(), 1);
    let due = due_in_an_hour(&post)?;
    let [waiting] = &due[..] else { anyhow::bail!("{due:?}") };
    assert_eq!((waiting.notices.len(), waiting.more), (10, 0));
    assert_eq!(waiting.about.readers.len(), 1);

    // Switched off, nothing is told of another device.
    let off = ["org", "notices", "Acme", "--off", "device-network"];
    assert!(post.postern.cli(&off)?.ok()?.contains("device-network"));
    let tablet = post.postern.add_device(CONTACT, "Tablet")?;
    for network in [0, 1] {
        sign_in(&post, &tablet, Ipv4Addr::new(127, 0, network, 1))?;
    }
    let due = due_in_an_hour(&post)?;
    let told: Vec<_> = due
        .iter()
        .map(|due| (due.about.label.as_str(), due.notices.len()))
        .collect();
    assert_eq!(
        told,
        [("Phone", 10)],
        "what waited is told all the same, the tablet is not"
    );
    assert_eq!(mails(&post)?.len(), 1);
    Ok(())
}
