//! One mail to the mail server: connect, TLS, log in, hand over. A connection for each mail.
//!
//! lettre speaks SMTP; the stream below it is ours (`connect`), so that certificates are verified as everywhere in the
//! house. lettre bounds only the time to connect: here one limit is around the whole attempt.

use std::fmt;

use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Quit, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::transport::smtp::response::Response;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::tls::{self, Connector, ConnectorConfig, Stream};

use super::config::{Security, Server};
use super::connect::{self, Wire};
use super::failure::{Failure, Stage};
use super::letter::Letter;

/// How long our goodbye may take: the mail is taken already.
const QUIT_MAX: std::time::Duration = std::time::Duration::from_secs(2);
/// What is tried to log in with, in this order.
const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

/// The way to one mail server.
pub(super) struct Transport {
    pub(super) server: Server,
    /// None where nothing is ever secured.
    connector: Option<Connector>,
}

/// A mail that the server took, on the connection that it took it on.
pub(super) struct Delivered {
    connection: AsyncSmtpConnection,
}

/// Hears of each step that went right, and how.
pub(super) type Steps<'a> = dyn FnMut(Stage, String) + Send + 'a;

/// Where an attempt is.
struct Progress<'p, 's> {
    stage: Stage,
    steps: &'p mut Steps<'s>,
}

impl Progress<'_, '_> {
    fn done(&mut self, detail: impl fmt::Display) {
        (self.steps)(self.stage, detail.to_string());
    }
}

impl Transport {
    /// Reads what the settings name.
    ///
    /// # Errors
    /// The authority's file cannot be used, or the system trusts nobody.
    pub(super) fn new(server: &Server) -> Result<Self, tls::Error> {
        let connector = match server.security {
            Security::Cleartext => None,
            Security::StartTls | Security::Tls => {
                Connector::check_name(&server.host)?;
                Some(Connector::new(&ConnectorConfig {
                    ca: server.ca.clone(),
                    client: None,
                })?)
            }
        };
        Ok(Self {
            server: server.clone(),
            connector,
        })
    }

    /// Sends one mail, or says at which step it did not go on.
    ///
    /// # Errors
    /// The mail was not taken, or nobody knows whether it was because the answer did not come in time.
    pub(super) async fn deliver(&self, letter: &Letter, steps: &mut Steps<'_>) -> Result<Delivered, Failure> {
        let mut progress = Progress {
            stage: Stage::Connection,
            steps,
        };
        let limit = self.server.timeout;
        let outcome = timeout(limit, self.hand_over(letter, &mut progress)).await;
        outcome.unwrap_or_else(|_| Err(Failure::timeout(progress.stage, limit)))
    }

    async fn hand_over(&self, letter: &Letter, progress: &mut Progress<'_, '_>) -> Result<Delivered, Failure> {
        let mut connection = self.open(progress).await?;
        self.log_in(&mut connection, progress).await?;
        let mut parameters = Vec::new();
        // Header and bodies are ASCII by their encoding, but for an address that has no other form (RFC 6531 §3.2).
        if !letter.octets.is_ascii() {
            if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                return Err(Failure {
                    permanent: true,
                    ..Failure::passing(
                        Stage::Recipient,
                        "the mail server does not offer SMTPUTF8, which this address needs",
                    )
                });
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        progress.stage = Stage::Sender;
        let answer = connection
            .command(Mail::new(Some(letter.from.clone()), parameters))
            .await;
        progress.done(reply(Stage::Sender, answer)?);
        progress.stage = Stage::Recipient;
        let answer = connection.command(Rcpt::new(letter.to.clone(), Vec::new())).await;
        progress.done(reply(Stage::Recipient, answer)?);
        progress.stage = Stage::Message;
        reply(Stage::Message, connection.command(Data).await)?;
        let answer = connection.message(&letter.octets).await;
        progress.done(reply(Stage::Message, answer)?);
        Ok(Delivered { connection })
    }

    /// Connects, secures and exchanges greetings.
    async fn open(&self, progress: &mut Progress<'_, '_>) -> Result<AsyncSmtpConnection, Failure> {
        let server = &self.server;
        let tcp = connect::connect(&server.host, server.port).await?;
        progress.done(peer(&tcp));
        progress.stage = Stage::Tls;
        let wire = match (&self.connector, server.security) {
            (Some(connector), Security::Tls) => connect::secure(connector, &server.host, tcp).await?,
            (Some(connector), Security::StartTls) => {
                connect::start_tls(connector, &server.host, &server.hello, tcp).await?
            }
            _ => Wire::new(Stream::Tcp(tcp)),
        };
        progress.done(secured(wire.stream()));
        progress.stage = Stage::Greeting;
        let hello = ClientId::Domain(server.hello.clone());
        let connection = AsyncSmtpConnection::connect_with_transport(Box::new(wire), &hello)
            .await
            .map_err(|error| Failure::of_smtp(Stage::Greeting, &error))?;
        progress.done(format_args!("it calls itself {}", connection.server_info().name()));
        Ok(connection)
    }

    async fn log_in(
        &self,
        connection: &mut AsyncSmtpConnection,
        progress: &mut Progress<'_, '_>,
    ) -> Result<(), Failure> {
        progress.stage = Stage::Login;
        let Some(user) = &self.server.credentials else {
            progress.done("without: no username under [mail]");
            return Ok(());
        };
        if connection.server_info().get_auth_mechanism(&MECHANISMS).is_none() {
            let words = "the mail server offers neither AUTH PLAIN nor AUTH LOGIN here: check port and tls under [mail], \
                         or remove username";
            return Err(Failure::passing(Stage::Login, words));
        }
        let Ok(password) = str::from_utf8(user.password.expose()) else {
            return Err(Failure::passing(
                Stage::Login,
                "the password of [mail] is not UTF-8: write it so",
            ));
        };
        // lettre wipes neither this copy nor its own.
        let credentials = Credentials::new(user.username.clone(), password.to_owned());
        let answer = connection.auth(&MECHANISMS, &credentials).await;
        reply(Stage::Login, answer)?;
        progress.done(format_args!("as {}", user.username));
        Ok(())
    }
}

impl Delivered {
    /// Says goodbye; the mail is taken whatever the server answers.
    pub(super) async fn quit(mut self) {
        let _ = timeout(QUIT_MAX, self.connection.command(Quit)).await;
    }
}

/// A positive answer in one line.
fn reply(stage: Stage, answer: Result<Response, SmtpError>) -> Result<String, Failure> {
    let response = answer.map_err(|error| Failure::of_smtp(stage, &error))?;
    let lines: Vec<&str> = response.message().collect();
    Ok(format!("{} {}", response.code(), lines.join(" ")))
}

fn peer(tcp: &TcpStream) -> String {
    tcp.peer_addr().map(|address| address.to_string()).unwrap_or_default()
}

fn secured(stream: &Stream) -> String {
    let Some(facts) = stream.tls_facts() else {
        return "none: the connection does not leave this machine".to_owned();
    };
    match stream.certificate_end() {
        Some(end) => format!("{}, certificate until {}", facts.version, end.day()),
        None => facts.version.to_owned(),
    }
}
