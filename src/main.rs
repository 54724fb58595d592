//! The program: all it does is in the library. The allocator is chosen here, because only programs have one.
//!
//! A gateway holds thousands of small sessions, and then does not. Glibc keeps their memory for ever (a single live
//! octet above it is enough), also with one arena or a low trim threshold; mimalloc keeps it because sessions end on other
//! threads than they began on. Jemalloc returns it over some ten seconds, from a thread of its own, and costs neither more
//! memory for a live session nor more time for a login. Its defaults stand: fewer arenas or a shorter decay gained
//! nothing that could be measured.

use std::process::ExitCode;

use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    postern::cli::run()
}
