//! `/o/{org}/invitations`: the list, a new one, one with its link, sent again, withdrawn.

use super::scope::*;
use crate::admin::console::view::confirm::Confirm;
use crate::admin::console::view::device::MailboxLink;
use crate::admin::console::view::door::InvitedMailbox;
use crate::admin::console::view::invitations::{
    InvitationPage, InvitationRow, InvitationState as Stand, Invitations, NewInvitation,
};
use crate::admin::console::view::{Flash, Ticks, Tone};
use crate::admin::lists;
use crate::directory::desk::{InviteSpec, Invited, SENT_AGAIN_AFTER};
use crate::model::{
    Address, Invitation, InvitationId, InvitationState, Language, Mail, MailState, MailboxId, Right, Role,
};
use crate::store::{GrantTerms, InvitationQuery, MailboxQuery};

/// Mailboxes that a new invitation offers, besides those that were asked for.
const OFFERED: u32 = 50;
/// Mailboxes that one form may name.
const CHOSEN_MAX: usize = 256;
/// Ticked where somebody is invited.
const USUAL: [Right; 2] = [Right::SeeDevices, Right::AddOwnDevices];

pub(super) fn routes() -> Router<Arc<Pages>> {
    Router::new()
        .route("/o/{org}/invitations", get(list))
        .route("/o/{org}/invitations/new", get(new).post(invite))
        .route("/o/{org}/invitations/{invitation}", get(one))
        .route("/o/{org}/invitations/{invitation}/resend", post(resend))
        .route(
            "/o/{org}/invitations/{invitation}/withdraw",
            get(ask_withdraw).post(withdraw),
        )
}

async fn list(State(pages): Here, inside: Inside, Asked(asked): Asked<ListQuery>) -> Reply {
    let page = list_page(&pages, &inside, &asked)
        .await
        .map_err(|error| inside.failed(error))?;
    Ok(reply::page(&page))
}

async fn list_page(pages: &Pages, inside: &Inside, asked: &ListQuery) -> Result<Invitations, Error> {
    let query = InvitationQuery {
        open: asked.show == "open",
        before: asked.after.parse().ok(),
        limit: ROWS,
    };
    let page = match asked.text() {
        None => pages.desk.invitations(&inside.acting, &query).await?,
        Some(text) => lists::invitations_with(&pages.desk, &inside.acting, query, &text).await?,
    };
    let mails = pages.desk.invitation_mails(&inside.acting, &page.rows).await?;
    let rows = page.rows.iter().map(|one| row(one, mails.get(&one.id)));
    let rows: Vec<_> = rows.collect();
    let filters = [("open", Line::new("filter-open"))];
    let mut listing = asked.listing(
        inside.at("invitations"),
        &filters,
        page.next.map(|next| next.to_string()),
    );
    listing.total = total(&listing, rows.len());
    Ok(Invitations {
        frame: inside.frame(Place::Invitations),
        listing,
        rows,
        may_invite: inside.acting.may(Operation::InvitationCreate),
    })
}

fn row(invitation: &Invitation, mail: Option<&Mail>) -> InvitationRow {
    InvitationRow {
        id: invitation.id,
        address: invitation.address.to_string(),
        role: invitation.role,
        mailboxes: u64::try_from(invitation.grants.len()).unwrap_or(u64::MAX),
        invited_by: invitation.invited_by.clone(),
        state: state(invitation, mail),
        expires_at: invitation.expires_at,
    }
}

/// Where an invitation stands, with the newest mail that brings it.
fn state(invitation: &Invitation, mail: Option<&Mail>) -> Stand {
    match (invitation.state, invitation.opened_at, invitation.sent_at) {
        (InvitationState::Accepted(at), ..) => Stand::Accepted(at),
        (InvitationState::Declined(at), ..) => Stand::Declined(at),
        (InvitationState::Withdrawn(at), ..) => Stand::Withdrawn(at),
        (InvitationState::Expired, ..) => Stand::Expired(invitation.expires_at),
        (InvitationState::Sent, Some(at), _) => Stand::Opened(at),
        (InvitationState::Sent, None, sent_at) => match (mail.map(|mail| mail.state), sent_at) {
            (Some(MailState::Failed(at)), _) => Stand::Bounced(at),
            (Some(MailState::Queued { .. }), _) => Stand::Waiting,
            (_, Some(at)) => Stand::Sent(at),
            (_, None) => Stand::Unsent,
        },
    }
}

