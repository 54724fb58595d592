//! What programs ask under which names, through everything that stands in front of the pages, over a real store.

use std::time::Duration;

use axum::http::HeaderMap;
use axum::routing::get;

use super::*;
use crate::admin::pages::tests::kit::{Log, Site};
use crate::admin::{self};
use crate::metrics::HttpLabel;
use crate::onboard::Service;

const AUTOCONFIG: &str = "/mail/config-v1.1.xml";
const POX: &str = "/autodiscover/autodiscover.xml";
const JSON: &str = "/autodiscover/autodiscover.json";
const PACC: &str = "/.well-known/user-agent-configuration.json";
const OUTLOOK: &str = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";
const MOBILE: &str = "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006";

struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A Manager at `manager.example.org`, with the mail domains `example.org` and `acme.example`.
struct Offered {
    site: Site,
    router: Router,
}

impl Offered {
    async fn new() -> Self {
        Self::with(993).await
    }

    async fn with(imap: u16) -> Self {
        let site = Site::new().await;
        let directory = site.directory();
        directory
            .create_domain(&site.machine, &site.acme, "acme.example")
            .await
            .unwrap();
        let service = |port| {
            Some(Service {
                host: "mail.example.org".to_owned(),
                port,
                implicit_tls: true,
            })
        };
        let parts = Parts {
            store: Arc::clone(&site.store) as _,
            settings: Settings {
                provider: "Example Mail".to_owned(),
                imap: service(imap),
                smtp: service(465),
            },
            origin: site.origin.clone(),
            metrics: Arc::clone(&site.metrics),
            clock: site.clock.clone(),
        };
        let rest = Router::new().route("/", get(async || "a page"));
        let rest = manager::guarded(
            rest,
            &site.origin,
            Arc::clone(&site.metrics),
            site.clock.clone(),
            admin::sorry,
        );
        let router = in_front(parts, rest.unwrap());
        Self { site, router }
    }

    async fn ask(&self, method: &str, host: &str, path: &str, body: &str) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", host)
            .header("authorization", "Basic YW5uYTprcTd2MnpSECRET")
            .body(Body::from(body.to_owned()))
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body::to_bytes(body, 1 << 20).await.unwrap();
        Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            text: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    async fn get(&self, host: &str, path: &str) -> Answer {
        self.ask("GET", host, path, "").await
    }

    async fn post(&self, host: &str, address: &str, schema: &str) -> Answer {
        self.ask("POST", host, POX, &pox(address, schema)).await
    }

    fn counted(&self, route: &str, status: u16) -> u64 {
        let label = HttpLabel::new(route, status);
        self.site.metrics.http_requests.get_or_create(&label).get()
    }
}

fn pox(address: &str, schema: &str) -> String {
    format!(
        "<Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006\"><Request>\
         <EMailAddress>{address}</EMailAddress><AcceptableResponseSchema>{schema}</AcceptableResponseSchema></Request>\
         </Autodiscover>"
    )
}

#[tokio::test]
async fn autoconfig_answers_under_every_name_of_a_domain() {
    let offered = Offered::new().await;
    let expected = offered.get("autoconfig.acme.example", AUTOCONFIG).await;
    assert_eq!(
        (expected.status, expected.header("content-type")),
        (200, autoconfig::MEDIA_TYPE)
    );
    assert!(
        expected.text.contains("<domain>acme.example</domain>"),
        "{}",
        expected.text
    );
    for (host, path) in [
        (
            "acme.example",
            "/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress=anna%40acme.example",
        ),
        (
            "AutoConfig.Acme.Example:8443",
            "/Mail/Config-v1.1.XML?emailaddress=EVOLUTIONUSER%40acme.example",
        ),
        (
            "autoconfig.acme.example",
            "/mail/config-v1.1.xml?emailaddress=nobody%40acme.example",
        ),
        ("autoconfig.acme.example", "/v1.1/mail/config-v1.1.xml?emailaddress="),
        // One name under the domain of the mail exchanger serves all domains; so does the Manager's own.
        (
            "autoconfig.provider.example",
            "/mail/config-v1.1.xml?emailaddress=anna%40acme.example",
        ),
        (
            "manager.example.org",
            "/mail/config-v1.1.xml?emailaddress=anna%40acme.example",
        ),
    ] {
        let answer = offered.get(host, path).await;
        assert_eq!((answer.status, &answer.text), (200, &expected.text), "{host}{path}");
    }
}

