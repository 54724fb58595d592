//! Broken configurations, seen through `postern check` and the exit codes of other commands.

use super::cli::installation::{CONFIG, Installation, postern};

#[track_caller]
fn check(text: &str) -> String {
    let it = Installation::with_config(text);
    let ran = it.run(&["check"]);
    assert_eq!(ran.code, 7, "{ran:?}");
    it.redacted(&ran.stdout)
}

#[test]
fn every_error_is_named_with_its_place() {
    let text = CONFIG
        .replace("hostname =", "hostnam =")
        .replace("\"imap\"", "\"pop3\"")
        + "[throttle]\nmax_delay = 5\n";
    insta::assert_snapshot!("check_errors", check(&text));
}

#[test]
fn broken_toml_is_named_with_its_place() {
    assert!(check("hostname = \"mail.example.org\n").contains("[dir]/postern.toml:1:"));
}

#[test]
fn a_missing_file_says_how_to_make_one() {
    let output = postern(&["check", "--config", "/nonexistent/postern.toml"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(7));
    assert!(String::from_utf8(output.stderr).unwrap().contains("postern init"));
}

#[test]
fn every_command_refuses_a_broken_configuration_with_the_same_words() {
    let it = Installation::with_config(&CONFIG.replace("development = true", "developmnt = true"));
    let said = it.fails(7, &["org", "list"]);
    assert_eq!(
        said,
        "[dir]/postern.toml:4:1: tls.developmnt: there is no such key; did you mean `development`?\n"
    );
    assert_eq!(it.fails(7, &["serve"]), said);
}

#[test]
fn password_files_are_read_by_check_but_not_needed_by_store_commands() {
    let text = CONFIG.replacen(
        "login = \"stored\"",
        "login = \"master-user\"\nuser = \"postern\"\npassword_file = \"upstream\"",
        1,
    );
    let it = Installation::with_config(&text);
    it.ok(&["init"]);
    it.ok(&["org", "list"]);
    let ran = it.run(&["check"]);
    assert!(
        ran.code == 7 && ran.stdout.contains("route.imap.password_file"),
        "{ran:?}"
    );
    it.write("upstream", "hunter2 hunter2\n");
    it.chmod("upstream", 0o644);
    let ran = it.run(&["check"]);
    assert!(
        ran.code == 7 && ran.stdout.contains("chmod 600") && !ran.stdout.contains("hunter2"),
        "{ran:?}"
    );
    it.chmod("upstream", 0o600);
    it.ok(&["check"]);
}

#[test]
fn a_certificate_that_is_missing_or_broken_is_an_error() {
    let text = CONFIG.replace(
        "development = true",
        "[[tls.certificate]]\nchain = \"chain.pem\"\nkey = \"key.pem\"",
    );
    let it = Installation::with_config(&text);
    it.ok(&["init"]);
    for content in [None, Some("not a certificate")] {
        if let Some(content) = content {
            it.write("chain.pem", content);
            it.write("key.pem", content);
            it.chmod("key.pem", 0o600);
        }
        let ran = it.run(&["check"]);
        assert!(
            ran.code == 1 && ran.stdout.contains("ERROR    certificate: "),
            "{ran:?}"
        );
    }
}

#[test]
fn a_taken_port_is_found_by_bind() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let it = Installation::with_config(&CONFIG.replacen("127.0.0.1:0", &address, 1));
    it.ok(&["init"]);
    it.ok(&["check"]);
    let ran = it.run(&["check", "--bind"]);
    assert!(
        ran.code == 1 && ran.stdout.contains("ERROR    listener imaps: "),
        "{ran:?}"
    );
}
