//! The activity: filters, permalinks, and exports in which nothing acts as a formula.

use serde_json::Value;

use super::*;
use crate::directory::DeviceSpec;
use crate::model::Role;

#[tokio::test]
async fn activity_is_filtered_and_each_entry_has_its_page() {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    let mut sophie = site.sophie().await;
    sophie
        .post(&site.at(&format!("mailboxes/{}/suspend", mailbox.id)), &[])
        .await;
    sophie
        .post(
            &site.at("mailboxes/new"),
            &[("local", "info"), ("domain", "example.org")],
        )
        .await;
    let all = sophie.get(&site.at("activity")).await;
    all.says(200, "Sophie created the mailbox info@example.org");
    all.says(200, "root on the server created the mailbox contact@example.org");
    let deeds = |answer: &Answer| answer.text().matches(" the mailbox ").count();
    for (query, count) in [
        ("q=info@example.org", 1),
        ("q=user:sophie@private.example", 2),
        ("q=cli:root", 1),
        ("about=mailbox", 3),
        ("about=device", 0),
        ("since=2026-01-01&until=2026-12-31", 3),
        ("until=2026-01-01", 0),
        ("since=2020-02-30", 3),
    ] {
        let answer = sophie.get(&site.at(&format!("activity?{query}"))).await;
        assert_eq!(deeds(&answer), count, "{query}: {}", answer.text());
        assert_eq!(answer.text().contains("Nothing matches."), count == 0, "{query}");
    }
    sophie
        .get(&site.at("activity?since=2020-02-30"))
        .await
        .says(200, "Choose a day that is not in the future.");
    let entry = all
        .body
        .split("/activity/")
        .find_map(|rest| rest.split('"').next()?.parse::<i64>().ok())
        .unwrap();
    let page = sophie.get(&site.at(&format!("activity/{entry}"))).await;
    page.says(200, &format!("Entry {entry}"));
    page.says(200, "user:sophie@private.example");
    let hash = page
        .body
        .split("<code class=\"long\">")
        .nth(1)
        .unwrap()
        .split('<')
        .next()
        .unwrap();
    assert!(
        hash.len() == 64 && hash.bytes().all(|digit| digit.is_ascii_hexdigit()),
        "{hash}"
    );
}

#[tokio::test]
async fn what_is_done_again_and_again_stands_once() {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    let mut sophie = site.sophie().await;
    for _ in 0..3 {
        site.store_note(&mailbox).await;
    }
    let text = sophie.get(&site.at("activity")).await.text();
    assert_eq!(text.matches("ended a connection").count(), 1, "{text}");
    assert!(text.contains('3'));
}

impl Site {
    async fn store_note(&self, mailbox: &Mailbox) {
        let detail = serde_json::json!({ "mailbox": mailbox.address.as_str() });
        let (machine, org) = (&self.machine, Some(self.acme.id));
        let store: &dyn crate::store::AuditStore = &*self.store;
        store
            .append_audit(machine, "session.end", org, "dev-0000000000007", detail)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn exports_are_whole_filtered_and_defused() {
    let site = Site::new().await;
    let mailbox = site.mailbox("contact").await;
    let name = "=HYPERLINK(\"http://evil.example\",\"x\")";
    site.device(&mailbox, name, None).await;
    // More than one page of the store.
    for number in 0..1_100 {
        let detail = serde_json::json!({ "number": number });
        let store: &dyn crate::store::AuditStore = &*site.store;
        store
            .append_audit(&site.machine, "device.edit", Some(site.acme.id), "@SUM(1+1)", detail)
            .await
            .unwrap();
    }
    let mut sophie = site.sophie().await;
    let file = sophie.get(&site.at("activity/export.csv")).await;
    assert_eq!(file.headers["content-type"], "text/csv; charset=utf-8; header=present");
    let disposition = file.headers["content-disposition"].to_str().unwrap();
    assert!(
        disposition.starts_with("attachment; filename=\"activity-2026-"),
        "{disposition}"
    );
    assert_eq!(file.headers["cache-control"], "no-store");
    let text = file
        .body
        .strip_prefix('\u{feff}')
        .expect("spreadsheets take it for UTF-8");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert!(rows.len() > 1_100, "{}", rows.len());
    let mut numbers: Vec<i64> = rows.iter().map(|row| row[0].parse().unwrap()).collect();
    assert!(
        numbers.is_sorted_by(|one, other| one > other),
        "newest first, none twice"
    );
    for field in rows.iter().flat_map(csv::StringRecord::iter) {
        assert!(!field.starts_with(['=', '+', '-', '@']), "{field}");
    }
    assert!(rows.iter().any(|row| &row[6] == "'@SUM(1+1)"));

    let lines = sophie.get(&site.at("activity/export.jsonl?about=device")).await;
    assert_eq!(lines.headers["content-type"], "application/x-ndjson");
    let lines: Vec<Value> = lines
        .body
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(
        lines
            .iter()
            .all(|line| line["action"].as_str().unwrap().starts_with("device."))
    );
    assert!(
        lines.iter().any(|line| line["detail"]["label"] == name),
        "a program gets it as it is"
    );
    assert!(lines.iter().all(|line| line["hash"].as_str().unwrap().len() == 64));
    numbers.retain(|number| lines.iter().any(|line| line["number"] == *number));
    assert_eq!(numbers.len(), lines.len());
}

#[tokio::test]
async fn an_export_that_may_not_be_read_is_a_page_that_says_who_can() {
    let site = Site::new().await;
    let marc = site.member("marc", Role::MailboxManager).await;
    let mut marcs = site.signed_in(&marc).await;
    for file in ["activity/export.csv", "activity/export.jsonl"] {
        let answer = marcs.get(&site.at(file)).await;
        answer.says(403, "Sophie can.");
        assert!(!answer.headers.contains_key("content-disposition"));
    }
    let spec = DeviceSpec {
        label: "CRM".to_owned(),
        ..DeviceSpec::default()
    };
    site.directory()
        .add_device(&site.machine, "contact@example.org", spec)
        .await
        .unwrap();
}
