//! Every secret that a test uses, and the search for them in everything that the gateway leaves behind.
//!
//! A secret is known here in the forms in which it could leak: as typed, canonical, in upper case, in base64 wherever it
//! stands in a message (SASL PLAIN puts names before it), and as the numbers that `Debug` makes of octets. A finding
//! names the place and never the secret.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use memchr::memmem;

/// A shorter word may stand anywhere by chance.
const MIN_BYTES: usize = 8;

thread_local! {
    /// What clients of this thread, which is one test, have sent as passwords.
    static SENT: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

/// Notes a password that a client sends, right or wrong.
pub(crate) fn sent(password: &str) {
    SENT.with_borrow_mut(|sent| sent.insert(password.to_owned()));
}

/// The secrets of one gateway, and what its commands printed.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    secrets: BTreeSet<String>,
    /// Files that are there to hold secrets.
    files: BTreeSet<PathBuf>,
    /// What commands printed, and which ones.
    printed: Vec<(String, Vec<u8>)>,
}

impl Secrets {
    /// Adds a secret.
    pub(crate) fn add(&self, secret: &str) {
        self.lock().secrets.insert(secret.to_owned());
    }

    /// Adds a file that is there to hold secrets, and is not searched.
    pub(crate) fn add_file(&self, path: &Path) {
        self.lock().files.insert(path.to_owned());
    }

    /// Keeps what a command printed. The password that it shows once becomes a secret, and is left out here alone.
    pub(crate) fn add_output(&self, command: &[&str], shown: Option<&str>, printed: &str) {
        let mut known = self.lock();
        let printed = match shown {
            Some(password) => {
                known.secrets.insert(password.to_owned());
                printed.replacen(password, "", 1)
            }
            None => printed.to_owned(),
        };
        known.printed.push((
            format!("output of `postern {}`", command.get(..2).unwrap_or_default().join(" ")),
            printed.into_bytes(),
        ));
    }

    /// Searches these places, everything printed, and every file below `folder`; gives the places with a secret.
    pub(crate) fn search(&self, folder: &Path, places: Vec<(String, Vec<u8>)>) -> Vec<String> {
        let known = self.lock();
        let sent = SENT.with_borrow(BTreeSet::clone);
        let forms: BTreeSet<Vec<u8>> = known.secrets.union(&sent).flat_map(|secret| forms(secret)).collect();
        let forms: Vec<_> = forms.iter().map(memmem::Finder::new).collect();
        let holds = |text: &[u8]| forms.iter().any(|form| form.find(text).is_some());
        let mut found = Vec::new();
        for (place, text) in places.iter().chain(&known.printed) {
            if holds(text) {
                found.push(place.clone());
            }
        }
        for file in files(folder) {
            // What is gone meanwhile, and sockets, hold nothing.
            if !known.files.contains(&file) && fs::read(&file).is_ok_and(|text| holds(&text)) {
                found.push(file.display().to_string());
            }
        }
        found
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a secret could be written down; nothing for one that is too short to be told from chance.
pub(crate) fn forms(secret: &str) -> Vec<Vec<u8>> {
    if secret.len() < MIN_BYTES {
        return Vec::new();
    }
    let mut words = vec![secret.to_owned()];
    let letters: String = secret.chars().filter(char::is_ascii_alphanumeric).collect();
    if secret.contains('-') && letters.len() >= MIN_BYTES {
        words.extend([letters.to_ascii_uppercase(), letters, secret.to_ascii_uppercase()]);
    }
    let mut forms = Vec::new();
    for word in words {
        forms.extend((0..3).map(|before| base64_behind(before, word.as_bytes())));
        forms.push(STANDARD.encode(&word).into_bytes());
        let numbers: Vec<_> = word.bytes().map(|octet| octet.to_string()).collect();
        forms.push(numbers.join(", ").into_bytes());
        forms.push(word.into_bytes());
    }
    forms
}

/// The letters of base64 that this text has for certain where `before` octets (modulo 3) stand in front of it.
fn base64_behind(before: usize, text: &[u8]) -> Vec<u8> {
    let octets = [&[0; 3][..before], text].concat();
    let mut letters = STANDARD_NO_PAD.encode(&octets).into_bytes();
    // A letter that also holds bits of a neighbour depends on it.
    if octets.len() % 3 != 0 {
        letters.pop();
    }
    letters.drain(..(before * 8).div_ceil(6));
    letters
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(folder) else { continue };
        for entry in entries.filter_map(Result::ok) {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(kind) if kind.is_file() => files.push(entry.path()),
                _ => {}
            }
        }
    }
    files
}
