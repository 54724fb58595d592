//! What commands about people refuse, with which exit code, and what they ask before.

use super::installation::{CONFIG, Installation, MANAGER};

/// Exit code, command, and words of what is said.
const REFUSALS: &[(i32, &str, &str)] = &[
    (
        3,
        "user show mark@private.example",
        "did you mean marc@private.example?",
    ),
    (1, "user show marc", "not a mail address"),
    (2, "user edit marc@private.example", "nothing to change"),
    (
        4,
        "user edit marc@private.example --address lucie@private.example",
        "already",
    ),
    (1, "user edit marc@private.example --name a\u{202e}b", "U+202E"),
    (2, "user edit marc@private.example --language de", "en or fr"),
    (
        1,
        "user remove-code marc@private.example --yes",
        "gives no one-time codes",
    ),
    (7, "user reset-password marc@private.example --mail", "[mail]"),
    (1, "user set-up-link", "has an owner already"),
    (4, "user create marc@private.example --name Marc", "already"),
    (2, "user create new@private.example --name N --role owner", "--org"),
    (3, "user create new@private.example --name N --org Nobody", "Nobody"),
    (1, "user delete sophie@private.example --yes", "last owner"),
    (
        1,
        "role set sophie@private.example member",
        "make somebody else an owner first",
    ),
    (1, "role remove sophie@private.example --yes", "last owner"),
    (2, "role set marc@private.example boss", "mailbox-manager"),
    (
        3,
        "role set marc@private.example member --org Exampel",
        "did you mean \"Example\"?",
    ),
    (3, "role remove nobody@private.example --yes", "there is no user"),
    (
        4,
        "grant give info@example.org marc@private.example --rights send-as",
        "postern grant edit info@example.org marc@private.example",
    ),
    (
        2,
        "grant give sales@example.org marc@private.example --rights read",
        "see-devices",
    ),
    (
        1,
        "grant give sales@example.org marc@private.example --rights none",
        "at least one right",
    ),
    (
        2,
        "grant give sales@example.org marc@private.example --rights send-as --until 2020-01-01",
        "past",
    ),
    (
        2,
        "grant edit info@example.org marc@private.example",
        "nothing to change",
    ),
    (
        3,
        "grant edit sales@example.org marc@private.example --rights send-as",
        "has no access to sales@example.org",
    ),
    (
        3,
        "grant withdraw sales@example.org marc@private.example --yes",
        "has no access",
    ),
    (
        3,
        "grant list --mailbox inof@example.org",
        "did you mean info@example.org?",
    ),
    (4, "invite create anna@private.example", "can be accepted"),
    (4, "invite create marc@private.example", "is a member"),
    (1, "invite create anna", "not a mail address"),
    (7, "invite create new@private.example --mail", "[mail]"),
    (
        2,
        "invite create new@private.example --grant info@example.org",
        "MAILBOX=RIGHTS",
    ),
    (
        2,
        "invite create new@private.example --grant info@example.org=read",
        "see-devices",
    ),
    (
        2,
        "invite create new@private.example --grant info@example.org=send-as@soon",
        "90d",
    ),
    (
        3,
        "invite create new@private.example --grant inof@example.org=send-as",
        "info@example.org?",
    ),
    (2, "invite create new@private.example --by \u{1b}[2J", "U+001B"),
    (3, "invite show nobody@private.example", "postern invite list --all"),
    (3, "invite send inv-0000000000001", "there is no invitation"),
    (1, "invite send gone@private.example", "was withdrawn"),
    (
        1,
        "token create marc@private.example --name T --expires 400d",
        "a year from now",
    ),
    (
        2,
        "token create marc@private.example --name T --expires 2020-01-01",
        "past",
    ),
    (
        1,
        "token create marc@private.example --name T --role owner",
        "no more than its user",
    ),
    (
        2,
        "token create marc@private.example --name T --scope all",
        "read or write",
    ),
    (3, "token revoke tok-0000000000001", "no such API token"),
    (2, "token revoke Report", "tok-"),
    (
        3,
        "device add info@example.org --label X --user anna@private.example",
        "there is no user",
    ),
    (
        1,
        "device add sales@example.org --label X --user marc@private.example",
        "has no access",
    ),
    (2, "device add info@example.org --label X --kind fax", "iphone"),
    (2, "device edit info@example.org/X", "--user"),
];

