//! Configuration: one TOML file, read, checked and completed in one go.
//!
//! `file` is the text as it is written; [`Config`] is checked and complete, and made of the settings that each
//! component defines for itself. Only this module knows TOML. Every finding names file, line, column, key and what to
//! do, and all of them are reported at once. Relative paths begin at the configuration file's folder. Secrets are
//! never in the file, an argument or the environment: only in files that nobody else can read.

mod client_settings;
mod dns;
mod file;
mod listen;
mod login;
mod mail;
mod manager;
mod problem;
mod read;
mod restart;
mod route;
pub mod secret_file;
mod section;
pub(crate) mod units;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use problem::{Problem, Severity};

pub use crate::listen::TlsMode;

use crate::listen::ListenerConfig;
use crate::model::DomainName;
use crate::onboard::records::Reach;
use crate::peer::Protocol;
use crate::{admin, log_filter, onboard, outbox, session, store, throttle, tls, upstream, verify};
use file::File;
use problem::Problems;
use section::{Section, hours, ms, or, secs, span};

/// A larger file is not a configuration.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// The longest path that a Unix socket can have (`sun_path`, with its final NUL).
const MAX_SOCKET_PATH: usize = 107;
/// The commented default: what `postern init` writes.
pub const DEFAULT_FILE: &str = include_str!("../../config/postern.toml");

/// Checked and complete.
#[derive(Debug, Clone)]
pub struct Config {
    /// The database, the server key and the control socket are here unless they are put elsewhere.
    pub data_dir: PathBuf,
    /// The keyring file.
    pub key_file: PathBuf,
    /// Threads of the asynchronous runtime; 0 = one a core.
    pub workers: usize,
    /// The embedded store.
    pub store: store::sqlite::Config,
    /// How passwords are verified.
    pub verify: verify::Config,
    /// How wrong ones are slowed.
    pub throttle: throttle::Config,
    /// Longest time until a change made by another process is noticed.
    pub change_poll: Duration,
    /// Certificates.
    pub tls: tls::Config,
    /// Make a certificate authority and certificate where they are missing.
    pub development_certificates: bool,
    /// Where clients connect.
    pub listen: crate::listen::Config,
    /// What they may do.
    pub session: session::Config,
    /// Where their mail is.
    pub upstream: upstream::Config,
    /// The mail that Postern sends.
    pub outbox: outbox::Config,
    /// Operators' listener and control socket.
    pub admin: admin::Config,
    /// The Manager; off where unset.
    pub manager: Option<admin::manager::Config>,
    /// What people type into their mail programs.
    pub client_settings: onboard::Settings,
    /// The other way to read and to send mail, where listeners offer it beside that which people are told.
    pub beside: [Option<onboard::Service>; 2],
    /// Whom we ask about the records of mail domains.
    pub dns: crate::dns::Config,
    /// Logging.
    pub log: Log,
}

