//! `/me/account/address`: another sign-in address.

use super::scope::*;
use crate::admin::console::view::account::ChangeAddress;
use crate::directory::desk::AccountEdit;
use crate::store;

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    address: String,
}

pub(super) struct AddressForm {
    address: String,
}

impl Form for AddressForm {
    fn read(sent: &mut Sent) -> Self {
        Self {
            address: sent.text("address"),
        }
    }
}

pub(super) async fn show(State(pages): Here, person: Person, Given(asked): Given<Asked>) -> Reply {
    fresh(&pages, &person)?;
    // What was typed before the step-up.
    let address = match asked.address.as_str() {
        "" => Field::of(&person.signed_in.user.address),
        typed => Field::of(typed),
    };
    let frame = person.frame(Place::MyAccount);
    Ok(reply::page(&ChangeAddress { frame, address }))
}

pub(super) async fn send(State(pages): Here, person: Person, Typed(form): Typed<AddressForm>) -> Reply {
    let edit = AccountEdit {
        address: Some(form.address.clone()),
        ..AccountEdit::default()
    };
    let old = &person.signed_in.user.address;
    let problem = match pages.desk.edit_account(&person.signed_in, &edit).await {
        Ok(user) if user.address == *old => return Ok(reply::done(&pages, &person, done::unchanged(), ACCOUNT)),
        Ok(user) => {
            let flash = done::address_changed(user.address.as_str());
            return Ok(reply::done(&pages, &person, flash, ACCOUNT));
        }
        Err(Error::StepUp) => {
            let form = with_query(person.path(), &[("address", &form.address)]);
            return Ok(reply::to(&with_query("/step-up", &[("next", &form)])));
        }
        Err(Error::BadAddress { .. }) => problem::address(),
        Err(Error::Store(store::Error::Conflict(_))) => problem::sign_in_taken(),
        Err(error) => return Err(person.failed(error)),
    };
    let page = ChangeAddress {
        frame: refused(&person),
        address: Field::of(&form.address).wrong(problem),
    };
    Ok(reply::with_status(StatusCode::UNPROCESSABLE_ENTITY, &page))
}