/// A new invitation, as its form sends it.
struct NewForm {
    address: String,
    role: String,
    mailboxes: Vec<String>,
    rights: Vec<String>,
    ends: String,
    language: String,
    send: String,
}

impl Form for NewForm {
    fn read(sent: &mut Sent) -> Self {
        Self {
            address: sent.text("address"),
            role: sent.text("role"),
            mailboxes: sent.all("mailbox"),
            rights: sent.all("rights"),
            ends: sent.text("ends"),
            language: sent.text("language"),
            send: sent.text("send"),
        }
    }
}

impl NewForm {
    /// The same form, to be filled in again.
    fn path(&self, inside: &Inside) -> String {
        let mut fields = vec![
            ("address", self.address.as_str()),
            ("role", &self.role),
            ("ends", &self.ends),
            ("language", &self.language),
        ];
        fields.extend(self.mailboxes.iter().map(|mailbox| ("mailbox", mailbox.as_str())));
        fields.extend(self.rights.iter().map(|right| ("rights", right.as_str())));
        with_query(&inside.at("invitations/new"), &fields)
    }
}

async fn new(State(pages): Here, inside: Inside, Asked(mut typed): Asked<NewForm>) -> Reply {
    if typed.rights.is_empty() {
        typed.rights = USUAL.iter().map(|right| right.name().to_owned()).collect();
    }
    if typed.role.is_empty() {
        Role::Member.name().clone_into(&mut typed.role);
    }
    let page = new_page(&pages, &inside, &typed)
        .await
        .map_err(|error| inside.failed(error))?;
    Ok(reply::page(&page))
}

async fn new_page(pages: &Pages, inside: &Inside, typed: &NewForm) -> Result<NewInvitation, Error> {
    let acting = &inside.acting;
    pages.desk.check(acting, Operation::InvitationCreate).await?;
    let offered = Role::ALL
        .iter()
        .copied()
        .filter(|role| *role != Role::Owner || acting.may(Operation::OwnerChange));
    let language = if typed.language.is_empty() {
        acting.user.language.name()
    } else {
        &typed.language
    };
    Ok(NewInvitation {
        frame: inside.frame(Place::Invitations),
        is_own_domain: is_own_domain(pages, inside, &typed.address).await?,
        address: Field::of(&typed.address),
        role: Field::of(&typed.role),
        offered: offered.collect(),
        mailboxes: mailboxes(pages, inside, &typed.mailboxes).await?,
        chosen: Ticks::of(&typed.mailboxes),
        rights: Ticks::of(&typed.rights),
        ends: Field::of(&typed.ends),
        language: Field::of(language),
        can_send: pages.desk.sends_mail(),
    })
}

/// Whether whoever loses this mailbox loses the sign-in.
async fn is_own_domain(pages: &Pages, inside: &Inside, address: &str) -> Result<bool, Error> {
    let Ok(address) = Address::parse(address) else {
        return Ok(false);
    };
    let domains = pages.desk.domains(&inside.acting).await?;
    Ok(domains.iter().any(|domain| domain.name == address.domain()))
}

/// The first mailboxes, and before them those that were chosen.
async fn mailboxes(pages: &Pages, inside: &Inside, chosen: &[String]) -> Result<Vec<MailboxLink>, Error> {
    let query = MailboxQuery {
        limit: OFFERED,
        ..MailboxQuery::default()
    };
    let mut first = pages.desk.mailboxes(&inside.acting, &query).await?.rows;
    let mut offered = Vec::new();
    for id in chosen
        .iter()
        .take(CHOSEN_MAX)
        .filter_map(|id| id.parse::<MailboxId>().ok())
    {
        if !first.iter().any(|row| row.mailbox.id == id) {
            offered.push(pages.desk.mailbox(&inside.acting, id).await?);
        }
    }
    offered.append(&mut first);
    let link = |row: store::MailboxRow| MailboxLink {
        id: row.mailbox.id,
        address: row.mailbox.address.to_string(),
    };
    Ok(offered.into_iter().map(link).collect())
}

async fn invite(State(pages): Here, inside: Inside, Typed(typed): Typed<NewForm>) -> Reply {
    invite_or_ask(&pages, &inside, typed)
        .await
        .map_err(|error| inside.failed(error))
}

