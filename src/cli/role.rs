//! `postern role`: what people may do in an organisation as a whole.
//!
//! Whoever runs the gateway may give any role; one owner always remains.

use clap::Subcommand;
use serde_json::{Value, json};

use super::confirm::confirm;
use super::failure::Failure;
use super::local::Local;
use super::output::{Output, counted, table};
use super::people::{effects, ending_json, recipient, told, with_devices};
use super::time;
use crate::clock::Timestamp;
use crate::directory::letter::Letter;
use crate::model::{Member, Org, Role, User};
use crate::store::{Ending, MemberQuery, MemberRow, page};

const WHICH: &str =
    "A user is named by the sign-in address or the id (usr-...). What each role may do is in docs/rights.md.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the members of an organisation with their roles.
    List {
        /// The organisation (name or id), where there are several.
        #[arg(long)]
        org: Option<String>,
        /// Only those with this role.
        #[arg(long)]
        role: Option<Role>,
    },
    /// Give somebody a role; whoever is no member yet becomes one.
    #[command(
        after_help = "A user is named by the sign-in address or the id (usr-...). What each role may do is in docs/rights.md.\n\nWith a lower role devices end that belong to them on mailboxes which only the old role reached; that asks first.\n\nExamples:\n  postern role set lucie@private.example administrator\n  postern role set lucie@private.example auditor --org Example --yes"
    )]
    Set {
        /// Address or id.
        user: String,
        /// owner, administrator, mailbox-manager, auditor, or member.
        role: Role,
        /// The organisation (name or id), where there are several.
        #[arg(long)]
        org: Option<String>,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Remove somebody from an organisation, with their access and their devices there. They stay a user.
    #[command(after_help = WHICH)]
    Remove {
        /// Address or id.
        user: String,
        /// The organisation (name or id), where there are several.
        #[arg(long)]
        org: Option<String>,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

pub(super) async fn run(command: Command, local: &Local, output: &Output) -> Result<(), Failure> {
    match command {
        Command::List { org, role } => list(org.as_deref(), role, local, output).await,
        Command::Set { user, role, org, yes } => {
            let user = local.directory.find_user(&user).await?;
            let org = local.one_org(org.as_deref(), Some(&user)).await?;
            let memberships = local.directory.orgs_of(user.id).await?;
            match memberships.iter().find(|of| of.org.id == org.id) {
                Some(of) => set(&user, &org, (of.role, role), yes, local, output).await,
                None => add(&user, &org, role, local, output).await,
            }
        }
        Command::Remove { user, org, yes } => remove(&user, org.as_deref(), yes, local, output).await,
    }
}

async fn list(org: Option<&str>, role: Option<Role>, local: &Local, output: &Output) -> Result<(), Failure> {
    let org = local.one_org(org, None).await?;
    let mut query = MemberQuery {
        role,
        limit: page::PAGE_MAX,
        ..MemberQuery::default()
    };
    let mut members = Vec::new();
    loop {
        let page = local.directory.members(org.id, &query).await?;
        members.extend(page.rows);
        if page.next.is_none() {
            break;
        }
        query.after = page.next;
    }
    let values: Vec<Value> = members.iter().map(|row| row_json(row, &org)).collect();
    output.show(&json!({ "members": values }), || {
        let rows = members.iter().map(|row| {
            let user = &row.member.user;
            [
                user.address.to_string(),
                user.name.clone(),
                row.member.role.to_string(),
                row.mailboxes.to_string(),
                row.devices.to_string(),
                time::human(row.member.since, local.now()),
            ]
        });
        table(
            ["ADDRESS", "NAME", "ROLE", "ACCESSES", "DEVICES", "SINCE"],
            rows.collect(),
            "Nobody here: postern invite create ADDRESS",
        )
    })
}

async fn add(user: &User, org: &Org, role: Role, local: &Local, output: &Output) -> Result<(), Failure> {
    let member = local.directory.add_member(&local.actor, org.id, user.id, role).await?;
    let mut facts = json_of(&member, org);
    if let Some(facts) = facts.as_object_mut() {
        facts.insert("added".to_owned(), json!(true));
    }
    output.show(&facts, || {
        format!("{} is now a member of \"{}\": {role}", user.address, org.name)
    })
}

async fn set(
    user: &User,
    org: &Org,
    (from, to): (Role, Role),
    yes: bool,
    local: &Local,
    output: &Output,
) -> Result<(), Failure> {
    let directory = &local.directory;
    let what = directory.ending_with_role(org.id, user.id, to).await?;
    if !what.devices.is_empty() {
        let question = format!(
            "This makes {} (\"{}\") {to} of \"{}\", no longer {from}. {}",
            user.address,
            user.name,
            org.name,
            effects(&what)
        );
        confirm(&question, yes)?;
    }
    let changed = directory.set_role(&local.actor, org.id, user.id, from, to).await?;
    let mut facts = changed_json(&changed.member, org, from, &changed.ended.what);
    if changed.ended.what.devices.is_empty() {
        return output.show(&facts, || {
            if from == to {
                format!("{} was {to} of \"{}\" already", user.address, org.name)
            } else {
                format!("{} is now {to} of \"{}\", no longer {from}", user.address, org.name)
            }
        });
    }
    let letter = Letter::access_withdrawn(
        local.operator(user.language),
        org.name.clone(),
        &changed.ended.what,
        false,
    );
    let is_told = local.tell(recipient(user), Some(org.id), letter, output).await;
    if let Some(facts) = facts.as_object_mut() {
        facts.insert("told".to_owned(), json!(is_told));
    }
    let done = format!(
        "{} is now {to} of \"{}\", no longer {from}{}",
        user.address,
        org.name,
        ended_devices(&changed.ended.what)
    );
    local
        .applied_and(changed.ended.seq, &done, &told(user, is_told), facts, output)
        .await
}

fn ended_devices(what: &Ending) -> String {
    format!(", which ended {}", counted(what.devices.len(), "device", "devices"))
}

async fn remove(user: &str, org: Option<&str>, yes: bool, local: &Local, output: &Output) -> Result<(), Failure> {
    let directory = &local.directory;
    let user = directory.find_user(user).await?;
    let org = local.one_org(org, Some(&user)).await?;
    let memberships = directory.orgs_of(user.id).await?;
    let Some(role) = memberships.iter().find(|of| of.org.id == org.id).map(|of| of.role) else {
        return Err(Failure::not_found(format!(
            "{} is no member of \"{}\"",
            user.address, org.name
        )));
    };
    let what = directory.ending_with(org.id, user.id, None).await?;
    let question = format!(
        "This removes {} (\"{}\", {role}) from \"{}\". {}",
        user.address,
        user.name,
        org.name,
        effects(&what)
    );
    confirm(question.trim_end(), yes)?;
    let ended = directory.remove_member(&local.actor, org.id, user.id, role).await?;
    let letter = Letter::access_withdrawn(local.operator(user.language), org.name.clone(), &ended.what, true);
    let is_told = local.tell(recipient(&user), Some(org.id), letter, output).await;
    let done = format!(
        "removed {} from \"{}\"{}",
        user.address,
        org.name,
        with_devices(&ended.what)
    );
    let facts = json!({
        "removed": user.address.as_str(), "user": user.id, "org": org.id, "org_name": org.name,
        "ended": ending_json(&ended.what), "told": is_told,
    });
    local
        .applied_and(ended.seq, &done, &told(&user, is_told), facts, output)
        .await
}

fn json_of(member: &Member, org: &Org) -> Value {
    json!({
        "user": member.user.id,
        "address": member.user.address.as_str(),
        "name": member.user.name,
        "org": org.id,
        "org_name": org.name,
        "role": member.role.name(),
        "since": member.since.rfc3339(),
    })
}

fn row_json(row: &MemberRow, org: &Org) -> Value {
    let mut value = json_of(&row.member, org);
    let more = [
        ("accesses", json!(row.mailboxes)),
        ("devices", json!(row.devices)),
        ("seen_at", json!(row.member.user.seen_at.map(Timestamp::rfc3339))),
    ];
    if let Some(fields) = value.as_object_mut() {
        fields.extend(more.map(|(name, value)| (name.to_owned(), value)));
    }
    value
}

fn changed_json(member: &Member, org: &Org, from: Role, what: &Ending) -> Value {
    let mut value = json_of(member, org);
    if let Some(fields) = value.as_object_mut() {
        fields.insert("was".to_owned(), json!(from.name()));
        fields.insert("ended".to_owned(), ending_json(what));
        fields.insert("told".to_owned(), json!(false));
    }
    value
}
