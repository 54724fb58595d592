//! Tests of the verifier's promises over a store in memory.

use std::sync::Arc;
use std::time::Duration;

use super::fake::{CREATED, FakeStore, device, mailbox};
use super::*;
use crate::clock::{Clock, Timestamp};
use crate::keys::{Keyring, ServerKey};
use crate::metrics::{Metrics, VerdictPath};
use crate::model::password::{PlainPassword, Typed};
use crate::model::{CredentialId, DeviceState};
use crate::peer::{Peer, Protocol};
use crate::preauth::Credentials;
use crate::secret::Secret;
use crate::store::{Credential, Hash};

const BOX: &str = "anna@example.org";
const SMALL: hash::Params = hash::Params {
    memory_kib: 16,
    passes: 1,
};

struct Bench {
    store: Arc<FakeStore>,
    keys: Arc<Keyring>,
    clock: Clock,
    metrics: Arc<Metrics>,
    verifier: Verifier,
}

/// A password that is the same in every run.
fn password(seed: u64) -> PlainPassword {
    let mut reader = blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof();
    PlainPassword::generate(&mut |octets| reader.fill(octets))
}

fn shown(seed: u64) -> String {
    password(seed).shown().expose().clone()
}

fn generated(key: &ServerKey, mailbox: i64, id: i64, seed: u64) -> Credential {
    let password = password(seed);
    Credential {
        id: CredentialId::from_raw(id),
        tag: Some(tag(key, MailboxId::from_raw(mailbox), password.canonical())),
        key_id: key.id,
        hash: hash::hash(SMALL, key, password.canonical()),
        retired_at: None,
        device: device(id),
    }
}

fn imported(id: i64, hash: &str) -> Credential {
    let hash = hash::check_imported(hash).unwrap();
    Credential {
        id: CredentialId::from_raw(id),
        tag: None,
        key_id: 0,
        hash,
        retired_at: None,
        device: device(id),
    }
}

impl Bench {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(configure: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config {
            lanes: 1,
            argon2_memory_kib: 16,
            argon2_passes: 1,
            hash_deadline: Duration::from_secs(60),
            ..Config::default()
        };
        configure(&mut config);
        let (store, keys) = (Arc::new(FakeStore::default()), Arc::new(Keyring::for_tests()));
        let (clock, metrics) = (
            Clock::manual(CREATED.plus(Duration::from_secs(86_400))),
            Arc::new(Metrics::new()),
        );
        let verifier = Verifier::new(
            config,
            Arc::clone(&keys),
            store.clone(),
            clock.clone(),
            Arc::clone(&metrics),
        );
        Self {
            store,
            keys,
            clock,
            metrics,
            verifier,
        }
    }

    /// A mailbox whose devices 1, 2, ... have the passwords of the seeds 1, 2, ...
    fn with_devices(count: i64) -> Self {
        let bench = Self::new();
        let mut owned = mailbox(1, BOX);
        owned.credentials = (1..=count)
            .map(|id| generated(bench.keys.current(), 1, id, id.unsigned_abs()))
            .collect();
        bench.store.put(owned);
        bench
    }

    async fn login(&self, name: &str, password: impl AsRef<[u8]>) -> Verdict {
        self.login_by(name, password, Protocol::Imap, "192.0.2.7").await
    }

    async fn login_by(&self, name: &str, password: impl AsRef<[u8]>, protocol: Protocol, ip: &str) -> Verdict {
        let peer = Peer::new(
            (ip.parse::<std::net::IpAddr>().unwrap(), 4711).into(),
            "192.0.2.1:993".parse().unwrap(),
        );
        let credentials = credentials(name, password);
        let claim = self.verifier.claim(&credentials);
        self.verifier.verify(&claim, protocol, &peer, true).await
    }

    fn runs(&self) -> u64 {
        self.metrics.hash_runs.get()
    }

    fn path(&self, path: VerdictPath) -> u64 {
        self.metrics.verdicts(path).get()
    }

    fn edit(&self, id: i64, edit: impl FnOnce(&mut Credential)) {
        self.store.edit(BOX, |mailbox| {
            edit(mailbox.credentials.iter_mut().find(|c| c.id.raw() == id).unwrap())
        });
    }
}

fn credentials(name: &str, password: impl AsRef<[u8]>) -> Credentials {
    Credentials {
        username: name.into(),
        authzid: None,
        password: Secret::new(password.as_ref().to_vec()),
        mechanism: "PLAIN",
    }
}

fn accepted(verdict: Verdict) -> Box<VerifiedLogin> {
    match verdict {
        Verdict::Accept(login) => login,
        other => panic!("not accepted: {other:?}"),
    }
}

