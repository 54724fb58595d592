//! `/o/{org}/people`: the list, a person, their role, and what ends when they are removed.

use axum::http::StatusCode;

use super::scope::*;
use crate::admin::console::view::confirm::Confirm;
use crate::admin::console::view::device::MailboxLink;
use crate::admin::console::view::error::{Conflict, Difference};
use crate::admin::console::view::people::{Leaving, People, Person, PersonAccess, PersonRole};
use crate::admin::console::view::{Flash, words};
use crate::model::{Grant, MailboxId, Role, UserId};
use crate::store::{DeviceOwner, DeviceQuery, Ending, MemberQuery, MemberRow, page};

/// Lines that a question lists of each kind.
const LISTED: usize = 100;
/// Mailboxes for which it is looked whether anybody else has access.
const LOOKED_AT: usize = 200;

pub(super) fn routes() -> Router<Arc<Pages>> {
    Router::new()
        .route("/o/{org}/people", get(list))
        .route("/o/{org}/people/{user}", get(one))
        .route("/o/{org}/people/{user}/role", get(ask_role).post(set_role))
        .route("/o/{org}/people/{user}/remove", get(ask_remove).post(remove))
}

async fn list(State(pages): Here, inside: Inside, Asked(asked): Asked<ListQuery>) -> Reply {
    let page = list_page(&pages, &inside, &asked)
        .await
        .map_err(|error| inside.failed(error))?;
    Ok(reply::page(&page))
}

async fn list_page(pages: &Pages, inside: &Inside, asked: &ListQuery) -> Result<People, Error> {
    let query = MemberQuery {
        text: asked.text(),
        role: asked.show.parse().ok(),
        after: asked.after.parse().ok(),
        limit: ROWS,
    };
    let page = pages.desk.members(&inside.acting, &query).await?;
    let rows: Vec<_> = page
        .rows
        .iter()
        .map(|row| rows::person(row, inside.acting.user.id))
        .collect();
    let filters: Vec<_> = Role::ALL
        .iter()
        .map(|role| (role.name(), Line::new(words::role(role))))
        .collect();
    let mut listing = asked.listing(inside.at("people"), &filters, page.next.map(|next| next.to_string()));
    listing.total = total(&listing, rows.len());
    Ok(People {
        frame: inside.frame(Place::People),
        listing,
        rows,
        may_invite: inside.acting.may(Operation::InvitationCreate),
    })
}

async fn one(State(pages): Here, There { inside, id }: There<UserId>) -> Reply {
    let page = person_page(&pages, &inside, id)
        .await
        .map_err(|error| inside.failed(error))?;
    Ok(reply::page(&page))
}

async fn person_page(pages: &Pages, inside: &Inside, id: UserId) -> Result<Person, Error> {
    let acting = &inside.acting;
    let row = pages.desk.member(acting, id).await?;
    let grants = pages.desk.grants_of(acting, id).await?;
    let is_last = row.member.role == Role::Owner && is_last_owner(pages, inside).await?;
    let may_change = may_change(inside, row.member.role);
    let devices = devices_of(pages, inside, id).await?;
    let leaving = Leaving {
        accesses: count(grants.len()),
        devices: row.devices.into(),
        unread: count(left_alone(pages, inside, &grants).await?.len()),
    };
    Ok(Person {
        frame: inside.frame(Place::People),
        person: rows::person(&row, acting.user.id),
        since: row.member.since,
        accesses: grants.iter().map(access).collect(),
        devices: rows::devices(pages, acting.org.id, &devices),
        leaving,
        may_change_role: acting.may(Operation::MemberRole) && may_change && !is_last,
        may_change_access: acting.may(Operation::GrantGive),
        may_remove: acting.may(Operation::MemberRemove) && may_change && !is_last,
        why_not: is_last.then(problem::last_owner),
    })
}

fn count(of: usize) -> u64 {
    u64::try_from(of).unwrap_or(u64::MAX)
}

