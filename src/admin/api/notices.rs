//! `/organisation/notices`: which notices of devices are sent by mail.

use super::scope::*;
use crate::model::NoticesOff;

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(read, change))
}

/// Which notices of devices the organisation sends by mail. Invitations, links for a new password, and what changes
/// somebody's sign-in or access are always sent.
#[derive(Debug, Serialize, ToSchema)]
struct Notices {
    /// The kinds that are sent.
    on: Vec<words::NoticeKind>,
    /// The kinds that are switched off.
    off: Vec<words::NoticeKind>,
    /// To be given back with a change.
    revision: String,
}

/// A change of which notices are sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NoticesEdit {
    /// The kinds that are switched off from now on; all others are sent.
    #[schema(max_items = 3)]
    off: Vec<words::NoticeKind>,
    /// The revision that was seen.
    revision: String,
}

fn revision(off: NoticesOff) -> String {
    shown::revision(&off.iter().map(crate::model::NoticeKind::name).collect::<Vec<_>>())
}

fn shown_as(off: NoticesOff) -> Notices {
    let (off_kinds, on_kinds) = crate::model::NoticeKind::ALL
        .into_iter()
        .partition::<Vec<_>, _>(|kind| off.has(*kind));
    let words = |kinds: Vec<_>| kinds.into_iter().map(words::NoticeKind).collect();
    Notices {
        on: words(on_kinds),
        off: words(off_kinds),
        revision: revision(off),
    }
}

/// Which notices are sent
#[utoipa::path(get, path = "/organisation/notices", operation_id = "notice.read", tag = "organisation",
    responses((status = 200, description = "Which notices are sent", body = Notices)))]
async fn read(State(api): Here, caller: Caller) -> Reply<Notices> {
    Ok(Json(shown_as(api.desk.notices_off(&caller.acting).await?)))
}

/// Switch notices off and on
#[utoipa::path(put, path = "/organisation/notices", operation_id = "notice.change", tag = "organisation",
    request_body = NoticesEdit,
    responses((status = 200, description = "Which notices are sent from now on", body = Notices)))]
async fn change(State(api): Here, caller: Caller, Sent { body, .. }: Sent<NoticesEdit>) -> Reply<Notices> {
    let acting = &caller.acting;
    // Before anything is told of what is switched off.
    api.desk.check(acting, Operation::NoticeChange).await?;
    let seen = api.desk.notices_off(acting).await?;
    let to: NoticesOff = body.off.iter().map(|kind| kind.0).collect();
    // What was seen is not known, only that it was something else: the store says who changed it.
    let from = if body.revision == revision(seen) {
        seen
    } else {
        other_than(seen)
    };
    match api.desk.set_notices_off(acting, from, to).await {
        Ok(()) => Ok(Json(shown_as(to))),
        Err(error @ Error::Store(store::Error::Stale { .. })) => {
            let now = shown_as(api.desk.notices_off(acting).await?);
            Err(Problem::from(error).with_now(&now))
        }
        Err(error) => Err(error.into()),
    }
}

fn other_than(seen: NoticesOff) -> NoticesOff {
    let kind = crate::model::NoticeKind::DeviceAdded;
    seen.set(kind, !seen.has(kind))
}
