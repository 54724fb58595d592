//! A message between 354 and its final dot (RFC 5321 §4.1.1.4, §4.5.2), octet-exact.
//!
//! It ends at CRLF.CRLF and nowhere else. Servers that also take LF.LF, LF.CRLF or the like for the end have let second
//! messages be smuggled behind a proxy (CVE-2023-51764 to -51766), so a CR or LF of its own never goes upstream: the
//! message is refused, or rewritten such that the most lenient reading of what upstream gets has the same lines. NUL is
//! treated alike, as some servers drop it before they look for the dot.
//!
//! Nearly all of a message is plain: every CR before an LF, no NUL, no dot at a line's start. That is asked of a block at
//! a time, without looking for line ends; only a block that is not plain is scanned from line end to line end. Up to two
//! octets whose meaning depends on the next one stay with the caller.

use bytes::{Buf, BytesMut};

use super::BareNewline;
use crate::smtp::reply;

/// Octets that are asked at once whether they are plain: large enough to be fast, and small enough that one dot at a
/// line's start costs little.
const BLOCK_BYTES: usize = 2048;

/// An octet that two servers may read differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    BareCr,
    BareLf,
    Nul,
}

impl Fault {
    /// The fixed word for the log.
    pub(super) const fn rule(self) -> &'static str {
        match self {
            Self::BareCr => "bare_cr",
            Self::BareLf => "bare_lf",
            Self::Nul => "nul",
        }
    }

    /// What the client is told.
    pub(super) const fn reply(self) -> &'static str {
        match self {
            Self::BareCr => reply::BARE_CR,
            Self::BareLf => reply::BARE_LF,
            Self::Nul => reply::NUL,
        }
    }
}

/// Whether the message goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// All that could be judged was taken.
    More,
    /// The final dot was taken.
    End,
}

/// Where the next octet stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Body {
    /// At the start of a line, after CRLF or after 354: a dot here is the end or is stuffed.
    #[default]
    LineStart,
    /// After a bare LF: a line starts here for upstream only.
    LooseStart,
    /// Inside a line.
    Inside,
}

/// What stopped a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// The octets are used up, but for those that need the next one.
    More,
    /// The final dot is the last of the clean octets.
    End,
    /// This is the first octet that is not clean, or the dot at a line's start before it.
    Fault(Fault),
}

impl Body {
    /// Counts the octets at the front that may pass as they are, and moves on to behind them. `None` where a fault stands
    /// among these octets, or where some have to be added: then nothing is counted, and [`Body::take`] has to see them.
    pub(super) fn pass(&mut self, octets: &[u8]) -> Option<(usize, Progress)> {
        if *self == Self::LooseStart {
            return None;
        }
        let mut behind = *self;
        let (clean, stop) = behind.scan(octets, self.plain(octets));
        let progress = match stop {
            Stop::More => Progress::More,
            Stop::End => Progress::End,
            Stop::Fault(_) => return None,
        };
        *self = behind;
        Some((clean, progress))
    }

    /// Moves octets from `input` to `upstream`.
    ///
    /// # Errors
    /// A fault, where faults are refused. What stands before it may have been moved.
    pub(super) fn take(
        &mut self,
        input: &mut BytesMut,
        upstream: &mut BytesMut,
        bare_newline: BareNewline,
    ) -> Result<Progress, Fault> {
        // Asked once: behind each fault it would be asked of the same octets again.
        let mut plain = self.plain(input);
        loop {
            if *self == Self::LooseStart && input.first() == Some(&b'.') {
                // Upstream will see a line start here and take one dot away.
                upstream.extend_from_slice(b".");
                *self = Self::Inside;
            }
            let (clean, stop) = self.scan(input, std::mem::take(&mut plain));
            upstream.extend_from_slice(input.get(..clean).unwrap_or_default());
            input.advance(clean);
            match (stop, bare_newline) {
                (Stop::More, _) => return Ok(Progress::More),
                (Stop::End, _) => return Ok(Progress::End),
                (Stop::Fault(fault), BareNewline::Refuse) => return Err(fault),
                (Stop::Fault(fault), BareNewline::Normalise) => self.rewrite(fault, input, upstream),
            }
        }
    }

