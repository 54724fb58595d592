//! Who asks: anyone, a person, or a person inside one of their organisations. Each is an extractor, so that a handler that
//! names one cannot be reached without it.

use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Query, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri, header};
use axum::middleware::Next;
use axum::response::Response;
use axum_extra::extract::cookie::CookieJar;
use jiff::tz::TimeZone;

use super::cookies::{self, Kind};
use super::query::with_query;
use super::{Pages, reply};
use crate::admin::console::text::Text;
use crate::admin::console::view::frame::{OrgHere, OrgLink, SignedIn as ShownPerson};
use crate::admin::console::view::{Flash, Frame, Place, Places, Theme};
use crate::admin::manager::{ClientAddress, OwnNetwork};
use crate::clock::Clock;
use crate::directory::Error;
use crate::directory::desk::{Acting, SignedIn, Visit, Visitor};
use crate::directory::rights::Operation;
use crate::model::{Language, OrgId, Role};
use crate::store::UserOrg;

/// Languages that are looked at in `Accept-Language`.
const ACCEPTED_MAX: usize = 16;

/// Whoever asks, signed in or not. It holds the cookies, so it has no `Debug`.
#[derive(Clone)]
pub(super) struct Guest {
    /// From where, and by which browser.
    pub(super) visitor: Visitor,
    /// In which language.
    pub(super) text: Text,
    /// The chosen colours.
    pub(super) theme: Theme,
    /// The session cookie.
    pub(super) session: Option<String>,
    /// The cookie of a known browser.
    pub(super) mark: Option<String>,
    /// The path that was asked for, with its query.
    pub(super) path: String,
}

/// Whoever asks, and who they are where they are signed in.
#[derive(Clone)]
pub(super) struct Anyone {
    /// The request's side of them.
    pub(super) guest: Guest,
    /// Who.
    pub(super) person: Option<Person>,
    /// Their password was right, and they owe a code.
    pub(super) is_half: bool,
}

/// Somebody who is signed in.
#[derive(Clone)]
pub(super) struct Person {
    /// The request's side of them.
    pub(super) guest: Guest,
    /// Who.
    pub(super) signed_in: SignedIn,
    /// Their organisations.
    pub(super) orgs: Vec<UserOrg>,
    flash: Option<Flash>,
}

/// Somebody who is signed in, in the organisation that the path names.
#[derive(Clone)]
pub(super) struct Inside {
    /// Who.
    pub(super) person: Person,
    /// What they are there.
    pub(super) acting: Acting,
}

/// A reader of whom nothing is known.
pub(super) fn plain_reader(clock: &Clock) -> Text {
    Text {
        language: Language::English,
        zone: TimeZone::UTC,
        now: clock.utc(),
    }
}

impl Guest {
    fn of(parts: &Parts, pages: &Pages) -> Self {
        let jar = CookieJar::from_headers(&parts.headers);
        let client = parts.extensions.get::<ClientAddress>();
        let ip = client.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |client| client.0);
        let browser = parts
            .headers
            .get(header::USER_AGENT)
            .and_then(|browser| browser.to_str().ok());
        Self {
            visitor: Visitor::new(ip, browser.unwrap_or_default()),
            text: Text {
                language: asked_language(&parts.uri)
                    .or_else(|| cookies::language(&jar, &pages.origin))
                    .unwrap_or_else(|| accepted(&parts.headers)),
                ..plain_reader(&pages.clock)
            },
            theme: cookies::theme(&jar, &pages.origin),
            session: Kind::Session.read(&jar, &pages.origin),
            mark: Kind::Mark.read(&jar, &pages.origin),
            path: parts
                .uri
                .path_and_query()
                .map_or("/", axum::http::uri::PathAndQuery::as_str)
                .to_owned(),
        }
    }

    /// What stands around a page for somebody who is not signed in.
    pub(super) fn frame(&self) -> Frame {
        Frame {
            theme: self.theme,
            ..Frame::door(self.text.clone())
        }
    }
}

