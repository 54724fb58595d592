//! The control plane over a real store.

use super::*;
use crate::clock::Timestamp;
use crate::model::password::{PlainPassword, Typed};
use crate::model::{Address, Device, DeviceId, DeviceState, Networks, Scopes};
use crate::secret::Secret;
use crate::store::sqlite::{Config, SqliteStore};
use crate::store::{
    Actor, CredentialStore, DeviceEdit, DeviceFilter, Hash, ImportRow, LoginMailbox, NewCredential, Resolved,
};
use crate::verify;

const START: Timestamp = Timestamp(1_795_000_000_000);
const CHEAP: Params = Params {
    memory_kib: 8,
    passes: 1,
};

struct Bench {
    directory: Directory,
    store: Arc<SqliteStore>,
    keys: Arc<Keyring>,
    actor: Actor,
    _place: tempfile::TempDir,
}

/// An organisation `Acme` with `example.org`, a mailbox `contact@`, and `hello@` as its alias.
async fn bench() -> Bench {
    let place = tempfile::tempdir().unwrap();
    let clock = Clock::manual(START);
    let store = SqliteStore::create(&Config::at(place.path().join("postern.db")), clock.clone()).unwrap();
    let keys = Arc::new(Keyring::for_tests());
    let directory = Directory::new(Arc::clone(&store) as Arc<dyn Store>, Arc::clone(&keys), clock, CHEAP);
    let actor = Actor::cli("root");
    let acme = directory.create_org(&actor, "Acme").await.unwrap();
    directory.create_domain(&actor, &acme, "Example.ORG").await.unwrap();
    directory.create_mailbox(&actor, "contact@example.org").await.unwrap();
    directory
        .create_alias(&actor, "hello@example.org", "contact@example.org")
        .await
        .unwrap();
    Bench {
        directory,
        store,
        keys,
        actor,
        _place: place,
    }
}

impl Bench {
    async fn add(&self, label: &str) -> (Device, PlainPassword) {
        let spec = DeviceSpec {
            label: label.into(),
            ..DeviceSpec::default()
        };
        self.directory
            .add_device(&self.actor, "contact@example.org", spec)
            .await
            .unwrap()
    }

    async fn login(&self) -> LoginMailbox {
        match self
            .store
            .resolve_login(&Address::parse("contact@example.org").unwrap())
            .await
            .unwrap()
        {
            Resolved::Mailbox(mailbox) => mailbox,
            other => panic!("{other:?}"),
        }
    }
}

fn told<T: std::fmt::Debug>(outcome: Result<T, Error>) -> String {
    outcome.unwrap_err().to_string()
}

#[tokio::test]
async fn a_new_device_has_a_password_whose_tag_and_hash_are_stored() {
    let bench = bench().await;
    let (device, password) = bench.add("iPhone").await;
    assert_eq!(
        (device.scopes, device.networks.clone(), device.imported),
        (Scopes::ALL, Networks::default(), false)
    );
    assert!(matches!(
        PlainPassword::read(password.shown().expose().as_bytes()),
        Typed::Generated(_)
    ));
    let login = bench.login().await;
    let stored = &login.credentials[0];
    let key = bench.keys.current();
    assert_eq!(stored.tag, Some(verify::tag(key, login.id, password.canonical())));
    assert_eq!(stored.key_id, key.id);
    assert!(stored.hash.0.starts_with("$argon2id$"));
}

#[tokio::test]
async fn a_replaced_password_is_another_one_and_the_old_one_is_retired() {
    let bench = bench().await;
    let (device, first) = bench.add("iPhone").await;
    let (seq, second) = bench.directory.replace_device(&bench.actor, &device).await.unwrap();
    assert_eq!(seq.0, 1);
    assert_ne!(first.canonical(), second.canonical());
    let login = bench.login().await;
    let tag = |password: &PlainPassword| Some(verify::tag(bench.keys.current(), login.id, password.canonical()));
    assert_eq!(
        (login.credentials[0].tag, login.credentials[1].tag),
        (tag(&second), tag(&first))
    );
    assert_eq!(login.credentials[1].retired_at, Some(START));
}

