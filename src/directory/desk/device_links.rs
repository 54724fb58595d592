//! Set-up links: making, sending again and withdrawing one, by whoever may give the device a password. What they are to
//! whoever follows them is in `setting_up`.

use std::collections::HashMap;

use super::super::{DeviceSpec, Error, LinkTerms};
use super::devices::Whose;
use super::{Acting, Desk, DeviceChange, Letter, Recipient};
use crate::identity::Token;
use crate::identity::token::Device as LinkToken;
use crate::model::{Device, DeviceId, DeviceLink, Language, Mail, MailboxId};
use crate::secret::Secret;
use crate::store::DeviceRow;

/// How a set-up link is handed over.
#[derive(Debug, Clone)]
pub struct LinkSpec {
    /// Where it is mailed to; it is shown, to be handed over, where this is nothing.
    pub to: Option<String>,
    /// The language of its mail.
    pub language: Language,
}

/// A device with a link that was just made.
#[derive(Debug)]
pub struct Linked {
    /// The device.
    pub row: DeviceRow,
    /// Its link.
    pub link: DeviceLink,
    /// What the link ends with, where it was not sent by mail.
    pub secret: Option<Secret<String>>,
    /// A mail was wanted, and could not be put into the outbox, or enough went to this address: so there is the link.
    pub not_mailed: bool,
}

impl Desk {
    /// Adds a device without a password, and the link by which somebody gets one for it.
    ///
    /// # Errors
    /// As [`Desk::add_device`]; or the address is none, or too many links wait.
    pub async fn add_linked_device(
        &self,
        acting: &Acting,
        mailbox: MailboxId,
        spec: DeviceSpec,
        by: &LinkSpec,
    ) -> Result<Linked, Error> {
        let (row, _, actor) = self.may_add(acting, mailbox, &spec).await?;
        let terms = self.terms(acting, by)?;
        let (device, link, token) = self
            .directory
            .add_linked_device(&actor, &row.mailbox, spec, terms)
            .await?;
        let row = self.with_names(acting, device).await?;
        self.tell_of_device(acting, &row).await;
        Ok(self.hand_over(acting, row, link, token).await)
    }

    /// Makes a further link of a device. The one before is dead at once; a password that it gave works until the new one is
    /// opened.
    ///
    /// # Errors
    /// Whoever acts may not give this device a new password, their proof is too old, there is none with this id here, it is
    /// revoked, or too many links wait.
    pub async fn send_device_link(&self, acting: &Acting, id: DeviceId, by: &LinkSpec) -> Result<Linked, Error> {
        let (row, mailbox) = self.device_on(acting, id).await?;
        let operation = Whose::of(acting, row.device.user).replace();
        let actor = self.allow_any(acting, &[operation], &mailbox).await?;
        self.must_not_open_a_sign_in(acting, operation, &mailbox).await?;
        self.fresh_or_token(acting)?;
        let terms = self.terms(acting, by)?;
        let (link, token) = self
            .directory
            .send_device_link(&actor, acting.org.id, &row.device, terms)
            .await?;
        let row = self.with_names(acting, row.device).await?;
        // Whoever opens it gets a new password for the device.
        self.tell_of_device(acting, &row).await;
        Ok(self.hand_over(acting, row, link, token).await)
    }

    /// Ends the link of a device: it gives nothing any more. A password that it gave goes on working.
    ///
    /// # Errors
    /// Whoever acts may not, there is no device with this id here, or it never had a link.
    pub async fn withdraw_device_link(&self, acting: &Acting, id: DeviceId) -> Result<(DeviceRow, DeviceLink), Error> {
        let (row, mailbox) = self.device_on(acting, id).await?;
        let operation = Whose::of(acting, row.device.user).change(DeviceChange::Revoke);
        let actor = self.allow_any(acting, &[operation], &mailbox).await?;
        let link = self
            .directory
            .withdraw_device_link(&actor, acting.org.id, &row.device)
            .await?;
        Ok((row, link))
    }

    /// The newest link of each of these devices, which whoever acts was shown.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn links_of(&self, acting: &Acting, devices: &[&Device]) -> Result<HashMap<DeviceId, DeviceLink>, Error> {
        let ids: Vec<DeviceId> = devices.iter().map(|device| device.id).collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        Ok(self.store().device_links(acting.org.id, &ids).await?)
    }

    /// The newest link of one device.
    ///
    /// # Errors
    /// There is no device with this id here that whoever acts may see.
    pub async fn device_link(&self, acting: &Acting, id: DeviceId) -> Result<(DeviceRow, Option<DeviceLink>), Error> {
        let (row, _) = self.device_on(acting, id).await?;
        let link = self.directory.device_link(acting.org.id, &row.device).await?;
        Ok((row, link))
    }

    /// What became of the mail with a link that whoever acts was shown. Nothing where it was handed over, or where no mail
    /// could be written.
    ///
    /// # Errors
    /// The store does not answer, or the link is not of this organisation.
    pub async fn mail_of_link(&self, acting: &Acting, link: &DeviceLink) -> Result<Option<Mail>, Error> {
        if link.org != acting.org.id {
            return Err(Error::Unknown { what: "set-up link" });
        }
        self.directory.mail_of_link(link).await
    }

    fn terms(&self, acting: &Acting, by: &LinkSpec) -> Result<LinkTerms, Error> {
        let to = by.to.as_deref().map(LinkTerms::read_recipient).transpose()?;
        if to.is_some() && !self.post.is_open() {
            return Err(Error::NoMail);
        }
        Ok(LinkTerms {
            sent_by: acting.user.name.clone(),
            recipient: to,
            language: by.language,
            token: acting.token().cloned(),
        })
    }

    /// Mails a link, or gives it back to be handed over.
    async fn hand_over(&self, acting: &Acting, row: DeviceRow, link: DeviceLink, token: Token<LinkToken>) -> Linked {
        let shown = token.shown();
        let Some(address) = link.recipient.clone() else {
            return Linked {
                row,
                link,
                secret: Some(shown),
                not_mailed: false,
            };
        };
        let (org, user) = (acting.org.id.raw().to_le_bytes(), acting.user.id.raw().to_le_bytes());
        let now = self.directory.clock.now();
        let taken = self.throttle.take_link(now, &org, &user, address.as_str());
        let is_put = if taken.is_ok() {
            let letter = Letter::DeviceLink {
                id: link.id,
                by: link.sent_by.clone(),
                org: acting.org.name.clone(),
                mailbox: row.address.clone(),
                device: row.device.label.clone(),
                expires_at: link.expires_at,
                link: token,
            };
            let to = Recipient {
                address,
                language: link.language,
            };
            let put = self.post.put(&to, Some(acting.org.id), letter).await;
            if let Err(error) = &put {
                tracing::error!(%error, "a set-up link is not sent");
            }
            put.is_ok()
        } else {
            tracing::warn!(org.id = %acting.org.id, "a set-up link is not sent: enough went out already");
            false
        };
        Linked {
            row,
            link,
            secret: (!is_put).then_some(shown),
            not_mailed: !is_put,
        }
    }
}
