//! `/invitation/{token}`: what an invitation offers, accepting it in one of three ways, and declining.

use super::refused;
use super::scope::*;
use crate::admin::console::view::done;
use crate::admin::console::view::door::{Closed, Decline, InvitationClosed, Invited, InvitedMailbox, Offer, Way};
use crate::directory::desk::{DeadInvitation, DeadReason, InvitationView, NewPerson, Welcomed};
use crate::directory::rights::{Operation, may};
use crate::model::{InvitedGrant, Language, Rights, name};

pub(super) struct AnswerForm {
    action: String,
    name: String,
    password: Secret<String>,
    language: String,
}

impl Form for AnswerForm {
    fn read(sent: &mut Sent) -> Self {
        Self {
            action: sent.text("action"),
            name: sent.text("name"),
            password: sent.secret("password"),
            language: sent.text("language"),
        }
    }
}

fn path_of(link: &str) -> String {
    format!("/invitation/{}", link.trim())
}

pub(super) async fn show(State(pages): Here, anyone: Anyone, Path(link): Path<String>) -> Response {
    match pages.desk.invitation_of(&link).await {
        Ok(view) => {
            let way = way(&anyone, &view);
            reply::page(&invited(anyone.guest.frame(), &link, &view, way))
        }
        Err(error) => closed(&anyone.guest, &error),
    }
}

fn invited(frame: Frame, link: &str, view: &InvitationView, way: Way) -> Invited {
    Invited {
        frame,
        path: path_of(link),
        offer: offer(view),
        way,
    }
}

fn offer(view: &InvitationView) -> Offer {
    let invitation = &view.invitation;
    let mailbox = |grant: &InvitedGrant| InvitedMailbox {
        address: grant.address.to_string(),
        rights: grant.rights.iter().collect(),
        ends_at: grant.ends_at,
    };
    Offer {
        inviter: invitation.invited_by.clone(),
        org: view.org.name.clone(),
        address: invitation.address.to_string(),
        role: invitation.role,
        mailboxes: invitation.grants.iter().map(mailbox).collect(),
        expires_at: invitation.expires_at,
    }
}

fn way(anyone: &Anyone, view: &InvitationView) -> Way {
    match &anyone.person {
        Some(person) if person.signed_in.user.address == view.invitation.address => Way::SignedIn {
            name: person.signed_in.user.name.clone(),
            address: person.signed_in.user.address.to_string(),
        },
        Some(person) => Way::Another {
            address: person.signed_in.user.address.to_string(),
        },
        None => stranger(view.invitation.language),
    }
}

fn stranger(language: Language) -> Way {
    Way::Stranger {
        name: Field::default(),
        password: Field::default(),
        language: Field::of(language),
    }
}

/// The page of an invitation that cannot be accepted: each reason has its own.
fn closed(guest: &Guest, error: &Error) -> Response {
    let Error::DeadInvitation(dead) = error else {
        return reply::door_failed(guest, error);
    };
    match reason(dead) {
        Some(Closed::Unknown) => closed_with(StatusCode::NOT_FOUND, guest, Closed::Unknown),
        Some(reason) => closed_with(StatusCode::GONE, guest, reason),
        None => reply::door_failed(guest, error),
    }
}

fn closed_with(status: StatusCode, guest: &Guest, reason: Closed) -> Response {
    let frame = guest.frame();
    reply::with_status(status, &InvitationClosed { frame, reason })
}

fn reason(dead: &DeadInvitation) -> Option<Closed> {
    let inviter = dead.ask.clone().unwrap_or_default();
    Some(match &dead.why {
        DeadReason::RanOut { at } => Closed::Expired { at: *at, inviter },
        DeadReason::Unknown => Closed::Unknown,
        DeadReason::Used { at, by } => Closed::Used {
            at: *at,
            // Enough for whoever it was to know themselves, and no more for others.
            by: format!("{}@…", by.local()),
            inviter,
        },
        DeadReason::Declined => Closed::Declined,
        DeadReason::Withdrawn => Closed::Withdrawn { inviter },
        DeadReason::ForSomebodyElse { .. } | DeadReason::SignInFirst => return None,
    })
}

pub(super) async fn ask_decline(State(pages): Here, anyone: Anyone, Path(link): Path<String>) -> Response {
    match pages.desk.invitation_of(&link).await {
        Ok(view) => reply::page(&Decline {
            frame: anyone.guest.frame(),
            path: path_of(&link),
            offer: offer(&view),
        }),
        Err(error) => closed(&anyone.guest, &error),
    }
}

