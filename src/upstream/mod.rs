//! The mail store's side: routes, warm connections, and logging in as the mailbox.
//!
//! Nothing here is reached without a [`VerifiedLogin`], and the name that goes upstream is the one in it, from our own
//! record. The client's own password never goes upstream, and nothing that a client said does, except its name in the
//! IMAP ID. Whatever fails is temporary for the client: one that is told "wrong password" throws a good one away.
//!
//! A login takes a warm connection where one lives. If that connection turns out to have died before it answered, the
//! login is tried once more on a fresh one: no answer means that no session was opened. A refusal, a time-out or a broken
//! protocol is final.

mod client;
mod connect;
pub mod diagnose;
mod dialogue;
mod error;
mod plan;
mod probe;
mod route;
mod service;
#[cfg(test)]
mod tests;
mod warm;

use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::BytesMut;
use futures_util::future::join_all;
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::keys::Keyring;
use crate::metrics::{Metrics, ReasonLabel};
use crate::peer::{Peer, Protocol};
use crate::tls::{self, Stream};
use crate::verify::VerifiedLogin;

pub use error::Error;
pub use route::{Config, Endpoint, Route, Service, Strategy, Transport};

use plan::{Account, Plan, Visitor};
use route::Choice;
use service::{Health, LiveService, Surroundings};

/// A logged-in upstream connection.
#[derive(Debug)]
pub struct Connected {
    /// The connection.
    pub stream: Stream,
    /// What was received behind the login's answer: it belongs to the client. Always empty for SMTP.
    pub received: BytesMut,
    /// IMAP: the capabilities after login. SMTP: the EHLO lines, unfiltered.
    pub capabilities: Vec<String>,
    /// The route's name.
    pub route: Arc<str>,
}

/// All routes, with their warm connections.
pub struct Upstreams {
    routes: ArcSwap<Routes>,
    /// Kept so that [`Upstreams::smtp_extensions`] costs nothing at each EHLO.
    promised: ArcSwap<Vec<String>>,
    replaced: Notify,
    keys: Arc<Keyring>,
    clock: Clock,
    metrics: Arc<Metrics>,
}

/// One configuration's services.
struct Routes {
    imap: Choice<LiveService>,
    smtp: Choice<LiveService>,
    all: Vec<Arc<LiveService>>,
}

impl Upstreams {
    /// Reads trust anchors and client certificates; connects to nothing yet.
    ///
    /// # Errors
    /// A file or a TLS name of a route is not usable.
    pub fn new(
        config: Config,
        keys: Arc<Keyring>,
        clock: Clock,
        metrics: Arc<Metrics>,
    ) -> Result<Arc<Self>, tls::Error> {
        let routes = Routes::new(config, &clock, &metrics)?;
        Ok(Arc::new(Self {
            routes: ArcSwap::from_pointee(routes),
            promised: ArcSwap::default(),
            replaced: Notify::new(),
            keys,
            clock,
            metrics,
        }))
    }

    /// New routes after a reload. Sessions and logins under way go on with the old ones; their warm connections are
    /// closed.
    ///
    /// # Errors
    /// As [`Upstreams::new`]; the old routes stay.
    pub fn replace(&self, config: Config) -> Result<(), tls::Error> {
        let old = self
            .routes
            .swap(Arc::new(Routes::new(config, &self.clock, &self.metrics)?));
        for service in &old.all {
            service.pool.close();
        }
        self.replaced.notify_one();
        Ok(())
    }

    /// Logs in as the mailbox. `client` is what the client calls itself, for the mail store's log.
    ///
    /// # Errors
    /// Any of them is temporary for the client.
    pub async fn login(
        &self,
        login: &VerifiedLogin,
        protocol: Protocol,
        peer: &Peer,
        client: Option<&str>,
        session_id: u64,
    ) -> Result<Connected, Error> {
        self.log_in_as(
            login.into(),
            protocol,
            Visitor {
                peer,
                client,
                session_id,
            },
        )
        .await
    }

