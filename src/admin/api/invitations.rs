//! `/invitations`: offers to become a member. Where a mail is sent, the link is in it and nowhere else; otherwise it is in
//! the answer, once.

use super::devices::Shown;
use super::once::{Key, KeyHeader, Made};
use super::scope::*;
use crate::admin::lists;
use crate::directory::desk::{InviteSpec, Invited};
use crate::model::{Invitation, InvitationId, Rights, Role};
use crate::secret::Secret;
use crate::store::people::INVITED_GRANTS_MAX;
use crate::store::{GrantTerms, InvitationQuery};

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read))
        .routes(routes!(send))
        .routes(routes!(withdraw))
}

/// The parameters of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Only those with this in the address.
    #[param(nullable = false)]
    q: Option<String>,
    /// Only those that can be accepted.
    #[param(nullable = false)]
    open: Option<bool>,
    /// Entries of the page.
    #[param(minimum = 1, maximum = 200, default = 50, nullable = false)]
    limit: Option<u32>,
    /// `next` of the page before.
    #[param(nullable = false, pattern = "^[A-Za-z0-9_-]*$")]
    after: Option<String>,
}

/// A mailbox that an invitation comes with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct GrantNew {
    mailbox: words::MailboxId,
    /// At least one.
    #[schema(min_items = 1)]
    rights: Vec<words::Right>,
    /// It does not count from this moment on.
    #[serde(default)]
    ends_at: Option<words::Moment>,
}

/// Somebody to be invited.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct InvitationNew {
    /// Their address: only a user who signs in with it can accept.
    #[schema(min_length = 3, max_length = 254, pattern = "^[^@]+@[^@]+$")]
    address: String,
    /// As what; a member where it is left out. Owners, administrators and mailbox managers are invited by a person, in
    /// the Manager.
    #[serde(default)]
    #[schema(nullable = false)]
    role: Option<words::Role>,
    /// With which mailboxes.
    #[serde(default)]
    #[schema(value_type = Vec<GrantNew>, max_items = 256)]
    grants: Vec<words::Object<GrantNew>>,
    /// In which language; that of the token's user where it is left out.
    #[serde(default)]
    #[schema(nullable = false)]
    language: Option<words::Language>,
    /// Whether a mail is sent; otherwise the link is in the answer.
    #[serde(default = "yes")]
    #[schema(default = true)]
    by_mail: bool,
}

const fn yes() -> bool {
    true
}

/// How an invitation is sent again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct InvitationSend {
    /// Whether a mail is sent; otherwise a further link is in the answer.
    #[serde(default = "yes")]
    #[schema(default = true)]
    by_mail: bool,
}

/// An invitation, and the link to it where no mail was sent.
#[derive(Debug, Serialize, ToSchema)]
struct InvitationLink {
    invitation: shown::Invitation,
    /// Shown this once, to be handed over; null where a mail was sent, and in the answer to a repeated request.
    #[schema(value_type = Option<String>, required = true)]
    link: Option<Shown>,
}

/// The invitations
///
/// The newest first.
#[utoipa::path(get, path = "/invitations", operation_id = "invitations.list", tag = "invitations", params(Asked),
    responses((status = 200, description = "The invitations", body = List<shown::Invitation>)))]
async fn list(State(api): Here, caller: Caller, Query(asked): Query<Asked>) -> Reply<List<shown::Invitation>> {
    let paging = Paging::read(asked.limit, asked.after.as_deref())?;
    let query = InvitationQuery {
        open: asked.open.unwrap_or_default(),
        before: paging.after()?,
        limit: paging.limit,
    };
    let page = match asked.q.filter(|text| !text.is_empty()) {
        None => api.desk.invitations(&caller.acting, &query).await?,
        Some(text) => lists::invitations_with(&api.desk, &caller.acting, query, &text).await?,
    };
    let mails = api.desk.invitation_mails(&caller.acting, &page.rows).await?;
    let shown = |one: &Invitation| shown::Invitation::new(one, mails.get(&one.id));
    let items = page.rows.iter().map(shown).collect();
    Ok(Json(Paging::page(items, page.next.as_ref())))
}

/// An invitation with what became of its mail.
async fn show(api: &Api, caller: &Caller, invitation: Invitation) -> Result<shown::Invitation, Problem> {
    let mails = api
        .desk
        .invitation_mails(&caller.acting, std::slice::from_ref(&invitation))
        .await?;
    Ok(shown::Invitation::new(&invitation, mails.get(&invitation.id)))
}

/// One invitation
#[utoipa::path(get, path = "/invitations/{invitation}", operation_id = "invitations.read", tag = "invitations",
    params(("invitation" = inline(words::InvitationId), Path)),
    responses((status = 200, description = "The invitation", body = shown::Invitation)))]
async fn read(State(api): Here, caller: Caller, At(id): At<InvitationId>) -> Reply<shown::Invitation> {
    let invitation = api.desk.invitation(&caller.acting, id).await?;
    Ok(Json(show(&api, &caller, invitation).await?))
}

