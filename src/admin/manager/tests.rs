//! A real listener, asked over real sockets.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::client::Neighbour;
use super::guards::local_path;
use super::places::Places;
use super::serve::answer;
use super::*;
use crate::clock::Clock;
use crate::metrics::Metrics;

struct Site {
    address: SocketAddr,
    origin: Origin,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
}

fn sorry(_: &str, status: StatusCode) -> Response {
    (
        status,
        [("content-type", "text/plain")],
        format!("sorry {}", status.as_u16()),
    )
        .into_response()
}

async fn site(max_per_network: usize) -> Site {
    let config = |origin: &str| Config {
        place: Place::Tcp {
            address: "127.0.0.1:0".parse().unwrap(),
            tls: false,
        },
        origin: Origin::parse(origin).unwrap(),
        proxies: Vec::new(),
        network: NetworkPrefixes::default(),
        max_connections: 8,
        max_per_network,
    };
    let bound = bind(&config("http://127.0.0.1")).await.unwrap();
    let address = bound.address().unwrap().unwrap();
    let config = config(&format!("http://{address}"));
    let metrics = Arc::new(Metrics::new());
    let router = Router::new()
        .route("/", get(async || "page"))
        .route("/form/{secret}", post(async |body: String| body))
        .route("/defect", get(async || -> &'static str { panic!("a defect") }))
        .route(
            "/signed-in",
            get(async |axum::Extension(network): axum::Extension<OwnNetwork>| network.note()),
        )
        .route(
            "/who",
            get(async |axum::Extension(client): axum::Extension<ClientAddress>| client.0.to_string()),
        );
    let router = guarded(router, &config.origin, Arc::clone(&metrics), Clock::system(), sorry).unwrap();
    let stop = CancellationToken::new();
    let (origin, stopped) = (config.origin.clone(), stop.clone());
    tokio::spawn(async move { serve(bound, &config, None, router, Clock::system(), stopped).await });
    Site {
        address,
        origin,
        metrics,
        stop,
    }
}

impl Site {
    async fn ask(&self, head: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let length = body.len();
        let request = format!("{head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    /// Asks and keeps the connection open; nothing where it is closed without a word.
    async fn hold(&self, path: &str) -> Option<TcpStream> {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", self.origin.authority());
        // A connection that is closed at once may be so before the request is written.
        stream.write_all(request.as_bytes()).await.ok()?;
        stream.read_exact(&mut [0; 1]).await.ok().map(|_| stream)
    }

    async fn get(&self, path: &str) -> String {
        self.ask(&format!("GET {path} HTTP/1.1\r\nhost: {}", self.origin.authority()), "")
            .await
    }

    async fn post(&self, headers: &str, body: &str) -> String {
        let host = self.origin.authority();
        self.ask(&format!("POST /form/kqzm HTTP/1.1\r\nhost: {host}{headers}"), body)
            .await
    }
}

fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or(answer)
}

#[tokio::test]
async fn every_answer_forbids_what_no_page_of_ours_needs() {
    let site = site(8).await;
    for path in ["/", "/nowhere", "/defect"] {
        let answer = site.get(path).await.to_ascii_lowercase();
        for header in [
            "content-security-policy: default-src 'none'",
            "frame-ancestors 'none'",
            "x-content-type-options: nosniff",
            "referrer-policy: same-origin",
            "cache-control: no-store",
        ] {
            assert!(answer.contains(header), "{path}: {header} is not in {answer}");
        }
        assert!(!answer.contains("strict-transport-security"), "the origin has no TLS");
    }
    assert!(site.get("/nowhere").await.ends_with("sorry 404"));
    assert!(site.get("/defect").await.ends_with("sorry 500"));
    assert!(
        site.get("/").await.ends_with("page"),
        "a defect is the end of one request only"
    );
}

#[tokio::test]
async fn a_request_for_another_host_is_refused() {
    let site = site(8).await;
    let other = site.ask("GET / HTTP/1.1\r\nhost: evil.example", "").await;
    assert!(status(&other) == "421" && !other.contains("evil"), "{other}");
    let absolute = site
        .ask("GET http://evil.example/ HTTP/1.1\r\nhost: evil.example", "")
        .await;
    assert_eq!(status(&absolute), "421");
}

#[tokio::test]
async fn forms_of_other_sites_are_refused() {
    let site = site(8).await;
    let ours = format!("\r\norigin: {}", site.origin);
    for (headers, expected) in [
        ("\r\nsec-fetch-site: same-origin", "200"),
        (ours.as_str(), "200"),
        ("", "200"),
        ("\r\nsec-fetch-site: cross-site", "403"),
        ("\r\nsec-fetch-site: same-site", "403"),
        ("\r\norigin: https://evil.example", "403"),
        ("\r\norigin: null", "403"),
    ] {
        let answer = site.post(headers, "x=1").await;
        assert_eq!(status(&answer), expected, "{headers}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused() {
    let site = site(8).await;
    let answer = site.post("", &"x".repeat(guards::BODY_BYTES + 1)).await;
    assert_eq!(status(&answer), "413");
}

#[tokio::test]
async fn what_is_counted_names_the_route_and_never_the_path() {
    let site = site(8).await;
    site.post("", "x=1").await;
    let metrics = site.metrics.encode();
    assert!(metrics.contains(r#"route="/form/{secret}""#), "{metrics}");
    assert!(!metrics.contains("kqzm"));
}

#[tokio::test]
async fn one_network_cannot_take_all_connections() {
    let site = site(2).await;
    let mut held = vec![site.hold("/").await.unwrap(), site.hold("/").await.unwrap()];
    assert!(site.hold("/").await.is_none());
    // A place is free again once its connection has ended.
    drop(held.pop());
    loop {
        let mut stream = TcpStream::connect(site.address).await.unwrap();
        let request = format!(
            "GET /who HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
            site.origin.authority()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        if stream.read_to_string(&mut answer).await.is_ok_and(|octets| octets > 0) {
            assert!(answer.ends_with("127.0.0.1"), "{answer}");
            break;
        }
    }
}

#[tokio::test]
async fn open_connections_do_not_hold_a_stop() {
    let site = site(8).await;
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    let request = format!("GET / HTTP/1.1\r\nhost: {}\r\n\r\n", site.origin.authority());
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.read_exact(&mut [0; 1]).await.unwrap();
    site.stop.cancel();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
}

#[test]
fn one_is_led_on_to_paths_of_ours_only() {
    for good in ["/me", "/o/org-1/devices?page=2", "/"] {
        assert_eq!(local_path(good), Some(good));
    }
    for bad in [
        "",
        "me",
        "//evil.example",
        "/\\evil.example",
        "https://evil.example/",
        "/\tx",
        "/a\r\nb",
        "javascript:x",
    ] {
        assert_eq!(local_path(bad), None, "{bad:?}");
    }
}

#[tokio::test]
async fn some_places_are_for_networks_that_somebody_signed_in_from() {
    let site = site(8).await;
    let mut held = Vec::new();
    for _ in 0..6 {
        held.push(site.hold("/").await.unwrap());
    }
    assert!(site.hold("/").await.is_none(), "a stranger");
    // By a connection that is open already.
    let stream = held.first_mut().unwrap();
    let request = format!("GET /signed-in HTTP/1.1\r\nhost: {}\r\n\r\n", site.origin.authority());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    while read.windows(4).filter(|end| end == b"\r\n\r\n").count() < 2 {
        assert!(stream.read_buf(&mut read).await.unwrap() > 0);
    }
    held.push(site.hold("/").await.unwrap());
    held.push(site.hold("/").await.unwrap());
    assert!(site.hold("/").await.is_none(), "all are taken");
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_for_much_and_reads_nothing_is_let_go() {
    let config = Config {
        place: Place::Unix("/nowhere".into()),
        origin: Origin::parse("https://manager.example.org").unwrap(),
        proxies: Vec::new(),
        network: NetworkPrefixes::default(),
        max_connections: 8,
        max_per_network: 8,
    };
    let place = Places::new(&config, Clock::system()).take(Neighbour::Unix).unwrap();
    let router = Router::new().route("/", get(async || "page".repeat(100_000)));
    let (near, mut far): (DuplexStream, DuplexStream) = tokio::io::duplex(4096);
    let asked = "GET / HTTP/1.1\r\nhost: x\r\n\r\n".repeat(20);
    far.write_all(asked.as_bytes()).await.unwrap();
    let ended = answer(near, router, &place, CancellationToken::new()).await;
    assert!(ended.unwrap_err().to_string().contains("error writing"));
    drop(far);
}
