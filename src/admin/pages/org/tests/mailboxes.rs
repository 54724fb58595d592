//! Mailboxes, aliases, mail domains, and the overview.

use super::*;
use crate::model::Role;

#[tokio::test]
async fn a_mailbox_is_created_and_the_page_says_that_nobody_can_read_it() {
    let site = Site::new().await;
    let mut sophie = site.sophie().await;
    let path = site.at("mailboxes/new");
    let created = sophie
        .send(&path, &[("local", "Info"), ("domain", "example.org")])
        .await;
    created.says(200, "info@example.org exists. Nobody can read it yet.");
    for way in ["Give a person access", "Add a device", "Both"] {
        created.says(200, way);
    }
    let list = sophie.get(&site.at("mailboxes")).await;
    list.says(200, "info@example.org");
    list.says(200, "2 entries");
    sophie
        .get(&site.at("mailboxes?show=unread"))
        .await
        .says(200, "Nobody reads it");
    sophie
        .get(&site.at("mailboxes?show=suspended"))
        .await
        .says(200, "Nothing matches.");
    sophie.get(&site.at("mailboxes?q=inf")).await.says(200, "1 entry");
}

#[tokio::test]
async fn an_address_that_cannot_be_taken_says_why_and_stays_in_its_field() {
    let site = Site::new().await;
    let mut sophie = site.sophie().await;
    for (local, domain, words) in [
        ("", "example.org", "Please fill this in."),
        (
            "contact",
            "example.org",
            "contact@example.org is a mailbox or an alias already.",
        ),
        ("a b", "example.org", "Write the part in front of the @"),
        ("info", "other.example", "other.example is not connected."),
        ("info@other.example", "example.org", "other.example is not connected."),
        ("info@", "example.org", "Write a whole address"),
    ] {
        for path in [
            site.at("mailboxes/new"),
            site.at(&format!("mailboxes/{}/aliases/new", site.mailbox("contact").await.id)),
        ] {
            let answer = sophie.post(&path, &[("local", local), ("domain", domain)]).await;
            answer.says(422, words);
            assert_eq!(answer.field("local").as_deref(), Some(local), "{path}");
        }
    }
}

