//! Reads a PROXY header the way the listener does: at most what it is told, with other octets following.
//!
//! However the octets arrive, the answer is the same, every step asks for something, no more is read than a header may
//! have, and what was taken is exactly one header.

use postern::listen::proxy_header::{Error, Header, Progress, V2_BYTES, parse};

/// Reads one stream; panics where the parser breaks a promise.
pub(crate) fn run(stream: &[u8]) {
    let whole = read(stream, usize::MAX);
    assert_eq!(whole, read(stream, 1), "the answer depends on how the octets arrive");
    if let Some(Ok((_, taken))) = whole {
        assert!(matches!(parse(&stream[..taken]), Ok(Progress::Complete(_))));
    }
}

/// The header and its length; `None` where the stream ends within it.
fn read(stream: &[u8], chunk: usize) -> Option<Result<(Header, usize), Error>> {
    let mut taken = 0;
    loop {
        match parse(&stream[..taken]) {
            Ok(Progress::Complete(header)) => return Some(Ok((header, taken))),
            Ok(Progress::NeedInput { at_most }) => {
                assert!(at_most > 0 && taken + at_most <= V2_BYTES);
                if taken == stream.len() {
                    return None;
                }
                taken = taken.saturating_add(at_most.min(chunk)).min(stream.len());
            }
            Err(error) => return Some(Err(error)),
        }
    }
}
