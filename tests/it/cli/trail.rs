//! The audit log: filtered, exported as the Manager exports it, and verified.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use rusqlite::Connection;
use serde_json::Value;

use super::installation::Installation;

/// Changes the database as no command does.
fn tamper(it: &Installation, sql: &str) {
    let changed = Connection::open(it.path("data/postern.db"))
        .unwrap()
        .execute(sql, [])
        .unwrap();
    assert_eq!(changed, 1, "{sql}");
}

fn head(it: &Installation) -> String {
    it.json(&["audit", "verify"])["head"].as_str().unwrap().to_owned()
}

#[test]
fn a_whole_log_fits_and_its_head_is_found_again_later() {
    let it = Installation::peopled();
    let early = head(&it);
    it.ok(&["mailbox", "suspend", "info@example.org"]);
    let said = it.ok(&["audit", "verify", "--head", &early]);
    assert!(
        said.contains("rows fit together") && said.contains("is in it"),
        "{said}"
    );
    let with_colon = early.replacen('-', ":", 1);
    it.ok(&["audit", "verify", "--head", &with_colon]);
    let facts = it.json(&["audit", "verify"]);
    assert_eq!((&facts["right"], &facts["broken"]), (&true.into(), &Value::Null));
    assert_eq!(facts["rows"], it.ok(&["audit", "--json"]).lines().count());
    assert_ne!(head(&it), early);
}

#[test]
fn a_row_that_was_changed_or_taken_out_is_named() {
    for (sql, broken) in [
        (
            "UPDATE audit SET who = 'cli:nobody' WHERE number = 3",
            "row 3 was changed",
        ),
        ("DELETE FROM audit WHERE number = 3", "row 3 is missing"),
    ] {
        let it = Installation::peopled();
        tamper(&it, sql);
        let ran = it.run(&["audit", "verify"]);
        assert_eq!(ran.code, 8, "{ran:?}");
        assert!(ran.stdout.contains("2 rows fit, the last one is 2"), "{ran:?}");
        assert!(ran.stderr.contains(broken) && ran.stderr.contains("backup"), "{ran:?}");
        let ran = it.run(&["audit", "verify", "--json"]);
        let facts: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!((ran.code, &facts["right"]), (8, &false.into()));
        assert!(facts["broken"].as_str().unwrap().contains(broken), "{facts}");
        let error: Value = serde_json::from_str(&ran.stderr).unwrap();
        assert_eq!(error["error"]["kind"], "audit_broken");
    }
}

#[test]
fn a_log_whose_end_was_cut_is_told_by_the_head_that_was_kept() {
    let it = Installation::peopled();
    let kept = head(&it);
    let last: i64 = kept.split('-').next().unwrap().parse().unwrap();
    tamper(&it, &format!("DELETE FROM audit WHERE number = {last}"));
    // Whoever can write to the database can make it forget how many rows there were.
    tamper(
        &it,
        &format!("UPDATE sqlite_sequence SET seq = {} WHERE name = 'audit'", last - 1),
    );
    it.ok(&["audit", "verify"]);
    let ran = it.run(&["audit", "verify", "--head", &kept]);
    assert!(
        ran.code == 8 && ran.stderr.contains(&format!("row {last} is missing")),
        "{ran:?}"
    );
    let other = format!("{}-{}", last - 1, "0".repeat(64));
    let ran = it.run(&["audit", "verify", "--head", &other]);
    assert!(ran.code == 8 && ran.stderr.contains("rewritten"), "{ran:?}");
    assert!(
        it.fails(2, &["audit", "verify", "--head", "12"])
            .contains("head of an audit log")
    );
}

#[test]
fn the_log_is_filtered_by_who_what_where_and_when() {
    let it = Installation::peopled();
    it.ok(&["mailbox", "suspend", "info@example.org"]);
    it.device("sales@example.org", "Laptop");
    let count = |args: &[&str]| it.ok(&[&["audit", "--json"], args].concat()).lines().count();
    let all = count(&[]);
    assert_eq!(count(&["--who", "sophie@private.example"]), 0);
    assert_eq!(count(&["--action", "member"]), 3);
    assert_eq!(count(&["--subject", "marc@private.example", "--action", "user"]), 1);
    assert_eq!(count(&["--mailbox", "sales@example.org"]), 2);
    assert_eq!(count(&["--since", "1h"]), all);
    assert_eq!(count(&["--until", "1h"]), 0);
    assert_eq!(count(&["--until", "2099-12-31"]), all);
    assert!(it.fails(2, &["audit", "--until", "soon"]).contains("not a time"));
    assert!(
        it.fails(3, &["audit", "--mailbox", "nobody@example.org"])
            .contains("no mailbox")
    );
}

#[test]
fn an_export_has_all_rows_and_no_formula() {
    let it = Installation::peopled();
    let label = "=HYPERLINK(\"http://evil.example\")";
    it.device("info@example.org", label);
    for _ in 0..60 {
        it.ok(&["mailbox", "suspend", "info@example.org"]);
        it.ok(&["mailbox", "resume", "info@example.org"]);
    }
    let ran = it.run(&["audit", "export"]);
    let text = ran.stdout.strip_prefix('\u{feff}').unwrap();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert!(rows.len() > 120, "more than a list shows by itself: {}", rows.len());
    assert_eq!(ran.stderr, format!("{} rows written\n", rows.len()));
    for field in rows.iter().flat_map(csv::StringRecord::iter) {
        assert!(!field.starts_with(['=', '+', '-', '@']), "{field}");
    }
    let file = it.path("audit.jsonl").display().to_string();
    it.ok(&[
        "audit", "export", "--format", "jsonl", "--action", "device", "--file", &file,
    ]);
    let lines = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["detail"]["label"], label, "a program gets it as it is");
    assert_eq!(lines[0]["hash"].as_str().map(str::len), Some(64));
    assert!(
        it.fails(4, &["audit", "export", "--file", &file])
            .contains("exists already")
    );
    assert!(
        it.fails(2, &["audit", "export", "--format", "xls"])
            .contains("csv or jsonl")
    );
}
