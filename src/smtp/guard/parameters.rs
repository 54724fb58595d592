//! The parameters of MAIL and RCPT that pass, each only where upstream offers its extension, written anew.
//!
//! SIZE (RFC 1870), BODY (RFC 6152, RFC 3030), SMTPUTF8 (RFC 6531), DSN (RFC 3461), MT-PRIORITY (RFC 6710), REQUIRETLS
//! (RFC 8689). AUTH= (RFC 4954 §5) is read and dropped: upstream would take it for our own word.

use crate::smtp::syntax::{self, Parameter};
use crate::smtp::{Extensions, reply};

/// Octets of an envelope id before decoding (RFC 3461 §4.4).
const MAX_ENVID_BYTES: usize = 100;
/// Octets of an original recipient (RFC 3461 §4.2).
const MAX_ORCPT_BYTES: usize = 500;

/// Parameters that go upstream.
#[derive(Debug, Default)]
pub(super) struct Offered {
    /// As they follow the path, each with a blank before it.
    pub(super) text: String,
    /// SMTPUTF8 is among them.
    pub(super) smtputf8: bool,
}

/// Checks the parameters of MAIL; the error is the reply.
pub(super) fn of_mail(parameters: &[Parameter<'_>], extensions: &Extensions) -> Result<Offered, &'static str> {
    let mut offered = Offered::default();
    for (keyword, value) in unique(parameters)? {
        let fits = match (keyword.as_str(), value) {
            ("AUTH", Some(value)) => {
                syntax::xtext_decode(value).ok_or(reply::BAD_ARGUMENT)?;
                continue;
            }
            ("BODY", Some(value)) => body(value, extensions)?,
            ("ENVID", Some(value)) => {
                extensions.has("DSN") && value.len() <= MAX_ENVID_BYTES && syntax::xtext_decode(value).is_some()
            }
            ("MT-PRIORITY", Some(value)) => extensions.has("MT-PRIORITY") && is_priority(value),
            ("REQUIRETLS", None) => extensions.has("REQUIRETLS"),
            ("RET", Some(value)) => extensions.has("DSN") && is_one_of(value, &["FULL", "HDRS"]),
            ("SIZE", Some(value)) => extensions.has("SIZE") && size(value, extensions)?,
            ("SMTPUTF8", None) => {
                offered.smtputf8 = true;
                extensions.has("SMTPUTF8")
            }
            _ => false,
        };
        offered.push(&keyword, value, fits)?;
    }
    Ok(offered)
}

/// Checks the parameters of RCPT; the error is the reply.
pub(super) fn of_rcpt(
    parameters: &[Parameter<'_>],
    extensions: &Extensions,
    smtputf8: bool,
) -> Result<Offered, &'static str> {
    let mut offered = Offered::default();
    for (keyword, value) in unique(parameters)? {
        let fits = match (keyword.as_str(), value) {
            ("NOTIFY", Some(value)) => extensions.has("DSN") && is_notify(value),
            ("ORCPT", Some(value)) => extensions.has("DSN") && is_original_recipient(value, smtputf8),
            _ => false,
        };
        offered.push(&keyword, value, fits)?;
    }
    Ok(offered)
}

impl Offered {
    fn push(&mut self, keyword: &str, value: Option<&str>, fits: bool) -> Result<(), &'static str> {
        if !fits {
            return Err(reply::UNKNOWN_PARAMETER);
        }
        self.text.extend([" ", keyword]);
        if let Some(value) = value {
            self.text.extend(["=", value]);
        }
        Ok(())
    }
}

/// The parameters with upper-case keywords; one that stands twice could be read either way.
fn unique<'a>(parameters: &[Parameter<'a>]) -> Result<Vec<(String, Option<&'a str>)>, &'static str> {
    let mut seen: Vec<(String, Option<&str>)> = Vec::with_capacity(parameters.len());
    for parameter in parameters {
        let keyword = parameter.keyword.to_ascii_uppercase();
        if seen.iter().any(|(earlier, _)| *earlier == keyword) {
            return Err(reply::BAD_ARGUMENT);
        }
        seen.push((keyword, parameter.value));
    }
    Ok(seen)
}

fn body(value: &str, extensions: &Extensions) -> Result<bool, &'static str> {
    match value.to_ascii_uppercase().as_str() {
        "7BIT" | "8BITMIME" => Ok(extensions.has("8BITMIME")),
        "BINARYMIME" => Ok(extensions.has("BINARYMIME")),
        _ => Err(reply::BAD_ARGUMENT),
    }
}

/// RFC 1870 §4: 1*20DIGIT.
fn size(value: &str, extensions: &Extensions) -> Result<bool, &'static str> {
    if value.len() > 20 || !value.bytes().all(|octet| octet.is_ascii_digit()) {
        return Err(reply::BAD_ARGUMENT);
    }
    // Twenty digits may not fit 64 bits, but are above any limit.
    let declared = value.parse().unwrap_or(u64::MAX);
    if extensions.size_limit().is_some_and(|limit| declared > limit) {
        return Err(reply::TOO_BIG);
    }
    Ok(true)
}

/// ```text
/// priority-value = (["-"] NZDIGIT) / "0"
/// ```
fn is_priority(value: &str) -> bool {
    matches!(value.strip_prefix('-').unwrap_or(value).as_bytes(), [b'1'..=b'9']) || value == "0"
}

/// ```text
/// notify-esmtp-value = "NEVER" / notify-list-element *( "," notify-list-element )
/// ```
fn is_notify(value: &str) -> bool {
    value.eq_ignore_ascii_case("NEVER")
        || (value.len() <= 28
            && value
                .split(',')
                .all(|event| is_one_of(event, &["SUCCESS", "FAILURE", "DELAY"])))
}

/// ```text
/// original-recipient-address = addr-type ";" xtext
/// ```
///
/// RFC 6533 §3 lets UTF-8 stand in it where the transaction has SMTPUTF8.
fn is_original_recipient(value: &str, smtputf8: bool) -> bool {
    let Some((kind, address)) = value.split_once(';') else {
        return false;
    };
    let is_kind = !kind.is_empty() && kind.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
    let is_utf8 = smtputf8 && kind.eq_ignore_ascii_case("utf-8");
    value.len() <= MAX_ORCPT_BYTES && is_kind && (is_utf8 || syntax::xtext_decode(address).is_some())
}

fn is_one_of(value: &str, words: &[&str]) -> bool {
    words.iter().any(|word| word.eq_ignore_ascii_case(value))
}
