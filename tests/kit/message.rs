//! Messages that can be recognised and checked wherever they turn up: each has a marker of its own in the subject and
//! a digest of its body in the header.

use anyhow::{Context as _, bail};
use sha2::{Digest as _, Sha256};

/// A message to send.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// Envelope sender and `From:`.
    pub(crate) from: String,
    /// Envelope recipient and `To:`.
    pub(crate) to: String,
    /// A word that stands in the subject and in the `Message-ID` and nowhere else.
    pub(crate) marker: String,
    /// The body, with CRLF line ends; has lines that begin with a dot.
    pub(crate) body: String,
}

impl Message {
    /// A message with a body of `lines` lines.
    pub(crate) fn new(from: &str, to: &str, lines: usize) -> anyhow::Result<Self> {
        let marker = super::random_word()?;
        let body = (0..lines)
            .map(|line| match line % 4 {
                0 => format!("line {line} of the message {marker}\r\n"),
                1 => format!(".line {line} begins with a dot\r\n"),
                2 => "..\r\n".to_owned(),
                _ => format!("line {line}: {}\r\n", "0123456789".repeat(line % 7)),
            })
            .collect();
        Ok(Self {
            from: from.to_owned(),
            to: to.to_owned(),
            marker,
            body,
        })
    }

    /// Header and body, not dot-stuffed.
    pub(crate) fn text(&self) -> String {
        let Self { from, to, marker, body } = self;
        let digest = digest(body);
        format!(
            "From: <{from}>\r\nTo: <{to}>\r\nSubject: {marker}\r\nMessage-ID: <{marker}@example.test>\r\n\
             Date: Sun, 22 Nov 2026 09:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\
             X-Body-Sha256: {digest}\r\n\r\n{body}"
        )
    }

    /// The same, dot-stuffed and with the final dot, as it follows DATA (RFC 5321 §4.5.2).
    pub(crate) fn data(&self) -> String {
        format!(
            "{}.\r\n",
            format!("\r\n{}", self.text())
                .replace("\r\n.", "\r\n..")
                .trim_start_matches("\r\n")
        )
    }

    /// Checks that `received` is this message with its body unchanged. Programs that read mail from a file or show it
    /// on a terminal may have turned CRLF into LF; nothing else may differ.
    pub(crate) fn check(&self, received: &str) -> anyhow::Result<()> {
        let received = received.replace("\r\n", "\n");
        let (header, body) = received.split_once("\n\n").context("the message has no body")?;
        if !header.contains(&self.marker) {
            bail!("another message arrived:\n{header}");
        }
        // A program that shows a message may add empty lines behind it.
        let body = format!("{}\n", body.trim_end_matches('\n')).replace('\n', "\r\n");
        let (sent, received) = (digest(&self.body), digest(&body));
        if sent != received || !header.contains(&sent) {
            bail!("the body changed on its way, now:\n{body}");
        }
        Ok(())
    }
}

fn digest(body: &str) -> String {
    Sha256::digest(body.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