    async fn log_in_as(
        &self,
        account: Account<'_>,
        protocol: Protocol,
        visitor: Visitor<'_>,
    ) -> Result<Connected, Error> {
        let connected = self.try_login(account, protocol, visitor).await;
        if let Err(error) = &connected {
            self.metrics
                .upstream_failures
                .get_or_create(&ReasonLabel { reason: error.reason() })
                .inc();
        }
        connected
    }

    async fn try_login(
        &self,
        account: Account<'_>,
        protocol: Protocol,
        visitor: Visitor<'_>,
    ) -> Result<Connected, Error> {
        let routes = self.routes.load_full();
        let domain = account.address.domain();
        let Some(service) = routes.of(protocol).of(&domain) else {
            return Err(Error::NoRoute {
                domain,
                protocol: protocol.name(),
            });
        };
        let plan = Plan::new(service, account, &self.keys, visitor)?;
        if let Some(warm) = service.pool.take(self.clock.now()) {
            match service.log_in(warm, &plan).await {
                Err(Error::Closed { .. }) => {}
                answer => return answer,
            }
        }
        let fresh = service.connect().await?;
        self.promise();
        service.log_in(fresh, &plan).await
    }

    /// EHLO lines to promise before login: what every SMTP route offers that was reached so far; none before the first
    /// one was.
    pub fn smtp_extensions(&self) -> Arc<Vec<String>> {
        self.promised.load_full()
    }

    /// Whether every route of this protocol is known to be down, so that the greeting can say so.
    pub fn all_down(&self, protocol: Protocol) -> bool {
        let routes = self.routes.load();
        let mut services = routes
            .all
            .iter()
            .filter(|service| service.protocol == protocol)
            .peekable();
        services.peek().is_some() && services.all(|service| service.health() == Health::Down)
    }

    /// Keeps warm connections, health and EHLO keywords up to date; runs until cancelled. One caller at a time.
    pub async fn run(&self) {
        loop {
            let routes = self.routes.load_full();
            self.promise();
            let upkeep = join_all(routes.all.iter().map(|service| service.maintain(|| self.promise())));
            tokio::select! {
                // A configuration without routes has nothing to look after.
                _ = upkeep, if !routes.all.is_empty() => {}
                () = self.replaced.notified() => {}
            }
        }
    }

    fn promise(&self) {
        let routes = self.routes.load();
        let known: Vec<_> = routes.all.iter().filter_map(|service| service.extensions()).collect();
        let lists: Vec<_> = known.iter().map(|extensions| extensions.lines()).collect();
        let common = probe::common(&lists);
        if **self.promised.load() != common {
            self.promised.store(Arc::new(common));
        }
    }
}

impl std::fmt::Debug for Upstreams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upstreams").finish_non_exhaustive()
    }
}

impl Routes {
    fn new(config: Config, clock: &Clock, metrics: &Arc<Metrics>) -> Result<Self, tls::Error> {
        let hostname: Arc<str> = config.hostname.into();
        let (mut imap, mut smtp, mut all) = (Vec::new(), Vec::new(), Vec::new());
        for route in config.routes {
            for (protocol, service, choices) in [
                (Protocol::Imap, route.imap, &mut imap),
                (Protocol::Smtp, route.smtp, &mut smtp),
            ] {
                let surroundings = Surroundings {
                    hostname: Arc::clone(&hostname),
                    clock: clock.clone(),
                    metrics: Arc::clone(metrics),
                };
                let live = |service| LiveService::new(Arc::clone(&route.name), protocol, service, surroundings);
                if let Some(live) = service.map(live).transpose()?.map(Arc::new) {
                    all.push(Arc::clone(&live));
                    choices.push((route.domains.clone(), live));
                }
            }
        }
        Ok(Self {
            imap: Choice::new(imap),
            smtp: Choice::new(smtp),
            all,
        })
    }

    const fn of(&self, protocol: Protocol) -> &Choice<LiveService> {
        match protocol {
            Protocol::Imap => &self.imap,
            Protocol::Smtp => &self.smtp,
        }
    }
}
