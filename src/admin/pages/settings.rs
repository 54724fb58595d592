//! `/o/{org}/settings`: the organisation's name, what is sent by mail (`notices`), and API tokens.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;

use super::form::{Form, Sent, Typed};
use super::once::Coming;
use super::query::{Given, with_query};
use super::reply::{Failed, Reply};
use super::visit::Inside;
use super::{Here, Pages, notices, reply, shown};
use crate::admin::console::text::Line;
use crate::admin::console::view::confirm::Confirm;
use crate::admin::console::view::error::{Conflict, Difference};
use crate::admin::console::view::form::problem;
use crate::admin::console::view::settings::{NewToken, Settings, TokenRow, TokenShown};
use crate::admin::console::view::{Field, Frame, Place, done};
use crate::clock::Timestamp;
use crate::directory::rights::Operation;
use crate::directory::{Error, TokenSpec};
use crate::model::name::{org_name, token_name};
use crate::model::{ApiToken, Role, TokenId, TokenScope, UserId};
use crate::store;

/// For how many days a token can be made, and what is offered first.
const TOKEN_DAYS: [u64; 3] = [30, 90, 365];
const USUAL_DAYS: u64 = 90;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The settings.
pub(super) fn routes() -> Router<Arc<Pages>> {
    Router::new()
        .route("/o/{org}/settings", get(show).post(send))
        .route("/o/{org}/settings/tokens", get(above))
        .route("/o/{org}/settings/tokens/new", get(show_new).post(send_new))
        .route(
            "/o/{org}/settings/tokens/{token}/revoke",
            get(ask_revoke).post(send_revoke),
        )
}

struct NameForm {
    name: String,
    /// The name as it was when the page was made.
    revision: String,
}

impl Form for NameForm {
    fn read(sent: &mut Sent) -> Self {
        Self {
            name: sent.text("name"),
            revision: sent.text("revision"),
        }
    }
}

/// What is typed about a new token; a link after a step-up brings it back.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TokenForm {
    name: String,
    role: String,
    access: String,
    expires: String,
    #[serde(skip)]
    once: String,
}

impl Form for TokenForm {
    fn read(sent: &mut Sent) -> Self {
        Self {
            name: sent.text("name"),
            role: sent.text("role"),
            access: sent.text("access"),
            expires: sent.text("expires"),
            once: sent.text("once"),
        }
    }
}

/// There is no list of tokens by itself.
async fn above(inside: Inside) -> Response {
    reply::to(&inside.at("settings"))
}

async fn show(State(pages): Here, inside: Inside) -> Reply {
    let frame = inside.frame(Place::Settings);
    Ok(reply::page(&settings(&pages, &inside, frame).await?))
}

async fn settings(pages: &Pages, inside: &Inside, frame: Frame) -> Result<Settings, Failed> {
    let acting = &inside.acting;
    let tokens = tokens(pages, inside).await.map_err(|error| inside.failed(error))?;
    let off = pages.desk.notices_off(acting).await;
    let (notices, notices_revision) = notices::ticks(off.map_err(|error| inside.failed(error))?);
    Ok(Settings {
        frame,
        name: Field::of(&acting.org.name),
        revision: acting.org.name.clone(),
        may_change: acting.may(Operation::OrgEdit),
        tokens,
        notices,
        notices_revision,
        may_choose_notices: acting.may(Operation::NoticeChange),
        may_make_token: acting.may(Operation::OwnToken),
    })
}

