//! What is refused, and in which words: tokens that do not work, requests that cannot be read, things that went away.

use axum::http::Method;
use serde_json::json;

use super::*;
use crate::directory::desk::testing::SignInConfig;

#[tokio::test]
async fn whoever_has_no_token_that_works_is_told_the_same_whatever_the_reason() {
    let site = Site::new().await;
    let marc = site.member("marc", Role::Administrator).await;
    let (ended, _) = token_in(&site, site.acme.id, &marc, Role::Administrator, TokenScope::Write).await;
    let (withdrawn, record) = token_in(&site, site.acme.id, &marc, Role::Administrator, TokenScope::Write).await;
    let lucie = site.member("lucie", Role::Member).await;
    let (removed, _) = token_in(&site, site.acme.id, &lucie, Role::Member, TokenScope::Read).await;
    let (directory, machine, org) = (site.directory(), &site.machine, site.acme.id);
    directory.revoke_token(machine, org, record.id).await.unwrap();
    directory
        .remove_member(machine, org, lucie.id, Role::Member)
        .await
        .unwrap();
    site.clock.advance(Duration::from_secs(31 * 24 * 60 * 60));
    let unknown = format!("pst_{}", "a".repeat(52));
    let mut answers = Vec::new();
    for token in [
        None,
        Some(""),
        Some("pst_short"),
        Some(&*unknown),
        Some(&*ended),
        Some(&*withdrawn),
        Some(&*removed),
        Some("pss_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
    ] {
        let answer = Client::new(&site, token.map(str::to_owned)).get("/me").await;
        answer.refused(401, "signin.needed");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"Postern\""));
        answers.push((answer.body, answer.headers));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
}

#[tokio::test]
async fn a_browser_that_is_signed_in_is_nobody_here() {
    let site = Site::new().await;
    let browser = site.sophie().await;
    let cookie = format!("__Host-postern={}", browser.session().unwrap());
    let stranger = Client::new(&site, None).with("cookie", cookie);
    stranger.get("/me").await.refused(401, "signin.needed");
    let body = json!({ "address": "new@example.org" });
    stranger
        .post("/mailboxes", body.clone())
        .await
        .refused(401, "signin.needed");
    // And a page of another site is told so, whatever it sends; browsers ask first, and get no yes.
    let program = sophie(&site).await;
    for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let answer = program.with(name, value).post("/mailboxes", body.clone()).await;
        answer.refused(403, "request.foreign_site");
    }
    let asked = program
        .with("origin", "https://evil.example")
        .with("access-control-request-method", "GET")
        .ask(Method::OPTIONS, "/me", None)
        .await;
    asked.refused(405, "request.method");
    assert!(asked.header("access-control-allow-origin").is_none());
}

#[tokio::test]
async fn wrong_tokens_are_counted_and_right_ones_are_not_slowed_by_it() {
    let site = Site::with(Wish {
        throttle: SignInConfig {
            tokens: 3,
            ..SignInConfig::default()
        },
        ..Wish::default()
    })
    .await;
    let wrong = Client::new(&site, Some(format!("pst_{}", "a".repeat(52))));
    for _ in 0..3 {
        wrong.get("/me").await.refused(401, "signin.needed");
    }
    let answer = wrong.get("/me").await;
    answer.refused(429, "signin.wait");
    assert!(answer.header("retry-after").unwrap().parse::<u64>().unwrap() > 0);
    sophie(&site).await.get("/me").await.is(200);
    let elsewhere = Client {
        ip: "198.51.100.1",
        ..wrong
    };
    elsewhere.get("/me").await.refused(401, "signin.needed");
}

