//! `/domains`: mail domains of the organisation.

use super::once::{Key, KeyHeader, Made, Once};
use super::scope::*;
use crate::model::{DomainId, MailDomain};

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read, delete))
        .routes(routes!(records))
        .routes(routes!(check))
}

/// A mail domain to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DomainNew {
    /// Its name, such as `example.org`.
    #[schema(min_length = 3, max_length = 255, pattern = "^[^.@]+([.][^.@]+)+$")]
    name: String,
}

/// The mail domains
///
/// By their ids.
#[utoipa::path(get, path = "/domains", operation_id = "domains.list", tag = "domains", params(Pages),
    responses((status = 200, description = "The mail domains", body = List<shown::Domain>)))]
async fn list(State(api): Here, caller: Caller, Query(asked): Query<Pages>) -> Reply<List<shown::Domain>> {
    let paging = asked.read()?;
    let domains = api.desk.domains(&caller.acting).await?;
    let counts = api.desk.mailboxes_by_domain(&caller.acting).await?;
    let page = paging.cut(domains, |domain| domain.id)?;
    let count = |id| counts.get(&id).copied().unwrap_or_default();
    Ok(Json(page.map(|domain| shown::Domain::new(&domain, count(domain.id)))))
}

async fn one(api: &Api, caller: &Caller, id: DomainId) -> Result<shown::Domain, Problem> {
    let domains = api.desk.domains(&caller.acting).await?;
    let counts = api.desk.mailboxes_by_domain(&caller.acting).await?;
    let domain = domains.iter().find(|domain| domain.id == id);
    let domain = domain.ok_or_else(|| Problem::unknown("mail domain"))?;
    Ok(shown::Domain::new(domain, counts.get(&id).copied().unwrap_or_default()))
}

/// One mail domain
#[utoipa::path(get, path = "/domains/{domain}", operation_id = "domains.read", tag = "domains",
    params(("domain" = inline(words::DomainId), Path)),
    responses((status = 200, description = "The mail domain", body = shown::Domain)))]
async fn read(State(api): Here, caller: Caller, At(id): At<DomainId>) -> Reply<shown::Domain> {
    Ok(Json(one(&api, &caller, id).await?))
}

async fn found(api: &Api, caller: &Caller, id: DomainId) -> Result<MailDomain, Problem> {
    let domains = api.desk.domains(&caller.acting).await?;
    let domain = domains.into_iter().find(|domain| domain.id == id);
    domain.ok_or_else(|| Problem::unknown("mail domain"))
}

/// The DNS records of a mail domain
///
/// What mail programs look for, and what was found when somebody last asked; this does not ask.
#[utoipa::path(get, path = "/domains/{domain}/records", operation_id = "domains.records", tag = "domains",
    params(("domain" = inline(words::DomainId), Path)),
    responses((status = 200, description = "The records", body = shown::DomainRecords)))]
async fn records(State(api): Here, caller: Caller, At(id): At<DomainId>) -> Reply<shown::DomainRecords> {
    let domain = found(&api, &caller, id).await?;
    Ok(Json(shown::DomainRecords::new(&api.records, &domain)))
}

/// Ask the DNS about the records of a mail domain
///
/// It takes up to 12 seconds, and nothing is changed. An organisation can ask ten times a minute.
#[utoipa::path(post, path = "/domains/{domain}/records/check", operation_id = "domains.check", tag = "domains",
    params(("domain" = inline(words::DomainId), Path)),
    responses((status = 200, description = "The records, and what was found", body = shown::DomainRecords)))]
async fn check(State(api): Here, caller: Caller, At(id): At<DomainId>) -> Reply<shown::DomainRecords> {
    let domain = found(&api, &caller, id).await?;
    api.records.look(&domain).await?;
    Ok(Json(shown::DomainRecords::new(&api.records, &domain)))
}

/// Add a mail domain
///
/// Mailboxes can be created in it at once. Whether mail for it arrives is for its DNS records to say.
#[utoipa::path(post, path = "/domains", operation_id = "domains.create", tag = "domains", params(KeyHeader),
    request_body = DomainNew, responses((status = 201, description = "Added", body = shown::Domain)))]
async fn create(
    State(api): Here,
    caller: Caller,
    key: Key,
    Sent { body, octets }: Sent<DomainNew>,
) -> Result<Made<shown::Domain>, Problem> {
    let (desk, acting) = (Arc::clone(&api.desk), caller.acting.clone());
    let make = async move { Ok((desk.create_domain(&acting, &body.name).await?.id, ())) };
    let once = api.once(&caller, key.of(&octets), make).await?;
    let place = |domain: &shown::Domain| format!("/domains/{}", domain.id.0);
    let domain = one(&api, &caller, once.id()).await?;
    Ok(Made::of(matches!(once, Once::Before(_)), place(&domain), domain))
}

/// Remove a mail domain
///
/// It must have no mailboxes and aliases.
#[utoipa::path(delete, path = "/domains/{domain}", operation_id = "domains.delete", tag = "domains",
    params(("domain" = inline(words::DomainId), Path)),
    responses((status = 204, description = "Removed")))]
async fn delete(State(api): Here, caller: Caller, At(id): At<DomainId>) -> Result<NoContent, Problem> {
    api.desk.delete_domain(&caller.acting, id).await?;
    Ok(NoContent)
}
