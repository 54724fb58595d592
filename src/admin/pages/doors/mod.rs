//! Doors: how people come in, and prove again that it is they.
//!
//! Signing in and out, the links from mails, the set-up of the first owner, and the step-up. Each answers to whoever asks;
//! where somebody is led afterwards is a path of ours and nothing else.

mod device_link;
mod invitation;
mod password;
mod set_up;
mod sign_in;
mod step_up;

use std::sync::Arc;

use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Router, middleware};

use super::visit::{Anyone, keep_language};
use super::{Pages, cookies, reply};
use crate::admin::console::text::Line;
use crate::admin::console::view::done::{password_reset, session_over, sign_in_throttled, signed_out_here};
use crate::admin::console::view::{Flash, Frame};
use crate::directory::Error;
use crate::directory::desk::{Opened, Visit};

/// What these handlers work with.
mod scope {
    pub(super) use axum::extract::{Path, State};
    pub(super) use axum::http::StatusCode;
    pub(super) use axum::response::{IntoResponse as _, Response};

    pub(super) use super::super::form::{Form, Sent, Typed};
    pub(super) use super::super::query::{Given, next_of, onward, with_query};
    pub(super) use super::super::visit::{Anyone, Guest, Person};
    pub(super) use super::super::{Here, Pages, cookies, reply, shown};
    pub(super) use crate::admin::console::text::Line;
    pub(super) use crate::admin::console::view::form::problem;
    pub(super) use crate::admin::console::view::{Field, Frame};
    pub(super) use crate::directory::Error;
    pub(super) use crate::secret::Secret;
}

/// The doors.
pub(super) fn routes(pages: &Arc<Pages>) -> Router<Arc<Pages>> {
    Router::new()
        .route("/sign-in", get(sign_in::show).post(sign_in::send))
        .route("/sign-in/code", get(sign_in::show_code).post(sign_in::send_code))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/forgot", get(password::show_forgot).post(password::send_forgot))
        .route("/reset/{token}", get(password::show_reset).post(password::send_reset))
        .route("/set-up/{token}", get(set_up::show).post(set_up::send))
        .route("/invitation/{token}", get(invitation::show).post(invitation::send))
        .route("/invitation/{token}/decline", get(invitation::ask_decline))
        .route("/s/{token}", get(device_link::show).post(device_link::send))
        .route("/s/{token}/profile/{file}", get(device_link::file))
        .route("/step-up", get(step_up::show).post(step_up::send))
        .layer(middleware::from_fn_with_state(Arc::clone(pages), keep_language))
}

/// What the sign-in page says first, as a link of ours asks for by a word.
fn told(done: &str) -> Option<Flash> {
    match done {
        "over" => Some(session_over()),
        "reset" => Some(password_reset()),
        "signed-out" => Some(signed_out_here()),
        "known" => Some(Flash::done(Line::new("sign-in-known"))),
        _ => None,
    }
}

/// The frame of a page that comes back with a form which was not taken.
fn refused(frame: Frame) -> Frame {
    Frame {
        is_refused: true,
        ..frame
    }
}

/// Too many tries: the status, and when the next one can be made.
fn throttled(error: &Error, frame: &Frame) -> Option<(StatusCode, Line)> {
    match error {
        Error::TooManyTries { wait } => {
            let again_at = frame.text.now.plus(*wait);
            Some((StatusCode::TOO_MANY_REQUESTS, sign_in_throttled(again_at)))
        }
        _ => None,
    }
}

impl Pages {
    /// Leaves a message for the first page of a session that has just been opened.
    async fn greet(&self, anyone: &Anyone, opened: &Opened, flash: Flash) {
        let cookie = opened.session.shown();
        let visit = self.desk.visit(&anyone.guest.visitor, Some(cookie.expose())).await;
        if let Ok(Visit::SignedIn(signed_in)) = visit {
            self.flashes.leave(signed_in.session.id, flash, self.clock.now());
        }
    }

    /// Ends the session that this browser had before another one took its cookie: nobody would ever end it.
    async fn leave_old(&self, anyone: &Anyone) {
        let left = match (&anyone.person, &anyone.guest.session) {
            (Some(person), _) => self.desk.sign_out(&person.signed_in).await,
            (None, Some(cookie)) if anyone.is_half => self.desk.leave_half(&anyone.guest.visitor, cookie).await,
            _ => return,
        };
        if let Err(error) = left {
            // It ends by itself.
            tracing::warn!(%error, "a console session that was left was not ended");
        }
    }

    /// Leads somebody on whose session has just been opened.
    fn let_in(&self, opened: &Opened, path: &str) -> axum::response::Response {
        cookies::opened(reply::to(path), &self.origin, opened)
    }
}
