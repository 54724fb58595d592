//! `/mailboxes`: all of the organisation, and single ones.

use super::asked::bad_parameter;
use super::once::{Key, KeyHeader, Made, Once};
use super::scope::*;
use crate::model::{Address, MailboxId};
use crate::store::{MailboxQuery, Seq};

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read, delete))
        .routes(routes!(suspend))
        .routes(routes!(resume))
        .routes(routes!(activity))
}

/// The parameters of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Only those whose address contains this.
    #[param(nullable = false)]
    q: Option<String>,
    /// Only those of this mail domain.
    #[param(inline, nullable = false)]
    domain: Option<words::DomainId>,
    /// Only those that are suspended, or only those that are not.
    #[param(nullable = false)]
    suspended: Option<bool>,
    /// Only those that nobody can reach: without a device that is not revoked, and without a grant.
    #[param(nullable = false)]
    unreachable: Option<bool>,
    /// Entries of the page.
    #[param(minimum = 1, maximum = 200, default = 50, nullable = false)]
    limit: Option<u32>,
    /// `next` of the page before.
    #[param(nullable = false, pattern = "^[A-Za-z0-9_-]*$")]
    after: Option<String>,
}

/// A mailbox to be created.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MailboxNew {
    /// Its address, in one of the organisation's mail domains.
    #[schema(min_length = 3, max_length = 254, pattern = "^[^@]+@[^@]+$")]
    address: String,
}

/// A mailbox, and what a change of it ended.
#[derive(Debug, Serialize, ToSchema)]
struct MailboxChanged {
    mailbox: shown::Mailbox,
    /// What ended; null where that is still to come.
    #[schema(required = true)]
    ended: Option<Ended>,
}

/// What a deletion ended.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Deleted {
    /// What ended; null where that is still to come.
    #[schema(required = true)]
    pub(super) ended: Option<Ended>,
}

/// The mailboxes
///
/// By address. Needs a role that sees all of them; `/me/mailboxes` are those that were granted.
#[utoipa::path(get, path = "/mailboxes", operation_id = "mailboxes.list", tag = "mailboxes", params(Asked),
    responses((status = 200, description = "The mailboxes", body = List<shown::Mailbox>)))]
async fn list(State(api): Here, caller: Caller, Query(asked): Query<Asked>) -> Reply<List<shown::Mailbox>> {
    let paging = Paging::read(asked.limit, asked.after.as_deref())?;
    let after: Option<String> = paging.after()?;
    let after = after.map(|after| Address::parse(&after)).transpose();
    let query = MailboxQuery {
        domain: asked.domain.map(|domain| domain.0),
        text: asked.q.filter(|text| !text.is_empty()),
        suspended: asked.suspended,
        unreachable: asked.unreachable.unwrap_or_default(),
        after: after.map_err(|_| bad_parameter("after", "this is no place in this list"))?,
        limit: paging.limit,
    };
    let page = api.desk.mailboxes(&caller.acting, &query).await?;
    let items = page.rows.into_iter().map(shown::Mailbox::from).collect();
    Ok(Json(Paging::page(items, page.next.as_ref())))
}

async fn one(api: &Api, caller: &Caller, id: MailboxId) -> Result<shown::Mailbox, Problem> {
    Ok(api.desk.mailbox(&caller.acting, id).await?.into())
}

/// One mailbox
#[utoipa::path(get, path = "/mailboxes/{mailbox}", operation_id = "mailboxes.read", tag = "mailboxes",
    params(("mailbox" = inline(words::MailboxId), Path)),
    responses((status = 200, description = "The mailbox", body = shown::Mailbox)))]
async fn read(State(api): Here, caller: Caller, At(id): At<MailboxId>) -> Reply<shown::Mailbox> {
    Ok(Json(one(&api, &caller, id).await?))
}

/// Create a mailbox
///
/// Nobody can read it until somebody is granted access or a device is added.
#[utoipa::path(post, path = "/mailboxes", operation_id = "mailboxes.create", tag = "mailboxes", params(KeyHeader),
    request_body = MailboxNew, responses((status = 201, description = "Created", body = shown::Mailbox)))]
