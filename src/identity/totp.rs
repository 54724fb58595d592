//! One-time codes of an authenticator program (RFC 6238): SHA-1, six digits, steps of 30 seconds, as every such program
//! can; one step early or late is allowed for.
//!
//! A code is judged here and consumed by the store: [`TotpSecret::step_of`] tells which step it belongs to, and the store
//! notes that step in one statement that refuses it, and every earlier one, from then on (RFC 6238 §5.2). The secret is
//! sealed with the server key and bound to its user.

use std::fmt;

use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use totp_rs::{Algorithm, Builder, Totp};

use super::text::{decode, encode};
use crate::clock::Timestamp;
use crate::keys::{self, Keyring, fill_random};
use crate::model::{ConsoleSessionId, UserId};
use crate::secret::{Secret, SecretBytes};

/// Octets of a secret: as long as the output of SHA-1 (RFC 4226 §4).
const SECRET_BYTES: usize = 20;

/// Seconds of a step.
pub const STEP_SECONDS: u64 = 30;

/// Steps before and after the present one whose codes count: the phone's clock, and the time it takes to type.
const WINDOW_STEPS: u16 = 1;

/// Digits of a code.
const DIGITS: u8 = 6;

/// Letters of the secret between two blanks where it is shown for typing.
const GROUP: usize = 4;

/// In front of the user's id in what a sealed secret is bound to, so that it never opens as a secret of another kind.
const SEAL_DOMAIN: &[u8] = b"totp";

/// The same for one that is only offered.
const OFFER_DOMAIN: &[u8] = b"totp offer";

/// Letters of an offer: head, nonce, secret and tag are 53 octets.
const OFFER_LETTERS_MAX: usize = 200;

/// A secret that an authenticator program shares with us.
pub struct TotpSecret(Box<Secret<[u8; SECRET_BYTES]>>);

/// Why a secret cannot be read back or shown.
#[derive(Debug, thiserror::Error)]
pub enum BadTotp {
    /// It does not open.
    #[error(transparent)]
    Keys(#[from] keys::Error),
    /// What was sealed is not a secret of this kind.
    #[error("the secret of one-time codes is damaged; switch them off and on again")]
    Damaged,
    /// The name of the service or of the user is too long for a picture.
    #[error("the picture with the secret cannot be made; type the secret instead")]
    NoPicture,
}

impl TotpSecret {
    /// A new secret.
    pub fn generate() -> Self {
        let mut secret = Self::blank();
        fill_random(secret.0.expose_mut());
        secret
    }

    /// Seals it for this user.
    ///
    /// # Errors
    /// Only if the cipher refuses the length.
    pub fn seal(&self, keys: &Keyring, user: UserId) -> Result<Vec<u8>, BadTotp> {
        Ok(keys.seal(&seal_context(user), self.0.expose())?)
    }

    /// Opens what [`TotpSecret::seal`] made for this user.
    ///
    /// # Errors
    /// It was made for somebody else, changed, or with a key that is not there.
    pub fn unseal(keys: &Keyring, user: UserId, sealed: &[u8]) -> Result<Self, BadTotp> {
        Self::of_octets(&keys.unseal(&seal_context(user), sealed)?)
    }

    /// Seals a secret that is only offered, for one session of this user: as text that comes back with the first code.
    ///
    /// # Errors
    /// Only if the cipher refuses the length.
    pub fn offer(&self, keys: &Keyring, user: UserId, session: ConsoleSessionId) -> Result<String, BadTotp> {
        let sealed = keys.seal(&offer_context(user, session), self.0.expose())?;
        let mut text = String::new();
        encode(&sealed, &mut text);
        Ok(text)
    }

    /// Opens what [`TotpSecret::offer`] made for the same session.
    ///
    /// # Errors
    /// It was made for another one, or changed.
    pub fn of_offer(keys: &Keyring, user: UserId, session: ConsoleSessionId, text: &str) -> Result<Self, BadTotp> {
        let mut sealed = vec![0; text.len().min(OFFER_LETTERS_MAX) * 5 / 8];
        decode(text, &mut sealed).ok_or(BadTotp::Damaged)?;
        Self::of_octets(&keys.unseal(&offer_context(user, session), &sealed)?)
    }

