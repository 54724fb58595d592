//! Wrong proofs: how many end a session, and what a user sees of them in their own activity.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;

use super::super::Error;
use super::{Desk, SignedIn, Visitor};
use crate::audit::Action;
use crate::model::{ConsoleSessionId, User};
use crate::store::Actor;

/// Wrong passwords and codes in one console session, one after another, after which it ends: whoever guesses there has to
/// sign in again, and needs what they guess at.
pub const WRONG_PROOFS_MAX: u32 = 10;

/// Sessions whose wrong proofs are remembered; beyond it the one with the fewest is forgotten.
const REMEMBERED_MAX: usize = 4096;

/// Counts wrong proofs by session.
#[derive(Default)]
pub(super) struct WrongProofs(Mutex<HashMap<ConsoleSessionId, u32>>);

impl WrongProofs {
    /// Counts one more, and says how many there were by now.
    fn count(&self, session: ConsoleSessionId) -> u32 {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= REMEMBERED_MAX && !counts.contains_key(&session) {
            let fewest = counts.iter().min_by_key(|(_, count)| **count);
            if let Some(fewest) = fewest.map(|(session, _)| *session) {
                counts.remove(&fewest);
            }
        }
        let count = counts.entry(session).or_default();
        *count = count.saturating_add(1);
        *count
    }

    fn forget(&self, session: ConsoleSessionId) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.remove(&session);
    }
}

impl Desk {
    /// What a step-up came to, as it counts: the session ends with the last wrong one that it may have.
    pub(super) async fn count_proof(&self, signed_in: &SignedIn, proved: Result<(), Error>) -> Result<(), Error> {
        let (user, session) = (&signed_in.user, signed_in.session.id);
        let Err(error) = proved else {
            self.wrong_proofs.forget(session);
            return Ok(());
        };
        if !matches!(error, Error::WrongPassword | Error::WrongCode) {
            return Err(error);
        }
        let actor = signed_in.visitor.actor(user);
        self.note_refusal(&actor, user);
        if self.wrong_proofs.count(session) < WRONG_PROOFS_MAX {
            return Err(error);
        }
        self.store().end_session(&actor, user.id, session).await?;
        self.wrong_proofs.forget(session);
        tracing::warn!(client.addr = %signed_in.visitor.ip, user.id = %user.id, "a console session ended after too many wrong proofs");
        Err(Error::SignedOut)
    }

    /// Somebody who is not signed in gave a wrong password or code for this user.
    pub(super) fn note_stranger(&self, visitor: &Visitor, user: &User) {
        let actor = Actor::stranger(&visitor.ip.to_string(), user.id);
        self.note_refusal(&actor, user);
    }

    /// Lets the user see it in their own activity, some times an hour and no more: nobody fills the log with it. Not waited
    /// for, as only the refusals of users leave a row and time must not tell who is one.
    fn note_refusal(&self, actor: &Actor, user: &User) {
        let now = self.directory.clock.now();
        if self.throttle.take_refusal(now, &user.id.raw().to_le_bytes()).is_err() {
            return;
        }
        let (store, actor) = (Arc::clone(&self.directory.store), actor.clone());
        let subject = user.address.to_string();
        tokio::spawn(async move {
            let action = Action::UserSignInRefused.as_str();
            if let Err(error) = store.append_audit(&actor, action, None, &subject, json!({})).await {
                tracing::error!(%error, "a refused sign-in left no audit row");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_proofs_are_counted_by_session_and_what_is_remembered_is_bounded() {
        let wrong = WrongProofs::default();
        let session = |number: usize| ConsoleSessionId::from_raw(i64::try_from(number).unwrap());
        assert_eq!((wrong.count(session(0)), wrong.count(session(0))), (1, 2));
        for number in 1..=REMEMBERED_MAX {
            assert_eq!(wrong.count(session(number)), 1);
        }
        assert_eq!(wrong.0.lock().unwrap().len(), REMEMBERED_MAX);
        assert_eq!(wrong.count(session(0)), 3, "the fewest were forgotten");
        wrong.forget(session(0));
        assert_eq!(wrong.count(session(0)), 1);
    }
}
