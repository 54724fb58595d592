//! Whose a try is, and what is forgotten.

use super::*;
use crate::secret::Secret;

const NOW: Timestamp = Timestamp(1_795_000_000_000);
const PHONE: DeviceId = DeviceId::from_raw(1);
const PRINTER: DeviceId = DeviceId::from_raw(2);
const ANNA: MailboxId = MailboxId::from_raw(7);
const OTHER: MailboxId = MailboxId::from_raw(8);

fn anna() -> Address {
    Address::parse("anna@example.org").unwrap()
}

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
    let address = anna();
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
    tries.expect(PHONE, &anna(), &mine, NOW);
    tries.expect(PRINTER, &anna(), &theirs, NOW);
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
    tries.expect(PHONE, &anna(), &password(3), NOW);
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
        Some(What::Unencrypted { exposed: false }),
        "anybody can say this name, and no password was seen to be the device's"
    );
    tries.expect(PHONE, &anna(), &mine, NOW);
    tries.in_clear(attempted(2, "203.0.113.7"), Some(("anna", &typed(&mine))));
    assert_eq!(seen(&tries, PHONE, ANNA), Some(What::Unencrypted { exposed: true }));
}

#[test]
fn what_has_no_name_is_seen_from_its_own_network_where_nobody_else_waits() {
    let reader = "192.0.2.1";
    let (tries, ip) = (Tries::default(), reader.parse().unwrap());
    tries.nameless(attempted(1, "203.0.113.7"), What::Certificate);
    tries.unproved(attempted(0, "203.0.113.7"), "anna@example.org", &other(), Some(ANNA));
    let of_others = seen(&tries, PHONE, ANNA);
    assert_eq!(of_others, Some(What::WrongPassword), "another network's");
    tries.nameless(attempted(1, reader), What::Certificate);
    tries.watch(PHONE, ip, NOW);
    assert_eq!(seen(&tries, PHONE, ANNA), Some(What::Certificate));
    tries.watch(PRINTER, ip, NOW);
    assert_ne!(seen(&tries, PHONE, ANNA), Some(What::Certificate), "or the printer's");
    tries.watch(PRINTER, "192.0.2.2".parse().unwrap(), NOW);
    assert_eq!(seen(&tries, PHONE, ANNA), Some(What::Certificate));
}

#[test]
fn strangers_never_take_the_place_of_what_the_password_proves() {
    let tries = Tries::default();
    let mine = password(1);
    tries.expect(PHONE, &anna(), &mine, NOW);
    tries.refused(PHONE, attempted(1, "203.0.113.7"), What::WrongScope);
    tries.unproved(attempted(2, "198.51.100.1"), "anna@example.org", &other(), Some(ANNA));
    tries.in_clear(attempted(3, "198.51.100.1"), Some(("anna@example.org", &other())));
    assert_eq!(seen(&tries, PHONE, ANNA), Some(What::WrongScope));
    // What comes from where the device is may well be the device.
    tries.unproved(attempted(4, "203.0.113.7"), "anna@example.org", &other(), Some(ANNA));
    assert_eq!(seen(&tries, PHONE, ANNA), Some(What::WrongPassword));
}

#[test]
fn a_name_is_repeated_only_where_it_is_one() {
    let own = |name| shown(name, "anna");
    for name in ["anna", "Anna", "ben@example.org"] {
        assert_eq!(own(name).as_deref(), Some(name));
    }
    for name in ["Summer2019!", "correct horse", "annas-password"] {
        assert_eq!(own(name), None, "it may be a password");
    }
}

#[test]
fn nothing_is_kept_of_a_device_that_works_or_that_nobody_waits_for_any_more() {
    let tries = Tries::default();
    let used = |protocol| Use {
        at: NOW,
        ip: "203.0.113.7".parse().unwrap(),
        protocol,
        client: None,
    };
    tries.expect(PHONE, &anna(), &password(1), NOW);
    tries.signed_in(PHONE, Scopes::ALL, || used(Protocol::Imap));
    assert_eq!(tries.state().passwords.len(), 1, "it may also send");
    tries.signed_in(PHONE, Scopes::ALL, || used(Protocol::Smtp));
    assert_eq!(tries.state().passwords.len(), 0);
    tries.expect(PRINTER, &anna(), &password(2), NOW);
    tries.nameless(attempted(1, "192.0.2.1"), What::Certificate);
    tries.tidy(NOW.plus(KEPT));
    assert_eq!(tries.awaited.load(Ordering::Relaxed), 2);
    tries.tidy(NOW.plus(KEPT + Duration::from_secs(2)));
    assert_eq!(tries.awaited.load(Ordering::Relaxed), 0);
    assert!(tries.state().passwords.is_empty() && tries.strangers().networks.len() == 0);
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
    tries.signed_in(PHONE, Scopes::ALL, || unreachable!("nobody waits"));
    tries.watch(PRINTER, "192.0.2.1".parse().unwrap(), NOW);
    tries.signed_in(PHONE, Scopes::ALL, || unreachable!("nobody waits for this one"));
    tries.signed_in(PRINTER, Scopes::ALL, || used(Protocol::Smtp));
    tries.signed_in(PRINTER, Scopes::ALL, || used(Protocol::Imap));
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
            &anna(),
            &password(u8::try_from(number % 256).unwrap()),
            at.at,
        );
    }
    let (state, strangers) = (tries.state(), tries.strangers());
    for length in [state.mailboxes.len(), strangers.names.len(), state.devices.len()] {
        assert!((TRIES_MAX / 2 - 1..=TRIES_MAX).contains(&length), "{length}");
    }
    assert!(state.awaited.len() <= AWAITED_MAX && state.passwords.len() <= AWAITED_MAX);
    let newest = (DeviceId::from_raw(3 * TRIES_MAX as i64 - 1), Protocol::Imap);
    assert!(state.devices.get(&newest).is_some());
}
