//! Hash lanes: a fixed number of OS threads, each owning Argon2's memory, behind one bounded queue that is fair
//! between source networks.
//!
//! Fair means: networks take turns, one request each, and no network may hold more than its share of the queue, so that
//! a flood from one place delays only that place. A request whose asker has gone (disconnected, past the deadline) is
//! skipped, never computed. Threads of the async runtime do not hash. Device passwords and users' passwords have lanes of
//! their own each.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use hashbrown::HashMap;
use ipnet::IpNet;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::oneshot;

use super::Cause;
use super::hash::{Memory, Params};

/// A bounded queue in which networks take turns.
struct FairQueue<T> {
    waiting: HashMap<IpNet, VecDeque<T>>,
    /// Networks with something waiting, the next one first.
    turns: VecDeque<IpNet>,
    len: usize,
    capacity: usize,
    per_network: usize,
    /// Places of the capacity that strangers do not get.
    kept: usize,
}

impl<T> FairQueue<T> {
    fn new(capacity: usize, per_network: usize, kept: usize) -> Self {
        Self {
            waiting: HashMap::new(),
            turns: VecDeque::new(),
            len: 0,
            capacity,
            per_network,
            kept,
        }
    }

    /// Takes it in, or gives it back where the queue or the network's share of it is full.
    fn push(&mut self, network: IpNet, whose: Whose, item: T) -> Result<(), T> {
        let held = self.waiting.get(&network).map_or(0, VecDeque::len);
        let capacity = match whose {
            Whose::Known => self.capacity,
            Whose::Strangers => self.capacity.saturating_sub(self.kept),
        };
        if self.len >= capacity || held >= self.per_network {
            return Err(item);
        }
        if held == 0 {
            self.turns.push_back(network);
        }
        self.waiting.entry(network).or_default().push_back(item);
        self.len += 1;
        Ok(())
    }

    fn pop(&mut self) -> Option<T> {
        let network = self.turns.pop_front()?;
        let queue = self
            .waiting
            .get_mut(&network)
            .expect("a network has its turn only while something waits");
        let item = queue.pop_front();
        if queue.is_empty() {
            self.waiting.remove(&network);
        } else {
            self.turns.push_back(network);
        }
        self.len -= 1;
        item
    }

    fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        self.waiting.retain(|_, queue| {
            queue.retain(&keep);
            !queue.is_empty()
        });
        self.turns.retain(|network| self.waiting.contains_key(network));
        self.len = self.waiting.values().map(VecDeque::len).sum();
    }
}

/// Whose piece of work it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Of somebody who has proved themselves here before.
    Known,
    /// Of anybody.
    Strangers,
}

/// A piece of work and who waits for it.
trait Request: Send {
    fn is_abandoned(&self) -> bool;
    fn run(self: Box<Self>, memory: &mut Memory);
}

struct Work<F, T> {
    work: F,
    reply: oneshot::Sender<T>,
}

impl<T: Send, F: FnOnce(&mut Memory) -> T + Send> Request for Work<F, T> {
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn run(self: Box<Self>, memory: &mut Memory) {
        // The asker may have gone meanwhile; the result is then of no use to anybody.
        let _ = self.reply.send((self.work)(memory));
    }
}

struct State {
    queue: FairQueue<Box<dyn Request>>,
    closed: bool,
}

struct Shared {
    state: Mutex<State>,
    arrived: Condvar,
    length: Gauge,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No work runs under the lock, so a poisoned state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show_length(&self, state: &State) {
        self.length.set(i64::try_from(state.queue.len).unwrap_or(i64::MAX));
    }
}

/// The caps of the lanes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) lanes: usize,
    pub(crate) queue: usize,
    pub(crate) per_network: usize,
    /// Places of the queue that are for people who are known.
    pub(crate) kept: usize,
    pub(crate) deadline: Duration,
}

/// The running lanes; they end once this is dropped and their present run is over.
pub(crate) struct Lanes {
    shared: Arc<Shared>,
    deadline: Duration,
}

impl Lanes {
    /// Starts threads of this name; `length` shows how many requests wait.
    ///
    /// # Panics
    /// The system gives us no thread.
    pub(crate) fn start(name: &str, limits: Limits, params: Params, length: Gauge) -> Self {
        let queue = FairQueue::new(limits.queue, limits.per_network, limits.kept);
        let state = Mutex::new(State { queue, closed: false });
        let shared = Arc::new(Shared {
            state,
            arrived: Condvar::new(),
            length,
        });
        for lane in 0..limits.lanes.max(1) {
            let shared = Arc::clone(&shared);
            thread::Builder::new()
                .name(format!("{name}-{lane}"))
                .spawn(move || drive(&shared, &mut Memory::new(params)))
                .expect("the system has threads left at start");
        }
        Self {
            shared,
            deadline: limits.deadline,
        }
    }

    /// Runs `work` on a lane; waits for its turn and its end, at most the deadline. Dropping the future withdraws a
    /// request that has not begun.
    pub(crate) async fn run<T, F>(&self, network: IpNet, work: F) -> Result<T, Cause>
    where
        T: Send + 'static,
        F: FnOnce(&mut Memory) -> T + Send + 'static,
    {
        self.run_for(network, Whose::Strangers, work).await
    }

    /// The same for somebody of whom it is known whether they are a stranger.
    pub(crate) async fn run_for<T, F>(&self, network: IpNet, whose: Whose, work: F) -> Result<T, Cause>
    where
        T: Send + 'static,
        F: FnOnce(&mut Memory) -> T + Send + 'static,
    {
        let (reply, result) = oneshot::channel();
        self.enqueue(network, whose, Box::new(Work { work, reply }))?;
        match tokio::time::timeout(self.deadline, result).await {
            Ok(Ok(result)) => Ok(result),
            // Nobody answers where the work itself failed, which the lane has logged.
            Ok(Err(_)) | Err(_) => Err(Cause::Deadline),
        }
    }

    fn enqueue(&self, network: IpNet, whose: Whose, request: Box<dyn Request>) -> Result<(), Cause> {
        let mut state = self.shared.lock();
        let pushed = state.queue.push(network, whose, request).or_else(|request| {
            // Requests of askers who have gone hold no place against one who is still there.
            state.queue.retain(|request| !request.is_abandoned());
            state.queue.push(network, whose, request)
        });
        self.shared.show_length(&state);
        drop(state);
        self.shared.arrived.notify_one();
        pushed.map_err(|_| Cause::QueueFull)
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.arrived.notify_all();
    }
}

fn drive(shared: &Shared, memory: &mut Memory) {
    while let Some(request) = next(shared) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| request.run(memory))) {
            // A lane must survive whatever an imported hash does to the library that reads it.
            tracing::error!(error = panic_text(panic.as_ref()), "a hash run failed");
        }
    }
}

/// The next request that somebody still waits for; `None` once the lanes are to end.
fn next(shared: &Shared) -> Option<Box<dyn Request>> {
    let mut state = shared.lock();
    loop {
        if state.closed {
            return None;
        }
        let request = state.queue.pop();
        shared.show_length(&state);
        match request {
            Some(request) if request.is_abandoned() => {}
            Some(request) => return Some(request),
            None => state = shared.arrived.wait(state).unwrap_or_else(PoisonError::into_inner),
        }
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &'static str {
    panic.downcast_ref::<&'static str>().copied().unwrap_or("panic")
}

#[cfg(test)]
mod tests;
