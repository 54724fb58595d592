//! Pages for people who are not signed in (yet): sign-in, links from mails, set-up; and the step-up of those who are.

use super::scope::*;
use crate::model::{Right, Role};

/// `/sign-in`. Sends `address`, `password`, `next`.
#[derive(Debug, Template)]
#[template(path = "door/sign_in.html")]
pub struct SignIn {
    /// What stands around it.
    pub frame: Frame,
    /// The sign-in address.
    pub address: Field,
    /// Why it was refused; never which of the two was wrong.
    pub problem: Option<Line>,
    /// Where to go afterwards: a path of ours, or empty.
    pub next: String,
}

impl SignIn {
    fn title(&self) -> Line {
        Line::new("sign-in-title")
    }
}

/// `/sign-in/code`. Sends `code` (of the authenticator program, or a recovery code) and `next`.
#[derive(Debug, Template)]
#[template(path = "door/code.html")]
pub struct SecondFactor {
    /// What stands around it.
    pub frame: Frame,
    /// The code.
    pub code: Field,
    /// A recovery code is asked for instead.
    pub is_recovery: bool,
    /// Where to go afterwards.
    pub next: String,
}

impl SecondFactor {
    fn title(&self) -> Line {
        Line::new(if self.is_recovery {
            "code-recovery-title"
        } else {
            "code-title"
        })
    }
}

/// `/forgot`. Sends `address`.
#[derive(Debug, Template)]
#[template(path = "door/forgot.html")]
pub struct Forgot {
    /// What stands around it.
    pub frame: Frame,
    /// The sign-in address.
    pub address: Field,
    /// This installation sends mail; where it does not, the page says whom to ask.
    pub sends_mail: bool,
    /// It was sent, as far as anybody is told.
    pub is_sent: bool,
}

impl Forgot {
    fn title(&self) -> Line {
        Line::new(if self.is_sent {
            "forgot-sent-title"
        } else {
            "forgot-title"
        })
    }
}

/// `/reset/{token}`. Sends `password`.
#[derive(Debug, Template)]
#[template(path = "door/reset.html")]
pub struct Reset {
    /// What stands around it.
    pub frame: Frame,
    /// Whose password it is; none where the link is used, expired or unknown.
    pub address: Option<String>,
    /// The new password.
    pub password: Field,
}

impl Reset {
    fn title(&self) -> Line {
        Line::new(if self.address.is_some() {
            "reset-title"
        } else {
            "reset-gone-title"
        })
    }
}

/// `/set-up/{token}`: the first owner and the first organisation. Sends `organisation`, `name`, `address`, `password`,
/// `language`.
#[derive(Debug, Template)]
#[template(path = "door/set_up.html")]
pub struct SetUp {
    /// What stands around it.
    pub frame: Frame,
    /// The link is the right one and nobody has used it; the fields below are for this case.
    pub is_open: bool,
    /// The organisation's name.
    pub organisation: Field,
    /// The person's name.
    pub name: Field,
    /// Their sign-in address.
    pub address: Field,
    /// Their password.
    pub password: Field,
    /// Their language.
    pub language: Field,
}

impl SetUp {
    fn title(&self) -> Line {
        Line::new(if self.is_open {
            "set-up-title"
        } else {
            "set-up-gone-title"
        })
    }
}

/// `/step-up`: the password or a code again, before something of weight. Sends `password` or `code`, and `next`.
#[derive(Debug, Template)]
#[template(path = "door/step_up.html")]
pub struct StepUp {
    /// What stands around it.
    pub frame: Frame,
    /// What the person is about to do.
    pub purpose: Line,
    /// The person has an authenticator program, and may give a code instead.
    pub has_code: bool,
    /// The password.
    pub password: Field,
    /// The code.
    pub code: Field,
    /// Where to go afterwards.
    pub next: String,
    /// Back to where they came from.
    pub back: String,
}

impl StepUp {
    fn title(&self) -> Line {
        Line::new("step-up-title")
    }
}

/// A mailbox that an invitation gives access to.
#[derive(Debug, Clone)]
pub struct InvitedMailbox {
    /// Its address.
    pub address: String,
    /// What one may do with it.
    pub rights: Vec<Right>,
    /// When the access ends by itself.
    pub ends_at: Option<Timestamp>,
}

/// What an invitation offers.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Who invites.
    pub inviter: String,
    /// Into which organisation.
    pub org: String,
    /// Whom: the address that the invitation went to.
    pub address: String,
    /// With which role.
    pub role: Role,
    /// To which mailboxes.
    pub mailboxes: Vec<InvitedMailbox>,
    /// Until when it can be accepted.
    pub expires_at: Timestamp,
}

/// How an invitation can be accepted.
#[derive(Debug, Clone)]
pub enum Way {
    /// By whoever is signed in: the right person, it seems.
    SignedIn {
        /// Their name.
        name: String,
        /// Their sign-in address.
        address: String,
    },
    /// Somebody else is signed in than the invitation went to: it can be accepted after signing out only.
    Another {
        /// Who is signed in.
        address: String,
    },
    /// Nobody is signed in: by signing in, or as somebody new. Both are always offered, so that nobody learns whether the
    /// address is a user already.
    Stranger {
        /// Their name.
        name: Field,
        /// Their new password.
        password: Field,
        /// Their language.
        language: Field,
    },
}

/// `/invitation/{token}` while it is open. Sends `action`: `accept`; `create` with `name`, `password`, `language`;
/// `decline`.
#[derive(Debug, Template)]
#[template(path = "door/invitation.html")]
pub struct Invited {
    /// What stands around it.
    pub frame: Frame,
    /// Its own path, for forms and for the way back from the sign-in.
    pub path: String,
    /// What it offers.
    pub offer: Offer,
    /// How it can be accepted.
    pub way: Way,
}

impl Invited {
    fn title(&self) -> Line {
        Line::new("invited-title").with("org", &self.offer.org)
    }
}

/// `/invitation/{token}/decline`. Sends nothing more.
#[derive(Debug, Template)]
#[template(path = "door/decline.html")]
pub struct Decline {
    /// What stands around it.
    pub frame: Frame,
    /// The invitation's path.
    pub path: String,
    /// What is declined.
    pub offer: Offer,
}

impl Decline {
    fn title(&self) -> Line {
        Line::new("decline-title")
    }
}

/// Why an invitation is not open.
#[derive(Debug, Clone)]
pub enum Closed {
    /// It was declined just now, or before.
    Declined,
    /// Its time is over.
    Expired {
        /// Since when.
        at: Timestamp,
        /// Who invited.
        inviter: String,
    },
    /// No such link: mistyped, or cut off by a mail program.
    Unknown,
    /// It was accepted.
    Used {
        /// When.
        at: Timestamp,
        /// By which address, shortened (`anna@…`).
        by: String,
        /// Who invited.
        inviter: String,
    },
    /// It was taken back.
    Withdrawn {
        /// Who invited.
        inviter: String,
    },
}

/// `/invitation/{token}` where it is not open (any more).
#[derive(Debug, Template)]
#[template(path = "door/invitation_closed.html")]
pub struct InvitationClosed {
    /// What stands around it.
    pub frame: Frame,
    /// Why.
    pub reason: Closed,
}

impl InvitationClosed {
    fn title(&self) -> Line {
        Line::new(match self.reason {
            Closed::Declined => "closed-declined-title",
            Closed::Expired { .. } => "closed-expired-title",
            Closed::Unknown => "closed-unknown-title",
            Closed::Used { .. } => "closed-used-title",
            Closed::Withdrawn { .. } => "closed-withdrawn-title",
        })
    }
}
