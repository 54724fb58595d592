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

use super::text::encode;
use crate::clock::Timestamp;
use crate::keys::{self, Keyring, fill_random};
use crate::model::UserId;
use crate::secret::{Secret, SecretBytes};

/// Octets of a secret: as long as the output of SHA-1 (RFC 4226 §4).
const SECRET_BYTES: usize = 20;

/// Seconds of a step.
pub const STEP_SECONDS: u64 = 30;

/// Steps before and after the present one whose codes count: the phone's clock, and the time it takes to type.
const WINDOW_STEPS: u64 = 1;

/// Digits of a code.
const DIGITS: usize = 6;

/// Letters of the secret between two blanks where it is shown for typing.
const GROUP: usize = 4;

/// In front of the user's id in what a sealed secret is bound to, so that it never opens as a secret of another kind.
const SEAL_DOMAIN: &[u8] = b"totp";

/// A secret that an authenticator program shares with us.
pub struct TotpSecret(Box<Secret<[u8; SECRET_BYTES]>>);

/// Why a secret cannot be read back or shown.
#[derive(Debug, thiserror::Error)]
pub enum BadTotp {
    /// It does not open.
    #[error(transparent)]
    Keys(#[from] keys::Error),
    /// What was sealed is not a secret of this kind.
    #[error("the stored secret of one-time codes is damaged; switch them off and on again")]
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
        let opened: SecretBytes = keys.unseal(&seal_context(user), sealed)?;
        let octets: &[u8; SECRET_BYTES] = opened.expose().as_slice().try_into().map_err(|_| BadTotp::Damaged)?;
        let mut secret = Self::blank();
        secret.0.expose_mut().copy_from_slice(octets);
        Ok(secret)
    }

    /// The step that this code belongs to, where it is a code of the present step, the one before or the one after.
    /// Blanks are ignored, as programs show codes in two groups.
    pub fn step_of(&self, typed: &str, now: Timestamp) -> Option<u64> {
        let digits: String = typed.chars().filter(|c| !c.is_whitespace()).take(DIGITS + 1).collect();
        if digits.len() != DIGITS || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let seconds = u64::try_from(now.0.div_euclid(1000)).ok()?;
        self.totp("", "")?.check(&digits, seconds)
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
    pub fn uri(&self, issuer: &str, account: &str) -> Option<Secret<String>> {
        Some(Secret::new(self.totp(issuer, account)?.to_url().ok()?))
    }

    /// The same as a picture: an `<svg>` element, black on white with a quiet zone, whatever the page's colours.
    ///
    /// # Errors
    /// The names are too long.
    pub fn picture(&self, issuer: &str, account: &str) -> Result<Secret<String>, BadTotp> {
        let uri = self.uri(issuer, account).ok_or(BadTotp::NoPicture)?;
        let code = QrCode::with_error_correction_level(uri.expose().as_bytes(), EcLevel::M)
            .map_err(|_| BadTotp::NoPicture)?;
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
            .with_digits(6)
            .with_skew(1)
            .with_step(STEP_SECONDS)
            .with_secret(self.0.expose().to_vec())
            .with_account_name(plain(account));
        if !issuer.is_empty() {
            builder = builder.with_issuer(Some(plain(issuer)));
        }
        builder.build().ok()
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
