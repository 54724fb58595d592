//! Feeds libFuzzer's input to the body of the same name.
#![no_main]

#[path = "../bodies/autodiscover.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|input: &[u8]| body::run(input));