#[tokio::test]
async fn paths_and_methods_that_are_none_are_told_as_problems() {
    let site = Site::new().await;
    let program = sophie(&site).await;
    for path in [
        "/",
        "",
        "/nowhere",
        "/devices/",
        "/mailboxes/x/nowhere",
        "/devices/x/y/z",
    ] {
        program.get(path).await.refused(404, "request.path");
    }
    let answer = program.ask(Method::PUT, "/devices", Some(json!({}))).await;
    answer.refused(405, "request.method");
    assert_eq!(answer.header("allow"), Some("GET,HEAD"));
    let answer = program.delete("/mailboxes").await;
    assert_eq!(answer.header("allow"), Some("GET,HEAD,POST"));
    // Other versions, and the root of all.
    for uri in ["/api", "/api/", "/api/v2/me", "/api/v1/../v2"] {
        let request = Request::get(uri).header(header::HOST, site.origin.authority());
        let response = site
            .router
            .clone()
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{uri}");
        assert_eq!(response.headers()["content-type"], "application/problem+json", "{uri}");
    }
    let request = Request::get("/api/v1/me").header(header::HOST, "evil.example");
    let response = site
        .router
        .clone()
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::MISDIRECTED_REQUEST);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_told_apart() {
    let site = Site::new().await;
    let program = sophie(&site).await;
    let send =
        async |kind: Option<&str>, body: &str| program.send(Method::POST, "/mailboxes", kind, body.to_owned()).await;
    let json = Some("application/json");
    send(json, "{").await.refused(400, "request.json");
    send(json, "").await.refused(400, "request.json");
    send(Some("application/json; charset=utf-8"), "{}")
        .await
        .refused(422, "request.fields");
    for kind in [None, Some("text/plain"), Some("application/x-www-form-urlencoded")] {
        send(kind, r#"{"address": "new@example.org"}"#)
            .await
            .refused(415, "request.content_type");
    }
    send(json, &" ".repeat(64 * 1024 + 1))
        .await
        .refused(413, "request.too_large");
    let told = send(json, r#"{"address": "new@example.org", "owner": true}"#)
        .await
        .refused(422, "request.fields");
    assert_eq!(told["fields"][0]["field"], "owner");
    assert_eq!(told["fields"][0]["key"], "field.unknown");
    let told = send(json, r#"{"address": "no address"}"#)
        .await
        .refused(422, "request.fields");
    assert_eq!(
        (&told["fields"][0]["field"], &told["fields"][0]["key"]),
        (&json!("address"), &json!("address.bad"))
    );
    let told = send(json, r#"{"address": "a@foreign.example"}"#)
        .await
        .refused(422, "request.fields");
    assert_eq!(told["fields"][0]["key"], "not_found");
    assert_eq!(told["type"], "/api/v1/problems/request.fields");
    assert!(told["hint"].as_str().unwrap().ends_with('.') && told["title"].is_string());
    let list = program.get("/mailboxes").await.is(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "nothing was made");
}

#[tokio::test]
async fn parameters_that_cannot_be_used_are_named() {
    let site = Site::new().await;
    let program = sophie(&site).await;
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("limit=-1", "limit"),
        ("after=!", "after"),
        ("after=eA", "after"),
        ("status=gone", "status"),
        ("kind=fridge", "kind"),
        ("stauts=live", "stauts"),
        ("user=usr-1", "user"),
        ("ip=nowhere", "ip"),
        ("limit=1&limit=2", "limit"),
    ] {
        let told = program
            .get(&format!("/devices?{query}"))
            .await
            .refused(400, "request.query");
        assert_eq!(told["fields"][0]["field"], field, "{query}: {told}");
    }
}

#[tokio::test]
async fn an_id_that_is_none_answers_like_one_that_is_unknown() {
    let site = Site::new().await;
    let program = sophie(&site).await;
    for (one, other) in [
        ("/devices/x", "/devices/dev-0000000000007"),
        ("/mailboxes/dev-0000000000007", "/mailboxes/mbx-0000000000007"),
        ("/members/usr-zzzzzzzzzzzzz", "/members/usr-0000000000007"),
        ("/audit/x", "/audit/999999"),
        ("/sessions/-1", "/sessions/999999"),
    ] {
        let (one, other) = (program.get(one).await, program.get(other).await);
        one.refused(404, "not_found");
        assert_eq!(one.body, other.body);
    }
}

#[tokio::test]
async fn whoever_may_not_is_told_who_can() {
    let site = Site::new().await;
    let auditor = site.member("auditor", Role::Auditor).await;
    let program = client(&site, &auditor).await;
    let told = program
        .post("/mailboxes", json!({ "address": "new@example.org" }))
        .await
        .refused(403, "ui.forbidden");
    assert_eq!(told["who_can"], json!(["Sophie"]));
    assert!(told["detail"].as_str().unwrap().contains("create a mailbox"), "{told}");
    let (reads, _) = token_in(&site, site.acme.id, &site.sophie, Role::Owner, TokenScope::Read).await;
    let reader = Client::new(&site, Some(reads));
    reader
        .post("/mailboxes", json!({ "address": "new@example.org" }))
        .await
        .refused(403, "token.read_only");
    let own = program.get("/tokens").await.is(200)["items"][0]["id"].clone();
    program
        .delete(&format!("/tokens/{}", own.as_str().unwrap()))
        .await
        .refused(403, "token.only_in_person");
}

#[tokio::test]
async fn a_store_that_is_away_is_told_without_its_place() {
    let site = Site::new().await;
    let program = sophie(&site).await;
    let path = site.place.path().join("postern.db");
    // Another process holds the write lock for longer than anybody waits; and then the file is none any more.
    std::fs::write(&path, b"broken").unwrap();
    let answer = program
        .post("/mailboxes", json!({ "address": "new@example.org" }))
        .await;
    answer.refused(503, "server.store");
    assert_eq!(answer.header("retry-after"), Some("5"));
    for inner in [
        "postern.db",
        site.place.path().to_str().unwrap(),
        "disk",
        "database",
        "malformed",
    ] {
        assert!(!answer.body.contains(inner), "{inner} is told in {}", answer.body);
    }
}
