//! Links to paths of ours with a query, and reading it back.

use std::convert::Infallible;
use std::fmt::Write as _;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::admin::manager::local_path;

/// The longest way back that is carried along: longer ones are none of ours.
const NEXT_MAX: usize = 2048;

/// What a query says; where it cannot be read (fields twice, broken encoding), as if there were none: a link that was cut
/// off shows the page all the same.
pub(super) struct Given<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequestParts<S> for Given<T> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let given = Query::try_from_uri(&parts.uri).map(|Query(given)| given);
        Ok(Self(given.unwrap_or_default()))
    }
}

/// Where to go on, as a page or a form says: a path of ours, or nothing.
pub(super) fn next_of(asked: &str) -> &str {
    local_path(asked)
        .filter(|path| path.len() <= NEXT_MAX)
        .unwrap_or_default()
}

/// Where to go on, or to the start.
pub(super) fn onward(asked: &str) -> &str {
    match next_of(asked) {
        "" => "/",
        path => path,
    }
}

/// A path with these fields, those that are empty left out.
pub(super) fn with_query(path: &str, fields: &[(&str, &str)]) -> String {
    let mut link = path.to_owned();
    let mut separator = if path.contains('?') { '&' } else { '?' };
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        let _ = write!(link, "{separator}{name}={}", encoded(value));
        separator = '&';
    }
    link
}

/// A value as `application/x-www-form-urlencoded` has it (WHATWG URL §5).
fn encoded(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for octet in value.bytes() {
        match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(octet)),
            b' ' => text.push('+'),
            _ => {
                let _ = write!(text, "%{octet:02X}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_cannot_leave_their_field() {
        let link = with_query("/sign-in", &[("next", "/o/x?a=1&b=2#c"), ("q", ""), ("t", "é à")]);
        assert_eq!(link, "/sign-in?next=%2Fo%2Fx%3Fa%3D1%26b%3D2%23c&t=%C3%A9+%C3%A0");
        assert_eq!(with_query("/a?b=1", &[("c", "2")]), "/a?b=1&c=2");
    }

    #[test]
    fn one_is_led_on_to_paths_of_ours_only() {
        assert_eq!(onward("/o/x?a=1"), "/o/x?a=1");
        for bad in [
            "",
            "https://evil.example/",
            "//evil.example",
            "/\\evil.example",
            "javascript:x",
            "\t//x",
        ] {
            assert_eq!(onward(bad), "/", "{bad:?}");
        }
        assert_eq!(onward(&format!("/{}", "x".repeat(NEXT_MAX))), "/");
    }
}
