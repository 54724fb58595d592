//! Links to paths of ours with a query.

use std::fmt::Write as _;

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
}