fn access(grant: &Grant) -> PersonAccess {
    PersonAccess {
        mailbox: MailboxLink {
            id: grant.mailbox,
            address: grant.address.to_string(),
        },
        rights: grant.rights.iter().collect(),
        ends_at: grant.ends_at,
    }
}

/// Whether a page offers to change somebody who has this role.
fn may_change(inside: &Inside, role: Role) -> bool {
    role != Role::Owner || inside.acting.may(Operation::OwnerChange)
}

async fn is_last_owner(pages: &Pages, inside: &Inside) -> Result<bool, Error> {
    let query = MemberQuery {
        role: Some(Role::Owner),
        limit: 2,
        ..MemberQuery::default()
    };
    Ok(pages.desk.members(&inside.acting, &query).await?.rows.len() < 2)
}

async fn devices_of(pages: &Pages, inside: &Inside, id: UserId) -> Result<Vec<store::DeviceRow>, Error> {
    let query = DeviceQuery {
        owner: Some(DeviceOwner::User(id)),
        limit: page::PAGE_MAX,
        ..DeviceQuery::default()
    };
    Ok(pages.desk.devices(&inside.acting, &query).await?.rows)
}

/// The mailboxes among these that nobody else has access to.
async fn left_alone(pages: &Pages, inside: &Inside, grants: &[Grant]) -> Result<Vec<String>, Error> {
    let looked_at: Vec<MailboxId> = grants.iter().take(LOOKED_AT).map(|grant| grant.mailbox).collect();
    if looked_at.is_empty() {
        return Ok(Vec::new());
    }
    let people = pages.desk.people_on(&inside.acting, looked_at.into_iter(), 2).await?;
    let alone = grants
        .iter()
        .filter(|grant| people.get(&grant.mailbox).is_some_and(|names| names.len() < 2));
    Ok(alone.map(|grant| grant.address.to_string()).collect())
}

/// A role, as its form sends it; `revision` is the one that was seen, and `sure` says that what ends was shown.
#[derive(Clone)]
struct RoleForm {
    role: String,
    revision: String,
    sure: bool,
}

impl Form for RoleForm {
    fn read(sent: &mut Sent) -> Self {
        Self {
            role: sent.text("role"),
            revision: sent.text("revision"),
            sure: sent.text("sure") == "yes",
        }
    }
}

async fn ask_role(State(pages): Here, There { inside, id }: There<UserId>, Asked(typed): Asked<RoleForm>) -> Reply {
    let page = role_page(&pages, &inside, id, &typed)
        .await
        .map_err(|error| inside.failed(error))?;
    Ok(reply::page(&page))
}

async fn role_page(pages: &Pages, inside: &Inside, id: UserId, typed: &RoleForm) -> Result<PersonRole, Error> {
    let row = changeable(pages, inside, id, Operation::MemberRole).await?;
    let now = row.member.role.name();
    let or_now = |typed: &str| {
        if typed.is_empty() {
            now.to_owned()
        } else {
            typed.to_owned()
        }
    };
    let offered = Role::ALL.iter().copied().filter(|role| may_change(inside, *role));
    Ok(PersonRole {
        frame: inside.frame(Place::People),
        id,
        name: row.member.user.name,
        role: Field::of(or_now(&typed.role)),
        offered: offered.collect(),
        revision: or_now(&typed.revision),
    })
}

/// Somebody whom whoever acts may change.
async fn changeable(pages: &Pages, inside: &Inside, id: UserId, operation: Operation) -> Result<MemberRow, Error> {
    pages.desk.check(&inside.acting, operation).await?;
    let row = pages.desk.member(&inside.acting, id).await?;
    if row.member.role == Role::Owner {
        pages.desk.check(&inside.acting, Operation::OwnerChange).await?;
    }
    Ok(row)
}

async fn set_role(State(pages): Here, There { inside, id }: There<UserId>, Typed(typed): Typed<RoleForm>) -> Reply {
    set_or_ask(&pages, &inside, id, typed)
        .await
        .map_err(|error| inside.failed(error))
}

