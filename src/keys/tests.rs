//! Tests of the keyring file, the derived keys and sealing.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use super::*;

const KEY_LINE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn write(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_created_ring_is_private_and_reads_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let created = Keyring::create(&path).unwrap();
    assert_eq!(mode(&path), 0o600);
    let loaded = Keyring::load(&path).unwrap();
    assert_eq!(created.fingerprints(), loaded.fingerprints());
    assert_eq!(created.current().pepper.expose(), loaded.current().pepper.expose());
}

#[test]
fn a_ring_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let before = Keyring::create(&path).unwrap().fingerprints();
    assert!(matches!(Keyring::create(&path), Err(Error::Exists(_))));
    assert_eq!(Keyring::load(&path).unwrap().fingerprints(), before);
}

#[test]
fn rotation_keeps_old_keys_and_uses_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let old = Keyring::create(&path).unwrap();
    let sealed = old.seal(b"mbx-1", b"upstream").unwrap();
    let new = Keyring::rotate(&path).unwrap();
    assert_eq!((old.current().id, new.current().id), (1, 2));
    assert_eq!(new.fingerprints().first(), old.fingerprints().first());
    assert_eq!(new.unseal(b"mbx-1", &sealed).unwrap().expose(), b"upstream");
    assert_eq!(Keyring::load(&path).unwrap().fingerprints(), new.fingerprints());
    assert_eq!(mode(&path), 0o600);
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "the copy took the file's place"
    );
}

#[test]
fn rotation_keeps_owner_group_and_mode() {
    const NOBODY: u32 = 65_534;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    Keyring::create(&path).unwrap();
    // Only root can give a file away; whoever else runs this sees the mode kept.
    let is_root = fs::metadata(&path).unwrap().uid() == 0;
    if is_root {
        chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    let facts = || {
        let facts = fs::metadata(&path).unwrap();
        (facts.uid(), facts.gid(), facts.mode())
    };
    let before = facts();
    Keyring::rotate(&path).unwrap();
    assert_eq!(facts(), before);
    assert!(!is_root || (before.0, before.1) == (NOBODY, NOBODY));
}

#[test]
fn an_interrupted_rotation_is_named_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let before = Keyring::create(&path).unwrap().fingerprints();
    write(&folder.path().join("key.new"), "", 0o600);
    let error = Keyring::rotate(&path).unwrap_err().to_string();
    assert!(error.contains("key.new exists"), "{error}");
    assert_eq!(Keyring::load(&path).unwrap().fingerprints(), before);
}

#[test]
fn a_file_that_others_can_read_is_refused_with_the_command_that_helps() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    for mode in [0o644, 0o640, 0o604, 0o620, 0o602] {
        write(&path, &format!("postern-key 1\n1 {KEY_LINE}\n"), mode);
        let error = Keyring::load(&path).unwrap_err().to_string();
        assert!(error.contains(&format!("chmod 600 {}", path.display())), "{error}");
    }
    write(&path, &format!("postern-key 1\n1 {KEY_LINE}\n"), 0o400);
    assert_eq!(Keyring::load(&path).unwrap().current().id, 1);
}

#[test]
fn what_is_not_a_ring_is_told_by_line_and_never_quoted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let cases = [
        (String::new(), "line 1"),
        ("postern-key 2\n".into(), "line 1: the file has a form"),
        ("postern-key 1\n".into(), "line 2: there is no key"),
        (format!("postern-key 1\n1{KEY_LINE}\n"), "line 2: a key line"),
        (
            format!("postern-key 1\nx {KEY_LINE}\n"),
            "line 2: the key's number is not",
        ),
        (
            format!("postern-key 1\n1 {KEY_LINE}\n1 {KEY_LINE}\n"),
            "line 3: the key's number occurs twice",
        ),
        ("postern-key 1\n1 QUJD\n".into(), "line 2: the key is not base64"),
        (
            format!("postern-key 1\n1 {KEY_LINE}{KEY_LINE}\n"),
            "line 2: the key is not base64",
        ),
        ("x".repeat(70_000), "longer than 64 KiB"),
    ];
    for (text, expected) in cases {
        write(&path, &text, 0o600);
        let error = Keyring::load(&path).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("key"), "{error}");
        assert!(!error.contains("AAECAw"), "{error}");
    }
    fs::remove_file(&path).unwrap();
    assert!(matches!(Keyring::load(&path), Err(Error::Missing(_))));
}

#[test]
fn sealed_secrets_open_only_in_their_context_and_unchanged() {
    let ring = Keyring::for_tests();
    let sealed = ring.seal(b"mbx-1", b"s3cret").unwrap();
    assert_eq!(ring.unseal(b"mbx-1", &sealed).unwrap().expose(), b"s3cret");
    assert!(ring.unseal(b"mbx-2", &sealed).is_err());
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        *changed.get_mut(at).unwrap() ^= 1;
        assert!(ring.unseal(b"mbx-1", &changed).is_err(), "octet {at}");
        assert!(ring.unseal(b"mbx-1", sealed.get(..at).unwrap()).is_err(), "cut at {at}");
    }
    assert_ne!(sealed, ring.seal(b"mbx-1", b"s3cret").unwrap(), "nonces are random");
}

#[test]
fn no_two_sub_keys_are_alike_and_debug_shows_none() {
    let ring = Keyring::for_tests();
    let mut all: Vec<[u8; 32]> = Vec::new();
    for key in [1, 2].map(|id| ring.by_id(id).unwrap()) {
        all.extend([
            *key.tag.expose(),
            *key.pepper.expose(),
            *key.token.expose(),
            *key.sealing.expose(),
        ]);
    }
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 8);
    assert!(format!("{ring:?}").contains("pepper: [secret]"));
}
