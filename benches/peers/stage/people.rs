//! What an organisation has beside mailboxes and devices once people have worked with it for a while: people, accesses,
//! aliases, invitations, a long log, and devices of every kind in every state.
//!
//! The owner is made by the command line; everything else is rows, as in `site`.

use anyhow::{Context as _, ensure};
use postern::clock::Clock;
use rusqlite::{Connection, named_params};

use super::site::{DOMAIN, Site};

/// Who signs in.
pub(crate) const OWNER: &str = "owner@private.test";
/// With what.
pub(crate) const PASSWORD: &str = "vast otter plume";
/// What the Manager shows of a person, and nobody else is called.
pub(crate) const SOMEBODY: &str = "Person 000007";

/// How much there is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Crowd {
    /// Members of the organisation.
    pub(crate) people: u32,
    /// Invitations, most of them over.
    pub(crate) invitations: u32,
    /// Rows of the log.
    pub(crate) log: u32,
}

/// Mailboxes whose first device stays as it was made, and can log in (see `devices`).
pub(crate) fn untouched() -> impl Iterator<Item = u32> {
    (0..).filter(|number| (number + 1) % 20 != 7 && (number + 1) % 100 != 8)
}

impl Site {
    /// Adds people and history; nobody may have the database open.
    pub(crate) fn add_people(&self, crowd: Crowd) -> anyhow::Result<()> {
        self.run_with_input(
            &[
                "user",
                "create",
                OWNER,
                "--name",
                "Olive Owner",
                "--org",
                "Example",
                "--role",
                "owner",
                "--password-stdin",
            ],
            &format!("{PASSWORD}\n"),
        )?;
        let mut database = Connection::open(self.data().join("postern.db"))?;
        database.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -200000;")?;
        let now = Clock::system().utc().0;
        let tx = database.transaction()?;
        people(&tx, crowd, now)?;
        devices(&tx, now)?;
        history(&tx, crowd, now)?;
        tx.commit()?;
        database.execute_batch("PRAGMA journal_mode = WAL;")?;
        database.close().map_err(|(_, error)| error)?;
        Ok(())
    }

    /// One value of the database.
    pub(crate) fn look_up<T: rusqlite::types::FromSql>(&self, sql: &str) -> anyhow::Result<T> {
        let database = Connection::open(self.data().join("postern.db"))?;
        database
            .query_row(sql, [], |row| row.get(0))
            .with_context(|| sql.to_owned())
    }
}

/// Numbers from 0 up to this, as a table.
fn numbers(count: u32) -> String {
    format!("WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {count})")
}

fn people(tx: &Connection, crowd: Crowd, now: i64) -> anyhow::Result<()> {
    let count = crowd.people;
    ensure!(count > 0, "an organisation has people");
    tx.execute_batch(&format!(
        "{numbers} INSERT INTO user (id, address, name, name_key, language, created_at)
             SELECT 1000000000 + i, printf('person%06d@private.test', i), printf('Person %06d', i),
                 printf('person %06d', i), 'en', {now} FROM n;
         INSERT INTO membership (org_id, user_id, name_key, role, since)
             SELECT o.id, u.id, u.name_key, CASE WHEN u.id % 50 = 0 THEN 'auditor' ELSE 'member' END, {now}
             FROM user u, org o WHERE u.id >= 1000000000 AND u.id < 1000000000 + {count};
         INSERT INTO mailbox_grant (mailbox_id, user_id, org_id, rights, send_as, created_at)
             SELECT m.id, 1000000000 + m.id % {count}, m.org_id, 'see-devices,add-own-devices', 0, {now}
             FROM mailbox m WHERE m.id % 3 = 0;
         INSERT INTO address (address, domain_id, mailbox_id, alias_id, created_at)
             SELECT 'also-' || m.address, m.domain_id, m.id, 2000000000 + m.id, {now} FROM mailbox m WHERE m.id % 5 = 0;
         UPDATE mailbox SET suspended_at = {now} WHERE id % 400 = 0;",
        numbers = numbers(count)
    ))?;
    Ok(())
}

