//! The four cookies: the console session, the mark of a known browser, the chosen colours, and a guest's language.
//!
//! Under TLS their names begin with `__Host-` (RFC 6265bis §4.1.3.2), so that no other host of the domain and no page in
//! clear can set them.

use std::time::Duration;

use axum::http::{HeaderValue, header};
use axum::response::Response;
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};

use crate::admin::console::view::Theme;
use crate::directory::desk::Opened;
use crate::identity::BROWSER_MARK_LIFE;
use crate::model::{Language, Origin};
use crate::secret::Secret;

/// Which cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The id of the console session; proves everything.
    Session,
    /// A browser in which somebody signed in before; opens nothing.
    Mark,
    /// Light, dark, or as the system.
    Theme,
    /// The language that a guest has chosen; whoever is signed in has one of their own.
    Language,
}

/// No session lives longer, so no browser need keep its cookie for longer.
const SESSION_LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl Kind {
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Session => ("__Host-postern", "postern"),
            Self::Mark => ("__Host-postern-browser", "postern-browser"),
            Self::Theme => ("__Host-postern-theme", "postern-theme"),
            Self::Language => ("__Host-postern-language", "postern-language"),
        }
    }

    fn name(self, origin: &Origin) -> &'static str {
        let (secure, clear) = self.names();
        if origin.is_secure() { secure } else { clear }
    }

    const fn life(self) -> Duration {
        match self {
            Self::Session => SESSION_LIFE,
            Self::Mark | Self::Theme | Self::Language => BROWSER_MARK_LIFE,
        }
    }

    /// What the browser sent.
    pub(super) fn read(self, jar: &CookieJar, origin: &Origin) -> Option<String> {
        jar.get(self.name(origin)).map(|cookie| cookie.value().to_owned())
    }

    /// The answer, with this cookie set.
    pub(super) fn set(self, response: Response, origin: &Origin, value: String) -> Response {
        and(response, &self.bare(origin, value, self.life()))
    }

    /// The answer, with the browser made to forget this cookie.
    pub(super) fn clear(self, response: Response, origin: &Origin) -> Response {
        and(response, &self.bare(origin, String::new(), Duration::ZERO))
    }

    fn bare(self, origin: &Origin, value: String, life: Duration) -> Cookie<'static> {
        Cookie::build((self.name(origin), value))
            .path("/")
            .secure(origin.is_secure())
            .http_only(true)
            .same_site(SameSite::Lax)
            // Into the library's own kind of duration.
            .max_age(life.try_into().unwrap_or_default())
            .build()
    }
}

/// The browser that opened a set-up link is known by this, and only below that link's path. It is sent by requests from our
/// own pages only.
const DEVICE_LINK: (&str, &str) = ("__Secure-postern-device", "postern-device");

const fn device_link_name(origin_is_secure: bool) -> &'static str {
    if origin_is_secure { DEVICE_LINK.0 } else { DEVICE_LINK.1 }
}

/// What a browser is known by that opened the set-up link of the path that is asked for.
pub(super) fn device_link(jar: &CookieJar, origin: &Origin) -> Option<String> {
    jar.get(device_link_name(origin.is_secure()))
        .map(|cookie| cookie.value().to_owned())
}

/// The answer to whoever has opened the set-up link of this path.
pub(super) fn set_device_link(
    response: Response,
    origin: &Origin,
    path: &str,
    value: &Secret<String>,
    life: Duration,
) -> Response {
    let cookie = Cookie::build((device_link_name(origin.is_secure()), value.expose().clone()))
        .path(path.to_owned())
        .secure(origin.is_secure())
        .http_only(true)
        .same_site(SameSite::Strict)
        .max_age(life.try_into().unwrap_or_default())
        .build();
    and(response, &cookie)
}

fn and(mut response: Response, cookie: &Cookie<'_>) -> Response {
    if let Ok(mut value) = HeaderValue::from_str(&cookie.to_string()) {
        // Some of them prove who somebody is, so none is shown where headers are.
        value.set_sensitive(true);
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

/// The answer to whoever has just proved who they are: their session, and the mark by which this browser is known.
pub(super) fn opened(response: Response, origin: &Origin, opened: &Opened) -> Response {
    let response = Kind::Session.set(response, origin, opened.session.shown().expose().clone());
    match &opened.mark {
        Some(mark) => Kind::Mark.set(response, origin, mark.expose().clone()),
        None => response,
    }
}

/// The chosen colours.
pub(super) fn theme(jar: &CookieJar, origin: &Origin) -> Theme {
    theme_named(&Kind::Theme.read(jar, origin).unwrap_or_default())
}

/// The colours with this word; as the system where it is none.
pub(super) fn theme_named(word: &str) -> Theme {
    let named = |theme: &Theme| theme.name() == word;
    [Theme::Dark, Theme::Light].into_iter().find(named).unwrap_or_default()
}

/// The language that a guest chose before.
pub(super) fn language(jar: &CookieJar, origin: &Origin) -> Option<Language> {
    Kind::Language.read(jar, origin)?.parse().ok()
}
