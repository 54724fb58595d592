//! What happened: rows of the audit log as sentences.

use serde_json::Value;

use super::scope::*;

/// A row.
#[derive(Debug, Clone)]
pub struct ActivityRow {
    /// When; of several alike, the last time.
    pub at: Timestamp,
    /// Who.
    pub who: Line,
    /// What they did ([`deed`]).
    pub deed: Line,
    /// The dotted word of what was done, which chooses the icon.
    pub action: String,
    /// From where.
    pub origin: Line,
    /// In whose name, where a program or an administrator acted for somebody.
    pub behalf: Option<String>,
    /// How many alike it stands for.
    pub times: u64,
    /// Its own page.
    pub href: Option<String>,
}

impl ActivityRow {
    /// The icon of what it is about.
    pub fn icon(&self) -> &'static str {
        match self.action.split('.').next().unwrap_or_default() {
            "alias" => "alias",
            "device" => "device",
            "domain" => "domain",
            "grant" => "key",
            "invitation" => "invitation",
            "mailbox" => "mailbox",
            "member" | "user" => "person",
            "org" => "org",
            "session" => "live",
            "key" | "setup" | "token" => "settings",
            _ => "activity",
        }
    }
}

/// Who an audit row names (`cli:root`, `daemon`, a person's name), for reading.
pub fn who(actor: &str, person: Option<&str>) -> Line {
    if let Some(name) = person {
        return Line::name(&name);
    }
    match actor.split_once(':') {
        Some(("cli", user)) => Line::new("who-cli").with("name", user),
        Some(("token", name)) => Line::new("who-token").with("name", name),
        Some(("user", _)) => Line::new("who-gone"),
        _ if actor == "daemon" => Line::new("who-daemon"),
        _ if actor == "stranger" => Line::new("who-stranger"),
        _ => Line::name(&actor),
    }
}

/// Where an audit row says that something came from.
pub fn origin(origin: &str) -> Line {
    match origin {
        "local" | "" => Line::new("origin-local"),
        address => Line::name(&address),
    }
}

/// What was done, as a sentence without whoever did it. `detail` is the audit row's; what it lacks is said as `…`.
pub fn deed(actor: &str, action: &str, subject: &str, detail: &Value) -> Line {
    let fact = |name: &str| detail.get(name).and_then(Value::as_str).unwrap_or("…").to_owned();
    // With an invitation people give themselves what they were offered.
    let is_own = actor.strip_prefix("user:") == Some(subject);
    let key = match action {
        "grant.give" if is_own => Some("deed-grant-give-own"),
        "member.add" if is_own => Some("deed-member-add-own"),
        _ => sentence(action),
    };
    let Some(key) = key else {
        return Line::new("deed-other").with("action", action).with("subject", subject);
    };
    let change = |place: usize| detail.get("changed")?.get("role")?.get(place)?.as_str();
    Line::new(key)
        .with("subject", subject)
        .with("device", fact("label"))
        .with("mailbox", fact("mailbox"))
        .with("name", fact("name"))
        .with("role", role(change(1).or_else(|| detail.get("role")?.as_str())))
        .with("was", role(change(0)))
}

fn role(word: Option<&str>) -> Line {
    let role = word.and_then(|word| word.parse().ok());
    role.map_or_else(|| Line::name(&"…"), |role| Line::new(words::role(&role)))
}

/// The sentence of an action. Every action of the audit log has one; a test holds it.
fn sentence(action: &str) -> Option<&'static str> {
    Some(match action {
        "alias.create" => "deed-alias-create",
        "alias.delete" => "deed-alias-delete",
        "device.add" => "deed-device-add",
        "device.edit" => "deed-device-edit",
        "device.import" => "deed-device-import",
        "device.link.fetch" => "deed-device-link-fetch",
        "device.link.open" => "deed-device-link-open",
        "device.link.send" => "deed-device-link-send",
        "device.link.withdraw" => "deed-device-link-withdraw",
        "device.pause" => "deed-device-pause",
        "device.replace" => "deed-device-replace",
        "device.resume" => "deed-device-resume",
        "device.revoke" => "deed-device-revoke",
        "domain.create" => "deed-domain-create",
        "domain.delete" => "deed-domain-delete",
        "grant.change" => "deed-grant-change",
        "grant.give" => "deed-grant-give",
        "grant.withdraw" => "deed-grant-withdraw",
        "invitation.accept" => "deed-invitation-accept",
        "invitation.create" => "deed-invitation-create",
        "invitation.decline" => "deed-invitation-decline",
        "invitation.renew" => "deed-invitation-renew",
        "invitation.withdraw" => "deed-invitation-withdraw",
        "key.rotate" => "deed-key-rotate",
        "mail.withdraw" => "deed-mail-withdraw",
        "mailbox.create" => "deed-mailbox-create",
        "mailbox.delete" => "deed-mailbox-delete",
        "mailbox.resume" => "deed-mailbox-resume",
        "mailbox.secret.remove" => "deed-mailbox-secret-remove",
        "mailbox.secret.set" => "deed-mailbox-secret-set",
        "mailbox.suspend" => "deed-mailbox-suspend",
        "member.add" => "deed-member-add",
        "member.remove" => "deed-member-remove",
        "member.role" => "deed-member-role",
        "org.create" => "deed-org-create",
        "org.delete" => "deed-org-delete",
        "org.notices" => "deed-org-notices",
        "org.rename" => "deed-org-rename",
        "session.end" => "deed-session-end",
        "setup.link" => "deed-setup-link",
        "token.create" => "deed-token-create",
        "token.revoke" => "deed-token-revoke",
        "user.address.ask" => "deed-user-address-ask",
        "user.code.remove" => "deed-user-code-remove",
        "user.code.set" => "deed-user-code-set",
        "user.create" => "deed-user-create",
        "user.delete" => "deed-user-delete",
        "user.edit" => "deed-user-edit",
        "user.password" => "deed-user-password",
        "user.recovery.renew" => "deed-user-recovery-renew",
        "user.recovery.use" => "deed-user-recovery-use",
        "user.reset.link" => "deed-user-reset-link",
        "user.reset.use" => "deed-user-reset-use",
        "user.signin" => "deed-user-signin",
        "user.signin.refused" => "deed-user-signin-refused",
        "user.signout" => "deed-user-signout",
        "user.signout.all" => "deed-user-signout-all",
        _ => return None,
    })
}

