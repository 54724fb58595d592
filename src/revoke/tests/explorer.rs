//! Drives a small set of futures in every possible order.
//!
//! A schedule is the list of choices of which ready task is polled next; a task is ready until it is polled, and again
//! when its waker was called. Schedules are enumerated depth first, each in a world built anew, until all are done:
//! nothing is sampled. It ends a schedule when no task is ready any more.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};

/// More schedules than this would take too long for a test.
const MAX_SCHEDULES: usize = 2_000_000;

pub(super) type Task = Pin<Box<dyn Future<Output = ()>>>;

/// One world to be driven: its tasks, and what must hold once all of them rest.
pub(super) struct World {
    pub(super) tasks: Vec<Task>,
    pub(super) check: Box<dyn FnOnce() -> bool>,
}

/// What the exploration found.
#[derive(Debug)]
pub(super) struct Explored {
    pub(super) schedules: usize,
    /// The first schedule after which the check failed, as task numbers in the order of their polls.
    pub(super) violation: Option<Vec<usize>>,
}

struct Ready(AtomicBool);

impl Wake for Ready {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// One choice among so many ready tasks.
struct Choice {
    taken: usize,
    options: usize,
}

/// Runs every schedule, or up to the first violation.
pub(super) fn explore(build: impl Fn() -> World) -> Explored {
    let mut choices: Vec<Choice> = Vec::new();
    for schedules in 1..=MAX_SCHEDULES {
        let World { tasks, check } = build();
        let polled = run(tasks, &mut choices);
        if !check() {
            return Explored {
                schedules,
                violation: Some(polled),
            };
        }
        while choices.last().is_some_and(|choice| choice.taken + 1 == choice.options) {
            choices.pop();
        }
        match choices.last_mut() {
            Some(choice) => choice.taken += 1,
            None => {
                return Explored {
                    schedules,
                    violation: None,
                };
            }
        }
    }
    panic!("more than {MAX_SCHEDULES} schedules: make the scenario smaller")
}

/// Follows the choices made so far, then takes the first option of every further one.
fn run(tasks: Vec<Task>, choices: &mut Vec<Choice>) -> Vec<usize> {
    let mut tasks: Vec<_> = tasks
        .into_iter()
        .map(|task| (Some(task), Arc::new(Ready(AtomicBool::new(true)))))
        .collect();
    let mut polled = Vec::new();
    loop {
        let is_ready = |(task, ready): &(Option<Task>, Arc<Ready>)| task.is_some() && ready.0.load(Ordering::SeqCst);
        let ready: Vec<usize> = (0..tasks.len()).filter(|number| is_ready(&tasks[*number])).collect();
        if ready.is_empty() {
            return polled;
        }
        if choices.len() == polled.len() {
            choices.push(Choice {
                taken: 0,
                options: ready.len(),
            });
        }
        let number = ready[choices[polled.len()].taken];
        polled.push(number);
        let (task, flag) = &mut tasks[number];
        flag.0.store(false, Ordering::SeqCst);
        let waker = Waker::from(Arc::clone(flag));
        if task
            .as_mut()
            .is_some_and(|task| task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready())
        {
            *task = None;
        }
    }
}

#[test]
fn it_runs_every_order_once() {
    let orders = std::sync::Mutex::new(Vec::new());
    let log = Arc::new(std::sync::Mutex::new(String::new()));
    let task = |name: char, log: &Arc<std::sync::Mutex<String>>| -> Task {
        let log = Arc::clone(log);
        Box::pin(async move {
            log.lock().unwrap().push(name);
            super::fake::yield_now().await;
            log.lock().unwrap().push(name);
        })
    };
    let explored = explore(|| {
        orders.lock().unwrap().push(std::mem::take(&mut *log.lock().unwrap()));
        World {
            tasks: vec![task('a', &log), task('b', &log)],
            check: Box::new(|| true),
        }
    });
    let mut orders = orders.into_inner().unwrap();
    orders.push(log.lock().unwrap().clone());
    orders.sort_unstable();
    assert_eq!(orders, ["", "aabb", "abab", "abba", "baab", "baba", "bbaa"]);
    assert_eq!(explored.schedules, 6);
}
