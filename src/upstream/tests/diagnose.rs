//! What the doctor finds at mail stores that are sound, careless, broken or away.

use std::sync::Mutex;
use std::time::Duration;

use rcgen::{BasicConstraints, IsCa, PKCS_ECDSA_P256_SHA256, date_time_ymd};

use super::fake::{Fake, Side, imap, smtp};
use super::*;
use crate::tls::ConnectorConfig;
use crate::tls::testing::Ca;
use crate::upstream::diagnose::{Finding, Grade, Subject, route};

const CAPABILITIES: &str = "IMAP4rev1 ID SASL-IR AUTH=PLAIN";
const EHLO: &str = "250-store\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250-DSN\r\n250 AUTH PLAIN\r\n";
const MASTER: &str = "\0anna@example.org*postern\0master secret";
const ACCEPT: &str = "235 ok\r\n";
const REFUSE: &str = "535 5.7.8 wrong\r\n";

/// A mail store that judges each SASL PLAIN message.
struct Store<'a> {
    fake: Fake,
    offer: &'a str,
    judge: &'a (dyn Fn(&str) -> &'a str + Sync),
    asked: Mutex<Vec<String>>,
}

impl<'a> Store<'a> {
    async fn new(offer: &'a str, judge: &'a (dyn Fn(&str) -> &'a str + Sync)) -> Self {
        Self {
            fake: Fake::bind().await,
            offer,
            judge,
            asked: Mutex::default(),
        }
    }

    fn answer(&self, response: &str) -> &'a str {
        use base64::Engine as _;
        let message = base64::engine::general_purpose::STANDARD.decode(response).unwrap();
        let message = String::from_utf8(message).unwrap();
        let answer = (self.judge)(&message);
        self.asked.lock().unwrap().push(message);
        answer
    }

    async fn serve_imap(&self, side: &mut Side) {
        side.say(&format!("* OK [CAPABILITY {}] ready\r\n", self.offer)).await;
        loop {
            let (tag, command) = side.command().await;
            match command.split_once("AUTHENTICATE PLAIN ") {
                Some((_, response)) => side.say(&self.answer(response).replace("TAG", &tag)).await,
                None if tag.is_empty() => return,
                None => side.say(&format!("{tag} OK\r\n")).await,
            }
        }
    }

    async fn serve_smtp(&self, side: &mut Side) {
        side.say("220 store\r\n").await;
        loop {
            let line = side.line().await;
            match line.split_once(' ').unwrap_or((&line, "")) {
                ("EHLO", _) => side.say(self.offer).await,
                ("AUTH", response) => side.say(self.answer(response.trim_start_matches("PLAIN "))).await,
                ("XCLIENT", _) => side.say("220 store\r\n").await,
                ("QUIT", _) => side.say("221 bye\r\n").await,
                _ => return,
            }
        }
    }

    /// Serves one connection after the other until the doctor is done.
    async fn diagnose(&self, way: &Route, subject: bool) -> Vec<Finding> {
        let serve = async {
            loop {
                let mut side = self.fake.accept().await;
                match way.imap {
                    Some(_) => self.serve_imap(&mut side).await,
                    None => self.serve_smtp(&mut side).await,
                }
            }
        };
        tokio::select! {
            findings = diagnose(way, subject) => findings,
            () = serve => unreachable!("it serves for ever"),
        }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn diagnose(way: &Route, subject: bool) -> Vec<Finding> {
    let address = Address::parse("anna@example.org").unwrap();
    let keys = Keyring::for_tests();
    let sealed = keys.seal(&MAILBOX.raw().to_be_bytes(), b"stored secret").unwrap();
    let anna = Subject {
        address: &address,
        mailbox: MAILBOX,
        sealed: Some(&sealed),
    };
    let findings = route(way, "mx.postern.example", subject.then_some(&anna), &keys).await;
    for finding in &findings {
        assert!(!finding.detail.contains("secret"), "{finding:?}");
    }
    findings
}

fn find<'a>(findings: &'a [Finding], check: &str) -> &'a Finding {
    let found = findings.iter().find(|finding| finding.check == check);
    found.unwrap_or_else(|| panic!("{check} is not in {findings:#?}"))
}