pub(super) async fn send(
    State(pages): Here,
    anyone: Anyone,
    Path(link): Path<String>,
    Typed(form): Typed<AnswerForm>,
) -> Response {
    match form.action.as_str() {
        "accept" => accept(&pages, &anyone, &link).await,
        "create" => create(&pages, &anyone, &link, &form).await,
        "decline" => match pages.desk.decline_invitation(&anyone.guest.visitor, &link).await {
            Ok(()) => closed_with(StatusCode::OK, &anyone.guest, Closed::Declined),
            Err(error) => closed(&anyone.guest, &error),
        },
        _ => StatusCode::BAD_REQUEST.into_response(),
    }
}

async fn accept(pages: &Pages, anyone: &Anyone, link: &str) -> Response {
    let Some(person) = &anyone.person else {
        return reply::to(&with_query("/sign-in", &[("next", &path_of(link))]));
    };
    match pages.desk.accept_signed_in(&person.signed_in, link).await {
        Ok(welcomed) => {
            let flash = done::joined(&welcomed.org.name);
            let place = place_of(pages, person, &welcomed).await;
            reply::done(pages, person, flash, &place)
        }
        Err(Error::DeadInvitation(DeadInvitation {
            why: DeadReason::ForSomebodyElse { .. },
            ..
        })) => for_somebody_else(pages, anyone, link).await,
        Err(error) => closed(&anyone.guest, &error),
    }
}

/// Where somebody begins who has just joined: the organisation where they look after it, else their own mailboxes.
async fn place_of(pages: &Pages, person: &Person, welcomed: &Welcomed) -> String {
    match pages.desk.acting(&person.signed_in, welcomed.org.id).await {
        Ok(acting) if acting.may(Operation::OrgRead) => format!("/o/{}", welcomed.org.id),
        _ => "/me".to_owned(),
    }
}

async fn for_somebody_else(pages: &Pages, anyone: &Anyone, link: &str) -> Response {
    match pages.desk.invitation_of(link).await {
        Ok(view) => {
            let page = invited(anyone.guest.frame(), link, &view, way(anyone, &view));
            reply::with_status(StatusCode::FORBIDDEN, &page)
        }
        Err(error) => closed(&anyone.guest, &error),
    }
}

async fn create(pages: &Pages, anyone: &Anyone, link: &str, form: &AnswerForm) -> Response {
    let guest = &anyone.guest;
    let view = match pages.desk.invitation_of(link).await {
        Ok(view) => view,
        Err(error) => return closed(guest, &error),
    };
    let language = form.language.parse().unwrap_or(view.invitation.language);
    let (mut name, mut password) = (Field::of(&form.name), Field::default());
    match name::person_name(&form.name) {
        Err(bad) => name = name.wrong(shown::name_problem(&bad)),
        Ok(called) => {
            let person = NewPerson {
                name: &called,
                language,
                password: &form.password,
            };
            match pages.desk.accept_new(&guest.visitor, link, &person).await {
                Ok(welcomed) => return welcome(pages, anyone, &view, welcomed).await,
                Err(Error::BadPassword(bad)) => password = password.wrong(shown::password_problem(bad)),
                Err(Error::DeadInvitation(DeadInvitation {
                    why: DeadReason::SignInFirst,
                    ..
                })) => {
                    // Whoever has the link may know that; the inviter never learns it.
                    return reply::to(&with_query("/sign-in", &[("next", &path_of(link)), ("done", "known")]));
                }
                Err(error) => return closed(guest, &error),
            }
        }
    }
    let language = Field::of(language);
    let way = Way::Stranger {
        name,
        password,
        language,
    };
    let page = invited(refused(guest.frame()), link, &view, way);
    reply::with_status(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

async fn welcome(pages: &Pages, anyone: &Anyone, view: &InvitationView, welcomed: Welcomed) -> Response {
    let looks_after = may(view.invitation.role, Rights::NONE, Operation::OrgRead);
    let path = if looks_after {
        format!("/o/{}", welcomed.org.id)
    } else {
        "/me".to_owned()
    };
    let Some(opened) = welcomed.opened else {
        return reply::to(&path);
    };
    pages.leave_old(anyone).await;
    pages.greet(anyone, &opened, done::joined(&welcomed.org.name)).await;
    pages.let_in(&opened, &path)
}
