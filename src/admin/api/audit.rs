//! `/audit`: who did what, as pages, as single entries, and as a file.

use async_trait::async_trait;
use axum::response::Response;

use super::caller::Again;
use super::scope::*;
use crate::admin::export::{self, Reader};
use crate::directory::desk::{Acting, Desk};
use crate::directory::export::Shape;
use crate::store::AuditFilter;

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(csv_file))
        .routes(routes!(json_lines))
        .routes(routes!(read))
}

/// What the log is narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Narrowed {
    /// Only what this actor did: `user:` and an address, `token:` and a name, `cli:` and a name, or `daemon`.
    #[param(nullable = false)]
    who: Option<String>,
    /// Only what was done to something whose id, name or address contains this.
    #[param(nullable = false)]
    subject: Option<String>,
    /// Only actions that begin with this, such as `device.`
    #[param(nullable = false)]
    action: Option<String>,
    /// Only what concerns this mailbox.
    #[param(inline, nullable = false)]
    mailbox: Option<words::MailboxId>,
    /// Only what was done at this moment or later.
    #[param(inline, nullable = false)]
    since: Option<words::Moment>,
    /// Only what was done before this moment.
    #[param(inline, nullable = false)]
    until: Option<words::Moment>,
}

/// The parameters of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Only what this actor did: `user:` and an address, `token:` and a name, `cli:` and a name, or `daemon`.
    #[param(nullable = false)]
    who: Option<String>,
    /// Only what was done to something whose id, name or address contains this.
    #[param(nullable = false)]
    subject: Option<String>,
    /// Only actions that begin with this, such as `device.`
    #[param(nullable = false)]
    action: Option<String>,
    /// Only what concerns this mailbox.
    #[param(inline, nullable = false)]
    mailbox: Option<words::MailboxId>,
    /// Only what was done at this moment or later.
    #[param(inline, nullable = false)]
    since: Option<words::Moment>,
    /// Only what was done before this moment.
    #[param(inline, nullable = false)]
    until: Option<words::Moment>,
    /// Entries of the page.
    #[param(minimum = 1, maximum = 200, default = 50, nullable = false)]
    limit: Option<u32>,
    /// `next` of the page before.
    #[param(nullable = false, pattern = "^[A-Za-z0-9_-]*$")]
    after: Option<String>,
}

impl Narrowed {
    fn filter(self) -> AuditFilter {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        AuditFilter {
            who: given(self.who),
            subject: given(self.subject),
            action: given(self.action),
            mailbox: self.mailbox.map(|mailbox| mailbox.0),
            since: self.since.map(|at| at.0),
            until: self.until.map(|at| at.0),
            ..AuditFilter::default()
        }
    }
}

/// The audit log
///
/// The newest first. A page looks at a bounded number of entries: one that is empty, or short, is the last only where
/// `next` is null.
#[utoipa::path(get, path = "/audit", operation_id = "audit.list", tag = "audit", params(Asked),
    responses((status = 200, description = "Entries", body = List<shown::Entry>)))]
async fn list(State(api): Here, caller: Caller, Query(asked): Query<Asked>) -> Reply<List<shown::Entry>> {
    let paging = Paging::read(asked.limit, asked.after.as_deref())?;
    let narrowed = Narrowed {
        who: asked.who,
        subject: asked.subject,
        action: asked.action,
        mailbox: asked.mailbox,
        since: asked.since,
        until: asked.until,
    };
    let filter = AuditFilter {
        before: paging.after()?,
        limit: paging.limit,
        ..narrowed.filter()
    };
    let page = api.desk.activity(&caller.acting, filter).await?;
    let items = page.rows.into_iter().map(shown::Entry::from).collect();
    Ok(Json(Paging::page(items, page.next.as_ref())))
}

/// One entry of the audit log
///
/// Whoever has access to a mailbox may read what concerns it.
#[utoipa::path(get, path = "/audit/{number}", operation_id = "audit.read", tag = "audit",
    params(("number" = i64, Path, description = "The number of an entry.")),
    responses((status = 200, description = "The entry", body = shown::Entry)))]
async fn read(State(api): Here, caller: Caller, At(number): At<i64>) -> Reply<shown::Entry> {
    let row = api.desk.activity_entry(&caller.acting, number).await?;
    Ok(Json(row.into()))
}

/// The audit log as CSV
///
/// All entries, the newest first, with a head line (RFC 4180). Fields that a spreadsheet would take for a formula begin
/// with an apostrophe. A file that breaks off is not whole.
#[utoipa::path(get, path = "/audit/export.csv", operation_id = "audit.export-csv", tag = "audit", params(Narrowed),
    responses((status = 200, description = "The file", body = String, content_type = "text/csv")))]
async fn csv_file(State(api): Here, caller: Caller, Query(asked): Query<Narrowed>) -> Result<Response, Problem> {
    file(&api, &caller, asked, Shape::Csv).await
}

/// The audit log as JSON lines
///
/// All entries, the newest first, one in each line. A file that breaks off is not whole.
#[utoipa::path(get, path = "/audit/export.jsonl", operation_id = "audit.export-jsonl", tag = "audit", params(Narrowed),
    responses((status = 200, description = "The file", body = String, content_type = "application/x-ndjson")))]
async fn json_lines(State(api): Here, caller: Caller, Query(asked): Query<Narrowed>) -> Result<Response, Problem> {
    file(&api, &caller, asked, Shape::JsonLines).await
}

async fn file(api: &Api, caller: &Caller, asked: Narrowed, shape: Shape) -> Result<Response, Problem> {
    let reader = Box::new(Holder {
        desk: Arc::clone(&api.desk),
        again: caller.again(),
    });
    let (desk, now) = (Arc::clone(&api.desk), api.clock.utc());
    Ok(export::file(desk, &caller.acting, reader, asked.filter(), shape, now).await?)
}

/// Somebody with a token.
struct Holder {
    desk: Arc<Desk>,
    again: Again,
}

#[async_trait]
impl Reader for Holder {
    async fn again(&self) -> Result<Acting, Error> {
        let Again { visitor, token } = &self.again;
        self.desk.acting_by_token(visitor, token.expose()).await
    }
}