async fn create(
    State(api): Here,
    caller: Caller,
    key: Key,
    Sent { body, octets }: Sent<MailboxNew>,
) -> Result<Made<shown::Mailbox>, Problem> {
    let (desk, acting) = (Arc::clone(&api.desk), caller.acting.clone());
    let make = async move { Ok((desk.create_mailbox(&acting, &body.address).await?.id, ())) };
    let once = api.once(&caller, key.of(&octets), make).await?;
    let mailbox = one(&api, &caller, once.id()).await?;
    let place = format!("/mailboxes/{}", mailbox.id.0);
    Ok(Made::of(matches!(once, Once::Before(_)), place, mailbox))
}

async fn changed(
    api: &Api,
    caller: &Caller,
    id: MailboxId,
    before: crate::admin::applied::Before,
    seq: Seq,
) -> Reply<MailboxChanged> {
    let ended = api.applied(before, seq).await;
    let mailbox = one(api, caller, id).await?;
    Ok(Json(MailboxChanged { mailbox, ended }))
}

/// Suspend a mailbox
///
/// Every sign-in to it is refused, and its sessions end. Nothing changes where it is suspended already.
#[utoipa::path(post, path = "/mailboxes/{mailbox}/suspend", operation_id = "mailboxes.suspend", tag = "mailboxes",
    params(("mailbox" = inline(words::MailboxId), Path)),
    responses((status = 200, description = "Suspended", body = MailboxChanged)))]
async fn suspend(State(api): Here, caller: Caller, At(id): At<MailboxId>) -> Reply<MailboxChanged> {
    let before = api.before_change();
    let seq = api.desk.suspend_mailbox(&caller.acting, id).await?;
    changed(&api, &caller, id, before, seq).await
}

/// Resume a suspended mailbox
#[utoipa::path(post, path = "/mailboxes/{mailbox}/resume", operation_id = "mailboxes.resume", tag = "mailboxes",
    params(("mailbox" = inline(words::MailboxId), Path)),
    responses((status = 200, description = "Resumed", body = MailboxChanged)))]
async fn resume(State(api): Here, caller: Caller, At(id): At<MailboxId>) -> Reply<MailboxChanged> {
    let before = api.before_change();
    let seq = api.desk.resume_mailbox(&caller.acting, id).await?;
    changed(&api, &caller, id, before, seq).await
}

/// Delete a mailbox
///
/// With its devices and aliases, for good. What lies in the mail store stays there.
#[utoipa::path(delete, path = "/mailboxes/{mailbox}", operation_id = "mailboxes.delete", tag = "mailboxes",
    params(("mailbox" = inline(words::MailboxId), Path)),
    responses((status = 200, description = "Deleted", body = Deleted)))]
async fn delete(State(api): Here, caller: Caller, At(id): At<MailboxId>) -> Reply<Deleted> {
    let before = api.before_change();
    let seq = api.desk.delete_mailbox(&caller.acting, id).await?;
    let ended = api.applied(before, seq).await;
    Ok(Json(Deleted { ended }))
}

/// What was done to a mailbox
///
/// The newest first. Whoever has access to a mailbox sees what others did to it.
#[utoipa::path(get, path = "/mailboxes/{mailbox}/activity", operation_id = "mailboxes.activity", tag = "mailboxes",
    params(("mailbox" = inline(words::MailboxId), Path), Pages),
    responses((status = 200, description = "Entries of the audit log", body = List<shown::Entry>)))]
async fn activity(
    State(api): Here,
    caller: Caller,
    At(id): At<MailboxId>,
    Query(asked): Query<Pages>,
) -> Reply<List<shown::Entry>> {
    let paging = Paging::read(asked.limit, asked.after.as_deref())?;
    let before: Option<i64> = paging.after()?;
    let page = api
        .desk
        .mailbox_activity(&caller.acting, id, before, paging.limit)
        .await?;
    let items = page.rows.into_iter().map(shown::Entry::from).collect();
    Ok(Json(Paging::page(items, page.next.as_ref())))
}
