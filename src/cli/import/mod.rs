//! `postern import`: existing password hashes, as one device a mailbox.
//!
//! Everything is judged before anything is written, and what is written is one transaction: an import happens as a
//! whole or not at all. A row that is refused refuses the import, unless `--skip-refused` says otherwise.

mod csv_file;
mod passwd_file;

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::json;

use super::failure::Failure;
use super::local::Local;
use super::output::{Output, counted};
use super::time;
use crate::clock::Timestamp;
use crate::model::name::{device_label, name_key};
use crate::model::{Address, DomainName};
use crate::store::{Hash, IMPORT_ROWS_MAX, ImportRow, NewCredential};
use crate::verify::hash::check_imported;

/// A larger file is not a list of mailboxes.
const MAX_FILE_BYTES: u64 = 256 << 20;
/// A longer row holds something else than an address and a hash.
const MAX_ROW_BYTES: usize = 4096;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Formats:
  passwd-file  Dovecot's: lines such as anna@example.org:{SHA512-CRYPT}$6$...
  csv          with a header: the columns address and hash, and perhaps label and expires

Mailboxes that are missing are created where their domain is known.

Examples:
  postern import users --format passwd-file --domain example.org --dry-run
  postern import users.csv --format csv --expires 90d --skip-refused")]
pub(super) struct Args {
    /// The file.
    file: PathBuf,
    /// How it is written.
    #[arg(long, value_enum)]
    format: Format,
    /// The domain of names without one.
    #[arg(long)]
    domain: Option<String>,
    /// The label of the devices.
    #[arg(long, default_value = "Existing password")]
    label: String,
    /// When they end by themselves: a date, or a span such as 90d.
    #[arg(long, value_name = "DATE|SPAN")]
    expires: Option<String>,
    /// Say what would be imported, and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Import the good rows even though others are refused.
    #[arg(long)]
    skip_refused: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    PasswdFile,
    Csv,
}

/// A row as it stands in the file.
#[derive(Debug, PartialEq, Eq)]
struct Raw {
    line: u64,
    address: String,
    /// Or a password in clear, which is refused.
    hash: Hash,
    label: Option<String>,
    expires: Option<String>,
}

/// A row that cannot be imported, and why.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Refused {
    line: u64,
    address: String,
    reason: String,
}

impl Refused {
    fn new(line: u64, address: impl Into<String>, reason: impl std::fmt::Display) -> Self {
        Self {
            line,
            address: address.into(),
            reason: reason.to_string(),
        }
    }

    fn line(&self) -> String {
        let address = if self.address.is_empty() {
            String::new()
        } else {
            format!("{}: ", self.address)
        };
        format!("line {}: {address}{}", self.line, self.reason)
    }
}

pub(super) async fn run(args: Args, local: &Local, output: &Output) -> Result<(), Failure> {
    let domain = args
        .domain
        .as_deref()
        .map(DomainName::parse)
        .transpose()
        .map_err(Failure::usage)?;
    let expires_at = args
        .expires
        .as_deref()
        .map(|text| time::read_end(text, local.now()))
        .transpose()
        .map_err(Failure::usage)?;
    let label = device_label(&args.label).map_err(Failure::usage)?;
    let octets = read_file(&args.file)?;
    let rows = match args.format {
        Format::PasswdFile => passwd_file::parse(&octets),
        Format::Csv => csv_file::parse(&octets).map_err(Failure::failed)?,
    };
    if rows.len() > IMPORT_ROWS_MAX {
        return Err(Failure::failed(format!(
            "the file has more than {IMPORT_ROWS_MAX} rows; split it"
        )));
    }
    let judge = Judge {
        domain,
        expires_at,
        label,
        now: local.now(),
        key_id: local.keys.current().id,
        seen: HashMap::new(),
    };
    let (good, refused) = judged(rows, judge, local, output).await?;
    let blocked = !refused.is_empty() && !args.skip_refused;
    let acceptable = good.len();
    let imported = if blocked || args.dry_run || good.is_empty() {
        0
    } else {
        local.directory.import(&local.actor, good).await?
    };
    let value = json!({ "dry_run": args.dry_run, "acceptable": acceptable, "imported": imported, "refused": refused });
    output.show(&value, || {
        let rows = |number| counted(number, "row", "rows");
        let summary = match (args.dry_run, blocked) {
            (true, true) => format!(
                "nothing would be imported: {} refused, {acceptable} acceptable",
                rows(refused.len())
            ),
            (true, false) => format!(
                "{} would be imported, {} refused; nothing was written",
                rows(acceptable),
                refused.len()
            ),
            (false, true) => format!(
                "nothing was imported: {} refused, {acceptable} acceptable",
                rows(refused.len())
            ),
            (false, false) => format!("imported {}, refused {}", rows(imported), refused.len()),
        };
        let lines = refused.iter().map(Refused::line).chain([summary]);
        lines.collect::<Vec<_>>().join("\n")
    })?;
    if blocked {
        let advice = "correct the refused rows, or import the others with --skip-refused";
        return Err(Failure::failed(advice));
    }
    Ok(())
}

