//! `postern check`: the configuration and everything it names, without changing anything.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde::Serialize;
use serde_json::json;

use super::failure::{Exit, Failure};
use super::output::{Output, counted};
use super::time;
use crate::clock::{Clock, Timestamp};
use crate::config::{self, Config, Problem, Secrets, Severity};
use crate::keys::Keyring;
use crate::outbox::Outbox;
use crate::store::sqlite::SqliteStore;
use crate::tls::{Certificates, Connector, RENEWAL_NOTICE, covers};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example, before every (re)start:\n  postern check && systemctl reload postern")]
pub(super) struct Args {
    /// Try to bind the listeners too: only while the daemon is stopped.
    #[arg(long)]
    bind: bool,
}

/// How one check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Ok,
    Warning,
    Error,
}

/// One line of the report.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    pub(super) check: String,
    pub(super) state: State,
    pub(super) detail: String,
}

impl Finding {
    pub(super) fn new(check: impl Into<String>, state: State, detail: impl std::fmt::Display) -> Self {
        Self {
            check: check.into(),
            state,
            detail: detail.to_string(),
        }
    }
}

pub(super) fn run(args: Args, path: &Path, output: &Output) -> Result<(), Failure> {
    let clock = Clock::system();
    let (config, problems) = match config::load(path, Secrets::Read) {
        Ok((config, warnings)) => (Some(config), warnings),
        Err(config::Error::Problems(problems)) => (None, problems),
        Err(error) => return Err(error.into()),
    };
    let mut findings: Vec<Finding> = problems.iter().map(of_problem).collect();
    if let Some(config) = &config {
        findings.push(Finding::new("config", State::Ok, path.display()));
        data_dir(config, &mut findings);
        findings.extend(manager_socket(config));
        certificates(config, clock.utc(), &mut findings);
        connectors(config, &mut findings);
        mail(config, &mut findings);
        store_and_keys(config, clock, &mut findings)?;
        open_files(config, &mut findings);
        if args.bind {
            bind(config, &mut findings);
        }
    }
    report(
        &findings,
        if config.is_none() { Exit::Config } else { Exit::Failed },
        output,
    )
}

/// Prints the findings; errors among them make the command fail with `exit`.
pub(super) fn report(findings: &[Finding], exit: Exit, output: &Output) -> Result<(), Failure> {
    let count = |state| findings.iter().filter(|finding| finding.state == state).count();
    let (errors, warnings) = (count(State::Error), count(State::Warning));
    let value = json!({ "findings": findings, "errors": errors, "warnings": warnings });
    output.show(&value, || {
        let mut lines: Vec<String> = findings
            .iter()
            .map(|finding| {
                let state = match finding.state {
                    State::Ok => "ok     ",
                    State::Warning => "warning",
                    State::Error => "ERROR  ",
                };
                format!("{state}  {}: {}", finding.check, finding.detail)
            })
            .collect();
        lines.push(format!(
            "{}, {}",
            counted(errors, "error", "errors"),
            counted(warnings, "warning", "warnings")
        ));
        lines.join("\n")
    })?;
    if errors > 0 {
        Err(Failure::new(exit, ""))
    } else {
        Ok(())
    }
}

fn of_problem(problem: &Problem) -> Finding {
    let state = match problem.severity {
        Severity::Error => State::Error,
        Severity::Warning => State::Warning,
    };
    Finding::new("config", state, problem)
}

/// Whoever may reach the Manager's socket is taken for the reverse proxy.
fn manager_socket(config: &Config) -> Option<Finding> {
    config.manager.as_ref()?.place.socket().map(reach_of)
}

fn reach_of(socket: &Path) -> Finding {
    const CHECK: &str = "manager.unix_socket";
    let folder = socket.parent().unwrap_or_else(|| Path::new("/"));
    let dir = folder.display();
    match fs::metadata(folder) {
        Err(error) => Finding::new(CHECK, State::Error, format!("{dir}: {error}; make the folder")),
        Ok(facts) if facts.permissions().mode() & 0o007 != 0 => Finding::new(
            CHECK,
            State::Warning,
            format!(
                "{dir} is open to every user of this machine, who could then ask the Manager as if from any address; `chmod o= {dir}`, and put the reverse proxy into its group"
            ),
        ),
        Ok(_) => Finding::new(CHECK, State::Ok, socket.display()),
    }
}

fn data_dir(config: &Config, findings: &mut Vec<Finding>) {
    let dir = config.data_dir.display();
    let finding = match fs::metadata(&config.data_dir) {
        Err(error) => Finding::new("data_dir", State::Error, format!("{dir}: {error}; run `postern init`")),
        Ok(facts) if facts.permissions().mode() & 0o077 != 0 => Finding::new(
            "data_dir",
            State::Error,
            format!("{dir} is open to others; `chmod 700 {dir}`"),
        ),
        Ok(_) => Finding::new("data_dir", State::Ok, dir),
    };
    findings.push(finding);
}

