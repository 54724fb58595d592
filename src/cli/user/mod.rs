//! `postern user`: people who sign in to the Manager.
//!
//! Roles in organisations are `postern role`, access to mailboxes is `postern grant`. A password is read from a pipe and a
//! link printed once; neither is ever an argument.

mod show;
mod sign_in;

use std::num::NonZeroU32;

use clap::{Args, Subcommand};
use serde_json::json;

use super::confirm::confirm;
use super::failure::Failure;
use super::local::Local;
use super::output::Output;
use super::people::{effects, ending_json, recipient, told, with_devices};
use super::secret_input;
pub(super) use sign_in::show_reset_link;

use crate::directory::letter::Letter;
use crate::model::{Language, Role};
use crate::store::UserEdit;

const WHICH: &str = "A user is named by the sign-in address or the id (usr-...).";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List people with their organisations and roles.
    List {
        /// Only the members of this organisation (name or id).
        #[arg(long)]
        org: Option<String>,
        /// At most so many, by address.
        #[arg(long)]
        limit: Option<NonZeroU32>,
    },
    /// Show everything about one person: roles, access, devices, console sessions, how they sign in.
    #[command(after_help = WHICH)]
    Show(Which),
    /// Make somebody a user, and print the link with which they choose their password.
    #[command(
        after_help = "Examples:\n  postern user create lucie@private.example --name \"Lucie Martin\" --org Example --role auditor\n  pass manager/lucie | postern user create lucie@private.example --name Lucie --password-stdin\n\nUsually `postern invite create` is better: people then accept by themselves, and their address is known to be theirs."
    )]
    Create(Create),
    /// Change somebody's name, language or sign-in address.
    #[command(after_help = WHICH)]
    Edit(Edit),
    /// Remove somebody everywhere, with the devices that belong to them.
    #[command(after_help = WHICH)]
    Delete {
        /// Address or id.
        user: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Print a link with which somebody chooses a new password; their old one works until then.
    #[command(
        after_help = "The link works once, for an hour: hand it over so that nobody else gets it. Where one-time codes are asked for, they still are.\n\nExamples:\n  postern user reset-password lucie@private.example\n  postern user reset-password lucie@private.example --mail"
    )]
    ResetPassword {
        /// Address or id.
        user: String,
        /// Send it to their sign-in address instead of printing it.
        #[arg(long)]
        mail: bool,
    },
    /// No longer ask somebody for one-time codes, whose phone and recovery codes are gone; sign them out everywhere.
    #[command(after_help = WHICH)]
    RemoveCode {
        /// Address or id.
        user: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// End all console sessions of somebody. Their mail programs go on.
    #[command(after_help = WHICH)]
    SignOut(Which),
    /// Print a link with which the first owner is made in the browser; an older one stops working.
    #[command(after_help = "The link works once, for a day, and only while no organisation has an owner.")]
    SetUpLink,
}

#[derive(Debug, Args)]
pub(super) struct Which {
    /// Address or id.
    user: String,
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// What they sign in with: an address of any domain, better none of the mailboxes here.
    address: String,
    /// What they are called, 1 to 100 characters.
    #[arg(long)]
    name: String,
    /// In which language the Manager speaks to them: en or fr.
    #[arg(long, default_value_t = Language::English)]
    language: Language,
    /// Make them a member of this organisation (name or id).
    #[arg(long)]
    org: Option<String>,
    /// As what: owner, administrator, mailbox-manager, auditor, or member.
    #[arg(long, requires = "org", default_value_t = Role::Member)]
    role: Role,
    /// Read their password from stdin, in place of the link.
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Debug, Args)]
pub(super) struct Edit {
    /// Address or id.
    user: String,
    /// Another name.
    #[arg(long)]
    name: Option<String>,
    /// Another language: en or fr.
    #[arg(long)]
    language: Option<Language>,
    /// Another sign-in address. Both addresses are told by mail.
    #[arg(long)]
    address: Option<String>,
}

pub(super) async fn run(command: Command, local: &Local, output: &Output) -> Result<(), Failure> {
    match command {
        Command::List { org, limit } => show::list(org, limit, local, output).await,
        Command::Show(which) => show::show(&which.user, local, output).await,
        Command::Create(args) => create(args, local, output).await,
        Command::Edit(args) => edit(args, local, output).await,
        Command::Delete { user, yes } => delete(&user, yes, local, output).await,
        Command::ResetPassword { user, mail } => sign_in::reset_password(&user, mail, local, output).await,
        Command::RemoveCode { user, yes } => sign_in::remove_code(&user, yes, local, output).await,
        Command::SignOut(which) => sign_in::sign_out(&which.user, local, output).await,
        Command::SetUpLink => sign_in::set_up_link(local, output).await,
    }
}

