//! What the login path reads, and the two things that are written behind it.
//!
//! A login is a handful of index look-ups in one read transaction, whatever the size of the database; a test holds
//! that none of these statements scans a table.

use std::sync::LazyLock;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::device::{DEVICE_COLUMNS, device_at};
use super::fault::Outcome;
use super::write::Write;
use super::{SqliteStore, fault};
use crate::audit;
use crate::clock::{Clock, Timestamp};
use crate::model::{Address, CredentialId, DeviceId, MailboxId};
use crate::store::{
    Credential, CredentialStore, DeviceUse, Epoch, Error, Hash, LoginMailbox, RETIRED_COMPARED_MAX, RETIRED_KEPT,
    Resolved,
};

pub(super) const ADDRESS: &str = "SELECT mailbox_id, alias_id IS NOT NULL FROM address WHERE address = ?1";

pub(super) const MAILBOX: &str = "SELECT m.address, m.suspended_at IS NOT NULL, m.epoch, m.upstream_secret, o.org_id
    FROM mailbox m JOIN mail_domain o ON o.id = m.domain_id WHERE m.id = ?1";

pub(super) const EPOCH: &str = "SELECT d.epoch, m.epoch FROM device d JOIN mailbox m ON m.id = d.mailbox_id
    WHERE d.id = ?1 AND d.revoked_at IS NULL AND m.suspended_at IS NULL";

pub(super) const SENDERS: &str =
    "SELECT address FROM address WHERE mailbox_id = ?1 ORDER BY alias_id IS NOT NULL, address";

const CREDENTIAL_COLUMNS: &str = "c.id, c.tag, c.key_id, c.hash, c.retired_at";

/// Credentials in use: all of them.
pub(super) static IN_USE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {CREDENTIAL_COLUMNS}, {DEVICE_COLUMNS} FROM credential c JOIN device d ON d.id = c.device_id
         WHERE c.mailbox_id = ?1 AND c.retired_at IS NULL"
    )
});

/// Retired credentials: the newest ones.
pub(super) static RETIRED: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {CREDENTIAL_COLUMNS}, {DEVICE_COLUMNS} FROM credential c JOIN device d ON d.id = c.device_id
         WHERE c.mailbox_id = ?1 AND c.retired_at > ?2 ORDER BY c.retired_at DESC LIMIT {RETIRED_COMPARED_MAX}"
    )
});

#[async_trait]
impl CredentialStore for SqliteStore {
    async fn resolve_login(&self, address: &Address) -> Result<Resolved, Error> {
        let (address, clock) = (address.clone(), self.clock.clone());
        self.read(move |conn| resolve(conn, &address, &clock)).await
    }

    async fn epoch(&self, device: DeviceId) -> Result<Option<Epoch>, Error> {
        self.read(move |conn| {
            let mut found = conn.prepare_cached(EPOCH)?;
            let epoch = found.query_row([device], |row| {
                Ok(Epoch {
                    device: row.get(0)?,
                    mailbox: row.get(1)?,
                })
            });
            Ok(epoch.optional()?)
        })
        .await
    }

    async fn sender_addresses(&self, mailbox: MailboxId) -> Result<Vec<Address>, Error> {
        self.read(move |conn| {
            let mut addresses = conn.prepare_cached(SENDERS)?;
            let addresses = addresses.query_map([mailbox], |row| row.get(0))?;
            Ok(addresses.collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn upgrade_hash(
        &self,
        credential: CredentialId,
        verified: &Hash,
        stronger: &Hash,
        key_id: u32,
    ) -> Result<(), Error> {
        let (verified, stronger) = (verified.clone(), stronger.clone());
        self.write(move |write| {
            write.execute(
                "UPDATE credential SET hash = ?3, key_id = ?4
                 WHERE id = ?1 AND hash = ?2 AND retired_at IS NULL AND (tag IS NULL OR key_id = ?4)",
                params![credential, verified, stronger, key_id],
            )?;
            Ok(())
        })
        .await
    }

    async fn record_uses(&self, uses: &[DeviceUse]) -> Result<(), Error> {
        let mut uses = uses.to_vec();
        uses.sort_by_key(|used| used.usage.at);
        self.write(move |write| uses.iter().try_for_each(|used| record_use(write, used)))
            .await
    }

    async fn ping(&self) -> Result<(), Error> {
        self.read(|conn| {
            Ok(conn
                .prepare_cached("SELECT 1 FROM schema_migration LIMIT 1")?
                .query_row([], |_| Ok(()))?)
        })
        .await
    }
}

fn resolve(conn: &mut Connection, address: &Address, clock: &Clock) -> Outcome<Resolved> {
    let tx = conn.transaction()?;
    let found = tx
        .prepare_cached(ADDRESS)?
        .query_row([address], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((id, is_alias)) = found else {
        return Ok(Resolved::Unknown);
    };
    let mut mailbox = tx.prepare_cached(MAILBOX)?.query_row([id], |row| {
        Ok(LoginMailbox {
            id,
            address: row.get(0)?,
            suspended: row.get(1)?,
            epoch: row.get(2)?,
            upstream_secret: row.get(3)?,
            org: row.get(4)?,
            credentials: Vec::new(),
        })
    })?;
    if is_alias {
        return Ok(Resolved::Alias {
            target: mailbox.address,
        });
    }
    mailbox.credentials = credentials(&tx, id, clock.utc().minus(RETIRED_KEPT))?;
    Ok(Resolved::Mailbox(mailbox))
}

/// Credentials in use and those retired after `since`, newest first.
fn credentials(conn: &Connection, mailbox: MailboxId, since: Timestamp) -> Outcome<Vec<Credential>> {
    let mut in_use = conn.prepare_cached(&IN_USE)?;
    let mut found = in_use
        .query_map([mailbox], credential)?
        .collect::<Result<Vec<_>, _>>()?;
    let mut retired = conn.prepare_cached(&RETIRED)?;
    for credential in retired.query_map(params![mailbox, since], credential)? {
        found.push(credential?);
    }
    found.sort_by_key(|credential| std::cmp::Reverse(credential.id));
    Ok(found)
}

fn credential(row: &Row<'_>) -> rusqlite::Result<Credential> {
    Ok(Credential {
        id: row.get(0)?,
        tag: row.get(1)?,
        key_id: row.get(2)?,
        hash: row.get(3)?,
        retired_at: row.get(4)?,
        device: device_at(row, 5)?,
    })
}

/// Moves the last use forward only: batches of several nodes may arrive in any order.
fn record_use(write: &Write<'_>, used: &DeviceUse) -> Outcome<()> {
    let usage = &used.usage;
    let client = usage.client.as_deref().map(audit::clean);
    let (ip, id) = (usage.ip.to_string(), used.device);
    write.execute(
        "UPDATE device SET last_at = ?2, last_ip = ?3, last_protocol = ?4, last_client = ?5
         WHERE id = ?1 AND (last_at IS NULL OR last_at < ?2)",
        params![id, usage.at, ip, usage.protocol, client],
    )?;
    write.execute(
        "UPDATE device SET first_at = ?2, first_ip = ?3, first_protocol = ?4, first_client = ?5
         WHERE id = ?1 AND first_at IS NULL",
        params![id, usage.at, ip, usage.protocol, client],
    )?;
    Ok(())
}

/// Deletes what was retired before this moment.
pub(super) fn forget_retired(write: &Write<'_>, before: Timestamp) -> Outcome<u64> {
    let forgotten = write.execute("DELETE FROM credential WHERE retired_at < ?1", [before])?;
    u64::try_from(forgotten).map_err(|_| fault::refused("more rows than can be counted".to_owned()))
}