fn refused(verdict: Verdict) -> Rejection {
    match verdict {
        Verdict::Reject(rejection) => rejection,
        other => panic!("not refused: {other:?}"),
    }
}

fn check_refused(verdict: Verdict, reason: Reason, counts: bool) {
    let rejection = refused(verdict);
    assert_eq!((rejection.reason, rejection.counts), (reason, counts));
    assert_eq!(
        (rejection.hint, rejection.device),
        (None, None),
        "without a proof nothing is told"
    );
}

#[tokio::test]
async fn a_wrong_password_costs_no_hash_run_and_a_right_one_exactly_one_however_many_devices() {
    let bench = Bench::with_devices(20);
    for wrong in [shown(999), "hunter2".into(), String::new(), "x".repeat(5000)] {
        check_refused(bench.login(BOX, wrong).await, Reason::WrongPassword, true);
    }
    assert_eq!((bench.runs(), bench.path(VerdictPath::RejectedByTag)), (0, 4));
    let login = accepted(bench.login(BOX, shown(13)).await);
    assert_eq!(
        (login.device().id.raw(), bench.path(VerdictPath::Hashed), bench.runs()),
        (13, 1, 1)
    );
    let again = accepted(bench.login(BOX, shown(13).to_uppercase().replace('-', " ")).await);
    assert_eq!(
        (again.device().id.raw(), bench.path(VerdictPath::Hit), bench.runs()),
        (13, 1, 1)
    );
    assert_eq!((again.address().as_str(), again.mailbox().raw()), (BOX, 1));
}

#[test]
fn a_judgement_can_move_between_threads() {
    fn is_send<T: Send>(_: &T) {}
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let _guard = runtime.enter();
    let (bench, claimed) = (Bench::new(), credentials(BOX, "x"));
    let peer = Peer::new("192.0.2.7:1".parse().unwrap(), "192.0.2.1:993".parse().unwrap());
    let claim = bench.verifier.claim(&claimed);
    is_send(&bench.verifier.verify(&claim, Protocol::Imap, &peer, true));
}

#[tokio::test]
async fn a_typo_runs_no_hash_and_never_counts() {
    let bench = Bench::with_devices(1);
    let mut typed = shown(1).into_bytes();
    *typed.first_mut().unwrap() = if typed.first() == Some(&b'b') { b'c' } else { b'b' };
    check_refused(bench.login(BOX, &typed).await, Reason::Typo, false);
    assert_eq!((bench.runs(), bench.path(VerdictPath::Typo)), (0, 1));
}

#[tokio::test]
async fn aliases_unknown_names_and_mailboxes_without_devices_cannot_log_in_and_cost_the_same() {
    let bench = Bench::with_devices(1);
    bench.store.put_alias("hello@example.org", BOX);
    bench.store.put(mailbox(2, "empty@example.org"));
    check_refused(
        bench.login("hello@example.org", shown(1)).await,
        Reason::AliasLogin,
        true,
    );
    check_refused(
        bench.login("nobody@example.org", shown(1)).await,
        Reason::UnknownMailbox,
        true,
    );
    check_refused(bench.login("empty@example.org", shown(1)).await, Reason::NoDevice, true);
    check_refused(bench.login("no address", shown(1)).await, Reason::BadName, true);
    assert_eq!(bench.runs(), 0);
}

#[tokio::test]
async fn the_name_is_read_in_any_case_and_the_authorization_identity_must_be_the_same() {
    let bench = Bench::with_devices(1);
    accepted(bench.login(" Anna@EXAMPLE.org ", shown(1)).await);
    let peer = Peer::new("192.0.2.7:1".parse().unwrap(), "192.0.2.1:993".parse().unwrap());
    for (authzid, fits) in [
        ("", true),
        ("ANNA@example.org", true),
        ("boss@example.org", false),
        ("x y", false),
    ] {
        let claimed = Credentials {
            authzid: Some(authzid.into()),
            ..credentials(BOX, shown(1))
        };
        let claim = bench.verifier.claim(&claimed);
        let verdict = bench.verifier.verify(&claim, Protocol::Imap, &peer, true).await;
        match verdict {
            Verdict::Accept(_) => assert!(fits, "{authzid}"),
            other => {
                assert!(!fits, "{authzid}");
                check_refused(other, Reason::AuthzidMismatch, true);
            }
        }
    }
}