impl Anyone {
    async fn of(parts: &Parts, pages: &Pages) -> Result<Self, Response> {
        let guest = Guest::of(parts, pages);
        let failed = |error: &Error| reply::door_failed(&guest, error);
        let visit = pages.desk.visit(&guest.visitor, guest.session.as_deref()).await;
        let signed_in = match visit.map_err(|error| failed(&error))? {
            Visit::SignedIn(signed_in) => *signed_in,
            other => {
                let is_half = matches!(other, Visit::Half(_));
                return Ok(Self {
                    guest,
                    person: None,
                    is_half,
                });
            }
        };
        if let Some(network) = parts.extensions.get::<OwnNetwork>() {
            network.note();
        }
        let orgs = pages.desk.my_orgs(&signed_in).await.map_err(|error| failed(&error))?;
        let flash = match parts.method {
            Method::GET => pages.flashes.take(signed_in.session.id, pages.clock.now()),
            _ => None,
        };
        let text = Text {
            language: signed_in.user.language,
            ..guest.text.clone()
        };
        let guest = Guest { text, ..guest };
        let person = Person {
            guest: guest.clone(),
            signed_in,
            orgs,
            flash,
        };
        Ok(Self {
            guest,
            person: Some(person),
            is_half: false,
        })
    }
}

impl Person {
    async fn of(parts: &Parts, pages: &Pages) -> Result<Self, Response> {
        let Anyone { guest, person, is_half } = Anyone::of(parts, pages).await?;
        if let Some(person) = person {
            return Ok(person);
        }
        let (door, done) = match guest.session {
            _ if is_half => ("/sign-in/code", ""),
            // Somebody was signed in here, and is not any more.
            Some(_) => ("/sign-in", "over"),
            None => ("/sign-in", ""),
        };
        Err(reply::to(&with_query(
            door,
            &[("next", guest.way_back(parts)), ("done", done)],
        )))
    }

    /// What stands around a page of their own.
    pub(super) fn frame(&self, place: Place) -> Frame {
        Frame {
            person: Some(ShownPerson {
                name: self.signed_in.user.name.clone(),
                address: self.signed_in.user.address.to_string(),
            }),
            orgs: self.orgs.iter().map(org_link).collect(),
            place,
            flash: self.flash.clone(),
            ..self.guest.frame()
        }
    }

    /// The path that was asked for.
    pub(super) fn path(&self) -> &str {
        &self.guest.path
    }

    /// Reads an id from the path; what is none is not there.
    pub(super) fn id<I: FromStr>(&self, text: &str, what: &'static str) -> Result<I, reply::Failed> {
        text.parse().map_err(|_| self.failed(Error::Unknown { what }))
    }
}

impl Inside {
    async fn of(parts: &mut Parts, pages: &Arc<Pages>) -> Result<Self, Response> {
        let person = Person::of(parts, pages).await?;
        let org = RawPathParams::from_request_parts(parts, pages).await.ok();
        let org: Option<OrgId> = org.as_ref().and_then(|params| {
            let mut params = params.iter();
            params
                .find(|(name, _)| *name == "org")
                .and_then(|(_, value)| value.parse().ok())
        });
        let Some(org) = org else {
            return Err(reply::failed(
                &person.frame(Place::Elsewhere),
                &Error::Unknown { what: "organisation" },
                person.path(),
            ));
        };
        match pages.desk.acting(&person.signed_in, org).await {
            Ok(acting) => Ok(Self { person, acting }),
            Err(error) => Err(reply::failed(&person.frame(Place::Elsewhere), &error, person.path())),
        }
    }

    /// What stands around a page of the organisation.
    pub(super) fn frame(&self, place: Place) -> Frame {
        let acting = &self.acting;
        Frame {
            org: Some(OrgHere {
                id: acting.org.id,
                name: acting.org.name.clone(),
                role: acting.role,
                places: places(acting),
            }),
            ..self.person.frame(place)
        }
    }

    /// A path in the organisation: `/o/{org}` and what follows.
    pub(super) fn at(&self, rest: &str) -> String {
        let org = self.acting.org.id;
        if rest.is_empty() {
            format!("/o/{org}")
        } else {
            format!("/o/{org}/{rest}")
        }
    }

    /// Why something was not done, as a page.
    pub(super) fn failed(&self, error: Error) -> reply::Failed {
        reply::Failed {
            frame: Box::new(self.frame(Place::Elsewhere)),
            error,
            path: self.person.path().to_owned(),
        }
    }
}

