//! What the login path reads, and the two things that are written behind it.
//!
//! A login is a handful of index look-ups in one statement, whatever the size of the database; a test holds that none of
//! these statements scans a table. One statement is one read transaction by itself: it sees one state, and spares a
//! BEGIN and a COMMIT, each of which costs as much as a look-up.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::device::state_from;
use super::fault::Outcome;
use super::write::Write;
use super::{SqliteStore, fault, knock, notice};
use crate::audit;
use crate::clock::Timestamp;
use crate::model::{Address, CredentialId, DeviceId, MailboxId, OrgId, UserId};
use crate::store::{
    Credential, CredentialStore, DeviceUse, Epoch, Error, Hash, Knocks, LoginDevice, LoginMailbox, RETIRED_KEPT,
    Resolved,
};

/// What an address is, with a row for each credential of its mailbox that is in use or was retired after `?2`, newest
/// first, or one row without a credential. For an alias the first row says all.
pub(super) const LOGIN: &str = "SELECT a.alias_id IS NOT NULL, m.id, m.address, m.suspended_at IS NOT NULL, m.epoch,
        m.upstream_secret, c.id, c.tag, c.key_id, c.hash, c.retired_at, d.id, d.label, d.paused_at, d.revoked_at,
        d.scopes, d.expires_at, d.networks, d.senders, d.epoch
    FROM address a JOIN mailbox m ON m.id = a.mailbox_id
        LEFT JOIN credential c ON c.mailbox_id = m.id AND (c.retired_at IS NULL OR c.retired_at > ?2)
        LEFT JOIN device d ON d.mailbox_id = c.mailbox_id AND d.id = c.device_id
    WHERE a.address = ?1 ORDER BY c.id DESC";

pub(super) const EPOCH: &str = "SELECT d.epoch, m.epoch FROM device d JOIN mailbox m ON m.id = d.mailbox_id
    WHERE d.mailbox_id = ?2 AND d.id = ?1 AND d.revoked_at IS NULL AND m.suspended_at IS NULL";

/// As [`EPOCH`], with the person that the device belongs to, and its organisation.
pub(super) const EPOCH_AND_USER: &str = "SELECT d.epoch, m.epoch, d.user_id, d.org_id
    FROM device d JOIN mailbox m ON m.id = d.mailbox_id
    WHERE d.mailbox_id = ?2 AND d.id = ?1 AND d.revoked_at IS NULL AND m.suspended_at IS NULL";

pub(super) const SENDERS: &str =
    "SELECT address FROM address WHERE mailbox_id = ?1 ORDER BY alias_id IS NOT NULL, address";

/// The addresses of the mailboxes of the organisation ?4, but for ?3, that the user ?1 may send as at the moment ?2. What
/// another organisation granted is no matter of a device of this one: whoever manages it there could use it here.
pub(super) const SENDERS_GRANTED: &str = "SELECT a.address
    FROM mailbox_grant g JOIN address a ON a.mailbox_id = g.mailbox_id
    WHERE g.user_id = ?1 AND g.send_as = 1 AND (g.ends_at IS NULL OR g.ends_at > ?2) AND g.mailbox_id <> ?3
        AND g.org_id = ?4
    ORDER BY a.address";

#[async_trait]
impl CredentialStore for SqliteStore {
    async fn resolve_login(&self, address: &Address) -> Result<Resolved, Error> {
        let (address, kept_since) = (address.clone(), self.clock.utc().minus(RETIRED_KEPT));
        self.read_for_login(move |conn| resolve(conn, &address, kept_since))
            .await
    }

    async fn epoch(&self, device: DeviceId, mailbox: MailboxId) -> Result<Option<Epoch>, Error> {
        self.read_for_login(move |conn| epoch(conn, device, mailbox)).await
    }

    async fn sender_addresses(&self, mailbox: MailboxId) -> Result<Vec<Address>, Error> {
        self.read_for_login(move |conn| senders(conn, mailbox)).await
    }

    async fn epoch_and_senders(
        &self,
        device: DeviceId,
        mailbox: MailboxId,
    ) -> Result<Option<(Epoch, Vec<Address>)>, Error> {
        let now = self.clock.utc();
        self.read_for_login(move |conn| epoch_and_senders(conn, device, mailbox, now))
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
        self.write(move |write| {
            uses.iter().try_for_each(|used| record_use(write, used))?;
            // A device is known from the network first that it came from first.
            uses.sort_by_key(|used| used.since);
            uses.iter().try_for_each(|used| notice::learn(write, used))
        })
        .await
    }

    async fn record_knocks(&self, knocks: &[Knocks]) -> Result<(), Error> {
        let knocks = knocks.to_vec();
        self.write(move |write| knocks.iter().try_for_each(|knocks| knock::record(write, knocks)))
            .await
    }

