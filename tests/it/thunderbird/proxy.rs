//! The world as Thunderbird sees it: an HTTP proxy that knows a few names on port 443 and no others, and ports that lead
//! on to servers whose own is not known yet. Nothing leaves the loopback interface.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;

/// Asked for and not there.
const NOT_FOUND: &[u8] = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
/// The most header lines of a request that are passed over.
const LINES_MAX: usize = 100;

/// An HTTP proxy.
pub(super) struct Proxy {
    /// Where it listens.
    pub(super) port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Connects these names on port 443 with ports of this machine, and answers everything else with 404.
    pub(super) fn start(names: BTreeMap<String, u16>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (names, noted) = (Arc::new(names), Arc::clone(&asked));
        accept(listener, move |client| proxied(client, &names, &noted));
        Ok(Self { port, asked })
    }

    /// What was asked for so far: `CONNECT name:443`, or the URL of a request in clear.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A port that leads to another one, which is known later.
pub(super) struct Door {
    /// Where it listens.
    pub(super) port: u16,
    leads_to: Arc<OnceLock<u16>>,
}

impl Door {
    pub(super) fn open() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let leads_to = Arc::new(OnceLock::new());
        let known = Arc::clone(&leads_to);
        accept(listener, move |client| match known.get() {
            Some(port) => join(&client, &TcpStream::connect((Ipv4Addr::LOCALHOST, *port))?),
            None => Ok(()),
        });
        Ok(Self { port, leads_to })
    }

    /// From now on it leads there.
    pub(super) fn lead_to(&self, port: u16) {
        self.leads_to.set(port).ok();
    }
}

/// Serves each client in a thread of its own, for as long as the test runs.
fn accept(listener: TcpListener, serve: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static) {
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let serve = Arc::clone(&serve);
            // A client that has gone is nobody's fault.
            thread::spawn(move || serve(client).ok());
        }
    });
}

fn proxied(mut client: TcpStream, names: &BTreeMap<String, u16>, asked: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut words = first.split_ascii_whitespace();
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let told = format!("{method} {target}");
    asked.lock().unwrap_or_else(PoisonError::into_inner).push(told);
    for _ in 0..LINES_MAX {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
    }
    let known = target.strip_suffix(":443").and_then(|name| names.get(name));
    let Some(port) = known.filter(|_| method == "CONNECT") else {
        return client.write_all(NOT_FOUND);
    };
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, *port))?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    join(&client, &server)
}

/// Copies both ways until both ends are done. A client says nothing behind its CONNECT before it has its answer.
fn join(client: &TcpStream, server: &TcpStream) -> io::Result<()> {
    let copy = |mut from: &TcpStream, mut to: &TcpStream| {
        io::copy(&mut from, &mut to).ok();
        to.shutdown(Shutdown::Write).ok();
    };
    thread::scope(|scope| {
        scope.spawn(|| copy(client, server));
        copy(server, client);
    });
    Ok(())
}