/// Asserts that one check came out like this, with these words.
fn expect(findings: &[Finding], check: &str, ok: bool, words: &str) {
    let finding = find(findings, check);
    assert!(
        is_ok(finding) == ok && finding.detail.contains(words),
        "{finding:?} says not {words:?}"
    );
}

fn is_ok(finding: &Finding) -> bool {
    finding.grade != Grade::Wrong
}

fn checks(findings: &[Finding]) -> Vec<(&str, bool)> {
    let checks = findings.iter().map(|finding| (finding.check.as_str(), is_ok(finding)));
    checks.collect()
}

#[tokio::test]
async fn a_sound_imap_store_passes_every_check() {
    let judge = |message: &str| match message {
        MASTER => "TAG OK [CAPABILITY IMAP4rev1 IDLE] hello\r\n",
        _ => "TAG NO [AUTHENTICATIONFAILED] wrong\r\n",
    };
    let store = Store::new(CAPABILITIES, &judge).await;
    let findings = store.diagnose(&imap(store.fake.service()), true).await;
    assert_eq!(
        checks(&findings),
        [
            ("imap connection", true),
            ("imap tls", true),
            ("imap greeting", true),
            ("imap capabilities", true),
            ("imap login", true),
            ("imap wrong password", true),
            ("imap login with a random password", true),
            ("imap login with an empty password", true),
        ]
    );
    assert!(findings.iter().all(|finding| finding.grade == Grade::Right));
    expect(&findings, "imap login", true, "as anna@example.org");
    let asked = store.asked();
    assert_eq!((asked.len(), asked[0].as_str()), (4, MASTER));
    let said = |name: &str| {
        asked[1..]
            .iter()
            .filter_map(|message| message.strip_prefix(name))
            .collect::<Vec<_>>()
    };
    let wrong = said("\0anna@example.org*postern\0")[0];
    let mut strange = said("\0anna@example.org\0");
    strange.sort_unstable();
    let random = strange[1];
    assert_eq!(strange, ["", random]);
    assert!(wrong != random && wrong.len() == 24 && random.len() == 24);
    assert!(wrong.bytes().all(|octet| octet.is_ascii_hexdigit()));
    let all = format!("{findings:?}");
    assert!(!all.contains(wrong) && !all.contains(random));
}

#[tokio::test]
async fn a_store_that_accepts_every_password_is_the_worst_finding() {
    let judge = |_: &str| "TAG OK [CAPABILITY IMAP4rev1] hello\r\n";
    let store = Store::new(CAPABILITIES, &judge).await;
    let findings = store.diagnose(&imap(store.fake.service()), true).await;
    let worst = "the store accepts any password: anybody who reaches it reads all mail";
    expect(&findings, "imap login", true, "accepted");
    expect(&findings, "imap wrong password", false, worst);
    expect(&findings, "imap login with a random password", false, worst);
    expect(&findings, "imap login with an empty password", false, worst);

    let judge = |_: &str| ACCEPT;
    let store = Store::new(EHLO, &judge).await;
    let findings = store.diagnose(&smtp(store.fake.service()), true).await;
    expect(&findings, "smtp wrong password", false, "sends mail as any mailbox");
}

#[tokio::test]
async fn a_directory_that_takes_empty_passwords_is_found() {
    let judge = |message: &str| {
        if message == MASTER || message.ends_with('\0') {
            ACCEPT
        } else {
            REFUSE
        }
    };
    let store = Store::new(EHLO, &judge).await;
    let findings = store.diagnose(&smtp(store.fake.service()), true).await;
    expect(&findings, "smtp wrong password", true, "refused");
    expect(&findings, "smtp login with a random password", true, "refused");
    expect(&findings, "smtp login with an empty password", false, "any password");
}

