//! What the Manager says: the texts of `texts/*.ftl`, in the reader's language.
//!
//! A [`Line`] is a text that was chosen and waits for its language; pages and handlers pass lines about. A [`Text`] is
//! a reader: language, time zone and the present moment. Together they are a [`Said`], which writes itself as HTML
//! (names escaped and isolated with `<bdi>`, moments as `<time>`) or as plain text for attributes.
//!
//! Texts are written without HTML. A test compares the keys and the facts that code and templates name with those of the
//! files, in both directions.

use std::fmt;
use std::net::IpAddr;
use std::sync::LazyLock;

use askama::filters::{Escaper, Html, HtmlSafe};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use jiff::tz::TimeZone;

use super::moment::{Form, Moment};
use crate::clock::Timestamp;
use crate::model::{Address, DomainName, Language};

type Bundle = FluentBundle<FluentResource>;

static ENGLISH: LazyLock<Bundle> = LazyLock::new(|| {
    let mut bundle = bundle("en", include_str!("../../../texts/en.ftl"));
    bundle.set_formatter(Some(|value, _| grouped(value, ",")));
    bundle
});

static FRENCH: LazyLock<Bundle> = LazyLock::new(|| {
    let mut bundle = bundle("fr", include_str!("../../../texts/fr.ftl"));
    bundle.set_formatter(Some(|value, _| grouped(value, "\u{202f}")));
    bundle
});

/// Reads a file of texts. That it has no errors is what the tests of this module hold.
fn bundle(language: &str, source: &str) -> Bundle {
    let mut bundle = FluentBundle::new_concurrent(vec![language.parse().unwrap_or_default()]);
    bundle.set_use_isolating(false);
    let texts = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(readable, _)| readable);
    bundle.add_resource_overriding(texts);
    bundle
}

/// Whole numbers in groups of three digits; four digits stay together.
fn grouped(value: &FluentValue<'_>, separator: &str) -> Option<String> {
    let FluentValue::Number(number) = value else {
        return None;
    };
    let digits = format!("{:.0}", number.value);
    if digits.len() < 5 {
        return Some(digits);
    }
    let mut text = String::with_capacity(digits.len() * 2);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push_str(separator);
        }
        text.push(digit);
    }
    Some(text)
}

/// Something that stands in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// What people or programs wrote: escaped, and kept from turning the text around it (`<bdi>`).
    Name(String),
    /// A number, which also chooses between singular and plural.
    Count(u64),
    /// A moment, said relative to now.
    When(Timestamp),
    /// A day.
    Day(Timestamp),
    /// Another text.
    Line(Line),
}

/// What can be said in a text.
pub trait Sayable {
    /// As a fact.
    fn fact(&self) -> Fact;
}

impl<T: Sayable + ?Sized> Sayable for &T {
    fn fact(&self) -> Fact {
        (**self).fact()
    }
}

impl Sayable for Fact {
    fn fact(&self) -> Fact {
        self.clone()
    }
}

impl Sayable for Line {
    fn fact(&self) -> Fact {
        Fact::Line(self.clone())
    }
}

impl Sayable for Said<'_> {
    fn fact(&self) -> Fact {
        Fact::Line(self.line.clone())
    }
}

impl Sayable for Timestamp {
    fn fact(&self) -> Fact {
        Fact::When(*self)
    }
}

macro_rules! sayable {
    ($($type:ty),* => |$value:ident| $fact:expr) => {
        $(impl Sayable for $type {
            fn fact(&self) -> Fact {
                let $value = self;
                $fact
            }
        })*
    };
}

// A port is a name: its digits are never grouped.
sayable!(str, String, Address, DomainName, IpAddr, u16 => |name| Fact::Name(ToString::to_string(name)));
sayable!(u32 => |count| Fact::Count(u64::from(*count)));
sayable!(u64 => |count| Fact::Count(*count));
sayable!(usize => |count| Fact::Count(u64::try_from(*count).unwrap_or(u64::MAX)));

/// A text that was chosen and waits for its language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    key: &'static str,
    facts: Vec<(&'static str, Fact)>,
}

impl Line {
    /// The text with this key.
    pub const fn new(key: &'static str) -> Self {
        Self { key, facts: Vec::new() }
    }

    /// A name that stands by itself, in whatever language it is.
    pub fn name(name: &impl ToString) -> Self {
        Self::new("verbatim").with("text", name.to_string())
    }

    /// The same text with a fact in it.
    #[must_use]
    pub fn with(mut self, name: &'static str, fact: impl Sayable) -> Self {
        self.facts.push((name, fact.fact()));
        self
    }

    /// Its key in `texts/*.ftl`.
    pub const fn key(&self) -> &'static str {
        self.key
    }
}

/// A line or a reference to one, however many times: templates pass fields by reference.
pub trait AsLine {
    /// The line.
    fn line(&self) -> Line;
}

