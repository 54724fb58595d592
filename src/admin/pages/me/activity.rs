//! `/me/activity`: what one did, and what programs did in one's name.

use super::scope::*;
use crate::admin::console::view::Listing;
use crate::admin::console::view::me::MyActivity;

/// Rows of one page.
const ROWS: u32 = 50;

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    before: Option<i64>,
}

pub(super) async fn show(State(pages): Here, person: Person, Given(asked): Given<Asked>) -> Reply {
    let page = pages.desk.my_activity(&person.signed_in, asked.before, ROWS).await;
    let page = page.map_err(|error| person.failed(error))?;
    let path = "/me/activity";
    let listing = Listing {
        path: path.to_owned(),
        first: asked.before.map(|_| path.to_owned()),
        next: page.next.map(|next| with_query(path, &[("before", &next.to_string())])),
        ..Listing::default()
    };
    let name = person.signed_in.user.name.as_str();
    let rows = page.rows.iter().map(|row| {
        // What a program did in their name was the program.
        let is_mine = row.actor.behalf.is_none();
        shown::activity_row(row, is_mine.then_some(name), None)
    });
    Ok(reply::page(&MyActivity {
        frame: person.frame(Place::MyActivity),
        listing,
        rows: rows.collect(),
    }))
}