#[tokio::test]
async fn nobody_learns_which_mailboxes_exist() {
    let offered = Offered::new().await;
    for local in ["contact", "nobody", "%25EMAILADDRESS%25", "a+b", "", "%00"] {
        let path = format!("{AUTOCONFIG}?emailaddress={local}%40example.org");
        let (this, other) = (
            offered.get("autoconfig.example.org", &path).await,
            offered.get("autoconfig.example.org", AUTOCONFIG).await,
        );
        assert_eq!((this.status, this.text), (200, other.text), "{local}");
        assert_eq!(this.headers, other.headers, "{local}");
    }
    let known = offered.post("example.org", "contact@example.org", OUTLOOK).await;
    let unknown = offered.post("example.org", "nobody@example.org", OUTLOOK).await;
    assert_eq!((known.status, unknown.status), (200, 200));
    assert_eq!(known.text.replace("contact@", "nobody@"), unknown.text);
    let json = async |local: &str| {
        let path = format!("{JSON}?Email={local}%40example.org&Protocol=AutodiscoverV1");
        offered.get("autodiscover.example.org", &path).await.text
    };
    assert_eq!(json("contact").await, json("nobody").await);
}

#[tokio::test]
async fn a_domain_that_nobody_here_has_is_unknown() {
    let offered = Offered::new().await;
    for (host, path) in [
        ("autoconfig.other.example", AUTOCONFIG),
        ("other.example", AUTOCONFIG),
        (
            "autoconfig.provider.example",
            "/mail/config-v1.1.xml?emailaddress=anna%40other.example",
        ),
        (
            "autoconfig.acme.example",
            "/mail/config-v1.1.xml?emailaddress=anna%40other.example",
        ),
        // A stranger's name is no place to ask at, whatever is asked for.
        (
            "other.example",
            "/mail/config-v1.1.xml?emailaddress=anna%40acme.example",
        ),
        (
            "mail.acme.example",
            "/mail/config-v1.1.xml?emailaddress=anna%40acme.example",
        ),
        ("manager.example.org", AUTOCONFIG),
        ("127.0.0.1", AUTOCONFIG),
        ("ua-auto-config.other.example", PACC),
        ("autodiscover.other.example", JSON),
        ("autodiscover.other.example", POX),
        ("", AUTOCONFIG),
    ] {
        let answer = offered.get(host, path).await;
        assert_eq!(answer.status, 404, "{host}{path}: {}", answer.text);
        assert!(answer.text.starts_with("This is not a mail domain of this service."));
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    assert_eq!(
        offered
            .post("autodiscover.provider.example", "anna@other.example", OUTLOOK)
            .await
            .status,
        404
    );
    // A domain that is added is there within seconds, and one that is removed is gone.
    let (site, host) = (&offered.site, "autoconfig.other.example");
    let directory = site.directory();
    directory
        .create_domain(&site.machine, &site.acme, "other.example")
        .await
        .unwrap();
    site.clock.advance(known::KEPT);
    assert_eq!(offered.get(host, AUTOCONFIG).await.status, 200);
    directory.delete_domain(&site.machine, "other.example").await.unwrap();
    site.clock.advance(known::KEPT);
    assert_eq!(offered.get(host, AUTOCONFIG).await.status, 404);
}

#[tokio::test]
async fn autodiscover_answers_what_outlook_asks() {
    let offered = Offered::new().await;
    for (host, path) in [
        ("autodiscover.acme.example", POX),
        ("acme.example", "/AutoDiscover/AutoDiscover.xml"),
        ("autodiscover.provider.example", "/Autodiscover/Autodiscover.xml"),
        ("manager.example.org", POX),
    ] {
        let answer = offered
            .ask("POST", host, path, &pox("Anna@acme.example", OUTLOOK))
            .await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, autodiscover::MEDIA_TYPE),
            "{host}"
        );
        assert!(
            answer.text.contains("<LoginName>anna@acme.example</LoginName>"),
            "{}",
            answer.text
        );
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    // Without an address that can be used there is no name in the answer; nor for those that ask by GET.
    let nameless = offered
        .post("autodiscover.acme.example", "&lt;x&gt;@@acme.example", OUTLOOK)
        .await;
    let by_get = offered.get("autodiscover.acme.example", POX).await;
    assert_eq!((nameless.status, by_get.status), (200, 200));
    assert_eq!(nameless.text, by_get.text);
    assert!(!by_get.text.contains("LoginName") && by_get.text.contains("<Type>IMAP</Type>"));
}

