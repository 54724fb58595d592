//! The chain of audit rows: each row's hash covers the row and the hash before it, so that a row that is changed, taken
//! out or put in later no longer fits.
//!
//! `hash = SHA-256(previous hash || canonical form of the row)`; the first chained row stands on 32 zero octets, and chained
//! rows are numbered without a gap. Rows from before there was a chain have no hash and stand before it. There is no key:
//! whoever may write to the database can make a new chain. What tells that is the [`Head`], the number and hash of the
//! newest row, written down somewhere else and given back later.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::clock::Timestamp;
use crate::model::{MailboxId, OrgId, UserId};

/// Octets of a hash.
const HASH_BYTES: usize = 32;

/// Goes in front of every row, so that no other use of the hash means a row, and the form can change.
const FORM: &[u8] = b"Postern audit row 1";

/// The hash of a row.
pub type RowHash = [u8; HASH_BYTES];

/// What the first chained row stands on.
pub const BEGINNING: RowHash = [0; HASH_BYTES];

/// A row as it is stored, in all that its hash covers.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Its number.
    pub number: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: &'a str,
    /// From where.
    pub origin: &'a str,
    /// On whose behalf.
    pub behalf: Option<&'a str>,
    /// What.
    pub action: &'a str,
    /// In which organisation.
    pub org: Option<OrgId>,
    /// Which mailbox it concerns.
    pub mailbox: Option<MailboxId>,
    /// On what.
    pub subject: &'a str,
    /// The further facts, octet for octet.
    pub detail: &'a str,
    /// The user who did it, or in whose name it was done.
    pub user: Option<UserId>,
}

impl Entry<'_> {
    /// The row's hash behind a row with the hash `previous`. Every field goes in with its length or with a mark that it is
    /// missing, so that no two rows have one form.
    pub fn hash(&self, previous: &RowHash) -> RowHash {
        let mut hash = Sha256::new();
        hash.update(previous);
        hash.update(FORM);
        hash.update(self.number.to_be_bytes());
        hash.update(self.at.0.to_be_bytes());
        text(&mut hash, self.who);
        text(&mut hash, self.origin);
        optional(&mut hash, self.behalf, text);
        text(&mut hash, self.action);
        optional(&mut hash, self.org, |hash, org| hash.update(org.raw().to_be_bytes()));
        optional(&mut hash, self.mailbox, |hash, mailbox| {
            hash.update(mailbox.raw().to_be_bytes());
        });
        text(&mut hash, self.subject);
        text(&mut hash, self.detail);
        // Came later: where there is none, nothing is added, and rows from before keep their hash.
        if let Some(user) = self.user {
            hash.update(user.raw().to_be_bytes());
        }
        hash.finalize().into()
    }
}

fn text(hash: &mut Sha256, text: &str) {
    let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
    hash.update(length.to_be_bytes());
    hash.update(text.as_bytes());
}

fn optional<T>(hash: &mut Sha256, value: Option<T>, add: impl FnOnce(&mut Sha256, T)) {
    hash.update([u8::from(value.is_some())]);
    if let Some(value) = value {
        add(hash, value);
    }
}

/// The newest row of the chain: written down elsewhere, it tells later whether rows were taken from the end, or the chain
/// was made anew. In text `number-hash`; with a colon it is read as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its number.
    pub number: i64,
    /// Its hash.
    pub hash: RowHash,
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-", self.number)?;
        self.hash.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// A text that is no head.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{given:?} is not the head of an audit log: give what an earlier verification printed, a number, a dash and 64 hexadecimal digits"
)]
pub struct BadHead {
    given: String,
}

impl FromStr for Head {
    type Err = BadHead;

    fn from_str(given: &str) -> Result<Self, BadHead> {
        let read = || {
            let (number, digits) = given.trim().split_once(['-', ':'])?;
            let number = number.parse().ok().filter(|number| *number > 0)?;
            if digits.len() != HASH_BYTES * 2 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return None;
            }
            let mut hash = BEGINNING;
            for (octet, pair) in hash.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
                *octet = u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()?;
            }
            Some(Self { number, hash })
        };
        read().ok_or_else(|| BadHead {
            given: given.to_owned(),
        })
    }
}

/// What does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Break {
    /// The row's hash is not that of its content behind the row before it.
    #[error("row {number} was changed, or the one before it was: its hash does not fit")]
    Altered {
        /// Its number.
        number: i64,
    },
    /// A number is left out.
    #[error("row {number} is missing")]
    Missing {
        /// The number.
        number: i64,
    },
    /// The head that was given is of another chain.
    #[error("row {number} is not the one that the given head names: the log was rewritten since then")]
    Rewritten {
        /// Its number.
        number: i64,
    },
}

