//! HAProxy: ends TLS and passes the bytes on (TCP mode). It knows no login: what a proxy costs without one.

use super::{Peer, Proxy, listen, pinned, with_ports};
use crate::kit::process::Process;
use crate::kit::work_dir::WorkDir;
use crate::stage::Stage;

/// Starts it.
pub(super) fn start(stage: &Stage) -> anyhow::Result<Proxy> {
    with_ports(|imap, smtp| start_on(stage, imap, smtp))
}

fn start_on(stage: &Stage, imap: u16, smtp: u16) -> anyhow::Result<Proxy> {
    let dir = WorkDir::new("haproxy")?;
    // It wants certificate and key in one file.
    let identity = stage.helper_settings().identity;
    let mut both = std::fs::read_to_string(&identity.certificate)?;
    both.push_str(&std::fs::read_to_string(&identity.key)?);
    let identity = dir.write_secret("identity.pem", &both)?;
    let identity = identity.display();
    let (store_imap, store_smtp) = (stage.store.ports.imap, stage.store.ports.smtp);
    // Two files a connection and some; with more than the system allows it does not start.
    let connections = stage.files.min(60_000).saturating_sub(100) / 2;
    let config = dir.write(
        "haproxy.cfg",
        &format!(
            "global
    nbthread 1
    maxconn {connections}

defaults
    mode tcp
    timeout connect 5s
    timeout client 40m
    timeout server 40m

listen imaps
    bind 127.0.0.1:{imap} ssl crt {identity} backlog 16384
    server store 127.0.0.1:{store_imap}

listen submissions
    bind 127.0.0.1:{smtp} ssl crt {identity} backlog 16384
    server store 127.0.0.1:{store_smtp}
"
        ),
    )?;
    let mut command = pinned(stage, "/usr/sbin/haproxy")?;
    command.arg("-db").arg("-f").arg(config);
    let mut process = Process::start("haproxy", command, &dir.join("output.log"))?;
    process.ready(|| listen(imap, smtp))?;
    Ok(Proxy {
        peer: Peer::Haproxy,
        imap,
        smtp,
        daemon: None,
        process,
        _dir: dir,
    })
}
