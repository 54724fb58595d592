//! A mail store that knows no protocol: it accepts, reads lines and says what the test tells it to.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::secret::Secret;
use crate::tls::ConnectorConfig;
use crate::upstream::{Endpoint, Route, Service, Strategy, Transport};

/// A test that waits longer than this has failed.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct Fake(TcpListener);

/// One accepted connection.
pub(super) struct Side(Pin<Box<dyn Socket>>);

trait Socket: AsyncRead + AsyncWrite + Send {}
impl<T: AsyncRead + AsyncWrite + Send> Socket for T {}

impl Fake {
    pub(super) async fn bind() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub(super) fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    pub(super) async fn accept(&self) -> Side {
        let (stream, _) = timeout(PATIENCE, self.0.accept())
            .await
            .expect("nobody connects")
            .unwrap();
        Side(Box::pin(stream))
    }

    /// Whether nobody has connected since the last accept.
    pub(super) async fn is_alone(&self) -> bool {
        timeout(Duration::ZERO, self.0.accept()).await.is_err()
    }

    /// A cleartext service at this mail store, with the master user `postern`.
    pub(super) fn service(&self) -> Service {
        let password = Arc::new(Secret::new(b"master secret".to_vec()));
        Service {
            endpoint: Endpoint::Tcp {
                host: "127.0.0.1".into(),
                port: self.port(),
            },
            transport: Transport::Cleartext,
            tls: ConnectorConfig::default(),
            tls_name: None,
            strategy: Strategy::MasterUser {
                user: "postern".into(),
                password,
                separator: '*',
            },
            send_client_address: true,
            warm: 0,
            warm_age: Duration::from_secs(60),
            connect_timeout: PATIENCE,
            login_timeout: PATIENCE,
        }
    }
}

pub(super) fn imap(service: Service) -> Route {
    Route {
        name: "store".into(),
        domains: vec![],
        imap: Some(service),
        smtp: None,
    }
}

pub(super) fn smtp(service: Service) -> Route {
    Route {
        name: "store".into(),
        domains: vec![],
        imap: None,
        smtp: Some(service),
    }
}

impl Side {
    pub(super) async fn say(&mut self, text: &str) {
        // The gateway may have gone already: the test then fails on what it did instead.
        let _ = self.0.write_all(text.as_bytes()).await;
        let _ = self.0.flush().await;
    }

    /// One line without its CRLF; empty at the end of the connection.
    pub(super) async fn line(&mut self) -> String {
        let mut line = Vec::new();
        let read = async {
            while !line.ends_with(b"\r\n") {
                match self.0.read_u8().await {
                    Ok(octet) => line.push(octet),
                    Err(_) => break,
                }
            }
        };
        timeout(PATIENCE, read).await.expect("the gateway says nothing");
        String::from_utf8(line).unwrap().trim_end().to_owned()
    }

    /// Reads a line, asserts what it is, and answers.
    pub(super) async fn expect(&mut self, line: &str, answer: &str) {
        assert_eq!(self.line().await, line);
        self.say(answer).await;
    }

    /// An IMAP command: the tag and the rest.
    pub(super) async fn command(&mut self) -> (String, String) {
        let line = self.line().await;
        let (tag, command) = line.split_once(' ').unwrap_or((&line, ""));
        (tag.to_owned(), command.to_owned())
    }

    /// Everything until the gateway ends the connection.
    pub(super) async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let _ = timeout(PATIENCE, self.0.read_to_end(&mut rest))
            .await
            .expect("the gateway stays");
        rest
    }

    pub(super) async fn secure(self, config: ServerConfig) -> std::io::Result<Self> {
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        Ok(Self(Box::pin(acceptor.accept(self.0).await?)))
    }
}
