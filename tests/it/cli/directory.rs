//! Organisations, domains, mailboxes, aliases and the audit log.

use super::installation::Installation;

#[test]
fn a_first_walk_through() {
    let it = Installation::new();
    let said: String = [
        vec!["org", "list"],
        vec!["org", "create", "Example"],
        vec!["domain", "create", "example.org", "--org", "Example"],
        vec!["mailbox", "list"],
        vec!["mailbox", "create", "Anna@Example.org"],
        vec!["alias", "create", "hello@example.org", "--mailbox", "anna@example.org"],
        vec!["device", "list", "anna@example.org"],
        vec!["mailbox", "suspend", "anna@example.org"],
        vec!["mailbox", "list"],
        vec!["mailbox", "resume", "anna@example.org"],
        vec!["domain", "list"],
        vec!["alias", "list"],
    ]
    .iter()
    .map(|args| format!("$ postern {}\n{}\n", args.join(" "), it.ok(args)))
    .collect();
    insta::assert_snapshot!("walk", it.redacted(&said));
}

#[test]
fn lists_have_stable_json() {
    let it = Installation::furnished();
    for (family, list) in [
        ("org", "orgs"),
        ("domain", "domains"),
        ("mailbox", "mailboxes"),
        ("alias", "aliases"),
    ] {
        let value = it.json(&[family, "list"]);
        insta::assert_json_snapshot!(format!("list_{list}"), value, {
            ".*[].id" => "[id]", ".*[].org" => "[id]", ".*[].created_at" => "[time]",
        });
    }
}

#[test]
fn each_failure_has_its_code() {
    let it = Installation::furnished();
    for (code, args, said) in [
        (4, vec!["org", "create", "Example"], "Example"),
        (
            4,
            vec!["domain", "create", "example.org", "--org", "Example"],
            "example.org",
        ),
        (4, vec!["mailbox", "create", "anna@example.org"], "anna@example.org"),
        (
            4,
            vec!["alias", "create", "anna@example.org", "--mailbox", "anna@example.org"],
            "anna@example.org",
        ),
        (3, vec!["domain", "create", "example.com", "--org", "Nobody"], "Nobody"),
        (3, vec!["mailbox", "create", "anna@example.net"], "example.net"),
        (
            3,
            vec!["mailbox", "suspend", "nobody@example.org"],
            "nobody@example.org",
        ),
        (3, vec!["alias", "delete", "nobody@example.org"], "nobody@example.org"),
        (3, vec!["mailbox", "list", "--domain", "example.net"], "example.net"),
        (2, vec!["mailbox", "delete", "anna@example.org"], "--yes"),
    ] {
        let text = it.fails(code, &args);
        assert!(text.contains(said), "{args:?}: {text}");
    }
    assert!(it.fails(1, &["org", "delete", "Example"]).contains("domain"));
    assert!(it.fails(1, &["domain", "delete", "example.org"]).contains("mailbox"));
}

#[test]
fn failures_are_json_where_json_is_asked_for() {
    let it = Installation::new();
    let text = it.fails(3, &["org", "delete", "Nobody", "--json"]);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["error"]["kind"], "not_found");
    assert!(value["error"]["message"].as_str().unwrap().contains("Nobody"));
}

#[test]
fn an_upstream_secret_comes_from_a_pipe_or_a_private_file_and_is_never_shown() {
    let it = Installation::furnished();
    let set = |input| it.run_with_input(&["mailbox", "upstream-secret", "anna@example.org"], input);
    let ran = set("correct horse\n");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(set("").code, 1);
    assert_eq!(set("two\nlines\n").code, 1);
    let file = it.write("secret", "battery staple\n");
    it.chmod("secret", 0o644);
    assert!(
        it.fails(1, &["mailbox", "upstream-secret", "anna@example.org", "--file", &file])
            .contains("chmod 600")
    );
    it.chmod("secret", 0o600);
    it.ok(&["mailbox", "upstream-secret", "anna@example.org", "--file", &file]);
    it.ok(&["mailbox", "upstream-secret", "anna@example.org", "--remove"]);
    let all = it.ok(&["audit", "--json"]) + &ran.stdout + &ran.stderr;
    assert!(!all.contains("correct horse") && !all.contains("battery staple"));
}

#[test]
fn everything_is_in_the_audit_log_with_its_author() {
    let it = Installation::furnished();
    let rows: Vec<serde_json::Value> = it
        .ok(&["audit", "--json"])
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let actions: Vec<&str> = rows.iter().map(|row| row["action"].as_str().unwrap()).collect();
    for action in ["org.create", "domain.create", "mailbox.create", "alias.create"] {
        assert!(actions.contains(&action), "{actions:?}");
    }
    assert!(
        rows.iter()
            .all(|row| row["actor"].as_str().unwrap().starts_with("cli:")),
        "{rows:?}"
    );
    let only = it.ok(&["audit", "--action", "mailbox.", "--since", "1h"]);
    assert!(
        only.contains("mailbox.create") && !only.contains("org.create"),
        "{only}"
    );
    assert_eq!(
        it.ok(&["audit", "--since", "2020-01-01", "--action", "nothing"]),
        "Nothing matches.\n"
    );
    assert!(it.fails(2, &["audit", "--since", "yesterday"]).contains("2026-12-31"));
}
