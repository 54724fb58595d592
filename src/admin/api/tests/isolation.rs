//! Ids of another organisation answer exactly like unknown ones, on every path of the description, and lists show nothing
//! of it.

use axum::http::Method;
use serde_json::json;

use super::conform::DOCUMENT;
use super::*;
use crate::directory::Invite;
use crate::model::Language;

/// The ids of one organisation's things, by the names of the path's parameters.
struct Things {
    ids: Vec<(&'static str, String)>,
    _session: LiveSession,
}

impl Things {
    fn id(&self, name: &str) -> &str {
        &self.ids.iter().find(|(known, _)| *known == name).unwrap().1
    }
}

/// An id like this one that nothing has.
fn unknown(id: &str) -> String {
    match id.split_once('-') {
        Some((kind, _)) => format!("{kind}-0000000000007"),
        None => "999999999".to_owned(),
    }
}

/// Something of each kind in an organisation beside Acme.
async fn elsewhere(site: &Site) -> Things {
    let (other, otto) = site.other_org().await;
    let (directory, machine) = (site.directory(), &site.machine);
    let domain = directory.create_domain(machine, &other, "other.example").await.unwrap();
    let mailbox = directory.create_mailbox(machine, "hidden@other.example").await.unwrap();
    let alias = directory
        .create_alias(machine, "alias@other.example", "hidden@other.example")
        .await
        .unwrap();
    let device = site.device(&mailbox, "Hidden", None).await;
    let invite = Invite {
        address: "invited@private.example".to_owned(),
        role: Role::Member,
        grants: Vec::new(),
        language: Language::English,
        invited_by: "Otto".to_owned(),
    };
    let (invitation, _) = directory.invite(machine, other.id, invite).await.unwrap();
    let (_, token) = token_in(site, other.id, &otto, Role::Owner, TokenScope::Write).await;
    let session = connect(site, &mailbox, &device, Protocol::Imap);
    let filter = crate::store::AuditFilter {
        org: Some(other.id),
        limit: 1,
        ..crate::store::AuditFilter::default()
    };
    let entry = directory.audit(&filter).await.unwrap().remove(0);
    Things {
        ids: vec![
            ("alias", alias.id.to_string()),
            ("device", device.id.to_string()),
            ("domain", domain.id.to_string()),
            ("invitation", invitation.id.to_string()),
            ("mailbox", mailbox.id.to_string()),
            ("number", entry.number.to_string()),
            ("session", session.id().0.to_string()),
            ("token", token.id.to_string()),
            ("user", otto.id.to_string()),
        ],
        _session: session,
    }
}

/// A body that the operation would take, where it wants one.
fn body(pattern: &str) -> Value {
    match pattern {
        "/devices/{device}" => json!({ "revision": "0", "name": "x" }),
        "/devices/{device}/link/send" => json!({}),
        "/mailboxes/{mailbox}/aliases" => json!({ "address": "x@example.org" }),
        "/mailboxes/{mailbox}/devices" => json!({ "name": "x" }),
        "/mailboxes/{mailbox}/devices/revoke" => json!({ "devices": ["dev-0000000000007"] }),
        "/mailboxes/{mailbox}/grants/{user}" => json!({ "rights": ["send-as"] }),
        "/members/{user}/role" => json!({ "role": "auditor", "revision": "x" }),
        "/invitations/{invitation}/send" => json!({}),
        _ => panic!("{pattern} needs a body here"),
    }
}

#[tokio::test]
async fn every_path_answers_ids_of_another_organisation_like_unknown_ones() {
    let site = Site::new().await;
    let things = elsewhere(&site).await;
    let program = sophie(&site).await;
    let mut tried = 0;
    for (pattern, item) in DOCUMENT["paths"].as_object().unwrap() {
        if !pattern.contains('{') || pattern.starts_with("/problems/") {
            continue;
        }
        for method in ["get", "put", "post", "patch", "delete"] {
            let Some(operation) = item.get(method) else { continue };
            let path = |id: &dyn Fn(&str) -> String| {
                let parts = pattern.split('/').map(|part| match part.strip_prefix('{') {
                    Some(name) => id(name.trim_end_matches('}')),
                    None => part.to_owned(),
                });
                parts.collect::<Vec<_>>().join("/")
            };
            let theirs = path(&|name| things.id(name).to_owned());
            let nobodys = path(&|name| unknown(things.id(name)));
            let sent = operation.get("requestBody").map(|_| body(pattern));
            let method: Method = method.to_uppercase().parse().unwrap();
            let theirs = program.ask(method.clone(), &theirs, sent.clone()).await;
            let nobodys = program.ask(method.clone(), &nobodys, sent).await;
            theirs.refused(404, "not_found");
            assert_eq!(theirs.body, nobodys.body, "{method} {pattern}");
            assert_eq!(theirs.headers, nobodys.headers, "{method} {pattern}");
            tried += 1;
        }
    }
    assert!(tried > 30, "{tried}");
}

#[tokio::test]
async fn ids_of_another_organisation_in_bodies_and_queries_are_unknown() {
    let site = Site::new().await;
    let things = elsewhere(&site).await;
    let program = sophie(&site).await;
    let contact = site.mailbox("contact").await;
    let both = async |ask: &(dyn Fn(String) -> (Method, String, Option<Value>) + Sync), name: &str| {
        let theirs = things.id(name).to_owned();
        let nobodys = unknown(&theirs);
        let mut answers = Vec::new();
        for id in [theirs, nobodys] {
            let (method, path, body) = ask(id.clone());
            let answer = program.ask(method, &path, body).await;
            assert!(
                !answer.body.contains("hidden") && !answer.body.contains("Otto"),
                "{answer:?}"
            );
            answers.push((answer.status, answer.body.replace(&id, "ID")));
        }
        assert_eq!(answers[0], answers[1], "{name}");
    };
    let invite = |id: String| {
        let grants = json!([{ "mailbox": id, "rights": ["send-as"] }]);
        let body = json!({ "address": "x@private.example", "grants": grants });
        (Method::POST, "/invitations".to_owned(), Some(body))
    };
    both(&invite, "mailbox").await;
    let device = |id: String| {
        let body = json!({ "name": "x", "user": id });
        (Method::POST, format!("/mailboxes/{}/devices", contact.id), Some(body))
    };
    both(&device, "user").await;
    let grant = |id: String| {
        let path = format!("/mailboxes/{}/grants/{id}", contact.id);
        (Method::PUT, path, Some(json!({ "rights": ["send-as"] })))
    };
    both(&grant, "user").await;
    let revoke = |id: String| {
        let path = format!("/mailboxes/{}/devices/revoke", contact.id);
        (Method::POST, path, Some(json!({ "devices": [id] })))
    };
    both(&revoke, "device").await;
    for (path, name) in [
        ("/sessions?mailbox=", "mailbox"),
        ("/sessions?device=", "device"),
        ("/mailboxes?domain=", "domain"),
        ("/devices?user=", "user"),
        ("/audit?mailbox=", "mailbox"),
        ("/audit?subject=", "device"),
    ] {
        let filter = |id: String| (Method::GET, format!("{path}{id}"), None);
        both(&filter, name).await;
    }
}

#[tokio::test]
async fn lists_show_nothing_of_another_organisation() {
    let site = Site::new().await;
    let things = elsewhere(&site).await;
    let program = sophie(&site).await;
    for path in [
        "/domains",
        "/mailboxes",
        "/devices?status=all",
        "/devices?status=connected",
        "/sessions",
        "/members",
        "/invitations",
        "/audit?limit=200",
        "/audit/export.jsonl",
        "/tokens?all=true",
        "/search?q=hidden",
        "/search?q=otto",
        "/search?q=198.51.100.7",
        "/me/mailboxes",
    ] {
        let answer = program.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        for (name, id) in things.ids.iter().filter(|(_, id)| id.contains('-')) {
            assert!(!answer.body.contains(id), "{path} shows the {name}: {}", answer.body);
        }
    }
    let address = json!({ "address": "x@other.example" });
    let there = program.post("/mailboxes", address).await;
    let nowhere = program
        .post("/mailboxes", json!({ "address": "x@nobody.example" }))
        .await;
    assert_eq!(
        there
            .refused(422, "request.fields")
            .to_string()
            .replace("other.example", "D"),
        nowhere
            .refused(422, "request.fields")
            .to_string()
            .replace("nobody.example", "D")
    );
}
