//! Devices as people and programs see them; the one place that shows a password.

use std::collections::HashMap;
use std::io::Write;

use serde::Serialize;
use serde_json::{Value, json};

use super::state;
use crate::cli::failure::Failure;
use crate::cli::local::Local;
use crate::cli::output::{Output, table};
use crate::cli::time;
use crate::clock::Timestamp;
use crate::model::device::{Knocking, Use};
use crate::model::password::PlainPassword;
use crate::model::{Device, DeviceId, DeviceState, Mailbox, User, UserId};
use crate::onboard::{Service, Settings};

/// What is printed once, and wiped behind the printer.
#[derive(Serialize)]
struct Shown<'a> {
    device: Value,
    password: &'a str,
    settings: Value,
}

/// Prints a new password with all that has to be typed beside it.
pub(super) fn password(
    done: &str,
    device: &Device,
    (address, owner): (&str, Option<&User>),
    password: &PlainPassword,
    local: &Local,
    output: &Output,
) -> Result<(), Failure> {
    let secret = password.shown();
    let settings = &local.config.client_settings;
    let shown = Shown {
        device: json_of(device, address, Beside { owner, knocking: None }, local.now()),
        password: secret.expose(),
        settings: json!({
            "user_name": address,
            "imap": device.scopes.imap.then(|| settings.imap.as_ref().map(service_json)),
            "smtp": device.scopes.smtp.then(|| settings.smtp.as_ref().map(service_json)),
        }),
    };
    output.show_secret(&shown, |text| {
        writeln!(text, "{done} ({})\n", device.id)?;
        writeln!(text, "  Password      {}", secret.expose())?;
        writeln!(text, "  User name     {address}")?;
        for line in settings_lines(device, settings) {
            writeln!(text, "  {line}")?;
        }
        writeln!(text, "\nYou will not see this password again. You never need to write it down: a device can be added again any time.")
    })
}

fn settings_lines(device: &Device, settings: &Settings) -> Vec<String> {
    let line = |name: &str, service: &Service| {
        format!(
            "{name:<13} {}  port {}  {}",
            service.host,
            service.port,
            security(service)
        )
    };
    let imap = settings
        .imap
        .as_ref()
        .filter(|_| device.scopes.imap)
        .map(|service| line("IMAP server", service));
    let smtp = settings
        .smtp
        .as_ref()
        .filter(|_| device.scopes.smtp)
        .map(|service| line("SMTP server", service));
    imap.into_iter().chain(smtp).collect()
}

/// The words of mail programs.
const fn security(service: &Service) -> &'static str {
    if service.implicit_tls { "SSL/TLS" } else { "STARTTLS" }
}

fn service_json(service: &Service) -> Value {
    json!({ "host": service.host, "port": service.port, "security": security(service) })
}

/// What is shown of a device that is not in its record.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::cli) struct Beside<'a> {
    /// The person it belongs to.
    pub(in crate::cli) owner: Option<&'a User>,
    /// Its old passwords that are still tried.
    pub(in crate::cli) knocking: Option<&'a Knocking>,
}

/// Prints the list.
pub(super) fn list(
    (devices, owners, knocking): (&[Device], &HashMap<UserId, User>, &HashMap<DeviceId, Knocking>),
    mailboxes: &[Mailbox],
    now: Timestamp,
    output: &Output,
) -> Result<(), Failure> {
    let beside = |device: &Device| Beside {
        owner: device.user.and_then(|user| owners.get(&user)),
        knocking: knocking.get(&device.id),
    };
    let addresses: HashMap<_, _> = mailboxes.iter().map(|mailbox| (mailbox.id, &mailbox.address)).collect();
    let address = |device: &Device| {
        addresses
            .get(&device.mailbox)
            .map(ToString::to_string)
            .unwrap_or_default()
    };
    let values: Vec<Value> = devices
        .iter()
        .map(|device| json_of(device, &address(device), beside(device), now))
        .collect();
    output.show(&json!({ "devices": values }), || {
        let rows = devices.iter().map(|device| {
            let used = device.last_used.as_ref();
            let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
            [
                address(device),
                device.label.clone(),
                device.kind.to_string(),
                or_none(beside(device).owner.map(|owner| owner.name.clone())),
                match beside(device).knocking {
                    None => state(device, now).to_owned(),
                    Some(_) => format!("{}, old password still tries", state(device, now)),
                },
                device.scopes.to_string(),
                used.map_or_else(|| "never".to_owned(), |used| time::relative(used.at, now)),
                or_none(used.map(|used| used.ip.to_string())),
                or_none(used.and_then(|used| used.client.clone())),
                device.id.to_string(),
            ]
        });
        let empty = match mailboxes {
            [only] => format!(
                "No device can read or send as {}: postern device add {0} --label NAME",
                only.address
            ),
            _ => "No device yet: postern device add ADDRESS --label NAME".to_owned(),
        };
        table(
            [
                "MAILBOX",
                "DEVICE",
                "TYPE",
                "PERSON",
                "STATE",
                "SCOPE",
                "LAST USED",
                "FROM",
                "CLIENT",
                "ID",
            ],
            rows.collect(),
            &empty,
        )
    })
}

