//! nginx's mail proxy, one worker. It asks `auth-http` about every login and replays the password to the store.

use super::{Peer, Proxy, listen, pinned, with_ports};
use crate::kit::process::{self, Process};
use crate::kit::work_dir::WorkDir;
use crate::stage::Stage;

/// Starts it.
pub(super) fn start(stage: &Stage) -> anyhow::Result<Proxy> {
    with_ports(|imap, smtp| start_on(stage, imap, smtp))
}

fn start_on(stage: &Stage, imap: u16, smtp: u16) -> anyhow::Result<Proxy> {
    let dir = WorkDir::new("nginx")?;
    let config = dir.write("nginx.conf", &config(stage, &dir, imap, smtp)?)?;
    let mut command = pinned(stage, "/usr/sbin/nginx")?;
    command.arg("-p").arg(dir.path()).arg("-e").arg(dir.join("error.log"));
    command.arg("-c").arg(config).args(["-g", "daemon off;"]);
    let mut process = Process::start("nginx", command, &dir.join("output.log"))?;
    process.ready(|| listen(imap, smtp))?;
    Ok(Proxy {
        peer: Peer::Nginx,
        imap,
        smtp,
        daemon: None,
        process,
        _dir: dir,
    })
}

fn config(stage: &Stage, dir: &WorkDir, imap: u16, smtp: u16) -> anyhow::Result<String> {
    // As root its workers would go to another user, who cannot read our folders.
    let user = if process::is_root() { "user root;\n" } else { "" };
    let dir = dir.path().display();
    let identity = stage.helper_settings().identity;
    let (certificate, key) = (identity.certificate.display(), identity.key.display());
    let auth = stage.auth_http.ports.control;
    // Two connections a session, and a third one while it asks.
    let files = stage.files.min(60_000);
    Ok(format!(
        "{user}load_module /usr/lib/nginx/modules/ngx_mail_module.so;
pid {dir}/nginx.pid;
error_log {dir}/error.log;
worker_processes 1;
worker_rlimit_nofile {files};

events {{
    worker_connections {files};
}}

mail {{
    server_name mail.example.org;
    auth_http 127.0.0.1:{auth}/auth;
    timeout 40m;
    proxy_smtp_auth on;
    xclient off;
    proxy_pass_error_message on;

    ssl_certificate {certificate};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_prefer_server_ciphers on;
    ssl_session_cache shared:mail:10m;
    ssl_session_tickets on;

    imap_capabilities IMAP4rev1 SASL-IR LITERAL+ ID ENABLE IDLE NAMESPACE UIDPLUS UNSELECT CHILDREN;
    imap_auth plain login;
    smtp_auth plain login;

    server {{
        listen 127.0.0.1:{imap} ssl backlog=16384;
        protocol imap;
    }}
    server {{
        listen 127.0.0.1:{smtp} ssl backlog=16384;
        protocol smtp;
        starttls off;
    }}
}}
"
    ))
}
