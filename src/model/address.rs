//! Mail addresses and domain names in their one canonical form.
//!
//! The local part is folded to lower case and composed (NFC), the domain to lower-case A-labels (RFC 5891), so that an
//! address compares, is looked up, throttled and logged in one form only. What the mail store would interpret is
//! refused here: controls, quotes, blanks, `%`, the master-user separator `*` and source routes never make it into an
//! [`Address`].

use std::fmt;

use icu_normalizer::ComposingNormalizerBorrowed;

/// The longest local part in octets (RFC 5321 §4.5.3.1.1).
const LOCAL_MAX: usize = 64;
/// The longest domain name in octets without the final dot (RFC 1035 §2.3.4).
const DOMAIN_MAX: usize = 253;
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
        let ascii = idna::domain_to_ascii_strict(text).map_err(|_| BadAddress::Domain)?;
        if ascii.is_empty() || ascii.len() > DOMAIN_MAX || !ascii.contains('.') || ascii.ends_with('.') {
            return Err(BadAddress::Domain);
        }
        Ok(Self(ascii.to_ascii_lowercase()))
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
        let (local, domain) = text.trim().rsplit_once('@').ok_or(BadAddress::Form)?;
        if local.is_empty() || domain.is_empty() {
            return Err(BadAddress::Form);
        }
        Self::new(local, &DomainName::parse(domain)?)
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
        if text.contains('@') {
            return Self::parse(text);
        }
        if let Some((local, domain)) = text.rsplit_once(['%', '#'])
            && let Ok(domain) = DomainName::parse(domain)
        {
            return Self::new(local, &domain);
        }
        Self::new(text, default_domain.ok_or(BadAddress::Form)?)
    }

    fn new(local: &str, domain: &DomainName) -> Result<Self, BadAddress> {
        let local = folded(local);
        // Judged after folding, so that what is stored can always be read back.
        if local.is_empty() || local.len() > LOCAL_MAX || !is_dot_atom(&local) {
            return Err(BadAddress::LocalPart);
        }
        let text = format!("{local}@{domain}");
        if text.len() > ADDRESS_MAX {
            return Err(BadAddress::TooLong);
        }
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

/// Lower case, composed: `Zoë` is one text however it was typed. Lower-casing can make characters that compose and
/// composing can make characters that have a lower case, so the result is a fixed point of both or refused later.
fn folded(local: &str) -> String {
    if local.is_ascii() {
        return local.to_ascii_lowercase();
    }
    let nfc = const { ComposingNormalizerBorrowed::new_nfc() };
    let once = nfc.normalize(&local.to_lowercase()).into_owned();
    nfc.normalize(&once.to_lowercase()).into_owned()
}

/// A dot-atom of RFC 5322 §3.2.3 plus UTF-8 (RFC 6531 §3.3), without what mail stores interpret.
fn is_dot_atom(local: &str) -> bool {
    let allowed = |c: char| {
        c.is_ascii_alphanumeric() || "!#$&'+-/=?^_`{|}~.".contains(c) || (!c.is_ascii() && c.is_alphanumeric())
    };
    local.chars().all(allowed) && !local.starts_with('.') && !local.ends_with('.') && !local.contains("..")
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
        fn what_was_read_reads_back_as_itself(text in "\\PC{1,12}@(example\\.org|bücher\\.example)") {
            if let Ok(address) = Address::parse(&text) {
                prop_assert_eq!(Address::parse(address.as_str()), Ok(address.clone()));
                prop_assert_eq!(Address::from_login(&text, None), Ok(address));
            }
        }
    }
}