#[tokio::test]
async fn an_alias_is_told_with_its_mailbox() {
    let bench = bench().await;
    let directory = &bench.directory;
    let text = "hello@example.org is an alias of contact@example.org; devices belong to the mailbox: use \
                contact@example.org";
    assert_eq!(told(directory.find_mailbox(" HELLO@example.org").await), text);
    let spec = DeviceSpec {
        label: "x".into(),
        ..DeviceSpec::default()
    };
    assert_eq!(
        told(directory.add_device(&bench.actor, "hello@example.org", spec).await),
        text
    );
    assert_eq!(
        told(
            directory
                .create_alias(&bench.actor, "a@example.org", "hello@example.org")
                .await
        ),
        text
    );
    let text = told(directory.delete_alias(&bench.actor, "contact@example.org").await);
    assert_eq!(text, "contact@example.org is a mailbox, not an alias");
    assert_eq!(
        told(directory.delete_alias(&bench.actor, "x@example.org").await),
        "there is no alias x@example.org"
    );
    directory.delete_alias(&bench.actor, "hello@example.org").await.unwrap();
}

#[tokio::test]
async fn near_misses_are_named() {
    let bench = bench().await;
    let directory = &bench.directory;
    bench.add("iPhone").await;
    let cases = [
        (
            told(directory.find_mailbox("contcat@example.org").await),
            "there is no mailbox contcat@example.org; did you mean contact@example.org?",
        ),
        (
            told(directory.find_mailbox("zzz@example.org").await),
            "there is no mailbox zzz@example.org",
        ),
        (
            told(directory.create_mailbox(&bench.actor, "anna@exmaple.org").await),
            "the mail domain exmaple.org is not known here; add it to an organisation first; did you mean example.org?",
        ),
        (
            told(directory.find_org("Acmee").await),
            "there is no organisation \"Acmee\"; did you mean \"Acme\"?",
        ),
        (
            told(directory.find_device("contact@example.org/iPhon").await),
            "there is no device \"contact@example.org/iPhon\"; did you mean \"contact@example.org/iPhone\"?",
        ),
        (
            told(directory.find_mailbox("contact").await),
            "\"contact\" is not a mail address: an address looks like name@example.org",
        ),
    ];
    for (told, expected) in cases {
        assert_eq!(told, expected);
    }
}

#[tokio::test]
async fn organisations_are_found_by_name_and_id() {
    let bench = bench().await;
    let acme = bench.directory.find_org(" acme ").await.unwrap();
    assert_eq!(bench.directory.find_org(&acme.id.to_string()).await.unwrap(), acme);
    assert_eq!(bench.directory.orgs().await.unwrap().len(), 1);
    let text = told(bench.directory.create_domain(&bench.actor, &acme, "no domain").await);
    assert!(
        text.starts_with("\"no domain\" is not a mail domain such as example.org"),
        "{text}"
    );
    assert!(told(bench.directory.delete_org(&bench.actor, &acme).await).contains("still has 1 mail domain"));
    assert!(told(bench.directory.delete_domain(&bench.actor, "example.org").await).contains("still has 1 mailbox"));
}

