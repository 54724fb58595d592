//! Access of a person to a mailbox: given, changed, withdrawn.

use axum::http::StatusCode;

use super::invitations::link_page;
use super::mailbox_end::path;
use super::people::also_ending;
use super::scope::*;
use crate::admin::console::view::access::{AccessPage, NewAccess};
use crate::admin::console::view::confirm::Confirm;
use crate::admin::console::view::device::{MailboxLink, PersonLink};
use crate::admin::console::view::error::{Conflict, Difference};
use crate::admin::console::view::{Choice, Ticks, words};
use crate::directory::desk::InviteSpec;
use crate::model::{Address, Grant, Language, MailboxId, Right, Rights, Role, UserId};
use crate::store::{GrantTerms, MemberQuery, MemberRow, page};

/// Ticked where somebody is given access for the first time.
const USUAL: [Right; 2] = [Right::SeeDevices, Right::AddOwnDevices];

pub(super) fn routes() -> Router<Arc<Pages>> {
    Router::new()
        .route("/o/{org}/mailboxes/{mailbox}/people/new", get(new).post(give))
        .route("/o/{org}/mailboxes/{mailbox}/people/{user}", get(one).post(change))
        .route(
            "/o/{org}/mailboxes/{mailbox}/people/{user}/withdraw",
            get(ask_withdraw).post(withdraw),
        )
}

/// Access to be given, as its form sends it.
struct NewForm {
    person: String,
    address: String,
    rights: Vec<String>,
    ends: String,
    language: String,
    then: String,
}

impl Form for NewForm {
    fn read(sent: &mut Sent) -> Self {
        Self {
            person: sent.text("person"),
            address: sent.text("address"),
            rights: sent.all("rights"),
            ends: sent.text("ends"),
            language: sent.text("language"),
            then: sent.text("then"),
        }
    }
}

async fn new(State(pages): Here, There { inside, id }: There<MailboxId>, Asked(mut typed): Asked<NewForm>) -> Reply {
    if typed.rights.is_empty() {
        typed.rights = USUAL.iter().map(|right| right.name().to_owned()).collect();
    }
    let page = new_page(&pages, &inside, id, &typed)
        .await
        .map_err(|error| inside.failed(error))?;
    Ok(prove_first(&pages, &inside).unwrap_or_else(|| reply::page(&page)))
}

async fn new_page(pages: &Pages, inside: &Inside, id: MailboxId, typed: &NewForm) -> Result<NewAccess, Error> {
    let acting = &inside.acting;
    let row = pages.desk.check_on(acting, &[Operation::GrantGive], id).await?;
    let having = pages.desk.grants_on(acting, id).await?;
    let members = members(pages, inside, None).await?;
    let without = members
        .into_iter()
        .filter(|row| !having.iter().any(|grant| grant.grant.user == row.member.user.id));
    let language = if typed.language.is_empty() {
        acting.user.language.name()
    } else {
        &typed.language
    };
    Ok(NewAccess {
        frame: inside.frame(Place::Mailboxes),
        mailbox: MailboxLink {
            id,
            address: row.mailbox.address.to_string(),
        },
        people: without.map(|row| choice(&row)).collect(),
        person: Field::of(&typed.person),
        address: Field::of(&typed.address),
        language: Field::of(language),
        rights: Ticks::of(&typed.rights),
        ends: Field::of(&typed.ends),
        may_invite: acting.may(Operation::InvitationCreate),
        then: if typed.then == "device" {
            "device".to_owned()
        } else {
            String::new()
        },
    })
}

/// Members to choose from; or those who have this in name or address.
async fn members(pages: &Pages, inside: &Inside, text: Option<String>) -> Result<Vec<MemberRow>, Error> {
    let query = MemberQuery {
        text,
        limit: page::PAGE_MAX,
        ..MemberQuery::default()
    };
    Ok(pages.desk.members(&inside.acting, &query).await?.rows)
}

fn choice(row: &MemberRow) -> Choice {
    let user = &row.member.user;
    Choice {
        value: user.id.to_string(),
        name: format!("{} ({})", user.name, user.address),
    }
}

async fn give(State(pages): Here, There { inside, id }: There<MailboxId>, Typed(typed): Typed<NewForm>) -> Reply {
    give_or_ask(&pages, &inside, id, typed)
        .await
        .map_err(|error| inside.failed(error))
}

/// Whom a form names.
enum Whom {
    Member(UserId),
    Address(Address),
}

