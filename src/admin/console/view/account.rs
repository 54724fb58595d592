//! One's own account: name, language, colours, and the ways to sign in.

use super::qr::Qr;
use super::scope::*;
use crate::model::ConsoleSessionId;
use crate::secret::Secret;

/// A console session of the person.
#[derive(Debug, Clone)]
pub struct ConsoleSession {
    /// Which.
    pub id: ConsoleSessionId,
    /// The browser and its system, as far as they say.
    pub browser: String,
    /// From where it was last used.
    pub ip: String,
    /// When it began.
    pub since: Timestamp,
    /// When it was last used.
    pub seen_at: Timestamp,
    /// It is the one at hand.
    pub is_this: bool,
}

/// `/me/account`. Sends `name`, `language`, `theme`. `.../sessions/{id}/end` sends nothing, `.../sessions/end-others`
/// and `.../code/off` are `confirm`'s.
#[derive(Debug, Template)]
#[template(path = "me/account.html")]
pub struct Account {
    /// What stands around it.
    pub frame: Frame,
    /// The sign-in address.
    pub address: String,
    /// Another one that waits to be confirmed, and until when it can be.
    pub asked: Option<(String, Timestamp)>,
    /// Why a private address would be better, where it is in a domain of an organisation.
    pub is_own_domain: bool,
    /// The name.
    pub name: Field,
    /// The language.
    pub language: Field,
    /// The colours.
    pub theme: Field,
    /// A code is asked for.
    pub has_code: bool,
    /// How many recovery codes are left.
    pub recovery_codes: u64,
    /// The console sessions.
    pub sessions: Vec<ConsoleSession>,
}

impl Account {
    fn title(&self) -> Line {
        Line::new("nav-my-account")
    }
}

/// `/me/account/password`. Sends `password`; that it is they who change it was asked just before (`/step-up`).
#[derive(Debug, Template)]
#[template(path = "me/password.html")]
pub struct ChangePassword {
    /// What stands around it.
    pub frame: Frame,
    /// The new one.
    pub password: Field,
}

impl ChangePassword {
    fn title(&self) -> Line {
        Line::new("password-change-title")
    }
}

/// `/me/account/address`. Sends `address`.
#[derive(Debug, Template)]
#[template(path = "me/address.html")]
pub struct ChangeAddress {
    /// What stands around it.
    pub frame: Frame,
    /// The address to sign in with.
    pub address: Field,
    /// A mail with a link asks the new address first; otherwise it counts at once.
    pub is_confirmed: bool,
}

impl ChangeAddress {
    fn title(&self) -> Line {
        Line::new("address-change-title")
    }
}

/// `/me/account/code`: sets up an authenticator program. Sends `code`, which proves that the program has the key, and
/// `offer`.
#[derive(Template)]
#[template(path = "me/code.html")]
pub struct SetUpCode {
    /// What stands around it.
    pub frame: Frame,
    /// What the program reads with its camera.
    pub qr: Option<Qr>,
    /// The same as text, in groups of four.
    pub key: Secret<String>,
    /// The same again, sealed: what the form sends back, as nobody keeps it until a code has proved it.
    pub offer: String,
    /// The code.
    pub code: Field,
}

impl SetUpCode {
    fn title(&self) -> Line {
        Line::new("code-set-up-title")
    }

    fn shown(&self) -> &str {
        self.key.expose()
    }
}

/// The answer to setting up a code, and to asking for new recovery codes: the one showing of them.
#[derive(Template)]
#[template(path = "me/recovery_codes.html")]
pub struct RecoveryCodes {
    /// What stands around it.
    pub frame: Frame,
    /// The codes.
    pub codes: Vec<Secret<String>>,
}

impl RecoveryCodes {
    fn title(&self) -> Line {
        Line::new("codes-title")
    }

    fn shown(&self) -> Vec<&str> {
        self.codes.iter().map(|code| code.expose().as_str()).collect()
    }
}
