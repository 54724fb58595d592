//! The worker: takes one mail at a time, tries it, and writes down what became of it.
//!
//! It wakes when this process puts a mail, when one is due, and now and then for mails that another process put. The
//! lease of a taken mail is longer than an attempt can take, so nobody else sends it meanwhile. A worker that is stopped
//! lets the attempt under way come to its end for a short time; a mail that was not taken by then is due at once, for
//! whoever starts next.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::metrics::MailOutcome;
use crate::store::outbox::MAILS_KEPT;
use crate::store::{self, AfterFailure, DueMail};

use super::backoff::{self, Tried};
use super::content::Content;
use super::failure::Failure;
use super::transport::Delivered;
use super::{Error, Outbox, Settings};

/// How soon a mail is noticed that another process put.
const POLL: Duration = Duration::from_secs(2);
/// The least time from one attempt to the next: ten mails a second are enough for us and bearable for any mail server.
const PACE: Duration = Duration::from_millis(100);
/// How much longer than an attempt a taken mail belongs to its taker: to write down what became of it.
const LEASE_MARGIN: Duration = Duration::from_secs(60);
/// Between two tries at a store that does not answer.
const STORE_RETRY: Duration = Duration::from_secs(1);
/// How often the store is told what became of a mail, if it does not answer: within the lease, as behind it somebody
/// else would send the mail again.
const TELL_MAX: u32 = 30;
/// How often what is over for long is deleted.
const PURGE_EVERY: Duration = Duration::from_secs(60 * 60);

/// What a look at the outbox came to.
#[derive(Debug)]
pub(super) enum Turn {
    /// A mail was tried.
    Tried,
    /// Nothing is due for so long.
    Idle(Duration),
}

/// What the store is told of a mail.
#[derive(Debug)]
enum Told<'a> {
    Sent,
    Failed { reason: &'a str, then: AfterFailure },
}

impl Outbox {
    /// Sends until `stop`; an attempt under way then has `patience` to come to its end.
    pub async fn run(&self, stop: &CancellationToken, patience: Duration) {
        let mut purged_at = None;
        while !stop.is_cancelled() {
            let now = self.clock.now();
            if purged_at.is_none_or(|at| now.duration_since(at) >= PURGE_EVERY) {
                purged_at = Some(now);
                self.purge().await;
            }
            let turn = self.turn(stop, patience).await;
            // Only the pause is cut short: an attempt ends in its own way.
            stop.run_until_cancelled(self.pause(turn)).await;
        }
    }

    async fn pause(&self, turn: Result<Turn, store::Error>) {
        match turn {
            Ok(Turn::Tried) => tokio::time::sleep(PACE).await,
            Ok(Turn::Idle(wait)) => {
                if self.store.wait_for_mail(wait.min(POLL)).await.is_err() {
                    tokio::time::sleep(STORE_RETRY).await;
                }
            }
            Err(error) => {
                self.metrics.store_errors.inc();
                tracing::error!(error = %error, "the outbox cannot be read");
                tokio::time::sleep(STORE_RETRY).await;
            }
        }
    }

    pub(super) async fn turn(&self, stop: &CancellationToken, patience: Duration) -> Result<Turn, store::Error> {
        if self.hurry.load(Ordering::Acquire) {
            self.store.hurry_mails().await?;
            self.hurry.store(false, Ordering::Release);
        }
        let backlog = self.store.mail_backlog().await?;
        self.metrics.mails_queued.set(i64::from(backlog.queued));
        let wait = backlog
            .due_at
            .map(|due_at| u64::try_from(due_at.0.saturating_sub(self.clock.utc().0)).unwrap_or(0));
        match wait {
            None => return Ok(Turn::Idle(POLL)),
            Some(0) => {}
            Some(millis) => return Ok(Turn::Idle(Duration::from_millis(millis))),
        }
        let settings = self.settings.load_full();
        let lease = settings.limit().saturating_add(LEASE_MARGIN);
        // One at a time: a lease covers one attempt.
        let Some(mail) = self.store.take_due_mails(lease, 1).await?.pop() else {
            return Ok(Turn::Idle(POLL));
        };
        self.attempt(&settings, &mail, stop, patience).await;
        Ok(Turn::Tried)
    }

