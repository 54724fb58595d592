//! A program that speaks to the API over TLS.

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::HOST;
use crate::kit::certificates::Certificates;
use crate::kit::http;
use crate::kit::wire::Wire;
use crate::site::Site;

/// A program with a token.
pub(super) struct Program<'s> {
    certificates: &'s Certificates,
    port: u16,
    token: String,
}

/// What came back.
pub(super) struct Answer(http::Answer);

impl Answer {
    /// The body, if the answer is of this status.
    pub(super) fn is(self, status: u16) -> anyhow::Result<Value> {
        ensure!(
            self.0.status == status,
            "expected {status}, got {}: {}",
            self.0.status,
            self.0.body
        );
        serde_json::from_str(&self.0.body).context("no JSON")
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let header = self.0.headers.iter().find(|(given, _)| given == name);
        header.map(|(_, value)| value.as_str())
    }
}

impl<'s> Program<'s> {
    pub(super) fn new(site: &'s Site, token: &str) -> anyhow::Result<Self> {
        Ok(Self {
            certificates: &site.certificates,
            port: site.postern.port("manager")?,
            token: token.to_owned(),
        })
    }

    pub(super) fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.ask("GET", path, "", None)
    }

    /// A POST without a body.
    pub(super) fn act(&self, path: &str) -> anyhow::Result<Answer> {
        self.ask("POST", path, "", None)
    }

    pub(super) fn post(&self, path: &str, key: Option<&str>, body: &Value) -> anyhow::Result<Answer> {
        let key = key.map(|key| format!("Idempotency-Key: {key}\r\n")).unwrap_or_default();
        self.ask("POST", path, &key, Some(body))
    }

    pub(super) fn put(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.ask("PUT", path, "", Some(body))
    }

    fn ask(&self, method: &str, path: &str, headers: &str, body: Option<&Value>) -> anyhow::Result<Answer> {
        let body = body.map(ToString::to_string).unwrap_or_default();
        let mut request = format!(
            "{method} /api/v1{path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}",
            body.len()
        );
        if !body.is_empty() {
            request.push_str("Content-Type: application/json\r\n");
        }
        if !self.token.is_empty() {
            request.push_str(&format!("Authorization: Bearer {}\r\n", self.token));
        }
        let mut wire = Wire::connect_tls(self.port, self.certificates)?;
        wire.send(format!("{request}\r\n{body}").as_bytes())?;
        Ok(Answer(http::read(&String::from_utf8(wire.rest()?)?)?))
    }
}
