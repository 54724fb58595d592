//! Mail addresses and domain names in their one canonical form.
//!
//! The local part is folded to lower case and composed (NFC), the domain to lower-case A-labels (RFC 5891), so that an
//! address compares, is looked up, throttled and logged in one form only. What the mail store would interpret is
//! refused here: controls, quotes, blanks, `%`, the master-user separator `*` and source routes never make it into an
//! [`Address`].

use std::borrow::Cow;
use std::fmt;

use icu_normalizer::ComposingNormalizerBorrowed;

/// The longest local part in octets (RFC 5321 §4.5.3.1.1).
const LOCAL_MAX: usize = 64;
/// The longest domain name in octets without the final dot (RFC 1035 §2.3.4).
const DOMAIN_MAX: usize = 253;
/// The longest label in octets (RFC 1035 §2.3.4).
const LABEL_MAX: usize = 63;
/// The longest address in octets: a path of 256 without its angle brackets (RFC 5321 §4.5.3.1.3).
const ADDRESS_MAX: usize = 254;

/// A text that is not a usable mail address or domain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// There is no `@`, or nothing before or behind it.
    #[error("an address looks like name@example.org")]
    Form,
    /// The local part has a character that we do not accept, or is longer than 64 octets (RFC 5321 §4.5.3.1.1).
    #[error("the part before the @ may have letters, digits and !#$&'+-/=?^_`{{|}}~. and at most 64 octets")]
    LocalPart,
    /// The domain is not a host name in A- or U-labels, or is longer than 253 octets.
    #[error("the domain is not a valid internet domain name")]
    Domain,
    /// The whole is longer than 254 octets.
    #[error("an address has at most 254 octets")]
    TooLong,
}

/// A domain name in lower-case A-labels without a final dot.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainName(String);

/// A mail address in canonical form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    text: String,
    at: usize,
}

impl DomainName {
    /// Reads a domain in A- or U-labels, any case.
    ///
    /// # Errors
    /// It is not a domain name.
    pub fn parse(text: &str) -> Result<Self, BadAddress> {
        Ok(Self(canonical_domain(text)?.into_owned()))
    }

    /// The A-label form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Address {
    /// Reads `local@domain`; trims blanks around it.
    ///
    /// # Errors
    /// It is not an address that a mailbox, an alias or a login can have.
    pub fn parse(text: &str) -> Result<Self, BadAddress> {
        let (local, domain) = at_sign(text.trim()).ok_or(BadAddress::Form)?;
        Self::of_parts(local, domain)
    }

    /// Reads a user name as mail clients send it: an address; with `mailto:` before it; `user%domain` or `user#domain`
    /// (old Outlook Express) where there is no `@`; or, where there is a default domain, the local part alone.
    /// `DOMAIN\user` and the Exchange form `user@domain\shared@domain` are not names here: they grant nothing.
    ///
    /// # Errors
    /// It cannot be the name of a mailbox.
    pub fn from_login(text: &str, default_domain: Option<&DomainName>) -> Result<Self, BadAddress> {
        let text = text.trim();
        let text = match text.split_at_checked("mailto:".len()) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("mailto:") => rest.trim_start(),
            _ => text,
        };
        if let Some((local, domain)) = at_sign(text) {
            return Self::of_parts(local, domain);
        }
        if let Some((local, domain)) = text.rsplit_once(['%', '#'])
            && let Ok(domain) = canonical_domain(domain)
        {
            return Self::new(local, &domain);
        }
        Self::new(text, default_domain.ok_or(BadAddress::Form)?.as_str())
    }

    fn of_parts(local: &str, domain: &str) -> Result<Self, BadAddress> {
        if local.is_empty() || domain.is_empty() {
            return Err(BadAddress::Form);
        }
        Self::new(local, &canonical_domain(domain)?)
    }

    /// Takes any local part, and a domain in canonical form.
    fn new(local: &str, domain: &str) -> Result<Self, BadAddress> {
        let local = folded(local);
        // Judged after folding, so that what is stored can always be read back.
        if local.is_empty() || local.len() > LOCAL_MAX || !is_dot_atom(&local) {
            return Err(BadAddress::LocalPart);
        }
        let length = local.len().saturating_add(domain.len()).saturating_add(1);
        if length > ADDRESS_MAX {
            return Err(BadAddress::TooLong);
        }
        let mut text = String::with_capacity(length);
        text.push_str(&local);
        text.push('@');
        text.push_str(domain);
        Ok(Self { at: local.len(), text })
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands before the `@`.
    pub fn local(&self) -> &str {
        self.text.get(..self.at).unwrap_or_default()
    }

    /// The domain.
    pub fn domain(&self) -> DomainName {
        DomainName(
            self.text
                .get(self.at.saturating_add(1)..)
                .unwrap_or_default()
                .to_owned(),
        )
    }
}

