//! What a page says once above itself after something was done. Handlers take the words from here, so that each deed is
//! told in one way.

use super::frame::{Flash, Tone};
use crate::admin::console::text::Line;

/// What became of the mail sessions that a change was to end.
#[derive(Debug, Clone, Copy)]
pub enum Ended {
    /// So many ended, after so many milliseconds.
    Sessions {
        /// How many.
        count: u64,
        /// How fast.
        milliseconds: u64,
    },
    /// The change is written, but not every node has confirmed that it acts by it.
    Unconfirmed,
}

impl Ended {
    fn flash(self, done: Line) -> Flash {
        match self {
            Self::Sessions { count: 0, .. } => Flash::done(done),
            Self::Sessions { count, milliseconds } => {
                let ended = Line::new("done-sessions-ended")
                    .with("count", count)
                    .with("milliseconds", milliseconds);
                Flash::done(Line::new("two-sentences").with("one", done).with("two", ended))
            }
            Self::Unconfirmed => Flash {
                tone: Tone::Warning,
                line: Line::new("two-sentences")
                    .with("one", done)
                    .with("two", Line::new("done-unconfirmed")),
                next: None,
            },
        }
    }
}

/// Changes were saved.
pub fn saved() -> Flash {
    Flash::done(Line::new("done-saved"))
}

/// Nothing was changed, because nothing differed.
pub fn unchanged() -> Flash {
    Flash {
        tone: Tone::Plain,
        line: Line::new("done-unchanged"),
        next: None,
    }
}

/// A device was disconnected; it can be added again at `again`.
pub fn disconnected(device: &str, ended: Ended, again: Option<String>) -> Flash {
    let mut flash = ended.flash(Line::new("done-disconnected").with("device", device));
    flash.next = again.map(|href| (href, Line::new("device-add-again")));
    flash
}

/// All devices of a mailbox were disconnected.
pub fn all_disconnected(mailbox: &str, devices: u64, ended: Ended) -> Flash {
    let done = Line::new("done-all-disconnected")
        .with("mailbox", mailbox)
        .with("count", devices);
    ended.flash(done)
}

/// A device was paused.
pub fn paused(device: &str, ended: Ended) -> Flash {
    ended.flash(Line::new("done-paused").with("device", device))
}

/// A device got a new password.
pub fn replaced(device: &str, ended: Ended) -> Flash {
    ended.flash(Line::new("done-replaced").with("device", device))
}

/// A paused device was resumed.
pub fn resumed(device: &str) -> Flash {
    Flash::done(Line::new("done-resumed").with("device", device))
}

/// A device's settings were changed; what was narrowed may have ended sessions.
pub fn device_saved(ended: Ended) -> Flash {
    ended.flash(Line::new("done-saved"))
}

/// One mail session was ended.
pub fn session_ended(device: &str) -> Flash {
    Flash::done(Line::new("done-session-ended").with("device", device))
}

/// Access was given.
pub fn access_given(name: &str, mailbox: &str) -> Flash {
    Flash::done(
        Line::new("done-access-given")
            .with("name", name)
            .with("mailbox", mailbox),
    )
}

/// Access was withdrawn, with so many devices.
pub fn access_withdrawn(name: &str, mailbox: &str, devices: u64, ended: Ended) -> Flash {
    let done = Line::new("done-access-withdrawn")
        .with("name", name)
        .with("mailbox", mailbox)
        .with("count", devices);
    ended.flash(done)
}

/// A role was changed, which took so many devices along.
pub fn role_lowered(name: &str, devices: u64, ended: Ended) -> Flash {
    let done = Line::new("done-role-lowered").with("name", name).with("count", devices);
    ended.flash(done)
}

/// A member was removed, with so many devices.
pub fn member_removed(name: &str, org: &str, devices: u64, ended: Ended) -> Flash {
    let done = Line::new("done-member-removed")
        .with("name", name)
        .with("org", org)
        .with("count", devices);
    ended.flash(done)
}

/// An invitation waits to be sent.
pub fn invited(address: &str) -> Flash {
    Flash::done(Line::new("done-invited").with("address", address))
}

/// An invitation was made, and only its link is given out.
pub fn invitation_made() -> Flash {
    Flash::done(Line::new("done-invitation-made"))
}

/// An invitation was made, and its mail could not be written.
pub fn invitation_not_mailed() -> Flash {
    Flash {
        tone: Tone::Warning,
        line: Line::new("done-invitation-not-mailed"),
        next: None,
    }
}

