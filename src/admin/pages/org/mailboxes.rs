//! `/o/{org}/mailboxes`: the list, a new one, and the page after it was created.

use super::scope::*;
use crate::admin::console::view::mailboxes::{MailboxCreated, MailboxRow, Mailboxes, NewMailbox};
use crate::admin::lists::SILENT;
use crate::model::{Address, MailDomain, MailboxId};
use crate::store::MailboxQuery;

/// People with access that a row names.
const NAMED: usize = 3;
/// With more mail domains than this, a filter for each would hide the list.
const DOMAIN_FILTERS: usize = 8;

pub(super) fn routes() -> Router<Arc<Pages>> {
    Router::new()
        .route("/o/{org}/mailboxes", get(list))
        .route("/o/{org}/mailboxes/new", get(new).post(create))
        .route("/o/{org}/mailboxes/{mailbox}/created", get(created))
}

async fn list(State(pages): Here, inside: Inside, Asked(asked): Asked<ListQuery>) -> Reply {
    let page = filled(&pages, &inside, &asked)
        .await
        .map_err(|error| inside.failed(error))?;
    Ok(reply::page(&page))
}

async fn filled(pages: &Pages, inside: &Inside, asked: &ListQuery) -> Result<Mailboxes, Error> {
    let acting = &inside.acting;
    let domains = pages.desk.domains(acting).await?;
    let query = MailboxQuery {
        domain: domains
            .iter()
            .find(|domain| domain.name.as_str() == asked.show)
            .map(|domain| domain.id),
        text: asked.text(),
        suspended: (asked.show == "suspended").then_some(true),
        unreachable: asked.show == "unread",
        after: Address::parse(&asked.after).ok(),
        limit: ROWS,
    };
    let page = pages.desk.mailboxes(acting, &query).await?;
    let with_people = page.rows.iter().filter(|row| row.people > 0).map(|row| row.mailbox.id);
    let mut people = pages.desk.people_on(acting, with_people, NAMED).await?;
    let rows = page.rows.iter().map(|row| MailboxRow {
        id: row.mailbox.id,
        address: row.mailbox.address.to_string(),
        people: people.remove(&row.mailbox.id).unwrap_or_default(),
        people_count: row.people.into(),
        devices: row.mailbox.active_devices.into(),
        is_silent: is_silent(pages, row),
        aliases: row.aliases.into(),
        last_used: row.last_use.as_ref().map(|(at, _, device)| (*at, device.clone())),
        suspended_at: row.mailbox.suspended_at,
    });
    let rows: Vec<_> = rows.collect();
    let mut listing = asked.listing(
        inside.at("mailboxes"),
        &filters(&domains),
        page.next.map(|next| next.to_string()),
    );
    listing.total = total(&listing, rows.len());
    Ok(Mailboxes {
        frame: inside.frame(Place::Mailboxes),
        listing,
        rows,
        has_domain: !domains.is_empty(),
        may_create: acting.may(Operation::MailboxCreate),
    })
}

/// It has devices, and none of them signed in for long.
fn is_silent(pages: &Pages, row: &store::MailboxRow) -> bool {
    let since = pages.clock.utc().minus(SILENT);
    row.mailbox.active_devices > 0 && row.last_use.as_ref().is_none_or(|(at, ..)| *at < since)
}

fn filters(domains: &[MailDomain]) -> Vec<(&str, Line)> {
    let mut filters = vec![
        ("unread", Line::new("mailbox-unread")),
        ("suspended", Line::new("mailbox-suspended")),
    ];
    if (2..=DOMAIN_FILTERS).contains(&domains.len()) {
        filters.extend(
            domains
                .iter()
                .map(|domain| (domain.name.as_str(), Line::name(&domain.name))),
        );
    }
    filters
}

/// A new mailbox, as its form sends it.
struct NewForm {
    local: String,
    domain: String,
}

impl Form for NewForm {
    fn read(sent: &mut Sent) -> Self {
        Self {
            local: sent.text("local"),
            domain: sent.text("domain"),
        }
    }
}

async fn new(State(pages): Here, inside: Inside, Asked(typed): Asked<NewForm>) -> Reply {
    let page = new_page(&pages, &inside, typed)
        .await
        .map_err(|error| inside.failed(error))?;
    Ok(reply::page(&page))
}

async fn new_page(pages: &Pages, inside: &Inside, typed: NewForm) -> Result<NewMailbox, Error> {
    pages.desk.check(&inside.acting, Operation::MailboxCreate).await?;
    let domains = pages.desk.domains(&inside.acting).await?;
    Ok(NewMailbox {
        frame: inside.frame(Place::Mailboxes),
        local: Field::of(typed.local),
        domain: Field::of(typed.domain),
        domains: domains.into_iter().map(|domain| domain.name.to_string()).collect(),
    })
}

async fn create(State(pages): Here, inside: Inside, Typed(typed): Typed<NewForm>) -> Reply {
    create_or_ask(&pages, &inside, typed)
        .await
        .map_err(|error| inside.failed(error))
}

async fn create_or_ask(pages: &Pages, inside: &Inside, typed: NewForm) -> Result<Response, Error> {
    let wrong = match form::address(&typed.local, &typed.domain) {
        Ok(address) => match pages.desk.create_mailbox(&inside.acting, &address).await {
            Ok(mailbox) => return Ok(reply::to(&inside.at(&format!("mailboxes/{}/created", mailbox.id)))),
            Err(error) => form::bad_address(error, &typed.local, &address)?,
        },
        Err(wrong) => wrong,
    };
    let mut page = new_page(pages, inside, typed).await?;
    page.local = page.local.wrong(wrong);
    page.frame.is_refused = true;
    Ok(refused(&page))
}

async fn created(State(pages): Here, There { inside, id }: There<MailboxId>) -> Reply {
    let row = pages
        .desk
        .mailbox(&inside.acting, id)
        .await
        .map_err(|error| inside.failed(error))?;
    let rights = pages
        .desk
        .rights_on(&inside.acting, id)
        .await
        .map_err(|error| inside.failed(error))?;
    let may = |operation| inside.acting.may_on(rights, operation);
    Ok(reply::page(&MailboxCreated {
        frame: inside.frame(Place::Mailboxes),
        id,
        address: row.mailbox.address.to_string(),
        may_grant: may(Operation::GrantGive),
        may_add_device: may(Operation::DeviceAdd) || may(Operation::OwnDeviceAdd),
    }))
}
