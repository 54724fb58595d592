//! Tests of our own hashes.

use super::*;
use crate::keys::Keyring;

const SMALL: Params = Params {
    memory_kib: 64,
    passes: 1,
};

fn check(hash: &Hash, key: Option<&ServerKey>, password: &[u8]) -> Result<bool, BadHash> {
    matches(hash, key, password, &mut Memory::new(SMALL))
}

#[test]
fn a_hash_is_a_standard_phc_string_and_verifies() {
    let ring = Keyring::for_tests();
    let hash = hash(SMALL, ring.current(), b"secret");
    assert!(hash.0.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{}", hash.0);
    assert_eq!(check(&hash, Some(ring.current()), b"secret"), Ok(true));
    assert_eq!(check(&hash, Some(ring.current()), b"Secret"), Ok(false));
}

#[test]
fn a_hash_is_worthless_without_its_own_server_key() {
    let ring = Keyring::for_tests();
    let hash = hash(SMALL, ring.by_id(1).unwrap(), b"secret");
    assert_eq!(check(&hash, ring.by_id(2), b"secret"), Ok(false));
    assert_eq!(check(&hash, None, b"secret"), Err(BadHash::UnknownKey));
    let as_imported = Hash(format!("{{ARGON2}}{}", hash.0));
    assert_eq!(check(&as_imported, ring.by_id(1), b"secret"), Ok(false));
}

#[test]
fn dirty_memory_and_memory_of_another_size_give_the_same_result() {
    let ring = Keyring::for_tests();
    let larger = hash(
        Params {
            memory_kib: 256,
            passes: 2,
        },
        ring.current(),
        b"secret",
    );
    let small = hash(SMALL, ring.current(), b"secret");
    let mut memory = Memory::new(SMALL);
    for _ in 0..2 {
        assert_eq!(matches(&larger, Some(ring.current()), b"secret", &mut memory), Ok(true));
        assert_eq!(matches(&small, Some(ring.current()), b"secret", &mut memory), Ok(true));
        assert_eq!(matches(&small, Some(ring.current()), b"other", &mut memory), Ok(false));
    }
}

#[test]
fn weaker_parameters_and_foreign_formats_ask_for_an_upgrade() {
    let ring = Keyring::for_tests();
    let hash = hash(
        Params {
            memory_kib: 64,
            passes: 2,
        },
        ring.current(),
        b"secret",
    );
    assert!(!is_weaker(&hash, SMALL));
    assert!(!is_weaker(
        &hash,
        Params {
            memory_kib: 64,
            passes: 2
        }
    ));
    assert!(is_weaker(
        &hash,
        Params {
            memory_kib: 128,
            passes: 2
        }
    ));
    assert!(is_weaker(
        &hash,
        Params {
            memory_kib: 64,
            passes: 3
        }
    ));
    assert!(is_weaker(
        &Hash("$2y$05$D9f31vlL4Bp3a/he1GPcPO.baZ3IMeJ3/Pau4C1/0Aq.tdxbuPY4i".into()),
        SMALL
    ));
}

#[test]
fn parameters_below_the_least_are_raised() {
    let ring = Keyring::for_tests();
    let hash = hash(
        Params {
            memory_kib: 0,
            passes: 0,
        },
        ring.current(),
        b"secret",
    );
    assert!(hash.0.contains("$m=8,t=1,p=1$"), "{}", hash.0);
}
