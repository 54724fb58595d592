//! The Manager's part of the daemon: from `[manager]` to pages that are served, and what is done about people meanwhile.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;

use super::{Server, set_up};
use crate::admin;
use crate::admin::api::{self, Api};
use crate::admin::discovery;
use crate::admin::manager::{self, Bound, Place};
use crate::admin::pages::{self, Pages};
use crate::admin::records::{self, Records};
use crate::directory::Directory;
use crate::directory::desk::{self, Desk, Settings};
use crate::directory::letter::Post;
use crate::identity::{Passwords, password};
use crate::listen::{Listener, TlsMode};
use crate::model::Origin;
use crate::outbox::Notices;
use crate::peer::Protocol;
use crate::store::{NoticeStore, Store, Tidied};
use crate::throttle::{SignInConfig, SignInThrottle};
use crate::tls::{Acceptor, OwnConnector, Signer};
use crate::trial;

/// What the Manager speaks, under TLS (RFC 7301 §6).
const ALPN: &[u8] = b"http/1.1";
/// How often accesses whose date has come are withdrawn.
const TIDY_INTERVAL: Duration = Duration::from_secs(30);
/// The pause between rounds where one was not enough: other writers wait for each.
const TIDY_PAUSE: Duration = Duration::from_millis(100);

/// The Manager, bound and ready to be served.
pub(super) struct Manager {
    config: manager::Config,
    bound: Bound,
    acceptor: Option<Arc<Acceptor>>,
    router: Router,
}

impl Server {
    /// Every operation, as the machine does it.
    pub(super) fn directory(&self) -> Directory {
        let store: Arc<dyn Store> = Arc::clone(&self.store) as _;
        Directory::new(
            store,
            Arc::clone(&self.keys),
            self.clock.clone(),
            self.config.verify.params(),
        )
    }

    /// Binds the Manager's listener and builds what it answers with; nothing where it is off.
    pub(super) async fn manager(&self, listeners: &[Listener]) -> anyhow::Result<Option<Manager>> {
        let Some(config) = self.config.manager.clone() else {
            return Ok(None);
        };
        let bound = manager::bind(&config).await?;
        let acceptor = match config.place {
            Place::Tcp { tls: true, .. } => Some(Arc::new(Acceptor::new(Arc::clone(&self.certificates), ALPN)?)),
            Place::Tcp { tls: false, .. } | Place::Unix(_) => None,
        };
        let router = self.site(&config.origin, self.trial_way(listeners)?);
        let metrics = Arc::clone(&self.metrics);
        let router = manager::guarded(router, &config.origin, metrics, self.clock.clone(), admin::sorry)
            .with_context(|| format!("manager.origin {} cannot be used", config.origin))?;
        let router = discovery::in_front(self.discovery_parts(&config.origin), router);
        Ok(Some(Manager {
            config,
            bound,
            acceptor,
            router,
        }))
    }

    /// Pages and API, over one desk.
    fn site(&self, origin: &Origin, trial: Option<trial::Way>) -> Router {
        let settings = &self.config.client_settings;
        let records = Records::new(records::Parts {
            reach: self.config.reach(),
            config: self.config.dns.clone(),
            certificates: (!self.config.development_certificates).then(|| Arc::clone(&self.certificates)),
            clock: self.clock.clone(),
        });
        let desk = Arc::new(Desk::new(self.directory(), self.desk_parts(origin)));
        let api = Api::new(api::Parts {
            desk: Arc::clone(&desk),
            registry: Arc::clone(&self.plane.registry),
            tail: Arc::clone(&self.tail),
            origin: origin.clone(),
            settings: settings.clone(),
            records: Arc::clone(&records),
            clock: self.clock.clone(),
            tasks: self.web.clone(),
        });
        let pages = Pages::new(pages::Parts {
            desk,
            registry: Arc::clone(&self.plane.registry),
            tail: Arc::clone(&self.tail),
            origin: origin.clone(),
            settings: settings.clone(),
            records,
            tries: Arc::clone(&self.plane.tries),
            trial,
            signer: self.signer(origin),
            clock: self.clock.clone(),
        });
        admin::router(pages, api)
    }

    /// Files are signed with the certificate of the Manager's name; where that is a reverse proxy's, with that of the mail
    /// server.
    fn signer(&self, origin: &Origin) -> Signer {
        let mut names = vec![origin.host().to_owned()];
        names.extend(self.config.client_settings.imap.as_ref().map(|imap| imap.host.clone()));
        Signer::new(Arc::clone(&self.certificates), names, self.clock.clone())
    }

    fn discovery_parts(&self, origin: &Origin) -> discovery::Parts {
        discovery::Parts {
            store: Arc::clone(&self.store) as _,
            settings: self.config.client_settings.clone(),
            origin: origin.clone(),
            metrics: Arc::clone(&self.metrics),
            clock: self.clock.clone(),
        }
    }