/// What stands before and behind the last `@`.
fn at_sign(text: &str) -> Option<(&str, &str)> {
    let at = text.bytes().rposition(|octet| octet == b'@')?;
    let (local, rest) = text.split_at_checked(at)?;
    Some((local, rest.get(1..)?))
}

/// A domain in lower-case A-labels.
fn canonical_domain(text: &str) -> Result<Cow<'_, str>, BadAddress> {
    if is_plain_domain(text) {
        return Ok(lower_case(text));
    }
    let ascii = idna::domain_to_ascii_strict(text).map_err(|_| BadAddress::Domain)?;
    if ascii.is_empty() || ascii.len() > DOMAIN_MAX || !ascii.contains('.') || ascii.ends_with('.') {
        return Err(BadAddress::Domain);
    }
    Ok(Cow::Owned(ascii.to_ascii_lowercase()))
}

/// Whether a domain has letters, digits and hyphens only, each where any label may have it, so that IDNA has nothing
/// to say to it but its case. Nearly all have; the others (A-labels among them) are IDNA's to judge.
fn is_plain_domain(text: &str) -> bool {
    let (mut labels, mut length, mut last) = (0_usize, 0_usize, b'.');
    for &octet in text.as_bytes() {
        let fits = match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => true,
            // Not at the third and fourth place together: that is how A-labels begin.
            b'-' => length > 0 && !(length == 3 && last == b'-'),
            b'.' => length > 0 && last != b'-',
            _ => false,
        };
        if !fits {
            return false;
        }
        last = octet;
        if octet == b'.' {
            labels = labels.saturating_add(1);
            length = 0;
        } else {
            length = length.saturating_add(1);
            if length > LABEL_MAX {
                return false;
            }
        }
    }
    labels > 0 && length > 0 && last != b'-' && text.len() <= DOMAIN_MAX
}

/// Lower case, composed: `Zoë` is one text however it was typed. Lower-casing can make characters that compose and
/// composing can make characters that have a lower case, so the result is a fixed point of both or refused later.
fn folded(local: &str) -> Cow<'_, str> {
    if local.is_ascii() {
        return lower_case(local);
    }
    let nfc = const { ComposingNormalizerBorrowed::new_nfc() };
    let once = nfc.normalize(&local.to_lowercase()).into_owned();
    Cow::Owned(nfc.normalize(&once.to_lowercase()).into_owned())
}

/// ASCII text in lower case.
fn lower_case(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|octet| octet.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// A dot-atom of RFC 5322 §3.2.3 plus UTF-8 (RFC 6531 §3.3), without what mail stores interpret.
fn is_dot_atom(local: &str) -> bool {
    let mut last = '.';
    for c in local.chars() {
        let allowed = match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' => true,
            '!' | '#' | '$' | '&' | '\'' | '+' | '-' | '/' | '=' | '?' | '^' | '_' | '`' | '{' | '|' | '}' | '~' => {
                true
            }
            '.' => last != '.',
            c => !c.is_ascii() && c.is_alphanumeric(),
        };
        if !allowed {
            return false;
        }
        last = c;
    }
    last != '.'
}

