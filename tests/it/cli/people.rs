//! People: users, roles, access, invitations and tokens, as text for people and as JSON for programs.

use serde_json::{Value, json};

use super::installation::Installation;
use crate::kit::postern::shown_token;

/// People come, get access, lose it and go.
const WALK: &[&str] = &[
    "user list",
    "role list",
    "role set marc@private.example administrator",
    "role set marc@private.example administrator",
    "role set marc@private.example member",
    "grant list",
    "grant give info@example.org marc@private.example --rights see-devices,add-own-devices --until 90d",
    "device list info@example.org",
    "grant list --mailbox info@example.org",
    "grant edit info@example.org marc@private.example --rights send-as --until never",
    "user show marc@private.example",
    "user show lucie@private.example",
    "invite list",
    "invite create anna@private.example --grant info@example.org=see-devices,send-as@30d --by Sophie --language fr",
    "invite list",
    "invite show anna@private.example",
    "invite send anna@private.example",
    "invite withdraw anna@private.example",
    "invite withdraw anna@private.example",
    "invite list",
    "invite list --all",
    "token list",
    "token create sophie@private.example --name Report --role auditor",
    "token list",
    "user reset-password marc@private.example",
    "user edit marc@private.example --name Marcel --address marc@other.example",
    "user sign-out marc@other.example",
    "grant withdraw info@example.org marc@other.example --yes",
    "role remove marc@other.example --yes",
    "user show marc@other.example",
    "role set marc@other.example auditor",
    "user delete marc@other.example --yes",
];

#[test]
fn people_by_the_command_line_alone() {
    let it = Installation::peopled();
    it.device_of("lucie@private.example", "info@example.org", "Lucie's iPhone");
    let said: String = WALK
        .iter()
        .map(|command| {
            let args: Vec<&str> = command.split(' ').collect();
            format!("$ postern {command}\n{}\n", it.redacted(&it.ok(&args)))
        })
        .collect();
    insta::assert_snapshot!("people", said);
}

#[test]
fn people_have_stable_json() {
    let it = Installation::peopled();
    it.device_of("lucie@private.example", "info@example.org", "Lucie's iPhone");
    let give = [
        "grant",
        "give",
        "info@example.org",
        "lucie@private.example",
        "--rights",
        "see-devices,send-as",
    ];
    let given = it.json(&give);
    let invited = it.json(&[
        "invite",
        "create",
        "anna@private.example",
        "--grant",
        "info@example.org=send-as",
    ]);
    let made = it.json(&["token", "create", "lucie@private.example", "--name", "Report"]);
    for (name, value) in [
        ("users", it.json(&["user", "list"])),
        ("user", it.json(&["user", "show", "lucie@private.example"])),
        ("members", it.json(&["role", "list", "--role", "mailbox-manager"])),
        ("grant", given),
        ("grants", it.json(&["grant", "list"])),
        ("invited", invited),
        ("invitations", it.json(&["invite", "list"])),
        ("token_made", made),
        ("tokens", it.json(&["token", "list"])),
        (
            "role_set",
            it.json(&["role", "set", "lucie@private.example", "auditor", "--yes"]),
        ),
        ("reset", it.json(&["user", "reset-password", "marc@private.example"])),
        (
            "edited",
            it.json(&["user", "edit", "marc@private.example", "--language", "fr"]),
        ),
        (
            "withdrawn",
            it.json(&[
                "grant",
                "withdraw",
                "info@example.org",
                "lucie@private.example",
                "--yes",
            ]),
        ),
        (
            "removed",
            it.json(&["role", "remove", "lucie@private.example", "--yes"]),
        ),
        (
            "deleted",
            it.json(&["user", "delete", "lucie@private.example", "--yes"]),
        ),
    ] {
        insta::assert_json_snapshot!(format!("people_{name}"), without_what_differs(value));
    }
}

