//! One's own pages: mailboxes and devices, account, what one did. They are of no organisation, so no role counts here.

mod account;
mod activity;
mod address;
mod browser;
mod code;
mod mailboxes;
mod password;
mod sessions;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use super::Pages;

/// What these handlers work with.
mod scope {
    pub(super) use axum::extract::{Path, State};
    pub(super) use axum::http::StatusCode;
    pub(super) use axum::response::Response;

    pub(super) use super::super::form::{Form, Sent, Typed};
    pub(super) use super::super::query::{Given, with_query};
    pub(super) use super::super::reply::Reply;
    pub(super) use super::super::visit::Person;
    pub(super) use super::super::{Here, Pages, cookies, reply, shown};
    pub(super) use super::{ACCOUNT, fresh, refused};
    pub(super) use crate::admin::console::view::form::problem;
    pub(super) use crate::admin::console::view::{Field, Frame, Place, done};
    pub(super) use crate::directory::Error;
    pub(super) use crate::secret::Secret;
}

use super::reply::Failed;
use super::visit::Person;
use crate::admin::console::view::{Frame, Place};
use crate::directory::Error;

/// The page that steps of one's account lead back to.
const ACCOUNT: &str = "/me/account";

/// One's own pages.
pub(super) fn routes() -> Router<Arc<Pages>> {
    Router::new()
        .route("/me", get(mailboxes::show))
        .route("/me/lost", get(mailboxes::show_lost).post(mailboxes::send_lost))
        .route("/me/activity", get(activity::show))
        .route("/me/account", get(account::show).post(account::send))
        .route("/me/account/address", get(address::show).post(address::send))
        .route(
            "/me/account/address/{link}",
            get(address::ask_confirm).post(address::send_confirm),
        )
        .route("/me/account/password", get(password::show).post(password::send))
        .route("/me/account/code", get(code::show).post(code::send))
        .route("/me/account/code/off", get(code::ask_off).post(code::send_off))
        .route("/me/account/recovery-codes", get(code::ask_new).post(code::send_new))
        .route(
            "/me/account/sessions/end-others",
            get(sessions::ask_end_others).post(sessions::send_end_others),
        )
        .route("/me/account/sessions/{session}/end", post(sessions::end))
}

/// Wants a fresh proof before a form is shown that could not be taken without one.
fn fresh(pages: &Pages, person: &Person) -> Result<(), Failed> {
    if pages.desk.is_fresh(&person.signed_in) {
        Ok(())
    } else {
        Err(person.failed(Error::StepUp))
    }
}

/// The frame of a form that comes back because it was not taken.
fn refused(person: &Person) -> Frame {
    Frame {
        is_refused: true,
        ..person.frame(Place::MyAccount)
    }
}
