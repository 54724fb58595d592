//! What the API answers when it does not do something: RFC 9457 §3, with a stable key for programs, words for people, and
//! what to do about it.
//!
//! Every kind of problem stands in one table, which is served as well (`/problems`) and from which the description of the
//! API is made. What went wrong inside (a path, a state of the disk) is for the log; here it is only that it did.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::words::Moment;
use crate::clock::Timestamp;
use crate::directory::Error;
use crate::model::name::BadName;
use crate::store;

/// Where each kind of problem is described.
const PLACE: &str = "/api/v1/problems/";

/// What a problem is written as.
pub(super) const CONTENT_TYPE: &str = "application/problem+json";

/// What a client is told that gives no token, or none that works.
const CHALLENGE: &str = "Bearer realm=\"Postern\"";

/// After which time something is worth another try that may work at any moment.
const SOON: Duration = Duration::from_secs(5);

/// One kind of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    /// Its fixed key.
    pub(super) key: &'static str,
    /// The status of the answer.
    pub(super) status: StatusCode,
    /// What happened, in few words.
    pub(super) title: &'static str,
    /// What to do.
    pub(super) hint: &'static str,
}

macro_rules! kinds {
    ($($name:ident, $key:literal, $status:ident, $title:literal, $hint:literal;)*) => {
        $(pub(super) const $name: Kind = Kind {
            key: $key,
            status: StatusCode::$status,
            title: $title,
            hint: $hint,
        };)*

        /// Every kind, by its key.
        pub(super) const KINDS: &[Kind] = &[$($name,)*];
    };
}

kinds! {
    ALIAS, "ui.alias", CONFLICT, "This is an alias", "Use the mailbox that it delivers into.";
    ALIAS_IS_MAILBOX, "alias.is_mailbox", CONFLICT, "This is a mailbox and no alias", "Use the paths of mailboxes.";
    CONFLICT, "conflict", CONFLICT, "The name is taken", "Choose another name, or use what has this one.";
    DOMAIN_BY_OPERATOR, "domain.operator", FORBIDDEN, "The operator of this server adds mail domains", "Ask the operator: the server serves several organisations, and only they know whose a domain is.";
    FORBIDDEN, "ui.forbidden", FORBIDDEN, "The token's user, or the token's role, may not do this", "Ask one of those whom `who_can` names, or take a token of somebody who may.";
    HOST, "request.host", MISDIRECTED_REQUEST, "The request is for another host", "Send the host of the Manager's address.";
    FOREIGN_SITE, "request.foreign_site", FORBIDDEN, "The request comes from a page of another site", "Call the API from a program and not from a page in a browser.";
    KEY_MISMATCH, "idempotency.mismatch", UNPROCESSABLE_ENTITY, "The key of this request was used for another one", "Choose a new Idempotency-Key for every request, and repeat one only with the same method, path and body.";
    KEY_RUNNING, "idempotency.running", CONFLICT, "A request with this key is being worked on", "Wait, and send the same request again: its answer then says what was made.";
    NOT_FOUND, "not_found", NOT_FOUND, "There is no such thing, or the token may not see it", "Look at the id. What was deleted, and everything of another organisation, answers like this too.";
    NO_MAIL, "mail.none", CONFLICT, "This installation sends no mail", "Ask for a link, or the operator for `[mail]` in the configuration.";
    NO_TAG, "device.no_tag", CONFLICT, "The mailbox has too many passwords", "Revoke devices that are no longer used.";
    ONLY_IN_PERSON, "token.only_in_person", FORBIDDEN, "Only a person may do this", "Sign in to the Manager and do it there.";
    READ_ONLY, "token.read_only", FORBIDDEN, "The token may only read", "Make a token that may write.";
    REFUSED, "refused", CONFLICT, "A rule forbids this", "`detail` says which one, and what to do first.";
    REQUEST_CONTENT_TYPE, "request.content_type", UNSUPPORTED_MEDIA_TYPE, "The body is of another kind than JSON", "Send JSON with `Content-Type: application/json`.";
    REQUEST_FIELDS, "request.fields", UNPROCESSABLE_ENTITY, "A field of the body cannot be used", "Correct what `fields` names; nothing was changed.";
    REQUEST_HEADER, "request.header", BAD_REQUEST, "A header cannot be used", "Correct what `fields` names; nothing was changed.";
    REQUEST_JSON, "request.json", BAD_REQUEST, "The body is not JSON", "Send one JSON value in UTF-8.";
    REQUEST_METHOD, "request.method", METHOD_NOT_ALLOWED, "This path does not know this method", "Use one of those that the Allow header names.";
    REQUEST_PATH, "request.path", NOT_FOUND, "The API has no such path", "Look it up in /api/v1/openapi.json.";
    REQUEST_QUERY, "request.query", BAD_REQUEST, "A parameter of the query cannot be used", "Correct what `fields` names.";
    REQUEST_TOO_LARGE, "request.too_large", PAYLOAD_TOO_LARGE, "The body is too large", "Send less at a time.";
    SERVER_BUSY, "signin.busy", SERVICE_UNAVAILABLE, "Too much is going on at this moment", "Try again a little later.";
    SERVER_INTERNAL, "server.internal", INTERNAL_SERVER_ERROR, "A mistake of ours", "Tell the operator when it was: the log says more.";
    SERVER_KEYS, "server.keys", INTERNAL_SERVER_ERROR, "The server keys cannot do this", "Tell the operator when it was: the log says more.";
    SERVER_STORE, "server.store", SERVICE_UNAVAILABLE, "The store does not answer", "Try again a little later; nothing was changed.";
    SERVER_TIME, "server.time", SERVICE_UNAVAILABLE, "The answer took too long", "Look whether it was done, then try again a little later.";
    SIGN_IN, "signin.needed", UNAUTHORIZED, "No token, or none that works", "Send `Authorization: Bearer` and a token of a member that has not ended.";
    STALE, "ui.conflict", CONFLICT, "It was changed meanwhile", "Look at `now`, and send the change again with its revision.";
    TOO_SOON, "too_soon", TOO_MANY_REQUESTS, "This was done a moment ago", "Wait as long as Retry-After says.";
    TOO_MANY, "signin.wait", TOO_MANY_REQUESTS, "Too many tries with tokens that do not work", "Wait as long as Retry-After says, and correct the token.";
}