    async fn ping(&self) -> Result<(), Error> {
        self.read_for_login(|conn| {
            Ok(conn
                .prepare_cached("SELECT 1 FROM schema_migration LIMIT 1")?
                .query_row([], |_| Ok(()))?)
        })
        .await
    }
}

fn resolve(conn: &Connection, address: &Address, kept_since: Timestamp) -> Outcome<Resolved> {
    let mut found = conn.prepare_cached(LOGIN)?;
    let mut rows = found.query(params![address, kept_since])?;
    let Some(first) = rows.next()? else {
        return Ok(Resolved::Unknown);
    };
    if first.get(0)? {
        return Ok(Resolved::Alias { target: first.get(2)? });
    }
    let mut mailbox = LoginMailbox {
        id: first.get(1)?,
        address: first.get(2)?,
        suspended: first.get(3)?,
        epoch: first.get(4)?,
        upstream_secret: first.get(5)?,
        credentials: credential(first)?.into_iter().collect(),
    };
    while let Some(row) = rows.next()? {
        mailbox.credentials.extend(credential(row)?);
    }
    Ok(Resolved::Mailbox(mailbox))
}

/// The credential of a row of [`LOGIN`], where it has one.
fn credential(row: &Row<'_>) -> rusqlite::Result<Option<Credential>> {
    let Some(id) = row.get(6)? else {
        return Ok(None);
    };
    Ok(Some(Credential {
        id,
        tag: row.get(7)?,
        key_id: row.get(8)?,
        hash: row.get(9)?,
        retired_at: row.get(10)?,
        device: LoginDevice {
            id: row.get(11)?,
            label: row.get(12)?,
            state: state_from(row.get(13)?, row.get(14)?),
            scopes: row.get(15)?,
            expires_at: row.get(16)?,
            networks: row.get(17)?,
            senders: row.get(18)?,
            epoch: row.get(19)?,
        },
    }))
}

fn epoch(conn: &Connection, device: DeviceId, mailbox: MailboxId) -> Outcome<Option<Epoch>> {
    let mut found = conn.prepare_cached(EPOCH)?;
    Ok(found.query_row(params![device, mailbox], epoch_row).optional()?)
}

fn epoch_row(row: &Row<'_>) -> rusqlite::Result<Epoch> {
    Ok(Epoch {
        device: row.get(0)?,
        mailbox: row.get(1)?,
    })
}

/// A device that belongs to nobody costs two statements; the third is for those that belong to somebody.
fn epoch_and_senders(
    conn: &Connection,
    device: DeviceId,
    mailbox: MailboxId,
    now: Timestamp,
) -> Outcome<Option<(Epoch, Vec<Address>)>> {
    let mut found = conn.prepare_cached(EPOCH_AND_USER)?;
    let found = found.query_row(params![device, mailbox], |row| {
        let user: Option<UserId> = row.get(2)?;
        let org: OrgId = row.get(3)?;
        Ok((epoch_row(row)?, user.map(|user| (user, org))))
    });
    let Some((epoch, whose)) = found.optional()? else {
        return Ok(None);
    };
    let mut addresses = senders(conn, mailbox)?;
    if let Some((user, org)) = whose {
        addresses.extend(senders_granted(conn, (org, user), mailbox, now)?);
    }
    Ok(Some((epoch, addresses)))
}

fn senders_granted(
    conn: &Connection,
    (org, user): (OrgId, UserId),
    mailbox: MailboxId,
    now: Timestamp,
) -> Outcome<Vec<Address>> {
    let mut addresses = conn.prepare_cached(SENDERS_GRANTED)?;
    let addresses = addresses.query_map(params![user, now, mailbox, org], |row| row.get(0))?;
    Ok(addresses.collect::<Result<_, _>>()?)
}

fn senders(conn: &Connection, mailbox: MailboxId) -> Outcome<Vec<Address>> {
    let mut addresses = conn.prepare_cached(SENDERS)?;
    let addresses = addresses.query_map([mailbox], |row| row.get(0))?;
    Ok(addresses.collect::<Result<_, _>>()?)
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
    // A statement of its own: only so are the indexes of days left alone by all other uses of a day. Who was told that the
    // device is not used is told again when it is not used again.
    write.execute(
        "UPDATE device SET last_day = ?2, unused_told_at = NULL WHERE id = ?1 AND (last_day IS NULL OR last_day < ?2)",
        params![id, day_of(usage.at)],
    )?;
    Ok(())
}

/// The day of a moment, counted from 1970 in UTC.
pub(super) const fn day_of(at: Timestamp) -> i64 {
    at.0.div_euclid(24 * 60 * 60 * 1000)
}

/// Deletes what was retired before this moment.
pub(super) fn forget_retired(write: &Write<'_>, before: Timestamp) -> Outcome<u64> {
    let forgotten = write.execute("DELETE FROM credential WHERE retired_at < ?1", [before])?;
    u64::try_from(forgotten).map_err(|_| fault::refused("more rows than can be counted".to_owned()))
}
