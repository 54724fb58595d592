//! From pages and errors to answers.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use super::Pages;
use super::query::with_query;
use super::visit::{Guest, Person};
use crate::admin::console::text::Line;
use crate::admin::console::view::done::forbidden;
use crate::admin::console::view::error::{ErrorDoor, ErrorPage, Fault};
use crate::admin::console::view::{Flash, Frame};
use crate::directory::Error;
use crate::directory::desk::{Because, Forbidden};
use crate::directory::rights::Operation;
use crate::model::{Address, Role};
use crate::store;

/// What a handler gives.
pub(super) type Reply = Result<Response, Failed>;

/// Why something was not done, and for whom the page is.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) frame: Box<Frame>,
    /// Why.
    pub(super) error: Error,
    pub(super) path: String,
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        failed(&self.frame, &self.error, &self.path)
    }
}

/// A page.
pub(super) fn page(template: &impl Template) -> Response {
    with_status(StatusCode::OK, template)
}

/// A page with another status than 200.
pub(super) fn with_status(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(error = %error, "a page could not be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Goes on with a GET of a path of ours.
pub(super) fn to(path: &str) -> Response {
    let place = HeaderValue::from_str(path).unwrap_or_else(|_| HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()
}

/// Something was done: says so on the page that comes next (303).
pub(super) fn done(pages: &Pages, person: &Person, flash: Flash, path: &str) -> Response {
    pages
        .flashes
        .leave(person.signed_in.session.id, flash, pages.clock.now());
    to(path)
}

/// An error for somebody who is signed in.
pub(super) fn failed(frame: &Frame, error: &Error, path: &str) -> Response {
    match error {
        Error::SignedOut => return to("/sign-in"),
        Error::StepUp => return to(&with_query("/step-up", &[("next", path)])),
        _ => {}
    }
    let fault = fault_of(error, frame);
    let status = status_of(&fault);
    let page = ErrorPage {
        frame: frame.clone(),
        fault,
    };
    with_status(status, &page)
}

/// An error for somebody who is not.
pub(super) fn door_failed(guest: &Guest, error: &Error) -> Response {
    if matches!(error, Error::SignedOut) {
        return to("/sign-in");
    }
    let fault = fault_of(error, &guest.frame());
    door_fault(guest, fault)
}

/// A fault for somebody who is not signed in.
pub(super) fn door_fault(guest: &Guest, fault: Fault) -> Response {
    let page = ErrorDoor {
        frame: guest.frame(),
        fault,
    };
    with_status(status_of(&page.fault), &page)
}

fn status_of(fault: &Fault) -> StatusCode {
    StatusCode::from_u16(fault.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The page for an error that no form has a place for.
fn fault_of(error: &Error, frame: &Frame) -> Fault {
    match error {
        Error::Forbidden(forbidden) => Fault::Forbidden {
            what: what(forbidden, frame),
            who_can: forbidden.who_can.clone(),
        },
        Error::TooManyTries { wait } | Error::TooSoon { wait } => Fault::TooMany {
            again_at: frame.text.now.plus(*wait),
        },
        Error::DeadLink => Fault::Gone,
        Error::Busy(_) => Fault::Unavailable,
        // Where the database lies, and what is wrong with it, is for the log: whoever asked learns that it is not theirs to
        // mend, and to try again.
        Error::Store(store::Error::Unavailable { .. }) => {
            tracing::error!(error = %error, "a request failed: the store did not answer");
            Fault::Unavailable
        }
        Error::Unknown { .. }
        | Error::UnknownAlias { .. }
        | Error::UnknownDevice { .. }
        | Error::UnknownDomain { .. }
        | Error::UnknownMailbox { .. }
        | Error::UnknownOrg { .. }
        | Error::UnknownUser { .. }
        | Error::Store(store::Error::NotFound(_)) => Fault::NotFound,
        Error::Keys(_)
        | Error::Totp(_)
        | Error::Store(store::Error::NewerSchema { .. } | store::Error::AlteredMigration { .. }) => {
            tracing::error!(error = %error, "a request failed");
            Fault::Internal {
                reference: error.key().to_owned(),
            }
        }
        _ => Fault::BadRequest,
    }
}

/// What may not be done, in words.
fn what(of: &Forbidden, frame: &Frame) -> Line {
    let address = of.mailbox.as_ref().map_or("", Address::as_str);
    match of.because {
        Some(Because::SomebodySignsIn) => return forbidden::somebody_signs_in(address),
        Some(Because::SpeaksForDomain) => return forbidden::speaks_for_domain(address),
        None => {}
    }
    let operation = of.operation;
    let is_auditor = frame.org.as_ref().is_some_and(|org| org.role == Role::Auditor);
    if !operation.changes() {
        return forbidden::see();
    }
    if is_auditor {
        return forbidden::change_anything();
    }
    let mailbox = of.mailbox.as_ref().map(Address::as_str);
    match (operation, mailbox) {
        (Operation::DeviceAdd | Operation::DeviceAssign | Operation::OwnDeviceAdd, Some(mailbox)) => {
            forbidden::add_device(mailbox)
        }
        (
            Operation::DeviceEdit
            | Operation::DeviceSenders
            | Operation::DevicePause
            | Operation::DeviceResume
            | Operation::DeviceReplace
            | Operation::DeviceRevoke
            | Operation::OwnDeviceEdit
            | Operation::OwnDeviceResume
            | Operation::OwnDeviceReplace
            | Operation::OwnDeviceEnd
            | Operation::SessionEnd,
            Some(mailbox),
        ) => forbidden::manage_devices(mailbox),
        (Operation::AliasCreate | Operation::AliasDelete, Some(mailbox)) => forbidden::manage_aliases(mailbox),
        (Operation::GrantGive | Operation::GrantWithdraw, Some(mailbox)) => forbidden::give_access(mailbox),
        (
            Operation::DomainCreate
            | Operation::DomainDelete
            | Operation::MailboxCreate
            | Operation::MailboxSuspend
            | Operation::MailboxResume
            | Operation::MailboxDelete,
            _,
        ) => forbidden::manage_mailboxes(),
        (
            Operation::MemberRole
            | Operation::MemberRemove
            | Operation::InvitationCreate
            | Operation::InvitationSend
            | Operation::InvitationWithdraw,
            _,
        ) => forbidden::manage_people(),
        (Operation::OwnerChange, _) => forbidden::manage_owners(),
        _ => forbidden::anything_else(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::kit::Log;
    use super::super::visit::plain_reader;
    use super::*;
    use crate::clock::{Clock, Timestamp};

    #[tokio::test]
    async fn what_a_broken_database_says_about_itself_is_in_the_log_and_not_on_the_page() {
        let path = || "/srv/secret-place/postern.db".to_owned();
        let broken = [
            store::Error::Unavailable {
                path: path(),
                reason: "disk I/O error in secret-place".to_owned(),
            },
            store::Error::NewerSchema {
                path: path(),
                found: 99,
                known: 4,
            },
            store::Error::AlteredMigration {
                path: path(),
                version: 2,
            },
        ];
        let frame = Frame::door(plain_reader(&Clock::manual(Timestamp(0))));
        for error in broken.map(Error::Store) {
            let (log, guard) = Log::listen();
            let answer = failed(&frame, &error, "/me");
            drop(guard);
            assert!(answer.status().is_server_error(), "{error}");
            let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
            let body = String::from_utf8(body.to_vec()).unwrap();
            assert!(!body.contains("secret-place"), "{body}");
            assert!(log.text().contains("/srv/secret-place/postern.db"), "{}", log.text());
        }
    }
}