    async fn attempt(&self, settings: &Settings, mail: &DueMail, stop: &CancellationToken, patience: Duration) {
        let began = self.clock.now();
        let interrupted = async {
            stop.cancelled().await;
            tokio::time::sleep(patience).await;
        };
        let outcome = tokio::select! {
            outcome = self.send(settings, mail) => outcome,
            () = interrupted => {
                let then = AfterFailure::RetryAt(self.clock.utc());
                let reason = "Postern was stopped while the mail was on its way";
                self.tell(mail, &Told::Failed { reason, then }).await;
                return;
            }
        };
        match outcome {
            Ok(delivered) => {
                let took = self.clock.now().duration_since(began);
                self.tell(mail, &Told::Sent).await;
                self.metrics.mails(MailOutcome::Sent).inc();
                tracing::info!(
                    mail.id = %mail.id,
                    mail.kind = mail.kind.name(),
                    mail.attempt = mail.attempt,
                    mail.milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
                    "mail sent"
                );
                // Only now: the note that it is sent waits for nobody.
                delivered.quit().await;
            }
            Err(failure) => self.failed(settings, mail, &failure).await,
        }
    }

    async fn send(&self, settings: &Settings, mail: &DueMail) -> Result<Delivered, Failure> {
        let failed = |error| Failure::of_content(&error);
        let content = Content::open(mail.kind, &mail.recipient, &mail.sealed, &self.keys).map_err(failed)?;
        if mail.useful_until.is_some_and(|until| until <= self.clock.utc()) {
            return Err(failed(Error::LinkEnded));
        }
        let letter = settings
            .letter(&content, (&mail.recipient, mail.language), mail.id, mail.created_at)
            .map_err(failed)?;
        let transport = settings.transport.as_ref().ok_or_else(|| failed(Error::NoServer))?;
        let delivered = transport.deliver(&letter, &mut |_, _| {}).await;
        // A mail server may repeat what it dislikes.
        delivered.map_err(|failure| match content.token() {
            Some(token) => failure.without(token.expose()),
            None => failure,
        })
    }

    async fn failed(&self, settings: &Settings, mail: &DueMail, failure: &Failure) {
        let tried = Tried {
            attempt: mail.attempt,
            written_at: mail.created_at,
            useful_until: mail.useful_until,
        };
        let then = if failure.permanent {
            AfterFailure::GiveUp
        } else {
            // Where there is no randomness mails come back together, which is bearable.
            let random = getrandom::u32().unwrap_or_default();
            backoff::after(tried, settings.first_retry(), self.clock.utc(), random)
        };
        let reason = match then {
            AfterFailure::GiveUp if !failure.permanent => {
                format!("given up after {} attempts: {failure}", mail.attempt)
            }
            _ => failure.to_string(),
        };
        self.tell(mail, &Told::Failed { reason: &reason, then }).await;
        // The reason itself may name the recipient; it is in the store for those who may see that.
        let (stage, reply) = (failure.stage.name(), failure.reply.as_deref());
        match then {
            AfterFailure::RetryAt(next_at) => {
                self.metrics.mails(MailOutcome::Deferred).inc();
                tracing::warn!(
                    mail.id = %mail.id,
                    mail.kind = mail.kind.name(),
                    mail.attempt = mail.attempt,
                    mail.stage = stage,
                    mail.reply = reply,
                    mail.next_at = %next_at.rfc3339(),
                    "mail not sent yet"
                );
            }
            AfterFailure::GiveUp => {
                self.metrics.mails(MailOutcome::Failed).inc();
                tracing::warn!(
                    mail.id = %mail.id,
                    mail.kind = mail.kind.name(),
                    mail.attempt = mail.attempt,
                    mail.stage = stage,
                    mail.reply = reply,
                    "mail given up"
                );
            }
        }
    }

    /// Tells the store what became of a mail, again and again while it does not answer.
    async fn tell(&self, mail: &DueMail, told: &Told<'_>) {
        for _ in 0..TELL_MAX {
            let answer = match told {
                Told::Sent => self.store.mail_sent(mail.id).await,
                Told::Failed { reason, then } => self
                    .store
                    .mail_failed(mail.id, mail.attempt, reason, *then)
                    .await
                    .map(drop),
            };
            let Err(error) = answer else { return };
            self.metrics.store_errors.inc();
            tracing::error!(error = %error, mail.id = %mail.id, "what became of a mail is not written yet");
            tokio::time::sleep(STORE_RETRY).await;
        }
    }

    async fn purge(&self) {
        let before = self.clock.utc().minus(MAILS_KEPT);
        if let Err(error) = self.store.purge_mails(before).await {
            tracing::error!(error = %error, "old mails not deleted");
        }
    }
}