/// What the list is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct ActivityFilter {
    /// Words in who, what and on what.
    pub query: Field,
    /// The first part of an action (`device`), or empty.
    pub about: Field,
    /// The first day.
    pub since: Field,
    /// The last day.
    pub until: Field,
}

/// `/o/{org}/activity`. Takes `q`, `about`, `since`, `until`.
#[derive(Debug, Template)]
#[template(path = "org/activity.html")]
pub struct Activity {
    /// What stands around it.
    pub frame: Frame,
    /// What it is narrowed to.
    pub filter: ActivityFilter,
    /// The list; its export is the CSV file.
    pub listing: Listing,
    /// Its rows.
    pub rows: Vec<ActivityRow>,
    /// The same rows as JSON lines.
    pub export_json: Option<String>,
}

impl Activity {
    /// What one can choose in `about`, with its text.
    const ABOUT: [(&'static str, &'static str); 7] = [
        ("device", "about-devices"),
        ("mailbox", "about-mailboxes"),
        ("alias", "about-aliases"),
        ("grant", "about-access"),
        ("member", "about-people"),
        ("invitation", "about-invitations"),
        ("user", "about-sign-ins"),
    ];

    fn title(&self) -> Line {
        Line::new("nav-activity")
    }

    /// It is narrowed to something: an empty list then does not mean that nothing happened.
    fn is_narrowed(&self) -> bool {
        let filter = &self.filter;
        let fields = [&filter.query, &filter.about, &filter.since, &filter.until];
        fields.iter().any(|field| !field.value.is_empty())
    }
}

/// `/o/{org}/activity/{number}`.
#[derive(Debug, Template)]
#[template(path = "org/activity_one.html")]
pub struct ActivityOne {
    /// What stands around it.
    pub frame: Frame,
    /// Its number.
    pub number: i64,
    /// The row.
    pub row: ActivityRow,
    /// On what: an id or an address.
    pub subject: String,
    /// Further facts: name and value.
    pub facts: Vec<(String, String)>,
    /// Its hash, in letters; none for rows from before there was a chain.
    pub hash: Option<String>,
}

impl ActivityOne {
    fn title(&self) -> Line {
        Line::new("activity-one-title").with("number", self.number.to_string())
    }

    /// Whether the reader may see the list that it stands in: whoever has one mailbox sees its rows only.
    fn is_in_list(&self) -> bool {
        self.frame.org.as_ref().is_some_and(|org| org.places.activity)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::audit::Action;

    #[test]
    fn every_action_has_its_sentence() {
        let missing: Vec<_> = Action::ALL
            .iter()
            .map(|action| action.as_str())
            .filter(|action| sentence(action).is_none())
            .collect();
        assert!(missing.is_empty(), "view/activity.rs and texts/ lack {missing:?}");
    }

    #[test]
    fn what_a_row_lacks_is_left_open_and_what_is_unknown_is_named() {
        let line = deed("cli:root", "device.add", "dev-1", &json!({ "label": "CRM" }));
        assert_eq!(line.key(), "deed-device-add");
        assert_eq!(deed("cli:root", "moon.land", "x", &json!({})).key(), "deed-other");
    }

    #[test]
    fn what_comes_with_an_invitation_is_not_told_as_a_gift_to_oneself() {
        let given = |actor| deed(actor, "grant.give", "lucie@example.org", &json!({ "name": "Lucie" }));
        assert_eq!(given("user:lucie@example.org").key(), "deed-grant-give-own");
        assert_eq!(given("user:sophie@example.org").key(), "deed-grant-give");
    }
}