/// Ids, moments and secrets differ from run to run.
fn without_what_differs(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| (name, without_what_differs(value)))
            .collect(),
        Value::Array(values) => values.into_iter().map(without_what_differs).collect(),
        Value::String(text) => {
            let is_id = text.len() == 17 && text.as_bytes()[3] == b'-' && !text.contains('@');
            let is_moment = text.ends_with('Z') && text.contains('T');
            match shown_token(&text) {
                Some(token) => json!(text.replace(&token, "[token]")),
                None if is_id => json!("[id]"),
                None if is_moment => json!("[time]"),
                None => json!(text),
            }
        }
        other => other,
    }
}

#[test]
fn an_id_serves_as_well_as_an_address() {
    let it = Installation::peopled();
    let user = it.json(&["user", "show", "marc@private.example"])["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mailboxes = it.json(&["mailbox", "list"]);
    let mailbox = mailboxes["mailboxes"][0]["id"].as_str().unwrap().to_owned();
    it.ok(&["role", "set", &user, "auditor"]);
    it.ok(&["grant", "give", &mailbox, &user, "--rights", "send-as"]);
    let grants = it.json(&["grant", "list", "--user", &user, "--mailbox", &mailbox]);
    assert_eq!(grants["grants"][0]["mailbox_address"], "info@example.org");
    let invited = it.json(&["invite", "create", "anna@private.example"]);
    let invitation = invited["invitation"]["id"].as_str().unwrap();
    assert_eq!(
        it.json(&["invite", "withdraw", invitation])["invitation"]["state"],
        "withdrawn"
    );
    it.ok(&["grant", "withdraw", &mailbox, &user, "--yes"]);
    it.ok(&["user", "delete", &user, "--yes"]);
    assert!(it.fails(3, &["user", "show", &user]).contains("there is no user"));
    assert!(
        it.fails(3, &["mailbox", "suspend", "mbx-0000000000001"])
            .contains("no such mailbox")
    );
}

#[test]
fn a_link_and_a_token_are_printed_once_and_only_their_hash_is_kept() {
    let it = Installation::peopled();
    let mut tokens = Vec::new();
    for args in [
        vec!["invite", "create", "anna@private.example"],
        vec!["invite", "send", "anna@private.example"],
        vec!["user", "reset-password", "marc@private.example"],
        vec!["user", "create", "new@private.example", "--name", "New"],
        vec!["token", "create", "marc@private.example", "--name", "Script"],
    ] {
        let said = it.ok(&args);
        let token = shown_token(&said).unwrap();
        assert_eq!(said.matches(&token).count(), 1, "{args:?}: {said}");
        tokens.push(token);
    }
    let later = it.ok(&["audit", "--json"])
        + &it.ok(&["audit", "export"])
        + &it.ok(&["invite", "show", "anna@private.example", "--json"])
        + &it.ok(&["token", "list", "--json"])
        + &it.ok(&["user", "show", "marc@private.example", "--json"]);
    let database = std::fs::read(it.path("data/postern.db")).unwrap();
    let database = String::from_utf8_lossy(&database);
    for token in tokens {
        assert!(!later.contains(&token) && !database.contains(&token), "{token}");
    }
}

#[test]
fn somebody_who_joins_another_organisation_is_asked_which_one() {
    let it = Installation::peopled();
    it.ok(&["org", "create", "Other"]);
    // Where only one of them is theirs, it is meant.
    it.ok(&["role", "set", "marc@private.example", "auditor"]);
    let asked = it.fails(2, &["invite", "create", "anna@private.example"]);
    assert!(
        asked.contains("\"Example\", \"Other\"") && asked.contains("--org"),
        "{asked}"
    );
    it.ok(&["role", "set", "marc@private.example", "owner", "--org", "other"]);
    let asked = it.fails(2, &["role", "set", "marc@private.example", "member"]);
    assert!(asked.contains("--org"), "{asked}");
    let roles = it.json(&["user", "show", "marc@private.example"]);
    let roles: Vec<_> = roles["orgs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| (&of["org_name"], &of["role"]))
        .collect();
    assert_eq!(
        roles,
        [
            (&json!("Example"), &json!("auditor")),
            (&json!("Other"), &json!("owner"))
        ]
    );
    // A mailbox tells which organisation invites, an invitation is found wherever it is.
    it.ok(&[
        "invite",
        "create",
        "anna@private.example",
        "--grant",
        "info@example.org=send-as",
    ]);
    it.ok(&["invite", "create", "anna@private.example", "--org", "Other"]);
    let asked = it.fails(2, &["invite", "withdraw", "anna@private.example"]);
    assert!(asked.contains("several organisations have invited"), "{asked}");
    it.ok(&["invite", "withdraw", "anna@private.example", "--org", "Other"]);
    assert_eq!(
        it.json(&["user", "list", "--org", "Other"])["users"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let deleted = it.fails(1, &["user", "delete", "marc@private.example", "--yes"]);
    assert!(deleted.contains("last owner of \"Other\""), "{deleted}");
}

#[test]
fn a_device_belongs_to_a_person_and_can_be_handed_over() {
    let it = Installation::peopled();
    let id = it.device_of("lucie@private.example", "info@example.org", "Phone");
    let device = it.json(&["device", "show", &id]);
    assert_eq!(
        (&device["kind"], &device["user_address"]),
        (&json!("iphone"), &json!("lucie@private.example"))
    );
    let refused = it.fails(1, &["device", "edit", &id, "--user", "marc@private.example"]);
    assert!(refused.contains("no access to info@example.org"), "{refused}");
    it.ok(&[
        "grant",
        "give",
        "info@example.org",
        "marc@private.example",
        "--rights",
        "see-devices",
    ]);
    it.ok(&[
        "device",
        "edit",
        &id,
        "--user",
        "marc@private.example",
        "--kind",
        "android",
    ]);
    let of_marc = it.json(&["device", "list", "--user", "marc@private.example"]);
    assert_eq!(of_marc["devices"][0]["kind"], "android");
    assert_eq!(
        it.json(&["device", "list", "--user", "lucie@private.example"])["devices"],
        json!([])
    );
    it.ok(&["device", "edit", &id, "--user", "nobody"]);
    assert_eq!(it.json(&["device", "show", &id])["user"], Value::Null);
    it.ok(&["grant", "withdraw", "info@example.org", "marc@private.example", "--yes"]);
    assert_eq!(
        it.json(&["device", "show", &id])["state"],
        "active",
        "it was nobody's by then"
    );
}

#[test]
fn a_lower_role_ends_devices_and_asks_before() {
    let it = Installation::peopled();
    let lost = it.device_of("lucie@private.example", "info@example.org", "Lucie's iPhone");
    let kept = it.device_of("lucie@private.example", "sales@example.org", "Lucie's iPad");
    it.ok(&[
        "grant",
        "give",
        "sales@example.org",
        "lucie@private.example",
        "--rights",
        "send-as",
    ]);
    let asked = it.fails(2, &["role", "set", "lucie@private.example", "member"]);
    assert!(
        asked.contains("1 device ends for good, with its sessions: info@example.org/Lucie's iPhone.")
            && asked.contains("--yes")
            && !asked.contains("iPad"),
        "{asked}"
    );
    let state = |id: &str| it.json(&["device", "show", id])["state"].as_str().unwrap().to_owned();
    assert_eq!(state(&lost), "active");
    let changed = it.json(&["role", "set", "lucie@private.example", "member", "--yes"]);
    assert_eq!(
        (
            &changed["role"],
            &changed["was"],
            &changed["ended"]["devices"][0]["id"],
            &changed["applied"]["state"]
        ),
        (
            &json!("member"),
            &json!("mailbox-manager"),
            &json!(lost),
            &json!("no_daemon")
        )
    );
    assert_eq!((state(&lost), state(&kept)), ("revoked".into(), "active".into()));
}
