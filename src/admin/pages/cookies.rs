//! The three cookies: the console session, the mark of a known browser, and the chosen colours.
//!
//! Under TLS their names begin with `__Host-` (RFC 6265bis §4.1.3.2), so that no other host of the domain and no page in
//! clear can set them.

use std::time::Duration;

use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};

use crate::admin::console::view::Theme;
use crate::admin::manager::Origin;
use crate::identity::BROWSER_MARK_LIFE;

/// Which cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The id of the console session; proves everything.
    Session,
    /// A browser in which somebody signed in before; opens nothing.
    Mark,
    /// Light, dark, or as the system.
    Theme,
}

/// No session lives longer, so no browser need keep its cookie for longer.
const SESSION_LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl Kind {
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Session => ("__Host-postern", "postern"),
            Self::Mark => ("__Host-postern-browser", "postern-browser"),
            Self::Theme => ("__Host-postern-theme", "postern-theme"),
        }
    }

    const fn name(self, origin: &Origin) -> &'static str {
        let (secure, clear) = self.names();
        if origin.is_secure() { secure } else { clear }
    }

    const fn life(self) -> Duration {
        match self {
            Self::Session => SESSION_LIFE,
            Self::Mark | Self::Theme => BROWSER_MARK_LIFE,
        }
    }

    /// What the browser sent.
    pub(super) fn read(self, jar: &CookieJar, origin: &Origin) -> Option<String> {
        jar.get(self.name(origin)).map(|cookie| cookie.value().to_owned())
    }

    /// The cookie with this value.
    pub(super) fn set(self, origin: &Origin, value: String) -> Cookie<'static> {
        self.bare(origin, value, self.life())
    }

    /// A cookie that makes the browser forget it.
    pub(super) fn clear(self, origin: &Origin) -> Cookie<'static> {
        self.bare(origin, String::new(), Duration::ZERO)
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

/// The chosen colours.
pub(super) fn theme(jar: &CookieJar, origin: &Origin) -> Theme {
    let chosen = Kind::Theme.read(jar, origin);
    [Theme::Dark, Theme::Light]
        .into_iter()
        .find(|theme| chosen.as_deref() == Some(theme.name()))
        .unwrap_or_default()
}
