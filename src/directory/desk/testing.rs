//! A desk for tests of what stands on it: hashes are cheap, and everything lies in a temporary folder.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{Desk, Parts, Settings};
use crate::clock::Clock;
use crate::directory::Directory;
use crate::directory::letter::Post;
use crate::identity::{Passwords, password};
use crate::keys::Keyring;
use crate::metrics::Metrics;
use crate::model::password::{PlainPassword, Typed};
use crate::model::{DeviceId, Mailbox};
use crate::peer::NetworkPrefixes;
use crate::revoke::{Registry, Tail};
use crate::store::sqlite::{Config, SqliteStore};
use crate::store::{Resolved, Store};
use crate::throttle::SignInThrottle;
use crate::verify;
use crate::verify::hash::Params;

pub(crate) use crate::throttle::SignInConfig;

const CHEAP: Params = Params {
    memory_kib: 8,
    passes: 1,
};
/// How often the change log is looked at where a wake-up was lost.
const POLL: Duration = Duration::from_millis(20);

/// A desk, and what stands beside it.
pub(crate) struct Made {
    pub(crate) desk: Desk,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) tail: Arc<Tail>,
    pub(crate) metrics: Arc<Metrics>,
}

/// A desk over a new store in this folder.
pub(crate) fn desk(place: &Path, clock: &Clock, post: Arc<dyn Post>, throttle: SignInConfig) -> Made {
    let store = SqliteStore::create(&Config::at(place.join("postern.db")), clock.clone()).unwrap();
    let keys = Arc::new(Keyring::for_tests());
    let metrics = Arc::new(Metrics::default());
    let registry = Registry::new(Arc::clone(&metrics));
    let changes = Arc::clone(&store) as Arc<_>;
    let forget = Box::new(|_: &_| ());
    let tail = Tail::new(changes, Arc::clone(&registry), forget, POLL, Arc::clone(&metrics));
    let store: Arc<dyn Store> = store;
    let directory = Directory::new(Arc::clone(&store), Arc::clone(&keys), clock.clone(), CHEAP);
    let parts = Parts {
        passwords: Passwords::start(password::Config::of(CHEAP), keys, &metrics),
        throttle: SignInThrottle::new(throttle),
        registry: Arc::clone(&registry),
        unwritten: Box::new(|_| None),
        post,
        settings: Settings {
            issuer: "manager.example.org".to_owned(),
            network: NetworkPrefixes::default(),
        },
    };
    Made {
        desk: Desk::new(directory, parts),
        store,
        registry,
        tail,
        metrics,
    }
}

/// Whether a device of a mailbox signs in with this password now, as far as its tag tells.
pub(crate) async fn is_password(store: &dyn Store, mailbox: &Mailbox, device: DeviceId, typed: &str) -> bool {
    let Typed::Generated(password) = PlainPassword::read(typed.as_bytes()) else {
        return false;
    };
    let Resolved::Mailbox(found) = store.resolve_login(&mailbox.address).await.unwrap() else {
        return false;
    };
    let keys = Keyring::for_tests();
    let tag = verify::tag(keys.current(), mailbox.id, password.canonical());
    let mut in_use = found.credentials.iter().filter(|one| one.retired_at.is_none());
    in_use.any(|one| one.device.id == device && one.tag == Some(tag))
}
