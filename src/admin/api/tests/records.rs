//! The DNS records of a mail domain.

use super::*;
use crate::dns::name_server::{NameServer, address, alias, srv, txt};

#[tokio::test]
async fn records_are_told_and_checked_on_demand() {
    let server = NameServer::start().await;
    let site = Site::with(Wish {
        name_servers: vec![server.address],
        ..Wish::default()
    })
    .await;
    let program = sophie(&site).await;
    let id = program.get("/domains").await.is(200)["items"][0]["id"].clone();
    let path = format!("/domains/{}/records", id.as_str().unwrap());
    let before = program.get(&path).await.is(200);
    assert_eq!(before["domain"], "example.org");
    assert_eq!(before["checked_at"], Value::Null);
    let states = |body: &Value, list: &str| {
        let all = body[list].as_array().unwrap().iter();
        all.map(|it| {
            (
                it["name"].as_str().unwrap().to_owned(),
                it["state"].as_str().unwrap().to_owned(),
            )
        })
        .collect::<std::collections::BTreeMap<_, _>>()
    };
    assert!(states(&before, "records").values().all(|state| state == "unknown"));

    server.put("manager.example.org", address("192.0.2.2"));
    server.put("autoconfig.example.org", alias("manager.example.org"));
    server.put("_imaps._tcp.example.org", srv(143, "mail.example.org"));
    server.put("_ua-auto-config.example.org", txt(&[b"v=UAAC1; a=sha256; d=old"]));
    let after = program.act(&format!("{path}/check")).await.is(200);
    let records = states(&after, "records");
    for (name, state) in [
        ("autoconfig.example.org", "right"),
        ("_imaps._tcp.example.org", "other"),
        ("_ua-auto-config.example.org", "other"),
        ("_submissions._tcp.example.org", "missing"),
    ] {
        assert_eq!(records[name], state, "{name}");
    }
    let servers = states(&after, "servers");
    assert_eq!(
        (
            servers["manager.example.org"].as_str(),
            servers["mail.example.org"].as_str()
        ),
        ("right", "missing")
    );
    let found = |name: &str| {
        let mut all = after["records"].as_array().unwrap().iter();
        all.find(|it| it["name"] == name).unwrap()["found"].clone()
    };
    assert_eq!(
        found("_imaps._tcp.example.org"),
        serde_json::json!(["SRV 0 1 143 mail.example.org."])
    );
    assert!(
        after["zone"]
            .as_str()
            .unwrap()
            .contains("_imaps._tcp.example.org. 3600 IN SRV")
    );
    assert!(after["checked_at"].is_string());
    assert_eq!(program.get(&path).await.is(200), after);
}

#[tokio::test]
async fn a_token_that_asks_too_often_is_told_when_to_ask_again() {
    let server = NameServer::start().await;
    let site = Site::with(Wish {
        name_servers: vec![server.address],
        ..Wish::default()
    })
    .await;
    let program = sophie(&site).await;
    let id = program.get("/domains").await.is(200)["items"][0]["id"].clone();
    let path = format!("/domains/{}/records/check", id.as_str().unwrap());
    for _ in 0..10 {
        program.act(&path).await.is(200);
    }
    let answer = program.act(&path).await;
    answer.refused(429, "too_soon");
    assert_eq!(answer.header("retry-after"), Some("60"));
}
