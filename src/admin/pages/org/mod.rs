//! Everything under `/o/{org}` but the settings: overview, mailboxes, people, invitations, devices, live sessions, activity,
//! mail domains, search, and the stream that keeps open pages true.
//!
//! Handlers here are thin: they read what was asked (`asked`), ask the desk, and fill a page from what it gives (`rows`,
//! `list`, `form`). Who may do what is the desk's to say; a page only asks it what to show.

mod access;
mod activity;
mod aliases;
mod asked;
mod device_add;
mod device_edit;
mod device_end;
mod devices;
mod domains;
mod export;
mod first;
mod form;
mod invitations;
mod list;
mod live;
mod mailbox;
mod mailbox_end;
mod mailboxes;
mod overview;
mod people;
mod rows;
mod search;
mod sessions;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;

use super::query::with_query;
use super::{Inside, Pages, reply};
use crate::admin::console::view::Flash;
use crate::admin::console::view::done::Ended;
use crate::store::Seq;

/// Rows of one page of a list.
const ROWS: u32 = 50;

/// How long a page waits for a change to be applied before it says that it does not know.
const APPLY_TIME: Duration = Duration::from_secs(5);

/// A device that was not used for so long is shown as silent.
const SILENT: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// What happens sooner than this is shown as near.
const SOON: Duration = Duration::from_secs(14 * 24 * 60 * 60);

pub(super) fn routes() -> Router<Arc<Pages>> {
    Router::new()
        .merge(overview::routes())
        .merge(mailboxes::routes())
        .merge(mailbox::routes())
        .merge(mailbox_end::routes())
        .merge(aliases::routes())
        .merge(people::routes())
        .merge(access::routes())
        .merge(invitations::routes())
        .merge(devices::routes())
        .merge(device_add::routes())
        .merge(device_edit::routes())
        .merge(device_end::routes())
        .merge(sessions::routes())
        .merge(activity::routes())
        .merge(export::routes())
        .merge(domains::routes())
        .merge(search::routes())
        .merge(live::routes())
}

/// Goes on to a page, which says once what was done.
fn done(pages: &Pages, inside: &Inside, path: &str, flash: Flash) -> Response {
    pages.flashes.leave(inside.person.signed_in.session.id, flash, pages.clock.now());
    reply::to(path)
}

/// A form that cannot be taken, filled as it was sent.
fn refused(template: &impl Template) -> Response {
    reply::with_status(StatusCode::UNPROCESSABLE_ENTITY, template)
}

/// Waits until the changes after `since` up to `last` are applied, and says what that ended, and how fast.
async fn applied(pages: &Pages, since: Seq, last: Seq) -> Ended {
    let asked = pages.clock.now();
    pages.tail.wake();
    match tokio::time::timeout(APPLY_TIME, pages.tail.applied_between(since, last)).await {
        Ok(applied) => {
            let took = pages.clock.now().saturating_duration_since(asked);
            Ended::Sessions {
                count: u64::try_from(applied.sessions_ended).unwrap_or(u64::MAX),
                milliseconds: u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1),
            }
        }
        Err(_) => Ended::Unconfirmed,
    }
}

/// Where the proof is too old for what a form is about: the way to a fresh one, and back to the same form.
fn prove_first(pages: &Pages, inside: &Inside) -> Option<Response> {
    let is_fresh = pages.desk.is_fresh(&inside.person.signed_in);
    (!is_fresh).then(|| prove_again(inside.person.path()))
}

/// The way to a fresh proof and back to this path.
fn prove_again(path: &str) -> Response {
    reply::to(&with_query("/step-up", &[("next", path)]))
}
