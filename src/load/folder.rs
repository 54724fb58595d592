//! The folders that a run makes for [`Work::Fetch`](super::Work::Fetch), and takes away again.
//!
//! Only a folder that our own CREATE made is ever deleted; one that exists already is a refusal and stays.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::expected::Expected;
use super::failure::Failure;
use super::report::{Done, LeftBehind};
use super::run::Run;
use super::session::Session;

/// Accounts whose folders are made or deleted at the same time.
const AT_ONCE: usize = 16;

/// Makes the folder of each of the first accounts and stores the message. Returns the accounts that have it.
pub(super) async fn store(run: &Run, name: &str, message: Expected, accounts: usize) -> Vec<usize> {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for account in 0..accounts {
        let (run, name, places) = (run.clone(), name.to_owned(), Arc::clone(&places));
        tasks.spawn(async move {
            let _place = places.acquire_owned().await;
            if run.cut.is_cancelled() {
                return None;
            }
            let mut made = false;
            let outcome = Box::pin(store_one(&run, &name, message, account, &mut made)).await;
            let stored = outcome.is_ok();
            run.add("store", outcome);
            if made && !stored {
                remove(&run, &name, account).await;
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
    let mut tasks = JoinSet::new();
    for account in owners {
        let (run, name, places) = (run.clone(), name.to_owned(), Arc::clone(&places));
        tasks.spawn(async move {
            let _place = places.acquire_owned().await;
            remove(&run, &name, account).await;
        });
    }
    tasks.join_all().await;
}

async fn store_one(run: &Run, name: &str, message: Expected, account: usize, made: &mut bool) -> Result<Done, Failure> {
    let mut session = open(run, account).await?;
    session.create(name).await?;
    *made = true;
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

async fn remove(run: &Run, name: &str, account: usize) {
    let remove = async {
        let mut session = open(run, account).await?;
        session.delete(name).await?;
        session.logout().await
    };
    if let Err(failure) = Box::pin(remove).await {
        run.tally().left_behind.push(LeftBehind {
            username: run.account(account as u64).username.clone(),
            folder: name.to_owned(),
            reason: failure.to_string(),
        });
    }
}

async fn open(run: &Run, account: usize) -> Result<Session, Failure> {
    let number = account as u64;
    let plan = &run.plan;
    let mut session = Session::open(&plan.target, run.from(number), plan.step_time).await?;
    session.login(run.account(number), plan.mechanism).await?;
    Ok(session)
}
