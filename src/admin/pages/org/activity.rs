//! `/o/{org}/activity`: who did what, filtered, and single entries by their number.

use serde_json::Value;

use super::scope::*;
use crate::admin::console::view::activity::{Activity, ActivityFilter, ActivityOne};
use crate::store::{AuditFilter, AuditRow};

pub(super) fn routes() -> Router<Arc<Pages>> {
    Router::new()
        .route("/o/{org}/activity", get(list))
        .route("/o/{org}/activity/{number}", get(one))
}

/// What the list, and its export, are narrowed to.
#[derive(Debug, Clone, Default)]
pub(super) struct ActivityQuery {
    q: String,
    about: String,
    since: String,
    until: String,
    before: Option<i64>,
}

impl Form for ActivityQuery {
    fn read(sent: &mut Sent) -> Self {
        Self {
            q: sent.text("q"),
            about: sent.text("about"),
            since: sent.text("since"),
            until: sent.text("until"),
            before: sent.text("before").parse().ok(),
        }
    }
}

/// Kinds of actors, as the audit log names them: with one of them in front, the search is for what they did.
const ACTORS: [&str; 3] = ["user:", "token:", "cli:"];

impl ActivityQuery {
    /// As the store reads it. A day that cannot be read narrows nothing; the page says so.
    pub(super) fn filter(&self, inside: &Inside, limit: u32) -> AuditFilter {
        let text = &inside.person.guest.text;
        let is_actor =
            ACTORS.iter().any(|kind| self.q.starts_with(kind)) || ["daemon", "stranger"].contains(&self.q.as_str());
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        AuditFilter {
            who: given(&self.q).filter(|_| is_actor),
            subject: given(&self.q).filter(|_| !is_actor),
            action: given(&self.about),
            since: form::begin_of(text, &self.since),
            until: form::end_of(text, &self.until),
            before: self.before,
            limit,
            ..AuditFilter::default()
        }
    }

    /// The same list elsewhere.
    fn link(&self, path: &str, before: Option<i64>) -> String {
        let before = before.map(|before| before.to_string()).unwrap_or_default();
        let fields = [
            ("q", self.q.as_str()),
            ("about", &self.about),
            ("since", &self.since),
            ("until", &self.until),
            ("before", &before),
        ];
        with_query(path, &fields)
    }

    fn shown(&self, frame: &Frame) -> ActivityFilter {
        let day = |typed: &str| {
            let field = Field::of(typed);
            let is_past = |day: Timestamp| day <= frame.text.now;
            let is_right = typed.is_empty() || form::begin_of(&frame.text, typed).is_some_and(is_past);
            if is_right {
                field
            } else {
                field.wrong(problem::day_past())
            }
        };
        ActivityFilter {
            query: Field::of(&self.q),
            about: Field::of(&self.about),
            since: day(&self.since),
            until: day(&self.until),
        }
    }
}

async fn list(State(pages): Here, inside: Inside, Asked(asked): Asked<ActivityQuery>) -> Reply {
    let page = list_page(&pages, &inside, &asked)
        .await
        .map_err(|error| inside.failed(error))?;
    Ok(reply::page(&page))
}

async fn list_page(pages: &Pages, inside: &Inside, asked: &ActivityQuery) -> Result<Activity, Error> {
    let page = pages.desk.activity(&inside.acting, asked.filter(inside, ROWS)).await?;
    let frame = inside.frame(Place::Activity);
    let path = inside.at("activity");
    let listing = Listing {
        query: asked.q.clone(),
        first: asked.before.map(|_| asked.link(&path, None)),
        next: page.next.map(|next| asked.link(&path, Some(next))),
        export: Some(asked.link(&format!("{path}/export.csv"), None)),
        path: path.clone(),
        ..Listing::default()
    };
    Ok(Activity {
        filter: asked.shown(&frame),
        listing,
        rows: rows::activity(pages, inside, &page.rows).await?,
        export_json: Some(asked.link(&format!("{path}/export.jsonl"), None)),
        frame,
    })
}

async fn one(State(pages): Here, There { inside, id }: There<i64>) -> Reply {
    let page = entry(&pages, &inside, id).await.map_err(|error| inside.failed(error))?;
    Ok(reply::page(&page))
}

async fn entry(pages: &Pages, inside: &Inside, number: i64) -> Result<ActivityOne, Error> {
    let row = pages.desk.activity_entry(&inside.acting, number).await?;
    let shown = rows::activity(pages, inside, std::slice::from_ref(&row)).await?;
    let shown = shown.into_iter().next().ok_or(Error::Unknown { what: "entry" })?;
    Ok(ActivityOne {
        frame: inside.frame(Place::Activity),
        number,
        row: shown,
        subject: row.subject.clone(),
        facts: facts(&row),
        hash: row
            .hash
            .map(|hash| hash.iter().map(|octet| format!("{octet:02x}")).collect()),
    })
}

/// The further facts, and who it was as the log has it: names of people may change.
fn facts(row: &AuditRow) -> Vec<(String, String)> {
    let mut facts = vec![("who".to_owned(), row.actor.who.clone())];
    if let Some(detail) = row.detail.as_object() {
        facts.extend(detail.iter().map(|(name, value)| (name.clone(), plain(value))));
    }
    facts
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
