//! What the benchmark is told on its command line.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;

use crate::proxies::Peer;
use crate::works::{self, Work};

/// Postern beside nginx, Dovecot, HAProxy and two floors of our own.
#[derive(Debug, Default, Parser)]
#[command(name = "peers")]
pub(crate) struct Options {
    /// Works to run; all of them where none is named (`--list` shows the names)
    works: Vec<String>,
    /// A part of the works with smaller numbers, in less than two minutes
    #[arg(long)]
    quick: bool,
    /// Each work in its smallest form, as `cargo test` does; the numbers mean nothing
    #[arg(long)]
    smallest: bool,
    /// Rounds of each work, interleaved over the peers
    #[arg(long)]
    rounds: Option<usize>,
    /// How often a measurement that others disturbed is made again
    #[arg(long)]
    repeats: Option<usize>,
    /// Only these peers, separated by commas
    #[arg(long, value_delimiter = ',')]
    peers: Vec<String>,
    /// Write everything that was measured to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Write the tables of docs/performance.md to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,
    /// Show the works and end
    #[arg(long)]
    pub(crate) list: bool,
    /// What cargo says where it is a benchmark that is run, not a test
    #[arg(long, hide = true)]
    bench: bool,
}

/// How large the works are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scale {
    /// As a test: once, and tiny.
    Smallest,
    /// A look.
    Quick,
    /// What the goals are about.
    Full,
}

impl Scale {
    /// The number for this scale.
    pub(crate) fn pick<T>(self, full: T, quick: T, smallest: T) -> T {
        match self {
            Self::Full => full,
            Self::Quick => quick,
            Self::Smallest => smallest,
        }
    }
}

impl Options {
    /// Reads the command line. As a test it is one of many that get the same words: flags of the test harness mean
    /// nothing here, and the others select works by a part of their names.
    pub(crate) fn read() -> Self {
        let words: Vec<String> = std::env::args().skip(1).collect();
        if words.iter().any(|word| word == "--bench") {
            return Self::parse();
        }
        let filters: Vec<&String> = words.iter().filter(|word| !word.starts_with('-')).collect();
        let names = works::ALL.iter().map(|work| work.name());
        let works =
            names.filter(|name| filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str())));
        Self {
            works: works.map(str::to_owned).collect(),
            ..Self::default()
        }
    }

    /// How large the works are.
    pub(crate) const fn scale(&self) -> Scale {
        if self.smallest || !self.bench {
            Scale::Smallest
        } else if self.quick {
            Scale::Quick
        } else {
            Scale::Full
        }
    }

    /// Whether this is a test, whose numbers nobody should look at.
    pub(crate) const fn is_test(&self) -> bool {
        !self.bench
    }

    /// How many rounds.
    pub(crate) fn rounds(&self) -> usize {
        self.rounds.unwrap_or_else(|| self.scale().pick(3, 1, 1)).max(1)
    }

    /// How often a disturbed measurement is made again.
    pub(crate) fn repeats(&self) -> usize {
        self.repeats.unwrap_or_else(|| self.scale().pick(2, 0, 0))
    }

    /// Whether a peer takes part.
    pub(crate) fn wants(&self, peer: Peer) -> bool {
        self.peers.is_empty() || self.peers.iter().any(|name| name == peer.name())
    }

    /// The works to run.
    ///
    /// # Errors
    /// A work or peer has no such name.
    pub(crate) fn works(&self) -> anyhow::Result<Vec<&'static dyn Work>> {
        if let Some(unknown) = self
            .peers
            .iter()
            .find(|name| Peer::ALL.iter().all(|peer| peer.name() != **name))
        {
            let names = Peer::ALL.map(Peer::name).join(", ");
            anyhow::bail!("there is no peer {unknown}; there are {names}");
        }
        if self.works.is_empty() && self.bench {
            let all = works::ALL.iter().copied();
            return Ok(all
                .filter(|work| self.scale() != Scale::Quick || work.is_quick())
                .collect());
        }
        let find = |name: &String| {
            let found = works::ALL.iter().copied().find(|work| work.name() == name);
            found.with_context(|| format!("there is no work {name}; --list shows them"))
        };
        self.works.iter().map(find).collect()
    }
}
