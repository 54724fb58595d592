//! A Manager over a real store in a temporary folder, asked as browsers ask it: with cookies, through everything that
//! stands around the pages. Only the sockets are missing.

mod log;
mod unusual;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::response::Response;
use tempfile::TempDir;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::super::query::with_query;
use super::super::{Pages, Parts};
use crate::admin;
use crate::admin::api::{self, Api};
use crate::admin::manager::{ClientAddress, guarded};
use crate::admin::records::Records;
use crate::clock::{Clock, Timestamp};
use crate::directory::desk::testing::{self, SignInConfig};
use crate::directory::letter::{Letter, NotPosted, Post, Recipient};
use crate::directory::{DeviceSpec, Directory, FirstOrg};
use crate::identity::STEP_SECONDS;
use crate::metrics::Metrics;
use crate::model::{Device, Grant, Language, Mailbox, Org, OrgId, Origin, Rights, Role, User, UserId};
use crate::onboard;
use crate::revoke::Registry;
use crate::store::{Actor, GrantTerms, NewUser, Store};
use crate::tls::testing::Ca;

pub(in crate::admin) use log::Log;

/// When tests begin.
pub(in crate::admin) const START: Timestamp = Timestamp(1_795_000_000_000);
/// Everybody's password.
pub(in crate::admin) const PASSWORD: &str = "vast otter plume";
/// Where the Manager is, unless a test says otherwise.
pub(in crate::admin) const ORIGIN: &str = "https://manager.example.org";
/// The browser of every test, as it calls itself.
pub(in crate::admin) const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";

/// Letters, in the order in which they were put.
#[derive(Default)]
pub(in crate::admin) struct Letters {
    put: Mutex<Vec<(Recipient, Letter)>>,
    closed: bool,
    refuses: AtomicBool,
}

#[async_trait]
impl Post for Letters {
    fn is_open(&self) -> bool {
        !self.closed
    }

    async fn put(&self, to: &Recipient, _: Option<OrgId>, letter: Letter) -> Result<(), NotPosted> {
        if self.refuses.load(Ordering::Relaxed) {
            return Err(NotPosted("refused by the test".to_owned()));
        }
        self.put.lock().unwrap().push((to.clone(), letter));
        Ok(())
    }
}

impl Letters {
    /// From now on nothing can be put, or everything again.
    pub(in crate::admin) fn refuse(&self, refuses: bool) {
        self.refuses.store(refuses, Ordering::Relaxed);
    }

    /// Takes what was put since the last time.
    pub(in crate::admin) fn take(&self) -> Vec<(Recipient, Letter)> {
        std::mem::take(&mut self.put.lock().unwrap())
    }
}

/// The Manager. Sophie owns Acme, which has `example.org` and the mailbox `contact@`.
pub(in crate::admin) struct Site {
    pub(in crate::admin) pages: Arc<Pages>,
    pub(in crate::admin) clock: Clock,
    pub(in crate::admin) store: Arc<dyn Store>,
    pub(in crate::admin) registry: Arc<Registry>,
    pub(in crate::admin) letters: Arc<Letters>,
    pub(in crate::admin) metrics: Arc<Metrics>,
    /// Whoever sits at the machine.
    pub(in crate::admin) machine: Actor,
    pub(in crate::admin) acme: Org,
    pub(in crate::admin) sophie: User,
    pub(in crate::admin) origin: Origin,
    pub(in crate::admin) router: Router,
    pub(in crate::admin) place: TempDir,
    /// What the API does although whoever asked has gone.
    pub(in crate::admin) tasks: TaskTracker,
}

/// What a test may want otherwise than usual.
pub(in crate::admin) struct Wish {
    pub(in crate::admin) origin: &'static str,
    pub(in crate::admin) sends_mail: bool,
    pub(in crate::admin) throttle: SignInConfig,
    /// Whom to ask about the DNS; by default nobody answers.
    pub(in crate::admin) name_servers: Vec<SocketAddr>,
}

impl Default for Wish {
    fn default() -> Self {
        Self {
            origin: ORIGIN,
            sends_mail: true,
            throttle: SignInConfig {
                base_delay: Duration::from_millis(1),
                ..SignInConfig::default()
            },
            name_servers: Vec::new(),
        }
    }
}

impl Site {
    pub(in crate::admin) async fn new() -> Self {
        Self::with(Wish::default()).await
    }

    pub(in crate::admin) async fn with(wish: Wish) -> Self {
        let fresh = Fresh::with(wish);
        let directory = fresh.pages.desk().directory();
        let new = new_user(directory, "sophie@private.example", "Sophie").await;
        let first = FirstOrg::New("Acme".to_owned());
        let (sophie, acme) = directory
            .create_first_owner(&fresh.machine, &first, &new)
            .await
            .unwrap();
        directory
            .create_domain(&fresh.machine, &acme, "example.org")
            .await
            .unwrap();
        directory
            .create_mailbox(&fresh.machine, "contact@example.org")
            .await
            .unwrap();
        fresh.with_people(acme, sophie).await
    }

