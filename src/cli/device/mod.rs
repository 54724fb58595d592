//! `postern device`: the named passwords of a mailbox.
//!
//! A password is printed once, on stdout and nowhere else. Revoking, pausing or replacing one named device asks no
//! questions, so that it is fast when it must be; ending all devices of a mailbox does.

mod link;
mod show;

use std::collections::HashMap;

use clap::{Args, Subcommand};
use serde_json::json;

use super::confirm::confirm;
use super::failure::Failure;
use super::local::Local;
use super::output::{Output, counted};
use super::time;
use crate::clock::Timestamp;
use crate::directory::DeviceSpec;
use crate::model::{Device, DeviceKind, DeviceState, Networks, Scopes, SenderRule, User};
use crate::store::{DeviceEdit, DeviceFilter, Seq};

const WHICH: &str = "A device is named by its id (dev-...) or as ADDRESS/LABEL: \"anna@example.org/Anna's iPhone\".";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add a device to a mailbox and print its password, once.
    #[command(
        after_help = "Examples:\n  postern device add anna@example.org --label \"Anna's iPhone\"\n  postern device add info@example.org --label Copier --scope smtp --network 192.0.2.7\n  postern device add info@example.org --label CRM --kind app --expires 90d --sender mailbox,@news.example.org\n  postern device add info@example.org --label \"Lucie's iPhone\" --kind iphone --user lucie@private.example\n  postern device add info@example.org --label \"Lucie's iPhone\" --kind iphone --link --to lucie@private.example"
    )]
    Add(Add),
    /// The set-up link of a device: by it somebody else gets the password, and nobody before.
    #[command(subcommand)]
    Link(link::Command),
    /// List devices.
    List(List),
    /// Show everything about one device.
    #[command(after_help = WHICH)]
    Show(Which),
    /// Give a device a new password. The old one is dead at once and its sessions end.
    #[command(after_help = WHICH)]
    Replace(Which),
    /// End a device for good, with its sessions.
    #[command(after_help = WHICH)]
    Revoke(Which),
    /// End all devices of a mailbox in one step.
    RevokeAll {
        /// The mailbox.
        address: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Switch a device off for a while, and end its sessions.
    #[command(after_help = WHICH)]
    Pause(Which),
    /// Switch a paused device on again, with the same password.
    #[command(after_help = WHICH)]
    Resume(Which),
    /// Change a device without touching its password. What is taken away ends its sessions.
    #[command(after_help = WHICH)]
    Edit(Edit),
}

#[derive(Debug, Args)]
pub(super) struct Which {
    /// Id, or ADDRESS/LABEL.
    device: String,
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// The mailbox.
    address: String,
    /// What people call it, 1 to 64 characters.
    #[arg(long)]
    label: String,
    /// What it is: iphone, android, outlook, apple-mail, thunderbird, printer, app, or other.
    #[arg(long, default_value_t = DeviceKind::Other)]
    kind: DeviceKind,
    /// The person it belongs to (address or id): it ends with their access, and may send as whatever they may.
    #[arg(long)]
    user: Option<String>,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    link: link::Wanted,
}

/// What a device may do; absent options mean no limit, or no change.
#[derive(Debug, Args)]
struct Limits {
    /// What it may do: imap, smtp, or imap,smtp.
    #[arg(long)]
    scope: Option<Scopes>,
    /// When it ends by itself: a date, a span such as 90d, or never.
    #[arg(long, value_name = "DATE|SPAN")]
    expires: Option<String>,
    /// From where it may sign in: an address or a network; may be repeated, or `any`.
    #[arg(long, value_name = "CIDR")]
    network: Vec<String>,
    /// Which senders it may use besides its own addresses: addresses and @domains; `mailbox` for none, `off` for all.
    #[arg(long, value_name = "RULE")]
    sender: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Only those of this mailbox.
    address: Option<String>,
    /// Only those of this organisation (name or id).
    #[arg(long)]
    org: Option<String>,
    /// Only those that belong to this person (address or id).
    #[arg(long)]
    user: Option<String>,
    /// Revoked ones too.
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Args)]
pub(super) struct Edit {
    /// Id, or ADDRESS/LABEL.
    device: String,
    /// A new label.
    #[arg(long)]
    label: Option<String>,
    /// What it is: iphone, android, outlook, apple-mail, thunderbird, printer, app, or other.
    #[arg(long)]
    kind: Option<DeviceKind>,
    /// The person it belongs to (address or id), or nobody.
    #[arg(long, value_name = "USER|nobody")]
    user: Option<String>,
    #[command(flatten)]
    limits: Limits,
}