    /// The step that this code belongs to, where it is a code of the present step, the one before or the one after.
    /// Blanks are ignored, as programs show codes in two groups.
    pub fn step_of(&self, typed: &str, now: Timestamp) -> Option<i64> {
        let wanted = usize::from(DIGITS);
        let digits: String = typed.chars().filter(|c| !c.is_whitespace()).take(wanted + 1).collect();
        if digits.len() != wanted || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let seconds = u64::try_from(now.0.div_euclid(1000)).ok()?;
        i64::try_from(self.totp("", "")?.check(&digits, seconds)?).ok()
    }

    /// The secret for typing it into a program: `abcd efgh ...`.
    pub fn shown(&self) -> Secret<String> {
        let mut letters = Secret::new(String::with_capacity(SECRET_BYTES * 2));
        encode(self.0.expose(), letters.expose_mut());
        let mut shown = Secret::new(String::with_capacity(SECRET_BYTES * 3));
        for (place, letter) in letters.expose().chars().enumerate() {
            if place > 0 && place.is_multiple_of(GROUP) {
                shown.expose_mut().push(' ');
            }
            shown.expose_mut().push(letter);
        }
        shown
    }

    /// The `otpauth:` URI that programs read: `issuer` is what they call us, `account` the sign-in address.
    ///
    /// # Errors
    /// The names cannot be part of it.
    pub fn uri(&self, issuer: &str, account: &str) -> Result<Secret<String>, BadTotp> {
        let totp = self.totp(issuer, account).ok_or(BadTotp::NoPicture)?;
        totp.to_url().map(Secret::new).map_err(|_| BadTotp::NoPicture)
    }

    /// The same as a picture: an `<svg>` element, black on white with a quiet zone, whatever the page's colours.
    ///
    /// # Errors
    /// The names are too long.
    pub fn picture(&self, issuer: &str, account: &str) -> Result<Secret<String>, BadTotp> {
        let uri = self.uri(issuer, account)?;
        let code =
            QrCode::with_error_correction_level(uri.expose().as_bytes(), EcLevel::M).map_err(|_| BadTotp::NoPicture)?;
        let drawn = Secret::new(
            code.render::<svg::Color<'_>>()
                .dark_color(svg::Color("#000"))
                .light_color(svg::Color("#fff"))
                .module_dimensions(4, 4)
                .build(),
        );
        // Without the XML declaration, which has no place inside a page.
        let start = drawn.expose().find("<svg").ok_or(BadTotp::NoPicture)?;
        Ok(Secret::new(drawn.expose().get(start..).unwrap_or_default().to_owned()))
    }

    fn totp(&self, issuer: &str, account: &str) -> Option<Totp> {
        // A colon divides issuer and account in the URI.
        let plain = |text: &str| text.replace(':', " ");
        let mut builder = Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(DIGITS)
            .with_skew(WINDOW_STEPS)
            .with_step_duration(STEP_SECONDS)
            .with_secret(self.0.expose().to_vec())
            .with_account_name(plain(account));
        if !issuer.is_empty() {
            builder = builder.with_issuer(Some(plain(issuer)));
        }
        builder.build().ok()
    }

    /// The code that an authenticator program shows at a moment.
    #[cfg(test)]
    pub(crate) fn code_at(&self, now: Timestamp) -> Secret<String> {
        let seconds = u64::try_from(now.0 / 1000).unwrap();
        Secret::new(self.totp("", "").unwrap().generate(seconds).to_string())
    }

    fn of_octets(opened: &SecretBytes) -> Result<Self, BadTotp> {
        let octets: &[u8; SECRET_BYTES] = opened.expose().as_slice().try_into().map_err(|_| BadTotp::Damaged)?;
        let mut secret = Self::blank();
        secret.0.expose_mut().copy_from_slice(octets);
        Ok(secret)
    }