    /// The operations, as the machine does them.
    pub(in crate::admin) fn directory(&self) -> &Directory {
        self.pages.desk().directory()
    }

    /// A browser in which nobody is signed in.
    pub(in crate::admin) fn browser(&self) -> Browser<'_> {
        Browser {
            router: &self.router,
            origin: &self.origin,
            cookies: BTreeMap::new(),
            ip: "192.0.2.1",
            language: "en",
            agent: FIREFOX,
        }
    }

    /// A browser in which this user has just signed in.
    pub(in crate::admin) async fn signed_in(&self, user: &User) -> Browser<'_> {
        let mut browser = self.browser();
        let fields = [("address", user.address.as_str()), ("password", PASSWORD)];
        let answer = browser.post("/sign-in", &fields).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        browser
    }

    /// Sophie's browser.
    pub(in crate::admin) async fn sophie(&self) -> Browser<'_> {
        self.signed_in(&self.sophie).await
    }

    /// A path in Acme.
    pub(in crate::admin) fn at(&self, rest: &str) -> String {
        match rest {
            "" => format!("/o/{}", self.acme.id),
            rest => format!("/o/{}/{rest}", self.acme.id),
        }
    }

    /// A user who belongs to nothing, named after the part before the @.
    pub(in crate::admin) async fn user(&self, local: &str) -> User {
        let new = new_user(self.directory(), &format!("{local}@private.example"), local).await;
        self.directory().create_user(&self.machine, &new).await.unwrap()
    }

    /// The same as a member of Acme.
    pub(in crate::admin) async fn member(&self, local: &str, role: Role) -> User {
        let user = self.user(local).await;
        self.directory()
            .add_member(&self.machine, self.acme.id, user.id, role)
            .await
            .unwrap();
        user
    }

    /// A mailbox of `example.org`, made where it is not there.
    pub(in crate::admin) async fn mailbox(&self, local: &str) -> Mailbox {
        let address = format!("{local}@example.org");
        match self.directory().find_mailbox(&address).await {
            Ok(mailbox) => mailbox,
            Err(_) => self.directory().create_mailbox(&self.machine, &address).await.unwrap(),
        }
    }

    pub(in crate::admin) async fn grant(&self, mailbox: &Mailbox, user: &User, rights: Rights) -> Grant {
        let terms = GrantTerms { rights, ends_at: None };
        let (directory, machine) = (self.directory(), &self.machine);
        directory
            .give_grant(machine, self.acme.id, mailbox.id, user.id, &terms)
            .await
            .unwrap()
    }

    /// A device of a mailbox, as the machine adds it.
    pub(in crate::admin) async fn device(&self, mailbox: &Mailbox, label: &str, user: Option<UserId>) -> Device {
        let spec = DeviceSpec {
            label: label.to_owned(),
            user,
            ..DeviceSpec::default()
        };
        self.directory()
            .add_device(&self.machine, mailbox.address.as_str(), spec)
            .await
            .unwrap()
            .0
    }

    /// A second organisation beside Acme, with an owner of its own.
    pub(in crate::admin) async fn other_org(&self) -> (Org, User) {
        let new = new_user(self.directory(), "otto@private.example", "Otto").await;
        let first = FirstOrg::New("Other".to_owned());
        let (otto, other) = self
            .directory()
            .create_first_owner(&self.machine, &first, &new)
            .await
            .unwrap();
        (other, otto)
    }

    /// The code that an authenticator program with this key shows now.
    pub(in crate::admin) fn code(&self, key: &str) -> String {
        let letters: String = key.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
        let secret = totp_rs::Secret::try_from_base32(letters.to_uppercase()).unwrap();
        let totp = totp_rs::Builder::new()
            .with_algorithm(totp_rs::Algorithm::SHA1)
            .with_digits(6)
            .with_step_duration(STEP_SECONDS)
            .with_secret(secret)
            .with_account_name("x".to_owned())
            .build()
            .unwrap();
        totp.generate(u64::try_from(self.clock.utc().0 / 1000).unwrap())
            .to_string()
    }
}

/// A Manager that nobody has set up yet.
pub(in crate::admin) struct Fresh {
    pub(in crate::admin) pages: Arc<Pages>,
    pub(in crate::admin) machine: Actor,
    clock: Clock,
    store: Arc<dyn Store>,
    registry: Arc<Registry>,
    letters: Arc<Letters>,
    metrics: Arc<Metrics>,
    origin: Origin,
    router: Router,
    place: TempDir,
    tasks: TaskTracker,
}

