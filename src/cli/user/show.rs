//! People as people and programs see them.

use std::num::NonZeroU32;

use serde_json::{Value, json};

use crate::cli::device;
use crate::cli::failure::Failure;
use crate::cli::grant;
use crate::cli::local::Local;
use crate::cli::output::{Output, table};
use crate::cli::time;
use crate::clock::Timestamp;
use crate::model::{Grant, User};
use crate::store::{ConsoleSession, DeviceRow, UserOrg};

/// Prints the list.
pub(super) async fn list(
    org: Option<String>,
    limit: Option<NonZeroU32>,
    local: &Local,
    output: &Output,
) -> Result<(), Failure> {
    let directory = &local.directory;
    let org = local.org(org.as_deref()).await?;
    let most = limit.map_or(usize::MAX, |limit| limit.get() as usize);
    let mut people = Vec::new();
    for user in directory.all_users().await? {
        let orgs = directory.orgs_of(user.id).await?;
        if org.is_none_or(|org| orgs.iter().any(|of| of.org.id == org)) {
            people.push((user, orgs));
        }
        if people.len() >= most {
            break;
        }
    }
    let values: Vec<Value> = people.iter().map(|(user, orgs)| json_of(user, orgs)).collect();
    output.show(&json!({ "users": values }), || {
        let rows = people.iter().map(|(user, orgs)| {
            [
                user.address.to_string(),
                user.name.clone(),
                roles(orgs),
                sign_in(user).to_owned(),
                seen(user.seen_at, local.now()),
                user.id.to_string(),
            ]
        });
        table(
            ["ADDRESS", "NAME", "ROLES", "SIGN-IN", "LAST SEEN", "ID"],
            rows.collect(),
            "Nobody yet: postern user set-up-link makes the first owner, postern invite create invites others",
        )
    })
}

/// `owner of Example, member of Other`.
fn roles(orgs: &[UserOrg]) -> String {
    if orgs.is_empty() {
        return "-".to_owned();
    }
    let roles: Vec<String> = orgs
        .iter()
        .map(|of| format!("{} of {}", of.role, of.org.name))
        .collect();
    roles.join(", ")
}

const fn sign_in(user: &User) -> &'static str {
    match (user.has_password, user.has_code) {
        (true, true) => "password, code",
        (true, false) => "password",
        (false, _) => "no password yet",
    }
}

fn seen(at: Option<Timestamp>, now: Timestamp) -> String {
    at.map_or_else(|| "never".to_owned(), |at| time::relative(at, now))
}

/// Prints everything about one person.
pub(super) async fn show(user: &str, local: &Local, output: &Output) -> Result<(), Failure> {
    let directory = &local.directory;
    let user = directory.find_user(user).await?;
    let about = About {
        orgs: directory.orgs_of(user.id).await?,
        grants: directory.grants_of(None, user.id).await?,
        devices: {
            let mut devices = Vec::new();
            for of in directory.orgs_of(user.id).await? {
                devices.extend(directory.devices_of(of.org.id, user.id).await?);
            }
            devices
        },
        sessions: directory.sessions_of(user.id).await?,
        recovery_codes: directory.recovery_codes_of(user.id).await?,
        user,
    };
    output.show(&about.json(local.now()), || about.text(local.now()))
}

/// All there is to say about somebody.
struct About {
    user: User,
    orgs: Vec<UserOrg>,
    grants: Vec<Grant>,
    devices: Vec<DeviceRow>,
    sessions: Vec<ConsoleSession>,
    recovery_codes: u32,
}

impl About {
    fn text(&self, now: Timestamp) -> String {
        let user = &self.user;
        let codes = if user.has_code {
            format!("one-time code, {} recovery codes left", self.recovery_codes)
        } else {
            "none".to_owned()
        };
        let password = if user.has_password {
            "set"
        } else {
            "none yet: postern user reset-password"
        };
        let facts = [
            ("User", user.name.clone()),
            ("Id", user.id.to_string()),
            ("Signs in as", user.address.to_string()),
            ("Password", password.to_owned()),
            ("Second step", codes),
            ("Language", user.language.to_string()),
            ("Since", time::human(user.created_at, now)),
            (
                "Last seen",
                user.seen_at
                    .map_or_else(|| "never".to_owned(), |at| time::human(at, now)),
            ),
        ];
        let mut lines: Vec<String> = facts.iter().map(|(name, fact)| format!("{name:<13}{fact}")).collect();
        let parts = [self.roles(now), self.access(now), self.own(now), self.console(now)];
        lines.extend(parts.into_iter().map(|part| format!("\n{part}")));
        lines.join("\n")
    }

