//! Whose a try is, and what is forgotten.

use super::*;
use crate::secret::Secret;

const NOW: Timestamp = Timestamp(1_795_000_000_000);
const PHONE: DeviceId = DeviceId::from_raw(1);
const PRINTER: DeviceId = DeviceId::from_raw(2);
const ANNA: MailboxId = MailboxId::from_raw(7);
const OTHER: MailboxId = MailboxId::from_raw(8);

fn password(seed: u8) -> PlainPassword {
    let mut next = seed;
    PlainPassword::generate(&mut |octets| {
        for octet in octets {
            next = next.wrapping_mul(31).wrapping_add(7);
            *octet = next % 200;
        }
    })
}

fn typed(password: &PlainPassword) -> SecretBytes {
    Secret::new(password.shown().expose().to_uppercase().into_bytes())
}

fn other() -> SecretBytes {
    Secret::new(b"something else".to_vec())
}

fn attempted(seconds: u64, from: &str) -> Attempted {
    Attempted {
        at: NOW.plus(Duration::from_secs(seconds)),
        from: from.parse().unwrap(),
        protocol: Protocol::Imap,
    }
}

/// What somebody sees who looks at the phone's page from 192.0.2.1.
fn seen(tries: &Tries, device: DeviceId, mailbox: MailboxId) -> Option<What> {
    let address = Address::parse("anna@example.org").unwrap();
    let asked = Asked {
        device,
        mailbox,
        address: &address,
        since: NOW,
        now: NOW.plus(Duration::from_secs(60)),
        reader: Some("192.0.2.1".parse().unwrap()),
    };
    let [imap, smtp] = [Protocol::Imap, Protocol::Smtp].map(|protocol| {
        let mut tried = tries.of(&asked).into_iter().filter(|tried| tried.protocol == protocol);
        let first = tried.next();
        assert_eq!(tried.next(), None, "one of each protocol");
        first
    });
    assert_eq!(smtp, None);
    imap.map(|tried| tried.what)
}

#[test]
fn a_wrong_password_is_seen_at_its_own_mailbox_alone_and_since_the_password() {
    let tries = Tries::default();
    tries.unproved(attempted(1, "203.0.113.7"), "anna@example.org", &other(), Some(ANNA));
    assert_eq!(seen(&tries, PHONE, ANNA), Some(What::WrongPassword));
    assert_eq!(seen(&tries, PHONE, OTHER), None);
    let before = Attempted {
        at: NOW.minus(Duration::from_secs(1)),
        ..attempted(0, "203.0.113.7")
    };
    let tries = Tries::default();
    tries.unproved(before, "anna@example.org", &other(), Some(ANNA));
    tries.unproved(attempted(1, "203.0.113.7"), "nobody@example.org", &other(), None);
    assert_eq!(seen(&tries, PHONE, ANNA), None);
}

#[test]
fn another_name_is_the_devices_where_the_password_is_and_never_by_the_name() {
    let tries = Tries::default();
    let (mine, theirs) = (password(1), password(2));
    tries.expect(PHONE, &mine, NOW);
    tries.expect(PRINTER, &theirs, NOW);
    tries.unproved(attempted(1, "203.0.113.7"), "anna", &typed(&theirs), None);
    assert_eq!(seen(&tries, PHONE, ANNA), None, "another device's password");
    tries.unproved(attempted(1, "203.0.113.7"), "anna", &other(), None);
    assert_eq!(seen(&tries, PHONE, ANNA), None, "nobody's password");
    tries.unproved(attempted(2, "203.0.113.7"), "anna", &typed(&mine), None);
    let given = Some("anna".to_owned());
    assert_eq!(seen(&tries, PHONE, ANNA), Some(What::WrongName { given }));
    // Another mailbox's address with this password is no wrong password of that mailbox.
    tries.unproved(
        attempted(3, "203.0.113.7"),
        "ben@example.org",
        &typed(&mine),
        Some(OTHER),
    );
    assert_eq!(seen(&tries, DeviceId::from_raw(9), OTHER), None);
    // A password in place of the name is not repeated.
    let name = mine.shown();
    tries.unproved(attempted(4, "203.0.113.7"), name.expose(), &typed(&mine), None);
    assert_eq!(seen(&tries, PHONE, ANNA), Some(What::WrongName { given: None }));
    // A newer password of the same device takes the place of the old one.
    tries.expect(PHONE, &password(3), NOW);
    assert_eq!(tries.state().passwords.len(), 2);
}