/// One's own tokens, or everybody's where one may see them, with the names of whose they are.
async fn tokens(pages: &Pages, inside: &Inside) -> Result<Vec<TokenRow>, Error> {
    let acting = &inside.acting;
    let tokens = if acting.may(Operation::TokenRead) {
        pages.desk.tokens(acting).await?
    } else {
        pages.desk.my_tokens(acting).await?
    };
    let mut names: BTreeMap<UserId, String> = BTreeMap::new();
    names.insert(acting.user.id, acting.user.name.clone());
    for token in &tokens {
        if let Entry::Vacant(place) = names.entry(token.user) {
            let name = match pages.desk.member(acting, token.user).await {
                Ok(row) => row.member.user.name,
                // They left a moment ago, and their tokens with them.
                Err(Error::Unknown { .. } | Error::Store(store::Error::NotFound(_))) => String::new(),
                Err(error) => return Err(error),
            };
            place.insert(name);
        }
    }
    let now = pages.clock.utc();
    let lives = |token: &&ApiToken| token.expires_at.is_none_or(|end| now < end);
    let row = |token: &ApiToken| TokenRow {
        id: token.id,
        name: token.name.clone(),
        owner: names.get(&token.user).cloned().unwrap_or_default(),
        role: token.role,
        is_read_only: token.scope == TokenScope::Read,
        last_used: token.used_at.zip(token.used_from.clone()),
        expires_at: token.expires_at,
        may_revoke: token.user == acting.user.id || acting.may(Operation::TokenRevoke),
    };
    Ok(tokens.iter().filter(lives).map(row).collect())
}

