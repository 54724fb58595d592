//! Secrets that somebody gives: one line from a pipe, never an argument and never from a terminal, which would show it.

use std::io::{self, IsTerminal, Read};

use zeroize::Zeroize;

use super::failure::Failure;
use crate::secret::{Secret, SecretBytes};

/// The longest secret, in octets.
const MAX_SECRET_BYTES: u64 = 4096;

/// One line from stdin; `otherwise` says how else the secret can be given.
pub(super) fn line(otherwise: &str) -> Result<SecretBytes, Failure> {
    if io::stdin().is_terminal() {
        return Err(Failure::usage(format!(
            "the secret is read from a pipe{otherwise}, so that it is not shown here"
        )));
    }
    let mut text = Vec::with_capacity(usize::try_from(MAX_SECRET_BYTES + 1).unwrap_or_default());
    io::stdin().lock().take(MAX_SECRET_BYTES + 1).read_to_end(&mut text)?;
    while text.last().is_some_and(|octet| b"\r\n".contains(octet)) {
        text.pop();
    }
    let usable = !text.is_empty() && text.len() as u64 <= MAX_SECRET_BYTES && !text.iter().any(u8::is_ascii_control);
    if !usable {
        text.zeroize();
        return Err(Failure::failed("the secret must be one line of 1 to 4096 octets"));
    }
    Ok(Secret::new(text))
}

/// A password of a person: one line of text.
pub(super) fn password() -> Result<Secret<String>, Failure> {
    let mut octets = line("")?;
    match String::from_utf8(std::mem::take(octets.expose_mut())) {
        Ok(text) => Ok(Secret::new(text)),
        Err(error) => {
            error.into_bytes().zeroize();
            Err(Failure::failed("the password must be text in UTF-8"))
        }
    }
}
