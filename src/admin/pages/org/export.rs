//! The activity as a file: CSV for spreadsheets, JSON lines for programs.
//!
//! Rows are read and sent page by page, and before each page rights are asked again; where they are gone, the connection
//! breaks off, so that a file that ends well is whole. What a file looks like is `directory::export`, for the command line
//! too.

use std::io;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use futures_util::stream;

use super::activity::ActivityQuery;
use super::scope::*;
use crate::directory::desk::{Acting, Visit};
use crate::directory::export::{EXPORTED_MAX, Shape};
use crate::store::{AuditFilter, page};

pub(super) fn routes() -> Router<Arc<Pages>> {
    Router::new()
        .route("/o/{org}/activity/export.csv", get(csv_file))
        .route("/o/{org}/activity/export.jsonl", get(json_lines))
}

async fn csv_file(State(pages): Here, inside: Inside, Asked(asked): Asked<ActivityQuery>) -> Reply {
    file(pages, inside, &asked, Shape::Csv).await
}

async fn json_lines(State(pages): Here, inside: Inside, Asked(asked): Asked<ActivityQuery>) -> Reply {
    file(pages, inside, &asked, Shape::JsonLines).await
}

/// Where a file has come to.
struct Reading {
    pages: Arc<Pages>,
    inside: Inside,
    filter: AuditFilter,
    form: Shape,
    sent: usize,
    next: Next,
}

enum Next {
    /// A page that was read already.
    Page(Vec<u8>, Option<i64>),
    /// The page before this entry.
    Before(i64),
    Nothing,
}

async fn file(pages: Arc<Pages>, inside: Inside, asked: &ActivityQuery, form: Shape) -> Reply {
    let filter = asked.filter(&inside, page::PAGE_MAX);
    // The first page before the answer begins, so that a refusal is a page and no broken file.
    let first = pages
        .desk
        .activity(&inside.acting, filter.clone())
        .await
        .map_err(|error| inside.failed(error))?;
    let broken = |error: io::Error| {
        tracing::error!(error = %error, "a file of the activity could not be written");
        inside.failed(Error::Unknown { what: "file" })
    };
    let mut begin = form.head().map_err(broken)?;
    begin.extend(form.rows(&first.rows).map_err(broken)?);
    let name = format!("activity-{}.{}", pages.clock.utc().day(), form.extension());
    let place = Reading {
        sent: first.rows.len(),
        next: Next::Page(begin, first.next),
        pages,
        inside,
        filter,
        form,
    };
    let attachment = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(form.content_type())),
        (
            header::CONTENT_DISPOSITION,
            attachment.unwrap_or_else(|_| HeaderValue::from_static("attachment")),
        ),
    ];
    Ok((headers, Body::from_stream(stream::try_unfold(place, go_on))).into_response())
}

/// The next piece of a file.
async fn go_on(mut place: Reading) -> io::Result<Option<(Bytes, Reading)>> {
    let before = match std::mem::replace(&mut place.next, Next::Nothing) {
        Next::Nothing => return Ok(None),
        Next::Page(octets, next) => {
            place.next = next.map_or(Next::Nothing, Next::Before);
            return Ok(Some((octets.into(), place)));
        }
        Next::Before(before) => before,
    };
    if place.sent >= EXPORTED_MAX {
        return Ok(Some((place.form.cut(before)?.into(), place)));
    }
    let filter = AuditFilter {
        before: Some(before),
        ..place.filter.clone()
    };
    let acting = still_there(&place).await?;
    let page = place
        .pages
        .desk
        .activity(&acting, filter)
        .await
        .map_err(io::Error::other)?;
    place.sent = place.sent.saturating_add(page.rows.len());
    place.next = page.next.map_or(Next::Nothing, Next::Before);
    let octets = place.form.rows(&page.rows)?;
    Ok(Some((octets.into(), place)))
}

/// Whoever began the file, as they stand now: a file may take longer than a session.
async fn still_there(place: &Reading) -> io::Result<Acting> {
    let Reading { pages, inside, .. } = place;
    let guest = &inside.person.guest;
    let visit = pages
        .desk
        .look(&guest.visitor, guest.session.as_deref())
        .await
        .map_err(io::Error::other)?;
    let Visit::SignedIn(signed_in) = visit else {
        return Err(io::Error::other("the session is over"));
    };
    pages
        .desk
        .acting(&signed_in, inside.acting.org.id)
        .await
        .map_err(io::Error::other)
}
