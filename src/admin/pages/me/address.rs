//! `/me/account/address`: another sign-in address, and the link that confirms it.

use super::scope::*;
use crate::admin::console::view::Flash;
use crate::admin::console::view::account::ChangeAddress;
use crate::admin::console::view::confirm::Confirm;
use crate::directory::desk::AddressChange;
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
    Ok(reply::page(&form(&pages, frame, address)))
}

fn form(pages: &Pages, frame: Frame, address: Field) -> ChangeAddress {
    ChangeAddress {
        frame,
        address,
        is_confirmed: pages.desk.sends_mail(),
    }
}

pub(super) async fn send(State(pages): Here, person: Person, Typed(typed): Typed<AddressForm>) -> Reply {
    let problem = match pages.desk.change_address(&person.signed_in, &typed.address).await {
        Ok(AddressChange::Same) => return Ok(reply::done(&pages, &person, done::unchanged(), ACCOUNT)),
        Ok(AddressChange::Asked(address)) => {
            let flash = done::address_asked(address.as_str());
            return Ok(reply::done(&pages, &person, flash, ACCOUNT));
        }
        Ok(AddressChange::Done(user)) => {
            let flash = done::address_at_once(user.address.as_str());
            return Ok(reply::done(&pages, &person, flash, ACCOUNT));
        }
        Ok(AddressChange::NotMailed) => problem::not_mailed(),
        Err(Error::StepUp) => {
            let form = with_query(person.path(), &[("address", &typed.address)]);
            return Ok(reply::to(&with_query("/step-up", &[("next", &form)])));
        }
        Err(Error::BadAddress { .. }) => problem::address(),
        Err(Error::Store(store::Error::Conflict(_))) => problem::sign_in_taken(),
        Err(error) => return Err(person.failed(error)),
    };
    let field = Field::of(&typed.address).wrong(problem);
    let page = form(&pages, refused(&person), field);
    Ok(reply::with_status(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

/// What a link from the mail leads to: a question, as mail programs open links before people do.
pub(super) async fn ask_confirm(State(pages): Here, person: Person, Path(link): Path<String>) -> Reply {
    let address = pages.desk.address_of_link(&person.signed_in, &link).await;
    let address = address.map_err(|error| person.failed(error))?;
    let frame = person.frame(Place::MyAccount);
    let action = format!("{ACCOUNT}/address/{link}");
    let page = Confirm::use_address(frame, address.as_str(), action, ACCOUNT.to_owned());
    Ok(reply::page(&page))
}

pub(super) async fn send_confirm(State(pages): Here, person: Person, Path(link): Path<String>) -> Reply {
    let flash = match pages.desk.confirm_address(&person.signed_in, &link).await {
        Ok(user) => done::address_changed(user.address.as_str()),
        Err(Error::Store(store::Error::Conflict(_))) => Flash::problem(problem::sign_in_taken()),
        Err(error) => return Err(person.failed(error)),
    };
    Ok(reply::done(&pages, &person, flash, ACCOUNT))
}