async fn give_or_ask(pages: &Pages, inside: &Inside, id: MailboxId, typed: NewForm) -> Result<Response, Error> {
    let mut page = new_page(pages, inside, id, &typed).await?;
    let rights = form::rights(&typed.rights).map_err(|why| page.rights.error = Some(why));
    let ends_at = form::end(&page.frame.text, &typed.ends, None).map_err(|why| page.ends.error = Some(why));
    let whom = whom(pages, inside, &typed, &mut page).await?;
    if let (Some(whom), Ok(rights), Ok(ends_at)) = (whom, rights, ends_at) {
        let terms = GrantTerms { rights, ends_at };
        let given = match whom {
            Whom::Member(user) => grant(pages, inside, id, user, &terms, &page).await,
            Whom::Address(address) => invite(pages, inside, id, address, terms, &page).await,
        };
        match given {
            Ok(answer) => return Ok(answer),
            Err(Error::Store(store::Error::Conflict(why))) if page.person.value.is_empty() => {
                page.address.error = Some(Line::name(&why));
            }
            Err(Error::Store(store::Error::Conflict(_))) => page.person.error = Some(problem::has_access()),
            Err(Error::Store(store::Error::Refused(why))) => page.rights.error = Some(Line::name(&why)),
            Err(error) => return Err(error),
        }
    }
    page.frame.is_refused = true;
    Ok(refused(&page))
}

/// Whom a form names: a member who was chosen or whose address was typed, or somebody to be invited.
async fn whom(pages: &Pages, inside: &Inside, typed: &NewForm, page: &mut NewAccess) -> Result<Option<Whom>, Error> {
    if !typed.person.is_empty() {
        let user = typed.person.parse().ok();
        if user.is_none() {
            page.person.error = Some(problem::choose());
        }
        return Ok(user.map(Whom::Member));
    }
    if typed.address.is_empty() || !page.may_invite {
        let field = if page.people.is_empty() {
            &mut page.address
        } else {
            &mut page.person
        };
        field.error = Some(match page.may_invite {
            true => problem::choose_person(),
            false => problem::choose(),
        });
        return Ok(None);
    }
    let Ok(address) = Address::parse(&typed.address) else {
        page.address.error = Some(problem::address());
        return Ok(None);
    };
    let named = members(pages, inside, Some(address.to_string())).await?;
    let member = named.into_iter().find(|row| row.member.user.address == address);
    Ok(Some(member.map_or(Whom::Address(address), |row| {
        Whom::Member(row.member.user.id)
    })))
}

async fn grant(
    pages: &Pages,
    inside: &Inside,
    id: MailboxId,
    user: UserId,
    terms: &GrantTerms,
    page: &NewAccess,
) -> Result<Response, Error> {
    pages.desk.give_grant(&inside.acting, id, user, terms).await?;
    let member = pages.desk.member(&inside.acting, user).await?;
    let flash = done::access_given(&member.member.user.name, &page.mailbox.address);
    Ok(reply::done(pages, &inside.person, flash, &next(inside, id, page)))
}

/// Where to go on: to a device, where that was meant to follow.
fn next(inside: &Inside, id: MailboxId, page: &NewAccess) -> String {
    path(
        inside,
        id,
        if page.then.is_empty() {
            "/people"
        } else {
            "/devices/new"
        },
    )
}

async fn invite(
    pages: &Pages,
    inside: &Inside,
    id: MailboxId,
    address: Address,
    terms: GrantTerms,
    page: &NewAccess,
) -> Result<Response, Error> {
    let spec = InviteSpec {
        address: address.to_string(),
        role: Role::Member,
        grants: vec![(id, terms)],
        language: page.language.value.parse().unwrap_or(Language::English),
        by_mail: pages.desk.sends_mail(),
    };
    let invited = pages.desk.invite(&inside.acting, spec).await?;
    if invited.link.is_some() {
        return Ok(reply::page(&link_page(pages, inside, invited).await?));
    }
    let flash = done::invited(address.as_str());
    Ok(reply::done(pages, &inside.person, flash, &next(inside, id, page)))
}

/// A change of an access, as its form sends it; `revision` is what was seen of it.
struct ChangeForm {
    rights: Vec<String>,
    ends: String,
    revision: String,
}

impl Form for ChangeForm {
    fn read(sent: &mut Sent) -> Self {
        Self {
            rights: sent.all("rights"),
            ends: sent.text("ends"),
            revision: sent.text("revision"),
        }
    }
}

