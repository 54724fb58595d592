//! Logins at scripted mail stores on loopback, byte by byte.

mod diagnose;
mod failures;
mod fake;
mod imap;
mod smtp;
mod warm;

use std::sync::Arc;

use super::*;
use crate::clock::Timestamp;
use crate::model::{Address, DomainName, MailboxId};
use crate::secret::{Secret, SecretBytes};

const MAILBOX: MailboxId = MailboxId::from_raw(0x0102_0304_0506_0708);

/// The upstream side under test, with everything that a login needs around it.
struct Harness {
    upstreams: Arc<Upstreams>,
    clock: Clock,
    metrics: Arc<Metrics>,
    address: Address,
    sealed: Option<Vec<u8>>,
    peer: Peer,
}

impl Harness {
    fn new(routes: Vec<Route>) -> Self {
        let clock = Clock::manual(Timestamp(1_795_000_000_000));
        let metrics = Arc::new(Metrics::new());
        let config = Config {
            routes,
            hostname: "mx.postern.example".into(),
        };
        let keys = Arc::new(Keyring::for_tests());
        let sealed = keys.seal(&MAILBOX.raw().to_be_bytes(), b"stored secret").unwrap();
        Self {
            upstreams: Upstreams::new(config, keys, clock.clone(), Arc::clone(&metrics)).unwrap(),
            clock,
            metrics,
            address: Address::parse("anna@example.org").unwrap(),
            sealed: Some(sealed),
            peer: Peer::new(
                "[2001:db8::7]:4711".parse().unwrap(),
                "[2001:db8::1]:993".parse().unwrap(),
            ),
        }
    }

    async fn log_in(&self, protocol: Protocol) -> Result<Connected, Error> {
        let account = Account {
            mailbox: MAILBOX,
            address: &self.address,
            sealed: self.sealed.as_deref(),
        };
        let visitor = Visitor {
            peer: &self.peer,
            client: Some("Thunderbird\r\n\"x"),
            session_id: 42,
        };
        self.upstreams.log_in_as(account, protocol, visitor).await
    }

    /// The only service.
    fn service(&self) -> Arc<LiveService> {
        Arc::clone(&self.upstreams.routes.load().all[0])
    }

    fn failures(&self, reason: &'static str) -> u64 {
        self.metrics
            .upstream_failures
            .get_or_create(&ReasonLabel { reason })
            .get()
    }
}

#[tokio::test]
async fn a_protocol_that_a_domains_own_route_lacks_is_served_by_the_default() {
    let service = fake::Fake::bind().await.service();
    let own = Route {
        name: "own".into(),
        domains: vec![DomainName::parse("example.org").unwrap()],
        ..fake::imap(service.clone())
    };
    let default = Route {
        imap: Some(service.clone()),
        ..fake::smtp(service)
    };
    let serving = |routes: Vec<Route>, domain| -> Vec<(String, bool, bool)> {
        let config = Config {
            routes,
            hostname: "mx.postern.example".into(),
        };
        let routes = config.serving(&DomainName::parse(domain).unwrap());
        routes
            .iter()
            .map(|route| (route.name.to_string(), route.imap.is_some(), route.smtp.is_some()))
            .collect()
    };
    let both = vec![own.clone(), default];
    assert_eq!(
        serving(both.clone(), "example.org"),
        [("own".into(), true, false), ("store".into(), false, true)]
    );
    assert_eq!(serving(both, "example.net"), [("store".into(), true, true)]);
    assert_eq!(serving(vec![own], "example.net"), []);
}

fn password(text: &str) -> Arc<SecretBytes> {
    Arc::new(Secret::new(text.as_bytes().to_vec()))
}

/// A SASL PLAIN message in base64.
fn plain(authzid: &str, authcid: &str, password: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(format!("{authzid}\0{authcid}\0{password}"))
}