impl Kind {
    fn place(&self) -> String {
        format!("{PLACE}{}", self.key)
    }

    /// The kind of a refusal that no handler has seen.
    const fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::FORBIDDEN => FOREIGN_SITE,
            StatusCode::MISDIRECTED_REQUEST => HOST,
            StatusCode::NOT_FOUND => REQUEST_PATH,
            StatusCode::METHOD_NOT_ALLOWED => REQUEST_METHOD,
            StatusCode::PAYLOAD_TOO_LARGE => REQUEST_TOO_LARGE,
            StatusCode::SERVICE_UNAVAILABLE => SERVER_TIME,
            StatusCode::BAD_REQUEST => REQUEST_HEADER,
            _ => SERVER_INTERNAL,
        }
    }

    fn of_error(error: &Error) -> Self {
        match error {
            // Whoever has no organisation any more has no token either.
            Error::SignedOut | Error::Unknown { what: "organisation" } => SIGN_IN,
            Error::BadAddress { .. }
            | Error::BadDevice { .. }
            | Error::BadDomain { .. }
            | Error::BadName(_)
            | Error::BadPassword(_)
            | Error::Ends { .. }
            | Error::ForeignSender { .. }
            | Error::UnknownDomain { .. } => REQUEST_FIELDS,
            Error::DomainByOperator => DOMAIN_BY_OPERATOR,
            Error::AmbiguousDevice { .. } | Error::Store(store::Error::Conflict(_)) => CONFLICT,
            Error::Busy(_) => SERVER_BUSY,
            Error::Forbidden(_) => FORBIDDEN,
            Error::IsAlias { .. } => ALIAS,
            Error::IsMailbox { .. } => ALIAS_IS_MAILBOX,
            Error::Keys(_) | Error::Totp(_) => SERVER_KEYS,
            Error::NoMail => NO_MAIL,
            Error::NoTag { .. } => NO_TAG,
            Error::OnlyInPerson | Error::StepUp => ONLY_IN_PERSON,
            Error::ReadOnly => READ_ONLY,
            Error::Store(store::Error::NotFound(_))
            | Error::Unknown { .. }
            | Error::UnknownAlias { .. }
            | Error::UnknownDevice { .. }
            | Error::UnknownMailbox { .. }
            | Error::UnknownOrg { .. }
            | Error::UnknownUser { .. } => NOT_FOUND,
            Error::DeadInvitation(_) | Error::DeadLink | Error::Import(_) | Error::Store(store::Error::Refused(_)) => {
                REFUSED
            }
            Error::Store(store::Error::Stale { .. }) => STALE,
            Error::Store(_) => SERVER_STORE,
            Error::TooManyTries { .. } => TOO_MANY,
            Error::TooSoon { .. } => TOO_SOON,
            Error::WrongCode | Error::WrongPassword | Error::WrongSignIn => SIGN_IN,
        }
    }
}