#[tokio::test]
async fn an_alias_says_what_it_is_and_is_removed() {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    let mut sophie = site.sophie().await;
    let path = site.at(&format!("mailboxes/{}/aliases", mailbox.id));
    let added = sophie
        .send(&format!("{path}/new"), &[("local", "hello"), ("domain", "example.org")])
        .await;
    added.says(200, "hello@example.org is another name of contact@example.org now.");
    let alias = site.store.aliases(Some(mailbox.id), None).await.unwrap().remove(0);
    let page = sophie.get(&format!("{path}/{}", alias.id)).await;
    page.says(
        200,
        "hello@example.org delivers into contact@example.org. Devices sign in as contact@example.org.",
    );
    page.says(200, "Add a device to contact@example.org");
    let from_alias = format!("mailboxes/{}/devices/new?alias=hello@example.org", mailbox.id);
    sophie
        .get(&site.at(&from_alias))
        .await
        .says(200, "hello@example.org is another name of contact@example.org.");
    sophie
        .get(&format!("{path}/{}/delete", alias.id))
        .await
        .says(200, "Remove hello@example.org?");
    let removed = sophie.send(&format!("{path}/{}/delete", alias.id), &[]).await;
    removed.says(200, "The alias hello@example.org was removed.");
    assert!(site.store.aliases(Some(mailbox.id), None).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_mailbox_is_suspended_resumed_and_deleted_by_its_name() {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    let device = site.device(&mailbox, "Laptop", None).await;
    let _live = connect(&site, &mailbox, &device, Protocol::Imap);
    let path = |rest: &str| site.at(&format!("mailboxes/{}{rest}", mailbox.id));
    let mut sophie = site.sophie().await;
    sophie
        .get(&path("/suspend"))
        .await
        .says(200, "1 device can no longer sign in.");
    let done = sophie.send(&path("/suspend"), &[]).await;
    done.says(200, "contact@example.org is suspended. 1 connection closed in");
    sophie
        .send(&path("/resume"), &[])
        .await
        .says(200, "contact@example.org works again.");
    sophie
        .get(&path("/delete"))
        .await
        .says(200, "Type contact@example.org to confirm");
    let wrong = sophie.post(&path("/delete"), &[("confirm", "contact")]).await;
    wrong.says(422, "Type exactly: contact@example.org");
    assert_eq!(wrong.field("confirm").as_deref(), Some("contact"));
    assert!(site.directory().find_mailbox("contact@example.org").await.is_ok());
    let done = sophie
        .send(&path("/delete"), &[("confirm", "Contact@example.org")])
        .await;
    done.says(200, "contact@example.org was deleted.");
    assert!(site.directory().find_mailbox("contact@example.org").await.is_err());
}

#[tokio::test]
async fn what_was_done_to_a_mailbox_is_read_by_its_people() {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    let lucie = site.member("lucie", Role::Member).await;
    site.grant(&mailbox, &lucie, right(Right::SeeDevices)).await;
    let mut sophie = site.sophie().await;
    sophie
        .post(&site.at(&format!("mailboxes/{}/suspend", mailbox.id)), &[])
        .await;
    let mut browser = site.signed_in(&lucie).await;
    let page = browser
        .get(&site.at(&format!("mailboxes/{}/activity", mailbox.id)))
        .await;
    page.says(200, "Sophie suspended the mailbox contact@example.org");
    let entry = page.body.split("/activity/").nth(1).unwrap().split('"').next().unwrap();
    browser
        .get(&site.at(&format!("activity/{entry}")))
        .await
        .says(200, "user:sophie@private.example");
    browser.get(&site.at("activity")).await.says(403, "Sophie can.");
}

#[tokio::test]
async fn domains_are_connected_shown_with_their_records_and_removed() {
    let site = Site::new().await;
    let mut sophie = site.sophie().await;
    let path = site.at("domains");
    let page = sophie.get(&path).await;
    page.says(200, "_imaps._tcp.example.org");
    page.says(200, "0 1 993 mail.example.org.");
    page.says(200, "1 mailbox");
    for (typed, words) in [
        ("", "Please fill this in."),
        ("http://x", "Write a domain, such as example.org"),
        ("example.org", "example.org is connected already"),
    ] {
        let answer = sophie.post(&path, &[("domain", typed)]).await;
        answer.says(422, words);
        assert_eq!(answer.field("domain").as_deref(), Some(typed));
    }
    sophie
        .send(&path, &[("domain", "bücher.example")])
        .await
        .says(200, "bücher.example is connected.");
    sophie.get(&path).await.says(200, "xn--bcher-kva.example");
    let domains = site.store.domains(Some(site.acme.id)).await.unwrap();
    let id = |name: &str| domains.iter().find(|domain| domain.name.as_str() == name).unwrap().id;
    let removed = sophie
        .send(
            &site.at(&format!("domains/{}/remove", id("xn--bcher-kva.example"))),
            &[],
        )
        .await;
    removed.says(200, "bücher.example was removed.");
    let kept = sophie
        .send(&site.at(&format!("domains/{}/remove", id("example.org"))), &[])
        .await;
    assert!(kept.text().contains("mailbox"), "{}", kept.text());
    assert_eq!(site.store.domains(Some(site.acme.id)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_overview_leads_through_the_first_steps_and_then_says_what_waits() {
    let site = Site::new().await;
    let mut sophie = site.sophie().await;
    let begin = sophie.get(&site.at("")).await;
    for words in [
        "First steps",
        "Add your first device",
        "Nobody reads 1 mailbox",
        "You sign in without a code",
    ] {
        begin.says(200, words);
    }
    let mailbox = site.mailbox("contact").await;
    site.device(&mailbox, "Laptop", None).await;
    let later = sophie.get(&site.at("")).await;
    later.says(200, "1 device was added and never used");
    assert!(!later.text().contains("Nobody reads"));
    later.says(200, "added the device “Laptop” to contact@example.org");
}

#[tokio::test]
async fn a_search_finds_mailboxes_people_devices_and_addresses() {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    let device = site.device(&mailbox, "Contacts CRM", None).await;
    site.member("contessa", Role::Member).await;
    site.directory()
        .create_alias(&site.machine, "conti@example.org", "contact@example.org")
        .await
        .unwrap();
    let mut sophie = site.sophie().await;
    let found = sophie.get(&site.at("search?q=cont")).await;
    for words in [
        "contact@example.org",
        "conti@example.org",
        "alias of contact@example.org",
        "contessa",
        "Contacts CRM",
    ] {
        found.says(200, words);
    }
    sophie
        .get(&site.at("search?q=nothing-like-it"))
        .await
        .says(200, "Nothing found");
    sophie
        .get(&site.at("search?q="))
        .await
        .says(200, "Search for a mailbox");
    sophie
        .get(&site.at(&format!("search?q={PEER}")))
        .await
        .says(200, "Nothing found");
    let _live = connect(&site, &mailbox, &device, Protocol::Imap);
    sophie
        .get(&site.at(&format!("search?q={PEER}")))
        .await
        .says(200, "Contacts CRM");
}
