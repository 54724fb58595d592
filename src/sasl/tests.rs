//! Exchanges from the first to the last line, and what they refuse.

use proptest::prelude::*;

use super::*;

/// Runs an exchange to its end; each challenge takes the next line.
fn run(mechanism: &str, initial: Option<&str>, lines: &[&str]) -> Result<Credentials, Error> {
    let mechanism = Mechanism::from_name(mechanism.as_bytes()).unwrap();
    let mut progress = Exchange::start(mechanism, initial.map(str::as_bytes))?;
    let mut lines = lines.iter();
    loop {
        match progress {
            Progress::Done(credentials) => {
                assert_eq!(lines.next(), None);
                return Ok(credentials);
            }
            Progress::Challenge { exchange, .. } => {
                progress = exchange.respond(lines.next().expect("a line for each challenge").as_bytes())?;
            }
        }
    }
}

fn plain_of(message: &[u8]) -> Result<Credentials, Error> {
    run("PLAIN", Some(&STANDARD.encode(message)), &[])
}

fn check(credentials: &Credentials, username: &str, authzid: Option<&str>, password: &[u8]) {
    assert_eq!(credentials.username, username);
    assert_eq!(credentials.authzid.as_deref(), authzid);
    assert_eq!(credentials.password.expose(), password);
}

#[test]
fn plain_has_exactly_two_nuls_and_no_empty_name_or_password() {
    check(
        &plain_of(b"\0anna@example.org\0pw").unwrap(),
        "anna@example.org",
        None,
        b"pw",
    );
    check(&plain_of(b"anna\0anna\0pw").unwrap(), "anna", Some("anna"), b"pw");
    for malformed in [
        &b""[..],
        b"\0",
        b"\0anna",
        b"\0\0pw",
        b"\0anna\0",
        b"\0anna\0p\0w",
        b"z\0a\0p\0",
        b"\0\0\0",
    ] {
        assert_eq!(plain_of(malformed).unwrap_err(), Error::Malformed, "{malformed:?}");
    }
}

#[test]
fn plain_takes_fields_of_255_octets_and_caps_the_password() {
    let name = "n".repeat(255);
    let message = format!("{name}\0{name}\0{name}");
    check(
        &plain_of(message.as_bytes()).unwrap(),
        &name,
        Some(&name),
        name.as_bytes(),
    );
    let longest = format!("\0a\0{}", "p".repeat(MAX_PASSWORD_BYTES));
    assert!(plain_of(longest.as_bytes()).is_ok());
    assert_eq!(
        plain_of(format!("{longest}p").as_bytes()).unwrap_err(),
        Error::Malformed
    );
}

#[test]
fn login_asks_for_name_and_password_in_the_words_that_printers_know() {
    let Ok(Progress::Challenge { text, exchange }) = Exchange::start(Mechanism::Login, None) else {
        panic!("no challenge")
    };
    assert_eq!(STANDARD.decode(text).unwrap(), b"Username:");
    let Ok(Progress::Challenge { text, exchange }) = exchange.respond(b"YW5uYQ==") else {
        panic!("no challenge")
    };
    assert_eq!(STANDARD.decode(text).unwrap(), b"Password:");
    let Ok(Progress::Done(credentials)) = exchange.respond(b"cHc=") else {
        panic!("not done")
    };
    check(&credentials, "anna", None, b"pw");
    assert_eq!(credentials.mechanism, "LOGIN");
}

#[test]
fn login_takes_the_name_as_initial_response() {
    check(&run("login", Some("YW5uYQ=="), &["cHc="]).unwrap(), "anna", None, b"pw");
}

#[test]
fn login_refuses_empty_responses_and_a_nul_in_the_password() {
    assert_eq!(run("LOGIN", Some("="), &[]).unwrap_err(), Error::Malformed);
    assert_eq!(run("LOGIN", None, &[""]).unwrap_err(), Error::Malformed);
    assert_eq!(run("LOGIN", None, &["YW5uYQ==", ""]).unwrap_err(), Error::Malformed);
    assert_eq!(run("LOGIN", None, &["YW5uYQ==", "cAB3"]).unwrap_err(), Error::Malformed);
}

#[test]
fn an_equals_sign_is_an_empty_initial_response_and_nothing_else() {
    assert_eq!(run("PLAIN", Some("="), &[]).unwrap_err(), Error::Malformed);
    assert_eq!(run("PLAIN", None, &["="]).unwrap_err(), Error::BadBase64);
}

#[test]
fn a_star_cancels_at_every_step() {
    assert_eq!(run("PLAIN", None, &["*"]).unwrap_err(), Error::Cancelled);
    assert_eq!(run("LOGIN", None, &["*"]).unwrap_err(), Error::Cancelled);
    assert_eq!(run("LOGIN", None, &["YW5uYQ==", "*"]).unwrap_err(), Error::Cancelled);
}

#[test]
fn base64_is_strict() {
    for bad in [
        "=AAA",
        "AAA=BBB",
        "AGEAcA",
        "AGEAcA=",
        "AGEAcA===",
        "AGEAcB==",
        "AGEA cA==",
        "AGEAcA==\0",
        "AG-_cA==",
    ] {
        assert_eq!(run("PLAIN", Some(bad), &[]).unwrap_err(), Error::BadBase64, "{bad}");
        assert_eq!(run("PLAIN", None, &[bad]).unwrap_err(), Error::BadBase64, "{bad}");
    }
}

#[test]
fn a_name_that_cannot_exist_still_becomes_credentials() {
    check(&plain_of(b"\0\xff\xfe\0pw").unwrap(), "\u{fffd}", None, b"pw");
    check(&plain_of(b"\xff\0anna\0pw").unwrap(), "anna", Some("\u{fffd}"), b"pw");
    let long = format!("\0{}\0pw", "n".repeat(321));
    check(&plain_of(long.as_bytes()).unwrap(), "\u{fffd}", None, b"pw");
}

#[test]
fn no_debug_output_shows_a_password() {
    let credentials = plain_of(b"\0anna\0kqzm-xwdp").unwrap();
    assert!(!format!("{credentials:?}").contains("kqzm"));
    assert!(!format!("{:?}", encode_plain("", "anna", b"kqzm-xwdp")).contains("kqzm"));
}

proptest! {
    #[test]
    fn what_we_send_upstream_is_what_we_would_accept(
        authzid in "[a-z@.]{0,20}", authcid in "[a-zéü@.*]{1,20}", password in "[^\\x00]{1,40}",
    ) {
        let message = encode_plain(&authzid, &authcid, password.as_bytes());
        let credentials = run("PLAIN", Some(std::str::from_utf8(message.expose()).unwrap()), &[]).unwrap();
        prop_assert_eq!(credentials.username, authcid);
        prop_assert_eq!(credentials.authzid.unwrap_or_default(), authzid);
        prop_assert_eq!(credentials.password.expose().as_slice(), password.as_bytes());
    }
}
