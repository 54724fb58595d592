//! Whether our certificates cover a name that clients connect to.

use super::{CertificateFacts, RENEWAL_NOTICE};
use crate::clock::Timestamp;

/// What a client that asks for a name is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// A certificate for this name.
    Covered {
        /// When it ends.
        until: Timestamp,
    },
    /// One that ends soon.
    EndsSoon {
        /// When.
        until: Timestamp,
    },
    /// One that has ended.
    Ended {
        /// When.
        at: Timestamp,
    },
    /// A certificate for other names.
    Uncovered,
}

impl Coverage {
    /// A fixed word, for JSON and the keys of texts.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Covered { .. } => "covered",
            Self::EndsSoon { .. } => "ends-soon",
            Self::Ended { .. } => "ended",
            Self::Uncovered => "uncovered",
        }
    }
}

/// How a name is covered by the certificate for it that lasts longest.
pub fn coverage(certificates: &[CertificateFacts], name: &str, now: Timestamp) -> Coverage {
    let of_name = certificates
        .iter()
        .filter(|facts| facts.names.iter().any(|pattern| covers(pattern, name)));
    match of_name.map(|facts| facts.not_after).max() {
        None => Coverage::Uncovered,
        Some(at) if at <= now => Coverage::Ended { at },
        Some(until) if until <= now.plus(RENEWAL_NOTICE) => Coverage::EndsSoon { until },
        Some(until) => Coverage::Covered { until },
    }
}

/// RFC 9525 §6.3: a wildcard stands for exactly one label.
pub fn covers(pattern: &str, name: &str) -> bool {
    pattern.eq_ignore_ascii_case(name)
        || pattern.strip_prefix("*.").is_some_and(|rest| {
            name.split_once('.')
                .is_some_and(|(_, parent)| parent.eq_ignore_ascii_case(rest))
        })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    const NOW: Timestamp = Timestamp(1_795_000_000_000);

    fn certificate(name: &str, not_after: Timestamp) -> CertificateFacts {
        CertificateFacts {
            names: vec![name.to_owned()],
            not_after,
            path: "chain.pem".into(),
        }
    }

    #[test]
    fn the_certificate_that_lasts_longest_counts() {
        let (old, soon, late) = (NOW.minus(DAY), NOW.plus(DAY), NOW.plus(DAY * 60));
        let all = [
            certificate("mail.example.org", old),
            certificate("*.example.org", soon),
            certificate("*.example.net", late),
            certificate("old.example.com", old),
        ];
        let of = |name| coverage(&all, name, NOW);
        assert_eq!(of("Mail.example.org"), Coverage::EndsSoon { until: soon });
        assert_eq!(of("autoconfig.example.net"), Coverage::Covered { until: late });
        assert_eq!(of("old.example.com"), Coverage::Ended { at: old });
        for name in ["a.b.example.net", "example.net", "example.com", ""] {
            assert_eq!(of(name), Coverage::Uncovered, "{name}");
        }
    }
}
