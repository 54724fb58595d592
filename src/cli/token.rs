//! `postern token`: keys with which programs use the API in somebody's name.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::failure::Failure;
use super::local::Local;
use super::output::{Output, table};
use super::people::{recipient, show_token};
use super::time;
use crate::clock::Timestamp;
use crate::directory::TokenSpec;
use crate::directory::letter::Letter;
use crate::model::{ApiToken, Role, TokenId, TokenScope, User, UserId};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List API tokens; none can be shown again.
    List {
        /// Only those of this organisation (name or id).
        #[arg(long)]
        org: Option<String>,
        /// Only those of this user (address or id).
        #[arg(long)]
        user: Option<String>,
    },
    /// Make a token in a member's name, and print it, once.
    #[command(
        after_help = "It can never do more than its user at that moment, whatever its own role. Without --scope write it may only read.\n\nExample:\n  postern token create lucie@private.example --name \"Nightly report\" --role auditor --expires 365d"
    )]
    Create(Create),
    /// End a token at once.
    Revoke {
        /// Its id (tok-...).
        id: TokenId,
    },
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// Address or id of the user in whose name it acts.
    user: String,
    /// What it is called, 1 to 64 characters.
    #[arg(long)]
    name: String,
    /// The most it may do: owner, administrator, mailbox-manager, auditor, or member; without it, what the user may.
    #[arg(long)]
    role: Option<Role>,
    /// read, or write to change things too.
    #[arg(long, default_value_t = TokenScope::Read)]
    scope: TokenScope,
    /// When it ends by itself: a date, or a span up to a year.
    #[arg(long, value_name = "DATE|SPAN", default_value = "90d")]
    expires: String,
    /// The organisation (name or id), where the user belongs to several.
    #[arg(long)]
    org: Option<String>,
}

pub(super) async fn run(command: Command, local: &Local, output: &Output) -> Result<(), Failure> {
    match command {
        Command::List { org, user } => list(org, user, local, output).await,
        Command::Create(args) => create(args, local, output).await,
        Command::Revoke { id } => {
            let token = local.directory.find_token(id).await?;
            local.directory.revoke_token(&local.actor, token.org, id).await?;
            output.show(&json!({ "id": id, "name": token.name, "revoked": true }), || {
                format!("revoked the API token \"{}\"", token.name)
            })
        }
    }
}

async fn list(org: Option<String>, user: Option<String>, local: &Local, output: &Output) -> Result<(), Failure> {
    let directory = &local.directory;
    let orgs = match org {
        Some(org) => vec![directory.find_org(&org).await?],
        None => directory.orgs().await?,
    };
    let user = match user {
        Some(user) => Some(directory.find_user(&user).await?.id),
        None => None,
    };
    let mut tokens = Vec::new();
    for org in orgs {
        let of_org = directory.tokens(org.id, user).await?;
        tokens.extend(of_org.into_iter().map(|token| (token, org.name.clone())));
    }
    let mut owners: HashMap<UserId, User> = HashMap::new();
    for (token, _) in &tokens {
        if let Entry::Vacant(place) = owners.entry(token.user) {
            place.insert(directory.find_user(&token.user.to_string()).await?);
        }
    }
    let owner = |token: &ApiToken| owners.get(&token.user).map(|user| user.address.to_string());
    let values: Vec<Value> = tokens
        .iter()
        .map(|(token, org)| json_of(token, org, owner(token).as_deref(), local.now()))
        .collect();
    output.show(&json!({ "tokens": values }), || {
        let rows = tokens.iter().map(|(token, org)| {
            [
                token.name.clone(),
                owner(token).unwrap_or_default(),
                org.clone(),
                token.role.to_string(),
                token.scope.to_string(),
                expires(token, local.now()),
                used(token, local.now()),
                token.id.to_string(),
            ]
        });
        table(
            [
                "NAME",
                "USER",
                "ORGANISATION",
                "ROLE",
                "SCOPE",
                "EXPIRES",
                "LAST USED",
                "ID",
            ],
            rows.collect(),
            "No API token.",
        )
    })
}

fn is_expired(token: &ApiToken, now: Timestamp) -> bool {
    token.expires_at.is_some_and(|end| end <= now)
}

fn expires(token: &ApiToken, now: Timestamp) -> String {
    match token.expires_at {
        None => "never".to_owned(),
        Some(end) if end <= now => format!("expired {}", time::relative(end, now)),
        Some(end) => time::human(end, now),
    }
}

fn used(token: &ApiToken, now: Timestamp) -> String {
    match (token.used_at, &token.used_from) {
        (None, _) => "never".to_owned(),
        (Some(at), Some(from)) => format!("{} from {from}", time::relative(at, now)),
        (Some(at), None) => time::relative(at, now),
    }
}

async fn create(args: Create, local: &Local, output: &Output) -> Result<(), Failure> {
    let directory = &local.directory;
    let expires_at = time::read_end(&args.expires, local.now()).map_err(Failure::usage)?;
    let user = directory.find_user(&args.user).await?;
    let org = local.one_org(args.org.as_deref(), Some(&user)).await?;
    let memberships = directory.orgs_of(user.id).await?;
    let Some(own) = memberships.iter().find(|of| of.org.id == org.id) else {
        return Err(Failure::failed(format!(
            "{} is no member of \"{}\", so that a token could do nothing there",
            user.address, org.name
        )));
    };
    let role = args.role.unwrap_or(own.role);
    // The console offers their own role and lesser ones, too.
    if Role::ALL.iter().position(|of| *of == role) < Role::ALL.iter().position(|of| *of == own.role) {
        return Err(Failure::failed(format!(
            "{} is {} of \"{}\", and a token can do no more than its user: choose that role or a lesser one",
            user.address, own.role, org.name
        )));
    }
    let spec = TokenSpec {
        name: args.name,
        role,
        scope: args.scope,
        expires_at,
    };
    let (token, secret) = directory.create_token(&local.actor, org.id, user.id, spec).await?;
    let end = token.expires_at.unwrap_or(expires_at);
    let letter = Letter::token_made(&token, &org, end, None);
    local.tell(recipient(&user), Some(org.id), letter, output).await;
    let done = format!(
        "made the API token \"{}\" ({}) of {}: {} in \"{}\", {}, until {}",
        token.name,
        token.id,
        user.address,
        token.role,
        org.name,
        token.scope,
        time::human(end, local.now())
    );
    let facts = json_of(&token, &org.name, Some(user.address.as_str()), local.now());
    show_token(json!({ "api_token": facts }), (&done, &secret.shown()), output)
}

/// A token in JSON; the field names are documented in docs/cli.md.
fn json_of(token: &ApiToken, org: &str, owner: Option<&str>, now: Timestamp) -> Value {
    json!({
        "id": token.id,
        "name": token.name,
        "user": token.user,
        "user_address": owner,
        "org": token.org,
        "org_name": org,
        "role": token.role.name(),
        "scope": token.scope.name(),
        "state": if is_expired(token, now) { "expired" } else { "active" },
        "created_at": token.created_at.rfc3339(),
        "expires_at": token.expires_at.map(Timestamp::rfc3339),
        "used_at": token.used_at.map(Timestamp::rfc3339),
        "used_from": token.used_from,
    })
}
