//! Mail out: what Postern tells people by mail, and how it gets there.
//!
//! Whoever has something to tell seals its facts ([`Content::sealed`]) and lets the store put the mail in the transaction
//! of what it is about. The worker ([`Outbox::run`]) takes what is due, puts it into words, hands it to the one configured
//! mail server, and writes down what became of it. A refusal of the mail itself ends it; everything else is tried again,
//! for three days (`backoff`).
//!
//! Secrets are in links only. A link lies sealed in the store until the mail is sent and is forgotten then; it is in no
//! log line and in no reason of a failure, also where a mail server repeats it. Scheme and host of every link are the
//! configured public origin.
//!
//! Notices of devices wait in the store until they may be told; [`Notices`] puts them into words that are mails.
//!
//! A mail is sent at least once. A crash between the mail server's answer and our note of it, or an answer that does not
//! come in time, makes a second copy; both have the same Message-ID.

mod backoff;
mod config;
mod connect;
mod content;
mod failure;
mod letter;
mod notices;
mod page;
mod texts;
mod transport;
mod trial;
mod worker;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::tz::TimeZone;

pub use config::{BadSender, Config, Credentials, Security, Sender, Server};
pub use content::{
    Access, AccessGiven, AccessWithdrawn, AddressConfirm, AddressConfirmed, Content, DeviceAdded, DeviceDigest,
    DeviceLink, DeviceNetwork, DeviceUnused, Happened, Happening, Invitation, PasswordReset, Recipient, SignInChange,
    SignInChanged, SignedIn, SwitchedOff, Test, Token, TokenMade, Unused,
};
pub use failure::{Failure, Stage};
pub use notices::Notices;
pub use trial::{Step, trial};

use crate::clock::{Clock, Timestamp};
use crate::keys::{self, Keyring};
use crate::metrics::Metrics;
use crate::model::{Address, DeviceLinkId, InvitationId, Language, MailId, OrgId};
use crate::store::{self, NewMail, OutboxStore};
use crate::tls;

use letter::{Envelope, Letter};
use page::{Page, Style};
use transport::Transport;

/// What a mail brings, so that whoever sent it is told what became of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Brings {
    /// An invitation.
    pub invitation: Option<InvitationId>,
    /// A set-up link.
    pub link: Option<DeviceLinkId>,
}

/// Why a mail cannot be written or put into words.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The content is damaged, or of another Postern.
    #[error("what the mail tells cannot be read: write it again (invite again, ask for a new password again)")]
    Content,
    /// No `[manager]` origin, and the mail has a link.
    #[error("the mail has a link, and no public origin is configured: add origin under [manager]")]
    NoOrigin,
    /// No `[mail]`.
    #[error("no mail server is configured: add [mail] with host and from")]
    NoServer,
    /// The address is none to lettre.
    #[error("mail cannot be sent to this address: it has a form that mail servers do not take")]
    Recipient,
    /// Nobody could use the link any more.
    #[error("the link in the mail has ended before it could be sent: write it again")]
    LinkEnded,
    /// The content does not open.
    #[error("what the mail tells cannot be opened: {0}")]
    Sealed(keys::Error),
    /// The secret of a link has the wrong form.
    #[error("the secret of a link has 20 to 128 letters and digits")]
    Token,
}

