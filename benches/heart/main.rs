//! What the heart costs: judging credentials, reading a client before login, what stays in the path after it, and the
//! record's way out of the store.
//!
//! Times of two runs on a busy machine do not compare; within one run each compares with the floors beside it. Under
//! `cargo test` every bench runs once, on the smallest data, and measures nothing.

mod after;
mod before;
mod floors;
mod judge;
mod record;

use std::time::Duration;

use criterion::Criterion;
use tikv_jemallocator::Jemalloc;

/// The program's.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// Before each measurement.
const WARM_UP: Duration = Duration::from_millis(300);
/// Of each measurement.
const MEASURED: Duration = Duration::from_millis(1500);

fn main() {
    let criterion = Criterion::default().warm_up_time(WARM_UP).measurement_time(MEASURED);
    let mut criterion = criterion.configure_from_args();
    floors::bench(&mut criterion);
    judge::bench(&mut criterion);
    before::bench(&mut criterion);
    after::bench(&mut criterion);
    record::bench(&mut criterion);
    criterion.final_summary();
}

/// Whether times are wanted, as `cargo bench` says; otherwise the smallest data will do.
fn is_measured() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}