impl Config {
    /// How the world reaches this installation.
    pub fn reach(&self) -> Reach {
        let manager = self.manager.as_ref();
        let [imap_beside, smtp_beside] = self.beside.clone();
        Reach {
            settings: self.client_settings.clone(),
            imap_beside,
            smtp_beside,
            manager: manager.map(|manager| manager.origin.clone()),
            manager_tls: manager
                .is_some_and(|manager| matches!(manager.place, admin::manager::Place::Tcp { tls: true, .. })),
        }
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Human on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// Logging.
#[derive(Debug, Clone)]
pub struct Log {
    /// How lines look.
    pub format: LogFormat,
    /// An `EnvFilter` directive.
    pub level: String,
}

/// Whether the files behind `password_file` are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// They are: the configuration can be served from.
    Read,
    /// They are not, and every upstream password is empty: enough for commands that only work on the store, which
    /// then need no right to read them.
    Skip,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read at all.
    #[error("{path}: {reason}; name the configuration with --config, or make one with `postern init`")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// It has errors: all findings, warnings included, in the order of the file.
    #[error("{}", Lines(.0))]
    Problems(Vec<Problem>),
}

struct Lines<'a>(&'a [Problem]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errors = self.0.iter().filter(|problem| problem.severity == Severity::Error);
        for (number, problem) in errors.enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

/// Reads and checks a file; the warnings come with the result.
///
/// # Errors
/// The file cannot be read, or has at least one error.
pub fn load(path: &Path, secrets: Secrets) -> Result<(Config, Vec<Problem>), Error> {
    let unreadable = |reason: String| Error::Unreadable {
        path: path.to_owned(),
        reason,
    };
    let facts = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?;
    if !facts.is_file() || facts.len() > MAX_FILE_BYTES {
        return Err(unreadable(format!(
            "not a file of at most {} KiB",
            MAX_FILE_BYTES >> 10
        )));
    }
    let octets = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    let text = String::from_utf8(octets).map_err(|_| unreadable("not UTF-8 text".to_owned()))?;
    // An absolute base keeps paths right for a daemon that changes its folder.
    let base = path
        .parent()
        .filter(|base| !base.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."));
    let base = base.canonicalize().map_err(|error| unreadable(error.to_string()))?;
    check(path, &text, &base, secrets)
}

/// Checks a text as if it stood in the file `path`.
fn check<'a>(path: &'a Path, text: &'a str, base: &'a Path, secrets: Secrets) -> Result<(Config, Vec<Problem>), Error> {
    let mut problems = Problems::new(path, text);
    let file = read::read(text, &mut problems);
    // A key that could not be read would be missed here: its own problem is enough.
    let readable = !problems.has_errors();
    let mut checked = Problems::new(path, text);
    let config = complete(&file, &mut checked, base, secrets);
    let mut found = problems.into_sorted();
    if readable {
        found = checked.into_sorted();
    }
    match config {
        Some(config) if !found.iter().any(|problem| problem.severity == Severity::Error) => Ok((config, found)),
        _ => Err(Error::Problems(found)),
    }
}

fn complete<'a>(file: &File, problems: &mut Problems<'a>, base: &'a Path, secrets: Secrets) -> Option<Config> {
    let mut top = Section::new(problems, "", base);
    let hostname = hostname(&mut top, file);
    let data_dir = top.path(&file.data_dir, || "/var/lib/postern".into());
    let key_file = top.path(&file.key_file, || data_dir.join("server.key"));
    let admin = admin(&mut top, file, &data_dir);
    let listeners = listen::listeners(&mut top, &file.listener);
    let routes = route::routes(&mut top, &file.route, secrets);
    route::refuse_loops(&mut top, &file.route, &listeners, &hostname);
    every_listener_has_a_route(&mut top, &listeners, file);
    let tls = tls(&mut top, file);
    let client_settings = client_settings::check(&mut top, &file.client_settings, &hostname, &listeners);
    let beside = client_settings::beside(&file.client_settings, &client_settings, &listeners);
    let taken = (listeners.as_slice(), admin.operations_address);
    let outbox = mail::outbox(&mut top, file, &hostname, secrets);
    let links = (
        outbox.origin.as_ref(),
        file.mail.host.is_some() || file.mail.from.is_some(),
    );
    let mut of_manager = Section::new(problems, "manager", base);
    let manager = manager::check(&mut of_manager, &file.manager, taken, links);
    let dns = dns::check(&mut Section::new(problems, "dns", base), &file.dns);
    let mut listen = listen::limits(&mut Section::new(problems, "limits", base), &file.limits, listeners);
    let network = listen.network;
    let throttle = login::throttle(&mut Section::new(problems, "throttle", base), &file.throttle, network);
    let mut verify = login::passwords(&mut Section::new(problems, "passwords", base), &file.passwords, network);
    let before = login::before_login(&mut Section::new(problems, "before_login", base), &file.before_login);
    let mut sessions = Section::new(problems, "sessions", base);
    listen.drain_time = sessions.time("drain_time", &file.sessions.drain_time, secs(30), secs(0)..=hours(1));
    listen.close_time = sessions.time("close_time", &file.sessions.close_time, secs(5), ms(100)..=secs(60));
    let mut top = Section::new(problems, "", base);
    let mut session = login::session(&mut top, file, hostname.clone(), before, &throttle);
    session.close_time = listen.close_time;
    verify.help_url = login::help_url(&mut top, &file.sessions);
    let (store, change_poll) = store(&mut top, file, &data_dir);
    let workers = top.number("runtime.workers", &file.runtime.workers, 0, 0..=1024);
    let log = log(&mut top, file);
    Some(Config {
        data_dir,
        key_file,
        workers,
        store,
        verify,
        throttle,
        change_poll,
        tls,
        development_certificates: or(&file.tls.development, false),
        listen,
        session,
        upstream: upstream::Config { routes, hostname },
        outbox,
        admin,
        manager: manager.map(|manager| admin::manager::Config { network, ..manager }),
        client_settings,
        beside,
        dns,
        log,
    })
}

fn hostname(top: &mut Section<'_, '_>, file: &File) -> String {
    let Some(given) = &file.hostname else {
        top.error(
            "hostname",
            &file.hostname,
            "the name that clients connect to is missing; add hostname = \"mail.example.org\"",
        );
        return String::new();
    };
    match DomainName::parse(given.get_ref()) {
        Ok(name) => name.to_string(),
        Err(_) => {
            top.error(
                "hostname",
                &file.hostname,
                format!(
                    "`{}` is not a full host name; write one such as \"mail.example.org\"",
                    given.get_ref()
                ),
            );
            String::new()
        }
    }
}