async fn create(args: Create, local: &Local, output: &Output) -> Result<(), Failure> {
    let (directory, actor) = (&local.directory, &local.actor);
    let org = match &args.org {
        Some(org) => Some(directory.find_org(org).await?),
        None => None,
    };
    if !args.password_stdin {
        // Before anything is written.
        local.link("/")?;
    }
    let password = match args.password_stdin {
        true => Some(secret_input::password()?),
        false => None,
    };
    let typed = password.as_ref().map(|password| password.expose().as_str());
    let new = directory
        .new_user(&args.address, &args.name, args.language, typed)
        .await?;
    let user = directory.create_user(actor, &new).await?;
    let mut done = format!("created user {} ({})", user.address, user.id);
    if let Some(org) = &org {
        directory.add_member(actor, org.id, user.id, args.role).await?;
        done.push_str(&format!(", {} of \"{}\"", args.role, org.name));
    }
    let orgs = directory.orgs_of(user.id).await?;
    let facts = json!({ "user": show::json_of(&user, &orgs) });
    match password {
        Some(_) => output.show(&facts, || done),
        None => show_reset_link(&user, &done, facts, local, output).await,
    }
}

async fn edit(args: Edit, local: &Local, output: &Output) -> Result<(), Failure> {
    let Edit {
        user,
        name,
        language,
        address,
    } = args;
    if name.is_none() && language.is_none() && address.is_none() {
        return Err(Failure::usage(
            "nothing to change: give at least one of --name, --language, --address",
        ));
    }
    let directory = &local.directory;
    let old = directory.find_user(&user).await?;
    let edit = UserEdit {
        address: address.as_deref().map(super::people::address).transpose()?,
        name,
        language,
    };
    let user = directory.edit_user(&local.actor, old.id, &edit).await?;
    let mut is_told = false;
    if user.address != old.address {
        for to in [&old, &user] {
            let letter = Letter::AddressChanged {
                old: old.address.clone(),
                new: user.address.clone(),
                at: local.now(),
                from: None,
            };
            is_told |= local.tell(recipient(to), None, letter, output).await;
        }
    }
    let orgs = directory.orgs_of(user.id).await?;
    let facts = json!({ "user": show::json_of(&user, &orgs), "told": is_told });
    output.show(&facts, || {
        let told = if is_told {
            "\nthe old and the new address are told by mail"
        } else {
            ""
        };
        format!("changed user {}{told}", user.address)
    })
}

async fn delete(user: &str, yes: bool, local: &Local, output: &Output) -> Result<(), Failure> {
    let directory = &local.directory;
    let user = directory.find_user(user).await?;
    let orgs = directory.orgs_of(user.id).await?;
    let what = directory.ending_with_user(user.id).await?;
    let names: Vec<String> = orgs
        .iter()
        .map(|membership| format!("\"{}\"", membership.org.name))
        .collect();
    let from = if names.is_empty() {
        "no organisation".to_owned()
    } else {
        names.join(", ")
    };
    let question = format!(
        "This deletes the user {} (\"{}\", a member of {from}). {}",
        user.address,
        user.name,
        effects(&what)
    );
    confirm(question.trim_end(), yes)?;
    let mut letters = Vec::new();
    for membership in orgs {
        let org = membership.org;
        let what = directory.ending_with(org.id, user.id, None).await?;
        let by = local.operator(user.language);
        letters.push((org.id, Letter::access_withdrawn(by, org.name, &what, true)));
    }
    let ended = directory.delete_user(&local.actor, user.id).await?;
    let mut is_told = false;
    for (org, letter) in letters {
        is_told |= local.tell(recipient(&user), Some(org), letter, output).await;
    }
    let done = format!("deleted user {}{}", user.address, with_devices(&ended.what));
    let facts = json!({ "deleted": user.address.as_str(), "ended": ending_json(&ended.what), "told": is_told });
    local
        .applied_and(ended.seq, &done, &told(&user, is_told), facts, output)
        .await
}
