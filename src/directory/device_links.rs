//! Set-up links, as the machine makes them; the desk asks for rights first and then calls these.

use super::mailboxes::parse;
use super::{DeviceSpec, Directory, Error};
use crate::identity::Token;
use crate::identity::token::Device as LinkToken;
use crate::model::{Address, ApiToken, Device, DeviceLink, Language, Mailbox, OrgId};
use crate::store::{Actor, NewDeviceLink};

/// What a set-up link says of itself.
#[derive(Debug, Clone)]
pub struct LinkTerms {
    /// Who sends it, as people read it.
    pub sent_by: String,
    /// Where it is mailed to; nowhere where it is handed over.
    pub recipient: Option<Address>,
    /// In which language.
    pub language: Language,
    /// The API's token that it is made with: the link is dead where that is, and ends no later.
    pub token: Option<ApiToken>,
}

impl LinkTerms {
    /// Reads the address that somebody typed.
    ///
    /// # Errors
    /// It is none.
    pub fn read_recipient(given: &str) -> Result<Address, Error> {
        parse(given)
    }
}

impl Directory {
    /// Adds a device without a password, and the link by which somebody gets one for it. The link is shown or sent once.
    ///
    /// # Errors
    /// There is no such mailbox, the label is taken or cannot be accepted, or too many links wait.
    pub async fn add_linked_device(
        &self,
        actor: &Actor,
        mailbox: &Mailbox,
        spec: DeviceSpec,
        terms: LinkTerms,
    ) -> Result<(Device, DeviceLink, Token<LinkToken>), Error> {
        self.must_end_later(spec.expires_at, "a device")?;
        let (token, new) = self.new_link(terms);
        let device = spec.of(mailbox.id, None);
        let (device, link) = self.store.create_linked_device(actor, &device, &new).await?;
        Ok((device, link, token))
    }

    /// Makes a further link of a device; the one before is dead at once.
    ///
    /// # Errors
    /// The device is revoked, or too many links wait.
    pub async fn send_device_link(
        &self,
        actor: &Actor,
        org: OrgId,
        device: &Device,
        terms: LinkTerms,
    ) -> Result<(DeviceLink, Token<LinkToken>), Error> {
        let (token, new) = self.new_link(terms);
        Ok((self.store.send_device_link(actor, org, device.id, &new).await?, token))
    }

    fn new_link(&self, terms: LinkTerms) -> (Token<LinkToken>, NewDeviceLink) {
        let token = Token::generate();
        let end = self.clock.utc().plus(self.lifetimes.device_link);
        let ends_by = terms.token.as_ref().and_then(|token| token.expires_at);
        let new = NewDeviceLink {
            hash: token.hash(&self.keys),
            sent_by: terms.sent_by,
            recipient: terms.recipient,
            language: terms.language,
            token: terms.token.map(|token| token.id),
            expires_at: ends_by.map_or(end, |by| end.min(by)),
        };
        (token, new)
    }

    /// The newest link of a device.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn device_link(&self, org: OrgId, device: &Device) -> Result<Option<DeviceLink>, Error> {
        Ok(self.store.device_links(org, &[device.id]).await?.remove(&device.id))
    }

    /// Ends the link of a device, whatever it has still to give.
    ///
    /// # Errors
    /// It never had one.
    pub async fn withdraw_device_link(&self, actor: &Actor, org: OrgId, device: &Device) -> Result<DeviceLink, Error> {
        let withdrawn = self.store.withdraw_device_link(actor, org, device.id).await?;
        withdrawn.ok_or(Error::Unknown { what: "set-up link" })
    }
}
