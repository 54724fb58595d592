//! `/o/{org}/mailboxes/{mailbox}` and its tabs: people, devices, aliases, activity.

use super::devices::{filters, page_of};
use super::scope::*;
use crate::admin::console::view::device::PersonLink;
use crate::admin::console::view::mailboxes::{
    AccessRow, AliasRow, InvitedRow, MailboxActivity, MailboxAliases, MailboxDevices, MailboxHead, MailboxPeople,
};
use crate::model::{Alias, MailboxId, Rights};
use crate::store::{DeviceOwner, DeviceQuery, InvitationQuery, page};

pub(super) fn routes() -> Router<Arc<Pages>> {
    Router::new()
        .route("/o/{org}/mailboxes/{mailbox}", get(first_tab))
        .route("/o/{org}/mailboxes/{mailbox}/people", get(people))
        .route("/o/{org}/mailboxes/{mailbox}/devices", get(devices))
        .route("/o/{org}/mailboxes/{mailbox}/aliases", get(aliases))
        .route("/o/{org}/mailboxes/{mailbox}/activity", get(activity))
}

/// What stands above the tabs of a mailbox, and what was granted on it to whoever looks.
struct Top {
    rights: Rights,
    head: MailboxHead,
}

impl Top {
    async fn of(pages: &Pages, inside: &Inside, id: MailboxId) -> Result<Self, Error> {
        let acting = &inside.acting;
        let row = pages.desk.mailbox(acting, id).await?;
        let rights = pages.desk.rights_on(acting, id).await?;
        let may = |operation| acting.may_on(rights, operation);
        let devices = if may(Operation::DeviceRead) {
            row.mailbox.active_devices.into()
        } else {
            own_devices(pages, inside, id).await?
        };
        let head = MailboxHead {
            id,
            address: row.mailbox.address.to_string(),
            suspended_at: row.mailbox.suspended_at,
            people: row.people.into(),
            devices,
            aliases: row.aliases.into(),
            from_list: acting.may(Operation::OrgRead),
            may_see_people: may(Operation::GrantRead),
            may_grant: may(Operation::GrantGive),
            may_add_device: may(Operation::DeviceAdd) || may(Operation::OwnDeviceAdd),
            may_manage_devices: may(Operation::DeviceRevoke),
            may_manage_aliases: may(Operation::AliasCreate),
            may_change: may(Operation::MailboxSuspend),
        };
        Ok(Self { rights, head })
    }

    fn may(&self, inside: &Inside, operation: Operation) -> bool {
        inside.acting.may_on(self.rights, operation)
    }
}

/// How many devices of one's own there are, for whoever may not know of others.
async fn own_devices(pages: &Pages, inside: &Inside, mailbox: MailboxId) -> Result<u64, Error> {
    let query = DeviceQuery {
        mailbox: Some(mailbox),
        owner: Some(DeviceOwner::User(inside.acting.user.id)),
        limit: page::PAGE_MAX,
        ..DeviceQuery::default()
    };
    let own = pages.desk.devices(&inside.acting, &query).await?;
    Ok(u64::try_from(own.rows.len()).unwrap_or(u64::MAX))
}

/// The place of the navigation that a mailbox is at: members come from their own mailboxes.
pub(super) fn place(inside: &Inside) -> Place {
    if inside.acting.may(Operation::OrgRead) {
        Place::Mailboxes
    } else {
        Place::MyMailboxes
    }
}

async fn first_tab(here: Here, there: There<MailboxId>) -> Reply {
    if there.inside.acting.may(Operation::GrantRead) {
        people(here, there).await
    } else {
        devices(here, there, Asked(ListQuery::default())).await
    }
}

async fn people(State(pages): Here, There { inside, id }: There<MailboxId>) -> Reply {
    let page = people_page(&pages, &inside, id)
        .await
        .map_err(|error| inside.failed(error))?;
    Ok(reply::page(&page))
}

async fn people_page(pages: &Pages, inside: &Inside, id: MailboxId) -> Result<MailboxPeople, Error> {
    let top = Top::of(pages, inside, id).await?;
    let grants = pages.desk.grants_on(&inside.acting, id).await?;
    let rows = grants.into_iter().map(|row| AccessRow {
        person: PersonLink {
            id: row.grant.user,
            name: row.name,
        },
        address: row.user_address.to_string(),
        rights: row.grant.rights.iter().collect(),
        ends_at: row.grant.ends_at,
        devices: row.devices.into(),
        since: row.grant.created_at,
    });
    Ok(MailboxPeople {
        frame: inside.frame(place(inside)),
        rows: rows.collect(),
        invited: invited(pages, inside, id).await?,
        head: top.head,
    })
}

