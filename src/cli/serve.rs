//! `postern serve`: process-wide settings, logging and the runtime; then `server` has the word.

use std::io::{self, IsTerminal};
use std::path::Path;

use rustix::fs::Mode;
use rustix::process::umask;
use tracing::warn;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::reload::Handle;

use super::failure::Failure;
use crate::config::{self, Config, Log, LogFormat, Problem, Secrets};
use crate::log_filter;
use crate::server::{self, Reload, SetLogLevel};

/// Sockets of one session: the client's and the mail store's.
const FILES_A_CONNECTION: u64 = 2;
/// Database, logs, listeners, certificates.
const FILES_BESIDE: u64 = 256;

pub(super) fn run(path: &Path) -> Result<(), Failure> {
    let (config, warnings) = config::load(path, Secrets::Read)?;
    // Whatever the daemon makes (control socket, database, development key) is its own, from the first moment on.
    umask(Mode::RWXG | Mode::RWXO);
    let set_log_level = start_log(&config.log)?;
    warn_of(&warnings);
    raise_file_limit(&config);
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.enable_all().thread_name("postern-io");
    if config.workers > 0 {
        runtime.worker_threads(config.workers);
    }
    let path = path.to_owned();
    let read = move || {
        let (config, warnings) = config::load(&path, Secrets::Read)?;
        warn_of(&warnings);
        Ok(config)
    };
    let reload = Reload {
        read: Box::new(read),
        set_log_level,
    };
    let runtime = runtime.build().map_err(Failure::failed)?;
    runtime
        .block_on(server::run(config, reload))
        .map_err(|error| Failure::failed(format!("{error:#}")))
}

fn start_log(log: &Log) -> Result<SetLogLevel, Failure> {
    fn setter<S: 'static>(handle: Handle<EnvFilter, S>) -> SetLogLevel {
        Box::new(move |level| Ok(handle.reload(log_filter::filter(level)?)?))
    }
    let filter = log_filter::filter(&log.level).map_err(Failure::failed)?;
    let builder = tracing_subscriber::fmt().with_writer(io::stderr);
    let terminal = io::stderr().is_terminal();
    let (started, set_level) = match (log.format, terminal) {
        (LogFormat::Json, _) | (LogFormat::Auto, false) => {
            let builder = builder.json().flatten_event(true).with_current_span(false);
            let builder = builder.with_env_filter(filter).with_filter_reloading();
            let set_level = setter(builder.reload_handle());
            (builder.try_init(), set_level)
        }
        (LogFormat::Human, _) | (LogFormat::Auto, true) => {
            let builder = builder.with_ansi(terminal);
            let builder = builder.with_env_filter(filter).with_filter_reloading();
            let set_level = setter(builder.reload_handle());
            (builder.try_init(), set_level)
        }
    };
    started.map_err(Failure::failed)?;
    Ok(set_level)
}

fn warn_of(warnings: &[Problem]) {
    for warning in warnings {
        warn!(problem = %warning, "configuration warning");
    }
}

/// As many files as the configured connections need; the system may allow fewer.
fn raise_file_limit(config: &Config) {
    let wanted = open_files_for(config);
    let reached = rlimit::increase_nofile_limit(wanted).unwrap_or(0);
    if reached < wanted {
        warn!(
            wanted,
            reached, "fewer open files are allowed than limits.connections needs: raise LimitNOFILE or lower it"
        );
    }
}

/// Open files that the configured connections need.
pub(super) fn open_files_for(config: &Config) -> u64 {
    let connections = u64::try_from(config.listen.max_connections).unwrap_or(u64::MAX);
    connections
        .saturating_mul(FILES_A_CONNECTION)
        .saturating_add(FILES_BESIDE)
}
