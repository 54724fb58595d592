//! `/step-up`: the password or a code again, before something weighty.

use serde::Deserialize;

use super::scope::*;
use super::{refused, throttled};
use crate::admin::console::view::Place;
use crate::admin::console::view::done::purpose;
use crate::admin::console::view::door::StepUp;
use crate::directory::desk::Proving;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    next: String,
}

pub(super) struct StepUpForm {
    password: Secret<String>,
    code: Secret<String>,
    next: String,
}

impl Form for StepUpForm {
    fn read(sent: &mut Sent) -> Self {
        Self {
            password: sent.secret("password"),
            code: sent.secret("code"),
            next: sent.text("next"),
        }
    }
}

pub(super) async fn show(State(pages): Here, person: Person, Given(asked): Given<Asked>) -> Response {
    if pages.desk.is_fresh(&person.signed_in) {
        return reply::to(onward(&asked.next));
    }
    reply::page(&ask(&pages, &person, &asked.next).await)
}

async fn ask(pages: &Pages, person: &Person, next: &str) -> StepUp {
    let next = next_of(next);
    StepUp {
        frame: person.frame(Place::Elsewhere),
        purpose: purpose_of(pages, person, next).await,
        has_code: person.signed_in.user.has_code,
        password: Field::default(),
        code: Field::default(),
        next: next.to_owned(),
        back: back_from(next).to_owned(),
    }
}

pub(super) async fn send(State(pages): Here, person: Person, Typed(form): Typed<StepUpForm>) -> Response {
    let by_code = form.password.expose().is_empty() && person.signed_in.user.has_code;
    let proving = if by_code {
        Proving::Code(&form.code)
    } else {
        Proving::Password(&form.password)
    };
    let error = match pages.desk.step_up(&person.signed_in, proving).await {
        Ok(opened) => return pages.let_in(&opened, onward(&form.next)),
        Err(error) => error,
    };
    let mut page = ask(&pages, &person, &form.next).await;
    page.frame = refused(page.frame);
    let (status, problem) = match (&error, throttled(&error, &page.frame)) {
        (_, Some(throttled)) => throttled,
        (Error::WrongPassword, None) => (StatusCode::UNPROCESSABLE_ENTITY, problem::password_wrong()),
        (Error::WrongCode, None) => (StatusCode::UNPROCESSABLE_ENTITY, problem::code()),
        _ => return reply::failed(&page.frame, &error, person.path()),
    };
    let field = if by_code { &mut page.code } else { &mut page.password };
    field.error = Some(problem);
    reply::with_status(status, &page)
}

/// What somebody is about to do, by where they want to go. What they may not see is not named.
async fn purpose_of(pages: &Pages, person: &Person, next: &str) -> Line {
    let path = next.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let named = match parts.as_slice() {
        ["me", "account", ..] => Some(purpose::sign_in_method()),
        ["o", _, "settings", "tokens", ..] => Some(purpose::make_token()),
        ["o", _, "people", ..] | ["o", _, "invitations", ..] => Some(purpose::give_role()),
        ["o", org, "mailboxes", mailbox, "people", ..] => {
            let mailbox = mailbox_named(pages, person, org, mailbox).await;
            mailbox.map(|address| purpose::give_access(&address))
        }
        ["o", org, "mailboxes", mailbox, "devices", ..] => {
            let mailbox = mailbox_named(pages, person, org, mailbox).await;
            mailbox.map(|address| purpose::add_device(&address))
        }
        ["o", org, "devices", device, ..] => device_named(pages, person, org, device).await,
        _ => None,
    };
    named.unwrap_or_else(purpose::anything)
}

async fn mailbox_named(pages: &Pages, person: &Person, org: &str, mailbox: &str) -> Option<String> {
    let acting = pages.desk.acting(&person.signed_in, org.parse().ok()?).await.ok()?;
    let row = pages.desk.mailbox(&acting, mailbox.parse().ok()?).await.ok()?;
    Some(row.mailbox.address.to_string())
}

async fn device_named(pages: &Pages, person: &Person, org: &str, device: &str) -> Option<Line> {
    let acting = pages.desk.acting(&person.signed_in, org.parse().ok()?).await.ok()?;
    let row = pages.desk.device(&acting, device.parse().ok()?).await.ok()?;
    Some(purpose::replace_device(&row.device.label))
}

/// Where somebody goes who does not want to: the page above the one they asked for.
fn back_from(next: &str) -> &str {
    let path = next.split('?').next().unwrap_or_default();
    match path.rsplit_once('/') {
        // What is below one's account are steps, and no pages by themselves.
        Some(_) if path.starts_with("/me/account/") => "/me/account",
        Some((above, _)) if !above.is_empty() => above,
        _ => "/",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_turns_back_is_led_to_the_page_above() {
        for (next, back) in [
            ("/me/account/password", "/me/account"),
            ("/me/account/code/off", "/me/account"),
            ("/o/org-1/settings/tokens/new?name=a/b", "/o/org-1/settings/tokens"),
            ("/me", "/"),
            ("/", "/"),
            ("", "/"),
        ] {
            assert_eq!(back_from(next), back, "{next}");
        }
    }
}
