//! `/members`: the people of the organisation and their roles.

use super::grants::Withdrawn;
use super::scope::*;
use crate::model::UserId;
use crate::store::MemberQuery;

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(read, remove))
        .routes(routes!(grants))
        .routes(routes!(set_role))
        .routes(routes!(ending))
}

/// The parameters of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Only those whose name or address contains this.
    #[param(nullable = false)]
    q: Option<String>,
    /// Only those with this role.
    #[param(inline, nullable = false)]
    role: Option<words::Role>,
    /// Entries of the page.
    #[param(minimum = 1, maximum = 200, default = 50, nullable = false)]
    limit: Option<u32>,
    /// `next` of the page before.
    #[param(nullable = false, pattern = "^[A-Za-z0-9_-]*$")]
    after: Option<String>,
}

/// Another role for a member.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RolePut {
    /// Owners, administrators and mailbox managers are made by a person, in the Manager.
    role: words::Role,
    /// The revision of the member that was seen.
    revision: String,
}

/// What the preview is of.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AskedEnding {
    /// Another role; their removal where it is left out.
    #[param(inline, nullable = false)]
    role: Option<words::Role>,
}

/// A member, and what a change of the role ended.
#[derive(Debug, Serialize, ToSchema)]
struct MemberChanged {
    member: shown::Member,
    /// What it was: devices on mailboxes that only the old role reached.
    what: shown::Ending,
    /// Live mail sessions that ended with it; null where that is still to come.
    #[schema(required = true)]
    ended: Option<Ended>,
}

/// The members
///
/// By name.
#[utoipa::path(get, path = "/members", operation_id = "members.list", tag = "members", params(Asked),
    responses((status = 200, description = "The members", body = List<shown::Member>)))]
async fn list(State(api): Here, caller: Caller, Query(asked): Query<Asked>) -> Reply<List<shown::Member>> {
    let paging = Paging::read(asked.limit, asked.after.as_deref())?;
    let query = MemberQuery {
        text: asked.q.filter(|text| !text.is_empty()),
        role: asked.role.map(|role| role.0),
        after: paging.after()?,
        limit: paging.limit,
    };
    let page = api.desk.members(&caller.acting, &query).await?;
    let items = page.rows.iter().map(shown::Member::from).collect();
    Ok(Json(Paging::page(items, page.next.as_ref())))
}

/// One member
#[utoipa::path(get, path = "/members/{user}", operation_id = "members.read", tag = "members",
    params(("user" = inline(words::UserId), Path)),
    responses((status = 200, description = "The member", body = shown::Member)))]
async fn read(State(api): Here, caller: Caller, At(user): At<UserId>) -> Reply<shown::Member> {
    let row = api.desk.member(&caller.acting, user).await?;
    Ok(Json(shown::Member::from(&row)))
}

/// What a member has access to
///
/// By the mailboxes' ids.
#[utoipa::path(get, path = "/members/{user}/grants", operation_id = "members.grants", tag = "members",
    params(("user" = inline(words::UserId), Path), Pages),
    responses((status = 200, description = "The grants", body = List<shown::Grant>)))]
async fn grants(
    State(api): Here,
    caller: Caller,
    At(user): At<UserId>,
    Query(asked): Query<Pages>,
) -> Reply<List<shown::Grant>> {
    let paging = Paging::read(asked.limit, asked.after.as_deref())?;
    let member = api.desk.member(&caller.acting, user).await?;
    let grants = api.desk.grants_of(&caller.acting, user).await?;
    let page = paging.cut(grants, |grant| grant.mailbox)?;
    let name = member.member.user.name;
    Ok(Json(page.map(|grant| shown::Grant::new(&grant, name.clone()))))
}

/// Give a member another role
///
/// Devices of theirs end on mailboxes that only the old one reached. Roles that reach mailboxes without a grant are given by
/// a person, in the Manager.
#[utoipa::path(put, path = "/members/{user}/role", operation_id = "members.role", tag = "members",
    params(("user" = inline(words::UserId), Path)), request_body = RolePut,
    responses((status = 200, description = "The member with the role", body = MemberChanged)))]
async fn set_role(
    State(api): Here,
    caller: Caller,
    At(user): At<UserId>,
    Sent { body, .. }: Sent<RolePut>,
) -> Reply<MemberChanged> {
    let acting = &caller.acting;
    api.desk.check(acting, Operation::MemberRole).await?;
    let present = api.desk.member(acting, user).await?.member.role;
    let is_seen = body.revision == shown::Member::revision_of(present);
    // What was seen is not known, only that it was another role: any other one will do for the store to say so.
    let seen = if is_seen { present } else { another(present) };
    let before = api.before_change();
    match api.desk.set_role(acting, user, seen, body.role.0).await {
        Ok(changed) => {
            let ended = api.applied(before, changed.ended.seq).await;
            let member = api.desk.member(acting, user).await?;
            Ok(Json(MemberChanged {
                member: shown::Member::from(&member),
                what: shown::Ending::of(&api, &changed.ended.what),
                ended,
            }))
        }
        Err(error @ Error::Store(store::Error::Stale { .. })) => {
            let now = api.desk.member(acting, user).await?;
            Err(Problem::from(error).with_now(&shown::Member::from(&now)))
        }
        Err(error) => Err(error.into()),
    }
}

const fn another(role: crate::model::Role) -> crate::model::Role {
    use crate::model::Role;
    match role {
        Role::Member => Role::Auditor,
        _ => Role::Member,
    }
}

/// What would end with a member, or with their role
///
/// Nothing is changed. To be shown to somebody before the member is removed or gets another role.
#[utoipa::path(get, path = "/members/{user}/ending", operation_id = "members.ending", tag = "members",
    params(("user" = inline(words::UserId), Path), AskedEnding),
    responses((status = 200, description = "What would end", body = shown::Ending)))]
async fn ending(
    State(api): Here,
    caller: Caller,
    At(user): At<UserId>,
    Query(asked): Query<AskedEnding>,
) -> Reply<shown::Ending> {
    let acting = &caller.acting;
    let ending = match asked.role {
        None => api.desk.ending_with_member(acting, user).await?,
        Some(role) => {
            let present = api.desk.member(acting, user).await?.member.role;
            api.desk.ending_with_role(acting, user, (present, role.0)).await?
        }
    };
    Ok(Json(shown::Ending::of(&api, &ending)))
}

/// Remove a member
///
/// With their accesses here, and the devices here that belong to them. One owner always remains.
#[utoipa::path(delete, path = "/members/{user}", operation_id = "members.remove", tag = "members",
    params(("user" = inline(words::UserId), Path)),
    responses((status = 200, description = "What ended", body = Withdrawn)))]
async fn remove(State(api): Here, caller: Caller, At(user): At<UserId>) -> Reply<Withdrawn> {
    api.desk.check(&caller.acting, Operation::MemberRemove).await?;
    let role = api.desk.member(&caller.acting, user).await?.member.role;
    let before = api.before_change();
    let removed = api.desk.remove_member(&caller.acting, user, role).await?;
    let ended = api.applied(before, removed.seq).await;
    let what = shown::Ending::of(&api, &removed.what);
    Ok(Json(Withdrawn { what, ended }))
}