    fn roles(&self, now: Timestamp) -> String {
        let rows = self
            .orgs
            .iter()
            .map(|of| [of.org.name.clone(), of.role.to_string(), time::human(of.since, now)]);
        table(
            ["ORGANISATION", "ROLE", "SINCE"],
            rows.collect(),
            "Belongs to no organisation.",
        )
    }

    fn access(&self, now: Timestamp) -> String {
        let rows = self.grants.iter().map(|grant| {
            [
                grant.address.to_string(),
                grant.rights.to_string(),
                grant::until(grant.ends_at, now),
            ]
        });
        table(
            ["ACCESS TO", "RIGHTS", "UNTIL"],
            rows.collect(),
            "No access of their own to a mailbox.",
        )
    }

    fn own(&self, now: Timestamp) -> String {
        let rows = self.devices.iter().map(|row| {
            [
                row.address.to_string(),
                row.device.label.clone(),
                row.device.kind.to_string(),
                device::state(&row.device, now).to_owned(),
                seen(row.device.last_used.as_ref().map(|used| used.at), now),
                row.device.id.to_string(),
            ]
        });
        table(
            ["MAILBOX", "DEVICE", "TYPE", "STATE", "LAST USED", "ID"],
            rows.collect(),
            "No device belongs to them.",
        )
    }

    fn console(&self, now: Timestamp) -> String {
        let rows = self.sessions.iter().map(|session| {
            [
                time::relative(session.seen_at, now),
                session.origin.clone(),
                session.browser.clone(),
                time::relative(session.created_at, now),
            ]
        });
        table(
            ["CONSOLE SESSION SEEN", "FROM", "BROWSER", "BEGUN"],
            rows.collect(),
            "Signed in nowhere.",
        )
    }

    fn json(&self, now: Timestamp) -> Value {
        let mut value = json_of(&self.user, &self.orgs);
        let more = [
            ("recovery_codes", json!(self.recovery_codes)),
            (
                "grants",
                self.grants.iter().map(|grant| grant::json_of(grant, None)).collect(),
            ),
            (
                "devices",
                self.devices
                    .iter()
                    .map(|row| {
                        let beside = device::Beside {
                            owner: Some(&self.user),
                            knocking: row.knocking.as_ref(),
                        };
                        device::json_of(&row.device, row.address.as_str(), beside, now)
                    })
                    .collect(),
            ),
            ("console_sessions", self.sessions.iter().map(session_json).collect()),
        ];
        if let Some(fields) = value.as_object_mut() {
            fields.extend(more.map(|(name, value)| (name.to_owned(), value)));
        }
        value
    }
}

fn session_json(session: &ConsoleSession) -> Value {
    json!({
        "id": session.id,
        "proof": session.proof.name(),
        "origin": session.origin,
        "browser": session.browser,
        "created_at": session.created_at.rfc3339(),
        "seen_at": session.seen_at.rfc3339(),
        "ends_at": session.ends.at.min(session.ends.idle_at).rfc3339(),
    })
}

/// A person in JSON; the field names are documented in docs/cli.md.
pub(super) fn json_of(user: &User, orgs: &[UserOrg]) -> Value {
    let orgs: Vec<Value> = orgs
        .iter()
        .map(|of| json!({ "org": of.org.id, "org_name": of.org.name, "role": of.role.name(), "since": of.since.rfc3339() }))
        .collect();
    json!({
        "id": user.id,
        "address": user.address.as_str(),
        "name": user.name,
        "language": user.language.name(),
        "has_password": user.has_password,
        "has_code": user.has_code,
        "created_at": user.created_at.rfc3339(),
        "seen_at": user.seen_at.map(Timestamp::rfc3339),
        "orgs": orgs,
    })
}
