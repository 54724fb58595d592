//! `/o/{org}`: first steps, what waits to be done, figures, what happened last.

use super::scope::*;
use crate::admin::console::view::activity::ActivityRow;
use crate::admin::console::view::overview::{Figure, FirstSteps, Overview, Todo};
use crate::admin::lists::SILENT;
use crate::model::{MailboxId, Role};
use crate::store::{AuditFilter, MailboxQuery, MemberQuery, page};

/// Rows of the audit log that are shown.
const LATEST: u32 = 8;

pub(super) fn routes() -> Router<Arc<Pages>> {
    Router::new().route("/o/{org}", get(overview))
}

async fn overview(State(pages): Here, inside: Inside) -> Reply {
    if !inside.acting.may(Operation::OrgRead) {
        return Ok(to_own(&pages, &inside));
    }
    let page = filled(&pages, &inside).await.map_err(|error| inside.failed(error))?;
    Ok(reply::page(&page))
}

/// Whoever sees nothing here but what was granted to them starts at their own mailboxes.
fn to_own(pages: &Pages, inside: &Inside) -> Response {
    match inside.frame(Place::Overview).flash {
        Some(flash) => reply::done(pages, &inside.person, flash, "/me"),
        None => reply::to("/me"),
    }
}

async fn filled(pages: &Pages, inside: &Inside) -> Result<Overview, Error> {
    let acting = &inside.acting;
    let counts = pages.desk.overview(acting, pages.clock.utc().minus(SILENT)).await?;
    let owners = with_role(pages, inside, Role::Owner).await?;
    let administrators = with_role(pages, inside, Role::Administrator).await?;
    let steps = FirstSteps {
        domain: !pages.desk.domains(acting).await?.is_empty(),
        mailbox: counts.mailboxes > 0,
        device: counts.devices > counts.never_used,
        owner: owners.len() > 1,
        only: only_mailbox(pages, inside, &counts).await?,
    };
    // They are of use to whoever can take at least the most of them.
    let first_steps = (!steps.are_done() && acting.may(Operation::InvitationCreate)).then_some(steps);
    let me = acting.user.id;
    let others = owners
        .iter()
        .chain(&administrators)
        .filter(|row| row.member.user.id != me);
    let without_code = others.filter(|row| !row.member.user.has_code).count();
    let connected = pages.desk.live_sessions(acting, None).await?.len();
    Ok(Overview {
        first_steps,
        todos: todos(
            inside,
            &counts,
            first_steps.is_none() && owners.len() == 1,
            without_code,
        ),
        figures: figures(inside, &counts, connected),
        latest: latest(pages, inside).await?,
        frame: inside.frame(Place::Overview),
    })
}

async fn only_mailbox(pages: &Pages, inside: &Inside, counts: &store::Overview) -> Result<Option<MailboxId>, Error> {
    if counts.mailboxes != 1 {
        return Ok(None);
    }
    let query = MailboxQuery {
        limit: 1,
        ..MailboxQuery::default()
    };
    let page = pages.desk.mailboxes(&inside.acting, &query).await?;
    Ok(page.rows.first().map(|row| row.mailbox.id))
}

async fn with_role(pages: &Pages, inside: &Inside, role: Role) -> Result<Vec<store::MemberRow>, Error> {
    let query = MemberQuery {
        role: Some(role),
        limit: page::PAGE_MAX,
        ..MemberQuery::default()
    };
    Ok(pages.desk.members(&inside.acting, &query).await?.rows)
}

fn todos(inside: &Inside, counts: &store::Overview, one_owner: bool, without_code: usize) -> Vec<Todo> {
    let shown = |list: &str, show: &str| with_query(&inside.at(list), &[("show", show)]);
    let mut todos = Vec::new();
    if counts.unreachable > 0 {
        todos.push(Todo::unread_mailboxes(
            counts.unreachable.into(),
            shown("mailboxes", "unread"),
        ));
    }
    // Where the first steps are shown, the second owner is one of them.
    if one_owner && inside.acting.may(Operation::OwnerChange) {
        todos.push(Todo::one_owner(with_query(
            &inside.at("invitations/new"),
            &[("role", Role::Owner.name())],
        )));
    }
    if !inside.acting.user.has_code {
        todos.push(Todo::without_own_code());
    }
    if counts.undelivered > 0 && inside.acting.may(Operation::InvitationRead) {
        todos.push(Todo::undelivered(
            counts.undelivered.into(),
            shown("invitations", "open"),
        ));
    }
    if without_code > 0 {
        let count = u64::try_from(without_code).unwrap_or(u64::MAX);
        todos.push(Todo::without_code(count, inside.at("people")));
    }
    if counts.knocking > 0 {
        todos.push(Todo::knocking(counts.knocking.into(), shown("devices", "knocking")));
    }
    if counts.never_used > 0 {
        todos.push(Todo::unused_devices(
            counts.never_used.into(),
            shown("devices", "never"),
        ));
    }
    if counts.unused > 0 {
        todos.push(Todo::stale_devices(counts.unused.into(), shown("devices", "silent")));
    }
    todos
}

fn figures(inside: &Inside, counts: &store::Overview, connected: usize) -> Vec<Figure> {
    let shown = |list: &str, show: &str| with_query(&inside.at(list), &[("show", show)]);
    let mut figures = vec![
        Figure::mailboxes(counts.mailboxes.into(), inside.at("mailboxes")),
        Figure::devices(
            counts.devices.into(),
            inside.at("devices"),
            (counts.never_used.into(), shown("devices", "never")),
            (counts.unused.into(), shown("devices", "silent")),
        ),
        Figure::sessions(u64::try_from(connected).unwrap_or(u64::MAX), inside.at("sessions")),
    ];
    // The link leads where invitations are listed.
    let invited = if inside.acting.may(Operation::InvitationRead) {
        counts.invitations
    } else {
        0
    };
    figures.push(Figure::people(
        counts.people.into(),
        inside.at("people"),
        invited.into(),
        shown("invitations", "open"),
    ));
    figures
}

async fn latest(pages: &Pages, inside: &Inside) -> Result<Vec<ActivityRow>, Error> {
    if !inside.acting.may(Operation::AuditRead) {
        return Ok(Vec::new());
    }
    let filter = AuditFilter {
        limit: LATEST,
        ..AuditFilter::default()
    };
    let page = pages.desk.activity(&inside.acting, filter).await?;
    rows::activity(pages, inside, &page.rows).await
}