async fn send(State(pages): Here, inside: Inside, Typed(form): Typed<NameForm>) -> Reply {
    let path = inside.at("settings");
    let acting = &inside.acting;
    let problem = match org_name(&form.name) {
        Err(bad) => shown::name_problem(&bad),
        Ok(name) => match pages.desk.rename_org(acting, &form.revision, &name).await {
            Ok(org) => {
                let flash = if org.name == form.revision {
                    done::unchanged()
                } else {
                    done::saved()
                };
                return Ok(reply::done(&pages, &inside.person, flash, &path));
            }
            Err(Error::Store(store::Error::Stale { by, at })) => {
                let page = conflict(&inside, &form, &by, at);
                return Ok(reply::with_status(StatusCode::CONFLICT, &page));
            }
            Err(Error::Store(store::Error::Conflict(_))) => problem::org_taken(),
            Err(error) => return Err(inside.failed(error)),
        },
    };
    let mut page = settings(&pages, &inside, refused(&inside)).await?;
    page.name = Field::of(&form.name).wrong(problem);
    page.revision = form.revision;
    Ok(reply::with_status(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

fn refused(inside: &Inside) -> Frame {
    Frame {
        is_refused: true,
        ..inside.frame(Place::Settings)
    }
}

fn conflict(inside: &Inside, form: &NameForm, by: &str, at: Timestamp) -> Conflict {
    let theirs = inside.acting.org.name.clone();
    Conflict {
        frame: inside.frame(Place::Settings),
        what: theirs.clone(),
        who: shown::actor(by).to_owned(),
        at,
        differences: vec![Difference {
            label: Line::new("word-name"),
            theirs: theirs.clone(),
            mine: form.name.clone(),
        }],
        action: inside.at("settings"),
        fields: vec![("name".to_owned(), form.name.clone()), ("revision".to_owned(), theirs)],
        theirs: inside.at("settings"),
    }
}

/// The roles that a token of theirs can have: their own and lesser ones.
fn offered(role: Role) -> Vec<Role> {
    Role::ALL
        .iter()
        .copied()
        .skip_while(|offered| *offered != role)
        .collect()
}

async fn show_new(State(pages): Here, inside: Inside, Given(asked): Given<TokenForm>) -> Reply {
    if !pages.desk.is_fresh(&inside.person.signed_in) {
        return Err(inside.failed(Error::StepUp));
    }
    let once = pages.once.mark(pages.clock.utc());
    let form = TokenForm { once, ..asked };
    Ok(reply::page(&new_token(inside.frame(Place::Settings), &inside, &form)))
}

fn new_token(frame: Frame, inside: &Inside, form: &TokenForm) -> NewToken {
    let or = |typed: &str, usual: &str| Field::of(if typed.is_empty() { usual } else { typed });
    NewToken {
        frame,
        name: Field::of(&form.name),
        role: or(&form.role, inside.acting.role.name()),
        offered: offered(inside.acting.role),
        access: or(&form.access, TokenScope::Read.name()),
        expires: or(&form.expires, &USUAL_DAYS.to_string()),
        once: form.once.clone(),
    }
}

async fn send_new(State(pages): Here, inside: Inside, Typed(form): Typed<TokenForm>) -> Reply {
    let mut page = new_token(refused(&inside), &inside, &form);
    let Some(spec) = token_spec(&pages, &form, &mut page) else {
        return Ok(reply::with_status(StatusCode::UNPROCESSABLE_ENTITY, &page));
    };
    let session = inside.person.signed_in.session.id;
    if pages.once.come(session, &form.once, pages.clock.now()) != Coming::First {
        let path = inside.at("settings");
        return Ok(reply::done(&pages, &inside.person, done::made_already(), &path));
    }
    let made = pages.desk.create_token(&inside.acting, spec).await;
    if made.is_err() {
        pages.once.refused(session, &form.once);
    }
    match made {
        Ok((token, secret)) => Ok(reply::page(&TokenShown {
            frame: inside.frame(Place::Settings),
            name: token.name,
            token: secret,
            api: pages.origin.link("/api/v1"),
        })),
        Err(Error::StepUp) => {
            let TokenForm {
                name,
                role,
                access,
                expires,
                ..
            } = &form;
            let fields = [
                ("name", name.as_str()),
                ("role", role),
                ("access", access),
                ("expires", expires),
            ];
            let again = with_query(&inside.at("settings/tokens/new"), &fields);
            Ok(reply::to(&with_query("/step-up", &[("next", &again)])))
        }
        Err(error) => Err(inside.failed(error)),
    }
}

/// What was typed, or marks at the fields that nobody could use.
fn token_spec(pages: &Pages, form: &TokenForm, page: &mut NewToken) -> Option<TokenSpec> {
    let name = token_name(&form.name).map_err(|bad| page.name.error = Some(shown::name_problem(&bad)));
    let role: Option<Role> = form.role.parse().ok().filter(|role| page.offered.contains(role));
    let scope: Option<TokenScope> = form.access.parse().ok();
    let days: Option<u64> = form.expires.parse().ok().filter(|days| TOKEN_DAYS.contains(days));
    for (field, is_right) in [
        (&mut page.role, role.is_some()),
        (&mut page.access, scope.is_some()),
        (&mut page.expires, days.is_some()),
    ] {
        if !is_right {
            field.error = Some(problem::choose());
        }
    }
    let life = DAY.saturating_mul(u32::try_from(days?).ok()?);
    Some(TokenSpec {
        name: name.ok()?,
        role: role?,
        scope: scope?,
        expires_at: pages.clock.utc().plus(life),
    })
}

/// The token that the path names, where whoever asks may see it.
async fn token(pages: &Pages, inside: &Inside, id: &str) -> Result<TokenRow, Failed> {
    let id: TokenId = inside.person.id(id, "token")?;
    let tokens = tokens(pages, inside).await.map_err(|error| inside.failed(error))?;
    let found = tokens.into_iter().find(|token| token.id == id);
    found.ok_or_else(|| inside.failed(Error::Unknown { what: "token" }))
}

async fn ask_revoke(State(pages): Here, inside: Inside, Path((_, id)): Path<(String, String)>) -> Reply {
    let token = token(&pages, &inside, &id).await?;
    let (frame, action) = (inside.frame(Place::Settings), inside.person.path().to_owned());
    Ok(reply::page(&Confirm::revoke_token(
        frame,
        &token.name,
        action,
        inside.at("settings"),
    )))
}

async fn send_revoke(State(pages): Here, inside: Inside, Path((_, id)): Path<(String, String)>) -> Reply {
    let token = token(&pages, &inside, &id).await?;
    pages
        .desk
        .revoke_token(&inside.acting, token.id)
        .await
        .map_err(|error| inside.failed(error))?;
    Ok(reply::done(
        &pages,
        &inside.person,
        done::token_revoked(&token.name),
        &inside.at("settings"),
    ))
}
