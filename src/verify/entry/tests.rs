//! Model tests of the entry cache: random operations against a plain map.

use std::collections::HashMap as Model;

use proptest::prelude::*;

use super::*;

fn proof(device: i64, credential: i64) -> Proof {
    Proof {
        device: DeviceId::from_raw(device),
        credential: CredentialId::from_raw(credential),
    }
}

fn mailbox(raw: i64) -> MailboxId {
    MailboxId::from_raw(raw)
}

#[derive(Debug, Clone)]
enum Operation {
    Insert {
        mailbox: i64,
        password: u8,
        credential: i64,
    },
    Find {
        mailbox: i64,
        password: u8,
    },
    Forget {
        mailbox: i64,
        password: u8,
    },
    ForgetDevice(i64),
    ForgetMailbox(i64),
}

fn operation() -> impl Strategy<Value = Operation> {
    let (mailboxes, passwords) = (0..5_i64, 0..12_u8);
    prop_oneof![
        4 => (mailboxes.clone(), passwords.clone(), 0..1000_i64)
            .prop_map(|(mailbox, password, credential)| Operation::Insert { mailbox, password, credential }),
        4 => (mailboxes.clone(), passwords.clone()).prop_map(|(mailbox, password)| Operation::Find { mailbox, password }),
        1 => (mailboxes.clone(), passwords).prop_map(|(mailbox, password)| Operation::Forget { mailbox, password }),
        1 => (0..15_i64).prop_map(Operation::ForgetDevice),
        1 => mailboxes.prop_map(Operation::ForgetMailbox),
    ]
}

/// A device belongs to one mailbox; three devices each.
fn device_of(mailbox: i64, password: u8) -> i64 {
    mailbox * 3 + i64::from(password % 3)
}

/// Runs the operations on the cache and on a map. An entry may be missing from the cache only by eviction.
fn run(operations: &[Operation], bytes: usize, may_evict: bool) {
    let gauge = Gauge::default();
    let entries = Entries::new(bytes, gauge.clone());
    let mut model: Model<(i64, u8), Proof> = Model::new();
    let key = |raw, password: u8| entries.key(mailbox(raw), Kind::Generated, &[password]);
    for operation in operations.iter().cloned() {
        match operation {
            Operation::Insert {
                mailbox,
                password,
                credential,
            } => {
                let proof = proof(device_of(mailbox, password), credential);
                entries.insert(key(mailbox, password), proof);
                model.insert((mailbox, password), proof);
                assert_eq!(
                    entries.find(&key(mailbox, password)),
                    Some(proof),
                    "a fresh entry is always there"
                );
            }
            Operation::Find { mailbox, password } => {
                let found = entries.find(&key(mailbox, password));
                let expected = model.get(&(mailbox, password)).copied();
                assert!(
                    found == expected || (may_evict && found.is_none()),
                    "{found:?}, not {expected:?}"
                );
            }
            Operation::Forget { mailbox, password } => {
                entries.forget(&key(mailbox, password));
                model.remove(&(mailbox, password));
            }
            Operation::ForgetDevice(device) => {
                entries.forget_device(DeviceId::from_raw(device));
                model.retain(|_, proof| proof.device.raw() != device);
            }
            Operation::ForgetMailbox(raw) => {
                entries.forget_mailbox(mailbox(raw));
                model.retain(|(mailbox, _), _| *mailbox != raw);
            }
        }
        check_indexes(&entries, &gauge);
        if !may_evict {
            assert_eq!(gauge.get(), i64::try_from(model.len()).unwrap());
        }
    }
}

fn check_indexes(entries: &Entries, gauge: &Gauge) {
    let mut all = 0;
    for shard in &entries.shards {
        let shard = lock(shard);
        let filled = shard.slots.iter().flatten().count();
        assert_eq!(shard.by_key.len(), filled);
        assert_eq!(shard.by_device.values().map(Vec::len).sum::<usize>(), filled);
        assert_eq!(shard.free.len() + filled, shard.slots.len());
        assert!(shard.slots.len() <= entries.per_shard);
        all += filled;
    }
    assert_eq!(gauge.get(), i64::try_from(all).unwrap());
}

proptest! {
    #[test]
    fn with_room_for_all_it_is_a_map(operations in proptest::collection::vec(operation(), 1..200)) {
        run(&operations, 64 * SHARDS * ENTRY_BYTES, false);
    }

    #[test]
    fn when_full_it_forgets_but_never_errs_and_never_grows(operations in proptest::collection::vec(operation(), 1..200)) {
        run(&operations, 3 * SHARDS * ENTRY_BYTES, true);
    }

    #[test]
    fn mailboxes_kinds_and_passwords_never_share_a_key(
        a in (any::<i64>(), proptest::collection::vec(any::<u8>(), 0..40)),
        b in (any::<i64>(), proptest::collection::vec(any::<u8>(), 0..40)),
    ) {
        let entries = Entries::new(0, Gauge::default());
        let key = |(raw, password): &(i64, Vec<u8>), kind| entries.key(mailbox(*raw), kind, password);
        prop_assert_eq!(key(&a, Kind::Generated).is(&key(&b, Kind::Generated)), a == b);
        prop_assert!(!key(&a, Kind::Generated).is(&key(&a, Kind::Imported)));
        let other_mailbox = (a.0.wrapping_add(1), a.1.clone());
        prop_assert!(!key(&a, Kind::Generated).is(&key(&other_mailbox, Kind::Generated)));
    }
}

#[test]
fn the_key_is_random_per_process() {
    let (one, two) = (Entries::new(0, Gauge::default()), Entries::new(0, Gauge::default()));
    assert!(
        !one.key(mailbox(1), Kind::Generated, b"x")
            .is(&two.key(mailbox(1), Kind::Generated, b"x"))
    );
}

#[test]
fn what_is_used_outlives_what_is_not() {
    let entries = Entries::new(2 * SHARDS * ENTRY_BYTES, Gauge::default());
    let key = |password: u8| entries.key(mailbox(0), Kind::Generated, &[password]);
    entries.insert(key(1), proof(1, 1));
    entries.insert(key(2), proof(2, 2));
    // Full: the hand passes both once, and takes the first.
    entries.insert(key(3), proof(3, 3));
    assert_eq!(entries.find(&key(1)), None);
    for newer in 4..50 {
        assert!(entries.find(&key(3)).is_some(), "used again and again, so kept");
        entries.insert(key(newer), proof(9, 9));
    }
}

#[test]
fn a_forgotten_entry_leaves_nothing_in_any_index() {
    let entries = Entries::new(0, Gauge::default());
    let key = || entries.key(mailbox(1), Kind::Generated, b"secret");
    entries.insert(key(), proof(1, 1));
    entries.forget(&key());
    assert_eq!(entries.find(&key()), None);
    let shard = entries.shard(mailbox(1));
    assert!(shard.slots.iter().all(Option::is_none) && shard.by_key.is_empty() && shard.by_device.is_empty());
}
