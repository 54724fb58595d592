//! Names that people choose: of devices, of organisations, of tokens, and their own.
//!
//! They end up in terminals, logs, audit rows and (later) mail headers, so what could act there is refused here:
//! control characters, line separators and the bidirectional overrides that make a text read differently from what
//! it is.

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
    /// It holds a control character, a line separator or a direction override.
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

/// Whether a character could act on whoever shows it: controls, line and paragraph separators, and the direction
/// overrides and isolates (U+202A to U+202E, U+2066 to U+2069).
pub fn is_unshowable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
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

/// The form in which names are compared: without case.
pub fn name_key(name: &str) -> String {
    name.to_lowercase()
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
}
