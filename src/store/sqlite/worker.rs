//! Threads that own database connections, and the bounded queue in front of them.
//!
//! SQLite calls block, so they never run on the runtime's threads. A request that finds the queue full is refused at
//! once: waiting longer than a client does would only make every later request late as well.
//!
//! The way to a thread and back costs more than most requests, so each wakes one thread and no second one, and of the
//! idle ones it is the latest to have worked: its page cache holds what was just read. (A channel that several threads
//! share by a mutex wakes two: one takes the request, the next one takes its place at the channel.)

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle, Thread};

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

/// What the threads share.
struct Shared<S>(Mutex<Queue<S>>);

struct Queue<S> {
    waiting: VecDeque<Job<S>>,
    /// Threads that have nothing to do; the last one was the last to have something.
    idle: Vec<Thread>,
    /// What waits is still done; nothing more comes.
    closed: bool,
}

impl<S> Shared<S> {
    fn lock(&self) -> MutexGuard<'_, Queue<S>> {
        // No request runs under the lock, so a poisoned queue is still whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, job: Job<S>) -> Result<(), NotRun> {
        let mut queue = self.lock();
        if queue.waiting.len() >= QUEUED_MAX {
            return Err(NotRun::QueueFull);
        }
        queue.waiting.push_back(job);
        let woken = queue.idle.pop();
        drop(queue);
        if let Some(thread) = woken {
            thread.unpark();
        }
        Ok(())
    }

    /// The next request; waits for one. `None` once all are done and no more come.
    fn next(&self) -> Option<Job<S>> {
        let this = thread::current();
        let mut queue = self.lock();
        loop {
            if let Some(job) = queue.waiting.pop_front() {
                return Some(job);
            }
            if queue.closed {
                return None;
            }
            queue.idle.push(this.clone());
            drop(queue);
            thread::park();
            queue = self.lock();
            // Parking may end without anybody's doing; who is awake is not listed.
            queue.idle.retain(|thread| thread.id() != this.id());
        }
    }

    fn close(&self) {
        let mut queue = self.lock();
        queue.closed = true;
        for thread in queue.idle.drain(..) {
            thread.unpark();
        }
    }
}

/// One or several threads that take requests from one queue, each with a state of its own.
pub(super) struct Workers<S> {
    shared: Arc<Shared<S>>,
    threads: Vec<JoinHandle<()>>,
    abandoned: Abandoned,
}

impl<S: Send + 'static> Workers<S> {
    /// Starts a thread for each state.
    pub(super) fn start(name: &str, states: Vec<S>, abandoned: Abandoned) -> io::Result<Self> {
        let mut workers = Self {
            shared: Arc::new(Shared(Mutex::new(Queue {
                waiting: VecDeque::new(),
                idle: Vec::new(),
                closed: false,
            }))),
            threads: Vec::with_capacity(states.len()),
            abandoned,
        };
        for state in states {
            let shared = Arc::clone(&workers.shared);
            let thread = thread::Builder::new()
                .name(name.to_owned())
                .spawn(move || serve(&shared, state))?;
            workers.threads.push(thread);
        }
        Ok(workers)
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
        self.shared.push(job)?;
        outcome.await.map_err(|_| NotRun::Died)
    }
}

impl<S> Drop for Workers<S> {
    /// Lets the threads finish what is queued and close their connections, so that the last one to go folds the
    /// write-ahead log back into the file.
    fn drop(&mut self) {
        self.shared.close();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn serve<S>(shared: &Shared<S>, mut state: S) {
    while let Some(job) = shared.next() {
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
    async fn a_request_wakes_the_thread_that_worked_last_and_a_second_one_another() {
        let workers = Arc::new(Workers::start("test", vec![1_u32, 2, 3], Abandoned::Run).unwrap());
        // All three idle, in some order.
        while workers.shared.lock().idle.len() < 3 {
            tokio::task::yield_now().await;
        }
        let first = workers.run(|state| *state).await.unwrap();
        for _ in 0..10 {
            while workers.shared.lock().idle.len() < 3 {
                tokio::task::yield_now().await;
            }
            assert_eq!(workers.run(|state| *state).await, Ok(first));
        }
        let meeting = Arc::new(std::sync::Barrier::new(3));
        let meet = || {
            let meeting = Arc::clone(&meeting);
            workers.run(move |state| {
                meeting.wait();
                *state
            })
        };
        let (a, b, c) = futures_util::join!(meet(), meet(), meet());
        assert_eq!(a.unwrap() + b.unwrap() + c.unwrap(), 6);
    }

    #[tokio::test]
    async fn what_waits_is_done_before_the_threads_end() {
        let workers = Workers::start("test", vec![()], Abandoned::Run).unwrap();
        let (done, count) = std::sync::mpsc::channel();
        for _ in 0..100 {
            let done = done.clone();
            let mut request = Box::pin(workers.run(move |()| done.send(()).unwrap()));
            assert!(futures_util::poll!(request.as_mut()).is_pending());
        }
        drop((workers, done));
        assert_eq!(count.iter().count(), 100);
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