fn certificates(config: &Config, now: Timestamp, findings: &mut Vec<Finding>) {
    if config.development_certificates {
        findings.push(Finding::new(
            "certificate",
            State::Warning,
            "made for development: no client trusts it",
        ));
        return;
    }
    let certificates = match Certificates::load(&config.tls) {
        Ok(certificates) => certificates,
        Err(error) => return findings.push(Finding::new("certificate", State::Error, error)),
    };
    for facts in certificates.describe() {
        let state = if facts.not_after <= now {
            State::Error
        } else if facts.not_after <= now.plus(RENEWAL_NOTICE) {
            State::Warning
        } else {
            State::Ok
        };
        let end = if state == State::Error {
            "has ended"
        } else {
            "is valid until"
        };
        let detail = format!(
            "{} for {} {end} {}",
            facts.path.display(),
            facts.names.join(", "),
            time::human(facts.not_after, now)
        );
        findings.push(Finding::new("certificate", state, detail));
        if facts.not_after > now && !facts.names.iter().any(|name| covers(name, &config.session.hostname)) {
            let detail = format!(
                "{} is not for hostname = \"{}\"",
                facts.path.display(),
                config.session.hostname
            );
            findings.push(Finding::new("certificate", State::Warning, detail));
        }
    }
}

fn connectors(config: &Config, findings: &mut Vec<Finding>) {
    for route in &config.upstream.routes {
        for (protocol, service) in [("imap", &route.imap), ("smtp", &route.smtp)] {
            let Some(service) = service else { continue };
            let check = format!("route {} {protocol}", route.name);
            findings.push(match Connector::new(&service.tls) {
                Ok(_) => Finding::new(
                    check,
                    State::Ok,
                    "settings can be used; try the way itself with `postern doctor`",
                ),
                Err(error) => Finding::new(check, State::Error, error),
            });
        }
    }
}

fn mail(config: &Config, findings: &mut Vec<Finding>) {
    let Some(server) = &config.outbox.server else { return };
    findings.push(match Outbox::check(&config.outbox) {
        Ok(()) => {
            let detail = format!(
                "{} goes out through {}; try it with `postern doctor mail --to ADDRESS`",
                server.from, server.host
            );
            Finding::new("mail", State::Ok, detail)
        }
        Err(error) => Finding::new("mail", State::Error, error),
    });
}

fn store_and_keys(config: &Config, clock: Clock, findings: &mut Vec<Finding>) -> Result<(), Failure> {
    let keys = match Keyring::load(&config.key_file) {
        Ok(keys) => keys,
        Err(error) => {
            findings.push(Finding::new("server_key", State::Error, error));
            return Ok(());
        }
    };
    findings.push(Finding::new("server_key", State::Ok, config.key_file.display()));
    let path = config.store.path.display();
    match SqliteStore::pending_migrations(&config.store) {
        Err(error) => findings.push(Finding::new("database", State::Error, error)),
        // Opening it would apply them, and a check changes nothing.
        Ok(pending) if !pending.is_empty() => findings.push(Finding::new(
            "database",
            State::Warning,
            format!(
                "{path} will be upgraded at the next start by {}; make a backup",
                pending.join(", ")
            ),
        )),
        Ok(_) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let opened = SqliteStore::open(&config.store, clock)
                .and_then(|store| runtime.block_on(store.check_key_fingerprints(&keys.fingerprints())));
            findings.push(match opened {
                Ok(()) => Finding::new("database", State::Ok, format!("{path} belongs to this server key")),
                Err(error) => Finding::new("database", State::Error, error),
            });
        }
    }
    Ok(())
}

fn open_files(config: &Config, findings: &mut Vec<Finding>) {
    let wanted = super::serve::open_files_for(config);
    let Ok((_, hard)) = rlimit::getrlimit(rlimit::Resource::NOFILE) else {
        return;
    };
    if hard < wanted {
        let detail = format!(
            "limits.connections = {} needs {wanted} open files, the system allows {hard}; raise LimitNOFILE or lower it",
            config.listen.max_connections
        );
        findings.push(Finding::new("open_files", State::Warning, detail));
    }
}

fn bind(config: &Config, findings: &mut Vec<Finding>) {
    let listeners = config
        .listen
        .listeners
        .iter()
        .map(|listener| (listener.name.as_str(), listener.address));
    let operations = config.admin.operations_address.map(|address| ("operations", address));
    for (name, address) in listeners.chain(operations) {
        findings.push(bound(name, address));
    }
}

fn bound(name: &str, address: SocketAddr) -> Finding {
    match TcpListener::bind(address) {
        Ok(_) => Finding::new(format!("listener {name}"), State::Ok, format!("{address} is free")),
        Err(error) => Finding::new(
            format!("listener {name}"),
            State::Error,
            format!("{address} cannot be bound: {error}; `ss -ltnp` names who listens there, a running Postern too"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_the_managers_socket_is_for_the_reverse_proxy_only() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("run");
        let socket = folder.join("manager.sock");
        assert_eq!(reach_of(&socket).state, State::Error, "there is none");
        fs::create_dir(&folder).unwrap();
        for (mode, state) in [
            (0o755, State::Warning),
            (0o751, State::Warning),
            (0o750, State::Ok),
            (0o700, State::Ok),
        ] {
            fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
            let finding = reach_of(&socket);
            assert_eq!(finding.state, state, "{mode:o}: {}", finding.detail);
        }
    }

    #[test]
    fn a_wildcard_covers_one_label() {
        assert!(covers("*.example.org", "mail.example.org") && covers("MAIL.example.org", "mail.example.org"));
        assert!(!covers("*.example.org", "a.mail.example.org") && !covers("*.example.org", "example.org"));
    }
}