#[test]
fn each_refusal_has_its_code_and_says_what_to_do() {
    let it = Installation::peopled();
    it.ok(&[
        "grant",
        "give",
        "info@example.org",
        "marc@private.example",
        "--rights",
        "see-devices",
    ]);
    it.ok(&["invite", "create", "anna@private.example"]);
    it.ok(&["invite", "create", "gone@private.example"]);
    it.ok(&["invite", "withdraw", "gone@private.example"]);
    for (code, command, said) in REFUSALS {
        let args: Vec<&str> = command.split(' ').collect();
        let ran = it.run(&args);
        assert_eq!((ran.code, ran.stdout.as_str()), (*code, ""), "{command}: {ran:?}");
        assert!(ran.stderr.contains(said), "{command}: {}", ran.stderr);
    }
}

#[test]
fn what_destroys_says_what_ends_and_changes_nothing_without_a_yes() {
    let it = Installation::peopled();
    it.ok(&[
        "grant",
        "give",
        "info@example.org",
        "marc@private.example",
        "--rights",
        "see-devices",
    ]);
    it.device_of("marc@private.example", "info@example.org", "Marc's iPhone");
    it.ok(&["token", "create", "marc@private.example", "--name", "Script"]);
    let before = it.ok(&["audit", "--json"]);
    let device = "1 device ends for good, with its sessions: info@example.org/Marc's iPhone.";
    for (args, said) in [
        (
            vec!["grant", "withdraw", "info@example.org", "marc@private.example"],
            vec![
                "the access of marc@private.example (\"Marc Dubois\") to info@example.org",
                device,
            ],
        ),
        (
            vec!["role", "remove", "marc@private.example"],
            vec![
                "from \"Example\"",
                "Access to info@example.org is withdrawn.",
                device,
                "1 API token stops working.",
            ],
        ),
        (
            vec!["user", "delete", "marc@private.example"],
            vec![
                "deletes the user marc@private.example",
                "a member of \"Example\"",
                device,
                "1 API token",
            ],
        ),
    ] {
        let asked = it.fails(2, &args);
        for words in said.into_iter().chain(["Nothing was changed: add --yes"]) {
            assert!(asked.contains(words), "{args:?}: {asked}");
        }
    }
    assert_eq!(it.ok(&["audit", "--json"]), before);
    let done = it.json(&["user", "delete", "marc@private.example", "--yes"]);
    assert_eq!(
        (
            &done["ended"]["tokens"],
            &done["ended"]["grants"][0],
            &done["ended"]["devices"][0]["label"]
        ),
        (&1.into(), &"info@example.org".into(), &"Marc's iPhone".into())
    );
}

#[test]
fn a_password_is_read_from_a_pipe_and_must_keep_the_rule() {
    let it = Installation::peopled();
    let create = |password: &str| {
        let args = [
            "user",
            "create",
            "new@private.example",
            "--name",
            "New",
            "--password-stdin",
        ];
        it.run_with_input(&args, password)
    };
    for (password, said) in [
        ("", "one line"),
        ("short", "at least 12 characters"),
        ("two\nlines of it\n", "one line"),
        ("passwordpassword", "password"),
        ("new@private.example", "address"),
    ] {
        let ran = create(password);
        assert!(ran.code == 1 && ran.stderr.contains(said), "{password}: {ran:?}");
        assert!(ran.stdout.is_empty() && !ran.stderr.contains("lines of it"), "{ran:?}");
    }
    let ran = create("nine quiet lamps\n");
    assert!(ran.code == 0 && !ran.stdout.contains("nine quiet"), "{ran:?}");
    assert_eq!(it.json(&["user", "show", "new@private.example"])["has_password"], true);
}