impl Person {
    /// The same, where the way back after a step-up is another page than the one that was asked for.
    pub(super) fn failed_at(&self, error: Error, path: &str) -> reply::Failed {
        reply::Failed {
            path: path.to_owned(),
            ..self.failed(error)
        }
    }

    /// Why something was not done, as a page.
    pub(super) fn failed(&self, error: Error) -> reply::Failed {
        reply::Failed {
            frame: Box::new(self.frame(Place::Elsewhere)),
            error,
            path: self.path().to_owned(),
        }
    }
}

impl Guest {
    /// Where to go on after signing in: the page that was asked for; after a form that is lost, the start.
    fn way_back(&self, parts: &Parts) -> &str {
        if parts.method == Method::GET && self.path != "/" {
            &self.path
        } else {
            ""
        }
    }
}

fn org_link(org: &UserOrg) -> OrgLink {
    OrgLink {
        id: org.org.id,
        name: org.org.name.clone(),
    }
}

/// Where somebody may go by their role alone; what a member was granted is on their own pages.
fn places(acting: &Acting) -> Places {
    let may = |operation| acting.may(operation);
    Places {
        overview: may(Operation::OrgRead),
        mailboxes: may(Operation::MailboxRead),
        people: may(Operation::MemberRead),
        invitations: may(Operation::InvitationRead),
        devices: may(Operation::DeviceRead),
        sessions: may(Operation::SessionRead),
        activity: may(Operation::AuditRead),
        domains: may(Operation::OrgRead),
        // A member finds their tokens in their account: there is nothing else for them.
        settings: acting.role != Role::Member,
        search: may(Operation::MailboxRead),
    }
}

impl FromRequestParts<Arc<Pages>> for Guest {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, pages: &Arc<Pages>) -> Result<Self, Self::Rejection> {
        Ok(Self::of(parts, pages))
    }
}

impl FromRequestParts<Arc<Pages>> for Anyone {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, pages: &Arc<Pages>) -> Result<Self, Response> {
        Self::of(parts, pages).await
    }
}

impl FromRequestParts<Arc<Pages>> for Person {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, pages: &Arc<Pages>) -> Result<Self, Response> {
        Self::of(parts, pages).await
    }
}

impl FromRequestParts<Arc<Pages>> for Inside {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, pages: &Arc<Pages>) -> Result<Self, Response> {
        Self::of(parts, pages).await
    }
}

/// A language that a link of ours asks for.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Asked {
    language: String,
}

fn asked_language(uri: &Uri) -> Option<Language> {
    Query::<Asked>::try_from_uri(uri).ok()?.language.parse().ok()
}

/// Keeps the language that a guest has chosen, for the next page.
pub(super) async fn keep_language(State(pages): State<Arc<Pages>>, request: Request, next: Next) -> Response {
    let asked = asked_language(request.uri());
    let response = next.run(request).await;
    match asked {
        Some(language) => Kind::Language.set(response, &pages.origin, language.to_string()),
        None => response,
    }
}

/// The language that the browser likes best among ours (RFC 9110 §12.5.4).
fn accepted(headers: &HeaderMap) -> Language {
    let given = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    let weighed = given
        .unwrap_or_default()
        .split(',')
        .take(ACCEPTED_MAX)
        .filter_map(|entry| {
            let mut parts = entry.split(';');
            let tag = parts.next()?.trim().split('-').next()?;
            let language: Language = tag.parse().ok()?;
            let weight = parts.find_map(|part| part.trim().strip_prefix("q=")?.parse::<f32>().ok());
            Some((language, weight.unwrap_or(1.0)))
        });
    // Of equals the first one.
    let best = weighed.fold(None, |best: Option<(Language, f32)>, one| match best {
        Some(best) if best.1 >= one.1 => Some(best),
        _ => Some(one),
    });
    best.map_or(Language::English, |(language, _)| language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_reads_what_the_browser_likes_best() {
        for (given, language) in [
            ("fr-CH, fr;q=0.9, en;q=0.8", Language::French),
            ("de, en;q=0.5, fr;q=0.4", Language::English),
            ("de", Language::English),
            ("", Language::English),
            ("en;q=0.2,fr;q=0.7", Language::French),
            ("EN-GB,fr", Language::English),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, given.parse().unwrap());
            assert_eq!(accepted(&headers), language, "{given}");
        }
    }
}
