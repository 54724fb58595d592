//! A page as a mail (RFC 5322, RFC 2045): plain text first, the same as HTML beside it, and headers that tell programs
//! that nobody wrote it by hand (RFC 3834 §5), so that none answers.
//!
//! The Message-ID is the mail's own id: should a mail ever be sent twice, because nobody knows whether the mail server
//! took it, receivers can tell that it is the same.

use std::time::{Duration, UNIX_EPOCH};

use askama::Template;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart};

use crate::clock::Timestamp;
use crate::model::{Address, MailId};

use super::Error;
use super::page::Page;

const AUTO_SUBMITTED: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");
/// RFC 2369 §3.2: for notices that can be switched off, the page where that is done. It asks who comes, so that no click in a
/// mail switches anything off.
const LIST_UNSUBSCRIBE: HeaderName = HeaderName::new_from_ascii_str("List-Unsubscribe");
const CONTENT_LANGUAGE: HeaderName = HeaderName::new_from_ascii_str("Content-Language");
/// Exchange knows no Auto-Submitted.
const NO_AUTO_RESPONSE: HeaderName = HeaderName::new_from_ascii_str("X-Auto-Response-Suppress");

#[derive(Template)]
#[template(path = "mail/mail.txt", whitespace = "preserve")]
pub(super) struct Plain<'a> {
    pub(super) page: &'a Page,
}

#[derive(Template)]
#[template(path = "mail/mail.html", whitespace = "preserve")]
pub(super) struct Html<'a> {
    pub(super) page: &'a Page,
}

/// Envelope and header of a mail.
#[derive(Debug, Clone)]
pub(super) struct Envelope<'a> {
    pub(super) id: MailId,
    /// The right half of the Message-ID.
    pub(super) hostname: &'a str,
    pub(super) from: &'a Mailbox,
    pub(super) to: &'a Address,
    pub(super) written_at: Timestamp,
}

/// A mail as it goes over the wire, but for the dots.
pub(super) struct Letter {
    pub(super) from: lettre::Address,
    pub(super) to: lettre::Address,
    pub(super) octets: Vec<u8>,
}

impl Letter {
    /// Makes the mail.
    ///
    /// # Errors
    /// The recipient cannot be one by lettre's rules.
    pub(super) fn write(page: &Page, envelope: &Envelope<'_>) -> Result<Self, Error> {
        let to: lettre::Address = envelope.to.as_str().parse().map_err(|_| Error::Recipient)?;
        let millis = u64::try_from(envelope.written_at.0).unwrap_or_default();
        let header = |name: HeaderName, value: &str| HeaderValue::new(name, value.to_owned());
        let mut message = Message::builder()
            .from(envelope.from.clone())
            .to(Mailbox::new(None, to.clone()))
            .subject(unencoded(&page.subject))
            .date(UNIX_EPOCH + Duration::from_millis(millis))
            .message_id(Some(format!("<{}@{}>", envelope.id, envelope.hostname)))
            .raw_header(header(AUTO_SUBMITTED, "auto-generated"))
            .raw_header(header(NO_AUTO_RESPONSE, "All"))
            .raw_header(header(CONTENT_LANGUAGE, page.language.name()));
        if let Some(choice) = &page.choice {
            message = message.raw_header(header(LIST_UNSUBSCRIBE, &format!("<{choice}>")));
        }
        let message = message
            .multipart(MultiPart::alternative_plain_html(
                Plain { page }.render().map_err(|_| Error::Content)?,
                Html { page }.render().map_err(|_| Error::Content)?,
            ))
            .map_err(|_| Error::Content)?;
        Ok(Self {
            from: envelope.from.email.clone(),
            to,
            octets: message.formatted(),
        })
    }
}

/// A name that looks like an encoded word (RFC 2047 §2) would be decoded by mail programs, into characters that were
/// kept out of it. With a letter of no width inside it is none, and is encoded itself.
fn unencoded(subject: &str) -> String {
    subject.replace("=?", "=\u{2060}?")
}

impl std::fmt::Debug for Letter {
    /// Without its octets, which may hold a link.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letter").finish_non_exhaustive()
    }
}