/// What a grant says, as forms carry it.
fn revision(terms: &GrantTerms) -> String {
    let ends = terms.ends_at.map_or_else(String::new, |at| at.0.to_string());
    format!("{}/{ends}", terms.rights)
}

fn read_revision(text: &str) -> Option<GrantTerms> {
    let (rights, ends) = text.split_once('/')?;
    Some(GrantTerms {
        rights: rights.parse().ok()?,
        ends_at: match ends {
            "" => None,
            at => Some(Timestamp(at.parse().ok()?)),
        },
    })
}

const fn terms_of(grant: &Grant) -> GrantTerms {
    GrantTerms {
        rights: grant.rights,
        ends_at: grant.ends_at,
    }
}

async fn one(State(pages): Here, There { inside, id }: There<(MailboxId, UserId)>) -> Reply {
    let failed = |error| inside.failed(error);
    pages
        .desk
        .check_on(&inside.acting, &[Operation::GrantGive], id.0)
        .await
        .map_err(failed)?;
    let grant = pages.desk.grant(&inside.acting, id.0, id.1).await.map_err(failed)?;
    if let Some(answer) = prove_first(&pages, &inside) {
        return Ok(answer);
    }
    let page = access_page(&pages, &inside, &grant).await.map_err(failed)?;
    Ok(reply::page(&page))
}

/// The page of an access as it is.
async fn access_page(pages: &Pages, inside: &Inside, grant: &Grant) -> Result<AccessPage, Error> {
    let member = pages.desk.member(&inside.acting, grant.user).await?;
    let frame = inside.frame(Place::Mailboxes);
    let ends = grant.ends_at.map(|at| form::last_day(&frame.text, at));
    Ok(AccessPage {
        frame,
        mailbox: MailboxLink {
            id: grant.mailbox,
            address: grant.address.to_string(),
        },
        person: PersonLink {
            id: grant.user,
            name: member.member.user.name,
        },
        address: member.member.user.address.to_string(),
        rights: Ticks::of(grant.rights.iter()),
        ends: Field::of(ends.unwrap_or_default()),
        since: grant.created_at,
        revision: revision(&terms_of(grant)),
    })
}

async fn change(
    State(pages): Here,
    There { inside, id }: There<(MailboxId, UserId)>,
    Typed(typed): Typed<ChangeForm>,
) -> Reply {
    change_or_ask(&pages, &inside, id, typed)
        .await
        .map_err(|error| inside.failed(error))
}

async fn change_or_ask(
    pages: &Pages,
    inside: &Inside,
    (mailbox, user): (MailboxId, UserId),
    typed: ChangeForm,
) -> Result<Response, Error> {
    let acting = &inside.acting;
    pages.desk.check_on(acting, &[Operation::GrantGive], mailbox).await?;
    let grant = pages.desk.grant(acting, mailbox, user).await?;
    let seen = read_revision(&typed.revision).unwrap_or_else(|| terms_of(&grant));
    let mut page = access_page(pages, inside, &grant).await?;
    page.rights = Ticks::of(&typed.rights);
    page.ends = Field::of(&typed.ends);
    page.revision = revision(&seen);
    let rights = form::rights(&typed.rights).map_err(|why| page.rights.error = Some(why));
    let ends_at = form::end(&page.frame.text, &typed.ends, seen.ends_at).map_err(|why| page.ends.error = Some(why));
    if let (Ok(rights), Ok(ends_at)) = (rights, ends_at) {
        let to = GrantTerms { rights, ends_at };
        let back = path(inside, mailbox, "/people");
        if to == terms_of(&grant) {
            return Ok(reply::done(pages, &inside.person, done::unchanged(), &back));
        }
        let old = Grant {
            rights: seen.rights,
            ends_at: seen.ends_at,
            ..grant.clone()
        };
        let before = pages.before_change();
        match pages.desk.change_grant(acting, &old, &to).await {
            Ok((_, seq)) => {
                let ended = pages.applied(before, seq).await;
                return Ok(reply::done(pages, &inside.person, done::device_saved(ended), &back));
            }
            Err(Error::Store(store::Error::Stale { by, at })) => {
                return conflict(pages, inside, (mailbox, user), &to, (&by, at)).await;
            }
            Err(Error::Ends { .. }) => page.ends.error = Some(problem::day_to_come()),
            Err(Error::Store(store::Error::Refused(why))) => page.rights.error = Some(Line::name(&why)),
            Err(error) => return Err(error),
        }
    }
    page.frame.is_refused = true;
    Ok(refused(&page))
}

