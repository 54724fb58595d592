//! What a request says, read into types: ids of the path, parameters of a query, and bodies. What nobody asked for is
//! refused with the rest: a filter that was misspelt would show what was to be left out.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

use super::Api;
use super::problem::{self, Field, Problem};
use super::words;
use crate::admin::named::Named;

/// What the path names. Whether there is such a thing is for the desk to say; an id that cannot be read answers like one
/// that is unknown.
pub(super) struct At<T>(pub(super) T);

impl<T: Named> FromRequestParts<Arc<Api>> for At<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, api).await.ok();
        let named = params.as_ref().and_then(T::read);
        named.map(Self).ok_or_else(|| Problem::unknown(T::WHAT))
    }
}

/// The parameters of a query.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Arc<Api>> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Api>) -> Result<Self, Problem> {
        let read = axum::extract::Query::<T>::try_from_uri(&parts.uri);
        let axum::extract::Query(asked) = read.map_err(|bad| {
            let text = bad.body_text();
            let text = text
                .strip_prefix("Failed to deserialize query string: ")
                .unwrap_or(&text);
            let (field, why) = match text.split_once(": ") {
                Some((field, why)) if is_path(field) => (field, why),
                _ => (quoted(text).unwrap_or("query"), text),
            };
            Problem::of_field(problem::REQUEST_QUERY, Field::new(field, key_of(why), why))
        })?;
        Ok(Self(asked))
    }
}

/// The refusal of a parameter of the query.
pub(super) fn bad_parameter(name: &str, text: impl Into<String>) -> Problem {
    Problem::of_field(problem::REQUEST_QUERY, Field::new(name, "field.bad", text))
}

/// A body of JSON, as it was understood and as it was sent.
pub(super) struct Sent<T> {
    /// What it says.
    pub(super) body: T,
    /// What was sent.
    pub(super) octets: Bytes,
}

impl<T: DeserializeOwned> FromRequest<Arc<Api>> for Sent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Arc<Api>) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::plain(problem::REQUEST_CONTENT_TYPE));
        }
        let octets = Bytes::from_request(request, api)
            .await
            .map_err(|bad| match bad.status() {
                StatusCode::PAYLOAD_TOO_LARGE => Problem::plain(problem::REQUEST_TOO_LARGE),
                _ => Problem::plain(problem::REQUEST_JSON),
            })?;
        let body = read(&octets)?;
        Ok(Self { body, octets })
    }
}

/// Whether the body says that it is JSON.
fn is_json(headers: &HeaderMap) -> bool {
    let given = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = given.and_then(|kind| kind.split(';').next()).unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/json")
}

fn read<T: DeserializeOwned>(octets: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(octets);
    let words::Object(body) = serde_path_to_error::deserialize(&mut reader).map_err(|bad| {
        let path = bad.path().to_string();
        let why = bad.inner();
        if !why.is_data() {
            return not_json(why);
        }
        let text = without_place(&why.to_string());
        let field = match quoted(&text) {
            // The path leads to what holds the field, and not to the field itself.
            Some(name) if matches!(key_of(&text), "field.unknown" | "field.missing" | "field.twice") => match &*path {
                "." => name.to_owned(),
                // An unknown field is its own path.
                path if path == name || path.ends_with(&format!(".{name}")) => path.to_owned(),
                path => format!("{path}.{name}"),
            },
            _ if path == "." => "body".to_owned(),
            _ => path,
        };
        Problem::field(field, key_of(&text), text)
    })?;
    reader.end().map_err(|bad| not_json(&bad))?;
    Ok(body)
}

fn not_json(why: &serde_json::Error) -> Problem {
    Problem::new(problem::REQUEST_JSON, why.to_string())
}

/// What is wrong with a field, as a fixed word.
fn key_of(text: &str) -> &'static str {
    if text.starts_with("unknown field") {
        "field.unknown"
    } else if text.starts_with("missing field") {
        "field.missing"
    } else if text.starts_with("duplicate field") {
        "field.twice"
    } else {
        "field.bad"
    }
}

/// The name between the first two backquotes.
fn quoted(text: &str) -> Option<&str> {
    text.split('`').nth(1)
}

fn is_path(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '[' | ']'))
}

/// The reason without the line and column in one line of JSON.
fn without_place(text: &str) -> String {
    match text.rsplit_once(" at line ") {
        Some((reason, _)) => reason.to_owned(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[serde(rename = "name")]
        _name: String,
        #[serde(default, rename = "grants")]
        _grants: Vec<words::Object<Inner>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[serde(rename = "mailbox")]
        _mailbox: words::MailboxId,
    }

    fn wrong(body: &str) -> String {
        format!("{:?}", read::<Outer>(body.as_bytes()).unwrap_err())
    }

    #[test]
    fn a_field_that_cannot_be_used_is_named_with_the_reason() {
        for (body, field, key) in [
            ("{}", "name", "field.missing"),
            (r#"{"name": 7}"#, "name", "field.bad"),
            (r#"{"name": "x", "nmae": "y"}"#, "nmae", "field.unknown"),
            (r#"{"name": "x", "name": "y"}"#, "name", "field.twice"),
            (
                r#"{"name": "x", "grants": [{"mailbox": "y"}]}"#,
                "grants[0].mailbox",
                "field.bad",
            ),
            (r#"{"name": "x", "grants": [{}]}"#, "grants[0].mailbox", "field.missing"),
            (
                r#"{"name": "x", "grants": [{"box": 1}]}"#,
                "grants[0].box",
                "field.unknown",
            ),
            (
                r#"{"name": "x", "grants": [["mbx-0000000000007"]]}"#,
                "grants[0]",
                "field.bad",
            ),
            ("[\"x\"]", "body", "field.bad"),
            ("7", "body", "field.bad"),
        ] {
            let told = wrong(body);
            let expected = format!("Field {{ field: {field:?}, key: {key:?}");
            assert!(
                told.contains(&expected) && told.contains("request.fields"),
                "{body}: {told}"
            );
        }
    }

    #[test]
    fn what_is_no_json_is_told_apart() {
        for body in ["", "{", "name=x", "{\"name\": \"x\"} more", "\u{feff}{}"] {
            let told = wrong(body);
            assert!(told.contains("request.json"), "{body}: {told}");
        }
        let deep = "[".repeat(100_000);
        assert!(wrong(&deep).contains("request."), "it is refused and costs no stack");
    }
}
