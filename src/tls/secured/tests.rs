//! Both ends over loopback: ours against the library's own buffered connections, with streams that are awkward.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use rustls::server::UnbufferedServerConnection;
use rustls::{ClientConfig, Error, version};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::super::testing::{Ca, credulous_verifier};
use super::super::{Acceptor, Certificates, Config, Stream, Version, provider};
use super::*;

type Ours = Secured<UnbufferedServerConnection>;

/// Our end as the server and the library's as the client, after the handshake.
async fn pair(version: &'static rustls::SupportedProtocolVersion) -> (Box<Ours>, TlsStream<TcpStream>) {
    let ca = Ca::new();
    let issued = ca.issue("a", &["mail.example.org"]);
    let certificates = Certificates::load(&Config {
        certificates: vec![issued.files.clone()],
        min_version: Version::Tls12,
    });
    let acceptor = Acceptor::new(certificates.unwrap(), b"imap").unwrap();
    let mut client = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[version])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(credulous_verifier(&[rustls::SignatureScheme::ECDSA_NISTP256_SHA256]))
        .with_no_client_auth();
    client.enable_secret_extraction = true;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client_end = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let server_end = listener.accept().await.unwrap().0;
    let name = ServerName::try_from("mail.example.org").unwrap();
    let connector = TlsConnector::from(Arc::new(client));
    let (server, client) = tokio::join!(acceptor.accept(server_end), connector.connect(name, client_end));
    let (Stream::Server(server), _) = server.unwrap() else {
        panic!("not a server's stream")
    };
    (server, client.unwrap())
}

/// Octets without a pattern that a shifted or repeated block would keep.
fn octets(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}

fn holds_nothing(ours: &Ours) -> bool {
    ours.held.capacity() == 0 && ours.unsent.capacity() == 0 && ours.opened.is_released()
}

async fn receive(ours: &mut Ours) -> io::Result<Vec<u8>> {
    let mut received = Vec::new();
    let count = poll_fn(|cx| {
        ours.poll_receive(cx, |_, octets| {
            received.extend_from_slice(octets);
            Ok(())
        })
    })
    .await?;
    assert_eq!(count, received.len());
    Ok(received)
}

#[tokio::test]
async fn octets_cross_unchanged_whatever_the_sizes_of_reads_and_writes() {
    for version in [&version::TLS12, &version::TLS13] {
        let (mut ours, theirs) = pair(version).await;
        let sent = octets(3_000_000);
        let (mut read, mut write) = tokio::io::split(theirs);
        let echo = tokio::spawn(async move { tokio::io::copy(&mut read, &mut write).await });
        // Everything goes out while nothing is read, as far as the sockets take it, and then in both directions.
        let (mut out, mut back, mut size) = (0, Vec::new(), 1);
        while back.len() < sent.len() {
            let mut into = vec![0; size % 5000 + 1];
            poll_fn(|cx| {
                let chunk = &sent[out..(out + size).min(sent.len())];
                let written = Pin::new(&mut *ours).poll_write(cx, chunk).map(Result::unwrap);
                let mut buffer = ReadBuf::new(&mut into);
                let read = Pin::new(&mut *ours).poll_read(cx, &mut buffer).map(Result::unwrap);
                back.extend_from_slice(buffer.filled());
                if let Poll::Ready(octets) = written {
                    out += octets;
                }
                let is_stuck = (written.is_pending() || chunk.is_empty()) && read.is_pending();
                if is_stuck { Poll::Pending } else { Poll::Ready(()) }
            })
            .await;
            size = (size * 7 + 3) % 200_000;
        }
        assert!(back == sent);
        assert!(holds_nothing(&ours));
        echo.abort();
    }
}

