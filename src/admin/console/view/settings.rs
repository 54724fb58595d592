//! Settings of the organisation, and the tokens of programs that use the API.

use super::scope::*;
use crate::model::{NoticeKind, Role, TokenId};
use crate::secret::Secret;

/// An API token in the list.
#[derive(Debug, Clone)]
pub struct TokenRow {
    /// Which.
    pub id: TokenId,
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub owner: String,
    /// What it may do at most.
    pub role: Role,
    /// It changes nothing.
    pub is_read_only: bool,
    /// When it was last used, and from where.
    pub last_used: Option<(Timestamp, String)>,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// It may be revoked by whoever looks.
    pub may_revoke: bool,
}

/// `/o/{org}/settings`. Sends `name` and `revision`; to `settings/notices` it sends `notices` (the kinds that are ticked) and
/// `revision`.
#[derive(Debug, Template)]
#[template(path = "org/settings.html")]
pub struct Settings {
    /// What stands around it.
    pub frame: Frame,
    /// The organisation's name.
    pub name: Field,
    /// Which state of the record this is.
    pub revision: String,
    /// It may be changed.
    pub may_change: bool,
    /// The tokens.
    pub tokens: Vec<TokenRow>,
    /// The notices of devices that are sent, by their words.
    pub notices: Ticks,
    /// Which ones were not when this page was made.
    pub notices_revision: String,
    /// They may be switched off and on.
    pub may_choose_notices: bool,
    /// Tokens may be made.
    pub may_make_token: bool,
}

impl Settings {
    fn title(&self) -> Line {
        Line::new("nav-settings")
    }

    const fn kinds() -> [NoticeKind; 3] {
        NoticeKind::ALL
    }
}

/// What a kind of notice is called.
pub const fn notice_name(kind: &NoticeKind) -> &'static str {
    match kind {
        NoticeKind::DeviceAdded => "notice-device-added",
        NoticeKind::DeviceNetwork => "notice-device-network",
        NoticeKind::DeviceUnused => "notice-device-unused",
    }
}

/// What it says, and whom it goes to.
const fn notice_hint(kind: &NoticeKind) -> &'static str {
    match kind {
        NoticeKind::DeviceAdded => "notice-device-added-hint",
        NoticeKind::DeviceNetwork => "notice-device-network-hint",
        NoticeKind::DeviceUnused => "notice-device-unused-hint",
    }
}

/// `/o/{org}/settings/tokens/new`. Sends `name`, `role`, `access` (`read` or `write`), `expires` (days), and `once`.
#[derive(Debug, Template)]
#[template(path = "org/token_new.html")]
pub struct NewToken {
    /// What stands around it.
    pub frame: Frame,
    /// Its name.
    pub name: Field,
    /// What it may do at most.
    pub role: Field,
    /// The roles that its maker may give.
    pub offered: Vec<Role>,
    /// `read` or `write`.
    pub access: Field,
    /// `30`, `90` or `365` (days).
    pub expires: Field,
    /// The mark by which a repeated form is told.
    pub once: String,
}

impl NewToken {
    fn title(&self) -> Line {
        Line::new("token-new")
    }
}

/// The answer to making a token: the one showing of it.
#[derive(Template)]
#[template(path = "org/token_shown.html")]
pub struct TokenShown {
    /// What stands around it.
    pub frame: Frame,
    /// Its name.
    pub name: String,
    /// The token.
    pub token: Secret<String>,
    /// Where programs use it: the public origin with `/api/v1`.
    pub api: String,
}

impl TokenShown {
    fn title(&self) -> Line {
        Line::new("token-shown-title").with("name", &self.name)
    }

    fn shown(&self) -> &str {
        self.token.expose()
    }
}
