//! `postern invite`: invitations to join an organisation, by mail or by a link that somebody hands over.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::failure::Failure;
use super::grant;
use super::local::Local;
use super::output::{Output, counted, table};
use super::people::{show_link, works_until};
use super::time;
use crate::clock::Timestamp;
use crate::directory::letter::{Letter, Recipient};
use crate::directory::{self, Invite};
use crate::identity::Token;
use crate::identity::token::Invitation as InvitationLink;
use crate::model::{Invitation, InvitationState, InvitedGrant, Language, Org, Role, name};
use crate::secret::Secret;

const WHICH: &str = "An invitation is named by its id (inv-...) or by the invited address.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List invitations that can be accepted, newest first.
    List {
        /// The organisation (name or id), where there are several.
        #[arg(long)]
        org: Option<String>,
        /// Those too that were accepted, withdrawn or ran out.
        #[arg(long)]
        all: bool,
    },
    /// Show everything about one invitation, but its link.
    #[command(after_help = WHICH)]
    Show(Which),
    /// Invite somebody, and print the link with which they accept, once.
    #[command(
        after_help = "The link works once, for a week, and only for this address. Nobody is told whether the address is a user's already.\n\nExamples:\n  postern invite create lucie@private.example --grant info@example.org=see-devices,add-own-devices\n  postern invite create marc@private.example --role administrator --language fr --by \"Sophie Laurent\" --mail\n  postern invite create temp@private.example --grant info@example.org=send-as@90d --grant sales@example.org=see-devices"
    )]
    Create(Create),
    /// Make a further link for an invitation, and print or mail it. It can then be accepted for another week.
    #[command(after_help = WHICH)]
    Send {
        /// Id or address.
        invitation: String,
        /// The organisation (name or id), where there are several.
        #[arg(long)]
        org: Option<String>,
        /// Send it by mail instead of printing it.
        #[arg(long)]
        mail: bool,
    },
    /// Take an invitation back: its links are dead at once.
    #[command(after_help = WHICH)]
    Withdraw(Which),
}

#[derive(Debug, Args)]
pub(super) struct Which {
    /// Id or address.
    invitation: String,
    /// The organisation (name or id), where there are several.
    #[arg(long)]
    org: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// Whom: the address that they will sign in with, better none of the mailboxes here.
    address: String,
    /// As what: owner, administrator, mailbox-manager, auditor, or member.
    #[arg(long, default_value_t = Role::Member)]
    role: Role,
    /// Access to a mailbox that comes with it; may be repeated.
    #[arg(long, value_name = "MAILBOX=RIGHTS[@END]")]
    grant: Vec<String>,
    /// In which language they are written to: en or fr.
    #[arg(long, default_value_t = Language::English)]
    language: Language,
    /// Who invites, as they know them; without it the operator of this gateway.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// The organisation (name or id), where there are several and no mailbox tells.
    #[arg(long)]
    org: Option<String>,
    /// Send the link by mail instead of printing it.
    #[arg(long)]
    mail: bool,
}

pub(super) async fn run(command: Command, local: &Local, output: &Output) -> Result<(), Failure> {
    match command {
        Command::List { org, all } => list(org.as_deref(), all, local, output).await,
        Command::Show(which) => {
            let (_, invitation) = which.find(local).await?;
            output.show(&json_of(&invitation), || details(&invitation, local.now()))
        }
        Command::Create(args) => create(args, local, output).await,
        Command::Send { invitation, org, mail } => {
            let (org, invitation) = Which { invitation, org }.find(local).await?;
            must_be_sendable(mail, local)?;
            let renewed = local
                .directory
                .renew_invitation(&local.actor, org.id, invitation.id)
                .await?;
            hand_over("a new link", &org, renewed, mail, local, output).await
        }
        Command::Withdraw(which) => withdraw(which, local, output).await,
    }
}

