//! `/me/account`: name, language, colours, the ways to sign in, and where one is signed in.

use super::browser::named;
use super::scope::*;
use crate::admin::console::view::account::{Account, ConsoleSession};
use crate::directory::desk::AccountEdit;
use crate::model::name::person_name;
use crate::store::ConsoleSession as Stored;

pub(super) struct AccountForm {
    name: String,
    language: String,
    theme: String,
}

impl Form for AccountForm {
    fn read(sent: &mut Sent) -> Self {
        Self {
            name: sent.text("name"),
            language: sent.text("language"),
            theme: sent.text("theme"),
        }
    }
}

pub(super) async fn show(State(pages): Here, person: Person) -> Reply {
    let frame = person.frame(Place::MyAccount);
    Ok(reply::page(&account(&pages, &person, frame).await?))
}

async fn account(pages: &Pages, person: &Person, frame: Frame) -> Result<Account, reply::Failed> {
    let (desk, signed_in) = (&pages.desk, &person.signed_in);
    let user = &signed_in.user;
    let failed = |error| person.failed(error);
    let sessions = desk.my_sessions(signed_in).await.map_err(failed)?;
    let recovery_codes = match user.has_code {
        true => desk.recovery_codes_left(signed_in).await.map_err(failed)?,
        false => 0,
    };
    let asked = desk.asked_address(signed_in).await.map_err(failed)?;
    Ok(Account {
        frame,
        address: user.address.to_string(),
        asked: asked.map(|asked| (asked.address.to_string(), asked.expires_at)),
        is_own_domain: desk.signs_in_here(signed_in).await.map_err(failed)?,
        name: Field::of(&user.name),
        language: Field::of(user.language),
        theme: Field::of(person.guest.theme.name()),
        has_code: user.has_code,
        recovery_codes: u64::from(recovery_codes),
        sessions: sessions
            .iter()
            .map(|session| console_session(person, session))
            .collect(),
    })
}

fn console_session(person: &Person, session: &Stored) -> ConsoleSession {
    ConsoleSession {
        id: session.id,
        browser: named(&session.browser),
        ip: session.origin.clone(),
        since: session.created_at,
        seen_at: session.seen_at,
        is_this: session.id == person.signed_in.session.id,
    }
}

pub(super) async fn send(State(pages): Here, person: Person, Typed(form): Typed<AccountForm>) -> Reply {
    let user = &person.signed_in.user;
    let theme = cookies::theme_named(&form.theme);
    let language = form.language.parse().unwrap_or(user.language);
    let name = match person_name(&form.name) {
        Ok(name) => name,
        Err(bad) => {
            let mut page = account(&pages, &person, refused(&person)).await?;
            page.name = Field::of(&form.name).wrong(shown::name_problem(&bad));
            page.language = Field::of(language);
            page.theme = Field::of(theme.name());
            return Ok(reply::with_status(StatusCode::UNPROCESSABLE_ENTITY, &page));
        }
    };
    let is_same = name == user.name && language == user.language && theme == person.guest.theme;
    let edit = AccountEdit {
        name: Some(name),
        language: Some(language),
    };
    pages
        .desk
        .edit_account(&person.signed_in, &edit)
        .await
        .map_err(|error| person.failed(error))?;
    let flash = if is_same { done::unchanged() } else { done::saved() };
    let response = reply::done(&pages, &person, flash, ACCOUNT);
    Ok(cookies::Kind::Theme.set(response, &pages.origin, theme.name().to_owned()))
}