/// How a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Rows whose hash fits.
    pub chained: u64,
    /// Rows from before there was a chain.
    pub before_chain: u64,
    /// The newest row that fits.
    pub head: Option<Head>,
    /// The first row that does not.
    pub broken: Option<Break>,
}

/// A walk along the chain, in as many steps as one likes.
#[derive(Debug, Clone)]
pub struct Walk {
    known: Option<Head>,
    /// The number of the last row from before the chain, once it is known.
    begin: Option<i64>,
    /// The number of the row that was looked at last.
    at: i64,
    chained: u64,
    before_chain: u64,
    head: Option<Head>,
    broken: Option<Break>,
    over: bool,
}

impl Walk {
    /// A walk from the beginning; it is to meet this head, where one was written down earlier.
    pub const fn new(known: Option<Head>) -> Self {
        Self {
            known,
            begin: None,
            at: 0,
            chained: 0,
            before_chain: 0,
            head: None,
            broken: None,
            over: false,
        }
    }

    /// Rows with a higher number than this are still to be looked at.
    pub const fn seen(&self) -> i64 {
        self.at
    }

    /// How it ended, once it has.
    pub const fn outcome(&self) -> Option<Outcome> {
        if !self.over {
            return None;
        }
        Some(Outcome {
            chained: self.chained,
            before_chain: self.before_chain,
            head: self.head,
            broken: self.broken,
        })
    }

    /// How many rows were looked at.
    pub const fn rows(&self) -> u64 {
        self.chained.saturating_add(self.before_chain)
    }

    /// Says that rows up to this number are from before the chain.
    pub const fn begins_after(&mut self, number: i64) {
        if self.begin.is_none() {
            self.begin = Some(number);
        }
    }

    /// Looks at the next row, by number, with the hash that is stored with it. Does nothing once the walk is over.
    pub fn step(&mut self, entry: &Entry<'_>, stored: Option<&[u8]>) {
        if self.over {
            return;
        }
        let begin = self.begin.unwrap_or_default();
        if entry.number <= begin {
            if stored.is_some() {
                return self.breaks(Break::Altered { number: entry.number });
            }
            self.before_chain = self.before_chain.saturating_add(1);
            self.at = entry.number;
            return;
        }
        let expected = self.at.max(begin).saturating_add(1);
        if entry.number != expected {
            return self.breaks(Break::Missing { number: expected });
        }
        let hash = entry.hash(&self.head.map_or(BEGINNING, |head| head.hash));
        if stored != Some(&hash) {
            return self.breaks(Break::Altered { number: entry.number });
        }
        if self
            .known
            .is_some_and(|known| known.number == entry.number && known.hash != hash)
        {
            return self.breaks(Break::Rewritten { number: entry.number });
        }
        self.chained = self.chained.saturating_add(1);
        self.at = entry.number;
        self.head = Some(Head {
            number: entry.number,
            hash,
        });
    }

    /// Says that there are no more rows. `newest` is the highest number that a row was ever given, where the store remembers
    /// it.
    pub fn end(&mut self, newest: i64) {
        if self.over {
            return;
        }
        let newest = newest.max(self.known.map_or(0, |known| known.number));
        let last = self.at.max(self.begin.unwrap_or_default());
        if last < newest {
            let number = last.saturating_add(1);
            return self.breaks(Break::Missing { number });
        }
        if self
            .known
            .is_some_and(|known| known.number <= self.begin.unwrap_or_default())
        {
            let number = self.known.map_or(0, |known| known.number);
            return self.breaks(Break::Rewritten { number });
        }
        self.over = true;
    }

