//! A byte-level client connection over TCP or TLS: sends exactly what it is told, reads lines and counted bytes.
//!
//! It knows no protocol (see `imap` and `smtp`), so that a test can also say what no real client says.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::certificates::{Certificates, SERVER_NAME};
use super::wait::PATIENCE;

/// The longest line that is read.
const MAX_LINE_BYTES: usize = 1 << 20;

enum Link {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// One connection, to 127.0.0.1 unless told otherwise. Every read waits for [`PATIENCE`] at most.
pub(crate) struct Wire {
    link: Link,
    received: Vec<u8>,
}

impl Wire {
    /// Connects without TLS.
    pub(crate) fn connect(port: u16) -> anyhow::Result<Self> {
        Self::connect_to((Ipv4Addr::LOCALHOST, port).into())
    }

    /// The same to any address.
    pub(crate) fn connect_to(address: SocketAddr) -> anyhow::Result<Self> {
        Self::over(TcpStream::connect(address).with_context(|| address.to_string())?)
    }

    /// A connection that somebody else has made.
    pub(crate) fn over(stream: TcpStream) -> anyhow::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self {
            link: Link::Plain(stream),
            received: Vec::new(),
        })
    }

    /// Connects with implicit TLS and checks the server's certificate.
    pub(crate) fn connect_tls(port: u16, certificates: &Certificates) -> anyhow::Result<Self> {
        Self::connect(port)?.into_tls(certificates)
    }

    /// Begins TLS on a connection in clear.
    ///
    /// # Errors
    /// The handshake failed, TLS is there already, or the server had sent bytes ahead.
    pub(crate) fn into_tls(self, certificates: &Certificates) -> anyhow::Result<Self> {
        self.into_tls_as(&certificates.client, SERVER_NAME)
    }

    /// The same with a client and a server name of the caller's; an address asks for no name (RFC 6066 §3).
    pub(crate) fn into_tls_as(self, client: &Arc<ClientConfig>, name: &str) -> anyhow::Result<Self> {
        if !self.received.is_empty() {
            bail!(
                "the server sent bytes ahead of TLS: {:?}",
                String::from_utf8_lossy(&self.received)
            );
        }
        let Link::Plain(mut stream) = self.link else {
            bail!("TLS is there already")
        };
        let mut tls = ClientConnection::new(Arc::clone(client), ServerName::try_from(name.to_owned())?)?;
        while tls.is_handshaking() {
            tls.complete_io(&mut stream).context("TLS handshake")?;
        }
        Ok(Self {
            link: Link::Tls(Box::new(StreamOwned::new(tls, stream))),
            received: Vec::new(),
        })
    }

    /// What TLS agreed on.
    ///
    /// # Errors
    /// The connection is in clear.
    pub(crate) fn tls(&self) -> anyhow::Result<&ClientConnection> {
        match &self.link {
            Link::Plain(_) => bail!("the connection is in clear"),
            Link::Tls(stream) => Ok(&stream.conn),
        }
    }

    /// Sends bytes in one write.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        match &mut self.link {
            Link::Plain(stream) => stream.write_all(bytes)?,
            Link::Tls(stream) => {
                stream.write_all(bytes)?;
                stream.flush()?;
            }
        }
        Ok(())
    }

    /// Reads one line, its end included.
    ///
    /// # Errors
    /// The connection ended or nothing came in time.
    pub(crate) fn line(&mut self) -> anyhow::Result<Vec<u8>> {
        loop {
            if let Some(end) = self.received.iter().position(|&byte| byte == b'\n') {
                return Ok(self.received.drain(..=end).collect());
            }
            if self.received.len() > MAX_LINE_BYTES {
                bail!("a line longer than {MAX_LINE_BYTES} octets");
            }
            if !self.fill()? {
                bail!(
                    "the server closed the connection after {:?}",
                    String::from_utf8_lossy(&self.received)
                );
            }
        }
    }

    /// Reads exactly `count` octets.
    pub(crate) fn exactly(&mut self, count: usize) -> anyhow::Result<Vec<u8>> {
        while self.received.len() < count {
            if !self.fill()? {
                bail!(
                    "the server closed the connection {} octets early",
                    count - self.received.len()
                );
            }
        }
        Ok(self.received.drain(..count).collect())
    }

    /// Reads to the end of the connection and gives what still came.
    ///
    /// # Errors
    /// It did not end in time, or TLS ended without a `close_notify`.
    pub(crate) fn rest(&mut self) -> anyhow::Result<Vec<u8>> {
        while self.fill()? {}
        Ok(std::mem::take(&mut self.received))
    }

    /// Says that nothing more will be sent, and keeps reading.
    pub(crate) fn finish(&mut self) -> anyhow::Result<()> {
        match &mut self.link {
            Link::Plain(stream) => stream.shutdown(Shutdown::Write)?,
            Link::Tls(stream) => {
                stream.conn.send_close_notify();
                stream.flush()?;
            }
        }
        Ok(())
    }

    /// Reads what there is; false at the end of the connection.
    fn fill(&mut self) -> anyhow::Result<bool> {
        let mut chunk = [0; 16 * 1024];
        loop {
            let read = match &mut self.link {
                Link::Plain(stream) => stream.read(&mut chunk),
                Link::Tls(stream) => stream.read(&mut chunk),
            };
            match read {
                Ok(count) => {
                    self.received.extend_from_slice(&chunk[..count]);
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let so_far = String::from_utf8_lossy(&self.received).into_owned();
                    return Err(io::Error::from(ErrorKind::TimedOut)).context(format!("received so far: {so_far:?}"));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}