/// Everything about one device, a fact a line.
pub(super) fn details(device: &Device, address: &str, beside: Beside<'_>, now: Timestamp) -> String {
    let moment = |at: Option<Timestamp>, none: &str| at.map_or_else(|| none.to_owned(), |at| time::human(at, now));
    let state = match device.state {
        DeviceState::Paused(at) | DeviceState::Revoked(at) => {
            format!("{} since {}", state(device, now), time::human(at, now))
        }
        DeviceState::Active => state(device, now).to_owned(),
    };
    let networks = if device.networks.0.is_empty() {
        "any".to_owned()
    } else {
        device.networks.to_string()
    };
    let mut facts = vec![
        ("Device", device.label.clone()),
        ("Id", device.id.to_string()),
        ("Mailbox", address.to_owned()),
        ("Type", device.kind.to_string()),
        (
            "Person",
            beside.owner.map_or_else(
                || "nobody".to_owned(),
                |owner| format!("{} ({})", owner.name, owner.address),
            ),
        ),
        ("State", state),
        ("Scope", device.scopes.to_string()),
        ("Expires", moment(device.expires_at, "never")),
        ("Networks", networks),
        ("Senders", device.senders.to_string()),
        ("Added", time::human(device.created_at, now)),
        (
            "Password",
            if device.imported {
                "imported: replace it when you can".to_owned()
            } else {
                moment(device.replaced_at, "as added")
            },
        ),
        ("First used", use_text(device.first_used.as_ref(), now)),
        ("Last used", use_text(device.last_used.as_ref(), now)),
        (
            "Still tries",
            beside
                .knocking
                .map(|knocking| knocking_text(knocking, now))
                .unwrap_or_default(),
        ),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    facts
        .iter()
        .map(|(name, value)| format!("{name:<12}{value}"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn use_text(usage: Option<&Use>, now: Timestamp) -> String {
    usage.map_or_else(
        || "never".to_owned(),
        |usage| {
            let client = usage
                .client
                .as_ref()
                .map(|client| format!(", {client}"))
                .unwrap_or_default();
            format!(
                "{} from {} by {}{client}",
                time::human(usage.at, now),
                usage.ip,
                usage.protocol.name()
            )
        },
    )
}

fn knocking_text(knocking: &Knocking, now: Timestamp) -> String {
    let last = use_text(Some(&knocking.last), now);
    if knocking.tries == 1 {
        return format!("an old password, once: {last}");
    }
    format!(
        "an old password, {} times since {}, last {last}",
        knocking.tries,
        time::human(knocking.since, now)
    )
}

/// A device in JSON; the field names are documented in docs/cli.md.
pub(in crate::cli) fn json_of(device: &Device, address: &str, beside: Beside<'_>, now: Timestamp) -> Value {
    let (paused_at, revoked_at) = match device.state {
        DeviceState::Active => (None, None),
        DeviceState::Paused(at) => (Some(at), None),
        DeviceState::Revoked(at) => (None, Some(at)),
    };
    json!({
        "id": device.id,
        "label": device.label,
        "mailbox": device.mailbox,
        "address": address,
        "kind": device.kind.name(),
        "user": device.user,
        "user_address": beside.owner.map(|owner| owner.address.as_str()),
        "state": state(device, now),
        "scopes": device.scopes.to_string().split(',').collect::<Vec<_>>(),
        "expires_at": device.expires_at.map(Timestamp::rfc3339),
        "networks": device.networks.0.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "senders": device.senders.to_string(),
        "created_at": device.created_at.rfc3339(),
        "replaced_at": device.replaced_at.map(Timestamp::rfc3339),
        "paused_at": paused_at.map(Timestamp::rfc3339),
        "revoked_at": revoked_at.map(Timestamp::rfc3339),
        "imported": device.imported,
        "first_used": device.first_used.as_ref().map(use_json),
        "last_used": device.last_used.as_ref().map(use_json),
        "old_password_tries": beside.knocking.map(|knocking| json!({
            "count": knocking.tries,
            "since": knocking.since.rfc3339(),
            "last": use_json(&knocking.last),
        })),
    })
}

fn use_json(usage: &Use) -> Value {
    json!({ "at": usage.at.rfc3339(), "ip": usage.ip.to_string(), "protocol": usage.protocol.name(), "client": usage.client })
}
