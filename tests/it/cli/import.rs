//! `import`: a whole file or nothing.

use super::installation::{Installation, Ran};

/// SHA-512-crypt of "secret".
const HASH: &str =
    "$6$saltstring$AIsRs/Ee56G/tC8MEHhvReZTfx8u3rXXMl6eYrjCG9ibix19DxoMBLogdTET5Ukw9Sf7eZTITsuk0Ry5qulYz.";

fn passwd(it: &Installation, content: &str, more: &[&str]) -> Ran {
    let file = it.write("users", content);
    it.run(&[&["import", &file, "--format", "passwd-file"], more].concat())
}

#[test]
fn good_rows_become_devices_and_missing_mailboxes_are_created() {
    let it = Installation::furnished();
    let content = format!(
        "\u{feff}anna@example.org:{{SHA512-CRYPT}}{0}:1000:1000::/home/anna::\r\nbob:{0}\r\n",
        HASH
    );
    let ran = passwd(
        &it,
        &content,
        &["--domain", "example.org", "--expires", "90d", "--json"],
    );
    assert_eq!(ran.code, 0, "{ran:?}");
    let value: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        value,
        serde_json::json!({ "dry_run": false, "acceptable": 2, "imported": 2, "refused": [] })
    );
    let devices = it.json(&["device", "list"]);
    let facts: Vec<_> = devices["devices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|device| {
            (
                device["address"].as_str().unwrap(),
                device["label"].as_str().unwrap(),
                device["imported"].as_bool().unwrap(),
                device["expires_at"].is_string(),
            )
        })
        .collect();
    assert_eq!(
        facts,
        [
            ("anna@example.org", "Existing password", true, true),
            ("bob@example.org", "Existing password", true, true)
        ]
    );
    assert!(!it.ok(&["audit", "--json"]).contains("$6$"));
}

#[test]
fn one_refused_row_refuses_all_unless_it_may_be_skipped() {
    let it = Installation::furnished();
    let content = format!("bob@example.org:{}\ncarl@example.org:{{PLAIN}}secret\n", HASH);
    let ran = passwd(&it, &content, &[]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stdout.contains("line 2: carl@example.org: ") && ran.stdout.contains("nothing was imported"),
        "{ran:?}"
    );
    assert!(!ran.stdout.contains("secret") && !ran.stderr.contains("{PLAIN}secret"));
    assert_eq!(it.json(&["device", "list"])["devices"], serde_json::json!([]));
    let ran = passwd(&it, &content, &["--skip-refused"]);
    assert!(
        ran.code == 0 && ran.stdout.contains("imported 1 row, refused 1"),
        "{ran:?}"
    );
}

#[test]
fn every_kind_of_bad_row_is_reported_with_its_line() {
    let it = Installation::furnished();
    it.ok(&["device", "add", "anna@example.org", "--label", "Existing password"]);
    let rows = [
        format!("anna@example.org:{}", HASH),
        format!("hello@example.org:{}", HASH),
        format!("bob@example.net:{}", HASH),
        format!("bob:{}", HASH),
        "md5@example.org:$1$salt$qJH7.N4xYta3aEG/dfqo/0".to_owned(),
        "plain@example.org:{PLAIN}letmein".to_owned(),
        format!("dup@example.org:{}", HASH),
        format!("DUP@example.org:{}", HASH),
        "nul@example.org:\0".to_owned(),
        format!("a b@example.org:{}", HASH),
        HASH.to_owned(),
        "broken@example.org:$6$salt$short".to_owned(),
    ];
    let ran = passwd(&it, &rows.join("\n"), &["--dry-run"]);
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!("import_refused", ran.stdout);
    assert!(!ran.stdout.contains("letmein"));
}

#[test]
fn a_dry_run_writes_nothing() {
    let it = Installation::furnished();
    let before = it.ok(&["audit", "--json"]);
    let ran = passwd(&it, &format!("bob@example.org:{HASH}\n"), &["--dry-run"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, "1 row would be imported, 0 refused; nothing was written\n")
    );
    assert_eq!(it.ok(&["audit", "--json"]), before);
}

#[test]
fn csv_brings_labels_and_ends() {
    let it = Installation::furnished();
    let file = it.write("users.csv", format!("\u{feff}address,hash,label,expires\r\nanna@example.org,{0},\"Laptop, old\",2099-01-01\r\nbob@example.org,{0},,\r\n", HASH));
    assert_eq!(
        it.ok(&["import", &file, "--format", "csv"]),
        "imported 2 rows, refused 0\n"
    );
    let device = it.json(&["device", "show", "anna@example.org/Laptop, old"]);
    assert_eq!(device["expires_at"], "2099-01-02T00:00:00Z");
    let file = it.write("bad.csv", "name,password\n");
    assert!(
        it.fails(1, &["import", &file, "--format", "csv"])
            .contains("column `name`")
    );
}

#[test]
fn a_file_that_is_not_there_is_said() {
    let it = Installation::furnished();
    assert!(
        it.fails(1, &["import", "/nonexistent/users", "--format", "csv"])
            .contains("/nonexistent/users cannot be read")
    );
}
