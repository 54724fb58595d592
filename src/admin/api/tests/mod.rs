//! The API through its router, over a real store, as programs ask it. Every answer of every test is compared with the
//! description of the API: its status must be one that is described, and its body as described.

mod changing;
mod conform;
mod described;
mod isolation;
mod links;
mod matrix;
mod reading;
mod records;
mod refusals;
mod repeated;
mod secrets;

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::admin::manager::ClientAddress;
use crate::admin::pages::tests::kit::{START, Site, Wish};
use crate::directory::TokenSpec;
use crate::model::{ApiToken, Device, Mailbox, OrgId, Right, Rights, Role, TokenScope, User};
use crate::peer::Protocol;
use crate::revoke::{LiveSession, SessionInfo};

const ROOT: &str = "/api/v1";

fn right(right: Right) -> Rights {
    Rights::NONE.with(right)
}

/// A program with a token, or without.
#[derive(Clone)]
struct Client<'s> {
    site: &'s Site,
    token: Option<String>,
    ip: &'static str,
    /// Further headers of every request.
    headers: Vec<(&'static str, String)>,
}

/// What came back.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts the status and gives the body.
    #[track_caller]
    fn is(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    /// Asserts the key of a problem.
    #[track_caller]
    fn refused(&self, status: u16, key: &str) -> Value {
        let body = self.is(status);
        assert_eq!(body["key"], key, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        body
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

impl<'s> Client<'s> {
    fn new(site: &'s Site, token: Option<String>) -> Self {
        Self {
            site,
            token,
            ip: "192.0.2.1",
            headers: Vec::new(),
        }
    }

    /// The same with one more header.
    fn with(&self, name: &'static str, value: impl Into<String>) -> Self {
        let mut with = self.clone();
        with.headers.push((name, value.into()));
        with
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, Some(body)).await
    }

    /// A POST without a body.
    async fn act(&self, path: &str) -> Answer {
        self.ask(Method::POST, path, None).await
    }

    async fn put(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::PUT, path, Some(body)).await
    }

    async fn patch(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::PATCH, path, Some(body)).await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.ask(Method::DELETE, path, None).await
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let body = body.map(|body| body.to_string());
        let kind = body.as_ref().map(|_| "application/json");
        self.send(method, path, kind, body.unwrap_or_default()).await
    }

    /// A request as it is, below the root.
    async fn send(&self, method: Method, path: &str, kind: Option<&str>, body: impl Into<Body>) -> Answer {
        let mut request = Request::builder()
            .method(method.clone())
            .uri(format!("{ROOT}{path}"))
            .header(header::HOST, self.site.origin.authority())
            .header(header::USER_AGENT, "curl/8.0")
            .extension(ClientAddress(self.ip.parse().unwrap()));
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let request = request.body(body.into()).unwrap();
        let response = self.site.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let answer = Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        };
        conform::check(&method, path, &answer);
        answer
    }
}

/// A token of a member of Acme, in clear, and its record.
async fn token_in(site: &Site, org: OrgId, user: &User, role: Role, scope: TokenScope) -> (String, ApiToken) {
    let spec = TokenSpec {
        name: format!("{role} {scope}"),
        role,
        scope,
        expires_at: START.plus(Duration::from_secs(30 * 24 * 60 * 60)),
    };
    let made = site.directory().create_token(&site.machine, org, user.id, spec).await;
    let (record, token) = made.unwrap();
    (token.shown().expose().clone(), record)
}

/// A program that may do whatever this member may.
async fn client<'s>(site: &'s Site, user: &User) -> Client<'s> {
    let (token, _) = token_in(site, site.acme.id, user, Role::Owner, TokenScope::Write).await;
    Client::new(site, Some(token))
}

/// Sophie's, who owns Acme.
async fn sophie(site: &Site) -> Client<'_> {
    client(site, &site.sophie).await
}

/// Where live sessions of tests come from.
const PEER: &str = "198.51.100.7";

/// A live session of a device, for as long as it is held.
fn connect(site: &Site, mailbox: &Mailbox, device: &Device, protocol: Protocol) -> LiveSession {
    site.registry.register(SessionInfo {
        device: device.id,
        label: device.label.as_str().into(),
        mailbox: mailbox.id,
        address: mailbox.address.clone(),
        protocol,
        peer: PEER.parse().unwrap(),
        since: site.clock.utc(),
        expires_at: None,
        client: Some("Thunderbird".into()),
        route: "default".into(),
        is_trial: false,
    })
}

/// A site that sends no mail.
fn without_mail() -> Wish {
    Wish {
        sends_mail: false,
        ..Wish::default()
    }
}
