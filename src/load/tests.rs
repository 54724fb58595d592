//! Sessions and runs against servers that follow a script, in clear on the loopback.

mod runs;
mod sessions;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::peer::Protocol;
use crate::secret::Secret;

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(60);
/// Of tests in which the server never answers.
const SHORT: Duration = Duration::from_millis(30);

fn account() -> Account {
    Account {
        username: "anna@example.org".to_owned(),
        password: Secret::new(b"s e\"cret".to_vec()),
    }
}

fn target(address: SocketAddr, protocol: Protocol) -> Target {
    Target {
        address,
        server_name: "localhost".to_owned(),
        protocol,
        security: Security::Cleartext,
        tls: ClientTls::new(&Trust::Nobody, Offer::Default, false).unwrap(),
    }
}

/// The octets of a message.
fn whole(message: Expected) -> Vec<u8> {
    let mut octets = Vec::new();
    while (octets.len() as u64) < message.octets() {
        octets.extend_from_slice(message.run(octets.len() as u64));
    }
    octets
}

/// Serves one connection: what it says, and what it wants to hear before; a blank line of the client matches anything.
async fn script(greeting: &str, steps: Vec<(String, Vec<u8>)>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let greeting = greeting.to_owned();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        stream.write_all(greeting.as_bytes()).await.unwrap();
        for (wanted, answer) in steps {
            let mut line = String::new();
            stream.read_line(&mut line).await.unwrap();
            assert_eq!(line.trim_end(), wanted);
            stream.write_all(&answer).await.unwrap();
        }
    });
    address
}

fn steps(steps: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
    let step = |&(wanted, answer): &(&str, &str)| (wanted.to_owned(), answer.as_bytes().to_vec());
    steps.iter().map(step).collect()
}

/// Serves any number of connections with the same function of a line.
async fn server(greeting: &'static str, answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream, greeting, Arc::clone(&answer)));
        }
    });
    address
}

async fn converse(stream: TcpStream, greeting: &str, answer: Arc<impl Fn(&str) -> Vec<u8>>) {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    if stream.write_all(greeting.as_bytes()).await.is_err() {
        return;
    }
    while stream.read_line(&mut line).await.is_ok_and(|length| length > 0) {
        let said = answer(line.trim_end());
        // A literal follows: it is taken and dropped, with the end of its line.
        let literal = line.trim_end().strip_suffix('}').and_then(|line| line.rsplit_once('{'));
        if let Some(length) = literal.and_then(|(_, length)| length.parse::<usize>().ok()) {
            let _ = stream.write_all(b"+ go ahead\r\n").await;
            let mut octets = vec![0; length + 2];
            let _ = stream.read_exact(&mut octets).await;
        }
        if stream.write_all(&said).await.is_err() || line.contains("LOGOUT") || line.contains("QUIT") {
            return;
        }
        line.clear();
    }
}

/// An IMAP server to which every password but `wrong` is right.
async fn imap_server(message: Vec<u8>) -> SocketAddr {
    server("* OK [CAPABILITY IMAP4rev1 SASL-IR] ready\r\n", move |line| {
        let (tag, command) = line.split_once(' ').unwrap_or((line, ""));
        let mut said = Vec::new();
        match command.split(' ').next().unwrap_or_default() {
            "LOGOUT" => said.extend_from_slice(b"* BYE\r\n"),
            "IDLE" => return b"+ idling\r\n".to_vec(),
            "FETCH" => {
                said.extend_from_slice(format!("* 1 FETCH (BODY[] {{{}}}\r\n", message.len()).as_bytes());
                said.extend_from_slice(&message);
                said.extend_from_slice(b")\r\n");
            }
            _ => {}
        }
        // DONE has no tag: it ends the IDLE before it, the fourth command of a session.
        let tag = if line == "DONE" { "L3" } else { tag };
        said.extend_from_slice(format!("{tag} OK done\r\n").as_bytes());
        said
    })
    .await
}