#[tokio::test]
async fn records_that_come_in_pieces_are_opened_when_they_are_whole() {
    let (mut ours, theirs) = pair(&version::TLS13).await;
    let (mut tcp, mut library) = theirs.into_inner();
    let sent = octets(40_000);
    io::Write::write_all(&mut library.writer(), &sent).unwrap();
    let mut sealed = Vec::new();
    while library.wants_write() {
        library.write_tls(&mut sealed).unwrap();
    }
    let sending = tokio::spawn(async move {
        tcp.set_nodelay(true).unwrap();
        for piece in sealed.chunks(977) {
            tcp.write_all(piece).await.unwrap();
            tokio::task::yield_now().await;
        }
        tcp
    });
    let mut received = Vec::new();
    while received.len() < sent.len() {
        received.extend(receive(&mut ours).await.unwrap());
    }
    assert!(received == sent);
    let mut tcp = sending.await.unwrap();
    assert!(holds_nothing(&ours));
    tcp.shutdown().await.unwrap();
    assert_eq!(
        receive(&mut ours).await.unwrap_err().kind(),
        io::ErrorKind::UnexpectedEof
    );
}

#[tokio::test]
async fn keys_are_changed_when_the_other_side_asks_for_it() {
    let (mut ours, mut theirs) = pair(&version::TLS13).await;
    for _ in 0..3 {
        theirs.get_mut().1.refresh_traffic_keys().unwrap();
        theirs.write_all(b"asked").await.unwrap();
        theirs.flush().await.unwrap();
        let mut words = [0; 5];
        ours.read_exact(&mut words).await.unwrap();
        ours.write_all(&words).await.unwrap();
        theirs.read_exact(&mut words).await.unwrap();
        assert_eq!(&words, b"asked");
    }
    assert!(holds_nothing(&ours));
}

#[tokio::test]
async fn what_the_other_side_said_before_it_closed_arrives_and_it_can_still_be_answered() {
    let (mut ours, mut theirs) = pair(&version::TLS13).await;
    theirs.write_all(b"a LOGOUT\r\n").await.unwrap();
    theirs.shutdown().await.unwrap();
    assert_eq!(receive(&mut ours).await.unwrap(), b"a LOGOUT\r\n");
    assert_eq!(receive(&mut ours).await.unwrap(), b"");
    ours.write_all(b"* BYE\r\n").await.unwrap();
    ours.shutdown().await.unwrap();
    let mut rest = Vec::new();
    theirs.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"* BYE\r\n");
}

