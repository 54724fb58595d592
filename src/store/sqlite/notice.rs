//! Notices by mail: networks of devices, what waits to be told of them, and the role of the store that tells it.

use std::net::IpAddr;

use async_trait::async_trait;
use ipnet::IpNet;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::json;

use super::SqliteStore;
use super::credential::day_of;
use super::fault::Outcome;
use super::org::known_org;
use super::reader::{may_see, readers, signing_in, told_of_passwords};
use super::value::ip_from;
use super::write::{About, Write};
use crate::audit::{Action, clean};
use crate::clock::Timestamp;
use crate::model::device::Use;
use crate::model::notice::{NoticeKind, NoticesOff};
use crate::model::{DeviceId, MailId, MailKind, OrgId, UserId};
use crate::store::notice::{
    HELD_BY_ONE_MAX, NETWORK_NOTED_EVERY, NETWORKS_KEPT_MAX, NOTICE_EVERY, NOTICES_HELD_MAX, NoticeDevice, UNUSED_DAYS,
};
use crate::store::{
    Actor, DeviceUse, DueNotices, Error, Notice, NoticeBy, NoticeMail, NoticeStore, NoticeTurn, UnusedDevice,
    UnusedPlace,
};

#[async_trait]
impl NoticeStore for SqliteStore {
    async fn notices_off(&self, org: OrgId) -> Result<NoticesOff, Error> {
        self.read(move |conn| off(conn, org)).await
    }

    async fn set_notices_off(&self, actor: &Actor, org: OrgId, from: NoticesOff, to: NoticesOff) -> Result<(), Error> {
        let actor = actor.clone();
        self.write(move |write| set_off(write, &actor, org, from, to)).await
    }

    async fn take_notice(&self, device: DeviceId, by: &NoticeBy) -> Result<NoticeTurn, Error> {
        let by = by.clone();
        self.write(move |write| take(write, device, &by)).await
    }

    async fn hold_notice(&self, device: DeviceId, by: &NoticeBy) -> Result<(), Error> {
        let by = by.clone();
        self.write(move |write| {
            let due_at = write.now.plus(NOTICE_EVERY);
            let held = Held {
                while_off: is_off(&write.tx, device, NoticeKind::DeviceAdded)?,
                ..Held::password(write.now, &by)
            };
            hold(write, device, &held, due_at)
        })
        .await
    }

    async fn due_notices(&self, limit: u32) -> Result<Vec<DueNotices>, Error> {
        let now = self.clock.utc();
        self.read(move |conn| due(conn, now, limit)).await
    }

    async fn tell_notices(&self, due: &DueNotices, mails: &[NoticeMail]) -> Result<bool, Error> {
        let (device, read, mails) = (due.about.device, (due.all(), due.more), mails.to_vec());
        self.write(move |write| tell(write, device, &read, &mails)).await
    }

    async fn postpone_notices(&self, device: DeviceId, until: Timestamp) -> Result<(), Error> {
        self.write(move |write| {
            let sql = "UPDATE device_notice SET due_at = ?2 WHERE device_id = ?1 AND due_at IS NOT NULL";
            write.execute(sql, params![device, until])?;
            Ok(())
        })
        .await
    }

    async fn unused_devices(&self, limit: u32, after: Option<UnusedPlace>) -> Result<Vec<UnusedDevice>, Error> {
        let now = self.clock.utc();
        self.read(move |conn| unused(conn, now, limit, after)).await
    }

    async fn tell_unused(&self, devices: &[DeviceId], mails: &[NoticeMail]) -> Result<bool, Error> {
        let (devices, mails) = (devices.to_vec(), mails.to_vec());
        self.write(move |write| tell_unused(write, &devices, &mails)).await
    }
}

fn off(conn: &Connection, org: OrgId) -> Outcome<NoticesOff> {
    let mut kinds = conn.prepare_cached("SELECT kind FROM notice_off WHERE org_id = ?1")?;
    let kinds = kinds.query_map([org], |row| row.get::<_, NoticeKind>(0))?;
    Ok(kinds.collect::<Result<_, _>>()?)
}