#[tokio::test]
async fn devices_are_found_by_id_and_by_address_and_label() {
    let bench = bench().await;
    let directory = &bench.directory;
    directory.create_mailbox(&bench.actor, "a/b@example.org").await.unwrap();
    let spec = DeviceSpec {
        label: "x/y".into(),
        ..DeviceSpec::default()
    };
    let (odd, _) = directory
        .add_device(&bench.actor, "a/b@example.org", spec)
        .await
        .unwrap();
    assert_eq!(directory.find_device("a/b@example.org/x/y").await.unwrap(), odd);
    assert_eq!(directory.find_device(&format!(" {} ", odd.id)).await.unwrap(), odd);

    let (first, _) = bench.add("iPhone").await;
    directory.revoke_device(&bench.actor, &first).await.unwrap();
    let found = directory.find_device("Contact@example.org/iphone").await.unwrap();
    assert_eq!((found.id, found.state), (first.id, DeviceState::Revoked(START)));
    let (second, _) = bench.add("iPhone").await;
    assert_eq!(
        directory.find_device("contact@example.org/iPhone").await.unwrap().id,
        second.id
    );
    directory.revoke_device(&bench.actor, &second).await.unwrap();
    let text = told(directory.find_device("contact@example.org/iPhone").await);
    assert_eq!(
        text,
        "\"contact@example.org/iPhone\" names 2 revoked devices; name one by its id"
    );

    for given in ["iPhone", "contact@example.org", "dev-x", ""] {
        assert!(
            told(directory.find_device(given).await).contains("write its id (dev-...) or address/label"),
            "{given}"
        );
    }
    let gone = DeviceId::from_raw(1).to_string();
    assert_eq!(
        told(directory.find_device(&gone).await),
        format!("there is no device {gone:?}")
    );
}

#[tokio::test]
async fn devices_are_edited_paused_and_all_revoked() {
    let bench = bench().await;
    let directory = &bench.directory;
    let (phone, _) = bench.add("iPhone").await;
    let (laptop, _) = bench.add("Laptop").await;
    let edit = DeviceEdit {
        scopes: "imap".parse().ok(),
        ..DeviceEdit::default()
    };
    assert_eq!(directory.edit_device(&bench.actor, &phone, edit).await.unwrap().0, 1);
    assert_eq!(directory.pause_device(&bench.actor, &phone).await.unwrap().0, 2);
    assert_eq!(directory.resume_device(&bench.actor, &phone).await.unwrap().0, 2);
    let (seq, revoked) = directory.revoke_all(&bench.actor, "contact@example.org").await.unwrap();
    assert_eq!((seq.0, revoked.len(), revoked[1].id), (4, 2, laptop.id));
    let (again, none) = directory.revoke_all(&bench.actor, "contact@example.org").await.unwrap();
    assert_eq!((again.0, none.len()), (4, 0));
    assert_eq!(directory.devices(&DeviceFilter::default()).await.unwrap(), []);
    assert!(told(directory.replace_device(&bench.actor, &phone).await).contains("was revoked, which is for good"));
}

#[tokio::test]
async fn an_address_is_explained() {
    let bench = bench().await;
    let directory = &bench.directory;
    let explained = async |address: &str| directory.explain_address(address).await.unwrap().to_string();
    let text = explained("contact@example.org").await;
    assert_eq!(
        text,
        "contact@example.org is a mailbox without an active device: nobody can log in; add a device"
    );
    bench.add("iPhone").await;
    assert_eq!(
        explained("contact@example.org").await,
        "contact@example.org is a mailbox with 1 active device"
    );
    let text = "hello@example.org is an alias of contact@example.org and cannot log in; sign in as contact@example.org";
    assert_eq!(explained("hello@example.org").await, text);
    let text = "kontact@example.org is neither a mailbox nor an alias; did you mean contact@example.org?";
    assert_eq!(explained("kontact@example.org").await, text);
    assert_eq!(
        explained("a@b.example").await,
        "the mail domain b.example is not known here"
    );
    directory
        .suspend_mailbox(&bench.actor, "contact@example.org")
        .await
        .unwrap();
    let text = "contact@example.org is suspended and refuses every login; resume it";
    assert_eq!(explained("contact@example.org").await, text);
    directory
        .resume_mailbox(&bench.actor, "contact@example.org")
        .await
        .unwrap();
    directory
        .delete_mailbox(&bench.actor, "contact@example.org")
        .await
        .unwrap();
    assert_eq!(
        explained("contact@example.org").await,
        "contact@example.org is neither a mailbox nor an alias"
    );
}

