//! The outbox takes letters: facts become a sealed content, and of a link only the secret is kept.

use async_trait::async_trait;

use super::letter::{Letter, NotPosted, Post, Recipient, SignInChange};
use crate::model::OrgId;
use crate::outbox::{
    self, Access, AccessGiven, AccessWithdrawn, AddressConfirm, AddressConfirmed, Brings, Content, DeviceAdded,
    DeviceLink, Invitation, Outbox, PasswordReset, SignInChanged, SwitchedOff, Token, TokenMade,
};

#[async_trait]
impl Post for Outbox {
    fn is_open(&self) -> bool {
        self.sends_links()
    }

    async fn put(&self, to: &Recipient, org: Option<OrgId>, letter: Letter) -> Result<(), NotPosted> {
        let to = outbox::Recipient {
            address: &to.address,
            language: to.language,
        };
        let (content, brings) = content(letter).map_err(|error| NotPosted(error.to_string()))?;
        let put = self.put_content(&content, to, org, brings).await;
        put.map(drop).map_err(|error| NotPosted(error.to_string()))
    }
}

/// What the outbox keeps of a letter, and what that brings.
#[expect(clippy::too_many_lines, reason = "one arm for each kind of letter")]
fn content(letter: Letter) -> Result<(Content, Brings), outbox::Error> {
    let mut brings = Brings::default();
    let content = match letter {
        Letter::AccessGiven {
            by,
            org,
            mailbox,
            rights,
            ends_at,
        } => Content::AccessGiven(AccessGiven {
            by,
            org,
            access: Access {
                mailbox,
                rights,
                ends_at,
            },
        }),
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
        Letter::AddressConfirm {
            old,
            new,
            at,
            from,
            expires_at,
            link,
        } => Content::AddressConfirm(AddressConfirm {
            old,
            new,
            at,
            from,
            expires_at,
            token: Token::new(link.shown())?,
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
            set_up: None,
        }),
        Letter::DeviceLink {
            id,
            by,
            org,
            mailbox,
            device,
            expires_at,
            link,
        } => {
            brings.link = Some(id);
            Content::DeviceLink(DeviceLink {
                by,
                org,
                mailbox,
                device,
                expires_at,
                token: Token::new(link.shown())?,
            })
        }
        Letter::Invitation {
            by,
            org,
            invitation,
            role,
            grants,
            expires_at,
            link,
        } => {
            let accesses = grants.into_iter().map(|grant| Access {
                mailbox: grant.address,
                rights: grant.rights,
                ends_at: grant.ends_at,
            });
            brings.invitation = Some(invitation);
            Content::Invitation(Invitation {
                by,
                org,
                role,
                accesses: accesses.collect(),
                expires_at,
                token: Token::new(link.shown())?,
            })
        }
        Letter::NoticesOff {
            by,
            org,
            org_name,
            kinds,
            at,
            from,
        } => Content::NoticesOff(SwitchedOff {
            by,
            org,
            org_name,
            kinds,
            at,
            from,
        }),
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
            token: Token::new(link.shown())?,
        }),
        Letter::TokenMade {
            org,
            org_name,
            name,
            role,
            scope,
            expires_at,
            at,
            from,
        } => Content::TokenMade(TokenMade {
            org,
            org_name,
            name,
            role,
            scope,
            expires_at,
            at,
            from,
        }),
        Letter::SignInChanged {
            address,
            change,
            at,
            from,
        } => Content::SignInChanged(SignInChanged {
            address,
            change: kept(change),
            at,
            from,
        }),
    };
    Ok((content, brings))
}

const fn kept(change: SignInChange) -> outbox::SignInChange {
    match change {
        SignInChange::CodesOff => outbox::SignInChange::CodesOff,
        SignInChange::CodesOn => outbox::SignInChange::CodesOn,
        SignInChange::Password => outbox::SignInChange::Password,
        SignInChange::RecoveryCodes => outbox::SignInChange::RecoveryCodes,
        SignInChange::RecoveryCodeUsed => outbox::SignInChange::RecoveryCodeUsed,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::{Clock, Timestamp};
    use crate::identity;
    use crate::keys::Keyring;
    use crate::metrics::Metrics;
    use crate::model::{Address, InvitationId, InvitedGrant, Language, MailKind, MailboxId, Origin, Role};
    use crate::outbox::{Config, Security, Sender, Server};
    use crate::store::sqlite::{self, SqliteStore};
    use crate::store::{MailFilter, OutboxStore};

    fn config(with_server: bool) -> Config {
        let server = Server {
            host: "localhost".to_owned(),
            port: 25,
            security: Security::Cleartext,
            ca: None,
            credentials: None,
            from: Sender::parse("postern@example.org").unwrap(),
            hello: "mail.example.org".to_owned(),
            timeout: std::time::Duration::from_secs(1),
            first_retry: std::time::Duration::from_secs(1),
        };
        Config {
            server: with_server.then_some(server),
            origin: Origin::parse("https://manager.example.org").ok(),
            hostname: "mail.example.org".to_owned(),
        }
    }

    #[tokio::test]
    async fn an_invitation_waits_in_the_outbox_with_its_number() {
        let directory = tempfile::tempdir().unwrap();
        let clock = Clock::manual(Timestamp(1_795_000_000_000));
        let at = sqlite::Config::at(directory.path().join("postern.db"));
        let store = SqliteStore::create(&at, clock.clone()).unwrap();
        let mails: Arc<dyn OutboxStore> = Arc::clone(&store) as _;
        let keys = Arc::new(Keyring::for_tests());
        let outbox = Outbox::new(config(true), mails, keys, clock.clone(), Arc::new(Metrics::new())).unwrap();
        assert!(outbox.is_open());
        let address = Address::parse("lucie@private.test").unwrap();
        let to = Recipient {
            address: address.clone(),
            language: Language::French,
        };
        let letter = Letter::Invitation {
            by: "Sophie".to_owned(),
            org: "Acme".to_owned(),
            invitation: InvitationId::from_raw(7),
            role: Role::Member,
            grants: vec![InvitedGrant {
                mailbox: MailboxId::from_raw(1),
                address: Address::parse("info@acme.test").unwrap(),
                rights: "see-devices".parse().unwrap(),
                ends_at: None,
            }],
            expires_at: clock.utc().plus(std::time::Duration::from_secs(60)),
            link: identity::Token::generate(),
        };
        outbox.put(&to, Some(OrgId::from_raw(3)), letter).await.unwrap();
        let filter = MailFilter {
            invitation: Some(InvitationId::from_raw(7)),
            limit: 9,
            ..MailFilter::default()
        };
        let mails = store.mails(&filter).await.unwrap();
        let [mail] = &mails[..] else { panic!("{mails:?}") };
        assert_eq!((mail.kind, mail.org), (MailKind::Invitation, Some(OrgId::from_raw(3))));
        assert_eq!((&mail.recipient, mail.language), (&address, Language::French));
        // Without a mail server links are shown to whoever makes them.
        outbox.replace(config(false)).unwrap();
        assert!(!outbox.is_open());
    }
}
