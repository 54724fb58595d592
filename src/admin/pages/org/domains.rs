//! `/o/{org}/domains`: mail domains, and what has to stand in the DNS for mail programs to find their way.

mod shown;

use std::time::Duration;

use super::scope::*;
use crate::admin::console::view::Flash;
use crate::admin::console::view::confirm::Confirm;
use crate::admin::console::view::domains::Domains;
use crate::model::{DomainId, DomainName, MailDomain};

pub(super) fn routes() -> Router<Arc<Pages>> {
    Router::new()
        .route("/o/{org}/domains", get(list).post(create))
        .route("/o/{org}/domains/{domain}/check", post(check))
        .route("/o/{org}/domains/{domain}/remove", get(ask_remove).post(remove))
}

async fn list(State(pages): Here, inside: Inside) -> Reply {
    let page = list_page(&pages, &inside, Field::default())
        .await
        .map_err(|error| inside.failed(error))?;
    Ok(reply::page(&page))
}

async fn list_page(pages: &Pages, inside: &Inside, domain: Field) -> Result<Domains, Error> {
    let acting = &inside.acting;
    let domains = pages.desk.domains(acting).await?;
    let mailboxes = pages.desk.mailboxes_by_domain(acting).await?;
    let rows = domains.iter().map(|domain| {
        let count = mailboxes.get(&domain.id).copied().unwrap_or_default();
        shown::row(pages, domain, count, domains.len() == 1)
    });
    Ok(Domains {
        frame: inside.frame(Place::Domains),
        rows: rows.collect(),
        domain,
        may_change: acting.may(Operation::DomainCreate) && acting.may(Operation::DomainDelete),
    })
}

/// A domain as people read it.
fn readable(domain: &DomainName) -> String {
    let (name, read) = idna::domain_to_unicode(domain.as_str());
    if read.is_ok() { name } else { domain.to_string() }
}

/// A new mail domain, as its form sends it.
struct NewForm {
    domain: String,
}

impl Form for NewForm {
    fn read(sent: &mut Sent) -> Self {
        Self {
            domain: sent.text("domain"),
        }
    }
}

async fn create(State(pages): Here, inside: Inside, Typed(typed): Typed<NewForm>) -> Reply {
    create_or_ask(&pages, &inside, typed)
        .await
        .map_err(|error| inside.failed(error))
}

async fn create_or_ask(pages: &Pages, inside: &Inside, typed: NewForm) -> Result<Response, Error> {
    let wrong = match pages.desk.create_domain(&inside.acting, &typed.domain).await {
        Ok(domain) => {
            let create = inside.acting.may(Operation::MailboxCreate);
            let create = create.then(|| inside.at("mailboxes/new"));
            let flash = done::domain_added(&readable(&domain.name), create);
            return Ok(reply::done(pages, &inside.person, flash, &inside.at("domains")));
        }
        Err(Error::BadDomain { given, .. }) if given.is_empty() => problem::missing(),
        Err(Error::BadDomain { .. }) => problem::domain(),
        Err(Error::DomainByOperator) => problem::domain_by_operator(),
        Err(Error::Store(store::Error::Conflict(_))) => problem::domain_taken(&typed.domain),
        Err(Error::Store(store::Error::Refused(why))) => Line::name(&why),
        Err(error) => return Err(error),
    };
    let mut page = list_page(pages, inside, Field::of(typed.domain).wrong(wrong)).await?;
    page.frame.is_refused = true;
    Ok(refused(&page))
}

/// Asks the DNS, while the browser waits: in the end there is something to see, with or without a script.
async fn check(State(pages): Here, There { inside, id }: There<DomainId>) -> Reply {
    let failed = |error| inside.failed(error);
    let domain = domain_of(&pages, &inside, id).await.map_err(failed)?;
    let name = readable(&domain.name);
    let flash = match pages.records.look(&domain).await {
        Ok(_) => {
            let row = shown::row(&pages, &domain, 0, true);
            done::domain_checked(&name, row.problems(), row.unanswered())
        }
        Err(Error::TooSoon { wait }) => done::checked_often(seconds_of(wait)),
        Err(error) => return Err(failed(error)),
    };
    Ok(reply::done(&pages, &inside.person, flash, &inside.at("domains")))
}

/// Whole seconds, after which it can be tried again.
fn seconds_of(wait: Duration) -> u64 {
    let begun = wait.subsec_nanos() > 0;
    wait.as_secs().saturating_add(u64::from(begun))
}

/// A domain that can be removed.
async fn removable(pages: &Pages, inside: &Inside, id: DomainId) -> Result<MailDomain, Error> {
    pages.desk.check(&inside.acting, Operation::DomainDelete).await?;
    domain_of(pages, inside, id).await
}

async fn domain_of(pages: &Pages, inside: &Inside, id: DomainId) -> Result<MailDomain, Error> {
    let domains = pages.desk.domains(&inside.acting).await?;
    domains
        .into_iter()
        .find(|domain| domain.id == id)
        .ok_or(Error::Unknown { what: "mail domain" })
}

async fn ask_remove(State(pages): Here, There { inside, id }: There<DomainId>) -> Reply {
    let domain = removable(&pages, &inside, id)
        .await
        .map_err(|error| inside.failed(error))?;
    Ok(reply::page(&Confirm::remove_domain(
        inside.frame(Place::Domains),
        &readable(&domain.name),
        inside.at(&format!("domains/{id}/remove")),
        inside.at("domains"),
    )))
}

async fn remove(State(pages): Here, There { inside, id }: There<DomainId>) -> Reply {
    let failed = |error| inside.failed(error);
    let domain = removable(&pages, &inside, id).await.map_err(failed)?;
    let flash = match pages.desk.delete_domain(&inside.acting, id).await {
        Ok(()) => done::domain_removed(&readable(&domain.name)),
        // It still has mailboxes or aliases; the store counts them.
        Err(Error::Store(store::Error::Refused(why) | store::Error::Conflict(why))) => Flash::problem(Line::name(&why)),
        Err(error) => return Err(failed(error)),
    };
    Ok(reply::done(&pages, &inside.person, flash, &inside.at("domains")))
}
