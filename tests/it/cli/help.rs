//! `--help` of every command, completions, and wrong usage.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use super::installation::postern;

const COMMANDS: &[&str] = &[
    "",
    "init",
    "check",
    "serve",
    "status",
    "reload",
    "doctor",
    "doctor mail",
    "doctor dns",
    "completions",
    "load",
    "load logins",
    "load idle",
    "load throughput",
    "load wrong-passwords",
    "load mixed",
    "org",
    "org create",
    "org list",
    "org notices",
    "org delete",
    "dns",
    "dns records",
    "domain",
    "domain create",
    "domain list",
    "domain delete",
    "mailbox",
    "mailbox create",
    "mailbox list",
    "mailbox suspend",
    "mailbox resume",
    "mailbox delete",
    "mailbox upstream-secret",
    "alias",
    "alias create",
    "alias list",
    "alias delete",
    "device",
    "device add",
    "device list",
    "device show",
    "device replace",
    "device revoke",
    "device revoke-all",
    "device pause",
    "device resume",
    "device edit",
    "device link",
    "device link show",
    "device link send",
    "device link withdraw",
    "mail",
    "mail list",
    "mail withdraw",
    "session",
    "session list",
    "session end",
    "user",
    "user list",
    "user show",
    "user create",
    "user edit",
    "user delete",
    "user reset-password",
    "user remove-code",
    "user sign-out",
    "user set-up-link",
    "role",
    "role list",
    "role set",
    "role remove",
    "grant",
    "grant list",
    "grant give",
    "grant edit",
    "grant withdraw",
    "invite",
    "invite list",
    "invite show",
    "invite create",
    "invite send",
    "invite withdraw",
    "token",
    "token list",
    "token create",
    "token revoke",
    "audit",
    "audit export",
    "audit verify",
    "import",
    "key",
    "key list",
    "key rotate",
];

fn help(command: &str) -> String {
    let args: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
    let output = postern(&args).output().unwrap();
    assert!(output.status.success(), "{command}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_command_says_what_it_does() {
    let texts: Vec<String> = COMMANDS
        .iter()
        .map(|command| format!("$ postern {command} --help\n{}", help(command)))
        .collect();
    insta::assert_snapshot!("help", texts.join("\n"));
}

#[test]
fn the_list_of_commands_is_complete() {
    for command in COMMANDS {
        let text = help(command);
        let listed = text
            .split_once("Commands:\n")
            .map(|(_, rest)| rest.lines().take_while(|line| !line.is_empty()));
        // Names stand two columns in; wrapped descriptions stand further.
        for line in listed
            .into_iter()
            .flatten()
            .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        {
            let name = format!("{command} {}", line.split_whitespace().next().unwrap());
            assert!(COMMANDS.contains(&name.trim()), "{name} has no help snapshot");
        }
    }
}

#[test]
fn wrong_usage_ends_with_2_and_a_hint() {
    let output = postern(&["devise", "list"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("'device'"));
}

#[test]
fn completions_know_every_family() {
    for shell in ["bash", "zsh", "fish"] {
        let output = postern(&["completions", shell]).output().unwrap();
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(
            output.status.success() && script.contains("upstream-secret") && script.contains("revoke-all"),
            "{shell}"
        );
    }
}

#[test]
fn a_wrong_usage_is_json_where_json_was_asked_for() {
    let output = postern(&["device", "add", "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(said["error"]["kind"], "usage");
    assert!(said["error"]["message"].as_str().unwrap().contains("--label"), "{said}");
}
