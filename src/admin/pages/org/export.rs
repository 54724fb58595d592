//! The activity as a file, as a browser asks for it.

use async_trait::async_trait;

use super::activity::ActivityQuery;
use super::scope::*;
use crate::admin::export::{self, Reader};
use crate::directory::desk::{Acting, Visit};
use crate::directory::export::Shape;
use crate::store::page;

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

async fn file(pages: Arc<Pages>, inside: Inside, asked: &ActivityQuery, shape: Shape) -> Reply {
    let filter = asked.filter(&inside, page::PAGE_MAX);
    let (desk, now) = (Arc::clone(&pages.desk), pages.clock.utc());
    let reader = Box::new(Signed {
        inside: inside.clone(),
        pages,
    });
    export::file(desk, &inside.acting, reader, filter, shape, now)
        .await
        .map_err(|error| inside.failed(error))
}

/// Somebody with a console session.
struct Signed {
    pages: Arc<Pages>,
    inside: Inside,
}

#[async_trait]
impl Reader for Signed {
    async fn again(&self) -> Result<Acting, Error> {
        let Self { pages, inside } = self;
        let guest = &inside.person.guest;
        let visit = pages.desk.look(&guest.visitor, guest.session.as_deref()).await?;
        let Visit::SignedIn(signed_in) = visit else {
            return Err(Error::SignedOut);
        };
        pages.desk.acting(&signed_in, inside.acting.org.id).await
    }
}
