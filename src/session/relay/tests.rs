//! A relay between two loopback sockets, with the mail store's side in the test's hands.

use std::future::poll_fn;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::smtp::guard::{BareNewline, Config, Limits, SenderPolicy};

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (far, _) = listener.accept().await.unwrap();
    (near, far)
}

fn guard() -> Guard {
    Guard::new(Config {
        hostname: "mx.example".into(),
        extensions: Vec::new(),
        senders: SenderPolicy::Off,
        bare_newline: BareNewline::Refuse,
        limits: Limits::default(),
    })
}

/// What the client hears when the mail store does this to the connection after the first command.
async fn heard(end: impl FnOnce(TcpStream)) -> (Ending, String) {
    let ((mut client, down), (up, mut store)) = (pair().await, pair().await);
    let mut relay = Relay::new(Stream::Tcp(down), Stream::Tcp(up), guard(), BytesMut::new());
    let talk = async {
        client.write_all(b"NOOP\r\n").await.unwrap();
        let mut command = [0; 6];
        store.read_exact(&mut command).await.unwrap();
        assert_eq!(&command, b"NOOP\r\n");
        end(store);
        let mut heard = String::new();
        client.read_to_string(&mut heard).await.unwrap();
        heard
    };
    let serve = async {
        let ending = poll_fn(|cx| relay.poll_relay(cx)).await;
        relay.close(None, Duration::from_secs(1)).await;
        ending
    };
    tokio::join!(serve, talk)
}

#[tokio::test]
async fn a_client_is_told_when_the_mail_store_closes_or_resets() {
    for reset in [false, true] {
        let (ending, heard) = heard(|store| {
            if reset {
                socket2::SockRef::from(&store).set_linger(Some(Duration::ZERO)).unwrap();
            }
        })
        .await;
        assert_eq!(ending, Ending::Upstream);
        assert!(heard.starts_with("421 "), "reset {reset}: {heard:?}");
    }
}
