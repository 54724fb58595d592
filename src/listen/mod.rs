//! Listeners: bind, accept, PROXY header, connection limits; then a connection belongs to `session`.
//!
//! What a stranger costs before login is capped here: places in all, places before login, places of one network. A
//! connection over a cap is closed at once (with a temporary refusal where the listener speaks in clear first), so
//! that a full house never looks like a wrong password.

mod accept;
mod limits;
pub mod proxy_header;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use ipnet::IpNet;

pub use accept::{Listener, bind};
pub use limits::Limiter;

use crate::peer::{NetworkPrefixes, Protocol};
pub use crate::session::TlsMode;

/// One listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerConfig {
    /// `imaps`, `submission`, ...: for logs.
    pub name: String,
    /// Where it listens; port 0 lets the system choose, and the log says which.
    pub address: SocketAddr,
    /// What is spoken.
    pub protocol: Protocol,
    /// When TLS starts.
    pub tls: TlsMode,
    /// `Some`: every connection must come from one of these networks and begin with a PROXY header. Never empty.
    pub proxy_from: Option<Vec<IpNet>>,
}

/// Settings of all listeners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The listeners.
    pub listeners: Vec<ListenerConfig>,
    /// Connections in all.
    pub max_connections: usize,
    /// Connections that have not logged in, in all; the rest of `max_connections` stays free for those that have.
    pub max_before_login: usize,
    /// Connections of one network that have not logged in.
    pub max_before_login_per_network: usize,
    /// Connections of one network, logged in or not.
    pub max_per_network: usize,
    /// What one network is.
    pub network: NetworkPrefixes,
    /// Time for a PROXY header to arrive (at least 3 s, says its specification).
    pub proxy_header_time: Duration,
    /// Graceful stop: how long sessions may go on before they are told to reconnect.
    pub drain_time: Duration,
    /// Then, how long their goodbyes may take.
    pub close_time: Duration,
}

/// What to do about an address that cannot be bound; ends the sentence that says so.
fn bind_remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "; another program listens there: stop it (`ss -ltnp` names it), or choose another port"
        }
        io::ErrorKind::PermissionDenied => "; ports below 1024 need CAP_NET_BIND_SERVICE, as in config/postern.service",
        io::ErrorKind::AddrNotAvailable => "; this machine has no such address",
        _ => "",
    }
}
