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

#[tokio::test]
async fn a_large_message_reaches_a_slow_mail_store_to_the_octet() {
    let ((mut client, down), (up, mut store)) = (pair().await, pair().await);
    let mut relay = Relay::new(Stream::Tcp(down), Stream::Tcp(up), guard(), BytesMut::new());
    // More than the kernel holds for a store that does not read; lines of odd lengths end in every place of a read.
    let lines = (0..400_000).map(|n| format!("{}{}\r\n", if n % 999 == 0 { ".." } else { "" }, "x".repeat(n % 61)));
    let message: String = lines.chain([".\r\n".to_owned()]).collect();
    let wanted = message.clone();
    let sending = tokio::spawn(async move {
        client.write_all(b"DATA\r\n").await.unwrap();
        let mut answer = [0; 8];
        client.read_exact(&mut answer).await.unwrap();
        client.write_all(message.as_bytes()).await.unwrap();
        client.write_all(b"QUIT\r\n").await.unwrap();
        let mut heard = String::new();
        client.read_to_string(&mut heard).await.unwrap();
        heard
    });
    let taking = async {
        let mut command = [0; 6];
        store.read_exact(&mut command).await.unwrap();
        store.write_all(b"354 go\r\n").await.unwrap();
        let mut taken = vec![0; wanted.len()];
        for part in taken.chunks_mut(100_000) {
            tokio::task::yield_now().await;
            store.read_exact(part).await.unwrap();
        }
        store.write_all(b"250 ok\r\n").await.unwrap();
        store.read_exact(&mut command).await.unwrap();
        assert_eq!(&command, b"QUIT\r\n");
        store.write_all(b"221 bye\r\n").await.unwrap();
        taken
    };
    let serve = async {
        let ending = poll_fn(|cx| relay.poll_relay(cx)).await;
        (ending, relay.close(None, Duration::from_secs(1)).await)
    };
    let ((ending, moved), taken) = tokio::join!(serve, taking);
    assert!(taken == wanted.as_bytes());
    assert_eq!((ending, moved.messages), (Ending::Client, 1));
    assert_eq!(moved.up, (b"DATA\r\nQUIT\r\n".len() + wanted.len()) as u64);
    assert_eq!(sending.await.unwrap(), "250 ok\r\n221 bye\r\n");
}
