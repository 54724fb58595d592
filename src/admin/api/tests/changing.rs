//! What programs change: each change works, says what it ended, and refuses what was changed meanwhile.

use serde_json::json;

use super::*;
use crate::store::DeviceUse;

/// Asserts that exactly so many sessions ended.
#[track_caller]
fn ended(body: &Value, sessions: u64) {
    assert_eq!(body["ended"]["sessions"], sessions, "{body}");
    assert!(body["ended"]["milliseconds"].is_number(), "{body}");
}

#[tokio::test]
async fn a_domain_is_added_and_removed() {
    let site = Site::new().await;
    let program = sophie(&site).await;
    let made = program.post("/domains", json!({ "name": "Example.COM" })).await;
    let domain = made.is(201);
    assert_eq!(domain["name"], "example.com");
    let place = made.header("location").unwrap().strip_prefix(ROOT).unwrap().to_owned();
    assert_eq!(program.get(&place).await.is(200), domain);
    let again = program.post("/domains", json!({ "name": "example.com" })).await;
    again.refused(409, "conflict");
    let bad = program
        .post("/domains", json!({ "name": "no domain" }))
        .await
        .refused(422, "request.fields");
    assert_eq!(
        (&bad["fields"][0]["field"], &bad["fields"][0]["key"]),
        (&json!("name"), &json!("domain.bad"))
    );
    assert_eq!(program.delete(&place).await.is(204), Value::Null);
    program.delete(&place).await.refused(404, "not_found");
    let used = program.get("/domains").await.is(200)["items"][0]["id"].clone();
    let used = format!("/domains/{}", used.as_str().unwrap());
    program.delete(&used).await.refused(409, "refused");
}

#[tokio::test]
async fn the_organisation_is_renamed_by_whoever_has_seen_its_name() {
    let site = Site::new().await;
    let program = sophie(&site).await;
    let seen = program.get("/organisation").await.is(200);
    let body = |name: &str| json!({ "name": name, "revision": seen["revision"] });
    let renamed = program.patch("/organisation", body(" Acme SA ")).await.is(200);
    assert_eq!(renamed["name"], "Acme SA");
    let stale = program
        .patch("/organisation", body("Other"))
        .await
        .refused(409, "ui.conflict");
    assert_eq!(stale["now"]["name"], "Acme SA");
    assert_eq!(stale["changed_by"], "token:owner write", "{stale}");
    let bad = json!({ "name": "x\u{202e}y", "revision": renamed["revision"] });
    let bad = program.patch("/organisation", bad).await.refused(422, "request.fields");
    assert_eq!(
        (&bad["fields"][0]["field"], &bad["fields"][0]["key"]),
        (&json!("name"), &json!("name.bad"))
    );
}

#[tokio::test]
async fn a_mailbox_lives_from_its_creation_to_its_deletion() {
    let site = Site::new().await;
    let program = sophie(&site).await;
    let made = program
        .post("/mailboxes", json!({ "address": "New@example.org" }))
        .await;
    let mailbox = made.is(201);
    assert_eq!(mailbox["address"], "new@example.org");
    let path = made.header("location").unwrap().strip_prefix(ROOT).unwrap().to_owned();
    assert_eq!(program.get(&path).await.is(200), mailbox);
    program
        .post("/mailboxes", json!({ "address": "new@example.org" }))
        .await
        .refused(409, "conflict");
    let record = site.mailbox("new").await;
    let device = site.device(&record, "CRM", None).await;
    let live = connect(&site, &record, &device, Protocol::Imap);
    let suspended = program.act(&format!("{path}/suspend")).await.is(200);
    assert!(suspended["mailbox"]["suspended_at"].is_string());
    ended(&suspended, 1);
    drop(live);
    let again = program.act(&format!("{path}/suspend")).await.is(200);
    ended(&again, 0);
    let resumed = program.act(&format!("{path}/resume")).await.is(200);
    assert_eq!(resumed["mailbox"]["suspended_at"], Value::Null);
    let _live = connect(&site, &record, &device, Protocol::Imap);
    ended(&program.delete(&path).await.is(200), 1);
    program.get(&path).await.refused(404, "not_found");
}

