//! Forms as browsers send them (`application/x-www-form-urlencoded`, WHATWG URL §5).
//!
//! A form is a struct that names its fields; whatever else was sent is dropped unread, so that nobody sets what no page
//! offers. What was sent is wiped once it was read, as far as it is ours alone: some of it is passwords.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use zeroize::Zeroize;

use crate::secret::Secret;

/// What forms are sent as.
const FORM: &str = "application/x-www-form-urlencoded";
/// The most fields of a form: an invitation may name hundreds of mailboxes.
const FIELDS_MAX: usize = 2048;

/// A form that was sent.
pub(super) struct Typed<F>(pub(super) F);

/// A form: which fields it has.
pub(super) trait Form: Sized {
    /// Takes its fields out of what was sent. What is missing is empty.
    fn read(sent: &mut Sent) -> Self;
}

/// Names and values as they were sent, in their order.
#[derive(Default)]
pub(super) struct Sent(Vec<(String, Secret<String>)>);

impl Sent {
    /// Reads a body; none where it is no form, or one with too many fields.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let mut sent = Vec::new();
        for pair in body.split(|octet| *octet == b'&').filter(|pair| !pair.is_empty()) {
            if sent.len() >= FIELDS_MAX {
                return None;
            }
            let end = pair.iter().position(|octet| *octet == b'=').unwrap_or(pair.len());
            let (name, value) = pair.split_at_checked(end)?;
            let name = decoded(name)?.expose().clone();
            sent.push((name, decoded(value.strip_prefix(b"=").unwrap_or(value))?));
        }
        Some(Self(sent))
    }

    /// The first value of a field, with blanks around it cut.
    pub(super) fn text(&self, name: &str) -> String {
        let value = self.0.iter().find(|(sent, _)| sent == name);
        value.map_or_else(String::new, |(_, value)| value.expose().trim().to_owned())
    }

    /// All values of a field: the boxes that were ticked.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        let values = self.0.iter().filter(|(sent, _)| sent == name);
        values.map(|(_, value)| value.expose().clone()).collect()
    }

    /// The first value of a field that holds a secret, as it was typed; it is taken out.
    pub(super) fn secret(&mut self, name: &str) -> Secret<String> {
        let at = self.0.iter().position(|(sent, _)| sent == name);
        at.map_or_else(|| Secret::new(String::new()), |at| self.0.swap_remove(at).1)
    }
}

impl<S: Send + Sync, F: Form> FromRequest<S> for Typed<F> {
    type Rejection = StatusCode;

    async fn from_request(request: Request, state: &S) -> Result<Self, StatusCode> {
        let is_form = is_form(request.headers());
        let body = Bytes::from_request(request, state)
            .await
            .map_err(|rejected| rejected.status())?;
        // A form without fields may come without a type.
        if !is_form && !body.is_empty() {
            return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
        let sent = Sent::parse(&body);
        wipe(body);
        let mut sent = sent.ok_or(StatusCode::BAD_REQUEST)?;
        Ok(Self(F::read(&mut sent)))
    }
}

/// Wipes a body, where nobody else holds it: true then. A body that came in one piece lies in the web server's own buffer,
/// which holds the next request later; one of several pieces was put together for us.
fn wipe(body: Bytes) -> bool {
    let Ok(mut body) = body.try_into_mut() else {
        return false;
    };
    body.as_mut().zeroize();
    true
}

fn is_form(headers: &HeaderMap) -> bool {
    let given = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = given.and_then(|kind| kind.split(';').next()).unwrap_or_default();
    kind.trim().eq_ignore_ascii_case(FORM)
}

/// Takes back what a browser did to a name or value; none where that is no text.
fn decoded(sent: &[u8]) -> Option<Secret<String>> {
    // Never longer than what was sent, so that no growing leaves a copy behind.
    let mut octets = Vec::with_capacity(sent.len());
    let mut rest = sent.iter();
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'+' => b' ',
            b'%' => (digit(*rest.next()?)? << 4) | digit(*rest.next()?)?,
            other => *other,
        });
    }
    match String::from_utf8(octets) {
        Ok(text) => Some(Secret::new(text)),
        Err(error) => {
            error.into_bytes().zeroize();
            None
        }
    }
}

fn digit(octet: u8) -> Option<u8> {
    let value = char::from(octet).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Sent {
        Sent::parse(body.as_bytes()).unwrap()
    }

    #[test]
    fn fields_are_read_as_browsers_write_them() {
        let mut sent = read("name=+Anna%27s+iPhone%0D%0A&right=a&right=b&empty=&password=+a%26b%3D%C3%A9+&alone");
        assert_eq!(sent.text("name"), "Anna's iPhone");
        assert_eq!(sent.all("right"), ["a", "b"]);
        assert_eq!(sent.text("empty"), "");
        assert_eq!(sent.text("alone"), "");
        assert_eq!(sent.text("missing"), "");
        assert_eq!(
            sent.secret("password").expose(),
            " a&b=é ",
            "blanks are part of a password"
        );
        assert_eq!(sent.secret("password").expose(), "", "it was taken out");
    }

    #[test]
    fn what_is_no_text_is_no_form() {
        for body in ["a=%", "a=%4", "a=%zz", "a=%ff", "a=%+1", "%ff=a"] {
            assert!(Sent::parse(body.as_bytes()).is_none(), "{body}");
        }
        let many = "a=1&".repeat(FIELDS_MAX + 1);
        assert!(Sent::parse(many.as_bytes()).is_none());
        assert!(Sent::parse("a=1&".repeat(FIELDS_MAX).as_bytes()).is_some());
        assert!(read("").0.is_empty());
    }

    #[test]
    fn only_forms_are_read_as_forms() {
        for (kind, is) in [
            ("application/x-www-form-urlencoded", true),
            ("Application/X-WWW-Form-Urlencoded; charset=UTF-8", true),
            ("application/json", false),
            ("multipart/form-data; boundary=x", false),
            ("text/plain", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
            assert_eq!(is_form(&headers), is, "{kind}");
        }
        assert!(!is_form(&HeaderMap::new()));
    }

    #[test]
    fn a_body_that_is_ours_alone_is_wiped() {
        assert!(wipe(Bytes::from(b"password=otter".to_vec())));
        let shared = Bytes::from(b"password=otter".to_vec());
        let other = shared.clone();
        assert!(!wipe(shared));
        assert_eq!(other, "password=otter");
    }
}