#[tokio::test]
async fn a_replaced_password_is_refused_with_a_warm_entry_and_the_new_one_works_at_once() {
    let bench = Bench::with_devices(1);
    accepted(bench.login(BOX, shown(1)).await);
    let replacement = Credential {
        device: device(1),
        ..generated(bench.keys.current(), 1, 2, 2)
    };
    bench.edit(1, |old| old.retired_at = Some(Timestamp(1_795_132_800_000)));
    bench
        .store
        .edit(BOX, |mailbox| mailbox.credentials.insert(0, replacement));
    for _ in 0..2 {
        let old = refused(bench.login(BOX, shown(1)).await);
        assert_eq!(
            (old.reason, old.counts, old.device, old.retired),
            (
                Reason::OldPassword,
                false,
                Some(DeviceId::from_raw(1)),
                Some(CredentialId::from_raw(1))
            )
        );
        assert_eq!(
            old.hint.as_deref(),
            Some("Device \"Device 1\" has a new password since 2026-11-20")
        );
    }
    assert_eq!(accepted(bench.login(BOX, shown(2)).await).device().id.raw(), 1);
    assert_eq!(
        bench.runs(),
        2,
        "one for each password; the old one's entry spares further runs"
    );
}

#[tokio::test]
async fn an_old_phone_costs_one_hash_run_once_even_when_it_comes_cold() {
    let bench = Bench::with_devices(1);
    bench.edit(1, |old| {
        old.retired_at = Some(Timestamp(1_795_132_800_000));
        old.device.state = DeviceState::Revoked(Timestamp(1_795_132_800_000));
        old.device.label = "Anna's iPhone".into();
    });
    for _ in 0..3 {
        let old = refused(bench.login(BOX, shown(1)).await);
        assert_eq!((old.reason, old.counts), (Reason::DeviceRevoked, false));
        assert_eq!(
            old.hint.as_deref(),
            Some("Device \"Anna's iPhone\" was disconnected on 2026-11-20")
        );
    }
    assert_eq!(bench.runs(), 1);
    check_refused(bench.login(BOX, shown(2)).await, Reason::NoDevice, true);
}

/// mailcow#6450: after an IMAP login the cached password was accepted for SMTP too.
#[tokio::test]
async fn every_login_is_judged_by_the_live_record_with_a_warm_entry_too() {
    let bench = Bench::with_devices(1);
    let reset = |bench: &Bench| {
        bench.edit(1, |credential| credential.device = device(1));
        bench.store.edit(BOX, |mailbox| mailbox.suspended = false);
    };
    accepted(bench.login(BOX, shown(1)).await);
    let soon = bench.clock.utc().plus(Duration::from_secs(60));
    let mut reasons = Vec::new();
    for change in 0..6 {
        reset(&bench);
        let protocol = if change == 0 { Protocol::Smtp } else { Protocol::Imap };
        bench.edit(1, |credential| match change {
            0 => credential.device.scopes.smtp = false,
            1 => credential.device.scopes.imap = false,
            2 => credential.device.state = DeviceState::Paused(CREATED),
            3 => credential.device.networks = crate::model::Networks(vec!["198.51.100.0/24".parse().unwrap()]),
            4 => credential.device.expires_at = Some(soon),
            _ => {}
        });
        if change == 4 {
            accepted(bench.login(BOX, shown(1)).await);
            bench.clock.advance(Duration::from_secs(60));
        }
        if change == 5 {
            bench.store.edit(BOX, |mailbox| mailbox.suspended = true);
        }
        let refused = refused(bench.login_by(BOX, shown(1), protocol, "192.0.2.7").await);
        assert!(!refused.counts && refused.hint.is_some());
        reasons.push(refused.reason);
    }
    let expected = [
        Reason::ScopeNotAllowed,
        Reason::ScopeNotAllowed,
        Reason::DevicePaused,
        Reason::NetworkNotAllowed,
        Reason::DeviceExpired,
        Reason::MailboxSuspended,
    ];
    assert_eq!(reasons, expected);
    reset(&bench);
    accepted(bench.login(BOX, shown(1)).await);
    assert_eq!(bench.runs(), 1);
}

#[tokio::test]
async fn without_the_store_nobody_is_judged_and_nobody_is_refused() {
    let bench = Bench::with_devices(1);
    accepted(bench.login(BOX, shown(1)).await);
    bench.store.set_failing(true);
    for typed in [shown(1), shown(2), "hunter2".into()] {
        assert!(matches!(
            bench.login(BOX, typed).await,
            Verdict::Unavailable(Cause::Store)
        ));
    }
    bench.store.set_failing(false);
    accepted(bench.login(BOX, shown(1)).await);
}

