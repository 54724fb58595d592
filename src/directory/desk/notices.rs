//! Which notices of devices an organisation sends by mail.

use super::super::Error;
use super::super::rights::Operation;
use super::{Acting, Desk, Letter};
use crate::model::{NoticeKind, NoticesOff, Role};
use crate::store::MemberQuery;
use crate::store::page::PAGE_MAX;

impl Desk {
    /// What the organisation has switched off: every member may know why they get mails, or none.
    ///
    /// # Errors
    /// Whoever acts is no member any more.
    pub async fn notices_off(&self, acting: &Acting) -> Result<NoticesOff, Error> {
        self.allow(acting, Operation::NoticeRead).await?;
        self.directory.notices_off(acting.org.id).await
    }

    /// Switches notices off and on, from what was seen to be switched off. Owners are told of what goes off: it may be to
    /// hide a device.
    ///
    /// # Errors
    /// Whoever acts may not, the proof to switch one off is too old, or something else is switched off by now.
    pub async fn set_notices_off(&self, acting: &Acting, from: NoticesOff, to: NoticesOff) -> Result<(), Error> {
        let actor = self.allow(acting, Operation::NoticeChange).await?;
        let kinds: Vec<NoticeKind> = to.iter().filter(|kind| !from.has(*kind)).collect();
        if !kinds.is_empty() {
            self.fresh_or_token(acting)?;
        }
        self.directory.set_notices_off(&actor, acting.org.id, from, to).await?;
        if !kinds.is_empty() {
            self.tell_of_silence(acting, &kinds).await;
        }
        Ok(())
    }

    /// Tells every owner that notices were switched off, whoever did it.
    async fn tell_of_silence(&self, acting: &Acting, kinds: &[NoticeKind]) {
        let (user, org) = (
            acting.user.id.raw().to_le_bytes(),
            acting.org.id.to_string().into_bytes(),
        );
        // Off and on in a loop fills no outbox; by then the owners were told often enough.
        if self
            .throttle
            .take_device_letters(self.directory.clock.now(), &user, &org)
            .is_err()
        {
            tracing::warn!(user.id = %acting.user.id, "owners are not told of notices that are off: they were told often enough");
            return;
        }
        let mut query = MemberQuery {
            role: Some(Role::Owner),
            limit: PAGE_MAX,
            ..MemberQuery::default()
        };
        loop {
            let owners = match self.directory.members(acting.org.id, &query).await {
                Ok(owners) => owners,
                Err(error) => {
                    tracing::error!(%error, "a mail about a change was not put into the outbox");
                    return;
                }
            };
            for owner in owners.rows {
                let letter = Letter::NoticesOff {
                    by: acting.user.name.clone(),
                    org: acting.org.id,
                    org_name: acting.org.name.clone(),
                    kinds: kinds.to_vec(),
                    at: self.now(),
                    from: Some(acting.visitor.ip),
                };
                let user = owner.member.user;
                self.tell(&user.address, user.language, Some(acting.org.id), letter)
                    .await;
            }
            match owners.next {
                Some(next) => query.after = Some(next),
                None => return,
            }
        }
    }
}