#[tokio::test]
async fn an_alias_is_added_and_removed() {
    let site = Site::new().await;
    let program = sophie(&site).await;
    let contact = site.mailbox("contact").await;
    let path = format!("/mailboxes/{}/aliases", contact.id);
    let made = program.post(&path, json!({ "address": "hello@example.org" })).await;
    let alias = made.is(201);
    assert_eq!(alias["mailbox"]["address"], "contact@example.org");
    let place = made.header("location").unwrap().strip_prefix(ROOT).unwrap().to_owned();
    assert_eq!(program.get(&place).await.is(200), alias);
    assert_eq!(program.get(&path).await.is(200)["items"], json!([alias]));
    program
        .post(&path, json!({ "address": "contact@example.org" }))
        .await
        .refused(409, "conflict");
    program.delete(&place).await.is(204);
    program.delete(&place).await.refused(404, "not_found");
}

#[tokio::test]
async fn an_access_is_given_changed_and_withdrawn_with_what_depends_on_it() {
    let site = Site::new().await;
    let program = sophie(&site).await;
    let lucie = site.member("lucie", Role::Member).await;
    let contact = site.mailbox("contact").await;
    let path = format!("/mailboxes/{}/grants/{}", contact.id, lucie.id);
    let put = async |body: Value| program.put(&path, body).await;
    let given = put(json!({ "rights": ["add-own-devices", "see-devices"] }))
        .await
        .is(201);
    assert_eq!(given["grant"]["rights"], json!(["see-devices", "add-own-devices"]));
    let same = put(json!({ "rights": ["see-devices", "add-own-devices"] }))
        .await
        .is(200);
    assert_eq!(same["grant"], given["grant"], "the same twice changes nothing");
    let unseen = put(json!({ "rights": ["send-as"] })).await.refused(409, "ui.conflict");
    assert_eq!(unseen["now"], given["grant"]);
    let revision = &given["grant"]["revision"];
    let ends = "2026-12-24T00:00:00Z";
    let changed = put(json!({ "rights": ["send-as"], "ends_at": ends, "revision": revision }))
        .await
        .is(200);
    assert_eq!(
        (&changed["grant"]["rights"], &changed["grant"]["ends_at"]),
        (&json!(["send-as"]), &json!(ends))
    );
    let old = put(json!({ "rights": ["see-devices"], "revision": revision })).await;
    assert_eq!(old.refused(409, "ui.conflict")["now"], changed["grant"]);
    for (body, field, key) in [
        (json!({ "rights": [] }), "rights", "field.bad"),
        (json!({ "rights": ["rule"] }), "rights[0]", "field.bad"),
        (
            json!({ "rights": ["send-as"], "ends_at": "soon" }),
            "ends_at",
            "field.bad",
        ),
        (
            json!({ "rights": ["see-devices"], "ends_at": "2020-01-01T00:00:00Z", "revision": changed["grant"]["revision"] }),
            "ends_at",
            "ends.bad",
        ),
    ] {
        let bad = put(body).await.refused(422, "request.fields");
        assert_eq!(
            (&bad["fields"][0]["field"], &bad["fields"][0]["key"]),
            (&json!(field), &json!(key)),
            "{bad}"
        );
    }

    let theirs = site.device(&contact, "Lucie's phone", Some(lucie.id)).await;
    let nobodys = site.device(&contact, "CRM", None).await;
    let _sessions = [&theirs, &nobodys].map(|device| connect(&site, &contact, device, Protocol::Imap));
    let preview = program.get(&format!("{path}/ending")).await.is(200);
    assert_eq!(preview["devices"][0]["id"], theirs.id.to_string());
    assert_eq!(preview["devices"].as_array().unwrap().len(), 1);
    program.get(&path).await.is(200);
    let withdrawn = program.delete(&path).await.is(200);
    ended(&withdrawn, 1);
    assert_eq!(withdrawn["what"]["devices"][0]["id"], theirs.id.to_string());
    assert_eq!(withdrawn["what"]["mailboxes"][0]["address"], "contact@example.org");
    program.get(&path).await.refused(404, "not_found");
    assert_eq!(
        program.get(&format!("/devices/{}", nobodys.id)).await.is(200)["state"],
        "active"
    );
}