/// The rows to import and those that are refused.
async fn judged(
    rows: Vec<Result<Raw, Refused>>,
    mut judge: Judge,
    local: &Local,
    output: &Output,
) -> Result<(Vec<ImportRow>, Vec<Refused>), Failure> {
    let progress = progress(rows.len(), output);
    let (mut good, mut lines, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        match row.and_then(|raw| Ok((raw.line, judge.judge(&raw)?))) {
            Ok((line, row)) => {
                good.push(row);
                lines.push(line);
            }
            Err(row) => refused.push(row),
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    let good = known_to_fit(good, &lines, &mut refused, local).await?;
    Ok((good, refused))
}

/// The rows that the directory would take; the others are added to the refused ones.
async fn known_to_fit(
    rows: Vec<ImportRow>,
    lines: &[u64],
    refused: &mut Vec<Refused>,
    local: &Local,
) -> Result<Vec<ImportRow>, Failure> {
    let misfits = local.directory.check_import(&rows).await?;
    let indices: HashSet<usize> = misfits.iter().map(|misfit| misfit.index).collect();
    let line = |index: usize| lines.get(index).copied().unwrap_or_default();
    refused.extend(
        misfits
            .iter()
            .map(|misfit| Refused::new(line(misfit.index), misfit.address.as_str(), &misfit.reason)),
    );
    refused.sort_by_key(|row| row.line);
    Ok(rows
        .into_iter()
        .enumerate()
        .filter(|(index, _)| !indices.contains(index))
        .map(|(_, row)| row)
        .collect())
}

fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error: std::io::Error| Failure::failed(format!("{} cannot be read: {error}", path.display()));
    let mut octets = Vec::new();
    File::open(path)
        .map_err(failed)?
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut octets)
        .map_err(failed)?;
    if octets.len() as u64 > MAX_FILE_BYTES {
        return Err(Failure::failed(format!(
            "{} is larger than {} MiB; split it",
            path.display(),
            MAX_FILE_BYTES >> 20
        )));
    }
    // Spreadsheets write a byte order mark in front of the first column's name.
    if octets.starts_with(b"\xef\xbb\xbf") {
        octets.drain(..3);
    }
    Ok(octets)
}

/// A bar on a terminal, nothing elsewhere.
fn progress(rows: usize, output: &Output) -> ProgressBar {
    if output.is_json() || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(rows as u64);
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} rows, {eta} left");
    style.map_or_else(|_| ProgressBar::hidden(), |style| bar.with_style(style))
}

/// Turns rows of the file into rows of the store, or says why not.
struct Judge {
    domain: Option<DomainName>,
    expires_at: Option<Timestamp>,
    label: String,
    now: Timestamp,
    key_id: u32,
    /// Address and label of the rows before, and their lines.
    seen: HashMap<(String, String), u64>,
}

impl Judge {
    fn judge(&mut self, raw: &Raw) -> Result<ImportRow, Refused> {
        let refuse = |reason: String| Refused::new(raw.line, shown(&raw.address), reason);
        let address = self.address(&raw.address).map_err(refuse)?;
        let label = match &raw.label {
            Some(label) => device_label(label).map_err(|error| refuse(error.to_string()))?,
            None => self.label.clone(),
        };
        let expires_at = match &raw.expires {
            Some(text) => Some(time::read_end(text, self.now).map_err(refuse)?),
            None => self.expires_at,
        };
        let hash = check_imported(&raw.hash.0).map_err(|error| refuse(error.to_string()))?;
        let key = (address.to_string(), name_key(&label));
        if let Some(line) = self.seen.insert(key, raw.line) {
            return Err(refuse(format!(
                "is on line {line} already with the label \"{label}\"; remove one, or give them labels"
            )));
        }
        Ok(ImportRow {
            address,
            label,
            expires_at,
            credential: NewCredential {
                tag: None,
                key_id: self.key_id,
                hash,
            },
        })
    }

    fn address(&self, text: &str) -> Result<Address, String> {
        let text = text.trim();
        if text.contains('@') {
            return Address::parse(text).map_err(|error| error.to_string());
        }
        let domain = self.domain.as_ref().ok_or("has no domain; name it with --domain")?;
        Address::parse(&format!("{text}@{domain}")).map_err(|error| error.to_string())
    }
}

/// A name from the file, safe for a terminal and short.
fn shown(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect()
}

/// The text of a row, if it can be one.
fn row_text(line: u64, octets: &[u8]) -> Result<&str, Refused> {
    if octets.len() > MAX_ROW_BYTES {
        return Err(Refused::new(line, "", format!("is longer than {MAX_ROW_BYTES} octets")));
    }
    if octets.contains(&0) {
        return Err(Refused::new(line, "", "holds a NUL; the file is damaged or not text"));
    }
    std::str::from_utf8(octets).map_err(|_| Refused::new(line, "", "is not UTF-8; convert the file"))
}