#[tokio::test]
async fn what_autodiscover_does_not_have_gets_its_error() {
    let offered = Offered::new().await;
    let host = "autodiscover.acme.example";
    for (body, code) in [
        (pox("anna@acme.example", MOBILE), "601"),
        (pox("anna@acme.example", "http://example.org/"), "601"),
        (String::new(), "600"),
        ("<Autodiscover>".to_owned(), "600"),
        (
            "<!DOCTYPE a [<!ENTITY x \"y\">]><Autodiscover>&x;</Autodiscover>".to_owned(),
            "600",
        ),
    ] {
        let answer = offered.ask("POST", host, POX, &body).await;
        assert_eq!(answer.status, 200, "{body}");
        assert!(
            answer.text.contains(&format!("<ErrorCode>{code}</ErrorCode>")),
            "{body}: {}",
            answer.text
        );
    }
    let long = format!("{}{}", pox("anna@acme.example", OUTLOOK), " ".repeat(BODY_BYTES));
    assert_eq!(offered.ask("POST", host, POX, &long).await.status, 413);
    let fits = format!("{:<1$}", pox("anna@acme.example", OUTLOOK), BODY_BYTES);
    assert_eq!(offered.ask("POST", host, POX, &fits).await.status, 200);
}

#[tokio::test]
async fn version_2_leads_to_version_1_on_the_same_host() {
    let offered = Offered::new().await;
    let url = |answer: &Answer| -> String {
        let json: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
        json.get("Url").unwrap().as_str().unwrap().to_owned()
    };
    for (host, path, at) in [
        (
            "autodiscover.acme.example",
            "?Email=anna%40acme.example&Protocol=Autodiscoverv1&RedirectCount=1",
            "autodiscover.acme.example",
        ),
        (
            "Autodiscover.Acme.example:8443",
            "/v1.0/anna%40acme.example?Protocol=AutodiscoverV1",
            "autodiscover.acme.example",
        ),
        (
            "autodiscover.stranger.example",
            "?Email=anna%40acme.example&Protocol=AutodiscoverV1",
            "manager.example.org",
        ),
        (
            "manager.example.org",
            "?email=anna%40acme.example&protocol=autodiscoverv1",
            "manager.example.org",
        ),
        ("acme.example", "?Protocol=AutodiscoverV1", "acme.example"),
    ] {
        let answer = offered.get(host, &format!("{JSON}{path}")).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, "application/json"),
            "{host}{path}"
        );
        assert_eq!(url(&answer), format!("https://{at}{POX}"));
        assert_eq!(
            answer.header("cache-control"),
            "no-store",
            "the link is that of one name"
        );
    }
    for protocol in ["Protocol=ActiveSync", "Protocol=Ews", "Protocol=", "RedirectCount=1"] {
        let path = format!("{JSON}?Email=anna%40acme.example&{protocol}");
        let answer = offered.get("autodiscover.acme.example", &path).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (400, "application/json"),
            "{protocol}"
        );
        assert!(answer.text.contains("\"ErrorCode\":"), "{}", answer.text);
    }
}

#[tokio::test]
async fn pacc_has_the_octets_whose_digest_is_published() {
    let offered = Offered::new().await;
    let (settings, origin) = (Settings::default(), &offered.site.origin);
    assert!(pacc::document(&settings, origin).is_none());
    for host in ["ua-auto-config.acme.example", "acme.example", "manager.example.org"] {
        let answer = offered.get(host, PACC).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, "application/json"),
            "{host}"
        );
        assert!(
            answer
                .text
                .starts_with("{\"protocols\":{\"imap\":{\"host\":\"mail.example.org\"}")
        );
        assert!(answer.header("cache-control").starts_with("public"));
    }
    let elsewhere = Offered::with(1993).await;
    let answer = elsewhere.get("ua-auto-config.acme.example", PACC).await;
    assert_eq!(answer.status, 404);
    assert!(answer.text.contains("Type them in as the Manager shows them"));
}

#[tokio::test]
async fn nothing_else_is_answered_under_these_names() {
    let offered = Offered::new().await;
    for host in ["autoconfig.acme.example", "acme.example", "autodiscover.acme.example"] {
        for path in ["/", "/sign-in", "/api/v1/me", "/mail/", "/autodiscover/"] {
            assert_eq!(offered.get(host, path).await.status, 421, "{host}{path}");
        }
    }
    assert_eq!(offered.get("manager.example.org", "/").await.text, "a page");
    for (method, path) in [
        ("POST", AUTOCONFIG),
        ("PUT", POX),
        ("DELETE", JSON),
        ("POST", PACC),
        ("OPTIONS", POX),
    ] {
        let answer = offered.ask(method, "acme.example", path, "").await;
        assert_eq!(answer.status, 405, "{method} {path}");
        assert!(answer.header("allow").starts_with("GET, HEAD"));
    }
}