#[tokio::test]
async fn a_device_is_added_with_a_password_that_is_shown_once() {
    let site = Site::new().await;
    let program = sophie(&site).await;
    let contact = site.mailbox("contact").await;
    let path = format!("/mailboxes/{}/devices", contact.id);
    let body = json!({
        "name": " Office printer ",
        "kind": "printer",
        "scopes": ["smtp"],
        "expires_at": "2027-01-01T00:00:00Z",
        "networks": ["192.0.2.7", "2001:db8::/32"],
        "senders": "@example.org",
    });
    let made = program.post(&path, body).await;
    let added = made.is(201);
    let device = &added["device"];
    assert_eq!(device["name"], "Office printer");
    assert_eq!(
        (&device["scopes"], &device["kind"]),
        (&json!(["smtp"]), &json!("printer"))
    );
    assert_eq!(device["networks"], json!(["192.0.2.7/32", "2001:db8::/32"]));
    assert_eq!(
        (&device["senders"], &device["user"]),
        (&json!("@example.org"), &Value::Null)
    );
    assert_eq!(added["password"].as_str().unwrap().len(), 19);
    assert_eq!((&added["imap"], &added["smtp"]["port"]), (&Value::Null, &json!(465)));
    let place = made.header("location").unwrap().strip_prefix(ROOT).unwrap().to_owned();
    let read = program.get(&place).await;
    assert_eq!(read.is(200), *device);
    assert!(!read.body.contains(added["password"].as_str().unwrap()));
    let mine = json!({ "name": "Mine", "user": site.sophie.id.to_string() });
    assert_eq!(
        program.post(&path, mine).await.is(201)["device"]["user"]["name"],
        "Sophie"
    );
    for (body, field, key) in [
        (json!({ "name": "" }), "name", "name.bad"),
        (json!({ "name": "x", "scopes": [] }), "scopes", "field.bad"),
        (
            json!({ "name": "x", "kind": null, "networks": ["office"] }),
            "networks",
            "field.bad",
        ),
        (json!({ "name": "x", "networks": ["any"] }), "networks", "field.bad"),
        (json!({ "name": "x", "senders": "x" }), "senders", "field.bad"),
        (
            json!({ "name": "x", "expires_at": "2020-01-01T00:00:00Z" }),
            "expires_at",
            "ends.bad",
        ),
        (json!({ "name": "x", "password": "mine" }), "password", "field.unknown"),
        (json!({ "name": "x", "imported": true }), "imported", "field.unknown"),
    ] {
        let bad = program.post(&path, body).await.refused(422, "request.fields");
        assert_eq!(
            (&bad["fields"][0]["field"], &bad["fields"][0]["key"]),
            (&json!(field), &json!(key)),
            "{bad}"
        );
    }
    program
        .post(&path, json!({ "name": "office PRINTER" }))
        .await
        .refused(409, "conflict");
}

