//! Tokens and passwords are in the answers that show them and nowhere else: not in logs, not in metrics, not in the store,
//! not in what is answered later.

use serde_json::json;

use super::*;
use crate::admin::pages::tests::kit::Log;

#[tokio::test]
async fn no_secret_is_logged_counted_or_stored() {
    let (log, _guard) = Log::listen();
    let site = Site::with(without_mail()).await;
    let contact = site.mailbox("contact").await;
    let (token, _) = token_in(&site, site.acme.id, &site.sophie, Role::Owner, TokenScope::Write).await;
    let program = Client::new(&site, Some(token.clone())).with("idempotency-key", "key-of-mine-1");
    let path = format!("/mailboxes/{}/devices", contact.id);
    let added = program.post(&path, json!({ "name": "CRM" })).await.is(201);
    let device = added["device"]["id"].as_str().unwrap();
    let replaced = sophie(&site)
        .await
        .act(&format!("/devices/{device}/replace"))
        .await
        .is(200);
    let invited = sophie(&site)
        .await
        .post("/invitations", json!({ "address": "lucie@private.example" }))
        .await
        .is(201);
    // What goes wrong is logged with more words.
    let wrong = format!("pst_{}", "b".repeat(52));
    Client::new(&site, Some(wrong.clone()))
        .get("/me")
        .await
        .refused(401, "signin.needed");
    let typed = "my-own-password";
    let body = json!({ "name": "x", "password": typed });
    program.post(&path, body).await.refused(422, "request.fields");

    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let link = text(&invited["link"]);
    let secrets = [
        token,
        text(&added["password"]),
        text(&added["password"]).replace('-', ""),
        text(&replaced["password"]),
        link.rsplit('/').next().unwrap().to_owned(),
        wrong,
        typed.to_owned(),
        "key-of-mine-1".to_owned(),
    ];
    let metrics = site.metrics.encode();
    assert!(
        metrics.contains(r#"route="/api/v1/mailboxes/{mailbox}/devices""#),
        "{metrics}"
    );
    assert!(metrics.contains(r#"status="401""#), "{metrics}");
    let mut stored = Vec::new();
    for file in std::fs::read_dir(site.place.path()).unwrap() {
        stored.extend(std::fs::read(file.unwrap().path()).unwrap());
    }
    assert!(stored.len() > 10_000, "{}", stored.len());
    assert!(log.text().contains("http.route"), "{}", log.text());
    let later = program.get("/audit/export.jsonl").await.body + &program.get("/devices").await.body;
    for secret in &secrets {
        for (place, text) in [
            ("the log", log.text().into_bytes()),
            ("the metrics", metrics.clone().into_bytes()),
            ("the store", stored.clone()),
            ("a later answer", later.clone().into_bytes()),
        ] {
            let found = memchr::memmem::find(&text, secret.as_bytes()).is_some();
            assert!(!found, "{secret} is in {place}");
        }
    }
}

#[tokio::test]
async fn requests_are_counted_by_their_pattern_and_never_by_their_path() {
    let site = Site::new().await;
    let program = sophie(&site).await;
    for path in ["/devices/dev-kqzmkqzmkqzmk", "/kqzm", "/kqzm/kqzm", "/devices?q=kqzm"] {
        program.get(path).await;
    }
    program.delete("/devices").await;
    let metrics = site.metrics.encode();
    assert!(
        metrics.contains(r#"route="/api/v1/devices/{device}",status="404""#),
        "{metrics}"
    );
    assert!(metrics.contains(r#"route="/api/v1/devices",status="405""#), "{metrics}");
    assert!(!metrics.contains("kqzm"), "{metrics}");
    let routes = metrics
        .lines()
        .filter(|line| line.starts_with("postern_http_requests"))
        .count();
    assert!(routes < 10, "{metrics}");
}