#[tokio::test]
async fn a_record_that_was_changed_on_the_way_ends_the_connection_with_an_alert() {
    let (mut ours, theirs) = pair(&version::TLS13).await;
    let (mut tcp, mut library) = theirs.into_inner();
    io::Write::write_all(&mut library.writer(), b"a NOOP\r\n").unwrap();
    let mut sealed = Vec::new();
    library.write_tls(&mut sealed).unwrap();
    *sealed.last_mut().unwrap() ^= 1;
    tcp.write_all(&sealed).await.unwrap();
    for _ in 0..2 {
        assert_eq!(receive(&mut ours).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
    let _ = ours.shutdown().await;
    drop(ours);
    let mut answer = Vec::new();
    tcp.read_to_end(&mut answer).await.unwrap();
    library.read_tls(&mut answer.as_slice()).unwrap();
    let told = loop {
        match library.process_new_packets() {
            Ok(_) => {
                library.read_tls(&mut answer.as_slice()).unwrap();
            }
            Err(error) => break error,
        }
    };
    assert_eq!(told, Error::AlertReceived(rustls::AlertDescription::BadRecordMac));
}

#[tokio::test]
async fn the_ticket_leaves_together_with_the_first_words() {
    let (mut ours, _theirs) = pair(&version::TLS13).await;
    assert!(!ours.unsent.is_empty());
    let waker = Waker::noop();
    assert!(
        Pin::new(&mut *ours)
            .poll_write(&mut Context::from_waker(waker), b"* OK\r\n")
            .is_ready()
    );
    assert!(ours.unsent.is_empty());
}

#[tokio::test]
async fn a_reader_that_does_not_read_makes_us_keep_one_write_and_no_more() {
    let (mut ours, _theirs) = pair(&version::TLS13).await;
    let mut context = Context::from_waker(Waker::noop());
    let block = vec![b'x'; 4 * WRITE_BYTES];
    for _ in 0..10_000 {
        if Pin::new(&mut *ours).poll_write(&mut context, &block).is_pending() {
            assert!(ours.unsent.len() > JOINED_BYTES && ours.unsent.len() <= WRITE_BYTES + OVERHEAD_BYTES);
            return;
        }
    }
    panic!("the socket took everything");
}

#[tokio::test]
async fn a_handshake_message_without_end_ends_the_connection_in_order() {
    let (mut ours, theirs) = pair(&version::TLS13).await;
    let (mut tcp, library) = theirs.into_inner();
    let secrets = library.dangerous_extract_secrets().unwrap();
    let rustls::ConnectionTrafficSecrets::Aes256Gcm { key, iv } = secrets.tx.1 else {
        panic!("another suite was negotiated")
    };
    let key = aws_lc_rs::aead::UnboundKey::new(&aws_lc_rs::aead::AES_256_GCM, key.as_ref()).unwrap();
    let key = aws_lc_rs::aead::LessSafeKey::new(key);
    // A header that announces 65,280 octets, and then one octet a record: never whole, never too long for the library.
    let content = [24, 0, 0xff, 0].into_iter().chain(std::iter::repeat_n(b'x', 4000));
    let mut flood = Vec::new();
    for (number, octet) in (secrets.tx.0..).zip(content) {
        let header = [23, 3, 3, 0, 18];
        let mut nonce: [u8; 12] = iv.as_ref().try_into().unwrap();
        for (place, number) in nonce[4..].iter_mut().zip(number.to_be_bytes()) {
            *place ^= number;
        }
        let mut sealed = vec![octet, 22];
        let (nonce, header) = (aws_lc_rs::aead::Nonce::assume_unique_for_key(nonce), &header[..]);
        key.seal_in_place_append_tag(nonce, aws_lc_rs::aead::Aad::from(header), &mut sealed)
            .unwrap();
        flood.extend_from_slice(header);
        flood.extend(sealed);
    }
    let sending = tokio::spawn(async move {
        // It may be cut while it still sends.
        let _ = tcp.write_all(&flood).await;
        tcp
    });
    let error = receive(&mut ours).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string()),
        (io::ErrorKind::InvalidData, too_long().to_string())
    );
    ours.shutdown().await.unwrap();
    drop(sending.await);
}

#[tokio::test]
async fn a_side_that_stops_reading_is_still_heard_and_so_are_its_last_words() {
    let (mut ours, mut theirs) = pair(&version::TLS13).await;
    let block = vec![b'x'; WRITE_BYTES];
    let mut context = Context::from_waker(Waker::noop());
    let mut sent = 0;
    while let Poll::Ready(written) = Pin::new(&mut *ours).poll_write(&mut context, &block) {
        sent += written.unwrap();
    }
    theirs.write_all(b"* 1 EXISTS\r\n").await.unwrap();
    theirs.flush().await.unwrap();
    assert_eq!(receive(&mut ours).await.unwrap(), b"* 1 EXISTS\r\n");
    // It goes on where it was read, to the octet.
    let mut taken = vec![0; sent];
    let taking = async {
        theirs.read_exact(&mut taken).await.unwrap();
        theirs.write_all(b"* BYE\r\n").await.unwrap();
        theirs.shutdown().await.unwrap();
        theirs
    };
    let (theirs, flushed) = tokio::join!(taking, ours.flush());
    flushed.unwrap();
    assert!(taken.iter().all(|octet| *octet == b'x'));
    drop(theirs);
    // Whoever writes on finds the connection gone, and reads all the same why.
    while let Poll::Ready(Ok(_)) = Pin::new(&mut *ours).poll_write(&mut context, b"x") {
        tokio::task::yield_now().await;
    }
    assert_eq!(receive(&mut ours).await.unwrap(), b"* BYE\r\n");
}