    const fn breaks(&mut self, broken: Break) {
        self.broken = Some(broken);
        self.over = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: i64) -> Entry<'static> {
        Entry {
            number,
            at: Timestamp(1_795_000_000_000),
            who: "cli:root",
            origin: "local",
            behalf: None,
            action: "device.revoke",
            org: Some(OrgId::from_raw(1)),
            mailbox: None,
            subject: "dev-0000000000007",
            detail: "{}",
            user: None,
        }
    }

    /// Rows 4 to 6, of which 4 is from before the chain.
    fn rows() -> Vec<(Entry<'static>, Option<RowHash>)> {
        let fifth = entry(5).hash(&BEGINNING);
        let sixth = entry(6).hash(&fifth);
        vec![(entry(4), None), (entry(5), Some(fifth)), (entry(6), Some(sixth))]
    }

    fn walked(rows: &[(Entry<'static>, Option<RowHash>)], known: Option<Head>, newest: i64) -> Outcome {
        let mut walk = Walk::new(known);
        walk.begins_after(4);
        for (entry, stored) in rows {
            walk.step(entry, stored.as_ref().map(<[u8; 32]>::as_slice));
        }
        walk.end(newest);
        walk.outcome().unwrap()
    }

    #[test]
    fn a_whole_chain_fits_and_names_its_head() {
        let rows = rows();
        let head = Head {
            number: 6,
            hash: rows[2].1.unwrap(),
        };
        let expected = Outcome {
            chained: 2,
            before_chain: 1,
            head: Some(head),
            broken: None,
        };
        assert_eq!(walked(&rows, None, 6), expected);
        assert_eq!(walked(&rows, Some(head), 6), expected);
        let earlier = Head {
            number: 5,
            hash: rows[1].1.unwrap(),
        };
        assert_eq!(walked(&rows, Some(earlier), 6), expected);
        assert_eq!(walked(&[], None, 0).broken, None, "an empty log is whole");
    }

    #[test]
    fn every_field_is_part_of_the_hash() {
        let base = entry(5);
        let others = [
            entry(6),
            Entry {
                at: Timestamp(1),
                ..base
            },
            Entry {
                who: "cli:roo",
                origin: "tlocal",
                ..base
            },
            Entry { origin: "", ..base },
            Entry {
                behalf: Some(""),
                ..base
            },
            Entry {
                action: "device.pause",
                ..base
            },
            Entry { org: None, ..base },
            Entry {
                org: None,
                mailbox: Some(MailboxId::from_raw(1)),
                ..base
            },
            Entry {
                mailbox: Some(MailboxId::from_raw(1)),
                ..base
            },
            Entry { subject: "", ..base },
            Entry { detail: "{ }", ..base },
            Entry {
                user: Some(UserId::from_raw(1)),
                ..base
            },
        ];
        let mut hashes: Vec<_> = others.iter().map(|one| one.hash(&BEGINNING)).collect();
        hashes.push(base.hash(&BEGINNING));
        hashes.push(base.hash(&[1; 32]));
        hashes.sort_unstable();
        let count = hashes.len();
        hashes.dedup();
        assert_eq!(hashes.len(), count);
    }

    #[test]
    fn the_form_of_a_row_stays_what_it_is() {
        // A changed form would break every chain there is.
        let hash = Entry {
            behalf: Some("user:anna@example.org"),
            mailbox: Some(MailboxId::from_raw(2)),
            ..entry(5)
        };
        let head = Head {
            number: 5,
            hash: hash.hash(&BEGINNING),
        };
        assert_eq!(
            head.to_string(),
            "5-2548f1d55846cef9a361af722c682be56318389ea6afae0cdc941b4808ec66b9"
        );
    }

    #[test]
    fn what_was_changed_taken_out_or_put_in_is_told() {
        let whole = rows();
        let broken = |rows: &[(Entry<'static>, Option<RowHash>)]| walked(rows, None, 6).broken;
        for field in 1..3 {
            let mut changed = whole.clone();
            changed[field].0.subject = "another";
            let number = whole[field].0.number;
            assert_eq!(broken(&changed), Some(Break::Altered { number }));
            changed = whole.clone();
            changed[field].1 = None;
            assert_eq!(broken(&changed), Some(Break::Altered { number }));
        }
        assert_eq!(broken(&whole[..2]), Some(Break::Missing { number: 6 }));
        assert_eq!(broken(&[whole[0], whole[2]]), Some(Break::Missing { number: 5 }));
        let forged = (entry(3), Some(entry(3).hash(&BEGINNING)));
        assert_eq!(broken(&[forged]), Some(Break::Altered { number: 3 }));
        assert_eq!(broken(&[]), Some(Break::Missing { number: 5 }));
    }

    #[test]
    fn a_head_tells_of_a_chain_that_was_made_anew_or_cut() {
        let whole = rows();
        let head = Head {
            number: 6,
            hash: [7; 32],
        };
        assert_eq!(
            walked(&whole, Some(head), 6).broken,
            Some(Break::Rewritten { number: 6 })
        );
        let longer = Head { number: 9, ..head };
        assert_eq!(
            walked(&whole, Some(longer), 6).broken,
            Some(Break::Missing { number: 7 })
        );
        let older = Head { number: 2, ..head };
        assert_eq!(
            walked(&whole, Some(older), 6).broken,
            Some(Break::Rewritten { number: 2 })
        );
    }

    #[test]
    fn a_head_is_read_as_it_is_written() {
        let head = Head {
            number: 12,
            hash: entry(12).hash(&BEGINNING),
        };
        assert_eq!(head.to_string().parse(), Ok(head));
        assert_eq!(format!(" {}\n", head.to_string().to_uppercase()).parse(), Ok(head));
        assert_eq!(head.to_string().replacen('-', ":", 1).parse(), Ok(head));
        for text in ["", "12", "12-", "12-xyz", "0-00", &head.to_string()[..60], "-1-00"] {
            assert!(text.parse::<Head>().is_err(), "{text:?}");
        }
        let signs = format!("1-{}", "+1".repeat(32));
        assert!(signs.parse::<Head>().is_err());
    }
}
