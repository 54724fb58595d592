//! The start of an organisation: first steps, what waits to be done, figures, what happened last.

use super::activity::ActivityRow;
use super::scope::*;
use crate::model::MailboxId;

/// A step of the first run, which ticks itself.
#[derive(Debug, Clone)]
pub struct Step {
    /// What to do.
    pub line: Line,
    /// Why.
    pub hint: Line,
    /// It has been done.
    pub is_done: bool,
    /// It is the first that has not.
    pub is_next: bool,
    /// Where to do it; none where the person may not.
    pub href: Option<String>,
}

/// The four first steps, in their order.
#[derive(Debug, Clone, Copy, Default)]
pub struct FirstSteps {
    /// A mail domain is there.
    pub domain: bool,
    /// A mailbox is there.
    pub mailbox: bool,
    /// A device has signed in.
    pub device: bool,
    /// There is a second owner.
    pub owner: bool,
    /// The mailbox, where there is just one.
    pub only: Option<MailboxId>,
}

impl FirstSteps {
    /// Nothing is left to do.
    pub const fn are_done(self) -> bool {
        self.domain && self.mailbox && self.device && self.owner
    }
}

/// A figure, which links to what it counts.
#[derive(Debug, Clone)]
pub struct Figure {
    /// What is counted.
    pub label: Line,
    /// How many.
    pub count: u64,
    /// Where they are listed.
    pub href: String,
    /// What is to be known about them: a text, and the filtered list.
    pub notes: Vec<(Line, String)>,
}

/// Something to look at.
#[derive(Debug, Clone)]
pub struct Todo {
    /// How pressing it is.
    pub tone: Tone,
    /// What.
    pub line: Line,
    /// Where.
    pub href: String,
}

/// `/o/{org}`.
#[derive(Debug, Template)]
#[template(path = "org/overview.html")]
pub struct Overview {
    /// What stands around it.
    pub frame: Frame,
    /// The first steps, until all are done.
    pub first_steps: Option<FirstSteps>,
    /// What waits to be done.
    pub todos: Vec<Todo>,
    /// The figures.
    pub figures: Vec<Figure>,
    /// The last few things that happened.
    pub latest: Vec<ActivityRow>,
}

impl Overview {
    fn title(&self) -> Line {
        Line::new("nav-overview")
    }

    fn steps(&self, done: &FirstSteps) -> [Step; 4] {
        // What needs the step before cannot be begun ahead of it.
        let step = |line, hint, is_done, is_possible: bool, href: &str| Step {
            line: Line::new(line),
            hint: Line::new(hint),
            is_done,
            is_next: false,
            href: is_possible.then(|| self.frame.at(href)),
        };
        let of_only = done.only.map(|only| format!("mailboxes/{only}/devices/new"));
        let device = of_only.as_deref().unwrap_or("mailboxes");
        let mut steps = [
            step("steps-domain", "steps-domain-hint", done.domain, true, "domains"),
            step(
                "steps-mailbox",
                "steps-mailbox-hint",
                done.mailbox,
                done.domain,
                "mailboxes/new",
            ),
            step("steps-device", "steps-device-hint", done.device, done.mailbox, device),
            step(
                "steps-owner",
                "steps-owner-hint",
                done.owner,
                true,
                "invitations/new?role=owner",
            ),
        ];
        if let Some(next) = steps.iter_mut().find(|step| !step.is_done) {
            next.is_next = true;
        }
        steps
    }
}

/// The to-dos that the program knows. Handlers take them from here.
impl Todo {
    /// Mailboxes that nobody has access to and no device reads.
    pub fn unread_mailboxes(count: u64, href: String) -> Self {
        Self {
            tone: Tone::Warning,
            line: Line::new("todo-unread-mailboxes").with("count", count),
            href,
        }
    }

    /// Devices that were added and never signed in.
    pub fn unused_devices(count: u64, href: String) -> Self {
        Self {
            tone: Tone::Plain,
            line: Line::new("todo-unused-devices").with("count", count),
            href,
        }
    }

    /// Devices that have not signed in for ninety days.
    pub fn stale_devices(count: u64, href: String) -> Self {
        Self {
            tone: Tone::Plain,
            line: Line::new("todo-stale-devices").with("count", count),
            href,
        }
    }

    /// Passwords that are no longer valid and are still tried.
    pub fn knocking(count: u64, href: String) -> Self {
        Self {
            tone: Tone::Warning,
            line: Line::new("todo-knocking").with("count", count),
            href,
        }
    }

    /// Devices whose passwords were imported.
    pub fn imported_devices(count: u64, href: String) -> Self {
        Self {
            tone: Tone::Warning,
            line: Line::new("todo-imported-devices").with("count", count),
            href,
        }
    }

    /// Invitations that could not be delivered.
    pub fn undelivered(count: u64, href: String) -> Self {
        Self {
            tone: Tone::Bad,
            line: Line::new("todo-undelivered").with("count", count),
            href,
        }
    }

    /// There is only one owner.
    pub fn one_owner(href: String) -> Self {
        Self {
            tone: Tone::Warning,
            line: Line::new("todo-one-owner"),
            href,
        }
    }

    /// The reader's own sign-in has no code.
    pub fn without_own_code() -> Self {
        Self {
            tone: Tone::Warning,
            line: Line::new("todo-without-own-code"),
            href: "/me/account/code".to_owned(),
        }
    }

    /// Others who may change things and sign in with a password alone.
    pub fn without_code(count: u64, href: String) -> Self {
        Self {
            tone: Tone::Warning,
            line: Line::new("todo-without-code").with("count", count),
            href,
        }
    }
}

/// The figures that the program knows.
impl Figure {
    /// Mailboxes.
    pub fn mailboxes(count: u64, href: String) -> Self {
        Self {
            label: Line::new("nav-mailboxes"),
            count,
            href,
            notes: Vec::new(),
        }
    }

    /// Devices, how many of them were never used, and how many not for ninety days.
    pub fn devices(count: u64, href: String, unused: (u64, String), stale: (u64, String)) -> Self {
        let note = |key, (count, href): (u64, String)| (count > 0).then(|| (Line::new(key).with("count", count), href));
        Self {
            label: Line::new("nav-devices"),
            count,
            href,
            notes: [note("figure-unused", unused), note("figure-stale", stale)]
                .into_iter()
                .flatten()
                .collect(),
        }
    }

    /// Mail sessions at this moment.
    pub fn sessions(count: u64, href: String) -> Self {
        Self {
            label: Line::new("figure-sessions"),
            count,
            href,
            notes: Vec::new(),
        }
    }

    /// People, and how many invitations are open.
    pub fn people(count: u64, href: String, invited: u64, invitations: String) -> Self {
        let note = (invited > 0).then(|| (Line::new("figure-invited").with("count", invited), invitations));
        Self {
            label: Line::new("nav-people"),
            count,
            href,
            notes: note.into_iter().collect(),
        }
    }
}