async fn invite_or_ask(pages: &Pages, inside: &Inside, typed: NewForm) -> Result<Response, Error> {
    let mut page = new_page(pages, inside, &typed).await?;
    if let Some(spec) = spec(&typed, &mut page) {
        match pages.desk.invite(&inside.acting, spec).await {
            Ok(invited) if invited.link.is_some() => {
                return Ok(reply::page(&link_page(pages, inside, invited).await?));
            }
            Ok(invited) => {
                let path = inside.at(&format!("invitations/{}", invited.invitation.id));
                let flash = sent(invited.invitation.address.as_str(), page.is_own_domain);
                return Ok(reply::done(pages, &inside.person, flash, &path));
            }
            Err(Error::StepUp) => return Ok(prove_again(&typed.path(inside))),
            Err(Error::BadAddress { .. }) => page.address.error = Some(problem::address()),
            Err(Error::Ends { .. }) => page.ends.error = Some(problem::day_to_come()),
            Err(Error::Store(store::Error::Conflict(why) | store::Error::Refused(why))) => {
                page.address.error = Some(Line::name(&why));
            }
            Err(error) => return Err(error),
        }
    }
    page.frame.is_refused = true;
    Ok(refused(&page))
}

/// What was typed as what is to be done, or what is wrong with it noted on the page.
fn spec(typed: &NewForm, page: &mut NewInvitation) -> Option<InviteSpec> {
    if typed.address.is_empty() {
        page.address.error = Some(problem::missing());
    }
    let role = typed.role.parse::<Role>().ok();
    if role.is_none() {
        page.role.error = Some(problem::choose());
    }
    let ids: Option<Vec<MailboxId>> = typed.mailboxes.iter().map(|id| id.parse().ok()).collect();
    if ids.is_none() {
        page.chosen.error = Some(problem::choose());
    }
    let ends_at = form::end(&page.frame.text, &typed.ends, None);
    let ends_at = ends_at.map_err(|why| page.ends.error = Some(why)).ok();
    // Rights mean something together with a mailbox only.
    let grants = match ids? {
        none if none.is_empty() => Some(Vec::new()),
        ids => {
            let rights = form::rights(&typed.rights)
                .map_err(|why| page.rights.error = Some(why))
                .ok();
            rights
                .zip(ends_at)
                .map(|(rights, ends_at)| ids.into_iter().map(|id| (id, GrantTerms { rights, ends_at })).collect())
        }
    };
    if page.address.error.is_some() {
        return None;
    }
    ends_at?;
    Some(InviteSpec {
        address: typed.address.clone(),
        role: role?,
        grants: grants?,
        language: page.language.value.parse().unwrap_or(Language::English),
        by_mail: typed.send != "link",
    })
}

fn sent(address: &str, is_own_domain: bool) -> Flash {
    let flash = done::invited(address);
    if !is_own_domain {
        return flash;
    }
    let hint = Line::new("invitation-own-domain");
    Flash {
        tone: Tone::Warning,
        line: Line::new("two-sentences").with("one", flash.line).with("two", hint),
        next: flash.next,
    }
}

/// The page that shows a link, which is in this answer only.
pub(super) async fn link_page(pages: &Pages, inside: &Inside, invited: Invited) -> Result<InvitationPage, Error> {
    let mut page = invitation_page(pages, inside, &invited.invitation).await?;
    let begin = pages.origin.as_str();
    page.link = invited.link.map(|link| format!("{begin}/invitation/{}", link.expose()));
    let flash = if invited.not_mailed {
        done::invitation_not_mailed()
    } else {
        done::invitation_made()
    };
    let is_own_domain = is_own_domain(pages, inside, invited.invitation.address.as_str()).await?;
    page.frame.flash = Some(if is_own_domain {
        Flash {
            tone: Tone::Warning,
            line: Line::new("two-sentences")
                .with("one", flash.line)
                .with("two", Line::new("invitation-own-domain")),
            next: None,
        }
    } else {
        flash
    });
    Ok(page)
}