fn set_off(write: &Write<'_>, actor: &Actor, org: OrgId, from: NoticesOff, to: NoticesOff) -> Outcome<()> {
    let org = known_org(&write.tx, org)?;
    let about = About::org(org.id, &org.name);
    if off(&write.tx, org.id)? != from {
        return Err(write.stale(about, &[Action::OrgNotices])?);
    }
    if from == to {
        return Ok(());
    }
    for kind in NoticeKind::ALL {
        let sql = if to.has(kind) {
            "INSERT INTO notice_off (org_id, kind) VALUES (?1, ?2) ON CONFLICT DO NOTHING"
        } else {
            "DELETE FROM notice_off WHERE org_id = ?1 AND kind = ?2"
        };
        write.execute(sql, params![org.id, kind])?;
    }
    let words = |off: NoticesOff| off.iter().map(NoticeKind::name).collect::<Vec<_>>();
    let detail = json!({ "changed": { "off": [words(from), words(to)] } });
    write.audit(actor, Action::OrgNotices, about, detail)
}

/// Learns the network of a use. Where the device was known from others only, somebody is to be told. Of the first network
/// of all, where it is not that of whoever gave the password, it is told that the device was set up from there: most phones
/// are set up on another line than the browser of whoever added them, so that this is no alarm of its own.
pub(super) fn learn(write: &Write<'_>, used: &DeviceUse) -> Outcome<()> {
    let known = networks(&write.tx, used.device)?;
    let last_at = used.usage.at;
    // What one network is may have been configured otherwise when it was learned.
    let found = known.iter().find(|(_, network)| meets(*network, used.network));
    if let Some((text, _)) = found {
        write.execute(
            "UPDATE device_network SET last_at = ?3 WHERE device_id = ?1 AND network = ?2 AND last_at <= ?4",
            params![used.device, text, last_at, last_at.minus(NETWORK_NOTED_EVERY)],
        )?;
        return Ok(());
    }
    let learned = write.execute(
        "INSERT INTO device_network (device_id, network, first_at, last_at) SELECT id, ?2, ?3, ?4 FROM device WHERE id = ?1",
        params![used.device, used.network.to_string(), used.since, last_at],
    )?;
    if learned == 0 {
        return Ok(());
    }
    if known.is_empty() {
        let of = NoticeKind::DeviceAdded;
        let giver = giver(&write.tx, used.device)?;
        if giver.is_some_and(|ip| !used.network.contains(&ip)) && !is_off(&write.tx, used.device, of)? {
            hold(write, used.device, &Held::sign_in(of, used), write.now)?;
        }
        return Ok(());
    }
    write.execute(
        "DELETE FROM device_network WHERE device_id = ?1 AND network IN
             (SELECT network FROM device_network WHERE device_id = ?1 AND network <> ?2
              ORDER BY last_at DESC, network LIMIT -1 OFFSET ?3)",
        params![used.device, used.network.to_string(), NETWORKS_KEPT_MAX - 1],
    )?;
    let of = NoticeKind::DeviceNetwork;
    if !is_off(&write.tx, used.device, of)? {
        hold(write, used.device, &Held::sign_in(of, used), write.now)?;
    }
    Ok(())
}

/// The address of whoever gave the device its password last, where that was not at the command line.
fn giver(conn: &Connection, device: DeviceId) -> Outcome<Option<IpAddr>> {
    let mut found = conn.prepare_cached(
        "SELECT origin FROM audit WHERE subject = ?1 AND action IN (?2, ?3, ?4) ORDER BY number DESC LIMIT 1",
    )?;
    let (add, replace, import) = (Action::DeviceAdd, Action::DeviceReplace, Action::DeviceImport);
    let values = params![device.to_string(), add.as_str(), replace.as_str(), import.as_str()];
    let origin: Option<String> = found.query_row(values, |row| row.get(0)).optional()?;
    Ok(origin.and_then(|origin| origin.parse().ok()))
}

