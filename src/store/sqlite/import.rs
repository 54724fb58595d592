//! Import: mailboxes and devices with foreign password hashes, all of them or none.

use serde_json::json;

use super::device::insert_device;
use super::fault::{Fault, Outcome, conflict, refused};
use super::mailbox::{alias, insert_mailbox, mailbox_named};
use super::write::{About, Write};
use crate::audit::{Action, device_detail};
use crate::clock::Timestamp;
use crate::model::{DeviceKind, Networks, Scopes, SenderRule};
use crate::store::{Actor, Error, IMPORT_ROWS_MAX, ImportRow, NewDevice};

pub(super) fn import(write: &Write<'_>, actor: &Actor, rows: &[ImportRow]) -> Outcome<()> {
    if rows.len() > IMPORT_ROWS_MAX {
        return Err(refused(format!(
            "an import has at most {IMPORT_ROWS_MAX} rows; split it"
        )));
    }
    for (index, row) in rows.iter().enumerate() {
        import_row(write, actor, row).map_err(|fault| in_row(index, fault))?;
    }
    Ok(())
}

fn import_row(write: &Write<'_>, actor: &Actor, row: &ImportRow) -> Outcome<()> {
    if let Some(alias) = alias(&write.tx, &row.address)? {
        return Err(conflict(format!(
            "{} is an alias of {}, which has no devices of its own",
            row.address, alias.target
        )));
    }
    let (mailbox, created) = match mailbox_named(&write.tx, &row.address, write.now)? {
        Some(mailbox) => (mailbox, false),
        None => (insert_mailbox(write, &row.address)?, true),
    };
    let new = NewDevice {
        mailbox: mailbox.id,
        label: row.label.clone(),
        kind: DeviceKind::Other,
        user: None,
        scopes: Scopes::ALL,
        expires_at: row.expires_at,
        networks: Networks::default(),
        senders: SenderRule::default(),
        credential: Some(row.credential.clone()),
        imported: true,
    };
    let device = insert_device(write, &mailbox, &new)?;
    let mut detail = device_detail(&mailbox.address, &device);
    detail["mailbox_created"] = json!(created);
    detail["expires_at"] = json!(device.expires_at.map(Timestamp::rfc3339));
    let id = device.id.to_string();
    write.audit(actor, Action::DeviceImport, About::mailbox(&mailbox, &id), detail)
}

fn in_row(index: usize, fault: Fault) -> Fault {
    let named = |text: String| format!("row {}: {text}", index + 1);
    match fault {
        Fault::Rule(Error::Conflict(text)) => Fault::Rule(Error::Conflict(named(text))),
        Fault::Rule(Error::NotFound(text)) => Fault::Rule(Error::NotFound(named(text))),
        Fault::Rule(Error::Refused(text)) => Fault::Rule(Error::Refused(named(text))),
        other => other,
    }
}
