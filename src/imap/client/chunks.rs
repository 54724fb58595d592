//! What we send to log in: commands cut where the mail store has to say `+` first, without a stray copy of a password.

use zeroize::Zeroizing;

use crate::secret::{Secret, SecretBytes};

/// What is sent at once, and what waits for a `+` each.
#[derive(Default)]
pub(super) struct Chunks {
    /// What is not cut yet.
    open: Zeroizing<Vec<u8>>,
    /// In the order in which they go out.
    pub(super) done: Vec<SecretBytes>,
}

impl Chunks {
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.octets(text.as_bytes())
    }

    pub(super) fn octets(&mut self, octets: &[u8]) -> &mut Self {
        let needed = self.open.len().saturating_add(octets.len());
        if needed > self.open.capacity() {
            // A vector that grows by itself leaves an unwiped copy behind.
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.saturating_mul(2)));
            larger.extend_from_slice(&self.open);
            self.open = larger;
        }
        self.open.extend_from_slice(octets);
        self
    }

    /// `string`: quoted where ASCII allows, else a synchronising literal, which every server takes.
    pub(super) fn string(&mut self, text: &[u8]) -> &mut Self {
        if text.is_ascii() {
            return self.quoted(text);
        }
        self.text(&format!("{{{}}}\r\n", text.len())).cut().octets(text)
    }

    pub(super) fn quoted(&mut self, text: &[u8]) -> &mut Self {
        self.text("\"");
        for octet in text {
            if matches!(octet, b'"' | b'\\') {
                self.text("\\");
            }
            self.octets(std::slice::from_ref(octet));
        }
        self.text("\"")
    }

    pub(super) fn cut(&mut self) -> &mut Self {
        self.done.push(Secret::new(std::mem::take(&mut *self.open)));
        self
    }
}