macro_rules! shown_as_text {
    ($name:ty) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

shown_as_text!(Address);
shown_as_text!(DomainName);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn case_and_labels_fold_to_one_form() {
        let address = Address::parse(" Anna.B@BÜCHER.example ").unwrap();
        assert_eq!(address.as_str(), "anna.b@xn--bcher-kva.example");
        assert_eq!(
            (address.local(), address.domain().as_str()),
            ("anna.b", "xn--bcher-kva.example")
        );
    }

    #[test]
    fn a_label_that_only_idna_may_judge_is_left_to_it() {
        for text in [
            "xn--bcher-kva.example",
            "ab--cd.example",
            "b\u{fc}cher.example",
            "-a.example",
            "a-.example",
            "a..example",
            "example",
            "example.",
            "",
            &format!("{}.example", "d".repeat(64)),
        ] {
            assert!(!is_plain_domain(text), "{text}");
        }
        assert!(is_plain_domain("Mail-1.EXAMPLE.org") && is_plain_domain("1.2.3.4"));
    }

    #[test]
    fn a_composed_and_a_decomposed_local_part_are_one() {
        let composed = Address::parse("Zo\u{eb}@example.org").unwrap();
        assert_eq!(Address::parse("zoe\u{308}@EXAMPLE.org"), Ok(composed.clone()));
        assert_eq!(composed.local(), "zo\u{eb}");
    }

    #[test]
    fn what_a_mail_store_would_interpret_is_refused() {
        for text in [
            "a*b@example.org",
            "a%b@example.org",
            "\"a b\"@example.org",
            "a\r\nb@example.org",
            "a\0@example.org",
            "@example.org",
            "a",
            "a@b@example.org",
            "a@example.org.",
            "a\u{202e}b@example.org",
            "a\u{a0}b@example.org",
            "a..b@example.org",
            "<a@example.org>",
            "a@[192.0.2.1]",
            "a@localhost",
        ] {
            assert!(Address::parse(text).is_err(), "{text:?}");
        }
        assert_eq!(
            Address::parse(&format!("{}@example.org", "a".repeat(65))),
            Err(BadAddress::LocalPart)
        );
        let domain = format!("{0}.{0}.{0}.org", "d".repeat(63));
        assert_eq!(
            Address::parse(&format!("{}@{domain}", "a".repeat(64))),
            Err(BadAddress::TooLong)
        );
    }

    #[test]
    fn user_names_are_read_as_clients_send_them() {
        let default = DomainName::parse("example.org").unwrap();
        for text in [
            "anna@example.org",
            " ANNA@Example.ORG\u{a0}",
            "mailto:anna@example.org",
            "MailTo: anna@example.org",
            "anna%example.org",
            "anna#example.org",
            "Anna",
        ] {
            let read = Address::from_login(text, Some(&default));
            assert_eq!(
                read.map(|address| address.to_string()),
                Ok("anna@example.org".into()),
                "{text:?}"
            );
        }
        assert_eq!(Address::from_login("anna", None), Err(BadAddress::Form));
        assert_eq!(
            Address::from_login("b#anna", Some(&default)).unwrap().as_str(),
            "b#anna@example.org"
        );
    }

    #[test]
    fn windows_and_exchange_forms_grant_nothing() {
        let default = DomainName::parse("example.org").unwrap();
        for text in [
            "EXAMPLE\\anna",
            "anna@example.org\\info@example.org",
            "a*master",
            "anna%",
            "%example.org",
            "",
        ] {
            assert!(Address::from_login(text, Some(&default)).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn idna_says_the_same_of_a_plain_domain(text in "[a-cA-C0-9.-]{1,12}|(xn|[ab]{1,3})--?[a-z]{1,4}\\.org") {
            if is_plain_domain(&text) {
                let strict = idna::domain_to_ascii_strict(&text);
                prop_assert_eq!(strict.map(|ascii| ascii.to_ascii_lowercase()).ok(), Some(text.to_ascii_lowercase()));
            }
        }

        #[test]
        fn what_was_read_reads_back_as_itself(text in "\\PC{1,12}@(example\\.org|bücher\\.example)") {
            if let Ok(address) = Address::parse(&text) {
                prop_assert_eq!(Address::parse(address.as_str()), Ok(address.clone()));
                prop_assert_eq!(Address::from_login(&text, None), Ok(address));
            }
        }
    }
}
