//! A message between 354 and its final dot (RFC 5321 §4.1.1.4, §4.5.2), octet-exact.
//!
//! It ends at CRLF.CRLF and nowhere else. Servers that also take LF.LF, LF.CRLF or the like for the end have let second
//! messages be smuggled behind a proxy (CVE-2023-51764 to -51766), so a CR or LF of its own never goes upstream: the
//! message is refused, or rewritten such that the most lenient reading of what upstream gets has the same lines. NUL is
//! treated alike, as some servers drop it before they look for the dot.
//!
//! What is beyond doubt, which is nearly everything, is found in one sweep that looks at pairs of octets and knows no
//! lines; the scan that judges all the rest leaps from line end to line end. Both copy once. Up to two octets whose
//! meaning depends on the next one stay in the caller's buffer.

use bytes::{Buf, BytesMut};

use super::BareNewline;
use crate::smtp::reply;

/// Octets of a piece that the sweep passes or leaves as a whole.
const SWEEP_BYTES: usize = 512;

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
        // Once a call: behind each fault the sweep would look at the same octets again.
        let plain = self.sweep(input);
        upstream.extend_from_slice(input.get(..plain).unwrap_or_default());
        input.advance(plain);
        loop {
            if *self == Self::LooseStart && input.first() == Some(&b'.') {
                // Upstream will see a line start here and take one dot away.
                upstream.extend_from_slice(b".");
                *self = Self::Inside;
            }
            let (clean, stop) = self.scan(input);
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

    /// Counts the octets that may pass without a further look, and moves on to behind them.
    fn sweep(&mut self, octets: &[u8]) -> usize {
        let mut last = match self {
            Self::LineStart => b'\n',
            Self::Inside => b' ',
            Self::LooseStart => return 0,
        };
        let mut passed = 0_usize;
        for piece in octets.chunks(SWEEP_BYTES) {
            if !is_plain(last, piece) {
                break;
            }
            last = piece.last().copied().unwrap_or(last);
            passed = passed.saturating_add(piece.len());
        }
        // What follows a CR decides what it is.
        let passed = passed.saturating_sub(usize::from(last == b'\r'));
        if let Some(last) = passed.checked_sub(1).and_then(|place| octets.get(place)) {
            *self = if *last == b'\n' { Self::LineStart } else { Self::Inside };
        }
        passed
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

    /// Counts the octets that may pass as they are, and says why the count ends; moves on to behind them.
    fn scan(&mut self, octets: &[u8]) -> (usize, Stop) {
        let mut line_start = (*self == Self::LineStart).then_some(0_usize);
        let mut from = 0_usize;
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
}

/// Whether a piece passes as it is behind this octet: each LF has its CR, each CR its LF, there is no NUL, and no dot at
/// the start of a line. Without an early end and without a look at lines this loop is vectorised.
fn is_plain(before: u8, piece: &[u8]) -> bool {
    let pair = |before: u8, octet: u8| {
        ((octet == b'\n') == (before == b'\r')) & (octet != 0) & !((octet == b'.') & (before == b'\n'))
    };
    let Some((first, rest)) = piece.split_first() else {
        return true;
    };
    let pairs = piece.iter().zip(rest);
    pairs.fold(pair(before, *first), |plain, (before, octet)| {
        plain & pair(*before, *octet)
    })
}