fn networks(conn: &Connection, device: DeviceId) -> Outcome<Vec<(String, IpNet)>> {
    let mut rows = conn.prepare_cached("SELECT network FROM device_network WHERE device_id = ?1")?;
    let rows = rows.query_map([device], |row| row.get::<_, String>(0))?;
    let mut known = Vec::new();
    for text in rows {
        let text = text?;
        // An address alone is from before networks were kept.
        let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        known.extend(network.ok().map(|network| (text, network)));
    }
    Ok(known)
}

fn meets(one: IpNet, other: IpNet) -> bool {
    one.contains(&other) || other.contains(&one)
}

fn is_off(conn: &Connection, device: DeviceId, kind: NoticeKind) -> Outcome<bool> {
    let mut found = conn.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM device d JOIN notice_off o ON o.org_id = d.org_id WHERE d.id = ?1 AND o.kind = ?2)",
    )?;
    Ok(found.query_row(params![device, kind], |row| row.get(0))?)
}

fn take(write: &Write<'_>, device: DeviceId, by: &NoticeBy) -> Outcome<NoticeTurn> {
    if is_off(&write.tx, device, NoticeKind::DeviceAdded)? {
        return Ok(NoticeTurn::Off);
    }
    let taken = write.execute(
        "INSERT INTO device_notice (device_id, mailed_at) VALUES (?1, ?2)
         ON CONFLICT (device_id) DO UPDATE SET mailed_at = excluded.mailed_at
             WHERE due_at IS NULL AND coalesce(mailed_at <= ?3, true)",
        params![device, write.now, write.now.minus(NOTICE_EVERY)],
    )?;
    if taken > 0 {
        return Ok(NoticeTurn::Now);
    }
    hold(write, device, &Held::password(write.now, by), write.now)?;
    Ok(NoticeTurn::Held)
}

/// What is to be told later.
struct Held<'a> {
    kind: NoticeKind,
    at: Timestamp,
    by: Option<&'a NoticeBy>,
    usage: Option<&'a Use>,
    while_off: bool,
}

impl<'a> Held<'a> {
    const fn password(at: Timestamp, by: &'a NoticeBy) -> Self {
        Self {
            kind: NoticeKind::DeviceAdded,
            at,
            by: Some(by),
            usage: None,
            while_off: false,
        }
    }

    const fn sign_in(kind: NoticeKind, used: &'a DeviceUse) -> Self {
        Self {
            kind,
            at: used.since,
            by: None,
            usage: Some(&used.usage),
            while_off: false,
        }
    }
}

/// Devices of the mailbox of the device `?2` that wait with a password that `?1` gave, those with the newest one first, at most
/// `?4`: with one given while that was switched off, or with one given while it was not (`?3`), which others are told of.
pub(super) const WAITING_OF_GIVER: &str = "SELECT device_id FROM notice
    WHERE user_id = ?1 AND mailbox_id = (SELECT mailbox_id FROM device WHERE id = ?2) AND while_off = ?3
    GROUP BY device_id ORDER BY max(id) DESC LIMIT ?4";

/// The device at which a password is counted, where so many others wait because of its giver that this one does not.
fn counted_at(conn: &Connection, device: DeviceId, held: &Held<'_>) -> Outcome<Option<DeviceId>> {
    let Some(by) = held.by else { return Ok(None) };
    let mut rows = conn.prepare_cached(WAITING_OF_GIVER)?;
    let rows = rows.query_map(params![by.user, device, held.while_off, HELD_BY_ONE_MAX], |row| {
        row.get(0)
    })?;
    let waiting: Vec<DeviceId> = rows.collect::<Result<_, _>>()?;
    let is_full = waiting.len() >= HELD_BY_ONE_MAX as usize && !waiting.contains(&device);
    Ok(waiting.first().copied().filter(|_| is_full))
}

fn count_more(write: &Write<'_>, device: DeviceId) -> Outcome<()> {
    let sql = "UPDATE device_notice SET more = more + 1 WHERE device_id = ?1";
    write.execute(sql, [device])?;
    Ok(())
}

