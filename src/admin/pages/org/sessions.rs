//! `/o/{org}/sessions`: who is connected at this moment, and ending one connection.

use super::super::shown::used;
use super::scope::*;
use crate::admin::console::view::Flash;
use crate::admin::console::view::confirm::Confirm;
use crate::admin::console::view::device::MailboxLink;
use crate::admin::console::view::sessions::{SessionRow, Sessions};
use crate::admin::lists::session_matches;
use crate::revoke::{SessionId, SessionSnapshot};

pub(super) fn routes() -> Router<Arc<Pages>> {
    Router::new()
        .route("/o/{org}/sessions", get(list))
        .route("/o/{org}/sessions/{session}/end", get(ask_end).post(end))
}

async fn list(State(pages): Here, inside: Inside, Asked(asked): Asked<ListQuery>) -> Reply {
    let failed = |error| inside.failed(error);
    let sessions = pages.desk.live_sessions(&inside.acting, None).await.map_err(failed)?;
    let (listing, rows) = page_of(inside.at("sessions"), &asked, sessions);
    Ok(reply::page(&Sessions {
        frame: inside.frame(Place::Sessions),
        listing,
        rows,
        last: None,
        may_end: inside.acting.may(Operation::SessionEnd),
    }))
}

/// A page of these sessions, oldest first, as a list's query asks for it. The stream of an open page makes the same.
pub(super) fn page_of(
    path: String,
    asked: &ListQuery,
    mut sessions: Vec<SessionSnapshot>,
) -> (Listing, Vec<SessionRow>) {
    if let Some(text) = asked.text() {
        let text = text.to_lowercase();
        sessions.retain(|session| session_matches(session, &text));
    }
    let found = sessions.len();
    if let Ok(after) = asked.after.parse() {
        sessions.retain(|session| session.id > SessionId(after));
    }
    let most = usize::try_from(ROWS).unwrap_or(usize::MAX);
    let is_cut = sessions.len() > most;
    sessions.truncate(most);
    let next = sessions.last().filter(|_| is_cut).map(|last| last.id.0.to_string());
    let mut listing = asked.listing(path, &[], next);
    listing.total = Some(u64::try_from(found).unwrap_or(u64::MAX));
    (listing, sessions.into_iter().map(row).collect())
}

fn row(session: SessionSnapshot) -> SessionRow {
    SessionRow {
        id: session.id.0,
        mailbox: MailboxLink {
            id: session.info.mailbox,
            address: session.info.address.to_string(),
        },
        device: session.info.device,
        device_name: session.info.label.to_string(),
        received: session.bytes_down,
        sent: session.bytes_up,
        used: used(session),
    }
}

async fn ask_end(State(pages): Here, There { inside, id }: There<SessionId>) -> Reply {
    let failed = |error| inside.failed(error);
    let session = pages.desk.check_session(&inside.acting, id).await.map_err(failed)?;
    Ok(reply::page(&Confirm::end_session(
        inside.frame(Place::Sessions),
        &session.info.label,
        session.info.address.as_str(),
        inside.at(&format!("sessions/{}/end", id.0)),
        inside.at("sessions"),
    )))
}

async fn end(State(pages): Here, There { inside, id }: There<SessionId>) -> Reply {
    let flash = match pages.desk.end_live_session(&inside.acting, id).await {
        Ok(session) => done::session_ended(&session.info.label),
        // It ended by itself while somebody read the question: there is nothing left to do.
        Err(Error::Unknown { what: "session" }) => Flash {
            line: Line::new("session-is-over"),
            ..done::unchanged()
        },
        Err(error) => return Err(inside.failed(error)),
    };
    Ok(reply::done(&pages, &inside.person, flash, &inside.at("sessions")))
}
