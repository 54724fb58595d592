//! Opens the socket to a mail store, with TLS where it comes first.
//!
//! All addresses of a name are tried, in the order that the system's resolver gives (RFC 6724), each with its share of
//! the time, so that one dead address of two costs a delay and not the login.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::time::timeout;

use crate::tls::Stream;

use super::route::{Endpoint, Service};

/// Addresses of one name that are tried.
const MAX_ADDRESSES: usize = 8;
/// Silence after which the kernel asks whether a spliced connection's other end still lives. IMAP IDLE is silent for
/// half an hour, and firewalls forget connections sooner.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(120);
/// Between two unanswered questions.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(30);

/// Connects without TLS.
pub(super) async fn open(service: &Service) -> io::Result<Stream> {
    match &service.endpoint {
        Endpoint::Unix(path) => UnixStream::connect(path).await.map(Stream::Unix),
        Endpoint::Tcp { host, port } => {
            let addresses: Vec<_> = lookup_host((host.as_str(), *port)).await?.take(MAX_ADDRESSES).collect();
            let tcp = open_first(&addresses, service.connect_timeout).await?;
            tcp.set_nodelay(true)?;
            let keepalive = TcpKeepalive::new()
                .with_time(KEEPALIVE_AFTER)
                .with_interval(KEEPALIVE_EVERY);
            SockRef::from(&tcp).set_tcp_keepalive(&keepalive)?;
            Ok(Stream::Tcp(tcp))
        }
    }
}

/// One share of the time is left over for TLS and the greeting of the last address.
async fn open_first(addresses: &[SocketAddr], limit: Duration) -> io::Result<TcpStream> {
    let shares = u32::try_from(addresses.len()).unwrap_or(u32::MAX).saturating_add(1);
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        match timeout(limit / shares, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => failure = error,
            Err(_) => failure = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(failure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_next_address_is_tried_when_one_refuses() {
        let dead = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let live = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addresses = [dead.local_addr().unwrap(), live.local_addr().unwrap()];
        drop(dead);
        let stream = open_first(&addresses, Duration::from_secs(10)).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), addresses[1]);
        let refused = open_first(&addresses[..1], Duration::from_secs(10)).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        assert!(open_first(&[], Duration::from_secs(10)).await.is_err());
    }
}
