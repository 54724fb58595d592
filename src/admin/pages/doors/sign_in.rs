//! `/sign-in`, `/sign-in/code` and `/sign-out`.

use serde::Deserialize;

use super::scope::*;
use super::{refused, throttled, told};
use crate::admin::console::view::done::{nobody_yet, sign_in_refused};
use crate::admin::console::view::door::{SecondFactor, SignIn};

/// What the links to these pages say.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    next: String,
    done: String,
    with: String,
}

pub(super) struct SignInForm {
    address: String,
    password: Secret<String>,
    next: String,
}

impl Form for SignInForm {
    fn read(sent: &mut Sent) -> Self {
        Self {
            address: sent.text("address"),
            password: sent.secret("password"),
            next: sent.text("next"),
        }
    }
}

pub(super) struct CodeForm {
    code: Secret<String>,
    next: String,
}

impl Form for CodeForm {
    fn read(sent: &mut Sent) -> Self {
        Self {
            code: sent.secret("code"),
            next: sent.text("next"),
        }
    }
}

pub(super) struct SignOutForm {
    next: String,
}

impl Form for SignOutForm {
    fn read(sent: &mut Sent) -> Self {
        Self {
            next: sent.text("next"),
        }
    }
}

pub(super) async fn show(State(pages): Here, anyone: Anyone, Given(asked): Given<Asked>) -> Response {
    if anyone.person.is_some() {
        return reply::to(onward(&asked.next));
    }
    // A store that does not answer is told when somebody signs in.
    let is_new = !pages.desk.directory().has_owner().await.unwrap_or(true);
    reply::page(&SignIn {
        frame: Frame {
            flash: told(&asked.done).or_else(|| is_new.then(nobody_yet)),
            ..anyone.guest.frame()
        },
        address: Field::default(),
        problem: None,
        next: next_of(&asked.next).to_owned(),
    })
}

pub(super) async fn send(State(pages): Here, anyone: Anyone, Typed(form): Typed<SignInForm>) -> Response {
    let guest = &anyone.guest;
    let (visitor, mark) = (&guest.visitor, guest.mark.as_deref());
    let opened = match pages.desk.sign_in(visitor, mark, &form.address, &form.password).await {
        Ok(opened) => opened,
        Err(error) => return not_in(guest, &form, &error),
    };
    pages.leave_old(&anyone).await;
    if opened.owes_code {
        let path = with_query("/sign-in/code", &[("next", next_of(&form.next))]);
        return pages.let_in(&opened, &path);
    }
    pages.let_in(&opened, onward(&form.next))
}

fn not_in(guest: &Guest, form: &SignInForm, error: &Error) -> Response {
    let frame = refused(guest.frame());
    let (status, problem) = match error {
        Error::WrongSignIn => (StatusCode::UNPROCESSABLE_ENTITY, sign_in_refused()),
        _ => match throttled(error, &frame) {
            Some(throttled) => throttled,
            None => return reply::door_failed(guest, error),
        },
    };
    let page = SignIn {
        frame,
        address: Field::of(&form.address),
        problem: Some(problem),
        next: next_of(&form.next).to_owned(),
    };
    reply::with_status(status, &page)
}

pub(super) async fn show_code(anyone: Anyone, Given(asked): Given<Asked>) -> Response {
    if anyone.person.is_some() {
        return reply::to(onward(&asked.next));
    }
    if !anyone.is_half {
        return back_to_sign_in(&asked.next);
    }
    reply::page(&SecondFactor {
        frame: anyone.guest.frame(),
        code: Field::default(),
        is_recovery: asked.with == "recovery",
        next: next_of(&asked.next).to_owned(),
    })
}

pub(super) async fn send_code(State(pages): Here, anyone: Anyone, Typed(form): Typed<CodeForm>) -> Response {
    let guest = &anyone.guest;
    let Some(cookie) = guest.session.as_deref().filter(|_| anyone.is_half) else {
        return back_to_sign_in(&form.next);
    };
    let given = pages
        .desk
        .give_code(&guest.visitor, guest.mark.as_deref(), cookie, &form.code)
        .await;
    let (status, problem, frame) = match given {
        Ok(opened) => return pages.let_in(&opened, onward(&form.next)),
        // The time for the code ran out, or another window was quicker.
        Err(Error::SignedOut) => return back_to_sign_in(&form.next),
        Err(error) => {
            let frame = refused(guest.frame());
            match (&error, throttled(&error, &frame)) {
                (_, Some((status, problem))) => (status, problem, frame),
                (Error::WrongCode, None) => (StatusCode::UNPROCESSABLE_ENTITY, problem::code(), frame),
                _ => return reply::door_failed(guest, &error),
            }
        }
    };
    let page = SecondFactor {
        frame,
        code: Field::default().wrong(problem),
        is_recovery: form.code.expose().contains(char::is_alphabetic),
        next: next_of(&form.next).to_owned(),
    };
    reply::with_status(status, &page)
}

fn back_to_sign_in(next: &str) -> Response {
    reply::to(&with_query("/sign-in", &[("next", next_of(next))]))
}

pub(super) async fn sign_out(State(pages): Here, anyone: Anyone, Typed(form): Typed<SignOutForm>) -> Response {
    let guest = &anyone.guest;
    let left = match (&anyone.person, &guest.session) {
        (Some(person), _) => pages.desk.sign_out(&person.signed_in).await,
        (None, Some(cookie)) => pages.desk.leave_half(&guest.visitor, cookie).await,
        (None, None) => Ok(()),
    };
    // Nobody may believe that they are out while they are not.
    if let Err(error) = left {
        return reply::door_failed(guest, &error);
    }
    let place = match next_of(&form.next) {
        "" => "/sign-in?done=signed-out",
        path => path,
    };
    cookies::Kind::Session.clear(reply::to(place), &pages.origin)
}
