//! The desk over a real store: an organisation with somebody in every role, and another organisation beside it.

mod devices;
mod guessing;
mod isolation;
mod links;
mod mails;
mod matrix;
mod people;
mod races;
mod reach;
mod secrets;
mod setting_up;
mod sign_in;

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;

use super::super::letter::NotPosted;
use super::super::{DeviceSpec, rights::Operation};
use super::*;
use crate::clock::Clock;
use crate::identity::password;
use crate::keys::Keyring;
use crate::metrics::Metrics;
use crate::model::{Device, Grant, Mailbox, MailboxId, Org, Right, Rights, Role};
use crate::store::sqlite::{Config, SqliteStore};
use crate::store::{AuditFilter, FirstOrg, GrantTerms, NewUser, Proof};
use crate::throttle::SignInConfig;
use crate::verify::hash::Params;

const START: Timestamp = Timestamp(1_795_000_000_000);
const CHEAP: Params = Params {
    memory_kib: 8,
    passes: 1,
};
const PASSWORD: &str = "vast otter plume";

/// Letters, in the order in which they were put.
#[derive(Default)]
struct Letters {
    put: Mutex<Vec<(Recipient, Letter)>>,
    closed: bool,
    /// The outbox takes none.
    full: std::sync::atomic::AtomicBool,
}

#[async_trait]
impl Post for Letters {
    fn is_open(&self) -> bool {
        !self.closed
    }

    async fn put(&self, to: &Recipient, _: Option<OrgId>, letter: Letter) -> Result<(), NotPosted> {
        if self.full.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(NotPosted("it is full".to_owned()));
        }
        self.put.lock().unwrap().push((to.clone(), letter));
        Ok(())
    }
}

impl Letters {
    fn take(&self) -> Vec<(Recipient, Letter)> {
        std::mem::take(&mut self.put.lock().unwrap())
    }

    fn count(&self) -> usize {
        self.put.lock().unwrap().len()
    }
}

struct World {
    desk: Desk,
    clock: Clock,
    store: Arc<SqliteStore>,
    keys: Arc<Keyring>,
    registry: Arc<Registry>,
    /// Uses of devices that the store does not know of yet.
    unwritten: Arc<Mutex<HashMap<DeviceId, Timestamp>>>,
    letters: Arc<Letters>,
    machine: Actor,
    acme: Org,
    sophie: User,
    place: tempfile::TempDir,
}

fn visitor() -> Visitor {
    Visitor::new("192.0.2.1".parse().unwrap(), "Firefox")
}

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

fn right(right: Right) -> Rights {
    Rights::NONE.with(right)
}

fn terms(rights: Rights) -> GrantTerms {
    GrantTerms { rights, ends_at: None }
}

fn told<T: std::fmt::Debug>(outcome: Result<T, Error>) -> String {
    outcome.unwrap_err().to_string()
}

fn key<T: std::fmt::Debug>(outcome: Result<T, Error>) -> &'static str {
    outcome.unwrap_err().key()
}

/// The link of the invitation, or to another password, that was put last.
fn link_of(letters: &Letters) -> String {
    match letters.take().pop() {
        Some((_, Letter::Invitation { link, .. })) => link.shown().expose().clone(),
        Some((_, Letter::PasswordReset { link, .. })) => link.shown().expose().clone(),
        other => panic!("{other:?}"),
    }
}

/// Sophie owns Acme, which has `example.org` and the mailbox `contact@`.
async fn world() -> World {
    world_with(SignInConfig {
        base_delay: Duration::from_millis(1),
        ..SignInConfig::default()
    })
    .await
}

async fn world_with(throttle: SignInConfig) -> World {
    let place = tempfile::tempdir().unwrap();
    let clock = Clock::manual(START);
    let store = SqliteStore::create(&Config::at(place.path().join("postern.db")), clock.clone()).unwrap();
    let keys = Arc::new(Keyring::for_tests());
    let metrics = Arc::new(Metrics::default());
    let registry = Registry::new(Arc::clone(&metrics));
    let letters = Arc::new(Letters::default());
    let directory = Directory::new(
        Arc::clone(&store) as Arc<dyn Store>,
        Arc::clone(&keys),
        clock.clone(),
        CHEAP,
    );
    let unwritten = Arc::new(Mutex::new(HashMap::new()));
    let uses = Arc::clone(&unwritten);
    let parts = Parts {
        passwords: Passwords::start(password::Config::of(CHEAP), Arc::clone(&keys), &metrics),
        throttle: SignInThrottle::new(throttle),
        registry: Arc::clone(&registry),
        unwritten: Box::new(move |device| uses.lock().unwrap().get(&device).copied()),
        post: Arc::clone(&letters) as Arc<dyn Post>,
        settings: Settings {
            issuer: "manager.example.org".to_owned(),
            network: NetworkPrefixes::default(),
        },
    };
    let desk = Desk::new(directory, parts);
    let machine = Actor::cli("root");
    let sophie = new_user(&desk, "sophie@private.example", "Sophie").await;
    let first = FirstOrg::New("Acme".to_owned());
    let (sophie, acme) = desk
        .directory
        .create_first_owner(&machine, &first, &sophie)
        .await
        .unwrap();
    desk.directory
        .create_domain(&machine, &acme, "example.org")
        .await
        .unwrap();
    desk.directory
        .create_mailbox(&machine, "contact@example.org")
        .await
        .unwrap();
    World {
        desk,
        clock,
        store,
        keys,
        registry,
        unwritten,
        letters,
        machine,
        acme,
        sophie,
        place,
    }
}

