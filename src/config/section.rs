//! Reading one section: defaults, ranges, and complaints that name the key.

use std::fmt::Display;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::file::Key;
use super::problem::Problems;
use super::units::{Size, Time};

/// One section under check.
pub(super) struct Section<'p, 'a> {
    problems: &'p mut Problems<'a>,
    name: String,
    /// Relative paths of the file begin here: its own folder.
    base: &'a Path,
}

impl<'p, 'a> Section<'p, 'a> {
    pub(super) fn new(problems: &'p mut Problems<'a>, name: impl Into<String>, base: &'a Path) -> Self {
        Self {
            problems,
            name: name.into(),
            base,
        }
    }

    /// An error at a key, or at the file as a whole where the key is absent.
    pub(super) fn error<T>(&mut self, name: &str, key: &Key<T>, message: impl Into<String>) {
        self.error_at(name, span(key), message);
    }

    /// A warning at a key.
    pub(super) fn warning<T>(&mut self, name: &str, key: &Key<T>, message: impl Into<String>) {
        let name = self.dotted(name);
        self.problems.warning_at(span(key), &name, message);
    }

    pub(super) fn error_at(&mut self, name: &str, place: Option<Range<usize>>, message: impl Into<String>) {
        let name = self.dotted(name);
        self.problems.error_at(place, &name, message);
    }

    /// A number within a range.
    pub(super) fn number<T>(&mut self, name: &str, key: &Key<T>, default: T, range: RangeInclusive<T>) -> T
    where
        T: Copy + PartialOrd + Display,
    {
        let value = or(key, default);
        if range.contains(&value) {
            return value;
        }
        let message = format!(
            "{value} is out of range; write a number from {} to {}",
            range.start(),
            range.end()
        );
        self.error(name, key, message);
        default
    }

    /// A time within a range, all in the form of the file.
    pub(super) fn time(&mut self, name: &str, key: &Key<Time>, default: Time, range: RangeInclusive<Time>) -> Duration {
        let value = or(key, default);
        if (range.start().0..=range.end().0).contains(&value.0) {
            return value.0;
        }
        self.error(
            name,
            key,
            format!(
                "{value} is out of range; write a time from {} to {}",
                range.start(),
                range.end()
            ),
        );
        default.0
    }

    /// A size within a range, in octets.
    pub(super) fn size(&mut self, name: &str, key: &Key<Size>, default: usize, range: RangeInclusive<usize>) -> usize {
        let Size(value) = or(key, Size(default));
        if range.contains(&value) {
            return value;
        }
        let message = format!(
            "{} is out of range; write a size from {} to {}",
            shown(value),
            shown(*range.start()),
            shown(*range.end())
        );
        self.error(name, key, message);
        default
    }

    /// A path; relative ones begin at the configuration file's folder.
    pub(super) fn path(&self, key: &Key<PathBuf>, default: impl FnOnce() -> PathBuf) -> PathBuf {
        key.as_ref().map_or_else(default, |path| self.base.join(path.get_ref()))
    }

    /// A path that may be absent.
    pub(super) fn optional_path(&self, key: &Key<PathBuf>) -> Option<PathBuf> {
        key.as_ref().map(|path| self.base.join(path.get_ref()))
    }

    fn dotted(&self, name: &str) -> String {
        match (self.name.is_empty(), name.is_empty()) {
            (true, _) => name.to_owned(),
            (false, true) => self.name.clone(),
            (false, false) => format!("{}.{name}", self.name),
        }
    }
}

/// The value of a key, or its default.
pub(super) fn or<T: Clone>(key: &Key<T>, default: T) -> T {
    key.as_ref().map_or(default, |value| value.get_ref().clone())
}

/// Where a key stands.
pub(super) fn span<T>(key: &Key<T>) -> Option<Range<usize>> {
    key.as_ref().map(serde_spanned::Spanned::span)
}

pub(super) const fn ms(number: u64) -> Time {
    Time(Duration::from_millis(number))
}

pub(super) const fn secs(number: u64) -> Time {
    Time(Duration::from_secs(number))
}

pub(super) const fn mins(number: u64) -> Time {
    secs(number * 60)
}

pub(super) const fn hours(number: u64) -> Time {
    mins(number * 60)
}

pub(super) const fn kib(number: usize) -> usize {
    number << 10
}

fn shown(octets: usize) -> String {
    match octets {
        0 => "0 B".to_owned(),
        _ if octets.is_multiple_of(1 << 30) => format!("{} GiB", octets >> 30),
        _ if octets.is_multiple_of(1 << 20) => format!("{} MiB", octets >> 20),
        _ if octets.is_multiple_of(1 << 10) => format!("{} KiB", octets >> 10),
        _ => format!("{octets} B"),
    }
}
