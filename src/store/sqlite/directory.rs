//! The control plane's role of the store: each operation handed to the right thread.

use std::collections::HashMap;

use async_trait::async_trait;

use super::mailbox::Listing;
use super::{SqliteStore, credential, device, import, knock, mailbox, org, page, search};
use crate::clock::Timestamp;
use crate::model::device::Knocking;
use crate::model::{
    Address, Alias, AliasId, Device, DeviceId, DeviceState, DomainId, DomainName, MailDomain, Mailbox, MailboxId, Org,
    OrgId,
};
use crate::store::{
    Actor, Cursor, DeviceEdit, DeviceFilter, DeviceQuery, DeviceRow, DirectoryStore, Error, Found, ImportRow,
    MailboxQuery, MailboxRow, NewCredential, NewDevice, Overview, Page, Seq,
};

#[async_trait]
impl DirectoryStore for SqliteStore {
    async fn create_org(&self, actor: &Actor, name: &str) -> Result<Org, Error> {
        let (actor, name) = (actor.clone(), name.to_owned());
        self.write(move |write| org::create_org(write, &actor, &name)).await
    }

    async fn orgs(&self) -> Result<Vec<Org>, Error> {
        self.read(|conn| org::orgs(conn)).await
    }

    async fn org(&self, id: OrgId) -> Result<Option<Org>, Error> {
        self.read(move |conn| org::org(conn, id)).await
    }

    async fn rename_org(&self, actor: &Actor, id: OrgId, from: &str, to: &str) -> Result<Org, Error> {
        let (actor, from, to) = (actor.clone(), from.to_owned(), to.to_owned());
        self.write(move |write| org::rename_org(write, &actor, id, &from, &to))
            .await
    }

    async fn delete_org(&self, actor: &Actor, org: OrgId) -> Result<(), Error> {
        let actor = actor.clone();
        self.write(move |write| org::delete_org(write, &actor, org)).await
    }

    async fn create_domain(&self, actor: &Actor, org: OrgId, name: &DomainName) -> Result<MailDomain, Error> {
        let (actor, name) = (actor.clone(), name.clone());
        self.write(move |write| org::create_domain(write, &actor, org, &name))
            .await
    }

    async fn domains(&self, org: Option<OrgId>) -> Result<Vec<MailDomain>, Error> {
        self.read(move |conn| org::domains(conn, org)).await
    }

    async fn has_domain(&self, name: &DomainName) -> Result<bool, Error> {
        let name = name.clone();
        self.read(move |conn| org::has_domain(conn, &name)).await
    }

    async fn mailboxes_by_domain(&self, org: OrgId) -> Result<Vec<(DomainId, u32)>, Error> {
        self.read(move |conn| org::mailboxes_by_domain(conn, org)).await
    }

    async fn delete_domain(&self, actor: &Actor, domain: DomainId) -> Result<(), Error> {
        let actor = actor.clone();
        self.write(move |write| org::delete_domain(write, &actor, domain)).await
    }

    async fn create_mailbox(&self, actor: &Actor, address: &Address) -> Result<Mailbox, Error> {
        let (actor, address) = (actor.clone(), address.clone());
        self.write(move |write| mailbox::create_mailbox(write, &actor, &address))
            .await
    }

    async fn mailbox(&self, address: &Address) -> Result<Option<Mailbox>, Error> {
        let (address, now) = (address.clone(), self.clock.utc());
        self.read(move |conn| mailbox::mailbox_named(conn, &address, now)).await
    }

    async fn mailbox_in(&self, org: OrgId, id: MailboxId) -> Result<Option<MailboxRow>, Error> {
        let now = self.clock.utc();
        self.read(move |conn| page::mailbox_in(conn, org, id, now)).await
    }

    async fn mailbox_page(&self, org: OrgId, query: &MailboxQuery) -> Result<Page<MailboxRow, Address>, Error> {
        let (query, now) = (query.clone(), self.clock.utc());
        self.read(move |conn| page::mailbox_page(conn, org, &query, now)).await
    }

    async fn mailboxes(
        &self,
        org: Option<OrgId>,
        domain: Option<DomainId>,
        after: Option<&Address>,
        limit: u32,
    ) -> Result<Vec<Mailbox>, Error> {
        let (page, now) = (
            Listing {
                org,
                domain,
                after: after.cloned(),
                limit,
            },
            self.clock.utc(),
        );
        self.read(move |conn| mailbox::mailboxes(conn, &page, now)).await
    }

    async fn set_mailbox_suspended(&self, actor: &Actor, id: MailboxId, suspended: bool) -> Result<Seq, Error> {
        let actor = actor.clone();
        self.write(move |write| mailbox::set_suspended(write, &actor, id, suspended))
            .await
    }