pub(super) async fn run(command: Command, local: &Local, output: &Output) -> Result<(), Failure> {
    let (directory, actor) = (&local.directory, &local.actor);
    match command {
        Command::Add(args) => add(args, local, output).await,
        Command::Link(command) => link::run(command, local, output).await,
        Command::List(args) => list(args, local, output).await,
        Command::Show(which) => show_one(&which, local, output).await,
        Command::Replace(which) => replace(which, local, output).await,
        Command::Revoke(which) => {
            let device = directory.find_device(&which.device).await?;
            let seq = directory.revoke_device(actor, &device).await?;
            ended("revoked", &device, seq, local, output).await
        }
        Command::Pause(which) => {
            let device = directory.find_device(&which.device).await?;
            let seq = directory.pause_device(actor, &device).await?;
            ended("paused", &device, seq, local, output).await
        }
        Command::Resume(which) => {
            let device = directory.find_device(&which.device).await?;
            directory.resume_device(actor, &device).await?;
            output.show(&json!({ "device": device.id, "resumed": true }), || {
                format!("resumed \"{}\"", device.label)
            })
        }
        Command::RevokeAll { address, yes } => {
            let mailbox = directory.find_mailbox(&address).await?;
            let devices = counted(mailbox.active_devices as usize, "device", "devices");
            confirm(
                &format!(
                    "This ends the passwords of {devices} of {}, and their sessions.",
                    mailbox.address
                ),
                yes,
            )?;
            let (seq, revoked) = directory.revoke_all(actor, &address).await?;
            let facts = json!({ "address": mailbox.address.as_str(), "revoked": revoked.iter().map(|device| device.id).collect::<Vec<_>>() });
            local
                .applied(
                    seq,
                    &format!(
                        "revoked {} of {}",
                        counted(revoked.len(), "device", "devices"),
                        mailbox.address
                    ),
                    facts,
                    output,
                )
                .await
        }
        Command::Edit(args) => edit(args, local, output).await,
    }
}

async fn show_one(which: &Which, local: &Local, output: &Output) -> Result<(), Failure> {
    let device = local.directory.find_device(&which.device).await?;
    let address = local.directory.address_of(&device).await?;
    let owner = owner(&device, local).await?;
    let filter = DeviceFilter {
        mailbox: Some(device.mailbox),
        with_revoked: true,
        ..DeviceFilter::default()
    };
    let knocking = local.directory.knocking(&filter).await?.remove(&device.id);
    let (address, now) = (address.as_str(), local.now());
    let beside = Beside {
        owner: owner.as_ref(),
        knocking: knocking.as_ref(),
    };
    output.show(&json_of(&device, address, beside, now), || {
        show::details(&device, address, beside, now)
    })
}

async fn add(args: Add, local: &Local, output: &Output) -> Result<(), Failure> {
    let limits = args.limits.read(local.now())?;
    let owner = match &args.user {
        Some(user) => Some(local.directory.find_user(user).await?),
        None => None,
    };
    let spec = DeviceSpec {
        label: args.label,
        kind: args.kind,
        user: owner.as_ref().map(|owner| owner.id),
        scopes: limits.scopes,
        expires_at: limits.expires_at.flatten(),
        networks: limits.networks.unwrap_or_default(),
        senders: limits.senders.unwrap_or_default(),
    };
    if args.link.link {
        return link::add(&args.address, spec, &args.link, owner.as_ref(), local, output).await;
    }
    let (device, password) = local.directory.add_device(&local.actor, &args.address, spec).await?;
    let address = local.directory.address_of(&device).await?;
    show::password(
        &format!("added \"{}\" to {address}", device.label),
        &device,
        (address.as_str(), owner.as_ref()),
        &password,
        local,
        output,
    )
}

/// The person that a device belongs to.
async fn owner(device: &Device, local: &Local) -> Result<Option<User>, Failure> {
    match device.user {
        Some(user) => Ok(Some(local.directory.find_user(&user.to_string()).await?)),
        None => Ok(None),
    }
}

