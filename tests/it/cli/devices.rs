//! Devices: their password is shown once, and their limits are what was asked for.

use super::installation::Installation;

/// The only place where a password may stand: replaced, so that the snapshot shows the rest.
fn without_password(text: &str, password: &str) -> String {
    assert_eq!(text.matches(password).count(), 1, "once");
    text.replace(password, "[password.........]")
}

#[test]
fn a_new_device_is_shown_with_everything_to_type() {
    let it = Installation::furnished();
    let ran = it.run(&["device", "add", "anna@example.org", "--label", "Anna's iPhone"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let line = ran.stdout.lines().find(|line| line.contains("Password ")).unwrap();
    let password = line.split_whitespace().last().unwrap();
    assert_eq!(password.split('-').map(str::len).collect::<Vec<_>>(), [4, 4, 4, 4]);
    insta::assert_snapshot!("device_add", it.redacted(&without_password(&ran.stdout, password)));
}

#[test]
fn a_new_device_in_json_has_its_password_and_settings() {
    let it = Installation::furnished();
    let value = it.json(&[
        "device",
        "add",
        "anna@example.org",
        "--label",
        "Copier",
        "--scope",
        "smtp",
        "--network",
        "192.0.2.7",
        "--network",
        "2001:db8::/32",
        "--sender",
        "@example.org",
        "--expires",
        "2099-12-31",
    ]);
    insta::assert_json_snapshot!("device_add_json", value, {
        ".password" => "[password]", ".device.id" => "[id]", ".device.mailbox" => "[id]", ".device.created_at" => "[time]",
    });
}

#[test]
fn lists_and_details_show_no_password() {
    let it = Installation::furnished();
    let (id, password) = it.device("anna@example.org", "Anna's iPhone");
    let shown = it.ok(&["device", "list"])
        + &it.ok(&["device", "show", &id])
        + &it.ok(&["audit"])
        + &it.ok(&["device", "list", "--json"]);
    assert!(
        !shown.contains(&password) && !shown.contains(&password.replace('-', "")),
        "{shown}"
    );
    insta::assert_snapshot!(
        "device_show",
        it.redacted(
            &(it.ok(&["device", "list"]) + "\n" + &it.ok(&["device", "show", "anna@example.org/Anna's iPhone"]))
        )
    );
}

#[test]
fn a_life_of_a_device() {
    let it = Installation::furnished();
    let (id, first) = it.device("anna@example.org", "Laptop");
    let state = || it.json(&["device", "show", &id])["state"].as_str().unwrap().to_owned();
    assert_eq!(
        it.ok(&["device", "pause", &id]),
        "paused \"Laptop\"; no daemon is running, so nothing was connected\n"
    );
    assert_eq!(state(), "paused");
    it.ok(&["device", "resume", &id]);
    assert_eq!(state(), "active");
    let replaced = it.json(&["device", "replace", &id]);
    assert_ne!(replaced["password"].as_str(), Some(first.as_str()));
    assert_eq!(replaced["device"]["id"], id.as_str());
    it.ok(&[
        "device",
        "edit",
        "anna@example.org/Laptop",
        "--label",
        "Old laptop",
        "--scope",
        "imap",
        "--expires",
        "never",
    ]);
    let edited = it.json(&["device", "show", &id]);
    assert_eq!(
        (&edited["label"], &edited["scopes"]),
        (&"Old laptop".into(), &serde_json::json!(["imap"]))
    );
    assert_eq!(it.json(&["device", "revoke", &id])["applied"]["state"], "no_daemon");
    assert_eq!(state(), "revoked");
    assert_eq!(it.json(&["device", "list"])["devices"], serde_json::json!([]));
    assert_eq!(
        it.json(&["device", "list", "--all"])["devices"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert!(it.run(&["device", "resume", &id]).code != 0);
}

#[test]
fn ending_all_devices_asks_first() {
    let it = Installation::furnished();
    for label in ["One", "Two"] {
        it.device("anna@example.org", label);
    }
    let asked = it.fails(2, &["device", "revoke-all", "anna@example.org"]);
    assert!(
        asked.contains("2 devices of anna@example.org") && asked.contains("--yes"),
        "{asked}"
    );
    let done = it.ok(&["device", "revoke-all", "anna@example.org", "--yes"]);
    assert_eq!(
        done,
        "revoked 2 devices of anna@example.org; no daemon is running, so nothing was connected\n"
    );
}

#[test]
fn what_a_device_cannot_be_is_said() {
    let it = Installation::furnished();
    it.device("anna@example.org", "Phone");
    let add = |more: &[&'static str]| [&["device", "add", "anna@example.org", "--label", "New"], more].concat();
    for (code, args, said) in [
        (2, add(&["--scope", "pop3"]), "imap"),
        (2, add(&["--network", "everywhere"]), "network"),
        (2, add(&["--expires", "2020-01-01"]), "past"),
        (2, add(&["--expires", "soon"]), "90d"),
        (2, add(&["--sender", "not an address"]), "sender"),
        (2, vec!["device", "edit", "anna@example.org/Phone"], "nothing to change"),
        (3, vec!["device", "show", "anna@example.org/Tablet"], "Tablet"),
        (
            3,
            vec!["device", "add", "nobody@example.org", "--label", "New"],
            "nobody@example.org",
        ),
        (
            4,
            vec!["device", "add", "anna@example.org", "--label", "Phone"],
            "Phone",
        ),
    ] {
        let text = it.fails(code, &args);
        assert!(text.contains(said), "{args:?}: {text}");
    }
    let alias = it.run(&["device", "add", "hello@example.org", "--label", "New"]);
    assert!(
        alias.code != 0 && alias.stderr.contains("anna@example.org"),
        "{alias:?}"
    );
}