/// Why a mail is not in the outbox.
#[derive(Debug, thiserror::Error)]
pub enum NotPut {
    /// It cannot be sealed.
    #[error(transparent)]
    Content(#[from] Error),
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Error {
    /// Whether no operator can mend it.
    const fn is_permanent(&self) -> bool {
        match self {
            // A missing server key may be put back.
            Self::NoOrigin | Self::Sealed(keys::Error::UnknownKey(_)) => false,
            Self::Content | Self::LinkEnded | Self::NoServer | Self::Recipient | Self::Sealed(_) | Self::Token => true,
        }
    }
}

/// Sends what is in the outbox.
pub struct Outbox {
    settings: ArcSwap<Settings>,
    /// What waits is to be tried at once.
    hurry: AtomicBool,
    store: Arc<dyn OutboxStore>,
    keys: Arc<Keyring>,
    clock: Clock,
    metrics: Arc<Metrics>,
}

/// What a reload changes.
struct Settings {
    config: Config,
    transport: Option<Transport>,
    zone: TimeZone,
}

impl Settings {
    fn new(config: Config) -> Result<Self, tls::Error> {
        Ok(Self {
            transport: config.server.as_ref().map(Transport::new).transpose()?,
            config,
            zone: TimeZone::system(),
        })
    }

    /// How long an attempt may take.
    fn limit(&self) -> Duration {
        self.config
            .server
            .as_ref()
            .map_or(Duration::ZERO, |server| server.timeout)
    }

    /// How long after a first failure the next attempt follows.
    fn first_retry(&self) -> Duration {
        self.config
            .server
            .as_ref()
            .map_or(backoff::RETRY_MAX, |server| server.first_retry)
    }

    /// Puts a content into words.
    fn letter(&self, content: &Content, to: (&Address, Language), id: MailId, at: Timestamp) -> Result<Letter, Error> {
        let server = self.config.server.as_ref().ok_or(Error::NoServer)?;
        let origin = self.config.origin.as_ref();
        if origin.is_none() && content.token().is_some() {
            return Err(Error::NoOrigin);
        }
        let (address, language) = to;
        let style = Style {
            origin,
            hostname: &self.config.hostname,
            zone: &self.zone,
        };
        let envelope = Envelope {
            id,
            hostname: &self.config.hostname,
            from: server.from.mailbox(),
            to: address,
            written_at: at,
        };
        Letter::write(&Page::write(content, language, &style), &envelope)
    }
}

impl Outbox {
    /// An outbox that sends what is in this store.
    ///
    /// # Errors
    /// What the settings name cannot be used.
    pub fn new(
        config: Config,
        store: Arc<dyn OutboxStore>,
        keys: Arc<Keyring>,
        clock: Clock,
        metrics: Arc<Metrics>,
    ) -> Result<Self, tls::Error> {
        Ok(Self {
            settings: ArcSwap::from_pointee(Settings::new(config)?),
            hurry: AtomicBool::new(false),
            store,
            keys,
            clock,
            metrics,
        })
    }

    /// Whether mails with links can go out at all.
    pub fn sends_links(&self) -> bool {
        let settings = self.settings.load();
        settings.transport.is_some() && settings.config.origin.is_some()
    }

    /// Puts a mail into the outbox, apart from what it is about. Whoever writes both at once seals the content
    /// ([`Content::sealed`]) and lets the store put it.
    ///
    /// # Errors
    /// It cannot be sealed, or the store does not take it.
    pub async fn put_content(
        &self,
        content: &Content,
        to: Recipient<'_>,
        org: Option<OrgId>,
        brings: Brings,
    ) -> Result<MailId, NotPut> {
        let mail = NewMail {
            invitation: brings.invitation,
            link: brings.link,
            ..content.sealed(to, org, &self.keys)?
        };
        Ok(self.store.put_mail(&mail).await?)
    }

    /// Takes other settings for the mails to come. Where they differ, what waits is tried at once: what kept it may be
    /// mended.
    ///
    /// # Errors
    /// What the settings name cannot be used; the old ones stay.
    pub fn replace(&self, config: Config) -> Result<(), tls::Error> {
        let differs = self.settings.load().config != config;
        self.settings.store(Arc::new(Settings::new(config)?));
        if differs {
            self.hurry.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// Checks settings without using them: reads the files that they name.
    ///
    /// # Errors
    /// What the settings name cannot be used.
    pub fn check(config: &Config) -> Result<(), tls::Error> {
        Settings::new(config.clone()).map(drop)
    }
}

/// What people are told who did something, where it was done at the command line and by nobody whom they know.
pub fn operator(language: Language, hostname: &str) -> String {
    texts::Texts::of(language, &TimeZone::UTC).say("operator", &[("host", hostname)])
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbox").finish_non_exhaustive()
    }
}
