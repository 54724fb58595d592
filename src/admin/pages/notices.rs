//! `/o/{org}/settings/notices`: which notices of devices are sent by mail.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;

use super::form::{Form, Sent, Typed};
use super::reply::{self, Reply};
use super::visit::Inside;
use super::{Here, Pages, shown};
use crate::admin::console::text::Line;
use crate::admin::console::view::error::{Conflict, Difference};
use crate::admin::console::view::settings::notice_name;
use crate::admin::console::view::{Frame, Place, Ticks, done};
use crate::clock::Timestamp;
use crate::directory::Error;
use crate::model::{NoticeKind, NoticesOff};
use crate::store;

pub(super) fn routes() -> Router<Arc<Pages>> {
    Router::new().route("/o/{org}/settings/notices", get(above).post(send))
}

/// The kinds that are ticked, and which ones were when the page was made.
struct NoticesForm {
    notices: Vec<String>,
    revision: String,
}

impl Form for NoticesForm {
    fn read(sent: &mut Sent) -> Self {
        Self {
            notices: sent.all("notices"),
            revision: sent.text("revision"),
        }
    }
}

/// They are a part of the settings.
async fn above(inside: Inside) -> Response {
    reply::to(&inside.at("settings"))
}

/// The boxes as they are ticked, and what the form has seen.
pub(super) fn ticks(off: NoticesOff) -> (Ticks, String) {
    let on = NoticeKind::ALL.into_iter().filter(|kind| !off.has(*kind));
    (Ticks::of(on), words(off))
}

fn words(off: NoticesOff) -> String {
    off.iter().map(NoticeKind::name).collect::<Vec<_>>().join(" ")
}

async fn send(State(pages): Here, inside: Inside, Typed(form): Typed<NoticesForm>) -> Reply {
    let acting = &inside.acting;
    let from: NoticesOff = form.revision.split(' ').filter_map(NoticeKind::from_name).collect();
    let is_off = |kind: &NoticeKind| !form.notices.iter().any(|ticked| ticked == kind.name());
    let to: NoticesOff = NoticeKind::ALL.into_iter().filter(is_off).collect();
    match pages.desk.set_notices_off(acting, from, to).await {
        Ok(()) => {
            let flash = if from == to { done::unchanged() } else { done::saved() };
            Ok(reply::done(&pages, &inside.person, flash, &inside.at("settings")))
        }
        Err(Error::Store(store::Error::Stale { by, at })) => {
            let now = pages.desk.notices_off(acting).await;
            let now = now.map_err(|error| inside.failed(error))?;
            let page = conflict(&inside, (now, to), &by, at);
            Ok(reply::with_status(StatusCode::CONFLICT, &page))
        }
        Err(error) => Err(inside.failed(error)),
    }
}

fn conflict(inside: &Inside, (theirs, mine): (NoticesOff, NoticesOff), by: &str, at: Timestamp) -> Conflict {
    let frame = inside.frame(Place::Settings);
    let (ticked, revision) = (ticks(mine).0, words(theirs));
    let fields = ticked.values.into_iter().map(|kind| ("notices".to_owned(), kind));
    Conflict {
        what: frame.say("notices-title").plain(),
        who: shown::actor(by).to_owned(),
        at,
        differences: vec![Difference {
            label: Line::new("notices-on"),
            theirs: in_words(&frame, theirs),
            mine: in_words(&frame, mine),
        }],
        action: inside.at("settings/notices"),
        fields: fields.chain([("revision".to_owned(), revision)]).collect(),
        theirs: inside.at("settings"),
        frame,
    }
}

fn in_words(frame: &Frame, off: NoticesOff) -> String {
    let on = NoticeKind::ALL.into_iter().filter(|kind| !off.has(*kind));
    let names: Vec<_> = on.map(|kind| frame.say(notice_name(&kind)).plain()).collect();
    names.join(", ")
}