    fn blank() -> Self {
        Self(Box::new(Secret::new([0; SECRET_BYTES])))
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

fn seal_context(user: UserId) -> Vec<u8> {
    [SEAL_DOMAIN, &user.raw().to_be_bytes()].concat()
}

fn offer_context(user: UserId, session: ConsoleSessionId) -> Vec<u8> {
    [OFFER_DOMAIN, &user.raw().to_be_bytes(), &session.raw().to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: UserId = UserId::from_raw(1);
    const BEN: UserId = UserId::from_raw(2);

    /// The secret of the examples of RFC 6238, appendix B.
    fn example() -> TotpSecret {
        let mut secret = TotpSecret::blank();
        secret.0.expose_mut().copy_from_slice(b"12345678901234567890");
        secret
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp(seconds * 1000)
    }

    #[test]
    fn the_examples_of_the_rfc() {
        // The last six of the eight digits that the RFC lists.
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(example().step_of(code, at(seconds)), Some(seconds / 30), "{seconds}");
        }
    }

    #[test]
    fn one_step_early_and_late_is_allowed_and_the_step_is_told() {
        let (code, step) = ("050471", 1_111_111_111 / 30);
        for (seconds, expected) in [
            ((step - 1) * 30 - 1, None),
            ((step - 1) * 30, Some(step)),
            (step * 30, Some(step)),
            ((step + 2) * 30 - 1, Some(step)),
            ((step + 2) * 30, None),
        ] {
            assert_eq!(example().step_of(code, at(seconds)), expected, "{seconds}");
        }
    }

    #[test]
    fn a_code_may_be_typed_with_blanks_and_nothing_else_is_one() {
        let now = at(1_111_111_111);
        assert!(example().step_of(" 050 471\n", now).is_some());
        for typed in [
            "",
            "05047",
            "0504711",
            "05047x",
            "\u{664}50471",
            "-50471",
            "+50471",
            "050471 050471",
        ] {
            assert_eq!(example().step_of(typed, now), None, "{typed}");
        }
    }

    #[test]
    fn a_sealed_secret_opens_for_its_user_only() {
        let keys = Keyring::for_tests();
        let sealed = example().seal(&keys, ANNA).unwrap();
        assert_eq!(
            TotpSecret::unseal(&keys, ANNA, &sealed).unwrap().0.expose(),
            example().0.expose()
        );
        assert!(TotpSecret::unseal(&keys, BEN, &sealed).is_err());
        // A sealed upstream secret of the mailbox with the same number is no secret of codes.
        let upstream = keys.seal(&ANNA.raw().to_be_bytes(), example().0.expose()).unwrap();
        assert!(TotpSecret::unseal(&keys, ANNA, &upstream).is_err());
        let long = keys
            .seal(&seal_context(ANNA), b"too long to be a secret of ours")
            .unwrap();
        assert!(matches!(TotpSecret::unseal(&keys, ANNA, &long), Err(BadTotp::Damaged)));
    }

    #[test]
    fn an_offer_opens_in_its_session_only() {
        let keys = Keyring::for_tests();
        let (here, there) = (ConsoleSessionId::from_raw(1), ConsoleSessionId::from_raw(2));
        let offer = example().offer(&keys, ANNA, here).unwrap();
        let opened = TotpSecret::of_offer(&keys, ANNA, here, &offer).unwrap();
        assert_eq!(opened.0.expose(), example().0.expose());
        assert!(TotpSecret::of_offer(&keys, ANNA, there, &offer).is_err());
        assert!(TotpSecret::of_offer(&keys, BEN, here, &offer).is_err());
        for text in ["", "x", "!!!!", &"a".repeat(5000), &offer[1..]] {
            assert!(TotpSecret::of_offer(&keys, ANNA, here, text).is_err(), "{text}");
        }
    }

    #[test]
    fn programs_read_the_uri_and_people_the_letters() {
        let uri = example().uri("manager.example.org", "anna@example.org").unwrap();
        let uri = uri.expose();
        assert!(
            uri.starts_with("otpauth://totp/manager.example.org:anna%40example.org?"),
            "{uri}"
        );
        assert!(uri.contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), "{uri}");
        assert!(uri.contains("issuer=manager.example.org"), "{uri}");
        assert_eq!(example().shown().expose(), "gezd gnbv gy3t qojq gezd gnbv gy3t qojq");
        assert!(example().uri("a: b", "c").is_ok(), "a colon is taken out");
    }

    #[test]
    fn the_picture_is_an_element_for_a_page_without_any_style() {
        let picture = example().picture("manager.example.org", "anna@example.org").unwrap();
        let picture = picture.expose();
        assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>"), "{picture}");
        assert!(!picture.contains("style=") && !picture.contains("<script"), "{picture}");
    }

    #[test]
    fn no_debug_output_shows_a_secret() {
        assert_eq!(format!("{:?}", example()), "[secret]");
    }
}
