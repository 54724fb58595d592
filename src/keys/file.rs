//! The keyring file: a line `postern-key 1`, then one line `<id> <base64 of 32 octets>` a key, ids growing.
//!
//! Mode 0600, created exclusively, written durably (file and folder are flushed) before anything depends on it. A new
//! key is appended to a copy that then takes the file's place, so that a crash leaves either the old or the new ring; it
//! belongs to the old one's owner, as root may rotate what the daemon's user has to read.
//! The owner is not checked: systemd hands credentials over as root's files.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::{Zeroize, Zeroizing};

use super::{Error, KEY_BYTES, random_bytes};
use crate::secret::Secret;

const HEADER: &str = "postern-key 1";

/// Octets of a key file; a thousand keys fit, a mistaken path to something large does not.
const MAX_FILE_BYTES: usize = 64 * 1024;

/// One key as it stands in the file.
pub(super) struct Record {
    pub(super) id: u32,
    pub(super) material: Secret<[u8; KEY_BYTES]>,
}

pub(super) fn create(path: &Path) -> Result<Vec<Record>, Error> {
    let records = vec![Record {
        id: 1,
        material: random_bytes(),
    }];
    write_new(path, &records, None).map_err(|error| match error {
        Error::Io { source, path, .. } if source.kind() == ErrorKind::AlreadyExists => Error::Exists(path),
        error => error,
    })?;
    flush_folder(path)?;
    Ok(records)
}

pub(super) fn load(path: &Path) -> Result<Vec<Record>, Error> {
    let failed = |action| {
        move |source| Error::Io {
            path: path.to_owned(),
            action,
            source,
        }
    };
    let file = File::open(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => Error::Missing(path.to_owned()),
        _ => failed("open it")(source),
    })?;
    // Asked of the open file, so that nobody can swap the path in between.
    let mode = file.metadata().map_err(failed("read its mode"))?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(Error::Open {
            path: path.to_owned(),
            mode,
        });
    }
    // All the room at once: a growing buffer would leave copies of the keys behind.
    let mut text = Zeroizing::new(String::with_capacity(MAX_FILE_BYTES + 1));
    file.take(MAX_FILE_BYTES as u64 + 1)
        .read_to_string(&mut text)
        .map_err(failed("read it"))?;
    if text.len() > MAX_FILE_BYTES {
        return Err(Error::Malformed {
            path: path.to_owned(),
            line: 1,
            problem: "the file is longer than 64 KiB",
        });
    }
    parse(&text).map_err(|(line, problem)| Error::Malformed {
        path: path.to_owned(),
        line,
        problem,
    })
}

pub(super) fn rotate(path: &Path) -> Result<Vec<Record>, Error> {
    let copy = copy_path(path);
    let mut records = load(path)?;
    let newest = records.iter().map(|record| record.id).max().unwrap_or(0);
    let id = newest.checked_add(1).ok_or_else(|| Error::Malformed {
        path: path.to_owned(),
        line: records.len() + 1,
        problem: "the last possible key number is in use",
    })?;
    records.push(Record {
        id,
        material: random_bytes(),
    });
    let old = std::fs::metadata(path).map_err(|source| Error::Io {
        path: path.to_owned(),
        action: "read its owner",
        source,
    })?;
    // The copy's exclusive creation is also the lock between two rotations.
    write_new(&copy, &records, Some(&old)).map_err(|error| match error {
        Error::Io { source, path, .. } if source.kind() == ErrorKind::AlreadyExists => Error::Rotating(path),
        error => error,
    })?;
    std::fs::rename(&copy, path).map_err(|source| Error::Io {
        path: path.to_owned(),
        action: "replace it",
        source,
    })?;
    flush_folder(path)?;
    Ok(records)
}

fn copy_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}

/// Writes a file that must not exist yet; it belongs to the owner of `like`, where given.
fn write_new(path: &Path, records: &[Record], like: Option<&Metadata>) -> Result<(), Error> {
    let failed = |action| {
        move |source| Error::Io {
            path: path.to_owned(),
            action,
            source,
        }
    };
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(failed("create it"))?;
    let own = file.metadata().map_err(failed("read its owner"))?.uid();
    if let Some(like) = like.filter(|like| like.uid() != own) {
        fchown(&file, Some(like.uid()), Some(like.gid())).map_err(failed("give it to the owner of the old one"))?;
    }
    let mut line = Zeroizing::new(String::with_capacity(64));
    writeln!(file, "{HEADER}").map_err(failed("write it"))?;
    for record in records {
        line.clear();
        STANDARD.encode_string(record.material.expose(), &mut line);
        writeln!(file, "{} {}", record.id, line.as_str()).map_err(failed("write it"))?;
    }
    file.sync_all().map_err(failed("flush it"))
}

/// A new name is durable only once its folder is.
fn flush_folder(path: &Path) -> Result<(), Error> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."));
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| Error::Io {
            path: path.to_owned(),
            action: "flush its folder",
            source,
        })
}

fn parse(text: &str) -> Result<Vec<Record>, (usize, &'static str)> {
    let mut lines = text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim_end()));
    match lines.next() {
        Some((_, HEADER)) => {}
        Some((_, line)) if line.starts_with("postern-key ") => {
            return Err((1, "the file has a form that this Postern does not know"));
        }
        _ => return Err((1, "the first line is not `postern-key 1`")),
    }
    let mut records: Vec<Record> = Vec::new();
    for (number, line) in lines.filter(|(_, line)| !line.is_empty()) {
        let (id, material) = line.split_once(' ').ok_or((number, "a key line is `number base64`"))?;
        let id = id.parse().map_err(|_| (number, "the key's number is not a number"))?;
        if records.iter().any(|record| record.id == id) {
            return Err((number, "the key's number occurs twice"));
        }
        records.push(Record {
            id,
            material: decode(material).ok_or((number, "the key is not base64 of 32 octets"))?,
        });
    }
    if records.is_empty() {
        Err((2, "there is no key in the file"))
    } else {
        Ok(records)
    }
}

fn decode(material: &str) -> Option<Secret<[u8; KEY_BYTES]>> {
    // The decoder asks for room for every group of four letters, padding included.
    let mut buffer = Zeroizing::new([0_u8; KEY_BYTES + 1]);
    let length = STANDARD.decode_slice(material.trim(), buffer.as_mut_slice()).ok()?;
    let mut octets: [u8; KEY_BYTES] = buffer.get(..length)?.try_into().ok()?;
    let secret = Secret::new(octets);
    octets.zeroize();
    Some(secret)
}
