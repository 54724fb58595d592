//! A test mail with each step told, for `postern doctor mail`: past the outbox, straight to the mail server.

use crate::clock::Clock;
use crate::model::{Address, Language, MailId, id};

use super::content::{Content, Test};
use super::failure::Stage;
use super::{Config, Error, Settings};

/// How one step went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Which.
    pub stage: Stage,
    /// It went right.
    pub right: bool,
    /// What was found and, where it did not go on, what to do.
    pub detail: String,
}

/// Sends a test mail to this address, and tells how far it came.
pub async fn trial(config: &Config, to: &Address, language: Language, clock: &Clock) -> Vec<Step> {
    let wrong = |stage, detail: &dyn std::fmt::Display| Step {
        stage,
        right: false,
        detail: detail.to_string(),
    };
    let settings = match Settings::new(config.clone()) {
        Ok(settings) => settings,
        Err(error) => return vec![wrong(Stage::Tls, &error)],
    };
    let Some(transport) = &settings.transport else {
        return vec![wrong(Stage::Connection, &Error::NoServer)];
    };
    let at = clock.utc();
    let content = Content::Test(Test {
        host: config.hostname.clone(),
        at,
    });
    let id = MailId::from_raw(id::fresh(at, getrandom::u32().unwrap_or_default()));
    let letter = match settings.letter(&content, (to, language), id, at) {
        Ok(letter) => letter,
        Err(error) => return vec![wrong(Stage::Content, &error)],
    };
    let mut steps = vec![Step {
        stage: Stage::Content,
        right: true,
        detail: format!(
            "from {} to {to}, Message-ID <{id}@{}>",
            transport.server.from, config.hostname
        ),
    }];
    let mut note = |stage, detail| {
        steps.push(Step {
            stage,
            right: true,
            detail,
        });
    };
    match transport.deliver(&letter, &mut note).await {
        Ok(delivered) => delivered.quit().await,
        Err(failure) => steps.push(wrong(failure.stage, &failure)),
    }
    steps
}