impl Fresh {
    pub(in crate::admin) fn new() -> Self {
        Self::with(Wish::default())
    }

    fn with(wish: Wish) -> Self {
        let place = tempfile::tempdir().unwrap();
        let clock = Clock::manual(START);
        let letters = Arc::new(Letters {
            closed: !wish.sends_mail,
            ..Letters::default()
        });
        let post = Arc::clone(&letters) as Arc<dyn Post>;
        let testing::Made {
            desk,
            store,
            registry,
            tail,
            metrics,
        } = testing::desk(place.path(), &clock, post, wish.throttle);
        let origin = Origin::parse(wish.origin).unwrap();
        let service = |port| onboard::Service {
            host: "mail.example.org".to_owned(),
            port,
            implicit_tls: true,
        };
        let settings = onboard::Settings {
            provider: "Example Mail".to_owned(),
            imap: Some(service(993)),
            smtp: Some(service(465)),
        };
        let (desk, tasks) = (Arc::new(desk), TaskTracker::new());
        let records = Records::asking(wish.name_servers, &settings, &origin, &clock);
        let api = Api::new(api::Parts {
            desk: Arc::clone(&desk),
            registry: Arc::clone(&registry),
            tail: Arc::clone(&tail),
            origin: origin.clone(),
            settings: settings.clone(),
            records: Arc::clone(&records),
            clock: clock.clone(),
            tasks: tasks.clone(),
        });
        let pages = Pages::new(Parts {
            desk,
            registry: Arc::clone(&registry),
            tail: Arc::clone(&tail),
            origin: origin.clone(),
            settings: settings.clone(),
            records,
            tries: Arc::default(),
            trial: None,
            signer: Ca::new().signer(&["mail.test"], &["manager.example.org"], &clock),
            clock: clock.clone(),
        });
        tokio::spawn(async move { tail.run().await });
        Self {
            router: guarded(
                admin::router(Arc::clone(&pages), api),
                &origin,
                Arc::clone(&metrics),
                clock.clone(),
                admin::sorry,
            )
            .unwrap(),
            metrics,
            machine: Actor::cli("root"),
            pages,
            clock,
            store,
            registry,
            letters,
            origin,
            place,
            tasks,
        }
    }

    /// A browser in which nobody is signed in.
    pub(in crate::admin) fn browser(&self) -> Browser<'_> {
        Browser {
            router: &self.router,
            origin: &self.origin,
            cookies: BTreeMap::new(),
            ip: "192.0.2.1",
            language: "en",
            agent: FIREFOX,
        }
    }

    async fn with_people(self, acme: Org, sophie: User) -> Site {
        // What was changed so far was changed before anybody looked.
        self.pages.tail.start().await.unwrap();
        Site {
            pages: self.pages,
            clock: self.clock,
            store: self.store,
            registry: self.registry,
            letters: self.letters,
            metrics: self.metrics,
            machine: self.machine,
            acme,
            sophie,
            origin: self.origin,
            router: self.router,
            place: self.place,
            tasks: self.tasks,
        }
    }
}

async fn new_user(directory: &Directory, address: &str, name: &str) -> NewUser {
    directory
        .new_user(address, name, Language::English, Some(PASSWORD))
        .await
        .unwrap()
}

/// A browser: it keeps cookies, and sends what browsers send with forms.
#[derive(Clone)]
pub(in crate::admin) struct Browser<'s> {
    router: &'s Router,
    origin: &'s Origin,
    pub(in crate::admin) cookies: BTreeMap<String, String>,
    pub(in crate::admin) ip: &'static str,
    pub(in crate::admin) language: &'static str,
    pub(in crate::admin) agent: &'static str,
}