    /// How a test message gets to our own submission listener: as clients do, but for the way through the network. One
    /// behind a balancer wants a header that only the balancer sends.
    fn trial_way(&self, listeners: &[Listener]) -> anyhow::Result<Option<trial::Way>> {
        let submission = listeners.iter().filter(|listener| {
            let config = listener.config();
            config.protocol == Protocol::Smtp && config.proxy_from.is_none()
        });
        let best = submission.min_by_key(|listener| listener.config().tls == TlsMode::StartTls);
        let (Some(listener), Some(service)) = (best, &self.config.client_settings.smtp) else {
            return Ok(None);
        };
        let bound = listener.address()?;
        let ip = match bound.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        Ok(Some(trial::Way {
            address: SocketAddr::new(ip, bound.port()),
            host: service.host.clone(),
            implicit_tls: listener.config().tls == TlsMode::Implicit,
            connector: OwnConnector::new(Arc::clone(&self.certificates))?,
        }))
    }

    fn desk_parts(&self, origin: &Origin) -> desk::Parts {
        let network = self.config.listen.network;
        let lanes = password::Config::of(self.config.verify.params());
        let usage = Arc::clone(&self.plane.usage);
        desk::Parts {
            passwords: Passwords::start(lanes, Arc::clone(&self.keys), &self.metrics),
            throttle: SignInThrottle::new(SignInConfig {
                network,
                ..SignInConfig::default()
            }),
            registry: Arc::clone(&self.plane.registry),
            unwritten: Box::new(move |device| usage.unwritten(device)),
            post: Arc::clone(&self.outbox) as Arc<dyn Post>,
            settings: Settings {
                issuer: origin.authority().to_owned(),
                network,
            },
        }
    }

    /// Serves the Manager until the daemon stops. Where nobody owns anything yet, the link that changes this is made.
    pub(super) async fn serve_manager(&self, manager: Manager) -> anyhow::Result<()> {
        let address = manager.bound.address()?.map(|address: SocketAddr| address.to_string());
        let address = match (&manager.config.place, address) {
            (Place::Unix(path), _) => path.display().to_string(),
            (Place::Tcp { address, .. }, None) => address.to_string(),
            (Place::Tcp { .. }, Some(address)) => address,
        };
        tracing::info!(listener.name = "manager", listener.addr = address, manager.origin = %manager.config.origin, "listening");
        set_up::offer(&self.directory(), &manager.config.origin, &self.config.data_dir).await?;
        let (clock, stop) = (self.clock.clone(), self.plane.stopping.clone());
        self.web.spawn(async move {
            let Manager {
                config,
                bound,
                acceptor,
                router,
            } = manager;
            manager::serve(bound, &config, acceptor, router, clock, stop).await;
        });
        Ok(())
    }

    /// Tells people by mail what happened to devices.
    pub(super) fn tell_notices(&self) {
        let store: Arc<dyn NoticeStore> = Arc::clone(&self.store) as _;
        let (outbox, keys) = (Arc::clone(&self.outbox), Arc::clone(&self.keys));
        let notices = Notices::new(store, outbox, keys, self.clock.clone());
        self.until_stopped(async move { notices.run().await });
    }

    /// Withdraws accesses whose date has come, and removes what ended long ago, with or without a Manager.
    pub(super) fn tidy_people(&self) {
        let directory = self.directory();
        let data_dir = self.config.data_dir.clone();
        self.until_stopped(async move {
            let mut tick = tokio::time::interval(TIDY_INTERVAL);
            loop {
                tick.tick().await;
                tidy(&directory).await;
                set_up::clear(&directory, &data_dir).await;
            }
        });
    }
}

/// Rounds until one finds nothing more to do.
async fn tidy(directory: &Directory) {
    loop {
        match directory.tidy_people().await {
            Ok(tidied) => {
                if tidied != Tidied::default() {
                    tracing::info!(
                        grants = tidied.grants,
                        sessions = tidied.sessions,
                        resets = tidied.resets,
                        addresses = tidied.addresses,
                        invitations = tidied.invitations,
                        tokens = tidied.tokens,
                        device_links = tidied.device_links,
                        requests = tidied.requests,
                        "what had ended was tidied away"
                    );
                }
                if !is_more(&tidied) {
                    return;
                }
            }
            Err(error) => {
                tracing::error!(%error, "what has ended was not tidied away; the next round tries again");
                return;
            }
        }
        tokio::time::sleep(TIDY_PAUSE).await;
    }
}

/// Whether a round came to its limit.
fn is_more(tidied: &Tidied) -> bool {
    let Tidied {
        grants,
        sessions,
        resets,
        addresses,
        invitations,
        tokens,
        device_links,
        requests,
    } = *tidied;
    [
        grants,
        sessions,
        resets,
        addresses,
        invitations,
        tokens,
        device_links,
        requests,
    ]
    .iter()
    .any(|count| *count >= crate::directory::TIDIED_MAX)
}
