//! What people write into forms: days, names, networks, rights; and what to say under a field.

use jiff::civil::Date;

use crate::admin::console::text::{Line, Text};
use crate::admin::console::view::form::problem;
use crate::clock::Timestamp;
use crate::directory::Error;
use crate::model::device::BadSetting;
use crate::model::{Networks, Right, Rights, Scopes};
use crate::store;

/// The first moment of a day as date fields write it (`2026-11-20`), in the reader's zone.
pub(super) fn begin_of(text: &Text, day: &str) -> Option<Timestamp> {
    let day: Date = day.trim().parse().ok()?;
    moment(text, day)
}

/// The first moment after a day.
pub(super) fn end_of(text: &Text, day: &str) -> Option<Timestamp> {
    let day: Date = day.trim().parse().ok()?;
    moment(text, day.tomorrow().ok()?)
}

fn moment(text: &Text, day: Date) -> Option<Timestamp> {
    let begin = day.to_zoned(text.zone.clone()).ok()?;
    Some(Timestamp(begin.timestamp().as_millisecond()))
}

/// The last day before an end, as date fields write it.
pub(super) fn last_day(text: &Text, end: Timestamp) -> String {
    let last = Timestamp(end.0.saturating_sub(1));
    last.calendar().to_zoned(text.zone.clone()).date().to_string()
}

/// What a form says about an end: none, or the day that is the last one. A day that was not touched (`present`) changes
/// nothing, although the end may lie in the middle of it.
pub(super) fn end(text: &Text, typed: &str, present: Option<Timestamp>) -> Result<Option<Timestamp>, Line> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(None);
    }
    if present.is_some_and(|present| last_day(text, present) == typed) {
        return Ok(present);
    }
    match end_of(text, typed) {
        Some(end) if end > text.now => Ok(Some(end)),
        _ => Err(problem::day_to_come()),
    }
}

/// Rights that were ticked: at least one.
pub(super) fn rights(ticked: &[String]) -> Result<Rights, Line> {
    let rights: Option<Rights> = ticked.iter().map(|right| right.parse::<Right>().ok()).collect();
    rights.filter(|rights| !rights.is_empty()).ok_or_else(problem::rights)
}

/// Protocols that were ticked: at least one.
pub(super) fn scopes(ticked: &[String]) -> Result<Scopes, Line> {
    ticked.join(",").parse().map_err(|_| problem::scopes())
}

/// Networks with commas, blanks or line ends between them.
pub(super) fn networks(typed: &str) -> Result<Networks, Line> {
    let separated = |c: char| c == ',' || c == ';' || c.is_whitespace();
    let networks: Vec<_> = typed.split(separated).filter(|network| !network.is_empty()).collect();
    networks.join(",").parse().map_err(|bad| match bad {
        BadSetting::TooMany { most, .. } => problem::too_many(most),
        BadSetting::Network { given } => problem::network(&given),
        bad => Line::name(&bad),
    })
}

/// An address in one of the organisation's domains, as its two fields say it: the part in front of the at sign and a domain,
/// or a whole address in the first one, which people paste.
pub(super) fn address(local: &str, domain: &str) -> Result<String, Line> {
    let local = local.trim();
    match (local.is_empty(), local.contains('@')) {
        (true, _) => Err(problem::missing()),
        (false, true) => Ok(local.to_owned()),
        (false, false) => Ok(format!("{local}@{}", domain.trim())),
    }
}

/// What to say under the field of an address in one's own domains that could not be taken: what was typed there, and the
/// address that it made. An error that is none of the field is given back.
pub(super) fn bad_address(error: Error, typed: &str, address: &str) -> Result<Line, Error> {
    Ok(match error {
        Error::BadAddress { .. } if typed.contains('@') => problem::address(),
        Error::BadAddress { .. } => problem::local_part(),
        Error::UnknownDomain { domain, .. } => problem::domain_unknown(domain.as_str()),
        Error::Store(store::Error::Conflict(_)) => problem::address_taken(address),
        Error::Store(store::Error::Refused(why)) => Line::name(&why),
        error => return Err(error),
    })
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::model::Language;

    /// 2026-11-20T14:00:00Z.
    const NOW: Timestamp = Timestamp(1_795_183_200_000);

    fn reader() -> Text {
        Text {
            language: Language::English,
            zone: TimeZone::UTC,
            now: NOW,
        }
    }

    #[test]
    fn a_last_day_lasts_until_midnight_and_reads_back_as_itself() {
        let text = reader();
        let end_of_today = end(&text, "2026-11-20", None).unwrap().unwrap();
        assert_eq!(end_of_today.rfc3339(), "2026-11-21T00:00:00Z");
        assert_eq!(last_day(&text, end_of_today), "2026-11-20");
        assert_eq!(end(&text, " ", None), Ok(None));
        for wrong in ["2026-11-19", "soon", "2026-02-30", "20.11.2026"] {
            assert_eq!(end(&text, wrong, None), Err(problem::day_to_come()), "{wrong}");
        }
    }

    #[test]
    fn a_day_that_was_not_touched_changes_nothing() {
        let text = reader();
        let noon = Timestamp(NOW.0 + 24 * 60 * 60 * 1000);
        assert_eq!(end(&text, &last_day(&text, noon), Some(noon)), Ok(Some(noon)));
        let past = Timestamp(NOW.0 - 24 * 60 * 60 * 1000);
        assert_eq!(
            end(&text, &last_day(&text, past), Some(past)),
            Ok(Some(past)),
            "it is as it was"
        );
    }

    #[test]
    fn days_are_those_of_the_readers_zone() {
        let text = Text {
            zone: TimeZone::get("Europe/Zurich").unwrap_or(TimeZone::UTC),
            ..reader()
        };
        let begin = begin_of(&text, "2026-11-20").unwrap();
        assert_eq!(last_day(&text, begin), "2026-11-19");
        assert_eq!(end_of(&text, "2026-11-19"), Some(begin));
    }

    #[test]
    fn networks_may_stand_on_lines_of_their_own() {
        let read = networks("192.0.2.7, 192.0.2.0/24\r\n2001:db8::/32;").unwrap();
        assert_eq!(read.to_string(), "192.0.2.7/32,192.0.2.0/24,2001:db8::/32");
        assert_eq!(networks(" "), Ok(Networks::default()));
        assert_eq!(networks("192.0.2.7 office"), Err(problem::network("office")));
        let many = "192.0.2.7 ".repeat(33);
        assert_eq!(networks(&many), Err(problem::too_many(32)));
    }

    #[test]
    fn nothing_ticked_or_something_unknown_is_told() {
        let ticked = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(rights(&ticked(&[])), Err(problem::rights()));
        assert_eq!(rights(&ticked(&["send-as", "rule"])), Err(problem::rights()));
        assert_eq!(rights(&ticked(&["send-as"])), Ok(Rights::NONE.with(Right::SendAs)));
        assert_eq!(scopes(&ticked(&[])), Err(problem::scopes()));
        assert_eq!(scopes(&ticked(&["imap", "smtp"])), Ok(Scopes::ALL));
    }

    #[test]
    fn an_address_is_put_together_or_taken_whole() {
        assert_eq!(address(" info ", "example.org").as_deref(), Ok("info@example.org"));
        assert_eq!(
            address("info@example.com", "example.org").as_deref(),
            Ok("info@example.com")
        );
        assert_eq!(address(" ", "example.org"), Err(problem::missing()));
    }
}