/// Somebody changed the same access meanwhile.
async fn conflict(
    pages: &Pages,
    inside: &Inside,
    (mailbox, user): (MailboxId, UserId),
    mine: &GrantTerms,
    (by, at): (&str, Timestamp),
) -> Result<Response, Error> {
    let grant = pages.desk.grant(&inside.acting, mailbox, user).await?;
    let page = access_page(pages, inside, &grant).await?;
    let theirs = terms_of(&grant);
    let day = |at: Option<Timestamp>| at.map_or_else(String::new, |at| form::last_day(&page.frame.text, at));
    let mut differences = Vec::new();
    if theirs.rights != mine.rights {
        differences.push(Difference {
            label: Line::new("access-rights"),
            theirs: in_words(&page.frame, theirs.rights),
            mine: in_words(&page.frame, mine.rights),
        });
    }
    if theirs.ends_at != mine.ends_at {
        differences.push(Difference {
            label: Line::new("access-ends"),
            theirs: day(theirs.ends_at),
            mine: day(mine.ends_at),
        });
    }
    let rights = mine
        .rights
        .iter()
        .map(|right| ("rights".to_owned(), right.name().to_owned()));
    let rest = [
        ("ends".to_owned(), day(mine.ends_at)),
        ("revision".to_owned(), revision(&theirs)),
    ];
    let page = Conflict {
        what: page.person.name,
        who: rows::changed_by(pages, by).await?,
        at,
        differences,
        action: path(inside, mailbox, &format!("/people/{user}")),
        fields: rights.chain(rest).collect(),
        theirs: path(inside, mailbox, &format!("/people/{user}")),
        frame: page.frame,
    };
    Ok(reply::with_status(StatusCode::CONFLICT, &page))
}

fn in_words(frame: &Frame, rights: Rights) -> String {
    let words: Vec<_> = rights
        .iter()
        .map(|right| frame.say(words::right(&right)).plain())
        .collect();
    words.join(", ")
}

async fn ask_withdraw(State(pages): Here, There { inside, id }: There<(MailboxId, UserId)>) -> Reply {
    let page = withdraw_page(&pages, &inside, id)
        .await
        .map_err(|error| inside.failed(error))?;
    Ok(reply::page(&page))
}

async fn withdraw_page(pages: &Pages, inside: &Inside, (mailbox, user): (MailboxId, UserId)) -> Result<Confirm, Error> {
    let acting = &inside.acting;
    let row = pages
        .desk
        .check_on(acting, &[Operation::GrantWithdraw], mailbox)
        .await?;
    let ending = pages.desk.ending_with_grant(acting, mailbox, user).await?;
    let name = pages.desk.member(acting, user).await?.member.user.name;
    let devices: Vec<_> = ending.devices.iter().map(|row| rows::ending(pages, row)).collect();
    let mut page = Confirm::withdraw_access(
        inside.frame(Place::Mailboxes),
        &name,
        row.mailbox.address.as_str(),
        &devices,
        path(inside, mailbox, &format!("/people/{user}/withdraw")),
        path(inside, mailbox, "/people"),
    );
    also_ending(&mut page, &ending, &name);
    Ok(page)
}

async fn withdraw(State(pages): Here, There { inside, id }: There<(MailboxId, UserId)>) -> Reply {
    let failed = |error| inside.failed(error);
    let (mailbox, user) = id;
    let acting = &inside.acting;
    let row = pages
        .desk
        .check_on(acting, &[Operation::GrantWithdraw], mailbox)
        .await
        .map_err(failed)?;
    let name = pages.desk.member(acting, user).await.map_err(failed)?.member.user.name;
    let before = pages.before_change();
    let withdrawn = pages.desk.withdraw_grant(acting, mailbox, user).await.map_err(failed)?;
    let ended = pages.applied(before, withdrawn.seq).await;
    let devices = u64::try_from(withdrawn.what.devices.len()).unwrap_or(u64::MAX);
    let flash = done::access_withdrawn(&name, row.mailbox.address.as_str(), devices, ended);
    Ok(reply::done(
        &pages,
        &inside.person,
        flash,
        &path(&inside, mailbox, "/people"),
    ))
}