#[test]
fn a_password_in_clear_is_told_where_it_is_the_devices_or_may_be() {
    let tries = Tries::default();
    let (at, mine) = (attempted(1, "203.0.113.7"), password(1));
    tries.in_clear(attempted(1, "192.0.2.1"), None);
    assert_eq!(
        seen(&tries, PHONE, ANNA),
        Some(What::Unencrypted { exposed: false }),
        "the reader's own"
    );
    let tries = Tries::default();
    tries.in_clear(at, None);
    tries.in_clear(at, Some(("anna", &other())));
    assert_eq!(seen(&tries, PHONE, ANNA), None);
    tries.in_clear(at, Some(("Anna@Example.ORG", &other())));
    assert_eq!(
        seen(&tries, PHONE, ANNA),
        Some(What::Unencrypted { exposed: true }),
        "nobody knows"
    );
    tries.expect(PHONE, &mine, NOW);
    assert_eq!(seen(&tries, PHONE, ANNA), Some(What::Unencrypted { exposed: false }));
    tries.in_clear(attempted(2, "203.0.113.7"), Some(("anna", &typed(&mine))));
    assert_eq!(seen(&tries, PHONE, ANNA), Some(What::Unencrypted { exposed: true }));
}

#[test]
fn what_has_no_name_is_seen_from_its_own_network_and_where_the_mailbox_was_tried_from() {
    let tries = Tries::default();
    tries.nameless(attempted(1, "203.0.113.7"), What::Certificate);
    assert_eq!(seen(&tries, PHONE, ANNA), None, "somebody else's");
    tries.unproved(attempted(0, "203.0.113.7"), "anna@example.org", &other(), Some(ANNA));
    assert_eq!(
        seen(&tries, PHONE, ANNA),
        Some(What::Certificate),
        "the mailbox was tried from there"
    );
    let tries = Tries::default();
    tries.nameless(attempted(1, "192.0.2.1"), What::Certificate);
    assert_eq!(
        seen(&tries, PHONE, ANNA),
        Some(What::Certificate),
        "the reader's own network"
    );
}

#[test]
fn a_sign_in_is_noted_for_those_who_wait_and_for_nobody_else() {
    let tries = Tries::default();
    let used = |protocol| Use {
        at: NOW,
        ip: "203.0.113.7".parse().unwrap(),
        protocol,
        client: None,
    };
    tries.signed_in(PHONE, || unreachable!("nobody waits"));
    tries.watch(PRINTER, NOW);
    tries.signed_in(PHONE, || unreachable!("nobody waits for this one"));
    tries.signed_in(PRINTER, || used(Protocol::Smtp));
    tries.signed_in(PRINTER, || used(Protocol::Imap));
    let protocols: Vec<_> = tries.uses(PRINTER).map(|used| used.protocol).collect();
    assert_eq!(protocols, [Protocol::Imap, Protocol::Smtp]);
    assert_eq!(tries.uses(PHONE).count(), 0);
}

#[test]
fn a_connection_of_our_own_is_known_by_its_end_for_its_device_and_while_it_runs() {
    let tries = Tries::default();
    let [own, other, mapped] =
        ["127.0.0.1:4711", "127.0.0.1:4712", "[::ffff:127.0.0.1]:4711"].map(|end| end.parse::<SocketAddr>().unwrap());
    assert_eq!(tries.trial_of(own, Protocol::Smtp), None);
    let trial = tries.begin_trial(mapped, PHONE);
    assert_eq!(tries.trial_of(own, Protocol::Smtp), Some(PHONE));
    assert_eq!(tries.trial_of(own, Protocol::Imap), None);
    assert_eq!(tries.trial_of(other, Protocol::Smtp), None);
    let second = tries.begin_trial(other, PRINTER);
    drop(trial);
    assert_eq!(tries.trial_of(own, Protocol::Smtp), None);
    assert_eq!(tries.trial_of(other, Protocol::Smtp), Some(PRINTER));
    drop(second);
    assert_eq!(tries.trial_of(other, Protocol::Smtp), None);
}

#[test]
fn nothing_grows_without_end_and_the_newest_stays() {
    let tries = Tries::default();
    for number in 0..3 * TRIES_MAX {
        let at = attempted(number as u64, "203.0.113.7");
        let mailbox = MailboxId::from_raw(100 + number as i64);
        tries.unproved(at, "x@example.org", &other(), Some(mailbox));
        tries.in_clear(at, Some((&format!("u{number}@example.org"), &other())));
        tries.refused(DeviceId::from_raw(number as i64), at, What::Paused);
        tries.expect(
            DeviceId::from_raw(number as i64),
            &password(u8::try_from(number % 256).unwrap()),
            at.at,
        );
    }
    let state = tries.state();
    for length in [state.mailboxes.len(), state.names.len(), state.devices.len()] {
        assert!((TRIES_MAX / 2 - 1..=TRIES_MAX).contains(&length), "{length}");
    }
    assert!(state.awaited.len() <= AWAITED_MAX && state.passwords.len() <= AWAITED_MAX);
    let newest = (DeviceId::from_raw(3 * TRIES_MAX as i64 - 1), Protocol::Imap);
    assert!(state.devices.get(&newest).is_some());
}
