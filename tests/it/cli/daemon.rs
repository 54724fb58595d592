//! Commands that speak to the daemon, with one that says what the test wants.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::thread::JoinHandle;

use super::installation::Installation;

/// Answers one request and returns it with its actor.
fn daemon(it: &Installation, status: &'static str, body: &'static str) -> JoinHandle<(String, String)> {
    let listener = UnixListener::bind(it.path("data/control.sock")).unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
        let request = lines.next().unwrap();
        let headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
        let actor = headers
            .iter()
            .find_map(|line| line.strip_prefix("x-postern-actor: "))
            .unwrap()
            .to_owned();
        write!(
            stream,
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        (request, actor)
    })
}

#[test]
fn a_revocation_tells_how_many_sessions_it_ended() {
    let it = Installation::furnished();
    let (id, _) = it.device("anna@example.org", "Anna's iPhone");
    let daemon = daemon(&it, "200 OK", r#"{"applied":true,"sessions_ended":2,"milliseconds":3}"#);
    assert_eq!(
        it.ok(&["device", "revoke", &id]),
        "revoked \"Anna's iPhone\"; 2 sessions ended in 3.0 ms\n"
    );
    let (request, actor) = daemon.join().unwrap();
    assert!(
        request.starts_with("POST /v1/changes/") && request.contains("/applied?after="),
        "{request}"
    );
    assert!(actor.starts_with("cli:"), "{actor}");
}

#[test]
fn what_people_lose_is_told_with_the_sessions_that_it_ended() {
    for (args, said) in [
        (
            vec!["grant", "withdraw", "info@example.org", "marc@private.example", "--yes"],
            "withdrew the access of marc@private.example to info@example.org, with 1 device; 2 sessions ended in 0.4 ms\n",
        ),
        (
            vec!["role", "set", "lucie@private.example", "auditor", "--yes"],
            "lucie@private.example is now auditor of \"Example\", no longer mailbox-manager, which ended 1 device; 2 sessions ended in 0.4 ms\n",
        ),
        (
            vec!["role", "remove", "marc@private.example", "--yes"],
            "removed marc@private.example from \"Example\", with 1 device; 2 sessions ended in 0.4 ms\n",
        ),
        (
            vec!["user", "delete", "lucie@private.example", "--yes"],
            "deleted user lucie@private.example, with 1 device; 2 sessions ended in 0.4 ms\n",
        ),
        (
            vec![
                "grant",
                "edit",
                "info@example.org",
                "marc@private.example",
                "--rights",
                "see-devices",
            ],
            "marc@private.example has access to info@example.org: see-devices; 2 sessions ended in 0.4 ms\n",
        ),
    ] {
        let it = Installation::peopled();
        it.ok(&[
            "grant",
            "give",
            "info@example.org",
            "marc@private.example",
            "--rights",
            "see-devices,send-as",
        ]);
        it.device_of("marc@private.example", "info@example.org", "Marc's iPhone");
        it.device_of("lucie@private.example", "info@example.org", "Lucie's iPhone");
        let daemon = daemon(
            &it,
            "200 OK",
            r#"{"applied":true,"sessions_ended":2,"milliseconds":0.4}"#,
        );
        assert_eq!(it.ok(&args), said);
        let (request, _) = daemon.join().unwrap();
        assert!(request.starts_with("POST /v1/changes/"), "{request}");
    }
}

#[test]
fn a_revocation_that_is_not_confirmed_says_so_and_is_written_nevertheless() {
    let it = Installation::furnished();
    let (id, _) = it.device("anna@example.org", "Phone");
    let daemon = daemon(&it, "504 Gateway Timeout", "{}");
    let ran = it.run(&["device", "revoke", &id]);
    assert_eq!(ran.code, 6, "{ran:?}");
    assert_eq!(
        ran.stdout,
        "revoked \"Phone\"; not confirmed: the daemon did not confirm within 5 s\n"
    );
    assert!(ran.stderr.contains("postern session list"), "{ran:?}");
    daemon.join().unwrap();
    assert_eq!(it.json(&["device", "show", &id])["state"], "revoked");
}

#[test]
fn a_replaced_password_is_alone_on_stdout() {
    let it = Installation::furnished();
    let (id, _) = it.device("anna@example.org", "Phone");
    let daemon = daemon(&it, "200 OK", r#"{"applied":true,"sessions_ended":1,"milliseconds":2}"#);
    let ran = it.run(&["device", "replace", &id, "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let shown: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let applied: serde_json::Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!(
        applied["applied"],
        serde_json::json!({ "state": "ended", "sessions_ended": 1, "milliseconds": 2.0 })
    );
    assert!(!ran.stderr.contains(shown["password"].as_str().unwrap()));
    daemon.join().unwrap();
}

#[test]
fn sessions_are_listed_and_ended() {
    let it = Installation::furnished();
    let list = r#"[{"id":"17","device":"dev-0000000000007","label":"Phone","mailbox":"mbx-0000000000001","address":"anna@example.org","protocol":"imap","client_address":"192.0.2.7","client":"Thunderbird","since":"2020-01-01T00:00:00Z","bytes_up":100,"bytes_down":5000000,"route":"default"}]"#;
    let handle = daemon(&it, "200 OK", list);
    let said = it.ok(&["session", "list"]);
    assert!(
        said.contains("anna@example.org") && said.contains("4 MiB") && said.contains("192.0.2.7"),
        "{said}"
    );
    assert_eq!(handle.join().unwrap().0, "GET /v1/sessions HTTP/1.1");

    let socket = it.path("data/control.sock");
    std::fs::remove_file(&socket).unwrap();
    let handle = daemon(&it, "200 OK", r#"{"ended":true}"#);
    assert_eq!(it.ok(&["session", "end", "17"]), "ended session 17\n");
    assert_eq!(handle.join().unwrap().0, "DELETE /v1/sessions/17 HTTP/1.1");

    std::fs::remove_file(&socket).unwrap();
    let handle = daemon(&it, "404 Not Found", "{}");
    assert!(it.fails(3, &["session", "end", "18"]).contains("no such session"));
    handle.join().unwrap();
    assert!(
        it.fails(2, &["session", "end", "../status"])
            .contains("not a session id")
    );
}

#[test]
fn without_a_daemon_its_commands_say_how_to_start_one() {
    let it = Installation::furnished();
    for args in [vec!["session", "list"], vec!["status"], vec!["reload"]] {
        let said = it.fails(5, &args);
        assert!(said.contains("postern serve"), "{args:?}: {said}");
    }
}

#[test]
fn a_reload_that_is_refused_says_why() {
    let it = Installation::furnished();
    let handle = daemon(
        &it,
        "422 Unprocessable Entity",
        r#"{"errors":["certificate: expired"]}"#,
    );
    assert!(it.fails(1, &["reload"]).contains("certificate: expired"));
    handle.join().unwrap();
}

#[test]
fn an_answer_that_is_not_ours_is_told() {
    let it = Installation::furnished();
    let handle = daemon(&it, "200 OK", "<html>");
    assert!(it.fails(5, &["session", "list"]).contains("same version"));
    handle.join().unwrap();
}
