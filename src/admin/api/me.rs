//! `/me`: whom a token acts for, and what was granted to them.

use super::scope::*;

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(read)).routes(routes!(mailboxes))
}

/// An organisation, by its id and name.
#[derive(Debug, Serialize, ToSchema)]
struct OrganisationRef {
    id: words::OrgId,
    name: String,
}

/// Whom a token acts for.
#[derive(Debug, Serialize, ToSchema)]
struct Me {
    user: shown::User,
    /// Where the token counts.
    organisation: OrganisationRef,
    /// What the user may do there; the token may do no more than its own role.
    role: words::Role,
    token: shown::Token,
}

/// Who am I
///
/// The user in whose name the token acts, the organisation, and the token itself.
#[utoipa::path(get, path = "/me", operation_id = "me.read", tag = "me",
    responses((status = 200, description = "Whom the token acts for", body = Me)))]
async fn read(caller: Caller) -> Reply<Me> {
    let acting = &caller.acting;
    Ok(Json(Me {
        user: shown::User::from(&acting.user),
        organisation: OrganisationRef {
            id: words::OrgId(acting.org.id),
            name: acting.org.name.clone(),
        },
        role: words::Role(acting.role),
        token: shown::Token::from(caller.token()?),
    }))
}

/// Mailboxes that were granted to me
///
/// By the mailboxes' ids. Ended grants are left out.
#[utoipa::path(get, path = "/me/mailboxes", operation_id = "me.mailboxes", tag = "me", params(Pages),
    responses((status = 200, description = "The grants", body = List<shown::Grant>)))]
async fn mailboxes(State(api): Here, caller: Caller, Query(asked): Query<Pages>) -> Reply<List<shown::Grant>> {
    let paging = asked.read()?;
    let (user, now) = (&caller.acting.user, api.clock.utc());
    let mut grants = api.desk.grants_of(&caller.acting, user.id).await?;
    grants.retain(|grant| !grant.rights_at(now).is_empty());
    let page = paging.cut(grants, |grant| grant.mailbox)?;
    Ok(Json(page.map(|grant| shown::Grant::new(&grant, user.name.clone()))))
}
