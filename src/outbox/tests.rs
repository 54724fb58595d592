//! The outbox against a scripted mail server; real ones are in the integration tests.

mod notices;
mod sealing;
mod sending;
mod server;
mod tls;
mod words;

use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::clock::Clock;
use crate::keys::Keyring;
use crate::model::{Mail, MailId, MailKind, MailState, Origin, Rights, Role};
use crate::secret::Secret;
use crate::store::sqlite::{self, SqliteStore};
use crate::store::{MailFilter, OutboxStore};

const START: Timestamp = Timestamp(1_795_000_000_000);
/// The secret of every link here.
const TOKEN: &str = "psi_kq7v2mzdx4ht9wpckq7v2mzdx4ht9wpckq7v2mzdx4ht9wpckq7v";
const LUCIE: &str = "lucie@private.test";

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn later(days: u64) -> Timestamp {
    START.plus(Duration::from_secs(days * 86_400))
}

fn token() -> Token {
    Token::new(Secret::new(TOKEN.to_owned())).unwrap()
}

fn access(mailbox: &str, rights: &str, ends_at: Option<Timestamp>) -> Access {
    Access {
        mailbox: address(mailbox),
        rights: rights.parse::<Rights>().unwrap(),
        ends_at,
    }
}

fn invitation() -> Invitation {
    Invitation {
        by: "Sophie Martin".to_owned(),
        org: "Acme".to_owned(),
        role: Role::Member,
        accesses: vec![
            access("contact@acme.test", "see-devices,add-own-devices", None),
            access("info@acme.test", "see-devices,send-as", Some(later(30))),
        ],
        expires_at: later(7),
        token: token(),
    }
}

/// A server that speaks in clear on loopback.
fn clear_server(port: u16) -> Server {
    Server {
        host: "127.0.0.1".to_owned(),
        port,
        security: Security::Cleartext,
        ca: None,
        credentials: None,
        from: Sender::parse("Postern <postern@acme.test>").unwrap(),
        hello: "mail.acme.test".to_owned(),
        timeout: Duration::from_secs(20),
        first_retry: Duration::from_secs(60),
    }
}

fn with_user(server: Server) -> Server {
    Server {
        credentials: Some(Credentials {
            username: "postern".to_owned(),
            password: Arc::new(Secret::new(b"the mail password".to_vec())),
        }),
        ..server
    }
}

fn config(server: Option<Server>) -> Config {
    Config {
        server,
        origin: Some(Origin::parse("https://manager.acme.test").unwrap()),
        hostname: "mail.acme.test".to_owned(),
    }
}

/// An outbox over a store of its own.
struct Bench {
    outbox: Outbox,
    store: Arc<SqliteStore>,
    keys: Arc<Keyring>,
    clock: Clock,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
    directory: TempDir,
}

impl Bench {
    fn new(config: Config) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Clock::manual(START);
        let at = sqlite::Config::at(directory.path().join("postern.db"));
        let store = SqliteStore::create(&at, clock.clone()).unwrap();
        let (keys, metrics) = (Arc::new(Keyring::for_tests()), Arc::new(Metrics::new()));
        let mails: Arc<dyn OutboxStore> = Arc::clone(&store) as _;
        let outbox = Outbox::new(config, mails, Arc::clone(&keys), clock.clone(), Arc::clone(&metrics)).unwrap();
        Self {
            outbox,
            store,
            keys,
            clock,
            metrics,
            stop: CancellationToken::new(),
            directory,
        }
    }

    fn with(server: Server) -> Self {
        Self::new(config(Some(server)))
    }

    async fn put(&self, content: Content, to: &str) -> MailId {
        let to = address(to);
        let recipient = Recipient {
            address: &to,
            language: Language::English,
        };
        let mail = content.sealed(recipient, None, &self.keys).unwrap();
        self.store.put_mail(&mail).await.unwrap()
    }

    async fn invite(&self) -> MailId {
        self.put(Content::Invitation(invitation()), LUCIE).await
    }

    /// One look at the outbox; whether a mail was tried.
    async fn turn(&self) -> bool {
        let turn = self.outbox.turn(&self.stop, Duration::ZERO).await.unwrap();
        matches!(turn, worker::Turn::Tried)
    }

    async fn mail(&self, id: MailId) -> Mail {
        self.store.mail(id).await.unwrap().unwrap()
    }

    /// The state's word, and the last error.
    async fn came_to(&self, id: MailId) -> (&'static str, String) {
        let mail = self.mail(id).await;
        (mail.state.name(), mail.last_error.unwrap_or_default())
    }

    async fn wait_for_retry(&self, id: MailId) {
        let MailState::Queued { next_at } = self.mail(id).await.state else {
            panic!("it does not wait")
        };
        let wait = u64::try_from(next_at.0 - self.clock.utc().0).unwrap();
        self.clock.advance(Duration::from_millis(wait));
    }

    fn counted(&self) -> String {
        let text = self.metrics.encode();
        let lines = text.lines().filter_map(|line| line.strip_prefix("postern_mails_total"));
        lines.collect::<Vec<_>>().join(" ")
    }
}
