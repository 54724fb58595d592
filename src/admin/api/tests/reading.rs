//! What programs read: each list and each thing, filters and pages.

use serde_json::json;

use super::*;
use crate::directory::{DeviceSpec, Invite};
use crate::model::{DeviceKind, Language};

#[tokio::test]
async fn a_token_says_whom_it_acts_for() {
    let site = Site::new().await;
    let lucie = site.member("lucie", Role::Member).await;
    let contact = site.mailbox("contact").await;
    site.grant(&contact, &lucie, right(Right::SeeDevices)).await;
    let (token, record) = token_in(&site, site.acme.id, &lucie, Role::Member, TokenScope::Read).await;
    let program = Client::new(&site, Some(token));
    let me = program.get("/me").await.is(200);
    assert_eq!(me["user"]["address"], "lucie@private.example");
    assert_eq!(
        me["organisation"],
        json!({ "id": site.acme.id.to_string(), "name": "Acme" })
    );
    assert_eq!(me["role"], "member");
    assert_eq!(me["token"]["id"], record.id.to_string());
    assert_eq!(
        (&me["token"]["scope"], &me["token"]["name"]),
        (&json!("read"), &json!("member read"))
    );
    let mine = program.get("/me/mailboxes").await.is(200);
    assert_eq!(mine["items"][0]["mailbox"]["address"], "contact@example.org");
    assert_eq!(mine["items"][0]["rights"], json!(["see-devices"]));
    program.get("/mailboxes").await.refused(403, "ui.forbidden");
    program.get(&format!("/mailboxes/{}", contact.id)).await.is(200);
}

#[tokio::test]
async fn the_organisation_is_told_in_numbers() {
    let site = Site::new().await;
    let program = sophie(&site).await;
    let contact = site.mailbox("contact").await;
    site.device(&contact, "CRM", None).await;
    let organisation = program.get("/organisation").await.is(200);
    assert_eq!(organisation["name"], "Acme");
    let overview = &organisation["overview"];
    assert_eq!(
        (
            &overview["mailboxes"],
            &overview["devices"],
            &overview["never_used"],
            &overview["members"]
        ),
        (&json!(1), &json!(1), &json!(1), &json!(1))
    );
    let domains = program.get("/domains").await.is(200);
    assert_eq!(domains["items"][0]["name"], "example.org");
    assert_eq!(domains["items"][0]["mailboxes"], 1);
    let id = domains["items"][0]["id"].as_str().unwrap();
    assert_eq!(
        program.get(&format!("/domains/{id}")).await.is(200),
        domains["items"][0]
    );
}

