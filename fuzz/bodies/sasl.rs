//! Runs one SASL exchange: the input's first octet chooses the mechanism and whether an initial response is there, the
//! rest are the client's lines.
//!
//! An exchange ends after two lines at the latest, its credentials hold no odd octet, and what PLAIN hands over says
//! the same when it is encoded again.

use postern::preauth::{Credentials, MAX_NAME_BYTES};
use postern::sasl::{self, Exchange, MAX_PASSWORD_BYTES, Mechanism, Progress};

/// Runs one input; panics where an exchange breaks a promise.
pub(crate) fn run(input: &[u8]) {
    let Some((&first, text)) = input.split_first() else {
        return;
    };
    let mechanism = if first & 1 == 0 {
        Mechanism::Plain
    } else {
        Mechanism::Login
    };
    let mut lines = text.split(|&octet| octet == b'\n');
    let initial = if first & 2 == 0 { None } else { lines.next() };
    let mut progress = Exchange::start(mechanism, initial);
    let mut challenges = 0;
    loop {
        match progress {
            Err(_) => return,
            Ok(Progress::Done(credentials)) => return check(mechanism, &credentials),
            Ok(Progress::Challenge { text, exchange }) => {
                challenges += 1;
                assert!(challenges <= 2, "a third challenge");
                assert!(matches!(
                    (mechanism, text),
                    (Mechanism::Plain, "") | (Mechanism::Login, "VXNlcm5hbWU6" | "UGFzc3dvcmQ6")
                ));
                let Some(line) = lines.next() else { return };
                progress = exchange.respond(line);
            }
        }
    }
}

fn check(mechanism: Mechanism, credentials: &Credentials) {
    assert_eq!(credentials.mechanism, mechanism.name());
    for name in [Some(&credentials.username), credentials.authzid.as_ref()]
        .into_iter()
        .flatten()
    {
        assert!((1..=MAX_NAME_BYTES).contains(&name.len()) && !name.chars().any(char::is_control));
    }
    let password = credentials.password.expose();
    assert!((1..=MAX_PASSWORD_BYTES).contains(&password.len()) && !password.contains(&0));
    let authzid = credentials.authzid.as_deref().unwrap_or_default();
    let again = sasl::encode_plain(authzid, &credentials.username, password);
    let Ok(Progress::Done(same)) = Exchange::start(Mechanism::Plain, Some(again.expose())) else {
        panic!("our own message is no message")
    };
    assert_eq!(
        (&same.username, &same.authzid),
        (&credentials.username, &credentials.authzid)
    );
    assert_eq!(same.password.expose(), password);
}