/// Nine in ten were used, most of them lately; some ended, are paused, or will end.
fn devices(tx: &Connection, now: i64) -> anyhow::Result<()> {
    tx.execute(
        "UPDATE device SET
             kind = CASE id % 7 WHEN 0 THEN 'iphone' WHEN 1 THEN 'android' WHEN 2 THEN 'outlook'
                 WHEN 3 THEN 'thunderbird' WHEN 4 THEN 'printer' WHEN 5 THEN 'app' ELSE 'other' END,
             user_id = (SELECT g.user_id FROM mailbox_grant g WHERE g.mailbox_id = device.mailbox_id AND device.id % 2 = 0),
             first_at = CASE WHEN id % 10 > 0 THEN :now - 300 * :day END,
             first_ip = CASE WHEN id % 10 > 0 THEN '192.0.2.1' END,
             first_protocol = CASE WHEN id % 10 > 0 THEN 'imap' END,
             last_at = CASE WHEN id % 10 > 0 THEN :now - (id % 1000 * 7919 % 200) * :day END,
             last_ip = CASE WHEN id % 10 > 0 THEN '198.51.' || (id % 100) || '.' || (id / 100 % 250) END,
             last_protocol = CASE WHEN id % 10 > 0 THEN 'imap' END,
             last_client = CASE WHEN id % 10 > 0 THEN 'Thunderbird 140' END,
             last_day = CASE WHEN id % 10 > 0 THEN (:now - (id % 1000 * 7919 % 200) * :day) / :day END,
             revoked_at = CASE WHEN id % 20 = 7 THEN :now - (id % 80) * :day END,
             paused_at = CASE WHEN id % 100 = 8 THEN :now - (id % 50) * :day END,
             expires_at = CASE WHEN id % 25 = 9 THEN :now + (id % 60) * :day END",
        named_params! { ":now": now, ":day": 24 * 60 * 60 * 1000 },
    )?;
    tx.execute_batch(&format!(
        "UPDATE device SET label = kind || ' ' || id, label_key = kind || ' ' || id;
         UPDATE credential SET retired_at = (SELECT d.revoked_at FROM device d WHERE d.id = credential.device_id);
         INSERT INTO knock (mailbox_id, credential_id, device_id, org_id, tries, first_at, last_at, last_ip, last_protocol)
             SELECT c.mailbox_id, c.id, c.device_id, d.org_id, 212, {now}, {now} - d.id % 1000, '192.0.2.9', 'imap'
             FROM credential c JOIN device d ON d.id = c.device_id WHERE c.retired_at IS NOT NULL AND d.id % 60 = 7;"
    ))?;
    Ok(())
}

fn history(tx: &Connection, crowd: Crowd, now: i64) -> anyhow::Result<()> {
    let (invitations, log, people) = (crowd.invitations, crowd.log, crowd.people);
    tx.execute_batch(&format!(
        "{of_invitations} INSERT INTO invitation (id, org_id, address, role, language, invited_by, created_at, sent_at,
                 expires_at, accepted_at)
             SELECT 3000000000 + i, o.id, printf('guest%06d@private.test', i), 'member', 'en', 'Olive Owner', {now}, {now},
                 {now} + 7 * 86400000, CASE WHEN i % 5 > 0 THEN {now} END FROM n, org o;
         {of_log} INSERT INTO audit (at, who, origin, action, org_id, mailbox_id, subject, detail, user_id)
             SELECT {now} - ({log} - i) * 1000, printf('user:person%06d@private.test', i % {people}), '192.0.2.1',
                 CASE i % 4 WHEN 0 THEN 'device.add' WHEN 1 THEN 'device.replace' WHEN 2 THEN 'mailbox.create'
                     ELSE 'grant.give' END,
                 o.id, i % 1000 + 1, printf('box%07d@{DOMAIN}', i % 1000),
                 json_object('mailbox', printf('box%07d@{DOMAIN}', i % 1000), 'label', 'Phone ' || i),
                 1000000000 + i % {people} FROM n, org o;
         INSERT INTO meta (key, value) SELECT 'audit.chain_after', CAST(max(number) AS TEXT) FROM audit WHERE true
             ON CONFLICT (key) DO UPDATE SET value = excluded.value;",
        of_invitations = numbers(invitations),
        of_log = numbers(log),
    ))?;
    Ok(())
}
