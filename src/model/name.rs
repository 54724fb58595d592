//! Names that people choose: of devices, of organisations, of tokens, and their own.
//!
//! They end up in terminals, logs, audit rows and (later) mail headers, so what could act there is refused here:
//! control characters, line separators and the bidirectional overrides that make a text read differently from what
//! it is, and characters that nobody sees, by which two names could look the same and be two.

use icu_normalizer::ComposingNormalizerBorrowed;

/// A name that cannot be accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// Nothing is left after trimming.
    #[error("the name of {what} is empty: give it 1 to {longest} characters")]
    Empty {
        /// What is named.
        what: &'static str,
        /// The limit in characters.
        longest: usize,
    },
    /// It is too long.
    #[error("the name of {what} has {length} characters: shorten it to at most {longest}")]
    TooLong {
        /// What is named.
        what: &'static str,
        /// The length in characters.
        length: usize,
        /// The limit in characters.
        longest: usize,
    },
    /// It holds a control character, a line separator, a direction override or something that nobody sees.
    #[error("the name of {what} holds the character U+{code:04X}, which cannot be shown safely: leave it out")]
    Unshowable {
        /// What is named.
        what: &'static str,
        /// The character.
        code: u32,
    },
}

/// The longest device label, in characters.
pub const LABEL_MAX: usize = 64;
/// The longest organisation name, in characters.
pub const ORG_NAME_MAX: usize = 100;
/// The longest name of a person, in characters.
pub const PERSON_NAME_MAX: usize = 100;
/// The longest name of a token, in characters.
pub const TOKEN_NAME_MAX: usize = 64;

/// Whether a character could act on whoever shows it, or is not seen at all: controls, line and paragraph separators,
/// direction marks, overrides and isolates, and what Unicode lets programs leave out (`Default_Ignorable_Code_Point`) but
/// for what words and emoji are made with (`is_joining`).
pub fn is_unshowable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || (is_ignorable(c) && !is_joining(c))
}

/// Unicode's `Default_Ignorable_Code_Point` (DerivedCoreProperties.txt): nothing is drawn for them.
const fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Joiners and variation selectors: Persian, Hindi and emoji are written with them. They make no name another one.
const fn is_joining(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}

/// Checks and trims a device label.
///
/// # Errors
/// It is empty, longer than [`LABEL_MAX`] or holds a character that cannot be shown safely.
pub fn device_label(text: &str) -> Result<String, BadName> {
    checked(text, "a device", LABEL_MAX)
}

/// Checks and trims the name of an organisation.
///
/// # Errors
/// It is empty, longer than [`ORG_NAME_MAX`] or holds a character that cannot be shown safely.
pub fn org_name(text: &str) -> Result<String, BadName> {
    checked(text, "an organisation", ORG_NAME_MAX)
}

/// Checks and trims the name of a person.
///
/// # Errors
/// It is empty, longer than [`PERSON_NAME_MAX`] or holds a character that cannot be shown safely.
pub fn person_name(text: &str) -> Result<String, BadName> {
    checked(text, "a person", PERSON_NAME_MAX)
}

/// Checks and trims the name of a token.
///
/// # Errors
/// It is empty, longer than [`TOKEN_NAME_MAX`] or holds a character that cannot be shown safely.
pub fn token_name(text: &str) -> Result<String, BadName> {
    checked(text, "a token", TOKEN_NAME_MAX)
}

/// A name as every mail program can show it, inside double quotes: printable ASCII, each other character as `?`. Double
/// quotes, the quotes that phones put into names, and backslashes become plain single quotes.
pub fn printable_ascii(text: &str) -> String {
    let plain = |c: char| match c {
        '"' | '\\' | '\u{2018}'..='\u{201f}' => '\'',
        c if c == ' ' || c.is_ascii_graphic() => c,
        _ => '?',
    };
    text.chars().map(plain).collect()
}

/// The form in which names are compared: without case, without what nobody sees, and the same however a letter is
/// composed or drawn (NFKC).
pub fn name_key(name: &str) -> String {
    let nfkc = ComposingNormalizerBorrowed::new_nfkc();
    let seen: String = name.chars().filter(|c| !is_ignorable(*c)).collect();
    // Lower case may come apart again.
    nfkc.normalize(&nfkc.normalize(&seen).to_lowercase()).into_owned()
}

fn checked(text: &str, what: &'static str, longest: usize) -> Result<String, BadName> {
    let text = text.trim();
    if text.is_empty() {
        return Err(BadName::Empty { what, longest });
    }
    if let Some(c) = text.chars().find(|c| is_unshowable(*c)) {
        return Err(BadName::Unshowable {
            what,
            code: u32::from(c),
        });
    }
    let length = text.chars().count();
    if length > longest {
        return Err(BadName::TooLong { what, length, longest });
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_counted_in_characters() {
        assert_eq!(device_label("  Anna's iPhone \n"), Ok("Anna's iPhone".into()));
        assert_eq!(device_label(&"ü".repeat(64)), Ok("ü".repeat(64)));
        let error = device_label(&"ü".repeat(65)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the name of a device has 65 characters: shorten it to at most 64"
        );
        assert_eq!(
            org_name(" \t").unwrap_err().to_string(),
            "the name of an organisation is empty: give it 1 to 100 characters"
        );
    }

    #[test]
    fn what_acts_on_a_terminal_or_turns_text_round_is_refused() {
        for c in [
            '\u{1b}', '\r', '\n', '\0', '\u{7f}', '\u{85}', '\u{2028}', '\u{202e}', '\u{2066}', '\u{2069}',
        ] {
            let error = device_label(&format!("a{c}b")).unwrap_err();
            assert!(
                error.to_string().contains(&format!("U+{:04X}", u32::from(c))),
                "{error}"
            );
        }
    }

    #[test]
    fn what_nobody_sees_is_refused_and_what_words_are_made_with_is_not() {
        for c in [
            '\u{ad}',
            '\u{61c}',
            '\u{3164}',
            '\u{200b}',
            '\u{200e}',
            '\u{200f}',
            '\u{2060}',
            '\u{feff}',
            '\u{e0041}',
        ] {
            assert!(
                person_name(&format!("Sophie{c} Martin")).is_err(),
                "U+{:04X}",
                u32::from(c)
            );
        }
        for name in [
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "👩\u{200d}💻",
            "❤\u{fe0f}",
            "Zoë",
            "北京",
        ] {
            assert_eq!(person_name(name).as_deref(), Ok(name));
        }
    }

    #[test]
    fn names_that_look_the_same_are_the_same() {
        for (one, other) in [
            ("iPhone", "IPHONE"),
            ("Zoe\u{308}", "Zoë"),
            ("ｉＰｈｏｎｅ", "iPhone"),
            ("ﬁn", "fin"),
            ("❤\u{fe0f}", "❤"),
            ("Sop\u{200d}hie", "Sophie"),
            ("ẞ", "ß"),
        ] {
            assert_eq!(name_key(one), name_key(other), "{one} {other}");
        }
        assert_ne!(name_key("Anna"), name_key("Аnna"), "another alphabet is another name");
        for name in ["İstanbul", "Ǆ", "ﷺ", "Ω"] {
            assert_eq!(name_key(&name_key(name)), name_key(name), "{name}");
        }
    }
}
