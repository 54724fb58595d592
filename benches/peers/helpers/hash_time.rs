//! `hash-time`: how long one Argon2id run with Postern's default parameters takes where the proxies run, with memory that
//! is at hand, as a hash lane has it.

use std::time::Duration;

use anyhow::Context as _;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use postern::clock::Clock;
use postern::verify::Config;

/// The helper's name.
pub(crate) const NAME: &str = "hash-time";

/// Runs of which the median is taken.
const RUNS: usize = 21;

/// The median in microseconds.
pub(super) fn microseconds() -> anyhow::Result<u128> {
    let Config {
        argon2_memory_kib,
        argon2_passes,
        ..
    } = Config::default();
    let params =
        Params::new(argon2_memory_kib, argon2_passes, 1, Some(32)).map_err(|error| anyhow::anyhow!("{error}"))?;
    let mut memory = vec![Block::new(); params.block_count()];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let clock = Clock::system();
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let begin = clock.now();
        let mut output = [0_u8; 32];
        argon2
            .hash_password_into_with_memory(b"kqzmxwdphpdtvnrc", &[7; 16], &mut output, &mut memory)
            .map_err(|error| anyhow::anyhow!("{error}"))?;
        times.push(clock.now().duration_since(begin));
    }
    times.sort_unstable();
    let median = times.get(RUNS / 2).copied().map(|time: Duration| time.as_micros());
    median.context("there are runs")
}
