//! `/mailboxes/{mailbox}/aliases`: further addresses of a mailbox.

use super::once::{Key, KeyHeader, Made, Once};
use super::scope::*;
use crate::model::{AliasId, MailboxId};

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read, delete))
}

/// An alias to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AliasNew {
    /// The address, in one of the organisation's mail domains.
    #[schema(min_length = 3, max_length = 254, pattern = "^[^@]+@[^@]+$")]
    address: String,
}

/// The aliases of a mailbox
///
/// By their ids.
#[utoipa::path(get, path = "/mailboxes/{mailbox}/aliases", operation_id = "aliases.list", tag = "aliases",
    params(("mailbox" = inline(words::MailboxId), Path), Pages),
    responses((status = 200, description = "The aliases", body = List<shown::Alias>)))]
async fn list(
    State(api): Here,
    caller: Caller,
    At(mailbox): At<MailboxId>,
    Query(asked): Query<Pages>,
) -> Reply<List<shown::Alias>> {
    let paging = asked.read()?;
    let aliases = api.desk.aliases(&caller.acting, mailbox).await?;
    Ok(Json(paging.cut(aliases, |alias| alias.id)?.map(shown::Alias::from)))
}

async fn one(api: &Api, caller: &Caller, mailbox: MailboxId, id: AliasId) -> Result<shown::Alias, Problem> {
    let aliases = api.desk.aliases(&caller.acting, mailbox).await?;
    let alias = aliases.into_iter().find(|alias| alias.id == id);
    Ok(alias.ok_or_else(|| Problem::unknown("alias"))?.into())
}

/// One alias
#[utoipa::path(get, path = "/mailboxes/{mailbox}/aliases/{alias}", operation_id = "aliases.read", tag = "aliases",
    params(("mailbox" = inline(words::MailboxId), Path), ("alias" = inline(words::AliasId), Path)),
    responses((status = 200, description = "The alias", body = shown::Alias)))]
async fn read(State(api): Here, caller: Caller, At((mailbox, alias)): At<(MailboxId, AliasId)>) -> Reply<shown::Alias> {
    Ok(Json(one(&api, &caller, mailbox, alias).await?))
}

/// Add an alias
///
/// Mail for it goes into the mailbox, whose devices may send with it. It cannot be signed in to.
#[utoipa::path(post, path = "/mailboxes/{mailbox}/aliases", operation_id = "aliases.create", tag = "aliases",
    params(("mailbox" = inline(words::MailboxId), Path), KeyHeader),
    request_body = AliasNew, responses((status = 201, description = "Added", body = shown::Alias)))]
async fn create(
    State(api): Here,
    caller: Caller,
    At(mailbox): At<MailboxId>,
    key: Key,
    Sent { body, octets }: Sent<AliasNew>,
) -> Result<Made<shown::Alias>, Problem> {
    let (desk, acting) = (Arc::clone(&api.desk), caller.acting.clone());
    let make = async move { Ok((desk.create_alias(&acting, mailbox, &body.address).await?.id, ())) };
    let once = api.once(&caller, key.of(&octets), make).await?;
    let alias = one(&api, &caller, mailbox, once.id()).await?;
    let place = format!("/mailboxes/{mailbox}/aliases/{}", alias.id.0);
    Ok(Made::of(matches!(once, Once::Before(_)), place, alias))
}

/// Remove an alias
#[utoipa::path(delete, path = "/mailboxes/{mailbox}/aliases/{alias}", operation_id = "aliases.delete", tag = "aliases",
    params(("mailbox" = inline(words::MailboxId), Path), ("alias" = inline(words::AliasId), Path)),
    responses((status = 204, description = "Removed")))]
async fn delete(
    State(api): Here,
    caller: Caller,
    At((mailbox, alias)): At<(MailboxId, AliasId)>,
) -> Result<NoContent, Problem> {
    api.desk.delete_alias(&caller.acting, mailbox, alias).await?;
    Ok(NoContent)
}