#[tokio::test]
async fn a_forgotten_device_is_hashed_again() {
    let bench = Bench::with_devices(2);
    accepted(bench.login(BOX, shown(1)).await);
    accepted(bench.login(BOX, shown(2)).await);
    bench.verifier.forget_device(DeviceId::from_raw(1));
    accepted(bench.login(BOX, shown(1)).await);
    accepted(bench.login(BOX, shown(2)).await);
    assert_eq!(bench.runs(), 3);
    bench.verifier.forget_mailbox(MailboxId::from_raw(1));
    accepted(bench.login(BOX, shown(2)).await);
    assert_eq!((bench.runs(), bench.metrics.entries.get()), (4, 1));
}

#[tokio::test]
async fn the_same_password_in_two_mailboxes_is_two_secrets() {
    let bench = Bench::with_devices(1);
    let mut other = mailbox(2, "ben@example.org");
    other.credentials = vec![generated(bench.keys.current(), 2, 5, 5)];
    bench.store.put(other);
    accepted(bench.login(BOX, shown(1)).await);
    check_refused(
        bench.login("ben@example.org", shown(1)).await,
        Reason::WrongPassword,
        true,
    );
    assert_eq!(
        accepted(bench.login("ben@example.org", shown(5)).await)
            .device()
            .id
            .raw(),
        5
    );
}

#[tokio::test]
async fn connections_that_waited_behind_the_same_password_share_its_hash_run() {
    let bench = Bench::with_devices(1);
    let logins = futures_util::future::join_all((0..5).map(|_| bench.login(BOX, shown(1)))).await;
    assert_eq!(
        logins
            .into_iter()
            .map(|login| accepted(login).device().id.raw())
            .sum::<i64>(),
        5
    );
    assert_eq!(bench.runs(), 1);
}

#[tokio::test]
async fn devices_of_every_server_key_log_in_and_a_missing_key_is_our_fault() {
    let bench = Bench::new();
    let mut owned = mailbox(1, BOX);
    owned.credentials = vec![
        generated(bench.keys.by_id(1).unwrap(), 1, 1, 1),
        generated(bench.keys.by_id(2).unwrap(), 1, 2, 2),
        Credential {
            key_id: 77,
            ..generated(bench.keys.by_id(2).unwrap(), 1, 3, 3)
        },
    ];
    bench.store.put(owned);
    assert_eq!(accepted(bench.login(BOX, shown(1)).await).device().id.raw(), 1);
    assert_eq!(accepted(bench.login(BOX, shown(2)).await).device().id.raw(), 2);
    assert!(matches!(
        bench.login(BOX, shown(3)).await,
        Verdict::Unavailable(Cause::Store)
    ));
}

const IMPORTED: &str =
    "{SSHA512}YDXT6/wFOxFT3i/Y2POmExn8o3LP8Ermw5R1FHtInhlr15IXT1ECCxNAIeiL+uyxrJZtV9HqUQus0MoIfdCW2nnCZT8=";
const IMPORTED_PASSWORD: &str = "Tr0ub4dor&3";

#[tokio::test]
async fn an_imported_password_that_looks_like_a_typo_works_all_the_same() {
    const LIKE_A_TYPO: &str = "bcdfghjkmnpqrstv";
    assert!(matches!(PlainPassword::read(LIKE_A_TYPO.as_bytes()), Typed::Typo));
    let bench = Bench::with_devices(1);
    let hash = "{SSHA}iyWCJnGcU/Qva8N1MeRhu5wC7hcxMjM0NTY3OA==";
    bench
        .store
        .edit(BOX, |mailbox| mailbox.credentials.push(imported(9, hash)));
    assert_eq!(accepted(bench.login(BOX, LIKE_A_TYPO).await).device().id.raw(), 9);
}

/// Otherwise three typos would close the connection only where somebody brought a password of their own along.
#[tokio::test]
async fn a_typo_counts_nowhere_whether_or_not_the_mailbox_has_an_imported_password() {
    let bench = Bench::with_devices(1);
    bench
        .store
        .edit(BOX, |mailbox| mailbox.credentials.push(imported(9, IMPORTED)));
    const TYPO: &str = "bcdfghjkmnpqrstv";
    check_refused(bench.login(BOX, TYPO).await, Reason::WrongPassword, false);
    check_refused(
        bench.login("nobody@example.org", TYPO).await,
        Reason::UnknownMailbox,
        false,
    );
}

