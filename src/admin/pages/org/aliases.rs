//! Aliases of a mailbox: a new one, its own page (what an alias is, and the way to what people look for there), removal.

use super::mailbox::{alias_row, place};
use super::mailbox_end::path;
use super::scope::*;
use crate::admin::console::view::confirm::Confirm;
use crate::admin::console::view::device::MailboxLink;
use crate::admin::console::view::mailboxes::{AliasPage, NewAlias};
use crate::model::{Alias, AliasId, MailboxId};

pub(super) fn routes() -> Router<Arc<Pages>> {
    Router::new()
        .route("/o/{org}/mailboxes/{mailbox}/aliases/new", get(new).post(create))
        .route("/o/{org}/mailboxes/{mailbox}/aliases/{alias}", get(one))
        .route(
            "/o/{org}/mailboxes/{mailbox}/aliases/{alias}/delete",
            get(ask_delete).post(delete),
        )
}

/// A new alias, as its form sends it.
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

async fn new(State(pages): Here, There { inside, id }: There<MailboxId>, Asked(typed): Asked<NewForm>) -> Reply {
    let page = new_page(&pages, &inside, id, typed)
        .await
        .map_err(|error| inside.failed(error))?;
    Ok(reply::page(&page))
}

async fn new_page(pages: &Pages, inside: &Inside, id: MailboxId, typed: NewForm) -> Result<NewAlias, Error> {
    let row = pages
        .desk
        .check_on(&inside.acting, &[Operation::AliasCreate], id)
        .await?;
    // Whoever sees one mailbox only knows of its domain.
    let domains = if inside.acting.may(Operation::OrgRead) {
        let domains = pages.desk.domains(&inside.acting).await?;
        domains.into_iter().map(|domain| domain.name.to_string()).collect()
    } else {
        vec![row.mailbox.address.domain().to_string()]
    };
    let chosen = if typed.domain.is_empty() {
        row.mailbox.address.domain().to_string()
    } else {
        typed.domain
    };
    Ok(NewAlias {
        frame: inside.frame(place(inside)),
        mailbox: MailboxLink {
            id,
            address: row.mailbox.address.to_string(),
        },
        local: Field::of(typed.local),
        domain: Field::of(chosen),
        domains,
    })
}

async fn create(State(pages): Here, There { inside, id }: There<MailboxId>, Typed(typed): Typed<NewForm>) -> Reply {
    create_or_ask(&pages, &inside, id, typed)
        .await
        .map_err(|error| inside.failed(error))
}

async fn create_or_ask(pages: &Pages, inside: &Inside, id: MailboxId, typed: NewForm) -> Result<Response, Error> {
    let wrong = match form::address(&typed.local, &typed.domain) {
        Ok(address) => match pages.desk.create_alias(&inside.acting, id, &address).await {
            Ok(alias) => {
                let flash = done::alias_added(alias.address.as_str(), alias.target.as_str());
                return Ok(reply::done(pages, &inside.person, flash, &path(inside, id, "/aliases")));
            }
            Err(error) => form::bad_address(error, &typed.local, &address)?,
        },
        Err(wrong) => wrong,
    };
    let mut page = new_page(pages, inside, id, typed).await?;
    page.local = page.local.wrong(wrong);
    page.frame.is_refused = true;
    Ok(refused(&page))
}

/// An alias of a mailbox that whoever acts may see.
async fn alias_of(pages: &Pages, inside: &Inside, mailbox: MailboxId, id: AliasId) -> Result<Alias, Error> {
    let aliases = pages.desk.aliases(&inside.acting, mailbox).await?;
    aliases
        .into_iter()
        .find(|alias| alias.id == id)
        .ok_or(Error::Unknown { what: "alias" })
}

async fn one(State(pages): Here, There { inside, id }: There<(MailboxId, AliasId)>) -> Reply {
    let failed = |error| inside.failed(error);
    let (mailbox, alias) = id;
    let alias = alias_of(&pages, &inside, mailbox, alias).await.map_err(failed)?;
    let rights = pages.desk.rights_on(&inside.acting, mailbox).await.map_err(failed)?;
    let may = |operation| inside.acting.may_on(rights, operation);
    Ok(reply::page(&AliasPage {
        frame: inside.frame(place(&inside)),
        alias: alias_row(&alias),
        mailbox: MailboxLink {
            id: mailbox,
            address: alias.target.to_string(),
        },
        may_add_device: may(Operation::DeviceAdd) || may(Operation::OwnDeviceAdd),
        may_remove: may(Operation::AliasDelete),
    }))
}

async fn ask_delete(State(pages): Here, There { inside, id }: There<(MailboxId, AliasId)>) -> Reply {
    let failed = |error| inside.failed(error);
    let (mailbox, alias) = id;
    pages
        .desk
        .check_on(&inside.acting, &[Operation::AliasDelete], mailbox)
        .await
        .map_err(failed)?;
    let alias = alias_of(&pages, &inside, mailbox, alias).await.map_err(failed)?;
    Ok(reply::page(&Confirm::delete_alias(
        inside.frame(place(&inside)),
        alias.address.as_str(),
        alias.target.as_str(),
        path(&inside, mailbox, &format!("/aliases/{}/delete", alias.id)),
        path(&inside, mailbox, &format!("/aliases/{}", alias.id)),
    )))
}

async fn delete(State(pages): Here, There { inside, id }: There<(MailboxId, AliasId)>) -> Reply {
    let failed = |error| inside.failed(error);
    let (mailbox, alias) = id;
    let alias = alias_of(&pages, &inside, mailbox, alias).await.map_err(failed)?;
    pages
        .desk
        .delete_alias(&inside.acting, mailbox, alias.id)
        .await
        .map_err(failed)?;
    let flash = done::alias_removed(alias.address.as_str());
    Ok(reply::done(
        &pages,
        &inside.person,
        flash,
        &path(&inside, mailbox, "/aliases"),
    ))
}
