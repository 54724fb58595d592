//! The words of mails, in the files `texts/mail.*.ftl`, one a language.
//!
//! Names and addresses come from people. What could act on whoever reads them is taken out of each ([`shown`]) before
//! it stands in a sentence, a header or a page, also where somebody else has looked already.

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use jiff::tz::TimeZone;
use unic_langid::LanguageIdentifier;

use crate::clock::Timestamp;
use crate::model::Language;
use crate::model::name::is_unshowable;

/// The longest value in a text, in characters: a name has 100 at most, an address 254.
const SHOWN_MAX: usize = 300;

/// What stands for a character that cannot be shown safely, and for what was cut.
const REPLACEMENT: char = '\u{fffd}';

type Bundle = FluentBundle<FluentResource>;

static ENGLISH: LazyLock<Bundle> = LazyLock::new(|| bundle(Language::English, include_str!("../../texts/mail.en.ftl")));
static FRENCH: LazyLock<Bundle> = LazyLock::new(|| bundle(Language::French, include_str!("../../texts/mail.fr.ftl")));

/// The texts of one language, and how its moments are written.
#[derive(Clone)]
pub(super) struct Texts {
    bundle: &'static Bundle,
    zone: TimeZone,
}

/// Named values of a text.
pub(super) type Values<'a> = [(&'static str, &'a str)];

impl Texts {
    pub(super) fn of(language: Language, zone: &TimeZone) -> Self {
        Self {
            bundle: match language {
                Language::English => &ENGLISH,
                Language::French => &FRENCH,
            },
            zone: zone.clone(),
        }
    }

    /// A text without values.
    pub(super) fn word(&self, key: &str) -> String {
        self.say(key, &[])
    }

    /// A text with values, each made harmless.
    pub(super) fn say(&self, key: &str, values: &Values<'_>) -> String {
        let mut arguments = FluentArgs::with_capacity(values.len());
        for (name, value) in values {
            arguments.set(*name, FluentValue::from(shown(value)));
        }
        self.format(key, &arguments)
    }

    /// A text that depends on a number, named `count`.
    pub(super) fn count(&self, key: &str, count: usize) -> String {
        let mut arguments = FluentArgs::with_capacity(1);
        arguments.set("count", FluentValue::from(count));
        self.format(key, &arguments)
    }

    /// Day, time and zone, as people of this language write them.
    pub(super) fn moment(&self, at: Timestamp) -> String {
        let local = at.calendar().to_zoned(self.zone.clone());
        let offset = local.offset().seconds();
        let (hours, minutes) = (offset / 3600, offset.unsigned_abs() / 60 % 60);
        let zone = match (offset, minutes) {
            (0, _) => "UTC".to_owned(),
            (_, 0) => format!("UTC{hours:+}"),
            _ => format!("UTC{hours:+}:{minutes:02}"),
        };
        let mut arguments = FluentArgs::with_capacity(5);
        arguments.set("day", FluentValue::from(local.day()));
        arguments.set("month", FluentValue::from(local.month()));
        arguments.set("year", FluentValue::from(local.year().to_string()));
        arguments.set("time", FluentValue::from(local.strftime("%H:%M").to_string()));
        arguments.set("zone", FluentValue::from(zone));
        self.format("moment", &arguments)
    }

    /// A missing text shows its key: a test sees to it that none is missing.
    fn format(&self, key: &str, arguments: &FluentArgs<'_>) -> String {
        let Some(pattern) = self.bundle.get_message(key).and_then(|message| message.value()) else {
            return key.to_owned();
        };
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, Some(arguments), &mut errors);
        debug_assert!(errors.is_empty(), "{key}: {errors:?}");
        text.into_owned()
    }

    #[cfg(test)]
    pub(super) fn has(&self, key: &str) -> bool {
        self.bundle.has_message(key)
    }
}

fn bundle(language: Language, text: &str) -> Bundle {
    let language: LanguageIdentifier = language.name().parse().unwrap_or_default();
    let mut bundle = Bundle::new_concurrent(vec![language]);
    // Marks around every value would be visible in old mail programs; `shown` sets them where they are needed.
    bundle.set_use_isolating(false);
    // Of a file with an error everything else is usable; a test sees to it that there is none.
    let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(usable, _)| usable);
    bundle.add_resource_overriding(resource);
    bundle
}

/// A value as it may stand in a sentence: one line, nothing that acts, of bounded length. Letters that run from right to
/// left are kept to themselves, so that they do not turn round what stands behind them.
pub(super) fn shown(value: &str) -> String {
    let mut text: String = value
        .trim()
        .chars()
        .take(SHOWN_MAX)
        .map(|c| if is_unshowable(c) { REPLACEMENT } else { c })
        .collect();
    if value.trim().chars().count() > SHOWN_MAX {
        text.push('…');
    }
    if text.chars().any(runs_leftwards) {
        return format!("\u{2068}{text}\u{2069}");
    }
    text
}

/// Hebrew, Arabic, Syriac, Thaana, N'Ko and their presentation forms, and the marks that have their direction.
const fn runs_leftwards(c: char) -> bool {
    matches!(
        c,
        '\u{590}'..='\u{8ff}' | '\u{200f}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}'
            | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}'
    )
}
