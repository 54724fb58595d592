//! `/set-up/{token}`: the first owner and the first organisation.

use super::refused;
use super::scope::*;
use crate::admin::console::view::done;
use crate::admin::console::view::door::SetUp;
use crate::directory::FirstOrg;
use crate::directory::desk::NewPerson;
use crate::identity::password::NewPassword;
use crate::model::{Address, Language, name};
use crate::store;

#[derive(Debug)]
pub(super) struct SetUpForm {
    organisation: String,
    name: String,
    address: String,
    password: Secret<String>,
    language: String,
}

impl Form for SetUpForm {
    fn read(sent: &mut Sent) -> Self {
        Self {
            organisation: sent.text("organisation"),
            name: sent.text("name"),
            address: sent.text("address"),
            password: sent.secret("password"),
            language: sent.text("language"),
        }
    }
}

pub(super) async fn show(State(pages): Here, anyone: Anyone, Path(link): Path<String>) -> Response {
    let guest = &anyone.guest;
    match pages.desk.is_set_up_link(&link).await {
        Ok(true) => {
            let organisation = match only_org(&pages).await {
                Ok(name) => Field::of(name.unwrap_or_default()),
                Err(error) => return reply::door_failed(guest, &error),
            };
            let language = Field::of(guest.text.language);
            reply::page(&SetUp {
                organisation,
                language,
                ..blank(guest.frame(), true)
            })
        }
        Ok(false) => gone(guest),
        Err(error) => reply::door_failed(guest, &error),
    }
}

fn blank(frame: Frame, is_open: bool) -> SetUp {
    SetUp {
        frame,
        is_open,
        organisation: Field::default(),
        name: Field::default(),
        address: Field::default(),
        password: Field::default(),
        language: Field::default(),
    }
}

fn gone(guest: &Guest) -> Response {
    reply::with_status(StatusCode::GONE, &blank(guest.frame(), false))
}

/// The name of an organisation that the command line has made before there was an owner, where there is just one.
async fn only_org(pages: &Pages) -> Result<Option<String>, Error> {
    let orgs = pages.desk.directory().orgs().await?;
    Ok(match orgs.as_slice() {
        [only] => Some(only.name.clone()),
        _ => None,
    })
}

pub(super) async fn send(
    State(pages): Here,
    anyone: Anyone,
    Path(link): Path<String>,
    Typed(form): Typed<SetUpForm>,
) -> Response {
    let guest = &anyone.guest;
    let language = form.language.parse().unwrap_or(guest.text.language);
    let mut page = SetUp {
        organisation: Field::of(&form.organisation),
        name: Field::of(&form.name),
        address: Field::of(&form.address),
        language: Field::of(language),
        ..blank(refused(guest.frame()), true)
    };
    let checked = check(&mut page, &form);
    // A dead link is told before anybody mends a form for nothing.
    match pages.desk.is_set_up_link(&link).await {
        Ok(true) if checked => {}
        Ok(true) => return reply::with_status(StatusCode::UNPROCESSABLE_ENTITY, &page),
        Ok(false) => return gone(guest),
        Err(error) => return reply::door_failed(guest, &error),
    }
    match set_up(&pages, &anyone, &link, &form, language).await {
        Ok(response) => response,
        Err(Error::DeadLink) => gone(guest),
        Err(Error::BadPassword(bad)) => {
            page.password = page.password.wrong(shown::password_problem(bad));
            reply::with_status(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(Error::Store(store::Error::Conflict(_))) => {
            page.address = page.address.wrong(problem::sign_in_taken());
            reply::with_status(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => reply::door_failed(guest, &error),
    }
}

/// Marks the fields that nobody could use; whether all can be.
fn check(page: &mut SetUp, form: &SetUpForm) -> bool {
    let mark = |field: &mut Field, problem: Option<Line>| {
        let right = problem.is_none();
        field.error = problem;
        right
    };
    let organisation = name::org_name(&form.organisation)
        .err()
        .map(|bad| shown::name_problem(&bad));
    let person = name::person_name(&form.name).err().map(|bad| shown::name_problem(&bad));
    let (address, password) = match Address::parse(&form.address) {
        Ok(address) => {
            let password = NewPassword::check(form.password.expose(), &address, &form.name);
            (None, password.err().map(shown::password_problem))
        }
        Err(_) => {
            let nothing = form.password.expose().is_empty().then(problem::missing);
            (Some(problem::address()), nothing)
        }
    };
    let marked = [
        mark(&mut page.organisation, organisation),
        mark(&mut page.name, person),
        mark(&mut page.address, address),
        mark(&mut page.password, password),
    ];
    marked.iter().all(|right| *right)
}

async fn set_up(
    pages: &Pages,
    anyone: &Anyone,
    link: &str,
    form: &SetUpForm,
    language: Language,
) -> Result<Response, Error> {
    let orgs = pages.desk.directory().orgs().await?;
    let key = name::name_key(&form.organisation);
    let org = match orgs.into_iter().find(|org| name::name_key(&org.name) == key) {
        Some(org) => FirstOrg::Existing(org.id),
        None => FirstOrg::New(form.organisation.clone()),
    };
    let person = NewPerson {
        name: &form.name,
        language,
        password: &form.password,
    };
    let welcomed = pages
        .desk
        .set_up(&anyone.guest.visitor, link, &org, &form.address, &person)
        .await?;
    let path = format!("/o/{}", welcomed.org.id);
    let Some(opened) = welcomed.opened else {
        return Ok(reply::to(&path));
    };
    pages.leave_old(anyone).await;
    pages.greet(anyone, &opened, done::joined(&welcomed.org.name)).await;
    Ok(pages.let_in(&opened, &path))
}
