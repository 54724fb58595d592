//! What became of a mail with a link, as whoever sent it is shown it.

use super::scope::*;

/// How far a mail has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailStand {
    /// The mail server refused it for good, or it was not taken in time.
    Failed(Timestamp),
    /// The mail server has taken it.
    Sent(Timestamp),
    /// None was written: enough went out already, or the outbox was full.
    Unsent,
    /// It waits to go out, or to be tried again.
    Waiting,
    /// It is not wanted any more.
    Withdrawn(Timestamp),
}

/// What became of a mail.
#[derive(Debug, Clone)]
pub struct MailShown {
    /// How far it has come.
    pub stand: MailStand,
    /// What the mail server said last.
    pub answer: Option<String>,
}

impl MailShown {
    /// As a badge.
    pub const fn badge(&self) -> Badge {
        let (tone, key) = match self.stand {
            MailStand::Failed(_) => (Tone::Bad, "link-mail-failed"),
            MailStand::Sent(_) => (Tone::Plain, "link-mail-sent"),
            MailStand::Unsent => (Tone::Warning, "link-mail-unsent"),
            MailStand::Waiting => (Tone::Warning, "link-mail-waiting"),
            MailStand::Withdrawn(_) => (Tone::Plain, "link-mail-withdrawn"),
        };
        Badge::new(tone, Line::new(key))
    }

    /// When it came to stand so.
    pub const fn at(&self) -> Option<Timestamp> {
        match self.stand {
            MailStand::Failed(at) | MailStand::Sent(at) | MailStand::Withdrawn(at) => Some(at),
            MailStand::Unsent | MailStand::Waiting => None,
        }
    }

    /// Nothing is on its way.
    pub const fn is_unsent(&self) -> bool {
        matches!(self.stand, MailStand::Unsent)
    }

    /// What the mail server said, where the mail could not be delivered.
    pub fn bounce(&self) -> Option<&str> {
        self.answer
            .as_deref()
            .filter(|_| matches!(self.stand, MailStand::Failed(_)))
    }

    /// What it said so far, where the mail is tried again.
    pub fn trouble(&self) -> Option<&str> {
        self.answer
            .as_deref()
            .filter(|_| matches!(self.stand, MailStand::Waiting))
    }
}
