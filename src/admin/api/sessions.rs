//! `/sessions`: live mail sessions.

use super::scope::*;
use crate::admin::lists::session_matches;
use crate::revoke::SessionId;

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(read, end))
}

/// The parameters of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Only those with this in mailbox, device or mail program, or from this address.
    #[param(nullable = false)]
    q: Option<String>,
    /// Only those of this mailbox.
    #[param(inline, nullable = false)]
    mailbox: Option<words::MailboxId>,
    /// Only those of this device.
    #[param(inline, nullable = false)]
    device: Option<words::DeviceId>,
    /// Entries of the page.
    #[param(minimum = 1, maximum = 200, default = 50, nullable = false)]
    limit: Option<u32>,
    /// `next` of the page before.
    #[param(nullable = false, pattern = "^[A-Za-z0-9_-]*$")]
    after: Option<String>,
}

/// Live mail sessions.
#[derive(Debug, Serialize, ToSchema)]
struct Sessions {
    /// The entries, the oldest first.
    items: Vec<shown::Session>,
    /// What to give as `after` for the next page; null where this is the last.
    #[schema(required = true)]
    next: Option<String>,
    /// How many there are on all pages.
    total: usize,
}

/// Who is connected
///
/// The oldest first, as far as the token may see them.
#[utoipa::path(get, path = "/sessions", operation_id = "sessions.list", tag = "sessions", params(Asked),
    responses((status = 200, description = "The sessions", body = Sessions)))]
async fn list(State(api): Here, caller: Caller, Query(asked): Query<Asked>) -> Reply<Sessions> {
    let paging = Paging::read(asked.limit, asked.after.as_deref())?;
    let mailbox = asked.mailbox.map(|mailbox| mailbox.0);
    let mut sessions = api.desk.live_sessions(&caller.acting, mailbox).await?;
    if let Some(device) = asked.device {
        sessions.retain(|session| session.info.device == device.0);
    }
    if let Some(text) = asked.q.filter(|text| !text.is_empty()) {
        let text = text.to_lowercase();
        sessions.retain(|session| session_matches(session, &text));
    }
    let total = sessions.len();
    let page = paging.cut(sessions, |session| session.id.0)?.map(shown::Session::from);
    Ok(Json(Sessions {
        items: page.items,
        next: page.next,
        total,
    }))
}

/// One live mail session
#[utoipa::path(get, path = "/sessions/{session}", operation_id = "sessions.read", tag = "sessions",
    params(("session" = u64, Path, description = "The number of a session.")),
    responses((status = 200, description = "The session", body = shown::Session)))]
async fn read(State(api): Here, caller: Caller, At(id): At<SessionId>) -> Reply<shown::Session> {
    let sessions = api.desk.live_sessions(&caller.acting, None).await?;
    let found = sessions.into_iter().find(|session| session.id == id);
    Ok(Json(found.ok_or_else(|| Problem::unknown("session"))?.into()))
}

/// End a live mail session
///
/// Its device may sign in again: pause or revoke the device to keep it out.
#[utoipa::path(delete, path = "/sessions/{session}", operation_id = "sessions.end", tag = "sessions",
    params(("session" = u64, Path, description = "The number of a session.")),
    responses((status = 200, description = "The session as it was", body = shown::Session)))]
async fn end(State(api): Here, caller: Caller, At(id): At<SessionId>) -> Reply<shown::Session> {
    let session = api.desk.end_live_session(&caller.acting, id).await?;
    Ok(Json(session.into()))
}
