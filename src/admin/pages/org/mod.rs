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
mod device_link;
mod device_name;
mod device_test;
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

/// What these handlers work with.
mod scope {
    pub(super) use std::sync::Arc;

    pub(super) use axum::Router;
    pub(super) use axum::extract::State;
    pub(super) use axum::response::Response;
    pub(super) use axum::routing::{get, post};

    pub(super) use super::super::form::{Form, Sent, Typed};
    pub(super) use super::super::query::with_query;
    pub(super) use super::super::reply::{self, Reply};
    pub(super) use super::super::visit::Inside;
    pub(super) use super::super::{Here, Pages, shown};
    pub(super) use super::asked::{Asked, There};
    pub(super) use super::list::{ListQuery, total};
    pub(super) use super::{ROWS, form, prove_again, prove_first, refused, rows};
    pub(super) use crate::admin::console::text::Line;
    pub(super) use crate::admin::console::view::form::problem;
    pub(super) use crate::admin::console::view::{Field, Frame, Listing, Place, done};
    pub(super) use crate::clock::Timestamp;
    pub(super) use crate::directory::Error;
    pub(super) use crate::directory::rights::Operation;
    pub(super) use crate::store;
}

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;

use super::query::with_query;
use super::visit::Inside;
use super::{Pages, reply};

/// Rows of one page of a list.
const ROWS: u32 = 50;

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
        .merge(device_test::routes())
        .merge(device_link::routes())
        .merge(sessions::routes())
        .merge(activity::routes())
        .merge(export::routes())
        .merge(domains::routes())
        .merge(search::routes())
        .merge(live::routes())
}

/// A form that cannot be taken, filled as it was sent.
fn refused(template: &impl Template) -> Response {
    reply::with_status(StatusCode::UNPROCESSABLE_ENTITY, template)
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