#[tokio::test]
async fn an_upstream_secret_is_sealed_for_its_mailbox_only() {
    let bench = bench().await;
    let secret = || Some(Secret::new(b"upstream-password".to_vec()));
    bench
        .directory
        .set_upstream_secret(&bench.actor, "contact@example.org", secret())
        .await
        .unwrap();
    let login = bench.login().await;
    let sealed = login.upstream_secret.unwrap();
    assert!(!sealed.windows(8).any(|part| part == b"upstream"));
    let opened = bench.keys.unseal(&login.id.raw().to_be_bytes(), &sealed).unwrap();
    assert_eq!(opened.expose(), b"upstream-password");
    assert!(bench.keys.unseal(&1_i64.to_be_bytes(), &sealed).is_err());
    bench
        .directory
        .set_upstream_secret(&bench.actor, "contact@example.org", None)
        .await
        .unwrap();
    assert_eq!(bench.login().await.upstream_secret, None);
}

#[tokio::test]
async fn an_import_names_every_bad_row_and_writes_nothing_or_all() {
    let bench = bench().await;
    let directory = &bench.directory;
    let bcrypt = "$2b$04$abcdefghijklmnopqrstuuhnOJ4m8rvBQpWhZmWcZqzdN1Yd0jB5i";
    let row = |address: &str, label: &str, hash: &str| ImportRow {
        address: Address::parse(address).unwrap(),
        label: label.into(),
        expires_at: None,
        credential: NewCredential {
            tag: None,
            key_id: 1,
            hash: Hash(hash.into()),
        },
    };
    let good = [
        row("contact@example.org", "old", bcrypt),
        row("bob@example.org", "old", bcrypt),
    ];
    let mut rows = good.to_vec();
    rows.push(row("bob@example.org", "OLD", bcrypt));
    rows.push(row("hello@example.org", "old", bcrypt));
    rows.push(row("x@b.example", "old", bcrypt));
    rows.push(row("carl@example.org", "", bcrypt));
    rows.push(row("dora@example.org", "old", "not a hash"));
    let Err(Error::Import(refused)) = directory.import(&bench.actor, rows).await else {
        panic!("it was imported")
    };
    let places: Vec<_> = refused.iter().map(|row| row.index).collect();
    assert_eq!(places, [2, 3, 4, 5, 6]);
    assert!(
        refused[0]
            .to_string()
            .starts_with("row 3 (bob@example.org): the mailbox has a device named")
    );
    assert!(refused[1].reason.contains("import contact@example.org instead"));
    assert_eq!(directory.devices(&DeviceFilter::default()).await.unwrap(), []);

    assert_eq!(directory.import(&bench.actor, good.to_vec()).await.unwrap(), 2);
    assert_eq!(directory.devices(&DeviceFilter::default()).await.unwrap().len(), 2);
    let again = directory.check_import(&good).await.unwrap();
    assert_eq!(again.iter().map(|row| row.index).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(directory.mailboxes(None, None).await.unwrap().len(), 2);
}

#[tokio::test]
async fn no_audit_row_and_no_error_holds_a_password() {
    let bench = bench().await;
    let (device, first) = bench.add("iPhone").await;
    let (_, second) = bench.directory.replace_device(&bench.actor, &device).await.unwrap();
    let rows = bench
        .directory
        .audit(&AuditFilter {
            limit: 100,
            ..AuditFilter::default()
        })
        .await
        .unwrap();
    assert!(rows.len() > 5);
    let everything = format!("{rows:?} {device:?} {:?} {:?}", bench.login().await, bench.directory);
    for password in [first, second] {
        let shown = password.shown();
        assert!(!everything.contains(shown.expose().as_str()));
        assert!(!everything.contains(std::str::from_utf8(password.canonical()).unwrap()));
    }
}
