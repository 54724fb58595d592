//! How somebody signs in, changed by whoever runs the gateway: a new password, no codes, signed out, the first owner.

use serde_json::{Value, json};

use crate::cli::confirm::confirm;
use crate::cli::failure::Failure;
use crate::cli::local::Local;
use crate::cli::output::{Output, counted};
use crate::cli::people::{self, recipient, told, works_until};
use crate::clock::Timestamp;
use crate::directory::letter::{Letter, SignInChange};
use crate::identity::Token;
use crate::identity::token::Reset;
use crate::model::User;
use crate::secret::Secret;
use crate::server::set_up;

/// Makes a link for a new password, and prints or sends it.
pub(super) async fn reset_password(user: &str, mail: bool, local: &Local, output: &Output) -> Result<(), Failure> {
    let user = local.directory.find_user(user).await?;
    let facts = json!({ "user": user.id, "address": user.address.as_str() });
    if !mail {
        let done = format!("{} chooses a new password at:", user.address);
        return show_reset_link(&user, &done, facts, local, output).await;
    }
    local.must_send_mail()?;
    let (link, expires_at) = local.directory.make_reset_link(&local.actor, user.id).await?;
    let letter = Letter::PasswordReset {
        address: user.address.clone(),
        at: local.now(),
        from: None,
        expires_at,
        link,
    };
    if !local.tell(recipient(&user), None, letter, output).await {
        return Err(Failure::failed(
            "the link was made, but no mail with it; make another one",
        ));
    }
    let facts = json!({
        "user": user.id, "address": user.address.as_str(), "told": true, "expires_at": expires_at.rfc3339(),
    });
    output.show(&facts, || {
        format!(
            "a link for a new password goes to {}\n{}",
            user.address,
            works_until(expires_at, local)
        )
    })
}

/// Makes a link for a new password and prints it, once.
pub(in crate::cli) async fn show_reset_link(
    user: &User,
    done: &str,
    mut facts: Value,
    local: &Local,
    output: &Output,
) -> Result<(), Failure> {
    // Before the link is made: it would lead nowhere.
    local.link("/")?;
    let (link, expires_at) = local.directory.make_reset_link(&local.actor, user.id).await?;
    if let Some(facts) = facts.as_object_mut() {
        facts.insert("expires_at".to_owned(), json!(expires_at.rfc3339()));
    }
    let link = whole(&link, local)?;
    people::show_link(facts, (done, &link), &until(expires_at, user, local), output)
}

fn whole(link: &Token<Reset>, local: &Local) -> Result<Secret<String>, Failure> {
    local
        .link(&format!("/reset/{}", link.shown().expose()))
        .map(Secret::new)
}

fn until(expires_at: Timestamp, user: &User, local: &Local) -> String {
    let codes = if user.has_code {
        "\nA one-time code is asked for as before: postern user remove-code, if that is lost too."
    } else {
        ""
    };
    format!(
        "{} Whoever has it can sign in as {}: hand it over in person or by telephone.{codes}",
        works_until(expires_at, local),
        user.address
    )
}

/// Stops asking for one-time codes.
pub(super) async fn remove_code(user: &str, yes: bool, local: &Local, output: &Output) -> Result<(), Failure> {
    let user = local.directory.find_user(user).await?;
    if !user.has_code {
        return Err(Failure::failed(format!(
            "{} gives no one-time codes; nothing was changed",
            user.address
        )));
    }
    let question = format!(
        "This lets {} (\"{}\") sign in with the password alone, makes their recovery codes worthless, and signs them out everywhere. Be sure that it is they who ask.",
        user.address, user.name
    );
    confirm(&question, yes)?;
    local.directory.remove_user_code(&local.actor, user.id).await?;
    let letter = Letter::SignInChanged {
        address: user.address.clone(),
        change: SignInChange::CodesOff,
        at: local.now(),
        from: None,
    };
    let is_told = local.tell(recipient(&user), None, letter, output).await;
    let facts = json!({ "user": user.id, "address": user.address.as_str(), "code_removed": true, "told": is_told });
    output.show(&facts, || {
        format!(
            "{} signs in without one-time codes now, and is signed out everywhere{}",
            user.address,
            told(&user, is_told)
        )
    })
}

/// Ends all console sessions.
pub(super) async fn sign_out(user: &str, local: &Local, output: &Output) -> Result<(), Failure> {
    let user = local.directory.find_user(user).await?;
    let ended = local.directory.sign_out_everywhere(&local.actor, user.id).await?;
    let facts = json!({ "user": user.id, "address": user.address.as_str(), "console_sessions": ended });
    output.show(&facts, || {
        let ended = counted(ended as usize, "console session", "console sessions");
        format!("signed out {}: {ended} ended", user.address)
    })
}

/// Makes the link with which the first owner is made.
pub(super) async fn set_up_link(local: &Local, output: &Output) -> Result<(), Failure> {
    // Only to say that the Manager is off.
    local.link("/")?;
    let Some(manager) = &local.config.manager else {
        return Ok(());
    };
    if local.directory.has_owner().await? {
        return Err(Failure::failed(
            "an organisation has an owner already; they can invite others in the Manager, and so can `postern invite create`",
        ));
    }
    let data_dir = &local.config.data_dir;
    let link = set_up::make(&local.directory, &local.actor, &manager.origin, data_dir).await;
    let link = link.map_err(|error| Failure::failed(format!("{error:#}")))?;
    let path = set_up::place(data_dir);
    output.show(&json!({ "link": link, "path": path }), || link.clone())
}