#[tokio::test]
async fn mailboxes_are_filtered_and_read_page_by_page() {
    let site = Site::new().await;
    let program = sophie(&site).await;
    for number in 0..7 {
        site.mailbox(&format!("box{number}")).await;
    }
    let mut seen = Vec::new();
    let mut path = "/mailboxes?limit=3".to_owned();
    loop {
        let page = program.get(&path).await.is(200);
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 3);
        seen.extend(items.iter().map(|item| item["address"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => path = format!("/mailboxes?limit=3&after={next}"),
            None => break,
        }
    }
    assert!(seen.is_sorted() && seen.len() == 8, "{seen:?}");
    let one = program.get("/mailboxes?q=box3").await.is(200);
    assert_eq!(one["items"].as_array().unwrap().len(), 1);
    let none = program.get("/mailboxes?suspended=true").await.is(200);
    assert_eq!(none, json!({ "items": [], "next": null }));
}

#[tokio::test]
async fn devices_are_found_by_what_the_console_finds_them_by() {
    let site = Site::new().await;
    let program = sophie(&site).await;
    let contact = site.mailbox("contact").await;
    let other = site.mailbox("other").await;
    let crm = site.device(&contact, "CRM", None).await;
    let phone = site.device(&contact, "Phone", Some(site.sophie.id)).await;
    let printer = DeviceSpec {
        label: "Copier".to_owned(),
        kind: DeviceKind::Printer,
        expires_at: Some(START.plus(Duration::from_secs(24 * 60 * 60))),
        ..DeviceSpec::default()
    };
    let (printer, _) = site
        .directory()
        .add_device(&site.machine, other.address.as_str(), printer)
        .await
        .unwrap();
    site.directory().pause_device(&site.machine, &crm).await.unwrap();
    let _live = connect(&site, &contact, &phone, Protocol::Imap);
    let found = async |query: &str| {
        let page = program.get(&format!("/devices{query}")).await.is(200);
        let ids = page["items"].as_array().unwrap().iter();
        ids.map(|item| item["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let all = [&crm, &phone, &printer].map(|device| device.id.to_string());
    let [crm, phone, printer] = all.clone();
    assert_eq!(found("").await.len(), 3);
    for (query, expected) in [
        ("?status=connected", &phone),
        ("?status=paused", &crm),
        ("?status=ending-soon", &printer),
        ("?kind=printer", &printer),
        ("?q=copi", &printer),
        ("?status=connected&q=phone", &phone),
    ] {
        assert_eq!(found(query).await, std::slice::from_ref(expected), "{query}");
    }
    assert_eq!(found("?status=never-used").await.len(), 3);
    assert_eq!(
        found("?status=connected&q=198.51.100.7").await,
        std::slice::from_ref(&phone)
    );
    assert_eq!(
        found(&format!("?user={}", site.sophie.id)).await,
        std::slice::from_ref(&phone)
    );
    assert_eq!(found("?nobodys=true").await.len(), 2);
    assert_eq!(found("?ip=192.0.2.9").await.len(), 0);
    assert_eq!(found("?status=revoked").await.len(), 0);
    let of_mailbox = program.get(&format!("/mailboxes/{}/devices", other.id)).await.is(200);
    assert_eq!(of_mailbox["items"][0]["id"], printer);
    let shown = program.get(&format!("/devices/{phone}")).await.is(200);
    assert_eq!((&shown["connections"], &shown["state"]), (&json!(1), &json!("active")));
    assert_eq!(shown["user"]["name"], "Sophie");
    assert_eq!(program.get(&format!("/devices/{crm}")).await.is(200)["state"], "paused");
    let first = program.get("/devices?limit=1").await.is(200);
    let next = first["next"].as_str().unwrap();
    let rest = found(&format!("?after={next}")).await;
    assert_eq!(rest.len(), 2, "{rest:?}");
}

#[tokio::test]
async fn live_sessions_are_listed_with_how_many_there_are() {
    let site = Site::new().await;
    let program = sophie(&site).await;
    let contact = site.mailbox("contact").await;
    let device = site.device(&contact, "CRM", None).await;
    let sessions: Vec<_> = (0..3)
        .map(|_| connect(&site, &contact, &device, Protocol::Smtp))
        .collect();
    let page = program.get("/sessions?limit=2").await.is(200);
    assert_eq!(
        (page["total"].as_u64(), page["items"].as_array().unwrap().len()),
        (Some(3), 2)
    );
    let rest = program
        .get(&format!("/sessions?after={}", page["next"].as_str().unwrap()))
        .await
        .is(200);
    assert_eq!(rest["items"].as_array().unwrap().len(), 1);
    assert_eq!(rest["next"], Value::Null);
    for (query, count) in [
        ("q=thunder", 3),
        ("q=nothing", 0),
        (&*format!("q={PEER}"), 3),
        (&*format!("device={}", device.id), 3),
        (&*format!("mailbox={}", contact.id), 3),
    ] {
        let page = program.get(&format!("/sessions?{query}")).await.is(200);
        assert_eq!(page["total"], count, "{query}");
    }
    let id = sessions[0].id().0;
    let one = program.get(&format!("/sessions/{id}")).await.is(200);
    assert_eq!((&one["device"]["name"], &one["ip"]), (&json!("CRM"), &json!(PEER)));
    program.get("/sessions/999").await.refused(404, "not_found");
}

#[tokio::test]
async fn members_invitations_and_tokens_are_listed() {
    let site = Site::new().await;
    let program = sophie(&site).await;
    let lucie = site.member("lucie", Role::Auditor).await;
    let contact = site.mailbox("contact").await;
    site.grant(&contact, &lucie, right(Right::SendAs)).await;
    let members = program.get("/members?role=auditor").await.is(200);
    assert_eq!(members["items"][0]["user"]["id"], lucie.id.to_string());
    let one = program.get(&format!("/members/{}", lucie.id)).await.is(200);
    assert_eq!((&one["role"], &one["mailboxes"]), (&json!("auditor"), &json!(1)));
    let grants = program.get(&format!("/members/{}/grants", lucie.id)).await.is(200);
    assert_eq!(grants["items"][0]["rights"], json!(["send-as"]));
    let people = program.get(&format!("/mailboxes/{}/grants", contact.id)).await.is(200);
    assert_eq!(people["items"], grants["items"]);

    let invite = Invite {
        address: "marc@private.example".to_owned(),
        role: Role::Member,
        grants: Vec::new(),
        language: Language::French,
        invited_by: "Sophie".to_owned(),
    };
    let (invitation, _) = site
        .directory()
        .invite(&site.machine, site.acme.id, invite)
        .await
        .unwrap();
    let listed = program.get("/invitations?open=true&q=marc").await.is(200);
    assert_eq!(listed["items"][0]["id"], invitation.id.to_string());
    assert_eq!(listed["items"][0]["state"], "waiting");
    let one = program.get(&format!("/invitations/{}", invitation.id)).await.is(200);
    assert_eq!(one["language"], "fr");

    let theirs = client(&site, &lucie).await;
    assert_eq!(
        theirs.get("/tokens").await.is(200)["items"].as_array().unwrap().len(),
        1
    );
    assert_eq!(
        theirs.get("/tokens?all=true").await.is(200)["items"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn the_audit_log_is_read_filtered_and_exported() {
    let site = Site::new().await;
    let program = sophie(&site).await;
    let contact = site.mailbox("contact").await;
    let device = site.device(&contact, "=CRM", None).await;
    let all = program.get("/audit?limit=200").await.is(200);
    let count = all["items"].as_array().unwrap().len();
    assert!(count >= 4 && all["next"] == Value::Null, "{all}");
    let filtered = program.get("/audit?action=device.&who=cli:root").await.is(200);
    assert_eq!(filtered["items"].as_array().unwrap().len(), 1);
    let entry = &filtered["items"][0];
    assert_eq!(
        (&entry["action"], &entry["subject"]),
        (&json!("device.add"), &json!(device.id.to_string()))
    );
    let number = entry["number"].as_i64().unwrap();
    assert_eq!(program.get(&format!("/audit/{number}")).await.is(200), *entry);
    let of_mailbox = program
        .get(&format!("/mailboxes/{}/activity", contact.id))
        .await
        .is(200);
    assert_eq!(of_mailbox["items"][0], *entry);
    let of_device = program.get(&format!("/devices/{}/activity", device.id)).await.is(200);
    assert_eq!(of_device["items"][0], *entry);
    for (query, expected) in [
        (format!("?mailbox={}", contact.id), 2),
        ("?since=2030-01-01T00:00:00Z".to_owned(), 0),
        ("?until=2020-01-01T00:00:00Z".to_owned(), 0),
        (format!("?subject={}", device.id), 1),
    ] {
        let page = program.get(&format!("/audit{query}")).await.is(200);
        assert_eq!(page["items"].as_array().unwrap().len(), expected, "{query}");
    }

    let csv = program.get("/audit/export.csv?action=device.").await;
    assert_eq!(csv.status, StatusCode::OK);
    assert_eq!(
        csv.header("content-type"),
        Some("text/csv; charset=utf-8; header=present")
    );
    assert!(
        csv.body.contains("\"number\",\"at\"") && csv.body.contains(&device.id.to_string()),
        "{}",
        csv.body
    );
    assert_eq!(csv.body.lines().count(), 2);
    let lines = program.get("/audit/export.jsonl").await;
    assert_eq!(lines.body.lines().count(), count);
    for line in lines.body.lines() {
        let _: Value = serde_json::from_str(line).unwrap();
    }
}

#[tokio::test]
async fn one_finds_things_by_name_and_by_internet_address() {
    let site = Site::new().await;
    let program = sophie(&site).await;
    let contact = site.mailbox("contact").await;
    let device = site.device(&contact, "Contact form", None).await;
    site.directory()
        .create_alias(&site.machine, "contacts@example.org", "contact@example.org")
        .await
        .unwrap();
    let found = program.get("/search?q=contact").await.is(200);
    let count = |kind: &str| found[kind].as_array().unwrap().len();
    assert_eq!(
        (count("mailboxes"), count("aliases"), count("devices"), count("members")),
        (1, 1, 1, 0)
    );
    assert_eq!(found["is_cut"], false);
    assert_eq!(program.get("/search?q=contact&limit=1").await.is(200)["is_cut"], true);
    assert_eq!(
        program.get("/search?q=sophie").await.is(200)["members"][0]["name"],
        "Sophie"
    );
    let _live = connect(&site, &contact, &device, Protocol::Imap);
    let by_address = program.get(&format!("/search?q={PEER}")).await.is(200);
    assert_eq!(by_address["devices"][0]["id"], device.id.to_string());
    program.get("/search?q=x&limit=101").await.refused(400, "request.query");
}