async fn replace(which: Which, local: &Local, output: &Output) -> Result<(), Failure> {
    let device = local.directory.find_device(&which.device).await?;
    let (seq, password) = local.directory.replace_device(&local.actor, &device).await?;
    let address = local.directory.address_of(&device).await?;
    let owner = owner(&device, local).await?;
    show::password(
        &format!("replaced the password of \"{}\" of {address}", device.label),
        &device,
        (address.as_str(), owner.as_ref()),
        &password,
        local,
        output,
    )?;
    // The answer on stdout is complete; what became of the sessions goes beside it.
    let beside = Output::beside(output.is_json());
    ended("replaced", &device, seq, local, &beside).await
}

async fn ended(verb: &str, device: &Device, seq: Seq, local: &Local, output: &Output) -> Result<(), Failure> {
    let facts = json!({ "device": device.id, "label": device.label, (verb): true });
    local
        .applied(seq, &format!("{verb} \"{}\"", device.label), facts, output)
        .await
}

async fn list(args: List, local: &Local, output: &Output) -> Result<(), Failure> {
    let directory = &local.directory;
    let mailbox = match &args.address {
        Some(address) => Some(directory.find_mailbox(address).await?),
        None => None,
    };
    let org = local.org(args.org.as_deref()).await?;
    let filter = DeviceFilter {
        mailbox: mailbox.as_ref().map(|mailbox| mailbox.id),
        org,
        with_revoked: args.all,
    };
    let mut devices = directory.devices(&filter).await?;
    if let Some(user) = &args.user {
        let user = directory.find_user(user).await?.id;
        devices.retain(|device| device.user == Some(user));
    }
    let knocking = directory.knocking(&filter).await?;
    let mailboxes = match mailbox {
        Some(mailbox) => vec![mailbox],
        None => directory.mailboxes(org, None).await?,
    };
    let mut owners = HashMap::new();
    for device in &devices {
        if let Some(id) = device.user.filter(|id| !owners.contains_key(id)) {
            owners.extend(owner(device, local).await?.map(|owner| (id, owner)));
        }
    }
    show::list((&devices, &owners, &knocking), &mailboxes, local.now(), output)
}

async fn edit(args: Edit, local: &Local, output: &Output) -> Result<(), Failure> {
    let limits = args.limits.read(local.now())?;
    let user = match args.user.as_deref() {
        None => None,
        Some("nobody") => Some(None),
        Some(user) => Some(Some(local.directory.find_user(user).await?.id)),
    };
    let edit = DeviceEdit {
        label: args.label,
        kind: args.kind,
        user,
        scopes: limits.scopes,
        expires_at: limits.expires_at,
        networks: limits.networks,
        senders: limits.senders,
        ..DeviceEdit::default()
    };
    let nothing = edit.label.is_none()
        && edit.kind.is_none()
        && edit.user.is_none()
        && edit.scopes.is_none()
        && edit.expires_at.is_none()
        && edit.networks.is_none()
        && edit.senders.is_none();
    if nothing {
        return Err(Failure::usage(
            "nothing to change: give at least one of --label, --kind, --user, --scope, --expires, --network, --sender",
        ));
    }
    let device = local.directory.find_device(&args.device).await?;
    let seq = local.directory.edit_device(&local.actor, &device, edit).await?;
    ended("changed", &device, seq, local, output).await
}

/// The limits as the model has them.
struct ReadLimits {
    scopes: Option<Scopes>,
    expires_at: Option<Option<Timestamp>>,
    networks: Option<Networks>,
    senders: Option<SenderRule>,
}

impl Limits {
    fn read(&self, now: Timestamp) -> Result<ReadLimits, Failure> {
        let expires_at = match self.expires.as_deref() {
            None => None,
            Some("never") => Some(None),
            Some(text) => Some(Some(time::read_end(text, now).map_err(Failure::usage)?)),
        };
        Ok(ReadLimits {
            scopes: self.scope,
            expires_at,
            networks: joined(&self.network, str::parse)?,
            senders: joined(&self.sender, str::parse)?,
        })
    }
}

/// An option that was given several times is one list.
fn joined<T, E: std::fmt::Display>(
    given: &[String],
    read: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, Failure> {
    if given.is_empty() {
        return Ok(None);
    }
    read(&given.join(",")).map(Some).map_err(Failure::usage)
}

pub(super) use show::{Beside, json_of};

/// The word for what a device may do now.
pub(super) fn state(device: &Device, now: Timestamp) -> &'static str {
    match device.state {
        DeviceState::Revoked(_) => "revoked",
        DeviceState::Paused(_) => "paused",
        DeviceState::Active if device.expires_at.is_some_and(|end| end <= now) => "expired",
        DeviceState::Active => "active",
    }
}