/// What is wrong with one field of a body, one parameter of a query, or one header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Field {
    /// Which: a name, or a path such as `grants[0].mailbox`.
    pub(super) field: String,
    /// Why, as a fixed word.
    pub(super) key: &'static str,
    /// What to do about it.
    pub(super) text: String,
}

impl Field {
    pub(super) fn new(field: impl Into<String>, key: &'static str, text: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            key,
            text: text.into(),
        }
    }
}

/// Why something was not done (RFC 9457). Nothing was changed, unless `detail` says otherwise.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct ProblemBody {
    /// Where this kind of problem is described.
    #[serde(rename = "type")]
    #[schema(format = "uri-reference")]
    kind: String,
    /// What happened, in few words; always the same for one `key`.
    title: &'static str,
    /// The status of the answer.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What happened in this case, for people.
    detail: String,
    /// What kind of problem it is, for programs: it never changes its meaning.
    key: &'static str,
    /// What to do.
    hint: &'static str,
    /// Where to read on.
    #[schema(format = "uri-reference")]
    docs: String,
    /// Which fields, parameters or headers cannot be used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    fields: Vec<Field>,
    /// Who can do it, or give the right to: at most three.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    who_can: Vec<String>,
    /// Who changed it meanwhile, as the audit log names them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    changed_by: Option<String>,
    /// When they did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    changed_at: Option<Moment>,
    /// What is there now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, nullable = false)]
    now: Option<Value>,
}

/// Why something was not done.
#[derive(Debug)]
pub(super) struct Problem(Box<Told>);

#[derive(Debug)]
struct Told {
    kind: Kind,
    detail: String,
    fields: Vec<Field>,
    who_can: Vec<String>,
    changed: Option<(String, Timestamp)>,
    now: Option<Value>,
    wait: Option<Duration>,
}

impl Problem {
    /// One of this kind.
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self(Box::new(Told {
            kind,
            detail: detail.into(),
            fields: Vec::new(),
            who_can: Vec::new(),
            changed: None,
            now: None,
            wait: None,
        }))
    }

    /// One with nothing to say beyond its title.
    pub(super) fn plain(kind: Kind) -> Self {
        Self::new(kind, kind.title)
    }

    /// One about a field, a parameter or a header.
    pub(super) fn of_field(kind: Kind, field: Field) -> Self {
        let mut problem = Self::new(kind, format!("{}: {}", field.field, field.text));
        problem.0.fields.push(field);
        problem
    }

    /// The refusal of a field of the body.
    pub(super) fn field(field: impl Into<String>, key: &'static str, text: impl Into<String>) -> Self {
        Self::of_field(REQUEST_FIELDS, Field::new(field, key, text))
    }

    /// What somebody asked for is not there, or not for them.
    pub(super) fn unknown(what: &'static str) -> Self {
        Error::Unknown { what }.into()
    }

    /// The same with what is there now.
    pub(super) fn with_now(mut self, now: &impl Serialize) -> Self {
        self.0.now = serde_json::to_value(now).ok();
        self
    }

    /// The refusal of a revision that is not the present one.
    pub(super) fn stale(by: &str, at: Timestamp) -> Self {
        let mut problem = Self::new(
            STALE,
            format!("{by} changed it at {}; nothing was changed", at.rfc3339()),
        );
        problem.0.changed = Some((by.to_owned(), at));
        problem
    }

    /// The same, to be tried again after this time.
    pub(super) fn after(mut self, wait: Duration) -> Self {
        self.0.wait = Some(wait);
        self
    }
}

/// The answer to a refusal that no handler has seen.
pub(super) fn of_status(status: StatusCode) -> Problem {
    let kind = Kind::of_status(status);
    let problem = Problem::plain(kind);
    if kind == SERVER_TIME {
        return problem.after(SOON);
    }
    problem
}

