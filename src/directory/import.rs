//! Import: all rows are judged before the first is written, so that a person corrects a file once.
//!
//! Reading files is the command line's part.

use std::collections::{HashMap, HashSet};
use std::fmt;

use super::{Directory, Error};
use crate::model::{Address, DomainName, name};
use crate::store::{Actor, DeviceFilter, IMPORT_ROWS_MAX, ImportRow};
use crate::verify::hash::check_imported;

/// A row that cannot be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// Its place, counted from 0.
    pub index: usize,
    /// Its address.
    pub address: Address,
    /// What is wrong and what to do.
    pub reason: String,
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {} ({}): {}", self.index + 1, self.address, self.reason)
    }
}

impl Directory {
    /// Imports all rows, or none; says how many.
    ///
    /// # Errors
    /// [`Error::Import`] names every row that is refused, as [`Directory::check_import`] does.
    pub async fn import(&self, actor: &Actor, rows: Vec<ImportRow>) -> Result<usize, Error> {
        let refused = self.check_import(&rows).await?;
        if !refused.is_empty() {
            return Err(Error::Import(refused));
        }
        // Nothing to write is no write: an empty import leaves no trace.
        if !rows.is_empty() {
            self.store.import(actor, &rows).await?;
        }
        Ok(rows.len())
    }

    /// The rows that cannot be imported, with the reason of each; changes nothing.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn check_import(&self, rows: &[ImportRow]) -> Result<Vec<RowError>, Error> {
        let domains = self.store.domains(None).await?;
        let mut judge = Judge {
            directory: self,
            domains: domains.into_iter().map(|known| known.name).collect(),
            labels: HashMap::new(),
        };
        let mut refused = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            if let Some(reason) = judge.refusal(index, row).await? {
                refused.push(RowError {
                    index,
                    address: row.address.clone(),
                    reason,
                });
            }
        }
        Ok(refused)
    }
}

struct Judge<'a> {
    directory: &'a Directory,
    domains: HashSet<DomainName>,
    /// Labels in use, per address, those of earlier rows included; none for an alias.
    labels: HashMap<Address, Known>,
}

enum Known {
    Alias(Address),
    Mailbox(HashSet<String>),
}

impl Judge<'_> {
    async fn refusal(&mut self, index: usize, row: &ImportRow) -> Result<Option<String>, Error> {
        if index >= IMPORT_ROWS_MAX {
            return Ok(Some(format!("an import has at most {IMPORT_ROWS_MAX} rows; split it")));
        }
        let domain = row.address.domain();
        if !self.domains.contains(&domain) {
            return Ok(Some(format!(
                "the mail domain {domain} is not known; add it to an organisation first"
            )));
        }
        if let Err(bad) = check_imported(&row.credential.hash.0) {
            return Ok(Some(bad.to_string()));
        }
        let label = match name::device_label(&row.label) {
            Ok(label) => label,
            Err(bad) => return Ok(Some(bad.to_string())),
        };
        if !self.labels.contains_key(&row.address) {
            let known = self.known(&row.address).await?;
            self.labels.insert(row.address.clone(), known);
        }
        let taken = match self.labels.get_mut(&row.address) {
            Some(Known::Alias(target)) => {
                let reason = "which has no devices of its own";
                return Ok(Some(format!(
                    "it is an alias of {target}, {reason}; import {target} instead"
                )));
            }
            Some(Known::Mailbox(labels)) => !labels.insert(name::name_key(&label)),
            None => false,
        };
        Ok(taken.then(|| format!("the mailbox has a device named {label:?} already; choose another name")))
    }

    async fn known(&self, address: &Address) -> Result<Known, Error> {
        let store = &self.directory.store;
        if let Some(alias) = store.alias(address).await? {
            return Ok(Known::Alias(alias.target));
        }
        let Some(mailbox) = store.mailbox(address).await? else {
            return Ok(Known::Mailbox(HashSet::new()));
        };
        let filter = DeviceFilter {
            mailbox: Some(mailbox.id),
            ..DeviceFilter::default()
        };
        let devices = store.devices(&filter).await?;
        Ok(Known::Mailbox(
            devices
                .into_iter()
                .map(|device| name::name_key(&device.label))
                .collect(),
        ))
    }
}