    async fn delete_mailbox(&self, actor: &Actor, id: MailboxId) -> Result<Seq, Error> {
        let actor = actor.clone();
        self.write(move |write| mailbox::delete_mailbox(write, &actor, id))
            .await
    }

    async fn set_upstream_secret(&self, actor: &Actor, id: MailboxId, sealed: Option<&[u8]>) -> Result<(), Error> {
        let (actor, sealed) = (actor.clone(), sealed.map(<[u8]>::to_vec));
        self.write(move |write| mailbox::set_upstream_secret(write, &actor, id, sealed.as_deref()))
            .await
    }

    async fn create_alias(&self, actor: &Actor, address: &Address, id: MailboxId) -> Result<Alias, Error> {
        let (actor, address) = (actor.clone(), address.clone());
        self.write(move |write| mailbox::create_alias(write, &actor, &address, id))
            .await
    }

    async fn alias(&self, address: &Address) -> Result<Option<Alias>, Error> {
        let address = address.clone();
        self.read(move |conn| mailbox::alias(conn, &address)).await
    }

    async fn aliases(&self, id: Option<MailboxId>, org: Option<OrgId>) -> Result<Vec<Alias>, Error> {
        self.read(move |conn| mailbox::aliases(conn, id, org)).await
    }

    async fn delete_alias(&self, actor: &Actor, alias: AliasId) -> Result<Seq, Error> {
        let actor = actor.clone();
        self.write(move |write| mailbox::delete_alias(write, &actor, alias))
            .await
    }

    async fn tags_in_use(&self, mailbox: MailboxId, key_id: u32) -> Result<Vec<u16>, Error> {
        self.read(move |conn| device::tags_in_use(conn, mailbox, key_id)).await
    }

    async fn create_device(&self, actor: &Actor, new: &NewDevice) -> Result<Device, Error> {
        let (actor, new) = (actor.clone(), new.clone());
        self.write(move |write| device::create_device(write, &actor, &new))
            .await
    }

    async fn device(&self, id: DeviceId) -> Result<Option<Device>, Error> {
        self.read(move |conn| device::device(conn, id)).await
    }

    async fn device_in(&self, org: OrgId, id: DeviceId) -> Result<Option<DeviceRow>, Error> {
        let now = self.clock.utc();
        self.read(move |conn| page::device_in(conn, org, id, now)).await
    }

    async fn device_page(&self, org: OrgId, query: &DeviceQuery) -> Result<Page<DeviceRow, Cursor<DeviceId>>, Error> {
        let (query, now) = (query.clone(), self.clock.utc());
        self.read(move |conn| page::device_page(conn, org, &query, now)).await
    }

    async fn devices(&self, filter: &DeviceFilter) -> Result<Vec<Device>, Error> {
        let filter = filter.clone();
        self.read(move |conn| device::devices(conn, &filter)).await
    }

    async fn knocking(&self, filter: &DeviceFilter) -> Result<HashMap<DeviceId, Knocking>, Error> {
        let (filter, now) = (filter.clone(), self.clock.utc());
        self.read(move |conn| knock::knocking(conn, &filter, now)).await
    }

    async fn edit_device(&self, actor: &Actor, id: DeviceId, edit: &DeviceEdit) -> Result<Seq, Error> {
        let (actor, edit) = (actor.clone(), edit.clone());
        self.write(move |write| device::edit(write, &actor, id, &edit)).await
    }

    async fn replace_credential(&self, actor: &Actor, id: DeviceId, new: &NewCredential) -> Result<Seq, Error> {
        let (actor, new) = (actor.clone(), new.clone());
        self.write(move |write| device::replace_credential(write, &actor, id, &new))
            .await
    }

    async fn set_device_state(&self, actor: &Actor, ids: &[DeviceId], state: DeviceState) -> Result<Seq, Error> {
        let (actor, ids) = (actor.clone(), ids.to_vec());
        self.write(move |write| device::set_state(write, &actor, &ids, state))
            .await
    }

    async fn import(&self, actor: &Actor, rows: &[ImportRow]) -> Result<(), Error> {
        let (actor, rows) = (actor.clone(), rows.to_vec());
        self.write(move |write| import::import(write, &actor, &rows)).await
    }

    async fn forget_retired(&self, before: Timestamp) -> Result<u64, Error> {
        self.write(move |write| credential::forget_retired(write, before)).await
    }

    async fn search(&self, org: OrgId, text: &str, limit: u32) -> Result<Vec<Found>, Error> {
        let text = text.to_owned();
        self.read(move |conn| search::search(conn, org, &text, limit)).await
    }

    async fn overview(&self, org: OrgId, unused_since: Timestamp) -> Result<Overview, Error> {
        let now = self.clock.utc();
        self.read(move |conn| search::overview(conn, org, unused_since, now))
            .await
    }
}