#[tokio::test]
async fn no_answer_sets_a_cookie_asks_for_a_password_or_leads_away() {
    let offered = Offered::new().await;
    let host = "autodiscover.acme.example";
    for answer in [
        offered.get(host, AUTOCONFIG).await,
        offered.get(host, POX).await,
        offered.get(host, PACC).await,
        offered.get(host, JSON).await,
        offered.get("other.example", AUTOCONFIG).await,
        offered.post(host, "anna@acme.example", OUTLOOK).await,
        offered.post(host, "anna@acme.example", MOBILE).await,
        offered.ask("PUT", host, POX, "").await,
    ] {
        for header in [
            "set-cookie",
            "www-authenticate",
            "location",
            "strict-transport-security",
        ] {
            assert_eq!(answer.header(header), "", "{header} on {}", answer.text);
        }
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(
            answer.header("content-security-policy"),
            "default-src 'none'; frame-ancestors 'none'"
        );
    }
}

#[tokio::test]
async fn requests_are_counted_by_pattern_and_nothing_of_them_is_logged() {
    let offered = Offered::new().await;
    let (log, listening) = Log::listen();
    let host = "autodiscover.acme.example";
    offered.post(host, "whisper@acme.example", OUTLOOK).await;
    offered
        .ask("POST", host, "/AUTODISCOVER/autodiscover.xml", "<whisper")
        .await;
    offered
        .get(host, "/mail/config-v1.1.xml?emailaddress=whisper%40acme.example")
        .await;
    offered
        .get(
            "whisper.example",
            "/v1.1/mail/config-v1.1.xml?emailaddress=whisper%40whisper.example",
        )
        .await;
    offered
        .get(host, &format!("{JSON}/v1.0/whisper@acme.example?Protocol=whisper"))
        .await;
    // Thunderbird asks for calendars with the password in its hand.
    offered.ask("PROPFIND", "acme.example", "/whisper", "whisper").await;
    drop(listening);
    let text = log.text();
    assert!(
        text.contains("http.route=\"/autodiscover/autodiscover.xml\" http.status=200"),
        "{text}"
    );
    for secret in ["whisper", "SECRET", "YW5uYT", "Basic"] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
    assert_eq!(offered.counted(POX, 200), 2);
    assert_eq!(offered.counted(AUTOCONFIG, 200), 1);
    assert_eq!(offered.counted(AUTOCONFIG, 404), 1);
    assert_eq!(offered.counted(JSON, 400), 1);
}

#[tokio::test]
async fn what_the_store_said_counts_for_seconds_and_no_longer() {
    let offered = Offered::new().await;
    let ask = async || offered.get("autoconfig.new.example", AUTOCONFIG).await.status;
    assert_eq!(ask().await, 404);
    let (directory, acme) = (offered.site.directory(), &offered.site.acme);
    let domain = directory
        .create_domain(&offered.site.machine, acme, "new.example")
        .await;
    domain.unwrap();
    assert_eq!(ask().await, 404, "strangers who ask again cost the store nothing");
    offered.site.clock.advance(known::KEPT - Duration::from_millis(1));
    assert_eq!(ask().await, 404);
    offered.site.clock.advance(Duration::from_millis(1));
    assert_eq!(ask().await, 200);
}

#[tokio::test]
async fn a_store_that_fails_is_one_line_a_minute_and_nothing_of_it_is_kept() {
    let offered = Offered::new().await;
    let (log, listening) = Log::listen();
    let database = rusqlite::Connection::open(offered.site.place.path().join("postern.db")).unwrap();
    let rename = |from: &str, to: &str| {
        database
            .execute_batch(&format!("ALTER TABLE {from} RENAME TO {to}"))
            .unwrap();
    };
    let lines = || {
        log.text()
            .matches("looks for its settings and the store cannot be read")
            .count()
    };
    rename("mail_domain", "gone");
    for _ in 0..5 {
        assert_eq!(offered.get("autoconfig.acme.example", AUTOCONFIG).await.status, 503);
    }
    assert_eq!(lines(), 1);
    offered.site.clock.advance(Duration::from_secs(60));
    assert_eq!(offered.get("autoconfig.acme.example", AUTOCONFIG).await.status, 503);
    assert_eq!(lines(), 2);
    rename("gone", "mail_domain");
    assert_eq!(
        offered.get("autoconfig.acme.example", AUTOCONFIG).await.status,
        200,
        "at once"
    );
    drop(listening);
}