impl Browser<'_> {
    pub(in crate::admin) async fn get(&mut self, path: &str) -> Answer {
        self.ask(Method::GET, path, None).await
    }

    /// Sends a form from a page of ours.
    pub(in crate::admin) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        // A field without a value is sent all the same.
        let pairs = fields.iter().map(|(name, value)| match *value {
            "" => format!("{name}="),
            value => with_query("", &[(name, value)]).trim_start_matches('?').to_owned(),
        });
        let body = pairs.collect::<Vec<_>>().join("&");
        self.ask(Method::POST, path, Some(body)).await
    }

    /// Goes where an answer leads, as often as one does.
    pub(in crate::admin) async fn follow(&mut self, answer: Answer) -> Answer {
        let mut answer = answer;
        for _ in 0..5 {
            let Some(place) = answer.location().map(str::to_owned) else {
                return answer;
            };
            answer = self.get(&place).await;
        }
        panic!("led in circles: {:?}", answer.location());
    }

    /// Sends a form and goes where it leads.
    pub(in crate::admin) async fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let answer = self.post(path, fields).await;
        self.follow(answer).await
    }

    /// Opens a path whose answer does not end by itself.
    pub(in crate::admin) async fn open(&self, path: &str) -> Response {
        let request = self.request(Method::GET, path, None);
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Opens a path as a browser does that takes compressed answers.
    pub(in crate::admin::pages) async fn open_compressed(&self, path: &str) -> Response {
        let mut request = self.request(Method::GET, path, None);
        let gzip = header::HeaderValue::from_static("gzip, br");
        request.headers_mut().insert(header::ACCEPT_ENCODING, gzip);
        self.router.clone().oneshot(request).await.unwrap()
    }

    async fn ask(&mut self, method: Method, path: &str, form: Option<String>) -> Answer {
        let request = self.request(method, path, form);
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let answer = Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        };
        self.keep(&answer);
        answer
    }

    fn request(&self, method: Method, path: &str, form: Option<String>) -> Request<Body> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.origin.authority())
            .header(header::USER_AGENT, self.agent)
            .header(header::ACCEPT_LANGUAGE, self.language)
            .header("sec-fetch-site", "same-origin")
            .extension(ClientAddress(self.ip.parse().unwrap()));
        if !self.cookies.is_empty() {
            let pairs = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
            request = request.header(header::COOKIE, pairs.collect::<Vec<_>>().join("; "));
        }
        if form.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        request.body(form.map_or_else(Body::empty, Body::from)).unwrap()
    }

    fn keep(&mut self, answer: &Answer) {
        for cookie in answer.cookies() {
            let (pair, attributes) = cookie.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// The id of the console session.
    pub(in crate::admin) fn session(&self) -> Option<&str> {
        let name = if self.origin.is_secure() {
            "__Host-postern"
        } else {
            "postern"
        };
        self.cookies.get(name).map(String::as_str)
    }
}

/// What came back.
#[derive(Debug)]
pub(in crate::admin) struct Answer {
    pub(in crate::admin) status: StatusCode,
    pub(in crate::admin) headers: HeaderMap,
    pub(in crate::admin) body: String,
}

impl Answer {
    /// Where it leads.
    pub(in crate::admin) fn location(&self) -> Option<&str> {
        self.headers.get(header::LOCATION).map(|place| place.to_str().unwrap())
    }

    /// The cookies that it sets, with their attributes.
    pub(in crate::admin) fn cookies(&self) -> Vec<&str> {
        let cookies = self.headers.get_all(header::SET_COOKIE).iter();
        cookies.map(|cookie| cookie.to_str().unwrap()).collect()
    }

    /// What a person reads on the page.
    pub(in crate::admin) fn text(&self) -> String {
        let start = self.body.find("<body").unwrap_or_default();
        let mut text = String::new();
        for piece in self.body[start..].split('<') {
            let (tag, words) = piece.split_once('>').unwrap_or(("", piece));
            // A name stands in its sentence; other elements stand apart.
            if !matches!(
                tag.trim_start_matches('/').split(' ').next(),
                Some("bdi" | "time" | "b")
            ) {
                text.push(' ');
            }
            text.push_str(words);
        }
        let text = [
            "&#38;|&",
            "&#60;|<",
            "&#62;|>",
            "&#34;|\"",
            "&#39;|'",
            "&amp;|&",
            "&lt;|<",
            "&gt;|>",
            "&quot;|\"",
        ]
        .iter()
        .filter_map(|pair| pair.split_once('|'))
        .fold(text, |text, (entity, letter)| text.replace(entity, letter));
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The value of a field on the page.
    pub(in crate::admin) fn field(&self, name: &str) -> Option<String> {
        let attribute = |tag: &str, name: &str| {
            let rest = tag.split_once(&format!(" {name}=\""))?.1;
            rest.split('"').next().map(str::to_owned)
        };
        let tags = self.body.split("<input").skip(1);
        let mut named = tags.filter_map(|rest| {
            rest.split('>')
                .next()
                .filter(|tag| attribute(tag, "name").as_deref() == Some(name))
        });
        attribute(named.next()?, "value")
    }

    /// Asserts that it leads to this path.
    #[track_caller]
    pub(in crate::admin) fn leads_to(&self, path: &str) {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.text());
        assert_eq!(self.location(), Some(path));
    }

    /// Asserts status and words.
    #[track_caller]
    pub(in crate::admin) fn says(&self, status: u16, words: &str) {
        let text = self.text();
        assert_eq!(self.status.as_u16(), status, "{text}\n{:?}", self.headers);
        assert!(text.contains(words), "{words:?} is not in: {text}");
    }
}
