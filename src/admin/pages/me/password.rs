//! `/me/account/password`: another password of one's own.

use super::scope::*;
use crate::admin::console::view::account::ChangePassword;

pub(super) struct PasswordForm {
    password: Secret<String>,
}

impl Form for PasswordForm {
    fn read(sent: &mut Sent) -> Self {
        Self {
            password: sent.secret("password"),
        }
    }
}

pub(super) async fn show(State(pages): Here, person: Person) -> Reply {
    fresh(&pages, &person)?;
    Ok(reply::page(&ChangePassword {
        frame: person.frame(Place::MyAccount),
        password: Field::default(),
    }))
}

pub(super) async fn send(State(pages): Here, person: Person, Typed(form): Typed<PasswordForm>) -> Reply {
    let (desk, signed_in) = (&pages.desk, &person.signed_in);
    let others = desk
        .my_sessions(signed_in)
        .await
        .map_err(|error| person.failed(error))?;
    match desk.change_password(signed_in, &form.password).await {
        Ok(()) => {
            let ended = others.len().saturating_sub(1);
            let flash = done::password_changed(u64::try_from(ended).unwrap_or(u64::MAX));
            Ok(reply::done(&pages, &person, flash, ACCOUNT))
        }
        Err(Error::BadPassword(bad)) => {
            let page = ChangePassword {
                frame: refused(&person),
                password: Field::default().wrong(shown::password_problem(bad)),
            };
            Ok(reply::with_status(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
        Err(error) => Err(person.failed(error)),
    }
}
