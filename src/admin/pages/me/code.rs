//! `/me/account/code` and `/me/account/recovery-codes`: one-time codes of an authenticator program, and the codes for the
//! day on which it is gone.

use super::scope::*;
use crate::admin::console::view::account::{RecoveryCodes, SetUpCode};
use crate::admin::console::view::confirm::Confirm;
use crate::admin::console::view::qr::Qr;
use crate::directory::desk::CodeOffer;
use crate::identity::RecoveryCode;

const CODE: &str = "/me/account/code";

pub(super) struct CodeForm {
    offer: String,
    code: Secret<String>,
}

impl Form for CodeForm {
    fn read(sent: &mut Sent) -> Self {
        Self {
            offer: sent.text("offer"),
            code: sent.secret("code"),
        }
    }
}

pub(super) async fn show(State(pages): Here, person: Person) -> Reply {
    let offer = pages
        .desk
        .offer_code(&person.signed_in)
        .map_err(|error| person.failed(error))?;
    Ok(reply::page(&set_up(
        person.frame(Place::MyAccount),
        offer,
        Field::default(),
    )))
}

fn set_up(frame: Frame, offer: CodeOffer, code: Field) -> SetUpCode {
    SetUpCode {
        frame,
        qr: Qr::of(offer.uri.expose()),
        key: offer.shown,
        offer: offer.sealed,
        code,
    }
}

pub(super) async fn send(State(pages): Here, person: Person, Typed(form): Typed<CodeForm>) -> Reply {
    let (desk, signed_in) = (&pages.desk, &person.signed_in);
    match desk.accept_code(signed_in, &form.offer, &form.code).await {
        Ok(codes) => Ok(once(&person, &codes)),
        Err(Error::WrongCode) => {
            let offer = desk
                .offer_code_again(signed_in, &form.offer)
                .map_err(|error| person.failed(error))?;
            let code = Field::default().wrong(problem::code());
            let page = set_up(refused(&person), offer, code);
            Ok(reply::with_status(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
        // The offer was of a session that is gone: there is a new one.
        Err(Error::Totp(_)) => Ok(reply::to(CODE)),
        Err(error) => Err(person.failed_at(error, CODE)),
    }
}

/// The one showing of recovery codes.
fn once(person: &Person, codes: &[RecoveryCode]) -> Response {
    reply::page(&RecoveryCodes {
        frame: person.frame(Place::MyAccount),
        codes: codes.iter().map(RecoveryCode::shown).collect(),
    })
}

pub(super) async fn ask_off(State(pages): Here, person: Person) -> Reply {
    if !person.signed_in.user.has_code {
        return Ok(reply::to(ACCOUNT));
    }
    fresh(&pages, &person)?;
    let frame = person.frame(Place::MyAccount);
    Ok(reply::page(&off_page(&person, frame, Field::default())))
}

fn off_page(person: &Person, frame: Frame, code: Field) -> Confirm {
    Confirm::remove_code(frame, code, person.path().to_owned(), ACCOUNT.to_owned())
}

/// The last code.
pub(super) struct OffForm {
    code: Secret<String>,
}

impl Form for OffForm {
    fn read(sent: &mut Sent) -> Self {
        Self {
            code: sent.secret("code"),
        }
    }
}

pub(super) async fn send_off(State(pages): Here, person: Person, Typed(form): Typed<OffForm>) -> Reply {
    match pages.desk.stop_codes(&person.signed_in, &form.code).await {
        Ok(()) => Ok(reply::done(&pages, &person, done::code_removed(), ACCOUNT)),
        Err(Error::WrongCode) => {
            let page = off_page(&person, refused(&person), Field::default().wrong(problem::code()));
            Ok(reply::with_status(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
        Err(error) => Err(person.failed(error)),
    }
}

pub(super) async fn ask_new(State(pages): Here, person: Person) -> Reply {
    if !person.signed_in.user.has_code {
        return Ok(reply::to(ACCOUNT));
    }
    fresh(&pages, &person)?;
    let frame = person.frame(Place::MyAccount);
    let page = Confirm::new_recovery_codes(frame, person.path().to_owned(), ACCOUNT.to_owned());
    Ok(reply::page(&page))
}

pub(super) async fn send_new(State(pages): Here, person: Person) -> Reply {
    let renewed = pages.desk.renew_recovery_codes(&person.signed_in).await;
    Ok(once(&person, &renewed.map_err(|error| person.failed(error))?))
}
