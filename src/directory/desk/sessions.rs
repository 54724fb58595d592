//! Live mail sessions: who is connected, and ending one.
//!
//! They are what this process holds; the store knows nothing of them. A session is of the organisation that its mail domain
//! is of.

use std::collections::HashSet;

use serde_json::json;

use super::super::Error;
use super::super::rights::Operation;
use super::acting::UNKNOWN_MAILBOX;
use super::{Acting, Desk};
use crate::audit::Action;
use crate::model::{DeviceId, DomainName, MailboxId};
use crate::revoke::{SessionId, SessionSnapshot};
use crate::store::{Actor, EndReason};

const UNKNOWN_SESSION: Error = Error::Unknown { what: "session" };

impl Desk {
    /// The live mail sessions of the organisation, or of one mailbox, oldest first. Whoever may see only some gets these:
    /// those of mailboxes whose devices they may see, and those of their own devices.
    ///
    /// # Errors
    /// There is no such mailbox here that whoever acts may see.
    pub async fn live_sessions(
        &self,
        acting: &Acting,
        mailbox: Option<MailboxId>,
    ) -> Result<Vec<SessionSnapshot>, Error> {
        let mut sessions = match mailbox {
            Some(mailbox) => {
                self.allow_on(acting, Operation::MailboxRead, mailbox).await?;
                self.registry.sessions_of(mailbox)
            }
            None => self.registry.sessions(),
        };
        let ours = self.own_domains(acting).await?;
        sessions.retain(|session| ours.contains(&session.info.address.domain()));
        if !self.sees_all_sessions(acting).await? {
            let (mailboxes, devices) = self.seen(acting).await?;
            sessions
                .retain(|session| mailboxes.contains(&session.info.mailbox) || devices.contains(&session.info.device));
        }
        Ok(sessions)
    }

    async fn own_domains(&self, acting: &Acting) -> Result<HashSet<DomainName>, Error> {
        let domains = self.directory.domains(Some(acting.org.id)).await?;
        Ok(domains.into_iter().map(|domain| domain.name).collect())
    }

    async fn sees_all_sessions(&self, acting: &Acting) -> Result<bool, Error> {
        match self.allow(acting, Operation::SessionRead).await {
            Ok(_) => Ok(true),
            Err(Error::Forbidden(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Mailboxes whose sessions whoever acts may see by a right, and their own devices.
    async fn seen(&self, acting: &Acting) -> Result<(HashSet<MailboxId>, HashSet<DeviceId>), Error> {
        let grants = self.granted(acting).await?;
        let sees = |rights| acting.may_on(rights, Operation::SessionRead);
        let mailboxes = grants
            .into_iter()
            .filter(|grant| sees(grant.rights))
            .map(|grant| grant.mailbox);
        let devices = self.my_devices(acting).await?;
        Ok((
            mailboxes.collect(),
            devices.into_iter().map(|row| row.device.id).collect(),
        ))
    }

    /// One live mail session that whoever acts may end, before its form is shown. Doing it asks again.
    ///
    /// # Errors
    /// They may not, or there is none with this number here that they may see.
    pub async fn check_session(&self, acting: &Acting, id: SessionId) -> Result<SessionSnapshot, Error> {
        Ok(self.session_to_end(acting, id).await?.1)
    }

    async fn session_to_end(&self, acting: &Acting, id: SessionId) -> Result<(Actor, SessionSnapshot), Error> {
        let sessions = self.live_sessions(acting, None).await?;
        let session = sessions
            .into_iter()
            .find(|session| session.id == id)
            .ok_or(UNKNOWN_SESSION)?;
        let info = &session.info;
        let row = self
            .store()
            .mailbox_in(acting.org.id, info.mailbox)
            .await?
            .ok_or(UNKNOWN_MAILBOX)?;
        let device = self.store().device_in(acting.org.id, info.device).await?;
        let mine = device.is_some_and(|row| row.device.user == Some(acting.user.id));
        let operation = if mine {
            Operation::OwnDeviceEnd
        } else {
            Operation::SessionEnd
        };
        let actor = self.allow_any(acting, &[operation], &row.mailbox).await?;
        Ok((actor, session))
    }

    /// Ends one live mail session. Its device may log in again: to keep it out, pause or revoke it.
    ///
    /// # Errors
    /// Whoever acts may not, there is none with this number here that they may see, or it cannot be written down.
    pub async fn end_live_session(&self, acting: &Acting, id: SessionId) -> Result<SessionSnapshot, Error> {
        let (actor, session) = self.session_to_end(acting, id).await?;
        let info = &session.info;
        let detail = json!({
            "session": id.0,
            "mailbox": info.address.as_str(),
            "label": &*info.label,
            "protocol": info.protocol.name(),
        });
        let subject = info.device.to_string();
        let action = Action::SessionEnd.as_str();
        // First: nothing is ended of which the log would not tell. It may end by itself meanwhile; then it was to be ended.
        self.store()
            .append_audit(&actor, action, Some(acting.org.id), &subject, detail)
            .await?;
        self.registry.end_session(id, EndReason::Operator);
        Ok(session)
    }
}
