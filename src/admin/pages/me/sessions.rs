//! `/me/account/sessions`: signing out of other browsers.

use super::scope::*;
use crate::admin::console::view::confirm::Confirm;
use crate::model::ConsoleSessionId;

pub(super) async fn ask_end_others(State(pages): Here, person: Person) -> Reply {
    let sessions = pages
        .desk
        .my_sessions(&person.signed_in)
        .await
        .map_err(|error| person.failed(error))?;
    let others = u64::try_from(sessions.len().saturating_sub(1)).unwrap_or(u64::MAX);
    let (frame, action) = (person.frame(Place::MyAccount), person.path().to_owned());
    Ok(reply::page(&Confirm::sign_out_everywhere(
        frame,
        others,
        action,
        ACCOUNT.to_owned(),
    )))
}

pub(super) async fn send_end_others(State(pages): Here, person: Person) -> Reply {
    let ended = pages.desk.sign_out_elsewhere(&person.signed_in, false).await;
    let ended = ended.map_err(|error| person.failed(error))?;
    Ok(reply::done(
        &pages,
        &person,
        done::signed_out(u64::from(ended)),
        ACCOUNT,
    ))
}

pub(super) async fn end(State(pages): Here, person: Person, Path(session): Path<String>) -> Reply {
    let session: ConsoleSessionId = person.id(&session, "session")?;
    let ended = pages.desk.end_my_session(&person.signed_in, session).await;
    ended.map_err(|error| person.failed(error))?;
    if session == person.signed_in.session.id {
        let response = reply::to("/sign-in?done=signed-out");
        return Ok(cookies::Kind::Session.clear(response, &pages.origin));
    }
    Ok(reply::done(&pages, &person, done::signed_out(1), ACCOUNT))
}