impl<T: AsLine + ?Sized> AsLine for &T {
    fn line(&self) -> Line {
        (**self).line()
    }
}

impl AsLine for Line {
    fn line(&self) -> Line {
        self.clone()
    }
}

/// A reader: in which language and time zone, and at what time.
#[derive(Debug, Clone)]
pub struct Text {
    /// The language.
    pub language: Language,
    /// The zone in which moments are written; the script writes them in the browser's own.
    pub zone: TimeZone,
    /// The present moment.
    pub now: Timestamp,
}

impl Text {
    /// Says a text that has this key.
    pub fn say(&self, key: &'static str) -> Said<'_> {
        self.show(Line::new(key))
    }

    /// Says a line.
    pub fn show(&self, line: impl AsLine) -> Said<'_> {
        Said {
            text: self,
            line: line.line(),
        }
    }

    /// Says a moment.
    pub const fn moment(&self, at: Timestamp, form: Form) -> Moment<'_> {
        Moment { text: self, at, form }
    }

    /// The language's code in HTML (BCP 47).
    pub const fn code(&self) -> &'static str {
        match self.language {
            Language::English => "en",
            Language::French => "fr",
        }
    }

    /// A number of octets in the unit that suits it: `1.2 MB`.
    pub fn octets(&self, octets: u64) -> String {
        let (key, unit) = match octets {
            0..1_000 => ("octets-b", 1),
            1_000..1_000_000 => ("octets-kb", 1_000),
            1_000_000..1_000_000_000 => ("octets-mb", 1_000_000),
            _ => ("octets-gb", 1_000_000_000),
        };
        let (whole, tenth) = (octets / unit, octets % unit * 10 / unit);
        let size = match self.language {
            _ if unit == 1 || whole >= 10 => whole.to_string(),
            Language::English => format!("{whole}.{tenth}"),
            Language::French => format!("{whole},{tenth}"),
        };
        self.say(key).with("size", size).plain()
    }

    /// The text as it is in the file, or its key in brackets, which the tests look for.
    fn format(&self, line: &Line, as_html: bool) -> String {
        let bundle = match self.language {
            Language::English => &ENGLISH,
            Language::French => &FRENCH,
        };
        let Some(pattern) = bundle.get_message(line.key).and_then(|message| message.value()) else {
            return format!("{MISSING}{}]", line.key);
        };
        let mut facts = FluentArgs::with_capacity(line.facts.len());
        for (name, fact) in &line.facts {
            facts.set(*name, self.value(fact, as_html));
        }
        bundle
            .format_pattern(pattern, Some(&facts), &mut Vec::new())
            .into_owned()
    }

    fn value(&self, fact: &Fact, as_html: bool) -> FluentValue<'static> {
        match fact {
            Fact::Count(count) => FluentValue::from(*count),
            Fact::Name(name) if as_html => FluentValue::from(isolated(name)),
            Fact::Name(name) => FluentValue::from(name.clone()),
            Fact::Line(line) => FluentValue::from(self.format(line, as_html)),
            // "2 days ago", but "on 3 Nov 2026".
            Fact::When(at) if self.moment(*at, Form::Relative).is_far() => {
                let line = Line::new("moment-on").with("day", Fact::Day(*at));
                FluentValue::from(self.format(&line, as_html))
            }
            Fact::When(at) => FluentValue::from(self.written(*at, Form::Relative, as_html)),
            Fact::Day(at) => FluentValue::from(self.written(*at, Form::Day, as_html)),
        }
    }

    fn written(&self, at: Timestamp, form: Form, as_html: bool) -> String {
        let moment = self.moment(at, form);
        if as_html { moment.to_string() } else { moment.plain() }
    }
}

/// Stands in front of a key that no file has.
const MISSING: &str = "[missing:";

fn isolated(name: &str) -> String {
    let mut html = String::with_capacity(name.len() + 11);
    html.push_str("<bdi>");
    // Writing to a string cannot fail.
    let _ = Html.write_escaped_str(&mut html, name);
    html.push_str("</bdi>");
    html
}

/// A text for one reader.
#[derive(Debug, Clone)]
pub struct Said<'t> {
    text: &'t Text,
    line: Line,
}

impl Said<'_> {
    /// The same text with a fact in it.
    #[must_use]
    pub fn with(mut self, name: &'static str, fact: impl Sayable) -> Self {
        self.line = self.line.with(name, fact);
        self
    }

    /// As plain text, for attributes and titles; a template escapes it.
    pub fn plain(&self) -> String {
        self.text.format(&self.line, false)
    }
}

impl fmt::Display for Said<'_> {
    /// As HTML.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text.format(&self.line, true))
    }
}

impl HtmlSafe for Said<'_> {}

#[cfg(test)]
mod tests;