#[tokio::test]
async fn a_device_is_changed_only_from_what_was_seen() {
    let site = Site::new().await;
    let program = sophie(&site).await;
    let contact = site.mailbox("contact").await;
    let device = site.device(&contact, "CRM", None).await;
    let path = format!("/devices/{}", device.id);
    let _live = connect(&site, &contact, &device, Protocol::Imap);
    let seen = program.get(&path).await.is(200);
    let revision = &seen["revision"];
    let edit = async |body: Value| program.patch(&path, body).await;
    let renamed = edit(json!({ "revision": revision, "name": "Shop" })).await.is(200);
    assert_eq!(
        (&renamed["device"]["name"], &renamed["device"]["scopes"]),
        (&json!("Shop"), &seen["scopes"])
    );
    ended(&renamed, 0);
    let stale = edit(json!({ "revision": revision, "name": "Other" }))
        .await
        .refused(409, "ui.conflict");
    assert_eq!(stale["now"], renamed["device"]);
    let revision = &renamed["device"]["revision"];
    let narrowed = edit(json!({ "revision": revision, "scopes": ["smtp"], "kind": "app" }))
        .await
        .is(200);
    ended(&narrowed, 1);
    let revision = &narrowed["device"]["revision"];
    let given = edit(json!({
        "revision": revision,
        "user": site.sophie.id.to_string(),
        "expires_at": "2027-01-01T00:00:00Z",
    }))
    .await
    .is(200);
    assert_eq!(given["device"]["user"]["name"], "Sophie");
    let revision = &given["device"]["revision"];
    let left = edit(json!({ "revision": revision, "name": "Desk" })).await.is(200);
    assert_eq!(
        left["device"]["expires_at"], "2027-01-01T00:00:00Z",
        "what is left out stays"
    );
    let revision = &left["device"]["revision"];
    let taken = edit(json!({ "revision": revision, "user": null, "expires_at": null }))
        .await
        .is(200);
    assert_eq!(
        (&taken["device"]["user"], &taken["device"]["expires_at"]),
        (&Value::Null, &Value::Null)
    );
    let bad = edit(json!({ "name": "x" })).await.refused(422, "request.fields");
    assert_eq!(
        (&bad["fields"][0]["field"], &bad["fields"][0]["key"]),
        (&json!("revision"), &json!("field.missing"))
    );
    edit(json!({ "revision": "x", "name": "x" }))
        .await
        .refused(409, "ui.conflict");
}

#[tokio::test]
async fn a_device_is_paused_resumed_replaced_and_revoked() {
    let site = Site::new().await;
    let program = sophie(&site).await;
    let contact = site.mailbox("contact").await;
    let device = site.device(&contact, "CRM", None).await;
    let path = |deed: &str| format!("/devices/{}/{deed}", device.id);
    let live = connect(&site, &contact, &device, Protocol::Imap);
    let paused = program.act(&path("pause")).await.is(200);
    assert_eq!(paused["device"]["state"], "paused");
    ended(&paused, 1);
    drop(live);
    assert_eq!(program.act(&path("resume")).await.is(200)["device"]["state"], "active");
    let _live = connect(&site, &contact, &device, Protocol::Smtp);
    let replaced = program.act(&path("replace")).await.is(200);
    ended(&replaced, 1);
    assert_eq!(replaced["password"].as_str().unwrap().len(), 19);
    assert!(replaced["device"]["replaced_at"].is_string());
    let revoked = program.act(&path("revoke")).await.is(200);
    assert_eq!(revoked["device"]["state"], "revoked");
    ended(&program.act(&path("revoke")).await.is(200), 0);
    program.act(&path("resume")).await.refused(409, "refused");
    program.act(&path("replace")).await.refused(409, "refused");
    let all = program.get("/devices?status=revoked").await.is(200);
    assert_eq!(all["items"][0]["id"], device.id.to_string());
}

#[tokio::test]
async fn devices_of_a_mailbox_are_revoked_together_or_not_at_all() {
    let site = Site::new().await;
    let program = sophie(&site).await;
    let (contact, other) = (site.mailbox("contact").await, site.mailbox("other").await);
    let [one, two] = [
        site.device(&contact, "One", None).await,
        site.device(&contact, "Two", None).await,
    ];
    let foreign = site.device(&other, "Three", None).await;
    let path = format!("/mailboxes/{}/devices/revoke", contact.id);
    let ids = |devices: &[&Device]| {
        let ids: Vec<_> = devices.iter().map(|device| device.id.to_string()).collect();
        json!({ "devices": ids })
    };
    program
        .post(&path, ids(&[&one, &foreign]))
        .await
        .refused(404, "not_found");
    program.post(&path, ids(&[])).await.refused(422, "request.fields");
    assert_eq!(
        program.get(&format!("/devices/{}", one.id)).await.is(200)["state"],
        "active"
    );
    let _live = connect(&site, &contact, &two, Protocol::Imap);
    let revoked = program.post(&path, ids(&[&one, &two])).await.is(200);
    assert_eq!(revoked["revoked"].as_array().unwrap().len(), 2);
    ended(&revoked, 1);
    let again = program.post(&path, ids(&[&one, &two])).await.is(200);
    assert_eq!(again["revoked"], json!([]));
}

