//! The DNS records of mail domains, for pages and API: what they should be, and what was found when somebody last asked.
//!
//! Nothing is looked up on its own: a page never waits for a name server. What was found is kept in memory, with its time,
//! until somebody asks again or others take its place. Rights are the desk's to ask.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::clock::{Clock, Timestamp};
use crate::directory::Error;
use crate::dns::{self, Examined};
use crate::model::{DomainId, MailDomain, OrgId};
use crate::onboard::records::{Host, Plan, Reach, Role};
use crate::tls::{Certificates, Coverage, coverage};

/// Mail domains of which something is kept; what was found first goes first.
const KEPT_MAX: usize = 256;
/// Looks that one organisation may take within [`ORG_TIME`].
const ORG_LOOKS: usize = 10;
/// How long a look counts.
const ORG_TIME: Duration = Duration::from_secs(60);
/// Looks that go on at the same time, of all organisations.
const PARALLEL: usize = 4;
/// How soon it is worth to try again where too many looks go on.
const BUSY_TIME: Duration = Duration::from_secs(10);
/// Organisations whose looks are counted.
const ORGS_MAX: usize = 4096;

/// What [`Records`] works with.
#[derive(Debug, Clone)]
pub struct Parts {
    /// How the world reaches us.
    pub reach: Reach,
    /// Whom to ask.
    pub config: dns::Config,
    /// What clients are shown; none where certificates are made for development.
    pub certificates: Option<Arc<Certificates>>,
    /// The time.
    pub clock: Clock,
}

/// What was found, and when.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) at: Timestamp,
    pub(super) examined: Arc<Examined>,
}

/// Whether a name is covered by a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Certified {
    /// What our certificates say.
    Ours(Coverage),
    /// A reverse proxy has the certificate.
    Proxy,
    /// Ours is made for development: nobody trusts it.
    Development,
}

/// Records of mail domains.
pub struct Records {
    parts: Parts,
    state: Mutex<State>,
    places: Semaphore,
}

#[derive(Default)]
struct State {
    seen: HashMap<DomainId, Seen>,
    /// The domains in `seen`, the one that was looked at first in front.
    order: VecDeque<DomainId>,
    looks: HashMap<OrgId, VecDeque<Instant>>,
}

impl Records {
    /// Nothing is known yet.
    pub fn new(parts: Parts) -> Arc<Self> {
        Arc::new(Self {
            parts,
            state: Mutex::default(),
            places: Semaphore::new(PARALLEL),
        })
    }

    /// What should be there.
    pub(super) fn plan(&self, domain: &MailDomain) -> Plan {
        Plan::new(&domain.name, &self.parts.reach)
    }

    /// What was found when somebody last asked.
    pub(super) fn seen(&self, domain: DomainId) -> Option<Seen> {
        self.locked(|state| state.seen.get(&domain).cloned())
    }

    /// Looks now.
    ///
    /// # Errors
    /// The organisation has looked often enough, or too many look at this moment.
    pub(super) async fn look(&self, domain: &MailDomain) -> Result<Seen, Error> {
        let busy = |_| Error::TooSoon { wait: BUSY_TIME };
        let _place = self.places.try_acquire().map_err(busy)?;
        let now = self.parts.clock.now();
        self.locked(|state| state.count(domain.org, now))?;
        let examined = dns::examine(&self.plan(domain), &self.parts.config).await;
        let seen = Seen {
            at: self.parts.clock.utc(),
            examined: Arc::new(examined),
        };
        self.locked(|state| state.keep(domain.id, seen.clone()));
        Ok(seen)
    }

    /// Whether the names that clients connect to are covered by certificates.
    pub(super) fn certified(&self, plan: &Plan) -> Vec<(Host, Certified)> {
        let facts = self
            .parts
            .certificates
            .as_ref()
            .map(|certificates| certificates.describe());
        let now = self.parts.clock.utc();
        let of = |host: &Host| match (&facts, host.role) {
            (_, Role::ManagerBehindProxy) => Certified::Proxy,
            (None, _) => Certified::Development,
            (Some(facts), _) => Certified::Ours(coverage(facts, &host.name, now)),
        };
        plan.certified.iter().map(|host| (host.clone(), of(host))).collect()
    }