async fn set_or_ask(pages: &Pages, inside: &Inside, id: UserId, typed: RoleForm) -> Result<Response, Error> {
    let row = changeable(pages, inside, id, Operation::MemberRole).await?;
    let back = inside.at(&format!("people/{id}"));
    let (Ok(to), Ok(from)) = (typed.role.parse::<Role>(), typed.revision.parse::<Role>()) else {
        return refused_role(pages, inside, id, &typed, problem::choose()).await;
    };
    if to == from && row.member.role == to {
        return Ok(reply::done(pages, &inside.person, done::unchanged(), &back));
    }
    if !typed.sure {
        let ending = pages.desk.ending_with_role(&inside.acting, id, (from, to)).await?;
        if !ending.devices.is_empty() {
            let page = lower_page(pages, inside, &row, (from, to), &ending);
            return Ok(reply::page(&page));
        }
    }
    let before = pages.before_change();
    match pages.desk.set_role(&inside.acting, id, from, to).await {
        Ok(changed) => {
            let devices = count(changed.ended.what.devices.len());
            let flash = if devices == 0 {
                done::saved()
            } else {
                let ended = pages.applied(before, changed.ended.seq).await;
                done::role_lowered(&row.member.user.name, devices, ended)
            };
            Ok(reply::done(pages, &inside.person, flash, &back))
        }
        Err(Error::StepUp) => {
            let form = with_query(
                &format!("{back}/role"),
                &[("role", &typed.role), ("revision", &typed.revision)],
            );
            Ok(prove_again(&form))
        }
        Err(Error::Store(store::Error::Refused(_))) if from == Role::Owner => {
            refused_role(pages, inside, id, &typed, problem::last_owner()).await
        }
        Err(Error::Store(store::Error::Stale { by, at })) => conflict(pages, inside, id, to, (&by, at)).await,
        Err(error) => Err(error),
    }
}

/// The question before a role that takes devices along.
fn lower_page(pages: &Pages, inside: &Inside, row: &MemberRow, (from, to): (Role, Role), ending: &Ending) -> Confirm {
    let user = &row.member.user;
    let devices: Vec<_> = ending.devices.iter().map(|row| rows::ending(pages, row)).collect();
    let back = inside.at(&format!("people/{}/role", user.id));
    let frame = inside.frame(Place::People);
    let mut page = Confirm::lower_role(frame, &user.name, (from, to), &devices, back.clone(), back);
    page.ends = rows::cut(page.ends, LISTED);
    also_ending(&mut page, ending, &user.name);
    page
}

async fn refused_role(
    pages: &Pages,
    inside: &Inside,
    id: UserId,
    typed: &RoleForm,
    why: Line,
) -> Result<Response, Error> {
    let mut page = role_page(pages, inside, id, typed).await?;
    page.role = page.role.wrong(why);
    page.frame.is_refused = true;
    Ok(refused(&page))
}

/// Somebody gave them another role meanwhile.
async fn conflict(
    pages: &Pages,
    inside: &Inside,
    id: UserId,
    mine: Role,
    (by, at): (&str, Timestamp),
) -> Result<Response, Error> {
    let row = pages.desk.member(&inside.acting, id).await?;
    let theirs = row.member.role;
    let frame = inside.frame(Place::People);
    let said = |role: &Role| frame.say(words::role(role)).plain();
    let page = Conflict {
        what: row.member.user.name.clone(),
        who: rows::changed_by(pages, by).await?,
        at,
        differences: vec![Difference {
            label: Line::new("word-role"),
            theirs: said(&theirs),
            mine: said(&mine),
        }],
        action: inside.at(&format!("people/{id}/role")),
        fields: vec![
            ("role".to_owned(), mine.name().to_owned()),
            ("revision".to_owned(), theirs.name().to_owned()),
        ],
        theirs: inside.at(&format!("people/{id}")),
        frame,
    };
    Ok(reply::with_status(StatusCode::CONFLICT, &page))
}

async fn ask_remove(State(pages): Here, There { inside, id }: There<UserId>) -> Reply {
    let page = remove_page(&pages, &inside, id)
        .await
        .map_err(|error| inside.failed(error))?;
    Ok(reply::page(&page))
}