#[tokio::test]
async fn a_live_session_is_ended() {
    let site = Site::new().await;
    let program = sophie(&site).await;
    let contact = site.mailbox("contact").await;
    let device = site.device(&contact, "CRM", None).await;
    let live = connect(&site, &contact, &device, Protocol::Imap);
    let path = format!("/sessions/{}", live.id().0);
    assert_eq!(program.delete(&path).await.is(200)["device"]["name"], "CRM");
    drop(live);
    program.delete(&path).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_member_gets_another_role_and_is_removed_with_what_is_theirs() {
    let site = Site::new().await;
    let program = sophie(&site).await;
    let lucie = site.member("lucie", Role::Member).await;
    let contact = site.mailbox("contact").await;
    site.grant(&contact, &lucie, right(Right::AddOwnDevices)).await;
    let phone = site.device(&contact, "Phone", Some(lucie.id)).await;
    let path = format!("/members/{}", lucie.id);
    let seen = program.get(&path).await.is(200);
    let role = json!({ "role": "auditor", "revision": seen["revision"] });
    let changed = program.put(&format!("{path}/role"), role.clone()).await.is(200);
    assert_eq!(changed["member"]["role"], "auditor");
    ended(&changed, 0);
    let stale = program
        .put(&format!("{path}/role"), role)
        .await
        .refused(409, "ui.conflict");
    assert_eq!(stale["now"], changed["member"]);
    let _live = connect(&site, &contact, &phone, Protocol::Imap);
    let preview = program.get(&format!("{path}/ending")).await.is(200);
    assert_eq!(preview["devices"][0]["connections"], 1);
    let removed = program.delete(&path).await.is(200);
    assert_eq!(removed["what"]["devices"][0]["name"], "Phone");
    ended(&removed, 1);
    program.get(&path).await.refused(404, "not_found");
    let last = format!("/members/{}", site.sophie.id);
    program.delete(&last).await.refused(409, "refused");
}

#[tokio::test]
async fn an_invitation_is_sent_by_mail_or_handed_over_as_a_link() {
    let site = Site::new().await;
    let program = sophie(&site).await;
    let contact = site.mailbox("contact").await;
    let grants = json!([{ "mailbox": contact.id.to_string(), "rights": ["see-devices"], "ends_at": null }]);
    let by_mail = json!({ "address": "lucie@private.example", "grants": grants, "language": "fr" });
    let made = program.post("/invitations", by_mail).await;
    let mailed = made.is(201);
    assert_eq!(
        (&mailed["link"], &mailed["invitation"]["language"]),
        (&Value::Null, &json!("fr"))
    );
    assert_eq!(mailed["invitation"]["grants"][0]["address"], "contact@example.org");
    assert_eq!(site.letters.take().len(), 1);
    let by_link = json!({ "address": "marc@private.example", "role": "auditor", "by_mail": false });
    let linked = program.post("/invitations", by_link).await.is(201);
    let link = linked["link"].as_str().unwrap();
    assert!(
        link.starts_with("https://manager.example.org/invitation/psi_"),
        "{link}"
    );
    assert_eq!(site.letters.take().len(), 0);
    let path = |of: &Value, rest: &str| format!("/invitations/{}{rest}", of["invitation"]["id"].as_str().unwrap());
    let again = program
        .post(&path(&linked, "/send"), json!({ "by_mail": false }))
        .await
        .is(200);
    assert_ne!(again["link"], linked["link"]);
    let sent = program.post(&path(&linked, "/send"), json!({})).await.is(200);
    assert_eq!((&sent["link"], site.letters.take().len()), (&Value::Null, 1));
    let marc = linked["invitation"]["id"].as_str().unwrap().parse().unwrap();
    site.store.note_invitation_sent(marc, site.clock.utc()).await.unwrap();
    let soon = program.post(&path(&linked, "/send"), json!({})).await;
    soon.refused(429, "too_soon");
    assert_eq!(soon.header("retry-after"), Some("600"));
    let withdrawn = program.act(&path(&linked, "/withdraw")).await.is(200);
    assert_eq!(withdrawn["state"], "withdrawn");
    program.act(&path(&linked, "/withdraw")).await.is(200);
    program
        .post(&path(&linked, "/send"), json!({ "by_mail": false }))
        .await
        .refused(409, "refused");
    let twice = json!({ "address": "lucie@private.example" });
    program.post("/invitations", twice).await.refused(409, "conflict");
    let unknown = json!([{ "mailbox": "mbx-0000000000007", "rights": ["send-as"] }]);
    let bad = json!({ "address": "new@private.example", "grants": unknown });
    let bad = program.post("/invitations", bad).await.refused(422, "request.fields");
    assert_eq!(bad["fields"][0]["field"], "grants[0].mailbox");
}

#[tokio::test]
async fn where_no_mail_is_sent_the_link_is_in_the_answer() {
    let site = Site::with(without_mail()).await;
    let program = sophie(&site).await;
    let made = program
        .post("/invitations", json!({ "address": "lucie@private.example" }))
        .await
        .is(201);
    assert!(made["link"].is_string());
}

#[tokio::test]
async fn somebodys_token_is_revoked() {
    let site = Site::new().await;
    let program = sophie(&site).await;
    let lucie = site.member("lucie", Role::Member).await;
    let (secret, record) = token_in(&site, site.acme.id, &lucie, Role::Member, TokenScope::Read).await;
    let theirs = Client::new(&site, Some(secret));
    theirs.get("/me").await.is(200);
    program.delete(&format!("/tokens/{}", record.id)).await.is(204);
    theirs.get("/me").await.refused(401, "signin.needed");
}

#[tokio::test]
async fn a_device_says_when_it_was_used_and_when_it_has_expired() {
    let site = Site::new().await;
    let program = sophie(&site).await;
    let contact = site.mailbox("contact").await;
    let device = site.device(&contact, "CRM", None).await;
    let used = DeviceUse {
        device: device.id,
        network: PEER.parse::<std::net::IpAddr>().unwrap().into(),
        since: START,
        usage: crate::model::device::Use {
            at: START,
            ip: PEER.parse().unwrap(),
            protocol: Protocol::Imap,
            client: Some("Thunderbird".to_owned()),
        },
    };
    site.store.record_uses(&[used]).await.unwrap();
    let path = format!("/devices/{}", device.id);
    let shown = program.get(&path).await.is(200);
    assert_eq!(shown["last_used"]["client"], "Thunderbird");
    assert_eq!(shown["first_used"], shown["last_used"]);
    let body = json!({ "revision": shown["revision"], "expires_at": "2026-11-20T00:00:00Z" });
    program.patch(&path, body).await.is(200);
    site.clock.advance(Duration::from_secs(3 * 24 * 60 * 60));
    let expired = program.get(&path).await.is(200);
    assert_eq!(
        (&expired["state"], &expired["state_since"]),
        (&json!("expired"), &json!("2026-11-20T00:00:00Z"))
    );
}

#[tokio::test]
async fn what_a_token_does_is_written_down_with_on_whose_behalf() {
    let site = Site::new().await;
    let program = sophie(&site).await;
    program
        .post("/mailboxes", json!({ "address": "new@example.org" }))
        .await
        .is(201);
    let entry = program.get("/audit?action=mailbox.create&limit=1").await.is(200)["items"][0].clone();
    assert_eq!(entry["who"], "token:owner write");
    assert_eq!(entry["behalf"], "user:sophie@private.example");
    assert_eq!(entry["origin"], "192.0.2.1");
}