/// Asks the file rather than the checked routes: a service with an error of its own is there.
fn every_listener_has_a_route(top: &mut Section<'_, '_>, listeners: &[ListenerConfig], file: &File) {
    for protocol in [Protocol::Imap, Protocol::Smtp] {
        let serves = |route: &serde_spanned::Spanned<file::Route>| match protocol {
            Protocol::Imap => route.get_ref().imap.is_some(),
            Protocol::Smtp => route.get_ref().smtp.is_some(),
        };
        let name = protocol.name();
        let Some(listener) = listeners.iter().find(|listener| listener.protocol == protocol) else {
            continue;
        };
        if !file.route.iter().any(serves) {
            top.error_at(
                "route",
                None,
                format!(
                    "listener \"{}\" accepts {name}, but no route has [route.{name}]; add one, or remove the listener",
                    listener.name
                ),
            );
        }
    }
}

fn tls(top: &mut Section<'_, '_>, file: &File) -> tls::Config {
    let development = or(&file.tls.development, false);
    if file.tls.certificate.is_empty() && !development {
        top.error("tls.certificate", &None::<serde_spanned::Spanned<()>>, "there is no certificate; add [[tls.certificate]] with chain and key, or development = true under [tls] to try things out");
    }
    if development && !file.tls.certificate.is_empty() {
        top.error(
            "tls.development",
            &file.tls.development,
            "certificates are given as well; remove them or this",
        );
    }
    let mut certificates = Vec::new();
    for entry in &file.tls.certificate {
        let raw = entry.get_ref();
        for (name, missing) in [("chain", raw.chain.is_none()), ("key", raw.key.is_none())] {
            if missing {
                top.error_at(
                    &format!("tls.certificate.{name}"),
                    Some(entry.span()),
                    format!("this certificate is not complete; add {name} = \"/path/to/file.pem\""),
                );
            }
        }
        if let (Some(certificate), Some(key)) = (top.optional_path(&raw.chain), top.optional_path(&raw.key)) {
            certificates.push(tls::CertificateConfig { certificate, key });
        }
    }
    let min_version = match or(&file.tls.min_version, file::TlsVersion::Tls12) {
        file::TlsVersion::Tls12 => tls::Version::Tls12,
        file::TlsVersion::Tls13 => tls::Version::Tls13,
    };
    tls::Config {
        certificates,
        min_version,
    }
}

fn store(top: &mut Section<'_, '_>, file: &File, data_dir: &Path) -> (store::sqlite::Config, Duration) {
    let raw = &file.store;
    let store = store::sqlite::Config {
        path: top.path(&raw.path, || data_dir.join("postern.db")),
        readers: top.number("store.readers", &raw.readers, 2, 1..=64),
        busy_timeout: top.time("store.busy_timeout", &raw.busy_timeout, secs(5), ms(100)..=secs(60)),
    };
    let change_poll = top.time("store.change_poll", &raw.change_poll, ms(250), ms(10)..=secs(60));
    if change_poll >= Duration::from_secs(1) {
        top.warning(
            "store.change_poll",
            &raw.change_poll,
            "a revocation by the command line may take this long; use less than \"1 s\"",
        );
    }
    (store, change_poll)
}

fn admin(top: &mut Section<'_, '_>, file: &File, data_dir: &Path) -> admin::Config {
    let raw = &file.admin;
    let operations_address = raw.operations_address.as_ref().map(|address| address.get_ref().0);
    if let Some(address) = operations_address {
        if file.listener.iter().any(|listener| {
            listener
                .get_ref()
                .address
                .as_ref()
                .is_some_and(|socket| socket.get_ref().0 == address && address.port() != 0)
        }) {
            top.error(
                "admin.operations_address",
                &raw.operations_address,
                "a listener has this address already; use another port",
            );
        }
        if !address.ip().is_loopback() {
            top.warning(
                "admin.operations_address",
                &raw.operations_address,
                "metrics are readable without a password; keep this on a loopback or private address",
            );
        }
    }
    let control_socket = top.path(&raw.control_socket, || data_dir.join("control.sock"));
    let length = control_socket.as_os_str().len();
    if length > MAX_SOCKET_PATH {
        let message = format!(
            "{} has {length} octets and a Unix socket at most {MAX_SOCKET_PATH}; name a shorter path",
            control_socket.display()
        );
        top.error("admin.control_socket", &raw.control_socket, message);
    }
    admin::Config {
        operations_address,
        control_socket,
    }
}

fn log(top: &mut Section<'_, '_>, file: &File) -> Log {
    let level = or(&file.log.level, "info".to_owned());
    if log_filter::filter(&level).is_err() {
        let message = format!(
            "`{level}` is not a level; write error, warn, info, debug or trace, or a filter such as \"info,postern::session=debug\""
        );
        top.error_at("log.level", span(&file.log.level), message);
    }
    let format = match or(&file.log.format, file::LogFormat::Auto) {
        file::LogFormat::Auto => LogFormat::Auto,
        file::LogFormat::Human => LogFormat::Human,
        file::LogFormat::Json => LogFormat::Json,
    };
    Log { format, level }
}