/// Keeps what is to be told of a device until the next mail about it may go out, and until this moment where nothing else
/// waits. A password is only counted where enough devices wait because of its giver.
fn hold(write: &Write<'_>, device: DeviceId, held: &Held<'_>, until: Timestamp) -> Outcome<()> {
    if let Some(other) = counted_at(&write.tx, device, held)? {
        return count_more(write, other);
    }
    write.execute(
        "INSERT INTO device_notice (device_id) VALUES (?1) ON CONFLICT DO NOTHING",
        [device],
    )?;
    write.execute(
        "UPDATE device_notice SET due_at = max(?2, coalesce(mailed_at + ?3, ?2)) WHERE device_id = ?1 AND due_at IS NULL",
        params![device, until, millis(NOTICE_EVERY)],
    )?;
    let waiting = "SELECT count(*) FROM notice WHERE device_id = ?1 AND kind = ?2 AND while_off = ?3";
    let waiting: u32 = write
        .tx
        .prepare_cached(waiting)?
        .query_row(params![device, held.kind, held.while_off], |row| row.get(0))?;
    if waiting >= NOTICES_HELD_MAX {
        return count_more(write, device);
    }
    write.execute(
        "INSERT INTO notice (id, device_id, kind, at, user_id, who, ip, protocol, client, while_off, mailbox_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, (SELECT mailbox_id FROM device WHERE id = ?2))",
        params![
            write.fresh_id(),
            device,
            held.kind,
            held.at,
            held.by.map(|by| by.user),
            held.by.map(|by| clean(&by.name)),
            held.usage.map(|usage| usage.ip.to_string()),
            held.usage.map(|usage| usage.protocol),
            held.usage.and_then(|usage| usage.client.as_deref()).map(clean),
            held.while_off,
        ],
    )?;
    Ok(())
}