    /// For tests: asks these name servers; without any, there is none to ask.
    #[cfg(test)]
    pub(super) fn asking(
        mut servers: Vec<std::net::SocketAddr>,
        settings: &crate::onboard::Settings,
        origin: &crate::model::Origin,
        clock: &Clock,
    ) -> Arc<Self> {
        if servers.is_empty() {
            // Its socket is closed at once, and nobody else has this address.
            let gone = std::net::UdpSocket::bind("127.0.0.53:0").and_then(|socket| socket.local_addr());
            servers.extend(gone);
        }
        Self::new(Parts {
            reach: Reach {
                settings: settings.clone(),
                manager: Some(origin.clone()),
                manager_tls: true,
                ..Reach::default()
            },
            config: dns::Config {
                servers,
                timeout: Duration::from_millis(300),
            },
            certificates: None,
            clock: clock.clone(),
        })
    }

    fn locked<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    /// Counts a look, unless it is one too many.
    fn count(&mut self, org: OrgId, now: Instant) -> Result<(), Error> {
        let age = |look: &Instant| now.saturating_duration_since(*look);
        self.looks.retain(|_, looks| {
            looks.retain(|look| age(look) < ORG_TIME);
            !looks.is_empty()
        });
        if self.looks.len() >= ORGS_MAX && !self.looks.contains_key(&org) {
            return Err(Error::TooSoon { wait: BUSY_TIME });
        }
        let looks = self.looks.entry(org).or_default();
        match looks.front() {
            Some(first) if looks.len() >= ORG_LOOKS => Err(Error::TooSoon {
                wait: ORG_TIME.saturating_sub(age(first)),
            }),
            _ => {
                looks.push_back(now);
                Ok(())
            }
        }
    }

    fn keep(&mut self, domain: DomainId, seen: Seen) {
        self.order.retain(|kept| *kept != domain);
        self.order.push_back(domain);
        self.seen.insert(domain, seen);
        while self.order.len() > KEPT_MAX {
            if let Some(first) = self.order.pop_front() {
                self.seen.remove(&first);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_too_soon(counted: &Result<(), Error>) -> Option<Duration> {
        match counted {
            Err(Error::TooSoon { wait }) => Some(*wait),
            _ => None,
        }
    }

    #[test]
    fn an_organisation_looks_a_few_times_a_minute_and_others_do_not_wait_for_it() {
        let (mut state, clock) = (State::default(), Clock::manual(Timestamp(0)));
        let (one, two) = (OrgId::from_raw(1), OrgId::from_raw(2));
        for _ in 0..ORG_LOOKS {
            assert!(state.count(one, clock.now()).is_ok());
            clock.advance(Duration::from_secs(1));
        }
        let wait = is_too_soon(&state.count(one, clock.now())).unwrap();
        assert_eq!(wait, Duration::from_secs(50));
        assert!(state.count(two, clock.now()).is_ok());
        clock.advance(wait);
        assert!(state.count(one, clock.now()).is_ok());
        assert!(is_too_soon(&state.count(one, clock.now())).is_some());
        clock.advance(ORG_TIME);
        assert!(state.count(two, clock.now()).is_ok());
        assert_eq!(state.looks.len(), 1, "what no longer counts is forgotten");
    }

    #[test]
    fn as_much_is_kept_as_there_is_room_for() {
        let mut state = State::default();
        let seen = |at| Seen {
            at: Timestamp(at),
            examined: Arc::new(Examined {
                records: Vec::new(),
                hosts: Vec::new(),
            }),
        };
        let most = i64::try_from(KEPT_MAX).unwrap();
        for id in 0..most {
            state.keep(DomainId::from_raw(id), seen(0));
        }
        state.keep(DomainId::from_raw(0), seen(1));
        state.keep(DomainId::from_raw(most), seen(2));
        assert_eq!((state.seen.len(), state.order.len()), (KEPT_MAX, KEPT_MAX));
        assert!(state.seen.contains_key(&DomainId::from_raw(0)));
        assert!(!state.seen.contains_key(&DomainId::from_raw(1)));
    }
}