async fn new_user(desk: &Desk, address: &str, name: &str) -> NewUser {
    desk.directory
        .new_user(address, name, Language::English, Some(PASSWORD))
        .await
        .unwrap()
}

impl World {
    fn directory(&self) -> &Directory {
        &self.desk.directory
    }

    /// A user who is a member of Acme, named after the part before the @.
    async fn member(&self, local: &str, role: Role) -> User {
        let new = new_user(&self.desk, &format!("{local}@private.example"), local).await;
        let user = self.directory().create_user(&self.machine, &new).await.unwrap();
        self.directory()
            .add_member(&self.machine, self.acme.id, user.id, role)
            .await
            .unwrap();
        user
    }

    async fn mailbox(&self, local: &str) -> Mailbox {
        let address = format!("{local}@example.org");
        match self.directory().find_mailbox(&address).await {
            Ok(mailbox) => mailbox,
            Err(_) => self.directory().create_mailbox(&self.machine, &address).await.unwrap(),
        }
    }

    async fn grant(&self, mailbox: &Mailbox, user: &User, rights: Rights) -> Grant {
        self.directory()
            .give_grant(&self.machine, self.acme.id, mailbox.id, user.id, &terms(rights))
            .await
            .unwrap()
    }

    /// A device of a mailbox, as the machine adds it.
    async fn device(&self, mailbox: &Mailbox, label: &str, user: Option<UserId>) -> Device {
        let spec = DeviceSpec {
            label: label.to_owned(),
            user,
            ..DeviceSpec::default()
        };
        self.directory()
            .add_device(&self.machine, mailbox.address.as_str(), spec)
            .await
            .unwrap()
            .0
    }

    /// Somebody in a session of their own, fresh from a sign-in.
    async fn signed_in(&self, user: &User) -> SignedIn {
        let ends = self.directory().lifetimes.session_ends(self.desk.now());
        let opened = self
            .desk
            .open_as(&visitor(), user, (Proof::Password, ends), None)
            .await
            .unwrap();
        self.visit(&opened).await
    }

    async fn visit(&self, opened: &Opened) -> SignedIn {
        match self
            .desk
            .visit(&visitor(), Some(opened.session.shown().expose()))
            .await
            .unwrap()
        {
            Visit::SignedIn(signed_in) => *signed_in,
            other => panic!("{other:?}"),
        }
    }

    async fn acting(&self, user: &User) -> Acting {
        let signed_in = self.signed_in(user).await;
        self.desk.acting(&signed_in, self.acme.id).await.unwrap()
    }

    /// A second organisation, with an owner of its own, `other.example`, a mailbox, an alias and a device.
    async fn other_org(&self) -> (Org, User, Mailbox, Device) {
        let directory = self.directory();
        let otto = new_user(&self.desk, "otto@private.example", "Otto").await;
        let first = FirstOrg::New("Other".to_owned());
        let (otto, other) = directory
            .create_first_owner(&self.machine, &first, &otto)
            .await
            .unwrap();
        directory
            .create_domain(&self.machine, &other, "other.example")
            .await
            .unwrap();
        let mailbox = directory
            .create_mailbox(&self.machine, "info@other.example")
            .await
            .unwrap();
        directory
            .create_alias(&self.machine, "hello@other.example", "info@other.example")
            .await
            .unwrap();
        let device = self.device(&mailbox, "CRM", None).await;
        (other, otto, mailbox, device)
    }

    /// The number of the newest audit row.
    async fn last_row(&self) -> i64 {
        let filter = AuditFilter {
            limit: 1,
            ..AuditFilter::default()
        };
        self.directory()
            .audit(&filter)
            .await
            .unwrap()
            .first()
            .map_or(0, |row| row.number)
    }

    /// Who did what since a row, oldest first.
    async fn rows_since(&self, number: i64) -> Vec<(String, String)> {
        let filter = AuditFilter {
            limit: 1000,
            ..AuditFilter::default()
        };
        let rows = self.directory().audit(&filter).await.unwrap();
        let new = rows.into_iter().filter(|row| row.number > number).rev();
        new.map(|row| (row.actor.who, row.action)).collect()
    }
}
