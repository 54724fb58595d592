//! The Manager's own listener: TLS or cleartext, HTTP/1.1, and what holds for every request before a page or the API
//! sees it.
//!
//! It is the only listener that people's browsers reach. Connections are limited in number (`places`) and in time
//! (`serve`, and `pace` for who reads too slowly), the
//! client's address is taken from a proxy only where the proxy is named in the configuration (`client`), requests for
//! another host are refused, other sites cannot send forms, and every answer carries the same headers (`guards`). Links
//! in mails and redirections begin with the configured [`Origin`] and never with what a request says.

mod client;
mod guards;
mod pace;
mod places;
mod serve;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;

use crate::model::Origin;
use crate::peer::NetworkPrefixes;

pub use client::ClientAddress;
pub use guards::{Sorry, guarded, local_path};
pub(super) use guards::{Told, host_of, in_time, panicked};
pub use places::OwnNetwork;
pub use serve::{Bound, bind, serve};

/// Where the Manager listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// On a port.
    Tcp {
        /// The address.
        address: SocketAddr,
        /// With TLS from the daemon's certificates; in clear only on a loopback address.
        tls: bool,
    },
    /// On a Unix socket, behind a reverse proxy.
    Unix(PathBuf),
}

impl Place {
    /// The Unix socket, if it is one.
    pub fn socket(&self) -> Option<&Path> {
        match self {
            Self::Unix(path) => Some(path),
            Self::Tcp { .. } => None,
        }
    }
}

/// Settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where it listens.
    pub place: Place,
    /// What browsers see: the begin of every link.
    pub origin: Origin,
    /// Reverse proxies whose `X-Forwarded-For` counts. On a Unix socket, the one that connects is trusted.
    pub proxies: Vec<IpNet>,
    /// What one network is.
    pub network: NetworkPrefixes,
    /// Connections at the same time. A quarter is kept for networks that somebody has signed in from, and for proxies.
    pub max_connections: usize,
    /// Of these, from one network.
    pub max_per_network: usize,
}