/// A set-up link was made, and stands on the page.
pub fn link_made(device: &str) -> Flash {
    Flash::done(Line::new("done-link-made").with("device", device))
}

/// A set-up link is on its way by mail.
pub fn link_mailed(address: &str) -> Flash {
    Flash::done(Line::new("done-link-mailed").with("address", address))
}

/// A set-up link could not be mailed, and stands on the page.
pub fn link_not_mailed() -> Flash {
    Flash {
        tone: Tone::Warning,
        line: Line::new("done-link-not-mailed"),
        next: None,
    }
}

/// A set-up link was withdrawn.
pub fn link_withdrawn(device: &str) -> Flash {
    Flash::done(Line::new("done-link-withdrawn").with("device", device))
}

/// An invitation was withdrawn.
pub fn invitation_withdrawn(address: &str) -> Flash {
    Flash::done(Line::new("done-invitation-withdrawn").with("address", address))
}

/// An invitation was accepted.
pub fn joined(org: &str) -> Flash {
    Flash::done(Line::new("done-joined").with("org", org))
}

/// A mailbox was suspended.
pub fn suspended(mailbox: &str, ended: Ended) -> Flash {
    ended.flash(Line::new("done-suspended").with("mailbox", mailbox))
}

/// A suspended mailbox was resumed.
pub fn mailbox_resumed(mailbox: &str) -> Flash {
    Flash::done(Line::new("done-mailbox-resumed").with("mailbox", mailbox))
}

/// A mailbox was deleted.
pub fn mailbox_deleted(mailbox: &str, ended: Ended) -> Flash {
    ended.flash(Line::new("done-mailbox-deleted").with("mailbox", mailbox))
}

/// An alias was added.
pub fn alias_added(alias: &str, mailbox: &str) -> Flash {
    Flash::done(
        Line::new("done-alias-added")
            .with("alias", alias)
            .with("mailbox", mailbox),
    )
}

/// An alias was removed.
pub fn alias_removed(alias: &str) -> Flash {
    Flash::done(Line::new("done-alias-removed").with("alias", alias))
}

/// A mail domain was added; mailboxes in it are created at `create`.
pub fn domain_added(domain: &str, create: Option<String>) -> Flash {
    Flash {
        next: create.map(|href| (href, Line::new("mailbox-new"))),
        ..Flash::done(Line::new("done-domain-added").with("domain", domain))
    }
}

/// A mail domain was removed.
pub fn domain_removed(domain: &str) -> Flash {
    Flash::done(Line::new("done-domain-removed").with("domain", domain))
}

/// The DNS was asked about a mail domain: so much is to be done, and so many questions had no answer.
pub fn domain_checked(domain: &str, problems: usize, unanswered: usize) -> Flash {
    let (tone, line) = match (problems, unanswered) {
        (0, 0) => (Tone::Good, Line::new("done-domain-right").with("domain", domain)),
        (0, _) => (
            Tone::Warning,
            Line::new("done-domain-unanswered").with("domain", domain),
        ),
        (problems, _) => (
            Tone::Warning,
            Line::new("done-domain-problems")
                .with("domain", domain)
                .with("count", problems),
        ),
    };
    Flash { tone, line, next: None }
}

/// The DNS was asked too often.
pub fn checked_often(seconds: u64) -> Flash {
    Flash::problem(Line::new("problem-checked-often").with("seconds", seconds))
}

/// An API token was revoked.
pub fn token_revoked(name: &str) -> Flash {
    Flash::done(Line::new("done-token-revoked").with("name", name))
}

/// The person's password was changed; so many other console sessions ended.
pub fn password_changed(sessions: u64) -> Flash {
    Flash::done(Line::new("done-password-changed").with("count", sessions))
}

/// The person's password was set by a link from a mail.
pub fn password_reset() -> Flash {
    Flash::done(Line::new("done-password-reset"))
}

/// A link went to another sign-in address.
pub fn address_asked(address: &str) -> Flash {
    Flash::done(Line::new("done-address-asked").with("address", address))
}

/// The sign-in address was changed without a mail that could have checked it.
pub fn address_at_once(address: &str) -> Flash {
    Flash {
        tone: Tone::Warning,
        line: Line::new("done-address-at-once").with("address", address),
        next: None,
    }
}

/// The person signs in with another address from now on.
pub fn address_changed(address: &str) -> Flash {
    Flash::done(Line::new("done-address-changed").with("address", address))
}

/// A form was sent a second time, and what it made is there already.
pub fn made_already() -> Flash {
    Flash {
        tone: Tone::Plain,
        line: Line::new("done-already"),
        next: None,
    }
}

