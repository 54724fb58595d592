//! `splice`: rustls in front of a blind copy to the store, two buffers of 16 KiB a session. No proxy can do less.

use tokio::io::copy_bidirectional_with_sizes;
use tokio::net::TcpStream;

use super::{Ports, Settings, listen};

/// Octets of each of the two buffers: one TLS record.
const BUFFER_BYTES: usize = 16_384;

/// Starts to listen.
pub(super) async fn serve(settings: &Settings) -> anyhow::Result<Ports> {
    Ok(Ports {
        imap: listen_before(settings, settings.imap)?,
        smtp: listen_before(settings, settings.smtp)?,
        ..Ports::default()
    })
}

fn listen_before(settings: &Settings, upstream: u16) -> anyhow::Result<u16> {
    let acceptor = listen::acceptor(&settings.identity)?;
    listen::serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let mut downstream = listen::secure(&acceptor, stream).await?;
            let mut upstream = TcpStream::connect(("127.0.0.1", upstream)).await?;
            upstream.set_nodelay(true)?;
            copy_bidirectional_with_sizes(&mut downstream, &mut upstream, BUFFER_BYTES, BUFFER_BYTES).await?;
            Ok(())
        }
    })
}