fn millis(time: std::time::Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// What [`about_at`] reads, of a device `d` and its mailbox `m`.
const ABOUT: &str = "d.org_id, d.id, d.label, m.address, d.mailbox_id, d.user_id";

/// How many columns they are.
const ABOUT_COUNT: usize = 6;

fn about_at(conn: &Connection, row: &Row<'_>, now: Timestamp) -> Outcome<NoticeDevice> {
    let (org, device) = (row.get(0)?, row.get(1)?);
    let (mailbox, user): (_, Option<UserId>) = (row.get(4)?, row.get(5)?);
    Ok(NoticeDevice {
        org,
        device,
        label: row.get(2)?,
        mailbox,
        address: row.get(3)?,
        readers: readers(conn, (org, mailbox), user, now)?,
    })
}

/// Devices of which something may be told by `?1`, at most `?2`.
pub(super) const DUE: &str =
    "FROM device_notice n JOIN device d ON d.id = n.device_id JOIN mailbox m ON m.id = d.mailbox_id
    WHERE n.due_at <= ?1 ORDER BY n.due_at LIMIT ?2";

/// Whether a device `d` was added with a link and revoked before it had a password. Where that is not known any more, it
/// had one.
pub(super) const NEVER_SET_UP: &str = "d.revoked_at IS NOT NULL AND d.replaced_at IS NULL
    AND EXISTS (SELECT 1 FROM device_link l WHERE l.device_id = d.id AND l.created_at = d.created_at)
    AND NOT EXISTS (SELECT 1 FROM credential c WHERE c.device_id = d.id)";

fn due(conn: &Connection, now: Timestamp, limit: u32) -> Outcome<Vec<DueNotices>> {
    let mut rows = conn.prepare_cached(&format!("SELECT {ABOUT}, n.more, {NEVER_SET_UP} {DUE}"))?;
    let mut rows = rows.query(params![now, limit])?;
    let mut due = Vec::new();
    while let Some(row) = rows.next()? {
        let mut about = about_at(conn, row, now)?;
        let notices = notices(conn, about.device)?;
        let more = row.get(ABOUT_COUNT)?;
        let mut also = Vec::new();
        if notices.iter().any(Notice::is_password) {
            also = signing_in(conn, about.mailbox)?;
        }
        let always: Vec<UserId> = also.iter().map(|reader| reader.user).collect();
        if let Some(givers) = givers(conn, about.device)? {
            told_of_passwords(conn, (about.org, about.mailbox), &givers, now, &mut also)?;
        }
        if notices.iter().all(|notice| notice.while_off) {
            about.readers.retain(|reader| always.contains(&reader.user));
        }
        // What was never a password is not told, but what is counted with it is.
        if more == 0 && row.get(ABOUT_COUNT + 1)? {
            about.readers.clear();
            also.clear();
        }
        also.retain(|reader| about.readers.iter().all(|known| known.user != reader.user));
        due.push(DueNotices {
            about,
            notices,
            more,
            also,
            always,
        });
    }
    Ok(due)
}

/// Who gave the passwords that wait to be told to more than those who are always told; nothing where none does.
fn givers(conn: &Connection, device: DeviceId) -> Outcome<Option<Vec<UserId>>> {
    let mut rows = conn.prepare_cached(
        "SELECT DISTINCT user_id FROM notice WHERE device_id = ?1 AND kind = ?2 AND protocol IS NULL AND NOT while_off
         ORDER BY user_id",
    )?;
    let rows = rows.query_map(params![device, NoticeKind::DeviceAdded], |row| row.get(0))?;
    let rows: Vec<Option<UserId>> = rows.collect::<Result<_, _>>()?;
    Ok((!rows.is_empty()).then(|| rows.into_iter().flatten().collect()))
}

fn notices(conn: &Connection, device: DeviceId) -> Outcome<Vec<Notice>> {
    let mut rows = conn.prepare_cached(
        "SELECT id, kind, at, who, ip, protocol, client, while_off FROM notice WHERE device_id = ?1 ORDER BY id",
    )?;
    let rows = rows.query_map([device], |row| {
        let at = row.get(2)?;
        let usage = match row.get::<_, Option<String>>(4)? {
            Some(ip) => Some(Use {
                at,
                ip: ip_from(&ip)?,
                protocol: row.get(5)?,
                client: row.get(6)?,
            }),
            None => None,
        };
        Ok(Notice {
            id: row.get(0)?,
            kind: row.get(1)?,
            at,
            by: row.get(3)?,
            usage,
            while_off: row.get(7)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn tell(write: &Write<'_>, device: DeviceId, read: &(Vec<i64>, u32), mails: &[NoticeMail]) -> Outcome<bool> {
    let waiting: Vec<i64> = notices(&write.tx, device)?.iter().map(|notice| notice.id).collect();
    let mut more = write
        .tx
        .prepare_cached("SELECT more FROM device_notice WHERE device_id = ?1")?;
    let more: Option<u32> = more.query_row([device], |row| row.get(0)).optional()?;
    if (waiting, more.unwrap_or_default()) != *read {
        return Ok(false);
    }
    put(write, mails)?;
    write.execute("DELETE FROM notice WHERE device_id = ?1", [device])?;
    write.execute(
        "UPDATE device_notice SET due_at = NULL, more = 0, mailed_at = coalesce(?2, mailed_at) WHERE device_id = ?1",
        params![device, (!mails.is_empty()).then_some(write.now)],
    )?;
    Ok(true)
}

fn put(write: &Write<'_>, mails: &[NoticeMail]) -> Outcome<()> {
    for NoticeMail { user, devices, mail } in mails {
        let id = write.put_mail(mail)?;
        for device in devices {
            write.execute(
                "INSERT INTO mail_reader (mail_id, device_id, user_id) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                params![id, device, user],
            )?;
        }
    }
    Ok(())
}

/// Whether a mail that is about to be sent may still be read by whom it is for. All but notices may.
pub(super) fn is_readable(write: &Write<'_>, mail: MailId) -> Outcome<bool> {
    let mut rows = write
        .tx
        .prepare_cached("SELECT device_id, user_id FROM mail_reader WHERE mail_id = ?1")?;
    let mut rows = rows.query([mail])?;
    while let Some(row) = rows.next()? {
        if !may_see(&write.tx, row.get(0)?, row.get(1)?, write.now)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Forgets that somebody was told of the unused devices of a mail that is withdrawn, of those that its reader may still see:
/// one that they may not see any more hides no other.
pub(super) fn tell_again(write: &Write<'_>, mail: MailId) -> Outcome<()> {
    let mut rows = write.tx.prepare_cached(
        "SELECT r.device_id, r.user_id FROM mail_reader r JOIN mail m ON m.id = r.mail_id WHERE m.id = ?1 AND m.kind = ?2",
    )?;
    let mut rows = rows.query(params![mail, MailKind::DeviceUnused])?;
    while let Some(row) = rows.next()? {
        let device: DeviceId = row.get(0)?;
        if may_see(&write.tx, device, row.get(1)?, write.now)? {
            let sql = "UPDATE device SET unused_told_at = NULL WHERE id = ?1";
            write.execute(sql, [device])?;
        }
    }
    Ok(())
}

/// Devices last used before the day `?1`, of which nobody was told since, and of which no mail went out after `?2`, behind
/// the place `?4`, `?5`.
pub(super) const UNUSED: &str = "FROM device d JOIN mailbox m ON m.id = d.mailbox_id
    WHERE d.revoked_at IS NULL AND d.paused_at IS NULL AND d.unused_told_at IS NULL
        AND coalesce(d.last_day, d.created_at / 86400000) < ?1
        AND (coalesce(d.last_day, d.created_at / 86400000), d.id) > (?4, ?5)
        AND NOT EXISTS (SELECT 1 FROM device_notice n WHERE n.device_id = d.id AND n.mailed_at > ?2)
    ORDER BY coalesce(d.last_day, d.created_at / 86400000), d.id LIMIT ?3";

fn unused_before(now: Timestamp) -> i64 {
    day_of(now).saturating_sub(i64::from(UNUSED_DAYS))
}

fn unused(conn: &Connection, now: Timestamp, limit: u32, after: Option<UnusedPlace>) -> Outcome<Vec<UnusedDevice>> {
    let sql = format!(
        "SELECT {ABOUT}, d.last_at, d.created_at, d.expires_at, m.suspended_at IS NOT NULL,
            coalesce(d.last_day, d.created_at / 86400000) {UNUSED}"
    );
    let mut rows = conn.prepare_cached(&sql)?;
    let (day, device) = after.map_or((i64::MIN, i64::MIN), |after| (after.day, after.device.raw()));
    let mut rows = rows.query(params![unused_before(now), now.minus(NOTICE_EVERY), limit, day, device])?;
    let mut unused = Vec::new();
    while let Some(row) = rows.next()? {
        let mut about = about_at(conn, row, now)?;
        let expires_at: Option<Timestamp> = row.get(ABOUT_COUNT + 2)?;
        let is_over = expires_at.is_some_and(|end| end <= now) || row.get(ABOUT_COUNT + 3)?;
        if is_over || is_off(conn, about.device, NoticeKind::DeviceUnused)? {
            about.readers.clear();
        }
        unused.push(UnusedDevice {
            place: UnusedPlace {
                day: row.get(ABOUT_COUNT + 4)?,
                device: about.device,
            },
            about,
            used_at: row.get(ABOUT_COUNT)?,
            created_at: row.get(ABOUT_COUNT + 1)?,
        });
    }
    Ok(unused)
}

fn tell_unused(write: &Write<'_>, devices: &[DeviceId], mails: &[NoticeMail]) -> Outcome<bool> {
    let before = unused_before(write.now);
    for device in devices {
        let mut still = write.tx.prepare_cached(
            "SELECT 1 FROM device WHERE id = ?1 AND revoked_at IS NULL AND paused_at IS NULL AND unused_told_at IS NULL
                 AND coalesce(last_day, created_at / 86400000) < ?2",
        )?;
        let still: Option<i64> = still.query_row(params![device, before], |row| row.get(0)).optional()?;
        if still.is_none() {
            return Ok(false);
        }
    }
    for device in devices {
        let sql = "UPDATE device SET unused_told_at = ?2 WHERE id = ?1";
        write.execute(sql, params![device, write.now])?;
    }
    for device in mails.iter().flat_map(|mail| &mail.devices) {
        write.execute(
            "INSERT INTO device_notice (device_id, mailed_at) VALUES (?1, ?2)
             ON CONFLICT (device_id) DO UPDATE SET mailed_at = excluded.mailed_at",
            params![device, write.now],
        )?;
    }
    put(write, mails)?;
    Ok(true)
}
