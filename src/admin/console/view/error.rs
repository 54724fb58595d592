//! Pages for what went wrong: what happened, that nothing was changed, and what to do now.

use super::scope::*;

/// What went wrong.
#[derive(Debug, Clone)]
pub enum Fault {
    /// 400: a form that no page of ours sends.
    BadRequest,
    /// 403: the request came from another site.
    ForeignSite,
    /// 403: the person may not; who can is named where anybody can.
    Forbidden {
        /// What they wanted to do.
        what: Line,
        /// The names of those who can.
        who_can: Vec<String>,
    },
    /// 404: there is no such thing, or it is somebody else's: nobody learns which.
    NotFound,
    /// 410: a link of ours that is used up.
    Gone,
    /// 413: more than a form may send.
    TooLarge,
    /// 429: too many tries.
    TooMany {
        /// When to try again.
        again_at: Timestamp,
    },
    /// 500: a mistake of ours.
    Internal {
        /// By which it is found in the log.
        reference: String,
    },
    /// 503: the store does not answer.
    Unavailable,
}

impl Fault {
    /// The status of the answer.
    pub const fn status(&self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::ForeignSite | Self::Forbidden { .. } => 403,
            Self::NotFound => 404,
            Self::Gone => 410,
            Self::TooLarge => 413,
            Self::TooMany { .. } => 429,
            Self::Internal { .. } => 500,
            Self::Unavailable => 503,
        }
    }

    const fn title(&self) -> &'static str {
        match self {
            Self::BadRequest => "error-400-title",
            Self::ForeignSite => "error-site-title",
            Self::Forbidden { .. } => "error-403-title",
            Self::NotFound => "error-404-title",
            Self::Gone => "error-410-title",
            Self::TooLarge => "error-413-title",
            Self::TooMany { .. } => "error-429-title",
            Self::Internal { .. } => "error-500-title",
            Self::Unavailable => "error-503-title",
        }
    }

    const fn text(&self) -> &'static str {
        match self {
            Self::BadRequest => "error-400",
            Self::ForeignSite => "error-site",
            Self::Forbidden { .. } => "error-403",
            Self::NotFound => "error-404",
            Self::Gone => "error-410",
            Self::TooLarge => "error-413",
            Self::TooMany { .. } => "error-429",
            Self::Internal { .. } => "error-500",
            Self::Unavailable => "error-503",
        }
    }
}

/// Names as a sentence has them: `Sophie`, `Sophie and Marc`, `Sophie, Marc and 2 others`.
pub fn names(names: &[String]) -> Line {
    match names {
        [] => Line::new("names-nobody"),
        [one] => Line::name(one),
        [one, two] => Line::new("names-two").with("one", one).with("two", two),
        [one, two, rest @ ..] => Line::new("names-more")
            .with("one", one)
            .with("two", two)
            .with("count", rest.len()),
    }
}

/// An error inside the Manager: with its navigation.
#[derive(Debug, Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// What stands around it.
    pub frame: Frame,
    /// What went wrong.
    pub fault: Fault,
}

impl ErrorPage {
    fn title(&self) -> Line {
        Line::new(self.fault.title())
    }

    fn line(&self) -> Line {
        let line = Line::new(self.fault.text());
        match &self.fault {
            Fault::Forbidden { what, .. } => line.with("what", what),
            Fault::TooMany { again_at } => line.with("when", *again_at),
            Fault::Internal { reference } => line.with("reference", reference),
            _ => line,
        }
    }

    /// Who could do it instead.
    fn who_can(&self) -> Option<Line> {
        match &self.fault {
            Fault::Forbidden { who_can, .. } if !who_can.is_empty() => {
                let count = who_can.len();
                Some(
                    Line::new("error-403-who")
                        .with("names", names(who_can))
                        .with("count", count),
                )
            }
            _ => None,
        }
    }
}

/// The same for people who are not signed in.
#[derive(Debug, Template)]
#[template(path = "door/error.html")]
pub struct ErrorDoor {
    /// What stands around it.
    pub frame: Frame,
    /// What went wrong.
    pub fault: Fault,
}

impl ErrorDoor {
    fn title(&self) -> Line {
        Line::new(self.fault.title())
    }

    fn line(&self) -> Line {
        let line = Line::new(self.fault.text());
        match &self.fault {
            Fault::Forbidden { what, .. } => line.with("what", what),
            Fault::TooMany { again_at } => line.with("when", *again_at),
            Fault::Internal { reference } => line.with("reference", reference),
            _ => line,
        }
    }
}

/// One field of a conflict.
#[derive(Debug, Clone)]
pub struct Difference {
    /// What it is called.
    pub label: Line,
    /// As it is now.
    pub theirs: String,
    /// As the person wanted it.
    pub mine: String,
}

/// 409: somebody changed the same thing meanwhile. Posts `mine` again with the present revision, or goes back to see theirs.
#[derive(Debug, Template)]
#[template(path = "conflict.html")]
pub struct Conflict {
    /// What stands around it.
    pub frame: Frame,
    /// What was changed.
    pub what: String,
    /// Who changed it.
    pub who: String,
    /// When.
    pub at: Timestamp,
    /// Where the two differ.
    pub differences: Vec<Difference>,
    /// Where to send mine.
    pub action: String,
    /// Mine, with the present revision: all that the form sent.
    pub fields: Vec<(String, String)>,
    /// The page that shows theirs.
    pub theirs: String,
}

impl Conflict {
    fn title(&self) -> Line {
        Line::new("conflict-title")
    }
}
