//! Fields of forms: what was typed, and what to do about it.

use crate::admin::console::text::Line;

/// A field: what stands in it, and under it what is wrong.
#[derive(Debug, Clone, Default)]
pub struct Field {
    /// What was typed or is set now; for passwords always empty.
    pub value: String,
    /// What to do, not that it is "invalid".
    pub error: Option<Line>,
}

impl Field {
    /// A field with this in it.
    pub fn of(value: impl ToString) -> Self {
        Self {
            value: value.to_string(),
            error: None,
        }
    }

    /// The same field with an error under it.
    #[must_use]
    pub fn wrong(mut self, error: Line) -> Self {
        self.error = Some(error);
        self
    }

    /// Whether this is what is chosen.
    pub fn is(&self, value: &str) -> bool {
        self.value == value
    }
}

/// A set of boxes to tick.
#[derive(Debug, Clone, Default)]
pub struct Ticks {
    /// The values of the ticked ones.
    pub values: Vec<String>,
    /// What to do.
    pub error: Option<Line>,
}

impl Ticks {
    /// These are ticked.
    pub fn of<T: ToString>(values: impl IntoIterator<Item = T>) -> Self {
        Self {
            values: values.into_iter().map(|value| value.to_string()).collect(),
            error: None,
        }
    }

    /// Whether this one is ticked.
    pub fn has(&self, value: &str) -> bool {
        self.values.iter().any(|ticked| ticked == value)
    }
}

/// One of several to choose from, with words of its own (a domain, a person); what the program knows is said by the
/// template.
#[derive(Debug, Clone)]
pub struct Choice {
    /// What the form sends.
    pub value: String,
    /// What the person sees.
    pub name: String,
}

/// What forms say about fields. Handlers take the text from here, so that each mistake is told in one way.
pub mod problem {
    use super::Line;
    use crate::clock::Timestamp;

    /// A field that is needed is empty.
    pub const fn missing() -> Line {
        Line::new("problem-missing")
    }

    /// Longer than a name may be.
    pub fn too_long(most: usize) -> Line {
        Line::new("problem-too-long").with("most", most)
    }

    /// A character that cannot be shown safely.
    pub const fn unshowable() -> Line {
        Line::new("problem-unshowable")
    }

    /// Not an e-mail address.
    pub const fn address() -> Line {
        Line::new("problem-address")
    }

    /// Not the part of an address in front of the at sign.
    pub const fn local_part() -> Line {
        Line::new("problem-local-part")
    }

    /// The address is a mailbox or an alias already.
    pub fn address_taken(address: &str) -> Line {
        Line::new("problem-address-taken").with("address", address)
    }

    /// Somebody signs in with the address already.
    pub const fn sign_in_taken() -> Line {
        Line::new("problem-sign-in-taken")
    }

    /// The mail that it needs could not be written.
    pub const fn not_mailed() -> Line {
        Line::new("problem-not-mailed")
    }

    /// An organisation has this name already.
    pub const fn org_taken() -> Line {
        Line::new("problem-org-taken")
    }

    /// The mail domain is not one of the organisation's.
    pub fn domain_unknown(domain: &str) -> Line {
        Line::new("problem-domain-unknown").with("domain", domain)
    }

    /// Not a domain name.
    pub const fn domain() -> Line {
        Line::new("problem-domain")
    }

    /// Only the operator adds domains.
    pub fn domain_by_operator() -> Line {
        Line::new("problem-domain-by-operator")
    }

    /// Another organisation, or this one, has the domain.
    pub fn domain_taken(domain: &str) -> Line {
        Line::new("problem-domain-taken").with("domain", domain)
    }

    /// Another device of the mailbox has this name; `free` is one like it that none has.
    pub fn name_taken(free: &str) -> Line {
        Line::new("problem-name-taken").with("free", free)
    }

    /// No protocol is ticked.
    pub const fn scopes() -> Line {
        Line::new("problem-scopes")
    }

    /// No right is ticked.
    pub const fn rights() -> Line {
        Line::new("problem-rights")
    }

    /// Not an address or a network.
    pub fn network(given: &str) -> Line {
        Line::new("problem-network").with("given", given)
    }

    /// More of them than there may be.
    pub fn too_many(most: usize) -> Line {
        Line::new("problem-too-many").with("most", most)
    }

    /// Not a day, or not one to come.
    pub const fn day_to_come() -> Line {
        Line::new("problem-day-to-come")
    }

    /// Not a day, or one to come.
    pub const fn day_past() -> Line {
        Line::new("problem-day-past")
    }

    /// The password of a person is too short.
    pub fn password_short(least: usize) -> Line {
        Line::new("problem-password-short").with("least", least)
    }

    /// The password of a person is too long.
    pub fn password_long(most: usize) -> Line {
        Line::new("problem-password-long").with("most", most)
    }

    /// The password is on the list of those that everybody tries first.
    pub const fn password_common() -> Line {
        Line::new("problem-password-common")
    }

    /// The password is made of the person's own name or address.
    pub const fn password_like_you() -> Line {
        Line::new("problem-password-like-you")
    }

    /// The present password is not this one.
    pub const fn password_wrong() -> Line {
        Line::new("problem-password-wrong")
    }

    /// The code from the authenticator program, or the recovery code, does not fit.
    pub const fn code() -> Line {
        Line::new("problem-code")
    }

    /// What was to be typed for confirmation is something else.
    pub fn confirmation(expected: &str) -> Line {
        Line::new("problem-confirmation").with("expected", expected)
    }

    /// The person has access to this mailbox already.
    pub const fn has_access() -> Line {
        Line::new("problem-has-access")
    }

    /// Nobody was chosen, and no address was written.
    pub const fn choose_person() -> Line {
        Line::new("problem-choose-person")
    }

    /// Nothing was chosen.
    pub const fn choose() -> Line {
        Line::new("problem-choose")
    }

    /// Sent again too soon.
    pub fn again_at(at: Timestamp) -> Line {
        Line::new("problem-again-at").with("when", at)
    }

    /// The last owner cannot leave or be made less.
    pub const fn last_owner() -> Line {
        Line::new("problem-last-owner")
    }

    /// Somebody gave them another role meanwhile.
    pub fn role_changed(name: &str) -> Line {
        Line::new("problem-role-changed").with("name", name)
    }

    /// Above a form whose fields have errors.
    pub const fn see_fields() -> Line {
        Line::new("problem-see-fields")
    }
}
