//! One mail session as a client (RFC 9051, RFC 5321): opened, logged in, used, logged out.
//!
//! Each step ends within the session's step time or is a [`Failure::Timeout`]. After a failure other than a refusal
//! that the server put into words, the session is of no use and is dropped.

mod imap;
mod smtp;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::failure::Failure;
use super::target::{Account, Mechanism, Security, Target};
use super::wire::Wire;
use crate::peer::Protocol;

/// One connection to a mail server.
#[derive(Debug)]
pub struct Session {
    wire: Wire,
    protocol: Protocol,
    step_time: Duration,
    resumed: bool,
    /// IMAP: tags used so far.
    tags: u32,
    /// IMAP: the greeting said, on this side of STARTTLS, that AUTHENTICATE takes an initial response.
    initial_response: bool,
    /// IMAP: a BYE that was heard.
    farewell: Option<String>,
    /// SMTP: as whom we say EHLO.
    local: IpAddr,
}

impl Session {
    /// Connects, starts TLS where the target wants it, and reads the greeting. `from` is the local address to use.
    ///
    /// # Errors
    /// The server cannot be reached, is not what it should be, or is not willing.
    pub async fn open(target: &Target, from: Option<IpAddr>, step_time: Duration) -> Result<Self, Failure> {
        let tcp = within(step_time, "the connection", connect(target.address, from)).await?;
        let local = tcp.local_addr().map_err(|error| Failure::connecting(&error))?.ip();
        let session = |wire| Self {
            wire,
            protocol: target.protocol,
            step_time,
            resumed: false,
            tags: 0,
            initial_response: false,
            farewell: None,
            local,
        };
        let mut session = if target.security == Security::ImplicitTls {
            let (wire, resumed) = secured(target, tcp, step_time).await?;
            Self {
                resumed,
                ..session(wire)
            }
        } else {
            session(Wire::clear(tcp))
        };
        within(step_time, "the greeting", session.greeted()).await?;
        if target.security != Security::StartTls {
            return Ok(session);
        }
        within(step_time, "STARTTLS", session.ask_for_tls()).await?;
        let (wire, resumed) = secured(target, session.wire.into_clear()?, step_time).await?;
        Ok(Self {
            wire,
            resumed,
            initial_response: false,
            ..session
        })
    }

    /// Whether TLS resumed an earlier session.
    pub const fn resumed(&self) -> bool {
        self.resumed
    }

    /// Logs in; over SMTP with the EHLO in front.
    ///
    /// # Errors
    /// The server refused: [`Failure::WrongPassword`], [`Failure::Unavailable`], [`Failure::Refused`]; or the session
    /// broke.
    pub async fn login(&mut self, account: &Account, mechanism: Mechanism) -> Result<(), Failure> {
        let limit = self.step_time;
        let answered = match self.protocol {
            Protocol::Imap => within(limit, "the login", self.imap_login(account, mechanism)).await,
            Protocol::Smtp => within(limit, "the login", self.smtp_login(account, mechanism)).await,
        };
        answered.map_err(Failure::without_words)
    }

    /// NOOP.
    ///
    /// # Errors
    /// The server refused, or the session broke.
    pub async fn noop(&mut self) -> Result<(), Failure> {
        let limit = self.step_time;
        match self.protocol {
            Protocol::Imap => within(limit, "NOOP", self.imap_command("NOOP")).await,
            Protocol::Smtp => within(limit, "NOOP", self.smtp_command("NOOP")).await,
        }
    }

    /// LOGOUT or QUIT, and the server's end of the connection.
    ///
    /// # Errors
    /// The session broke before.
    pub async fn logout(mut self) -> Result<(), Failure> {
        let limit = self.step_time;
        let leave = async {
            match self.protocol {
                Protocol::Imap => self.imap_command("LOGOUT").await?,
                Protocol::Smtp => self.smtp_command("QUIT").await?,
            }
            self.wire.end().await
        };
        within(limit, "the logout", leave).await
    }

    async fn greeted(&mut self) -> Result<(), Failure> {
        match self.protocol {
            Protocol::Imap => self.imap_greeting().await,
            Protocol::Smtp => self.smtp_greeting().await,
        }
    }

    async fn ask_for_tls(&mut self) -> Result<(), Failure> {
        match self.protocol {
            Protocol::Imap => self.imap_starttls().await,
            Protocol::Smtp => self.smtp_starttls().await,
        }
    }
}

/// A step of a session, with its time limit; `what` names it in a [`Failure::Timeout`].
async fn within<T>(
    limit: Duration,
    what: &'static str,
    step: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    timeout(limit, step).await.unwrap_or(Err(Failure::Timeout(what)))
}

async fn connect(address: SocketAddr, from: Option<IpAddr>) -> Result<TcpStream, Failure> {
    let connecting = async {
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        if let Some(from) = from {
            // A port whose last connection ended a moment ago can be used again, towards us or others.
            socket.set_reuseaddr(true)?;
            socket.bind(SocketAddr::new(from, 0))?;
        }
        let stream = socket.connect(address).await?;
        // Commands are small and each waits for its answer.
        stream.set_nodelay(true)?;
        Ok(stream)
    };
    connecting.await.map_err(|error| Failure::connecting(&error))
}

async fn secured(target: &Target, tcp: TcpStream, limit: Duration) -> Result<(Wire, bool), Failure> {
    let handshake = target.tls.connect(&target.server_name, tcp);
    let (stream, resumed) = within(limit, "the TLS handshake", handshake).await?;
    Ok((Wire::secured(stream), resumed))
}
