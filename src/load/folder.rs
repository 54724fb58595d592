//! The folders that a run makes for [`Work::Fetch`](super::Work::Fetch), and takes away again.
//!
//! Only a folder that our own CREATE made is ever deleted; one that exists already is a refusal and stays.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::expected::Expected;
use super::failure::Failure;
use super::report::{Done, LeftBehind};
use super::run::Run;
use super::session::Session;

/// Accounts whose folders are made or deleted at the same time.
const AT_ONCE: usize = 16;
/// So many accounts in a row without an answer, and no more are tried: the host is gone.
const GIVE_UP_AFTER: u64 = 2 * AT_ONCE as u64;

/// Makes the folder of each of the first accounts and stores the message. Returns the accounts that have it.
pub(super) async fn store(run: &Run, name: &str, message: Expected, accounts: usize) -> Vec<usize> {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let silent = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for account in 0..accounts {
        let (run, name, places, silent) = (run.clone(), name.to_owned(), Arc::clone(&places), Arc::clone(&silent));
        tasks.spawn(async move {
            let _place = places.acquire_owned().await;
            if run.cut.is_cancelled() || silent.load(Ordering::Relaxed) >= GIVE_UP_AFTER {
                run.add_unfinished();
                return None;
            }
            let outcome = Box::pin(store_one(&run, &name, message, account)).await;
            let stored = matches!(outcome, Some(Ok(_)));
            if let Some(outcome) = &outcome {
                note_answer(&silent, outcome.as_ref().err());
            }
            match outcome {
                Some(outcome) => run.add("store", outcome),
                None => run.add_unfinished(),
            }
            stored.then_some(account)
        });
    }
    let mut owners: Vec<usize> = tasks.join_all().await.into_iter().flatten().collect();
    owners.sort_unstable();
    owners
}

/// Deletes the folders; what cannot be deleted is in the report.
pub(super) async fn delete(run: &Run, name: &str, owners: Vec<usize>) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let silent = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for account in owners {
        let (run, name, places, silent) = (run.clone(), name.to_owned(), Arc::clone(&places), Arc::clone(&silent));
        tasks.spawn(async move {
            let _place = places.acquire_owned().await;
            if silent.load(Ordering::Relaxed) >= GIVE_UP_AFTER {
                return leave_behind(
                    &run,
                    &name,
                    account,
                    "not tried: the host did not answer for others".into(),
                );
            }
            let removed = remove(&run, &name, account).await;
            note_answer(&silent, removed.err().as_ref());
        });
    }
    tasks.join_all().await;
}

/// Counts the accounts in a row that had no answer; a refusal is one.
fn note_answer(silent: &AtomicU64, failure: Option<&Failure>) {
    match failure {
        None | Some(Failure::Refused(_)) => silent.store(0, Ordering::Relaxed),
        Some(_) => _ = silent.fetch_add(1, Ordering::Relaxed),
    }
}

/// Nothing where the run was cut off. Leaves no folder behind without the message in it.
async fn store_one(run: &Run, name: &str, message: Expected, account: usize) -> Option<Result<Done, Failure>> {
    let opened = tokio::select! {
        () = run.cut.cancelled() => return None,
        opened = Box::pin(open(run, account)) => opened,
    };
    let mut session = match opened {
        Ok(session) => session,
        Err(failure) => return Some(Err(failure)),
    };
    // Not cut off: we must know whether it was made.
    if let Err(failure) = session.create(name).await {
        if !matches!(failure, Failure::Refused(_) | Failure::Unsupported(_)) {
            leave_behind(
                run,
                name,
                account,
                format!("nobody knows whether it was made: {failure}"),
            );
        }
        return Some(Err(failure));
    }
    let stored = tokio::select! {
        () = run.cut.cancelled() => None,
        stored = Box::pin(append(run, session, name, message)) => Some(stored),
    };
    if !matches!(stored, Some(Ok(_))) {
        // What could not be removed is in the report.
        let _ = remove(run, name, account).await;
    }
    stored
}

async fn append(run: &Run, mut session: Session, name: &str, message: Expected) -> Result<Done, Failure> {
    let begin = run.plan.clock.now();
    session.append(name, &message).await?;
    let done = Done {
        latency: Some(run.plan.clock.now().saturating_duration_since(begin)),
        resumed: session.resumed(),
        octets: message.octets(),
    };
    session.logout().await?;
    Ok(done)
}

async fn remove(run: &Run, name: &str, account: usize) -> Result<(), Failure> {
    let remove = async {
        let mut session = open(run, account).await?;
        session.delete(name).await?;
        session.logout().await
    };
    let removed = Box::pin(remove).await;
    if let Err(failure) = &removed {
        leave_behind(run, name, account, failure.to_string());
    }
    removed
}

fn leave_behind(run: &Run, name: &str, account: usize, reason: String) {
    run.tally().left_behind.push(LeftBehind {
        username: run.account_at(account).username.clone(),
        folder: name.to_owned(),
        reason,
    });
}

async fn open(run: &Run, account: usize) -> Result<Session, Failure> {
    let plan = &run.plan;
    let mut session = Session::open(&plan.target, run.from(account as u64), plan.step_time).await?;
    session.login(run.account_at(account), plan.mechanism).await?;
    Ok(session)
}