#[tokio::test]
async fn an_imported_password_works_byte_for_byte_and_its_hash_is_upgraded_behind_the_answer() {
    let bench = Bench::with_devices(1);
    bench
        .store
        .edit(BOX, |mailbox| mailbox.credentials.push(imported(9, IMPORTED)));
    check_refused(bench.login(BOX, "tr0ub4dor&3").await, Reason::WrongPassword, true);
    assert_eq!(accepted(bench.login(BOX, IMPORTED_PASSWORD).await).device().id.raw(), 9);
    bench.verifier.upgrades_written().await;
    let upgrades = bench.store.upgrades();
    let [(credential, Hash(hash), key_id)] = upgrades.as_slice() else {
        panic!("one upgrade, not {}", upgrades.len())
    };
    assert_eq!((credential.raw(), *key_id), (9, bench.keys.current().id));
    assert!(hash.starts_with("$argon2id$v=19$m=16,t=1,p=1$"));
    bench.verifier.forget_mailbox(MailboxId::from_raw(1));
    accepted(bench.login(BOX, IMPORTED_PASSWORD).await);
    bench.verifier.upgrades_written().await;
    assert_eq!(bench.store.upgrades().len(), 1, "the new hash is strong enough");
    accepted(bench.login(BOX, shown(1)).await);
}

#[tokio::test]
async fn weak_parameters_of_our_own_are_upgraded_with_the_key_that_made_the_tag() {
    let bench = Bench::with(|config| config.argon2_memory_kib = 64);
    let mut owned = mailbox(1, BOX);
    owned.credentials = vec![generated(bench.keys.by_id(1).unwrap(), 1, 1, 1)];
    bench.store.put(owned);
    accepted(bench.login(BOX, shown(1)).await);
    bench.verifier.upgrades_written().await;
    assert_eq!(bench.store.upgrades().first().map(|(_, _, key_id)| *key_id), Some(1));
    bench.verifier.forget_mailbox(MailboxId::from_raw(1));
    accepted(bench.login(BOX, shown(1)).await);
}

#[tokio::test]
async fn a_throttled_source_gets_no_hash_run_for_imported_passwords_but_proved_devices_get_in() {
    let bench = Bench::with_devices(1);
    bench
        .store
        .edit(BOX, |mailbox| mailbox.credentials.push(imported(9, IMPORTED)));
    let peer = Peer::new("192.0.2.7:1".parse().unwrap(), "192.0.2.1:993".parse().unwrap());
    let throttled = async |typed: &str| {
        let credentials = credentials(BOX, typed);
        let claim = bench.verifier.claim(&credentials);
        bench.verifier.verify(&claim, Protocol::Imap, &peer, false).await
    };
    check_refused(throttled(IMPORTED_PASSWORD).await, Reason::WrongPassword, true);
    assert_eq!((bench.runs(), bench.path(VerdictPath::Throttled)), (0, 1));
    accepted(throttled(&shown(1)).await);
    accepted(bench.login(BOX, IMPORTED_PASSWORD).await);
    let hits = bench.path(VerdictPath::Hit);
    accepted(throttled(IMPORTED_PASSWORD).await);
    assert_eq!(bench.path(VerdictPath::Hit), hits + 1);
}

#[tokio::test]
async fn a_hint_ends_with_where_help_is() {
    let bench = Bench::with(|config| config.help_url = Some("https://manager.example.org/d".into()));
    let mut owned = mailbox(1, BOX);
    owned.credentials = vec![generated(bench.keys.current(), 1, 1, 1)];
    bench.store.put(owned);
    bench.edit(1, |credential| credential.device.state = DeviceState::Paused(CREATED));
    let hint = refused(bench.login(BOX, shown(1)).await).hint.unwrap();
    assert_eq!(
        hint,
        "Device \"Device 1\" is paused since 2026-09-21. See https://manager.example.org/d"
    );
}

#[tokio::test]
async fn a_name_without_domain_is_completed_where_a_default_is_configured() {
    let bench = Bench::with(|config| config.default_domain = Some(DomainName::parse("example.org").unwrap()));
    let mut owned = mailbox(1, BOX);
    owned.credentials = vec![generated(bench.keys.current(), 1, 1, 1)];
    bench.store.put(owned);
    accepted(bench.login("Anna", shown(1)).await);
}

#[tokio::test]
async fn no_debug_output_of_a_verdict_holds_a_password_or_hash() {
    let bench = Bench::with_devices(1);
    let shown = shown(1);
    let verdicts = [
        bench.login(BOX, &shown).await,
        bench.login("nobody@example.org", &shown).await,
    ];
    for text in [
        format!("{verdicts:?}"),
        format!("{:?}", credentials(BOX, &shown)),
        format!("{:?}", bench.keys),
    ] {
        let plain: String = text.to_lowercase().chars().filter(char::is_ascii_lowercase).collect();
        assert!(
            !plain.contains(&shown.replace('-', "")) && !text.contains("$argon2id"),
            "{text}"
        );
    }
}
