//! Threads that own database connections, and the bounded queue in front of them.
//!
//! SQLite calls block, so they never run on the runtime's threads. A request that finds the queue full is refused at
//! once: waiting longer than a client does would only make every later request late as well.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use tokio::sync::oneshot;

/// The most requests that wait for one kind of worker.
pub(super) const QUEUED_MAX: usize = 1024;

type Job<S> = Box<dyn FnOnce(&mut S) + Send>;

/// What to do with a request whose asker has gone before its turn came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Abandoned {
    /// Do it all the same: it is a change that somebody asked for.
    Run,
    /// Drop it: nobody wants the answer.
    Skip,
}

/// Why a request has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotRun {
    /// [`QUEUED_MAX`] others wait already; nothing was done.
    QueueFull,
    /// It was begun and did not end, which is a defect; a transaction was rolled back.
    Died,
}

/// One or several threads that take requests from one queue, each with a state of its own.
pub(super) struct Workers<S> {
    queue: Option<SyncSender<Job<S>>>,
    threads: Vec<JoinHandle<()>>,
    abandoned: Abandoned,
}

impl<S: Send + 'static> Workers<S> {
    /// Starts a thread for each state.
    pub(super) fn start(name: &str, states: Vec<S>, abandoned: Abandoned) -> io::Result<Self> {
        let (queue, requests) = sync_channel(QUEUED_MAX);
        let requests = Arc::new(Mutex::new(requests));
        let mut threads = Vec::with_capacity(states.len());
        for state in states {
            let requests = Arc::clone(&requests);
            threads.push(
                thread::Builder::new()
                    .name(name.to_owned())
                    .spawn(move || serve(&requests, state))?,
            );
        }
        Ok(Self {
            queue: Some(queue),
            threads,
            abandoned,
        })
    }

    /// Has a worker do this and waits for the outcome.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, NotRun>
    where
        T: Send + 'static,
        F: FnOnce(&mut S) -> T + Send + 'static,
    {
        let (answer, outcome) = oneshot::channel();
        let abandoned = self.abandoned;
        let job = Box::new(move |state: &mut S| {
            if abandoned == Abandoned::Skip && answer.is_closed() {
                return;
            }
            // Nobody listens any more where the asker was cancelled.
            let _ = answer.send(work(state));
        });
        let queue = self.queue.as_ref().ok_or(NotRun::Died)?;
        queue.try_send(job).map_err(|_| NotRun::QueueFull)?;
        outcome.await.map_err(|_| NotRun::Died)
    }
}

impl<S> Drop for Workers<S> {
    /// Lets the threads finish what is queued and close their connections, so that the last one to go folds the
    /// write-ahead log back into the file.
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn serve<S>(requests: &Mutex<Receiver<Job<S>>>, mut state: S) {
    loop {
        let request = requests.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = request else { return };
        // A defect in one request must not take the store away from all others; its open transaction is rolled back
        // while unwinding.
        let _ = catch_unwind(AssertUnwindSafe(|| job(&mut state)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_that_dies_takes_nothing_with_it() {
        let workers = Workers::start("test", vec![1_u32], Abandoned::Run).unwrap();
        let died: Result<(), NotRun> = workers.run(|_| panic!("a defect")).await;
        assert_eq!(died, Err(NotRun::Died));
        assert_eq!(workers.run(|state| *state).await, Ok(1));
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once() {
        let workers = Arc::new(Workers::start("test", vec![()], Abandoned::Run).unwrap());
        let (release, blocked) = std::sync::mpsc::channel::<()>();
        let (began, begun) = oneshot::channel();
        let first = {
            let workers = Arc::clone(&workers);
            tokio::spawn(async move {
                workers
                    .run(move |()| {
                        let _ = began.send(());
                        let _ = blocked.recv();
                    })
                    .await
            })
        };
        begun.await.unwrap();
        let mut waiting: Vec<_> = (0..QUEUED_MAX).map(|_| Box::pin(workers.run(|()| ()))).collect();
        for request in &mut waiting {
            assert!(futures_util::poll!(request.as_mut()).is_pending());
        }
        assert_eq!(workers.run(|()| ()).await, Err(NotRun::QueueFull));
        release.send(()).unwrap();
        assert_eq!(first.await.unwrap(), Ok(()));
        for request in waiting {
            assert_eq!(request.await, Ok(()));
        }
    }
}