#[test]
fn where_the_manager_is_off_no_link_is_made() {
    let it = Installation::furnished();
    for args in [
        vec!["invite", "create", "anna@private.example"],
        vec!["user", "create", "anna@private.example", "--name", "Anna"],
        vec!["user", "set-up-link"],
    ] {
        let said = it.fails(7, &args);
        assert!(said.contains("[manager]"), "{args:?}: {said}");
    }
    assert_eq!(it.json(&["user", "list"])["users"], serde_json::json!([]));
    assert_eq!(it.json(&["invite", "list"])["invitations"], serde_json::json!([]));
}

#[test]
fn the_first_owner_is_made_with_a_password_or_a_link() {
    let it = Installation::with_config(&format!("{CONFIG}{MANAGER}"));
    let owner = |address: &'static str| vec!["init", "--owner", address, "--name", "Sophie Laurent", "--org", "Acme"];
    let with_password = |address| [owner(address), vec!["--password-stdin"]].concat();
    let ran = it.run_with_input(&with_password("sophie@private.example"), "three tall kettles\n");
    assert_eq!(ran.code, 0, "{ran:?}");
    insta::assert_snapshot!("init_owner", it.redacted(&ran.stdout));
    let again = it.run_with_input(&with_password("sophie@private.example"), "three tall kettles\n");
    assert!(
        again.code == 4 && again.stderr.contains("is an owner of \"Acme\" already"),
        "{again:?}"
    );
    let other = it.run_with_input(&with_password("marc@private.example"), "three tall kettles\n");
    assert!(
        other.code == 1 && other.stderr.contains("has an owner already"),
        "{other:?}"
    );

    let it = Installation::with_config(&format!("{CONFIG}{MANAGER}"));
    let made = it.json(&owner("sophie@private.example"));
    let link = made["link"].as_str().unwrap_or_default();
    assert!(link.starts_with("https://manager.example.org/reset/psr_"), "{made}");
    assert_eq!(
        (&made["owner"]["org_name"], made["created"].as_array().map(Vec::len)),
        (&"Acme".into(), Some(3))
    );
    assert_eq!(it.json(&["role", "list"])["members"][0]["role"], "owner");

    // Without a Manager a link would lead nowhere, and nobody is made.
    let it = Installation::with_config(CONFIG);
    let said = it.fails(7, &owner("sophie@private.example"));
    assert!(said.contains("--password-stdin"), "{said}");
    assert_eq!(it.json(&["user", "list"])["users"], serde_json::json!([]));
    let said = it.fails(2, &["init", "--owner", "sophie@private.example"]);
    assert!(said.contains("--org"), "{said}");
}

#[test]
fn an_organisation_that_is_there_gets_its_first_owner() {
    let it = Installation::with_config(&format!("{CONFIG}{MANAGER}"));
    it.ok(&["init"]);
    it.ok(&["org", "create", "Acme"]);
    let args = [
        "init",
        "--owner",
        "sophie@private.example",
        "--name",
        "Sophie",
        "--org",
        "acme",
    ];
    let said = it.ok(&args);
    assert!(
        said.contains("sophie@private.example is the first owner of \"Acme\""),
        "{said}"
    );
    assert_eq!(it.json(&["org", "list"])["orgs"].as_array().map(Vec::len), Some(1));
    it.ok(&["org", "create", "Other"]);
    let args = [
        "init",
        "--owner",
        "sophie@private.example",
        "--name",
        "Sophie",
        "--org",
        "Other",
    ];
    let said = it.fails(4, &args);
    assert!(
        said.contains("postern role set sophie@private.example owner --org \"Other\""),
        "{said}"
    );
}