/// A code is no longer asked for.
pub fn code_removed() -> Flash {
    Flash {
        tone: Tone::Warning,
        line: Line::new("done-code-removed"),
        next: None,
    }
}

/// Console sessions were ended.
pub fn signed_out(sessions: u64) -> Flash {
    Flash::done(Line::new("done-signed-out").with("count", sessions))
}

/// The person signed out here.
pub fn signed_out_here() -> Flash {
    Flash::done(Line::new("done-signed-out-here"))
}

/// The session came to its end by itself.
pub fn session_over() -> Flash {
    Flash {
        tone: Tone::Plain,
        line: Line::new("done-session-over"),
        next: None,
    }
}

/// Nobody can sign in yet: the first owner comes by another door.
pub fn nobody_yet() -> Flash {
    Flash {
        tone: Tone::Plain,
        line: Line::new("sign-in-nobody"),
        next: None,
    }
}

/// A lost device was paused.
pub fn lost_paused(device: &str, ended: Ended) -> Flash {
    ended.flash(Line::new("done-lost-paused").with("device", device))
}

/// What the sign-in page says: address, password and code are not told apart.
pub const fn sign_in_refused() -> Line {
    Line::new("sign-in-refused")
}

/// What the sign-in page says where too many tries were made.
pub fn sign_in_throttled(again_at: crate::clock::Timestamp) -> Line {
    Line::new("sign-in-throttled").with("when", again_at)
}

/// Why a step-up is asked for.
pub mod purpose {
    use crate::admin::console::text::Line;

    /// A device is added.
    pub fn add_device(mailbox: &str) -> Line {
        Line::new("purpose-add-device").with("mailbox", mailbox)
    }

    /// A device gets a new password.
    pub fn replace_device(device: &str) -> Line {
        Line::new("purpose-replace-device").with("device", device)
    }

    /// Somebody gets access to a mailbox, or more of it.
    pub fn give_access(mailbox: &str) -> Line {
        Line::new("purpose-give-access").with("mailbox", mailbox)
    }

    /// A sign-in method is changed.
    pub const fn sign_in_method() -> Line {
        Line::new("purpose-sign-in-method")
    }

    /// Somebody becomes owner or administrator.
    pub const fn give_role() -> Line {
        Line::new("purpose-give-role")
    }

    /// Something else of weight.
    pub const fn anything() -> Line {
        Line::new("purpose-anything")
    }

    /// An API token is made.
    pub const fn make_token() -> Line {
        Line::new("purpose-make-token")
    }
}

/// What somebody may not do, for the error page that names who can.
pub mod forbidden {
    use crate::admin::console::text::Line;

    /// Add devices to a mailbox that they may see.
    pub fn add_device(mailbox: &str) -> Line {
        Line::new("forbidden-add-device").with("mailbox", mailbox)
    }

    /// Have the mail of an address with which somebody signs in.
    pub fn somebody_signs_in(address: &str) -> Line {
        Line::new("forbidden-somebody-signs-in").with("mailbox", address)
    }

    /// Take a name that is more than another name of the mailbox.
    pub fn speaks_for_domain(mailbox: &str) -> Line {
        Line::new("forbidden-speaks-for-domain").with("mailbox", mailbox)
    }

    /// Manage the devices of others.
    pub fn manage_devices(mailbox: &str) -> Line {
        Line::new("forbidden-manage-devices").with("mailbox", mailbox)
    }

    /// Manage aliases.
    pub fn manage_aliases(mailbox: &str) -> Line {
        Line::new("forbidden-manage-aliases").with("mailbox", mailbox)
    }

    /// Decide who has access to a mailbox.
    pub fn give_access(mailbox: &str) -> Line {
        Line::new("forbidden-give-access").with("mailbox", mailbox)
    }

    /// Manage mailboxes and domains.
    pub const fn manage_mailboxes() -> Line {
        Line::new("forbidden-manage-mailboxes")
    }

    /// Manage people and invitations.
    pub const fn manage_people() -> Line {
        Line::new("forbidden-manage-people")
    }

    /// Change or remove owners.
    pub const fn manage_owners() -> Line {
        Line::new("forbidden-manage-owners")
    }

    /// Change anything, as an auditor.
    pub const fn change_anything() -> Line {
        Line::new("forbidden-change-anything")
    }

    /// Something else that a role does not allow.
    pub const fn anything_else() -> Line {
        Line::new("forbidden-anything-else")
    }

    /// See this part of the organisation.
    pub const fn see() -> Line {
        Line::new("forbidden-see")
    }
}
