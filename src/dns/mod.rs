//! Questions to the DNS about the records of a mail domain: for `postern doctor dns` and the Manager's page, never on the
//! way of a login.
//!
//! A stub resolver: it asks the configured name servers, or those of the system, and remembers nothing, so that a record
//! that was just mended is seen. What cannot be answered now (a name server that fails or is silent) is a [`Trouble`] and
//! never "there is no such record".

mod answer;
mod examine;

#[cfg(test)]
#[path = "../../tests/kit/name_server.rs"]
pub(crate) mod name_server;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::{FutureExt as _, Shared};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::{Name, RecordType};
use tokio::sync::Semaphore;
use tokio::time::Sleep;

use crate::onboard::records::Data;

pub use examine::{Examined, ExaminedHost, ExaminedRecord, State, examine};

/// The port of name servers.
pub const PORT: u16 = 53;
/// Name servers that can be configured; of the system's, as many of the first are asked.
pub const SERVERS_MAX: usize = 4;
/// Questions that wait for their answers at the same time.
const PARALLEL: usize = 16;
/// How long all questions about one mail domain take together at most; what is not answered then is a time-out.
const TOTAL_TIME: Duration = Duration::from_secs(12);
/// How often a question is asked again where no answer comes.
const REPEATS: usize = 1;
/// Octets of an answer that come without TCP: what passes every network in one piece.
const DATAGRAM: u16 = 1232;

/// Whom to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Name servers; without any, those of the system.
    pub servers: Vec<SocketAddr>,
    /// How long one of them may take for an answer.
    pub timeout: Duration,
}

/// Why a question has no answer now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// No answer came in time.
    Timeout,
    /// The name server answered that it cannot answer; its code.
    Failed(String),
    /// There is no name server, or no way to it.
    Unreachable(String),
}

impl Trouble {
    /// A fixed word, for JSON and the keys of texts.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Failed(_) => "failed",
            Self::Unreachable(_) => "unreachable",
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout => f.write_str("no answer in time; try again, or name another [dns] resolver"),
            Self::Failed(code) => write!(
                f,
                "the name server could not answer ({code}); try again, and if it stays so, look at the name servers of the domain"
            ),
            Self::Unreachable(reason) => write!(f, "no name server can be asked ({reason}); set [dns] resolver"),
        }
    }
}

/// Asks questions for a limited time.
struct Resolver {
    /// One a name server, or why there is none. The library would take the failure of one for the answer of all.
    servers: Result<Vec<TokioResolver>, Trouble>,
    /// The one that has answered: a silent one in front of it is waited for once.
    answering: AtomicUsize,
    places: Semaphore,
    over: Shared<Sleep>,
}

impl Resolver {
    /// From now on there are [`TOTAL_TIME`] for all questions.
    fn new(config: &Config) -> Self {
        Self {
            servers: servers(config),
            answering: AtomicUsize::new(0),
            places: Semaphore::new(PARALLEL),
            over: tokio::time::sleep(TOTAL_TIME).shared(),
        }
    }

    /// What stands under a name; aliases on the way to it are part of that.
    async fn ask(&self, name: &str, kind: RecordType) -> Result<Vec<Data>, Trouble> {
        tokio::select! {
            answer = self.ask_in_turn(name, kind) => answer,
            () = self.over.clone() => Err(Trouble::Timeout),
        }
    }

    async fn ask_in_turn(&self, name: &str, kind: RecordType) -> Result<Vec<Data>, Trouble> {
        let servers = self.servers.as_ref().map_err(Clone::clone)?;
        // It is never closed.
        let _place = self.places.acquire().await.map_err(|_| Trouble::Timeout)?;
        let unusable = |_| Trouble::Failed("no such name can be".to_owned());
        // With its final dot, no search list of the system comes into play.
        let name = Name::from_ascii(format!("{name}.")).map_err(unusable)?;
        let mut trouble = Trouble::Unreachable("none is named".to_owned());
        let first = self.answering.load(Ordering::Relaxed);
        let in_turn = servers.iter().enumerate().cycle().skip(first).take(servers.len());
        for (index, server) in in_turn {
            let answer = match server.lookup(name.clone(), kind).await {
                Ok(lookup) => Ok(answer::read(lookup.answers(), kind)),
                Err(error) => judged(error),
            };
            match answer {
                Ok(data) => {
                    self.answering.store(index, Ordering::Relaxed);
                    return Ok(data);
                }
                Err(other) => trouble = other,
            }
        }
        Err(trouble)
    }
}

/// Tells "nothing there" from "not known".
fn judged(error: NetError) -> Result<Vec<Data>, Trouble> {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(_)) => Ok(Vec::new()),
        NetError::Dns(DnsError::ResponseCode(code)) => Err(Trouble::Failed(code.to_str().to_owned())),
        NetError::Timeout => Err(Trouble::Timeout),
        NetError::Io(error) => Err(Trouble::Unreachable(error.to_string())),
        NetError::NoConnections => Err(Trouble::Unreachable("no connection".to_owned())),
        NetError::Dns(error) => Err(Trouble::Failed(error.to_string())),
        error => Err(Trouble::Failed(error.to_string())),
    }
}

fn servers(config: &Config) -> Result<Vec<TokioResolver>, Trouble> {
    let unreachable = |error: NetError| Trouble::Unreachable(error.to_string());
    let servers: Vec<NameServerConfig> = if config.servers.is_empty() {
        let (system, _) = hickory_resolver::system_conf::read_system_conf().map_err(unreachable)?;
        system.name_servers.into_iter().take(SERVERS_MAX).collect()
    } else {
        config.servers.iter().copied().map(server).collect()
    };
    let each = servers.into_iter().map(|server| {
        let server = ResolverConfig::from_name_servers(vec![server]);
        let mut builder = TokioResolver::builder_with_config(server, TokioRuntimeProvider::default());
        *builder.options_mut() = options(config.timeout);
        builder.build().map_err(unreachable)
    });
    each.collect()
}

/// A name server on any port, by datagrams and, for long answers, by TCP.
fn server(address: SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = address.port();
        connection
    });
    NameServerConfig::new(address.ip(), true, connections.into())
}

fn options(timeout: Duration) -> ResolverOpts {
    let mut options = ResolverOpts::default();
    options.timeout = timeout;
    options.attempts = REPEATS;
    options.edns0 = true;
    options.edns_payload_len = DATAGRAM;
    // Whoever has just mended a record asks again.
    options.cache_size = 0;
    // What stands in this machine's file is no answer for other machines.
    options.use_hosts_file = ResolveHosts::Never;
    options.preserve_intermediates = true;
    options.max_active_requests = PARALLEL;
    options
}
