//! `/mailboxes/{mailbox}/grants`: what people may do with a mailbox ("access" on the screens of the Manager).

use axum::http::StatusCode;

use super::scope::*;
use crate::model::{Grant, MailboxId, Rights, UserId};
use crate::store::GrantTerms;

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(read, put, withdraw))
        .routes(routes!(ending))
}

/// What a member may do with a mailbox from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct GrantPut {
    /// At least one.
    #[schema(min_items = 1)]
    rights: Vec<words::Right>,
    /// It does not count from this moment on; never ends by itself where it is null or left out.
    #[serde(default)]
    ends_at: Option<words::Moment>,
    /// The revision of the grant that is to be changed; left out for somebody who has none.
    #[serde(default)]
    revision: Option<String>,
}

/// A grant, and what a change of it ended.
#[derive(Debug, Serialize, ToSchema)]
struct GrantChanged {
    grant: shown::Grant,
    /// What ended; null where nothing was taken away, or where that is still to come.
    #[schema(required = true)]
    ended: Option<Ended>,
}

/// What ended with a grant or a membership.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Withdrawn {
    /// What it was.
    pub(super) what: shown::Ending,
    /// Live mail sessions that ended with it; null where that is still to come.
    #[schema(required = true)]
    pub(super) ended: Option<Ended>,
}

/// Who has access to a mailbox
///
/// By the users' ids.
#[utoipa::path(get, path = "/mailboxes/{mailbox}/grants", operation_id = "grants.list", tag = "grants",
    params(("mailbox" = inline(words::MailboxId), Path), Pages),
    responses((status = 200, description = "The grants", body = List<shown::Grant>)))]
async fn list(
    State(api): Here,
    caller: Caller,
    At(mailbox): At<MailboxId>,
    Query(asked): Query<Pages>,
) -> Reply<List<shown::Grant>> {
    let paging = asked.read()?;
    let rows = api.desk.grants_on(&caller.acting, mailbox).await?;
    let page = paging.cut(rows, |row| row.grant.user)?;
    Ok(Json(page.map(|row| shown::Grant::new(&row.grant, row.name))))
}

/// A grant as it is shown.
async fn show(api: &Api, caller: &Caller, grant: &Grant) -> Result<shown::Grant, Problem> {
    let member = api.desk.member(&caller.acting, grant.user).await?;
    Ok(shown::Grant::new(grant, member.member.user.name))
}

/// What one member may do with a mailbox
#[utoipa::path(get, path = "/mailboxes/{mailbox}/grants/{user}", operation_id = "grants.read", tag = "grants",
    params(("mailbox" = inline(words::MailboxId), Path), ("user" = inline(words::UserId), Path)),
    responses((status = 200, description = "The grant", body = shown::Grant)))]
async fn read(State(api): Here, caller: Caller, At((mailbox, user)): At<(MailboxId, UserId)>) -> Reply<shown::Grant> {
    let grant = api.desk.grant(&caller.acting, mailbox, user).await?;
    Ok(Json(show(&api, &caller, &grant).await?))
}

/// Give a member access to a mailbox, or change it
///
/// Without `revision` it is given, and refused where they have some that says something else; with it, the grant that was
/// seen is changed. The same twice changes nothing.
#[utoipa::path(put, path = "/mailboxes/{mailbox}/grants/{user}", operation_id = "grants.put", tag = "grants",
    params(("mailbox" = inline(words::MailboxId), Path), ("user" = inline(words::UserId), Path)),
    request_body = GrantPut,
    responses(
        (status = 200, description = "The grant, changed or as it was", body = GrantChanged),
        (status = 201, description = "The grant, given", body = GrantChanged),
    ))]