/// Invitations under way that will give access to this mailbox.
async fn invited(pages: &Pages, inside: &Inside, id: MailboxId) -> Result<Vec<InvitedRow>, Error> {
    if !inside.acting.may(Operation::InvitationRead) {
        return Ok(Vec::new());
    }
    let query = InvitationQuery {
        open: true,
        before: None,
        limit: page::PAGE_MAX,
    };
    let open = pages.desk.invitations(&inside.acting, &query).await?;
    let of_this = open.rows.into_iter().filter_map(|invitation| {
        let grant = invitation.grants.iter().find(|grant| grant.mailbox == id)?;
        Some(InvitedRow {
            id: invitation.id,
            address: invitation.address.to_string(),
            rights: grant.rights.iter().collect(),
            until: invitation.expires_at,
        })
    });
    Ok(of_this.collect())
}

async fn devices(State(pages): Here, There { inside, id }: There<MailboxId>, Asked(asked): Asked<ListQuery>) -> Reply {
    let page = devices_page(&pages, &inside, id, &asked)
        .await
        .map_err(|error| inside.failed(error))?;
    Ok(reply::page(&page))
}

async fn devices_page(
    pages: &Pages,
    inside: &Inside,
    id: MailboxId,
    asked: &ListQuery,
) -> Result<MailboxDevices, Error> {
    let top = Top::of(pages, inside, id).await?;
    let page = page_of(pages, inside, asked, Some(id)).await?;
    let rows = rows::devices_and_links(pages, &inside.acting, &page.rows).await?;
    let path = inside.at(&format!("mailboxes/{id}/devices"));
    let mut listing = asked.listing(path, &filters(), page.next);
    listing.total = total(&listing, rows.len());
    Ok(MailboxDevices {
        frame: inside.frame(place(inside)),
        listing,
        rows,
        only_own: !top.may(inside, Operation::DeviceRead),
        head: top.head,
    })
}

/// An alias in a list.
pub(super) fn alias_row(alias: &Alias) -> AliasRow {
    AliasRow {
        id: alias.id,
        address: alias.address.to_string(),
        created_at: alias.created_at,
    }
}

async fn aliases(State(pages): Here, There { inside, id }: There<MailboxId>) -> Reply {
    let failed = |error| inside.failed(error);
    let top = Top::of(&pages, &inside, id).await.map_err(failed)?;
    let aliases = pages.desk.aliases(&inside.acting, id).await.map_err(failed)?;
    Ok(reply::page(&MailboxAliases {
        frame: inside.frame(place(&inside)),
        head: top.head,
        rows: aliases.iter().map(alias_row).collect(),
    }))
}

/// On which page of the activity.
struct Older {
    before: Option<i64>,
}

impl Form for Older {
    fn read(sent: &mut Sent) -> Self {
        Self {
            before: sent.text("before").parse().ok(),
        }
    }
}

async fn activity(State(pages): Here, There { inside, id }: There<MailboxId>, Asked(older): Asked<Older>) -> Reply {
    let page = activity_page(&pages, &inside, id, older.before)
        .await
        .map_err(|error| inside.failed(error))?;
    Ok(reply::page(&page))
}

async fn activity_page(
    pages: &Pages,
    inside: &Inside,
    id: MailboxId,
    before: Option<i64>,
) -> Result<MailboxActivity, Error> {
    let top = Top::of(pages, inside, id).await?;
    let page = pages.desk.mailbox_activity(&inside.acting, id, before, ROWS).await?;
    let path = inside.at(&format!("mailboxes/{id}/activity"));
    let listing = Listing {
        first: before.map(|_| path.clone()),
        next: page
            .next
            .map(|next| with_query(&path, &[("before", &next.to_string())])),
        path,
        ..Listing::default()
    };
    Ok(MailboxActivity {
        frame: inside.frame(place(inside)),
        listing,
        rows: rows::activity(pages, inside, &page.rows).await?,
        head: top.head,
    })
}