#[tokio::test]
async fn without_a_mailbox_nobody_logs_in_and_the_keywords_are_compared() {
    let judge = |_: &str| ACCEPT;
    let store = Store::new(EHLO, &judge).await;
    let findings = store.diagnose(&smtp(store.fake.service()), false).await;
    assert!(store.asked().is_empty() && findings.iter().all(is_ok));
    let detail = "offers PIPELINING, SIZE 1000, 8BITMIME, DSN; misses SMTPUTF8, CHUNKING";
    expect(&findings, "smtp keywords", true, detail);
}

#[tokio::test]
async fn no_answer_and_a_refusal_for_now_prove_nothing() {
    for (answer, words) in [("454 4.7.0 later\r\n", "for now"), ("421 bye\r\n", "closed")] {
        let judge = |message: &str| if message == MASTER { ACCEPT } else { answer };
        let store = Store::new(EHLO, &judge).await;
        let findings = store.diagnose(&smtp(store.fake.service()), true).await;
        expect(&findings, "smtp login", true, "accepted");
        for check in ["smtp wrong password", "smtp login with a random password"] {
            expect(&findings, check, false, "no proof");
            expect(&findings, check, false, words);
        }
    }
    let judge = |_: &str| "TAG NO [UNAVAILABLE] later\r\n";
    let store = Store::new(CAPABILITIES, &judge).await;
    let findings = store.diagnose(&imap(store.fake.service()), true).await;
    for check in ["imap login", "imap wrong password", "imap login with a random password"] {
        expect(&findings, check, false, "UNAVAILABLE");
    }
}

#[tokio::test]
async fn a_store_that_refuses_the_right_login_too_proves_nothing() {
    let judge = |_: &str| REFUSE;
    let store = Store::new(EHLO, &judge).await;
    let findings = store.diagnose(&smtp(store.fake.service()), true).await;
    expect(&findings, "smtp login", false, "check the route's credentials");
    for check in ["smtp wrong password", "smtp login with a random password"] {
        expect(&findings, check, false, "no proof");
    }
}

#[tokio::test]
async fn a_store_that_is_down_is_told_once() {
    let fake = Fake::bind().await;
    let way = imap(fake.service());
    drop(fake);
    let findings = diagnose(&way, true).await;
    assert_eq!(checks(&findings), [("imap connection", false)]);
    let detail = &findings[0].detail;
    assert!(detail.starts_with("cannot connect to 127.0.0.1:"), "{detail}");
}

#[tokio::test]
async fn stored_passwords_are_tried_and_a_missing_one_is_told() {
    let judge = |message: &str| {
        if message == "\0anna@example.org\0stored secret" {
            ACCEPT
        } else {
            REFUSE
        }
    };
    let store = Store::new(EHLO, &judge).await;
    let mut way = smtp(store.fake.service());
    way.smtp.as_mut().unwrap().strategy = Strategy::Stored;
    let findings = store.diagnose(&way, true).await;
    expect(&findings, "smtp login", true, "as anna@example.org");
    expect(&findings, "smtp login with a random password", true, "refused");
    assert!(!findings.iter().any(|finding| finding.check == "smtp wrong password"));
}

#[tokio::test]
async fn xclient_needs_login_and_says_what_cannot_be_tried() {
    let judge = |_: &str| REFUSE;
    let store = Store::new("250-store\r\n250 XCLIENT NAME ADDR\r\n", &judge).await;
    let mut way = smtp(store.fake.service());
    way.smtp.as_mut().unwrap().strategy = Strategy::Xclient;
    let findings = store.diagnose(&way, true).await;
    expect(&findings, "smtp xclient", false, "smtpd_authorized_xclient_hosts");
    expect(&findings, "smtp xclient", false, "smtpd_sasl_auth_enable = yes");
    expect(&findings, "smtp login", false, "XCLIENT");
    expect(&findings, "smtp login with a random password", true, "impossible");

    let store = Store::new("250-store\r\n250-AUTH PLAIN\r\n250 XCLIENT NAME ADDR LOGIN\r\n", &judge).await;
    let mut way = smtp(store.fake.service());
    way.smtp.as_mut().unwrap().strategy = Strategy::Xclient;
    let findings = store.diagnose(&way, true).await;
    assert!(findings.iter().all(is_ok), "{findings:#?}");
    expect(&findings, "smtp trust", true, "cannot be tried from here");
    assert_eq!(store.asked().len(), 2);
}