/// Invite somebody
///
/// The answer does not depend on whether they are a user already.
#[utoipa::path(post, path = "/invitations", operation_id = "invitations.create", tag = "invitations", params(KeyHeader),
    request_body = InvitationNew, responses((status = 201, description = "Invited", body = InvitationLink)))]
async fn create(
    State(api): Here,
    caller: Caller,
    key: Key,
    Sent { body, octets }: Sent<InvitationNew>,
) -> Result<Made<InvitationLink>, Problem> {
    api.desk.check(&caller.acting, Operation::InvitationCreate).await?;
    let spec = spec(&caller, body)?;
    for (place, (mailbox, _)) in spec.grants.iter().enumerate() {
        match api.desk.mailbox(&caller.acting, *mailbox).await {
            Ok(_) => {}
            Err(error @ Error::Unknown { .. }) => {
                return Err(Problem::field(
                    format!("grants[{place}].mailbox"),
                    error.key(),
                    error.to_string(),
                ));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let (desk, acting) = (Arc::clone(&api.desk), caller.acting.clone());
    let make = async move {
        let invited = desk.invite(&acting, spec).await?;
        Ok((invited.invitation.id, invited))
    };
    let (id, invited) = api.once(&caller, key.of(&octets), make).await?.split();
    let is_replay = invited.is_none();
    let answer = with_link(&api, &caller, id, invited).await?;
    Ok(Made::of(is_replay, format!("/invitations/{id}"), answer))
}

async fn with_link(
    api: &Api,
    caller: &Caller,
    id: InvitationId,
    invited: Option<Invited>,
) -> Result<InvitationLink, Problem> {
    // Made just now, so that no further look can fail and take the link along.
    let (invitation, link) = match invited {
        Some(Invited {
            invitation,
            link: Some(link),
            ..
        }) => (shown::Invitation::new(&invitation, None), Some(link)),
        Some(invited) => (show(api, caller, invited.invitation).await?, None),
        None => {
            let invitation = api.desk.invitation(&caller.acting, id).await?;
            (show(api, caller, invitation).await?, None)
        }
    };
    let whole = |end: Secret<String>| Secret::new(api.origin.link(&format!("/invitation/{}", end.expose())));
    Ok(InvitationLink {
        invitation,
        link: link.map(whole).map(Shown),
    })
}

fn spec(caller: &Caller, body: InvitationNew) -> Result<InviteSpec, Problem> {
    if body.grants.len() > INVITED_GRANTS_MAX {
        let text = format!("name at most {INVITED_GRANTS_MAX} mailboxes");
        return Err(Problem::field("grants", "field.bad", text));
    }
    let mut grants = Vec::with_capacity(body.grants.len());
    for (place, words::Object(grant)) in body.grants.iter().enumerate() {
        let rights: Rights = grant.rights.iter().map(|right| right.0).collect();
        if rights.is_empty() {
            let field = format!("grants[{place}].rights");
            return Err(Problem::field(field, "field.bad", "name at least one right"));
        }
        let terms = GrantTerms {
            rights,
            ends_at: grant.ends_at.map(|at| at.0),
        };
        grants.push((grant.mailbox.0, terms));
    }
    let language = body.language.map(|language| language.0);
    Ok(InviteSpec {
        address: body.address,
        role: body.role.map_or(Role::Member, |role| role.0),
        grants,
        language: language.unwrap_or(caller.acting.user.language),
        by_mail: body.by_mail,
    })
}

/// Send an invitation again
///
/// By mail at most every ten minutes. Its end moves, and the links that are out go on working.
#[utoipa::path(post, path = "/invitations/{invitation}/send", operation_id = "invitations.send", tag = "invitations",
    params(("invitation" = inline(words::InvitationId), Path), KeyHeader), request_body = InvitationSend,
    responses((status = 200, description = "Sent", body = InvitationLink)))]
async fn send(
    State(api): Here,
    caller: Caller,
    At(id): At<InvitationId>,
    key: Key,
    Sent { body, octets }: Sent<InvitationSend>,
) -> Result<Made<InvitationLink>, Problem> {
    let (desk, acting) = (Arc::clone(&api.desk), caller.acting.clone());
    let make = async move { Ok((id, desk.renew_invitation(&acting, id, body.by_mail).await?)) };
    let (_, invited) = api.once(&caller, key.of(&octets), make).await?.split();
    let is_replay = invited.is_none();
    let answer = with_link(&api, &caller, id, invited).await?;
    Ok(Made::again(is_replay, answer))
}

/// Take an invitation back
///
/// Its links are dead at once. Taking it back again changes nothing.
#[utoipa::path(post, path = "/invitations/{invitation}/withdraw", operation_id = "invitations.withdraw",
    tag = "invitations", params(("invitation" = inline(words::InvitationId), Path)),
    responses((status = 200, description = "Withdrawn", body = shown::Invitation)))]
async fn withdraw(State(api): Here, caller: Caller, At(id): At<InvitationId>) -> Reply<shown::Invitation> {
    let invitation = api.desk.withdraw_invitation(&caller.acting, id).await?;
    Ok(Json(show(&api, &caller, invitation).await?))
}
