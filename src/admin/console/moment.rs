//! Times as people read them: near ones by distance ("3 minutes ago"), far ones by date, always with the full moment as
//! title, and in a form for programs (`<time datetime>`).
//!
//! Without script, times are in the server's zone, which the title names; the script writes them in the browser's own.

use std::fmt;
use std::time::Duration;

use askama::filters::HtmlSafe;
use jiff::Zoned;

use super::text::{Line, Text};
use crate::clock::Timestamp;
use crate::model::Language;

/// Two clocks, or two readings of one, differ by as much.
const SLACK: Duration = Duration::from_secs(5);

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// From this distance on, a date says more than a number of days.
const DATES_FROM: u64 = 30 * DAY;

/// In which form a moment is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `3 minutes ago`, `in 2 days`, `3 Nov 2026`.
    Relative,
    /// `20 Nov 2026`.
    Day,
    /// `20 Nov 2026, 14:03`.
    Clock,
}

/// A moment for one reader.
#[derive(Debug, Clone)]
pub struct Moment<'t> {
    pub(super) text: &'t Text,
    pub(super) at: Timestamp,
    pub(super) form: Form,
}

impl Moment<'_> {
    /// As plain text.
    pub fn plain(&self) -> String {
        match self.form {
            Form::Relative => self.relative(),
            Form::Day => self.day(),
            Form::Clock => format!("{}, {}", self.day(), self.zoned().strftime("%H:%M")),
        }
    }

    /// So far away that it is told by its date.
    pub(super) fn is_far(&self) -> bool {
        self.seconds() >= DATES_FROM
    }

    /// How far away it is.
    fn seconds(&self) -> u64 {
        self.at.0.abs_diff(self.text.now.0) / 1000
    }

    /// `20 November 2026, 14:03 CET`.
    fn full(&self) -> String {
        let at = self.zoned();
        format!(
            "{} {} {}, {}",
            self.day_of_month(&at),
            self.month("months-long", &at),
            at.year(),
            at.strftime("%H:%M %Z")
        )
    }

    fn relative(&self) -> String {
        // What was made while the page was is no promise.
        let is_past = self.at <= self.text.now.plus(SLACK);
        let seconds = self.seconds();
        let (past, future, count) = match seconds {
            0..MINUTE => ("moment-just-now", "moment-soon", 0),
            MINUTE..HOUR => ("moment-minutes-ago", "moment-in-minutes", seconds / MINUTE),
            HOUR..DAY => ("moment-hours-ago", "moment-in-hours", seconds / HOUR),
            DAY..DATES_FROM => ("moment-days-ago", "moment-in-days", seconds / DAY),
            _ => return self.day(),
        };
        let line = Line::new(if is_past { past } else { future });
        self.text.show(line.with("count", count)).plain()
    }

    fn day(&self) -> String {
        let at = self.zoned();
        format!(
            "{} {} {}",
            self.day_of_month(&at),
            self.month("months-short", &at),
            at.year()
        )
    }

    /// The first of a month is an ordinal in French.
    fn day_of_month(&self, at: &Zoned) -> String {
        match (self.text.language, at.day()) {
            (Language::French, 1) => "1er".to_owned(),
            (_, day) => day.to_string(),
        }
    }

    fn month(&self, names: &'static str, at: &Zoned) -> String {
        let names = self.text.say(names).plain();
        let index = usize::try_from(at.month() - 1).unwrap_or_default();
        names.split_whitespace().nth(index).unwrap_or_default().to_owned()
    }

    fn zoned(&self) -> Zoned {
        self.at.calendar().to_zoned(self.text.zone.clone())
    }
}

impl fmt::Display for Moment<'_> {
    /// As HTML. Nothing in it comes from outside.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = match self.form {
            Form::Relative => "relative",
            Form::Day => "day",
            Form::Clock => "clock",
        };
        write!(
            f,
            "<time datetime=\"{}\" title=\"{}\" data-form=\"{form}\">{}</time>",
            self.at.rfc3339(),
            self.full(),
            self.plain()
        )
    }
}

impl HtmlSafe for Moment<'_> {}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::tz::TimeZone;

    use super::*;

    /// 2026-11-22T12:00:00Z.
    const NOW: Timestamp = Timestamp(1_795_348_800_000);

    fn text(language: Language) -> Text {
        Text {
            language,
            zone: TimeZone::fixed(jiff::tz::offset(1)),
            now: NOW,
        }
    }

    fn check(language: Language, at: Timestamp, form: Form, expected: &str) {
        assert_eq!(text(language).moment(at, form).plain(), expected);
    }

    fn ago(seconds: u64) -> Timestamp {
        NOW.minus(Duration::from_secs(seconds))
    }

    #[test]
    fn near_moments_are_told_by_distance_and_far_ones_by_date() {
        for (seconds, english, french) in [
            (0, "just now", "à l’instant"),
            (61, "1 minute ago", "il y a 1 minute"),
            (2 * HOUR + 5, "2 hours ago", "il y a 2 heures"),
            (DAY, "1 day ago", "il y a 1 jour"),
            (29 * DAY, "29 days ago", "il y a 29 jours"),
            (52 * DAY, "1 Oct 2026", "1er oct. 2026"),
        ] {
            check(Language::English, ago(seconds), Form::Relative, english);
            check(Language::French, ago(seconds), Form::Relative, french);
        }
    }

    #[test]
    fn what_is_to_come_is_told_as_such() {
        let soon = NOW.plus(Duration::from_secs(30));
        let later = NOW.plus(Duration::from_secs(3 * DAY));
        check(Language::English, soon, Form::Relative, "in a moment");
        check(Language::English, later, Form::Relative, "in 3 days");
        check(Language::French, later, Form::Relative, "dans 3 jours");
    }

    #[test]
    fn programs_and_titles_get_the_full_moment() {
        assert_eq!(
            text(Language::English).moment(ago(DAY), Form::Clock).to_string(),
            "<time datetime=\"2026-11-21T12:00:00Z\" title=\"21 November 2026, 13:00 +01\" data-form=\"clock\">21 Nov \
             2026, 13:00</time>"
        );
    }

    #[test]
    fn moments_beyond_all_calendars_are_written_too() {
        for at in [Timestamp(i64::MAX), Timestamp(i64::MIN)] {
            assert!(!text(Language::English).moment(at, Form::Relative).plain().is_empty());
        }
    }
}
