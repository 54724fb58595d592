//! Moments as people read and write them.

use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::clock::Timestamp;
use crate::config::units::Time;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The local time and how far away it is: `2026-11-20 14:03 (2 d ago)`.
pub(super) fn human(at: Timestamp, now: Timestamp) -> String {
    format!(
        "{} ({})",
        at.calendar().to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M"),
        relative(at, now)
    )
}

/// How far away a moment is. What has passed is cut to whole units; what is to come is rounded, so that what was to last 90
/// days and began a moment ago does not end in 89.
pub(super) fn relative(at: Timestamp, now: Timestamp) -> String {
    let milliseconds = at.0.abs_diff(now.0);
    let whole = |unit: u64| {
        let half = if at > now { unit * 500 } else { 0 };
        milliseconds.saturating_add(half) / (unit * 1000)
    };
    let distance = if milliseconds < MINUTE * 1000 {
        return if at > now { "in a moment" } else { "just now" }.to_owned();
    } else if whole(MINUTE) < 60 {
        format!("{} min", whole(MINUTE))
    } else if whole(HOUR) < 24 {
        format!("{} h", whole(HOUR))
    } else {
        format!("{} d", whole(DAY))
    };
    if at > now {
        format!("in {distance}")
    } else {
        format!("{distance} ago")
    }
}

/// Reads when something ends: `90d` from now, the end of the local day `2026-12-31`, or a full moment with its zone.
pub(super) fn read_end(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let end = read(text, |date| date.tomorrow(), |span| now.plus(span))?;
    if end > now {
        Ok(end)
    } else {
        Err(format!(
            "`{text}` is in the past; give a date to come, or a time from now such as 90d"
        ))
    }
}

/// Reads since when: `7d` ago, the begin of the local day `2026-11-01`, or a full moment with its zone.
pub(super) fn read_begin(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    read(text, Ok, |span| now.minus(span))
}

/// Reads until when: `7d` ago, the end of the local day `2026-11-30`, or a full moment with its zone.
pub(super) fn read_until(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    read(text, |date| date.tomorrow(), |span| now.minus(span))
}

fn read(
    text: &str,
    day: impl FnOnce(Date) -> Result<Date, jiff::Error>,
    span: impl FnOnce(Duration) -> Timestamp,
) -> Result<Timestamp, String> {
    let bad = || {
        format!(
            "`{text}` is not a time; write a date such as 2026-12-31, a moment such as 2026-12-31T18:00:00Z, or a span such as 90d or 12h"
        )
    };
    if let Ok(Time(length)) = Time::parse(text) {
        return Ok(span(length));
    }
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Ok(Timestamp(moment.as_millisecond()));
    }
    let begin = text
        .parse::<Date>()
        .and_then(day)
        .and_then(|date| date.to_zoned(TimeZone::system()));
    begin
        .map(|begin| Timestamp(begin.timestamp().as_millisecond()))
        .map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_348_800_000);

    #[test]
    fn distances_are_said_in_their_largest_unit() {
        for (ms, text) in [
            (0, "just now"),
            (-61_000, "1 min ago"),
            (-7_200_000, "2 h ago"),
            (172_800_000, "in 2 d"),
            (5000, "in a moment"),
            (3_590_000, "in 1 h"),
            (-3_599_990, "59 min ago"),
            (-86_399_990, "23 h ago"),
            (7 * 86_400_000 - 5000, "in 7 d"),
            (90_000, "in 2 min"),
            (60_000, "in 1 min"),
            (-60_000, "1 min ago"),
        ] {
            assert_eq!(relative(Timestamp(NOW.0 + ms), NOW), text);
        }
    }

    #[test]
    fn an_end_is_a_span_a_day_or_a_moment_to_come() {
        assert_eq!(read_end("90d", NOW), Ok(NOW.plus(Duration::from_secs(90 * DAY))));
        assert_eq!(
            read_end("2027-01-01T00:00:00Z", NOW).map(Timestamp::rfc3339),
            Ok("2027-01-01T00:00:00Z".to_owned())
        );
        assert!(read_end("2026-12-31", NOW).is_ok());
        assert!(read_end("2020-01-01", NOW).unwrap_err().contains("past"));
        for text in ["", "soon", "2026-13-01", "90", "9999-12-31T"] {
            assert!(read_end(text, NOW).is_err(), "{text}");
        }
    }
}