#[tokio::test]
async fn an_imap_store_is_warned_of_or_of_no_use_by_its_capabilities() {
    let judge = |_: &str| "";
    for (offer, check, ok, words) in [
        (
            "IMAP4rev1 AUTH=PLAIN ID UNAUTHENTICATE",
            "imap filter",
            true,
            "UNAUTHENTICATE",
        ),
        ("IMAP4rev1 AUTH=PLAIN", "imap capabilities", true, "client's address"),
        (
            "IMAP4rev1 ID LOGINDISABLED",
            "imap capabilities",
            false,
            "cannot log in",
        ),
    ] {
        let store = Store::new(offer, &judge).await;
        let findings = store.diagnose(&imap(store.fake.service()), false).await;
        expect(&findings, check, ok, words);
    }
}

#[tokio::test]
async fn a_certificate_that_does_not_fit_comes_with_what_to_do() {
    let (fake, ca) = (Fake::bind().await, Ca::new());
    let name = "store.example.org";
    let peculiar = |file, change: &dyn Fn(&mut rcgen::CertificateParams)| {
        ca.issue_with(file, &[name], &PKCS_ECDSA_P256_SHA256, change)
    };
    let expired = peculiar("expired", &|params| params.not_after = date_time_ymd(2020, 1, 1));
    let authority = peculiar("authority", &|params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)
    });
    let client = peculiar("client", &|params| {
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    });
    let mut way = smtp(fake.service());
    let service = way.smtp.as_mut().unwrap();
    service.transport = Transport::ImplicitTls;
    service.tls = ConnectorConfig {
        ca: Some(ca.file()),
        client: None,
    };
    service.tls_name = Some(name.into());
    for (issued, words) in [
        (expired, "renew it"),
        (authority, "CA:FALSE"),
        (client, "serverAuth"),
        (Ca::new().issue("foreign", &[name]), "`ca`"),
        (ca.issue("other", &["127.0.0.1"]), "`tls_name`"),
    ] {
        let script = async { fake.accept().await.secure(issued.server()).await.is_err() };
        let (findings, failed) = tokio::join!(diagnose(&way, true), script);
        assert!(failed);
        assert_eq!(checks(&findings), [("smtp tls", false)]);
        expect(&findings, "smtp tls", false, words);
    }

    let days = Duration::from_secs(5 * 24 * 60 * 60);
    let end = jiff::Timestamp::from_millisecond(Clock::system().utc().plus(days).0).unwrap();
    let end = end.to_zoned(jiff::tz::TimeZone::UTC).date();
    let soon = peculiar("soon", &|params| {
        let (month, day) = (end.month().unsigned_abs(), end.day().unsigned_abs());
        params.not_after = date_time_ymd(end.year().into(), month, day);
    });
    let far = ca.issue("far", &[name]);
    for (issued, is_warned) in [(soon, true), (far, false)] {
        let script = async {
            let mut side = fake.accept().await.secure(issued.server()).await.unwrap();
            side.say("220 store\r\n").await;
            side.expect("EHLO mx.postern.example", EHLO).await;
            side.expect("QUIT", "221 bye\r\n").await;
        };
        let (findings, ()) = tokio::join!(diagnose(&way, false), script);
        expect(&findings, "smtp tls", true, "TLSv1.3 with TLS_");
        let finding = find(&findings, "smtp tls");
        assert!(finding.detail.contains("certificate until "), "{finding:?}");
        assert_eq!(finding.grade == Grade::Warning, is_warned, "{finding:?}");
    }
}
