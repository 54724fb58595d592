//! Letters into the outbox: the facts of a letter become those of a mail, sealed until it is sent.

use std::sync::Arc;

use async_trait::async_trait;

use super::letter::{self, Letter, NotPosted, Post, Recipient};
use crate::identity::Token;
use crate::identity::token::Purpose;
use crate::keys::Keyring;
use crate::model::{InvitationId, OrgId};
use crate::outbox::{
    self, Access, AccessGiven, AccessWithdrawn, AddressConfirmed, Content, DeviceAdded, Invitation, Outbox,
    PasswordReset, SignInChange, SignInChanged,
};
use crate::store::OutboxStore;

/// Puts letters into the outbox.
pub struct OutboxPost {
    outbox: Arc<Outbox>,
    store: Arc<dyn OutboxStore>,
    keys: Arc<Keyring>,
}

impl OutboxPost {
    /// Letters go through this outbox.
    pub fn new(outbox: Arc<Outbox>, store: Arc<dyn OutboxStore>, keys: Arc<Keyring>) -> Self {
        Self { outbox, store, keys }
    }
}

#[async_trait]
impl Post for OutboxPost {
    fn is_open(&self) -> bool {
        self.outbox.sends_links()
    }

    async fn put(&self, to: &Recipient, org: Option<OrgId>, letter: Letter) -> Result<(), NotPosted> {
        // Nobody would ever send it.
        if !self.is_open() {
            return Ok(());
        }
        let failed = |error: outbox::Error| NotPosted(error.to_string());
        let (content, invitation) = content(letter).map_err(failed)?;
        let to = outbox::Recipient {
            address: &to.address,
            language: to.language,
        };
        let mut mail = content.sealed(to, org, &self.keys).map_err(failed)?;
        mail.invitation = invitation;
        let put = self.store.put_mail(&mail).await;
        put.map(drop).map_err(|error| NotPosted(error.to_string()))
    }
}

/// What a mail tells, and the invitation that it brings.
fn content(letter: Letter) -> Result<(Content, Option<InvitationId>), outbox::Error> {
    let content = match letter {
        Letter::AccessGiven {
            by,
            org,
            mailbox,
            rights,
            ends_at,
        } => {
            let access = Access {
                mailbox,
                rights,
                ends_at,
            };
            Content::AccessGiven(AccessGiven { by, org, access })
        }
        Letter::AccessWithdrawn {
            by,
            org,
            mailboxes,
            devices,
            left,
        } => Content::AccessWithdrawn(AccessWithdrawn {
            by,
            org,
            mailboxes,
            devices,
            left,
        }),
        Letter::AddressChanged { old, new, at, from } => {
            Content::AddressConfirmed(AddressConfirmed { old, new, at, from })
        }
        Letter::DeviceAdded {
            by,
            org,
            mailbox,
            address,
            device,
            at,
        } => Content::DeviceAdded(DeviceAdded {
            by,
            org,
            mailbox,
            address,
            device,
            at,
        }),
        Letter::Invitation {
            by,
            org,
            invitation,
            role,
            grants,
            expires_at,
            link,
        } => {
            let access = |grant: crate::model::InvitedGrant| Access {
                mailbox: grant.address,
                rights: grant.rights,
                ends_at: grant.ends_at,
            };
            let brought = Content::Invitation(Invitation {
                by,
                org,
                role,
                accesses: grants.into_iter().map(access).collect(),
                expires_at,
                token: token(&link)?,
            });
            return Ok((brought, Some(invitation)));
        }
        Letter::PasswordReset {
            address,
            at,
            from,
            expires_at,
            link,
        } => Content::PasswordReset(PasswordReset {
            address,
            at,
            from,
            expires_at,
            token: token(&link)?,
        }),
        Letter::SignInChanged {
            address,
            change,
            at,
            from,
        } => Content::SignInChanged(SignInChanged {
            address,
            change: sign_in_change(change),
            at,
            from,
        }),
    };
    Ok((content, None))
}

fn token<P: Purpose>(link: &Token<P>) -> Result<outbox::Token, outbox::Error> {
    outbox::Token::new(link.shown().expose().clone())
}

const fn sign_in_change(change: letter::SignInChange) -> SignInChange {
    match change {
        letter::SignInChange::CodesOff => SignInChange::CodesOff,
        letter::SignInChange::CodesOn => SignInChange::CodesOn,
        letter::SignInChange::Password => SignInChange::Password,
        letter::SignInChange::RecoveryCodes => SignInChange::RecoveryCodes,
        letter::SignInChange::RecoveryCodeUsed => SignInChange::RecoveryCodeUsed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, Timestamp};
    use crate::metrics::Metrics;
    use crate::model::{Address, Language, Origin};
    use crate::store::MailFilter;
    use crate::store::sqlite::{Config, SqliteStore};

    const NOW: Timestamp = Timestamp(1_795_000_000_000);

    fn server() -> outbox::Server {
        outbox::Server {
            host: "127.0.0.1".to_owned(),
            port: 25,
            security: outbox::Security::Cleartext,
            ca: None,
            credentials: None,
            from: outbox::Sender::parse("postern@example.org").unwrap(),
            hello: "mail.example.org".to_owned(),
            timeout: std::time::Duration::from_secs(1),
            first_retry: std::time::Duration::from_secs(60),
        }
    }

    #[tokio::test]
    async fn a_letter_waits_in_the_outbox_where_there_is_a_mail_server_and_nowhere_else() {
        let place = tempfile::tempdir().unwrap();
        let clock = Clock::manual(NOW);
        let store = SqliteStore::create(&Config::at(place.path().join("postern.db")), clock.clone()).unwrap();
        let (store, keys): (Arc<dyn OutboxStore>, _) = (store, Arc::new(Keyring::for_tests()));
        let config = |server| outbox::Config {
            server,
            origin: Origin::parse("https://manager.example.org").ok(),
            hostname: "mail.example.org".to_owned(),
        };
        let (keyring, metrics) = (Arc::clone(&keys), Arc::new(Metrics::default()));
        let outbox = Outbox::new(config(None), Arc::clone(&store), keyring, clock, metrics).unwrap();
        let outbox = Arc::new(outbox);
        let post = OutboxPost::new(Arc::clone(&outbox), Arc::clone(&store), keys);
        let to = Recipient {
            address: Address::parse("anna@private.example").unwrap(),
            language: Language::French,
        };
        let letter = || Letter::PasswordReset {
            address: to.address.clone(),
            at: NOW,
            from: None,
            expires_at: NOW.plus(std::time::Duration::from_secs(3600)),
            link: Token::generate(),
        };
        post.put(&to, None, letter()).await.unwrap();
        assert!(!post.is_open());
        assert_eq!(store.mail_backlog().await.unwrap().queued, 0);
        outbox.replace(config(Some(server()))).unwrap();
        assert!(post.is_open(), "a reload is enough");
        post.put(&to, None, letter()).await.unwrap();
        let filter = MailFilter {
            limit: 10,
            ..MailFilter::default()
        };
        let mails = store.mails(&filter).await.unwrap();
        assert_eq!(mails.len(), 1);
        assert_eq!((&mails[0].recipient, mails[0].language), (&to.address, Language::French));
    }
}
