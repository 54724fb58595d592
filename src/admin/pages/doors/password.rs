//! `/forgot` and `/reset/{token}`: a new password, by a link from a mail.

use super::refused;
use super::scope::*;
use crate::admin::console::view::door::{Forgot, Reset};
use crate::store::PasswordReset;

pub(super) struct ForgotForm {
    address: String,
}

impl Form for ForgotForm {
    fn read(sent: &mut Sent) -> Self {
        Self {
            address: sent.text("address"),
        }
    }
}

pub(super) struct ResetForm {
    password: Secret<String>,
}

impl Form for ResetForm {
    fn read(sent: &mut Sent) -> Self {
        Self {
            password: sent.secret("password"),
        }
    }
}

pub(super) async fn show_forgot(State(pages): Here, guest: Guest) -> Response {
    reply::page(&forgot(&pages, guest.frame(), Field::default()))
}

fn forgot(pages: &Pages, frame: Frame, address: Field) -> Forgot {
    Forgot {
        frame,
        address,
        sends_mail: pages.desk.sends_mail(),
        is_sent: false,
    }
}

pub(super) async fn send_forgot(State(pages): Here, guest: Guest, Typed(form): Typed<ForgotForm>) -> Response {
    if crate::model::Address::parse(&form.address).is_err() {
        let address = Field::of(&form.address).wrong(problem::address());
        let page = forgot(&pages, refused(guest.frame()), address);
        return reply::with_status(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    match pages.desk.forgot_password(&guest.visitor, &form.address).await {
        // Nothing was changed that one could see, so there is nothing to redirect to; the address is in no URL.
        Ok(()) => reply::page(&Forgot {
            is_sent: true,
            ..forgot(&pages, guest.frame(), Field::of(&form.address))
        }),
        Err(Error::NoMail) => reply::page(&forgot(&pages, guest.frame(), Field::of(&form.address))),
        Err(error) => reply::door_failed(&guest, &error),
    }
}

pub(super) async fn show_reset(State(pages): Here, guest: Guest, Path(link): Path<String>) -> Response {
    match pages.desk.reset_of(&link).await {
        Ok(found) => reply::page(&reset(guest.frame(), Some(&found), Field::default())),
        Err(error) => no_reset(&guest, &error),
    }
}

fn reset(frame: Frame, found: Option<&PasswordReset>, password: Field) -> Reset {
    Reset {
        frame,
        address: found.map(|found| found.address.to_string()),
        password,
    }
}

fn no_reset(guest: &Guest, error: &Error) -> Response {
    match error {
        Error::DeadLink => reply::with_status(StatusCode::GONE, &reset(guest.frame(), None, Field::default())),
        error => reply::door_failed(guest, error),
    }
}

pub(super) async fn send_reset(
    State(pages): Here,
    guest: Guest,
    Path(link): Path<String>,
    Typed(form): Typed<ResetForm>,
) -> Response {
    let bad = match pages.desk.reset_password(&guest.visitor, &link, &form.password).await {
        Ok((_, mark)) => {
            // All sessions have ended, one of this browser among them.
            let response = cookies::Kind::Session.clear(reply::to("/sign-in?done=reset"), &pages.origin);
            return cookies::Kind::Mark.set(response, &pages.origin, mark.expose().clone());
        }
        Err(Error::BadPassword(bad)) => bad,
        Err(error) => return no_reset(&guest, &error),
    };
    match pages.desk.reset_of(&link).await {
        Ok(found) => {
            let password = Field::default().wrong(shown::password_problem(bad));
            let page = reset(refused(guest.frame()), Some(&found), password);
            reply::with_status(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => no_reset(&guest, &error),
    }
}