async fn invitation_page(pages: &Pages, inside: &Inside, invitation: &Invitation) -> Result<InvitationPage, Error> {
    let alone = std::slice::from_ref(invitation);
    let mail = pages
        .desk
        .invitation_mails(&inside.acting, alone)
        .await?
        .remove(&invitation.id);
    let mailboxes = invitation.grants.iter().map(|grant| InvitedMailbox {
        address: grant.address.to_string(),
        rights: grant.rights.iter().collect(),
        ends_at: grant.ends_at,
    });
    let can_send = pages.desk.sends_mail();
    let again_at = invitation.sent_at.map(|at| at.plus(SENT_AGAIN_AFTER));
    let acting = &inside.acting;
    let is_over = matches!(
        invitation.state,
        InvitationState::Accepted(_) | InvitationState::Declined(_) | InvitationState::Withdrawn(_)
    );
    let may_send = acting.may(Operation::InvitationSend);
    let invitation_row = row(invitation, mail.as_ref());
    let answer = mail.and_then(|mail| mail.last_error);
    let (bounce, trouble) = match invitation_row.state {
        Stand::Bounced(_) => (answer, None),
        Stand::Waiting => (None, answer),
        _ => (None, None),
    };
    Ok(InvitationPage {
        frame: inside.frame(Place::Invitations),
        invitation: invitation_row,
        mailboxes: mailboxes.collect(),
        created_at: invitation.created_at,
        link: None,
        bounce,
        trouble,
        may_change: may_send && !is_over && (invitation.role != Role::Owner || acting.may(Operation::OwnerChange)),
        can_send,
        again_at: again_at.filter(|at| can_send && *at > pages.clock.utc()),
    })
}

async fn one(State(pages): Here, There { inside, id }: There<InvitationId>) -> Reply {
    let page = shown_page(&pages, &inside, id)
        .await
        .map_err(|error| inside.failed(error))?;
    Ok(reply::page(&page))
}

async fn shown_page(pages: &Pages, inside: &Inside, id: InvitationId) -> Result<InvitationPage, Error> {
    let invitation = pages.desk.invitation(&inside.acting, id).await?;
    invitation_page(pages, inside, &invitation).await
}

/// How an invitation is to be sent again: by `mail`, or as a `link` to be copied.
struct ResendForm {
    send: String,
}

impl Form for ResendForm {
    fn read(sent: &mut Sent) -> Self {
        Self {
            send: sent.text("send"),
        }
    }
}

async fn resend(
    State(pages): Here,
    There { inside, id }: There<InvitationId>,
    Typed(typed): Typed<ResendForm>,
) -> Reply {
    send_again(&pages, &inside, id, &typed)
        .await
        .map_err(|error| inside.failed(error))
}

async fn send_again(pages: &Pages, inside: &Inside, id: InvitationId, typed: &ResendForm) -> Result<Response, Error> {
    let path = inside.at(&format!("invitations/{id}"));
    let flash = match pages
        .desk
        .renew_invitation(&inside.acting, id, typed.send != "link")
        .await
    {
        Ok(invited) if invited.link.is_some() => {
            return Ok(reply::page(&link_page(pages, inside, invited).await?));
        }
        Ok(invited) => done::invited(invited.invitation.address.as_str()),
        Err(Error::StepUp) => return Ok(prove_again(&path)),
        Err(Error::TooSoon { wait }) => Flash::problem(problem::again_at(pages.clock.utc().plus(wait))),
        Err(Error::Store(store::Error::Refused(why) | store::Error::Conflict(why))) => Flash::problem(Line::name(&why)),
        Err(error) => return Err(error),
    };
    Ok(reply::done(pages, &inside.person, flash, &path))
}

async fn ask_withdraw(State(pages): Here, There { inside, id }: There<InvitationId>) -> Reply {
    let failed = |error| inside.failed(error);
    pages
        .desk
        .check(&inside.acting, Operation::InvitationWithdraw)
        .await
        .map_err(failed)?;
    let invitation = pages.desk.invitation(&inside.acting, id).await.map_err(failed)?;
    Ok(reply::page(&Confirm::withdraw_invitation(
        inside.frame(Place::Invitations),
        invitation.address.as_str(),
        inside.at(&format!("invitations/{id}/withdraw")),
        inside.at(&format!("invitations/{id}")),
    )))
}

async fn withdraw(State(pages): Here, There { inside, id }: There<InvitationId>) -> Reply {
    let path = inside.at(&format!("invitations/{id}"));
    let flash = match pages.desk.withdraw_invitation(&inside.acting, id).await {
        Ok(invitation) => done::invitation_withdrawn(invitation.address.as_str()),
        Err(Error::Store(store::Error::Refused(why))) => Flash::problem(Line::name(&why)),
        Err(error) => return Err(inside.failed(error)),
    };
    Ok(reply::done(&pages, &inside.person, flash, &path))
}