impl From<BadName> for Problem {
    fn from(bad: BadName) -> Self {
        Error::from(bad).into()
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let kind = Kind::of_error(&error);
        let field = |field: &str| Self::field(field, error.key(), error.to_string());
        match &error {
            Error::BadAddress { .. } | Error::UnknownDomain { .. } => field("address"),
            Error::BadDomain { .. } | Error::BadName(_) => field("name"),
            Error::ForeignSender { .. } => field("senders"),
            Error::Ends { what, .. } if *what == "a device" => field("expires_at"),
            Error::Ends { .. } => field("ends_at"),
            Error::Store(store::Error::NotFound(_)) => Self::plain(kind),
            Error::Store(store::Error::Stale { by, at }) => Self::stale(by, *at),
            Error::Forbidden(forbidden) => {
                let mut problem = Self::new(kind, error.to_string());
                problem.0.who_can.clone_from(&forbidden.who_can);
                problem
            }
            Error::TooManyTries { wait } => Self::plain(kind).after(*wait),
            Error::TooSoon { wait } => Self::new(kind, error.to_string()).after(*wait),
            _ if kind.status.is_server_error() => {
                // What went wrong names paths and states of the machine.
                match kind {
                    SERVER_STORE => tracing::error!(error = %error, "a request failed: the store did not answer"),
                    SERVER_BUSY => {}
                    _ => tracing::error!(error = %error, "a request failed"),
                }
                let problem = Self::plain(kind);
                if kind.status == StatusCode::SERVICE_UNAVAILABLE {
                    return problem.after(SOON);
                }
                problem
            }
            _ if kind.status == StatusCode::UNAUTHORIZED => Self::plain(kind),
            _ => Self::new(kind, error.to_string()),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Told {
            kind,
            detail,
            fields,
            who_can,
            changed,
            now,
            wait,
        } = *self.0;
        let (changed_by, changed_at) = changed.unzip();
        let body = ProblemBody {
            kind: kind.place(),
            title: kind.title,
            status: kind.status.as_u16(),
            detail,
            key: kind.key,
            hint: kind.hint,
            docs: kind.place(),
            fields,
            who_can,
            changed_by,
            changed_at: changed_at.map(Moment),
            now,
        };
        let content_type = [(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE))];
        let mut response = (kind.status, content_type, Json(body)).into_response();
        // `Json` says that it is JSON of no kind.
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        let mut add = |name: HeaderName, value: HeaderValue| response.headers_mut().insert(name, value);
        if kind.status == StatusCode::UNAUTHORIZED {
            add(header::WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
        }
        if let Some(wait) = wait {
            // Whole seconds (RFC 9110 §10.2.3): whoever waits as long has waited enough.
            let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1);
            add(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_key_has_one_kind_and_each_kind_says_what_to_do() {
        let keys: BTreeSet<_> = KINDS.iter().map(|kind| kind.key).collect();
        assert_eq!(keys.len(), KINDS.len());
        for kind in KINDS {
            assert!(
                kind.status.is_client_error() || kind.status.is_server_error(),
                "{kind:?}"
            );
            assert!(
                kind.hint.ends_with('.') && !kind.title.ends_with('.') && kind.title.len() > 10,
                "{kind:?}"
            );
        }
    }

    #[test]
    fn what_happened_inside_stays_inside() {
        let away = store::Error::Unavailable {
            path: "/var/lib/postern/postern.db".to_owned(),
            reason: "disk I/O error".to_owned(),
        };
        let newer = store::Error::NewerSchema {
            path: "/var/lib/postern/postern.db".to_owned(),
            found: 99,
            known: 1,
        };
        for (error, key) in [
            (Error::Store(away), "server.store"),
            (Error::Store(newer), "server.store"),
        ] {
            let problem = Problem::from(error);
            assert_eq!(problem.0.kind.key, key);
            assert_eq!(problem.0.detail, problem.0.kind.title);
        }
    }

    #[test]
    fn keys_are_those_of_the_directory_where_it_has_one() {
        let stale = store::Error::Stale {
            by: "user:a".to_owned(),
            at: Timestamp(0),
        };
        for error in [
            Error::Unknown { what: "device" },
            Error::OnlyInPerson,
            Error::ReadOnly,
            Error::SignedOut,
            Error::NoMail,
            Error::Store(store::Error::Conflict(String::new())),
            Error::Store(store::Error::Refused(String::new())),
            Error::Store(store::Error::NotFound(String::new())),
            Error::Store(stale),
            Error::TooSoon { wait: SOON },
            Error::TooManyTries { wait: SOON },
        ] {
            assert_eq!(Kind::of_error(&error).key, error.key());
        }
    }
}