    /// Replaces the fault that `input` begins with.
    fn rewrite(&mut self, fault: Fault, input: &mut BytesMut, upstream: &mut BytesMut) {
        if fault == Fault::BareLf {
            // A stuffed dot that is all of its line but for this LF: kept, it would be a final dot.
            input.advance(usize::from(input.first() == Some(&b'.')));
            upstream.extend_from_slice(b"\r\n");
            *self = Self::LooseStart;
        } else {
            upstream.extend_from_slice(b" ");
            *self = Self::Inside;
        }
        input.advance(1);
    }

    /// Counts the octets that may pass as they are, the plain ones at the front included, and says why the count ends;
    /// moves on to behind them.
    fn scan(&mut self, octets: &[u8], plain: usize) -> (usize, Stop) {
        let mut from = plain;
        let mut line_start = match octets.get(..from) {
            Some([]) | None => (*self == Self::LineStart).then_some(0),
            Some(plain) => plain.ends_with(b"\r\n").then_some(from),
        };
        loop {
            let rest = octets.get(from..).unwrap_or_default();
            let at = memchr::memchr3(b'\r', b'\n', 0, rest).map_or(octets.len(), |at| from.saturating_add(at));
            // Only at a strict line start a dot has a meaning.
            let line = line_start.and_then(|start| octets.get(start..at));
            let is_dot = line == Some(b".");
            let before_dot = at.saturating_sub(usize::from(is_dot));
            let (clean, stop) = match octets.get(at..).unwrap_or_default() {
                [b'\r', b'\n', ..] => {
                    from = at.saturating_add(2);
                    if is_dot {
                        return (from, Stop::End);
                    }
                    line_start = Some(from);
                    continue;
                }
                [] | [b'\r'] => (before_dot, Stop::More),
                [b'\n', ..] => (before_dot, Stop::Fault(Fault::BareLf)),
                [b'\r', ..] => (at, Stop::Fault(Fault::BareCr)),
                _ => (at, Stop::Fault(Fault::Nul)),
            };
            // Where nothing passes at all the place stays what it was.
            if line_start == Some(clean) {
                *self = Self::LineStart;
            } else if clean > 0 {
                *self = Self::Inside;
            }
            return (clean, stop);
        }
    }

    /// Counts the octets at the front in which only line ends have a meaning, and whole ones at that.
    fn plain(self, octets: &[u8]) -> usize {
        match octets {
            [] | [b'\n' | 0, ..] => return 0,
            [b'.', ..] if self == Self::LineStart => return 0,
            _ => {}
        }
        let mut plain = 0_usize;
        while plain < octets.len() {
            let end = plain.saturating_add(BLOCK_BYTES).min(octets.len());
            // With the first octet of the next block, so that no pair is left out.
            let block = octets
                .get(plain..octets.len().min(end.saturating_add(1)))
                .unwrap_or_default();
            if !is_plain(block) {
                break;
            }
            plain = end;
        }
        // A CR at the end belongs to what comes next.
        let ends_in_cr = octets.get(..plain).is_some_and(|plain| plain.ends_with(b"\r"));
        plain.saturating_sub(usize::from(ends_in_cr))
    }
}

/// Whether CR and LF only occur together, and neither a dot behind an LF nor a NUL does; of the first octet, only what it
/// means to the second. Without an early end this loop is vectorised.
fn is_plain(octets: &[u8]) -> bool {
    let pairs = octets.iter().zip(octets.get(1..).unwrap_or_default());
    !pairs.fold(false, |found, (&first, &second)| {
        let half = (first == b'\r') ^ (second == b'\n');
        let dot = (first == b'\n') & (second == b'.');
        found | half | dot | (second == 0)
    })
}