async fn put(
    State(api): Here,
    caller: Caller,
    At((mailbox, user)): At<(MailboxId, UserId)>,
    Sent { body, .. }: Sent<GrantPut>,
) -> Result<(StatusCode, Json<GrantChanged>), Problem> {
    let acting = &caller.acting;
    api.desk.check_on(acting, &[Operation::GrantGive], mailbox).await?;
    let rights: Rights = body.rights.iter().map(|right| right.0).collect();
    if rights.is_empty() {
        return Err(Problem::field("rights", "field.bad", "name at least one right"));
    }
    let to = GrantTerms {
        rights,
        ends_at: body.ends_at.map(|at| at.0),
    };
    let present = match api.desk.grant(acting, mailbox, user).await {
        Ok(grant) => Some(grant),
        Err(Error::Unknown { .. } | Error::Store(store::Error::NotFound(_))) => None,
        Err(error) => return Err(error.into()),
    };
    let Some(present) = present else {
        let grant = api.desk.give_grant(acting, mailbox, user, &to).await?;
        let grant = show(&api, &caller, &grant).await?;
        return Ok((StatusCode::CREATED, Json(GrantChanged { grant, ended: None })));
    };
    if terms(&present) == to {
        let grant = show(&api, &caller, &present).await?;
        return Ok((StatusCode::OK, Json(GrantChanged { grant, ended: None })));
    }
    change(&api, &caller, present, &to, body.revision.as_deref()).await
}

const fn terms(grant: &Grant) -> GrantTerms {
    GrantTerms {
        rights: grant.rights,
        ends_at: grant.ends_at,
    }
}

async fn change(
    api: &Api,
    caller: &Caller,
    present: Grant,
    to: &GrantTerms,
    revision: Option<&str>,
) -> Result<(StatusCode, Json<GrantChanged>), Problem> {
    let is_seen = revision.is_some_and(|seen| seen == shown::Grant::revision_of(&terms(&present)));
    // What was seen is not known, only that it was something else: a grant without any right is none that there is.
    let seen = Grant {
        rights: if is_seen { present.rights } else { Rights::NONE },
        ..present
    };
    let before = api.before_change();
    match api.desk.change_grant(&caller.acting, &seen, to).await {
        Ok((grant, seq)) => {
            let ended = api.applied(before, seq).await;
            let grant = show(api, caller, &grant).await?;
            Ok((StatusCode::OK, Json(GrantChanged { grant, ended })))
        }
        Err(error @ Error::Store(store::Error::Stale { .. })) => {
            let now = api.desk.grant(&caller.acting, seen.mailbox, seen.user).await?;
            let now = show(api, caller, &now).await?;
            Err(Problem::from(error).with_now(&now))
        }
        Err(error) => Err(error.into()),
    }
}

/// What would end with an access
///
/// Nothing is changed. To be shown to somebody before the access is withdrawn.
#[utoipa::path(get, path = "/mailboxes/{mailbox}/grants/{user}/ending", operation_id = "grants.ending", tag = "grants",
    params(("mailbox" = inline(words::MailboxId), Path), ("user" = inline(words::UserId), Path)),
    responses((status = 200, description = "What would end", body = shown::Ending)))]
async fn ending(
    State(api): Here,
    caller: Caller,
    At((mailbox, user)): At<(MailboxId, UserId)>,
) -> Reply<shown::Ending> {
    let ending = api.desk.ending_with_grant(&caller.acting, mailbox, user).await?;
    Ok(Json(shown::Ending::of(&api, &ending)))
}

/// Withdraw an access
///
/// The devices of this mailbox that belong to this person are revoked, and nobody else's.
#[utoipa::path(delete, path = "/mailboxes/{mailbox}/grants/{user}", operation_id = "grants.withdraw", tag = "grants",
    params(("mailbox" = inline(words::MailboxId), Path), ("user" = inline(words::UserId), Path)),
    responses((status = 200, description = "What ended", body = Withdrawn)))]
async fn withdraw(State(api): Here, caller: Caller, At((mailbox, user)): At<(MailboxId, UserId)>) -> Reply<Withdrawn> {
    let before = api.before_change();
    let withdrawn = api.desk.withdraw_grant(&caller.acting, mailbox, user).await?;
    let ended = api.applied(before, withdrawn.seq).await;
    let what = shown::Ending::of(&api, &withdrawn.what);
    Ok(Json(Withdrawn { what, ended }))
}
