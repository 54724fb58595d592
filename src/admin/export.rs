//! The activity as a file that is sent: CSV for spreadsheets, JSON lines for programs.
//!
//! Rows are read and sent page by page, and before each page rights are asked again; where they are gone, the connection
//! breaks off, so that a file that ends well is whole. What a file looks like is `directory::export`, for the command line
//! too.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use crate::clock::Timestamp;
use crate::directory::Error;
use crate::directory::desk::{Acting, Desk};
use crate::directory::export::{EXPORTED_MAX, Shape};
use crate::store::{AuditFilter, page};

/// Whoever began a file. A file may take longer than a session or a token lives.
#[async_trait]
pub(super) trait Reader: Send + Sync + 'static {
    /// As they stand now.
    async fn again(&self) -> Result<Acting, Error>;
}

/// Where a file has come to.
struct Reading {
    desk: Arc<Desk>,
    reader: Box<dyn Reader>,
    filter: AuditFilter,
    shape: Shape,
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

/// The answer that is a file of all rows of this filter. The first page is read before it begins, so that a refusal is an
/// answer of its own and no broken file.
///
/// # Errors
/// Whoever acts may not read the log.
pub(super) async fn file(
    desk: Arc<Desk>,
    acting: &Acting,
    reader: Box<dyn Reader>,
    filter: AuditFilter,
    shape: Shape,
    now: Timestamp,
) -> Result<Response, Error> {
    let filter = AuditFilter {
        limit: page::PAGE_MAX,
        ..filter
    };
    let first = desk.activity(acting, filter.clone()).await?;
    let begin = shape.head().and_then(|mut begin| {
        begin.extend(shape.rows(&first.rows)?);
        Ok(begin)
    });
    let begin = begin.map_err(|error| {
        tracing::error!(error = %error, "a file of the activity could not be written");
        Error::Unknown { what: "file" }
    })?;
    let name = format!("activity-{}.{}", now.day(), shape.extension());
    let place = Reading {
        sent: first.rows.len(),
        next: Next::Page(begin, first.next),
        desk,
        reader,
        filter,
        shape,
    };
    let attachment = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(shape.content_type())),
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
        return Ok(Some((place.shape.cut(before)?.into(), place)));
    }
    let filter = AuditFilter {
        before: Some(before),
        ..place.filter.clone()
    };
    let acting = place.reader.again().await.map_err(io::Error::other)?;
    let page = place.desk.activity(&acting, filter).await.map_err(io::Error::other)?;
    place.sent = place.sent.saturating_add(page.rows.len());
    place.next = page.next.map_or(Next::Nothing, Next::Before);
    let octets = place.shape.rows(&page.rows)?;
    Ok(Some((octets.into(), place)))
}
