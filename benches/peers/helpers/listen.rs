//! Listening and TLS of the helpers.

use std::fs::File;
use std::future::Future;
use std::io::{self, BufReader};
use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::Context as _;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::{Ticketer, default_provider};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::Identity;

/// Connections that may wait to be accepted: all clients of a work connect at once.
const BACKLOG: u32 = 16_384;

/// Serves every connection on a free port of 127.0.0.1 as a task of this thread; gives the port.
pub(crate) fn serve<F: Future<Output = io::Result<()>> + 'static>(
    session: impl Fn(TcpStream) -> F + 'static,
) -> anyhow::Result<u16> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
    let listener = socket.listen(BACKLOG)?;
    let port = listener.local_addr()?.port();
    tokio::task::spawn_local(accept(listener, session));
    Ok(port)
}

async fn accept<F: Future<Output = io::Result<()>> + 'static>(listener: TcpListener, session: impl Fn(TcpStream) -> F) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // The proxies' own packets are what is measured; ours never wait.
                if stream.set_nodelay(true).is_ok() {
                    // A session that ends in an error is told by whoever was at its other end.
                    let session = session(stream);
                    tokio::task::spawn_local(async move { session.await.ok() });
                }
            }
            // No descriptor is left: accepting again at once would only spin.
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
        }
    }
}

/// TLS as the server: what the library has by default but for one ticket instead of two, like Postern, and without
/// server-side state.
pub(crate) fn acceptor(identity: &Identity) -> anyhow::Result<TlsAcceptor> {
    let mut pem = BufReader::new(File::open(&identity.certificate)?);
    let chain = CertificateDer::pem_reader_iter(&mut pem).collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(&identity.key)?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .context("the TLS provider lacks a protocol version")?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    config.ticketer = Ticketer::new()?;
    config.send_tls13_tickets = 1;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The handshake.
pub(crate) async fn secure(acceptor: &TlsAcceptor, stream: TcpStream) -> io::Result<Box<TlsStream<TcpStream>>> {
    // The future of a handshake is large, and a session must not be as large as its largest moment.
    Box::pin(acceptor.accept(stream)).await.map(Box::new)
}