impl Which {
    async fn find(&self, local: &Local) -> Result<(Org, Invitation), Failure> {
        let given = &self.invitation;
        if self.org.is_some() {
            let org = local.one_org(self.org.as_deref(), None).await?;
            let invitation = local.directory.find_invitation(org.id, given).await?;
            return Ok((org, invitation));
        }
        // Without --org, the one that has it.
        let mut found = Vec::new();
        for org in local.directory.orgs().await? {
            match local.directory.find_invitation(org.id, given).await {
                Ok(invitation) => found.push((org, invitation)),
                Err(directory::Error::Unknown { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        match (found.pop(), found.is_empty()) {
            (Some(only), true) => Ok(only),
            (Some(_), false) => Err(Failure::usage(format!(
                "several organisations have invited {given}: name one with --org"
            ))),
            (None, _) => Err(Failure::not_found(format!(
                "there is no invitation {given}; see postern invite list --all"
            ))),
        }
    }
}

async fn list(org: Option<&str>, all: bool, local: &Local, output: &Output) -> Result<(), Failure> {
    let directory = &local.directory;
    let orgs = match org {
        Some(org) => vec![directory.find_org(org).await?],
        None => directory.orgs().await?,
    };
    let mut invitations = Vec::new();
    for org in orgs {
        let of_org = directory.all_invitations(org.id, !all).await?;
        invitations.extend(of_org.into_iter().map(|invitation| (invitation, org.name.clone())));
    }
    let values: Vec<Value> = invitations.iter().map(|(invitation, _)| json_of(invitation)).collect();
    output.show(&json!({ "invitations": values }), || {
        let rows = invitations.iter().map(|(invitation, org)| {
            [
                invitation.address.to_string(),
                org.clone(),
                invitation.role.to_string(),
                invitation.grants.len().to_string(),
                invitation.invited_by.clone(),
                state(invitation, local.now()),
                invitation.id.to_string(),
            ]
        });
        let empty = if all {
            "No invitations."
        } else {
            "No open invitations: postern invite create ADDRESS"
        };
        table(
            ["ADDRESS", "ORGANISATION", "ROLE", "ACCESSES", "BY", "STATE", "ID"],
            rows.collect(),
            empty,
        )
    })
}

/// The fixed word in JSON.
const fn state_name(invitation: &Invitation) -> &'static str {
    match invitation.state {
        InvitationState::Sent => "open",
        InvitationState::Accepted(_) => "accepted",
        InvitationState::Declined(_) => "declined",
        InvitationState::Withdrawn(_) => "withdrawn",
        InvitationState::Expired => "expired",
    }
}

fn state(invitation: &Invitation, now: Timestamp) -> String {
    let word = state_name(invitation);
    match invitation.state {
        InvitationState::Sent => {
            let seen = match (invitation.opened_at, invitation.sent_at) {
                (Some(at), _) => format!("link opened {}", time::relative(at, now)),
                (None, Some(at)) => format!("mail sent {}", time::relative(at, now)),
                (None, None) => "link not opened yet".to_owned(),
            };
            format!("{seen}, ends {}", time::relative(invitation.expires_at, now))
        }
        InvitationState::Accepted(at) | InvitationState::Declined(at) | InvitationState::Withdrawn(at) => {
            format!("{word} {}", time::relative(at, now))
        }
        InvitationState::Expired => format!("{word} {}", time::relative(invitation.expires_at, now)),
    }
}

fn details(invitation: &Invitation, now: Timestamp) -> String {
    let moment = |at: Option<Timestamp>, none: &str| at.map_or_else(|| none.to_owned(), |at| time::human(at, now));
    let facts = [
        ("Invited", invitation.address.to_string()),
        ("Id", invitation.id.to_string()),
        ("State", state(invitation, now)),
        ("Role", invitation.role.to_string()),
        ("Language", invitation.language.to_string()),
        ("Invited by", invitation.invited_by.clone()),
        ("Made", time::human(invitation.created_at, now)),
        ("Mail sent", moment(invitation.sent_at, "no")),
        ("Link opened", moment(invitation.opened_at, "no")),
        ("Ends", time::human(invitation.expires_at, now)),
    ];
    let lines: Vec<String> = facts.iter().map(|(name, fact)| format!("{name:<12}{fact}")).collect();
    let grants = invitation.grants.iter().map(|grant| {
        [
            grant.address.to_string(),
            grant.rights.to_string(),
            grant::until(grant.ends_at, now),
        ]
    });
    let grants = table(
        ["ACCESS TO", "RIGHTS", "UNTIL"],
        grants.collect(),
        "No access to a mailbox comes with it.",
    );
    format!("{}\n\n{grants}", lines.join("\n"))
}

/// Before anything is written: a link has to lead somewhere, and a mail has to go out.
fn must_be_sendable(mail: bool, local: &Local) -> Result<(), Failure> {
    local.link("/")?;
    if mail { local.must_send_mail() } else { Ok(()) }
}

async fn create(args: Create, local: &Local, output: &Output) -> Result<(), Failure> {
    must_be_sendable(args.mail, local)?;
    let by = match &args.by {
        Some(by) => name::person_name(by).map_err(Failure::usage)?,
        None => local.operator(args.language),
    };
    let mut grants = Vec::with_capacity(args.grant.len());
    let mut of_mailboxes = None;
    for spec in &args.grant {
        let (mailbox, terms) = grant::read_spec(spec, local).await?;
        of_mailboxes.get_or_insert(mailbox.org);
        grants.push((mailbox.id, terms));
    }
    let of_mailboxes = of_mailboxes.map(|org| org.to_string());
    let org = local
        .one_org(args.org.as_deref().or(of_mailboxes.as_deref()), None)
        .await?;
    let invite = Invite {
        address: args.address,
        role: args.role,
        grants,
        language: args.language,
        invited_by: by,
    };
    let invited = local.directory.invite(&local.actor, org.id, invite).await?;
    hand_over("an invitation", &org, invited, args.mail, local, output).await
}

/// Prints a link, or sends it.
async fn hand_over(
    what: &str,
    org: &Org,
    (invitation, link): (Invitation, Token<InvitationLink>),
    mail: bool,
    local: &Local,
    output: &Output,
) -> Result<(), Failure> {
    let facts = json!({ "invitation": json_of(&invitation), "told": mail });
    let until = works_until(invitation.expires_at, local);
    let about = format!(
        "{} to \"{}\" as {}, with {} ({})",
        invitation.address,
        org.name,
        invitation.role,
        counted(invitation.grants.len(), "access", "accesses"),
        invitation.id
    );
    if !mail {
        let done = format!("made {what} for {about}");
        let link = link.shown();
        let link = local.link(&format!("/invitation/{}", link.expose())).map(Secret::new)?;
        let hint = format!(
            "{until} Only {} can sign in with it: hand it to nobody else.",
            invitation.address
        );
        return show_link(facts, (&done, &link), &hint, output);
    }
    let to = Recipient {
        address: invitation.address.clone(),
        language: invitation.language,
    };
    let letter = Letter::Invitation {
        by: invitation.invited_by.clone(),
        org: org.name.clone(),
        invitation: invitation.id,
        role: invitation.role,
        grants: invitation.grants.clone(),
        expires_at: invitation.expires_at,
        link,
    };
    if !local.tell(to, Some(org.id), letter, output).await {
        return Err(Failure::failed(format!(
            "the invitation {} is made, but no mail with it: postern invite send {0}",
            invitation.id
        )));
    }
    output.show(&facts, || {
        format!("{what} for {about} goes out by mail\n{until} See postern mail list for what became of the mail.")
    })
}

async fn withdraw(which: Which, local: &Local, output: &Output) -> Result<(), Failure> {
    let (org, invitation) = which.find(local).await?;
    let was = matches!(
        invitation.state,
        InvitationState::Declined(_) | InvitationState::Withdrawn(_)
    );
    let invitation = local
        .directory
        .withdraw_invitation(&local.actor, org.id, invitation.id)
        .await?;
    output.show(&json!({ "invitation": json_of(&invitation) }), || {
        if was {
            format!(
                "the invitation of {} was {} already",
                invitation.address,
                state_name(&invitation)
            )
        } else {
            format!(
                "withdrew the invitation of {} to \"{}\"; its links are dead",
                invitation.address, org.name
            )
        }
    })
}

/// An invitation in JSON; the field names are documented in docs/cli.md.
fn json_of(invitation: &Invitation) -> Value {
    let grant = |grant: &InvitedGrant| {
        json!({
            "mailbox": grant.mailbox,
            "mailbox_address": grant.address.as_str(),
            "rights": grant.rights.iter().map(|right| right.name()).collect::<Vec<_>>(),
            "ends_at": grant.ends_at.map(Timestamp::rfc3339),
        })
    };
    let (accepted_at, declined_at, withdrawn_at) = match invitation.state {
        InvitationState::Accepted(at) => (Some(at), None, None),
        InvitationState::Declined(at) => (None, Some(at), None),
        InvitationState::Withdrawn(at) => (None, None, Some(at)),
        InvitationState::Sent | InvitationState::Expired => (None, None, None),
    };
    json!({
        "id": invitation.id,
        "org": invitation.org,
        "address": invitation.address.as_str(),
        "role": invitation.role.name(),
        "grants": invitation.grants.iter().map(grant).collect::<Vec<_>>(),
        "language": invitation.language.name(),
        "invited_by": invitation.invited_by,
        "state": state_name(invitation),
        "created_at": invitation.created_at.rfc3339(),
        "sent_at": invitation.sent_at.map(Timestamp::rfc3339),
        "opened_at": invitation.opened_at.map(Timestamp::rfc3339),
        "expires_at": invitation.expires_at.rfc3339(),
        "accepted_at": accepted_at.map(Timestamp::rfc3339),
        "declined_at": declined_at.map(Timestamp::rfc3339),
        "withdrawn_at": withdrawn_at.map(Timestamp::rfc3339),
    })
}
