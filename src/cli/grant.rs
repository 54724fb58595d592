//! `postern grant`: what people may do with one mailbox ("access" in the Manager).

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::confirm::confirm;
use super::failure::{Exit, Failure};
use super::local::Local;
use super::output::{Output, table};
use super::people::{effects, ending_json, recipient, told, with_devices};
use super::time;
use crate::clock::Timestamp;
use crate::directory::letter::Letter;
use crate::model::{Grant, Mailbox, Org, Rights, User};
use crate::store::{Ending, GrantTerms};

const RIGHTS: &str = "Rights, with commas between them:\n  see-devices      see the mailbox's devices and live sessions\n  add-own-devices  add devices that belong to themselves\n  manage-devices   add, change and revoke every device\n  manage-aliases   add and remove aliases\n  send-as          their devices, on any mailbox, may use its addresses as sender";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List who has access to what.
    List {
        /// Only to this mailbox.
        #[arg(long)]
        mailbox: Option<String>,
        /// Only of this user (address or id).
        #[arg(long)]
        user: Option<String>,
        /// Only in this organisation (name or id).
        #[arg(long)]
        org: Option<String>,
    },
    /// Give a member access to a mailbox.
    #[command(
        after_help = format!("{RIGHTS}\n\nSomebody who is no member yet: postern invite create ADDRESS --grant MAILBOX=RIGHTS\n\nExample:\n  postern grant give info@example.org lucie@private.example --rights see-devices,add-own-devices --until 90d")
    )]
    Give(Give),
    /// Change an access. Rights or dates that are not given stay.
    #[command(after_help = RIGHTS)]
    Edit(Edit),
    /// Withdraw an access, with the devices on this mailbox that belong to its user.
    #[command(after_help = "A user is named by the sign-in address or the id (usr-...).")]
    Withdraw {
        /// The mailbox.
        mailbox: String,
        /// Address or id of the user.
        user: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub(super) struct Give {
    /// The mailbox.
    mailbox: String,
    /// Address or id of the user.
    user: String,
    /// What they may do, such as see-devices,add-own-devices.
    #[arg(long)]
    rights: Rights,
    /// When it ends by itself: a date, a span such as 90d, or never.
    #[arg(long, value_name = "DATE|SPAN", default_value = "never")]
    until: String,
}

#[derive(Debug, Args)]
pub(super) struct Edit {
    /// The mailbox.
    mailbox: String,
    /// Address or id of the user.
    user: String,
    /// All that they may do from now on.
    #[arg(long)]
    rights: Option<Rights>,
    /// When it ends by itself: a date, a span such as 90d, or never.
    #[arg(long, value_name = "DATE|SPAN")]
    until: Option<String>,
}

pub(super) async fn run(command: Command, local: &Local, output: &Output) -> Result<(), Failure> {
    match command {
        Command::List { mailbox, user, org } => list(mailbox, user, org, local, output).await,
        Command::Give(args) => give(args, local, output).await,
        Command::Edit(args) => edit(args, local, output).await,
        Command::Withdraw { mailbox, user, yes } => withdraw(&mailbox, &user, yes, local, output).await,
    }
}

async fn list(
    mailbox: Option<String>,
    user: Option<String>,
    org: Option<String>,
    local: &Local,
    output: &Output,
) -> Result<(), Failure> {
    let directory = &local.directory;
    let org = local.org(org.as_deref()).await?;
    let mailbox = match mailbox {
        Some(mailbox) => Some(directory.find_mailbox(&mailbox).await?),
        None => None,
    };
    let people = match user {
        Some(user) => vec![directory.find_user(&user).await?],
        None => directory.all_users().await?,
    };
    let mut grants = Vec::new();
    for user in &people {
        let of_user = directory.grants_of(org, user.id).await?;
        let wanted = of_user
            .into_iter()
            .filter(|grant| mailbox.as_ref().is_none_or(|mailbox| mailbox.id == grant.mailbox));
        grants.extend(wanted.map(|grant| (grant, user)));
    }
    grants.sort_by(|one, other| one.0.address.cmp(&other.0.address));
    let values: Vec<Value> = grants.iter().map(|(grant, user)| json_of(grant, Some(user))).collect();
    output.show(&json!({ "grants": values }), || {
        let rows = grants.iter().map(|(grant, user)| {
            [
                grant.address.to_string(),
                user.address.to_string(),
                user.name.clone(),
                grant.rights.to_string(),
                until(grant.ends_at, local.now()),
            ]
        });
        table(
            ["MAILBOX", "USER", "NAME", "RIGHTS", "UNTIL"],
            rows.collect(),
            "Nobody has access of their own: postern grant give MAILBOX USER --rights see-devices,add-own-devices",
        )
    })
}

/// When an access ends.
pub(super) fn until(ends_at: Option<Timestamp>, now: Timestamp) -> String {
    ends_at.map_or_else(|| "no end".to_owned(), |at| time::human(at, now))
}

/// Reads when an access ends; `never` is no end.
pub(super) fn end(text: &str, now: Timestamp) -> Result<Option<Timestamp>, Failure> {
    if text == "never" {
        return Ok(None);
    }
    time::read_end(text, now).map(Some).map_err(Failure::usage)
}

/// A mailbox, a user, and the organisation that they have in common.
struct Pair {
    mailbox: Mailbox,
    user: User,
    org: Org,
}

impl Pair {
    async fn find(mailbox: &str, user: &str, local: &Local) -> Result<Self, Failure> {
        let mailbox = local.directory.find_mailbox(mailbox).await?;
        let user = local.directory.find_user(user).await?;
        let org = local.directory.find_org(&mailbox.org.to_string()).await?;
        Ok(Self { mailbox, user, org })
    }

    /// The access that they have, or a word that they have none.
    async fn grant(&self, local: &Local) -> Result<Grant, Failure> {
        let grants = local.directory.grants_of(Some(self.org.id), self.user.id).await?;
        let found = grants.into_iter().find(|grant| grant.mailbox == self.mailbox.id);
        found.ok_or_else(|| {
            Failure::not_found(format!(
                "{} has no access to {}",
                self.user.address, self.mailbox.address
            ))
        })
    }

    async fn tell_given(&self, terms: &GrantTerms, local: &Local, output: &Output) -> bool {
        let by = local.operator(self.user.language);
        let letter = Letter::access_given(by, self.org.name.clone(), self.mailbox.address.clone(), terms);
        local
            .tell(recipient(&self.user), Some(self.org.id), letter, output)
            .await
    }

    fn facts(&self, grant: &Grant, is_told: bool) -> Value {
        let mut value = json_of(grant, Some(&self.user));
        if let Some(fields) = value.as_object_mut() {
            fields.insert("told".to_owned(), json!(is_told));
        }
        value
    }
}

async fn give(args: Give, local: &Local, output: &Output) -> Result<(), Failure> {
    let terms = GrantTerms {
        rights: args.rights,
        ends_at: end(&args.until, local.now())?,
    };
    let pair = Pair::find(&args.mailbox, &args.user, local).await?;
    let Pair { mailbox, user, org } = &pair;
    let members = local.directory.orgs_of(user.id).await?;
    if !members.iter().any(|of| of.org.id == org.id) {
        return Err(Failure::failed(format!(
            "{0} is no member of \"{1}\": postern role set {0} member --org \"{1}\", or invite them",
            user.address, org.name
        )));
    }
    let old = local.directory.grants_of(Some(org.id), user.id).await?;
    if old
        .iter()
        .any(|old| old.mailbox == mailbox.id && !old.rights_at(local.now()).is_empty())
    {
        return Err(Failure::new(
            Exit::Conflict,
            format!(
                "{0} has access to {1} already; to change it: postern grant edit {1} {0}",
                user.address, mailbox.address
            ),
        ));
    }
    let grant = local
        .directory
        .give_grant(&local.actor, org.id, mailbox.id, user.id, &terms)
        .await?;
    let is_told = pair.tell_given(&terms, local, output).await;
    output.show(&pair.facts(&grant, is_told), || {
        format!("{}{}", now_has(&pair, &grant, local), told(user, is_told))
    })
}

fn now_has(pair: &Pair, grant: &Grant, local: &Local) -> String {
    let until = match grant.ends_at {
        None => String::new(),
        Some(at) => format!(", until {}", time::human(at, local.now())),
    };
    format!(
        "{} has access to {}: {}{until}",
        pair.user.address, pair.mailbox.address, grant.rights
    )
}

async fn edit(args: Edit, local: &Local, output: &Output) -> Result<(), Failure> {
    if args.rights.is_none() && args.until.is_none() {
        return Err(Failure::usage(
            "nothing to change: give at least one of --rights, --until",
        ));
    }
    let pair = Pair::find(&args.mailbox, &args.user, local).await?;
    let old = pair.grant(local).await?;
    let terms = GrantTerms {
        rights: args.rights.unwrap_or(old.rights),
        ends_at: match &args.until {
            Some(text) => end(text, local.now())?,
            None => old.ends_at,
        },
    };
    let (grant, seq) = local
        .directory
        .change_grant(&local.actor, &old, pair.org.id, &terms)
        .await?;
    let is_told = pair.tell_given(&terms, local, output).await;
    let done = now_has(&pair, &grant, local);
    local
        .applied_and(
            seq,
            &done,
            &told(&pair.user, is_told),
            pair.facts(&grant, is_told),
            output,
        )
        .await
}

async fn withdraw(mailbox: &str, user: &str, yes: bool, local: &Local, output: &Output) -> Result<(), Failure> {
    let directory = &local.directory;
    let pair = Pair::find(mailbox, user, local).await?;
    pair.grant(local).await?;
    let Pair { mailbox, user, org } = &pair;
    let what = directory.ending_with(org.id, user.id, Some(mailbox.id)).await?;
    let besides = Ending {
        grants: Vec::new(),
        ..what
    };
    let question = format!(
        "This withdraws the access of {} (\"{}\") to {}. {}",
        user.address,
        user.name,
        mailbox.address,
        effects(&besides)
    );
    confirm(question.trim_end(), yes)?;
    let ended = directory
        .withdraw_grant(&local.actor, org.id, mailbox.id, user.id)
        .await?;
    let letter = Letter::access_withdrawn(local.operator(user.language), org.name.clone(), &ended.what, false);
    let is_told = local.tell(recipient(user), Some(org.id), letter, output).await;
    let done = format!(
        "withdrew the access of {} to {}{}",
        user.address,
        mailbox.address,
        with_devices(&ended.what)
    );
    let facts = json!({
        "mailbox": mailbox.id, "mailbox_address": mailbox.address.as_str(), "user": user.id,
        "user_address": user.address.as_str(), "withdrawn": true, "ended": ending_json(&ended.what), "told": is_told,
    });
    local
        .applied_and(ended.seq, &done, &told(user, is_told), facts, output)
        .await
}

/// What `MAILBOX=RIGHTS[@END]` says.
pub(super) async fn read_spec(spec: &str, local: &Local) -> Result<(Mailbox, GrantTerms), Failure> {
    let bad = || {
        Failure::usage(format!(
            "`{spec}` is not MAILBOX=RIGHTS[@END], such as info@example.org=see-devices,add-own-devices@90d"
        ))
    };
    // A local part may hold an equals sign, rights never do.
    let (mailbox, terms) = spec.rsplit_once('=').ok_or_else(bad)?;
    let (rights, ends) = match terms.split_once('@') {
        Some((rights, ends)) => (rights, Some(ends)),
        None => (terms, None),
    };
    let terms = GrantTerms {
        rights: rights.parse().map_err(Failure::usage)?,
        ends_at: end(ends.unwrap_or("never"), local.now())?,
    };
    Ok((local.directory.find_mailbox(mailbox).await?, terms))
}

/// An access in JSON; the field names are documented in docs/cli.md.
pub(super) fn json_of(grant: &Grant, user: Option<&User>) -> Value {
    let mut value = json!({
        "mailbox": grant.mailbox,
        "mailbox_address": grant.address.as_str(),
        "user": grant.user,
        "rights": grant.rights.iter().map(|right| right.name()).collect::<Vec<_>>(),
        "ends_at": grant.ends_at.map(Timestamp::rfc3339),
        "created_at": grant.created_at.rfc3339(),
    });
    if let (Some(fields), Some(user)) = (value.as_object_mut(), user) {
        fields.insert("user_address".to_owned(), json!(user.address.as_str()));
    }
    value
}