async fn remove_page(pages: &Pages, inside: &Inside, id: UserId) -> Result<Confirm, Error> {
    let row = changeable(pages, inside, id, Operation::MemberRemove).await?;
    let name = &row.member.user.name;
    let ending = pages.desk.ending_with_member(&inside.acting, id).await?;
    let mailboxes: Vec<_> = ending.grants.iter().map(|grant| grant.address.to_string()).collect();
    let devices: Vec<_> = ending.devices.iter().map(|row| rows::ending(pages, row)).collect();
    let alone = left_alone(pages, inside, &ending.grants).await?;
    let mut page = Confirm::remove_member(
        inside.frame(Place::People),
        name,
        &mailboxes,
        &devices,
        &alone,
        inside.at(&format!("people/{id}/remove")),
        inside.at(&format!("people/{id}")),
    );
    page.hidden = vec![("revision", row.member.role.name().to_owned())];
    page.ends = rows::cut(page.ends, LISTED);
    page.stays = rows::cut(page.stays, LISTED);
    also_ending(&mut page, &ending, name);
    Ok(page)
}

/// What ends besides accesses and devices, and what of it goes on.
pub(super) fn also_ending(page: &mut Confirm, ending: &Ending, name: &str) {
    let narrowed = ending.narrowed.iter().take(LISTED);
    page.ends.extend(narrowed.map(|row| {
        Line::new("ends-narrowed")
            .with("device", &row.device.label)
            .with("mailbox", &row.address)
    }));
    let invitations = ending.invitations.iter().take(LISTED);
    page.ends
        .extend(invitations.map(|one| Line::new("ends-invitation").with("address", &one.address)));
    if ending.tokens > 0 {
        page.ends.push(
            Line::new("ends-their-tokens")
                .with("name", name)
                .with("count", ending.tokens),
        );
    }
    // How many sessions they have, and whether any of them goes on for another organisation, is nobody's business here.
    page.ends.push(Line::new("ends-their-sessions").with("name", name));
}

/// A removal, as its form sends it; `revision` is the role that was seen.
struct RemoveForm {
    revision: String,
}

impl Form for RemoveForm {
    fn read(sent: &mut Sent) -> Self {
        Self {
            revision: sent.text("revision"),
        }
    }
}

async fn remove(State(pages): Here, There { inside, id }: There<UserId>, Typed(typed): Typed<RemoveForm>) -> Reply {
    remove_or_say(&pages, &inside, id, &typed)
        .await
        .map_err(|error| inside.failed(error))
}

async fn remove_or_say(pages: &Pages, inside: &Inside, id: UserId, typed: &RemoveForm) -> Result<Response, Error> {
    let row = changeable(pages, inside, id, Operation::MemberRemove).await?;
    let question = inside.at(&format!("people/{id}/remove"));
    let Ok(seen) = typed.revision.parse::<Role>() else {
        return Ok(reply::to(&question));
    };
    let before = pages.before_change();
    let removed = match pages.desk.remove_member(&inside.acting, id, seen).await {
        Ok(removed) => removed,
        Err(Error::Store(store::Error::Stale { .. })) => {
            let flash = Flash::problem(problem::role_changed(&row.member.user.name));
            return Ok(reply::done(pages, &inside.person, flash, &question));
        }
        Err(Error::Store(store::Error::Refused(_))) if row.member.role == Role::Owner => {
            let flash = Flash::problem(problem::last_owner());
            return Ok(reply::done(
                pages,
                &inside.person,
                flash,
                &inside.at(&format!("people/{id}")),
            ));
        }
        Err(error) => return Err(error),
    };
    let ended = pages.applied(before, removed.seq).await;
    let devices = count(removed.what.devices.len());
    let flash = done::member_removed(&row.member.user.name, &inside.acting.org.name, devices, ended);
    // Whoever removed themselves is at home somewhere else now.
    let next = if id == inside.acting.user.id {
        "/".to_owned()
    } else {
        inside.at("people")
    };
    Ok(reply::done(pages, &inside.person, flash, &next))
}
