//! Postern: the release program with the default configuration, as an operator would write it for this store.
//!
//! The file is `config/postern.toml` with the lines filled in that have no default (addresses, certificate, store,
//! folder) and the operators' listener on, from which the works read what happened inside.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::Value;

use super::{Peer, Proxy, pinned};
use crate::kit::ports;
use crate::kit::process::Process;
use crate::kit::work_dir::WorkDir;
use crate::stage::Stage;
use crate::stage::site::Site;

/// The program that cargo built together with this one.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_postern");

const DEFAULTS: &str = include_str!("../../../config/postern.toml");

/// What only Postern offers: its folder and its doors for operators.
pub(crate) struct Daemon {
    /// The folder with store and key.
    pub(crate) data: PathBuf,
    /// The port of the Manager, where it is on.
    pub(crate) manager: Option<u16>,
    operations: u16,
}

/// Where the configuration points to.
pub(crate) struct Places<'a> {
    /// Folder of database, key and control socket.
    pub(crate) data: &'a Path,
    /// The file with the store's password.
    pub(crate) password: &'a Path,
    /// The certificate towards clients.
    pub(crate) certificate: &'a Path,
    /// Its key.
    pub(crate) key: &'a Path,
    /// The store's ports for IMAP and SMTP.
    pub(crate) store: (u16, u16),
    /// Where the store speaks TLS: the authority of its certificate.
    pub(crate) authority: Option<&'a Path>,
    /// The port at which the Manager is asked, in clear.
    pub(crate) manager: Option<u16>,
}

/// Starts it on a copy of the site's database.
pub(super) fn start(peer: Peer, stage: &Stage, site: &Site) -> anyhow::Result<Proxy> {
    let dir = WorkDir::new("daemon")?;
    let data = dir.join("data");
    site.copy_to(&data)?;
    start_in(peer, stage, (dir, data), None)
}

/// Starts it on the site's own database.
pub(crate) fn start_on(stage: &Stage, site: &Site) -> anyhow::Result<Proxy> {
    start_in(Peer::Postern, stage, (WorkDir::new("daemon")?, site.data()), None)
}

/// The same with the Manager.
pub(crate) fn start_with_manager(stage: &Stage, site: &Site) -> anyhow::Result<Proxy> {
    // Links carry the port, so that it must be known before.
    let port = ports::free()?;
    start_in(Peer::Postern, stage, (WorkDir::new("daemon")?, site.data()), Some(port))
}

fn start_in(peer: Peer, stage: &Stage, (dir, data): (WorkDir, PathBuf), manager: Option<u16>) -> anyhow::Result<Proxy> {
    let identity = stage.helper_settings().identity;
    let password = dir.write_secret("store.password", "any\n")?;
    let ports = stage.store.ports;
    let secured = peer == Peer::PosternTls;
    let places = Places {
        data: &data,
        password: &password,
        certificate: &identity.certificate,
        key: &identity.key,
        store: if secured {
            (ports.imaps, ports.smtps)
        } else {
            (ports.imap, ports.smtp)
        },
        authority: secured.then_some(stage.certificates.authority.as_path()),
        manager,
    };
    let config = dir.write("postern.toml", &config(&places)?)?;
    let mut command = pinned(stage, PROGRAM)?;
    command.arg("--config").arg(config).arg("serve");
    let log = dir.join("postern.log");
    let mut process = Process::start("postern", command, &log)?;
    let listeners = process.ready(|| listeners(&log))?;
    let port = |name| {
        listeners
            .get(name)
            .copied()
            .with_context(|| format!("postern has no listener {name}"))
    };
    Ok(Proxy {
        peer,
        imap: port("imaps")?,
        smtp: port("submissions")?,
        daemon: Some(Daemon {
            data,
            manager,
            operations: port("operations")?,
        }),
        process,
        _dir: dir,
    })
}

/// The default configuration with its blanks filled in.
///
/// # Errors
/// The default file has changed, so that a line to be filled in is not there.
pub(crate) fn config(places: &Places<'_>) -> anyhow::Result<String> {
    let quoted = |path: &Path| format!("{:?}", path.display().to_string());
    let password = format!("password_file = {}", quoted(places.password));
    let (imap, smtp) = (service(places.store.0, places), service(places.store.1, places));
    let changes = [
        (
            "#data_dir = \"/var/lib/postern\"",
            format!("data_dir = {}", quoted(places.data)),
        ),
        (
            "chain = \"/etc/postern/mail.example.org.chain.pem\"",
            format!("chain = {}", quoted(places.certificate)),
        ),
        (
            "key = \"/etc/postern/mail.example.org.key.pem\"",
            format!("key = {}", quoted(places.key)),
        ),
        ("address = \"0.0.0.0:993\"", "address = \"127.0.0.1:0\"".to_owned()),
        ("address = \"0.0.0.0:465\"", "address = \"127.0.0.1:0\"".to_owned()),
        ("address = \"mailstore.example.org:993\"", imap),
        ("address = \"mailstore.example.org:465\"", smtp),
        ("password_file = \"/etc/postern/mailstore.password\"", password),
        (
            "#operations_address = \"127.0.0.1:9993\"",
            "operations_address = \"127.0.0.1:0\"".to_owned(),
        ),
    ];
    let manager = places.manager.map(|port| {
        [
            ("#address = \"0.0.0.0:443\"", format!("address = \"127.0.0.1:{port}\"")),
            (
                "#origin = \"https://manager.example.org\"",
                format!("origin = \"http://127.0.0.1:{port}\""),
            ),
            ("#tls = true", "tls = false".to_owned()),
        ]
    });
    let mut text = DEFAULTS.to_owned();
    for (line, filled) in changes.into_iter().chain(manager.into_iter().flatten()) {
        if !text.contains(line) {
            bail!("config/postern.toml has no line `{line}` any more; tell benches/peers/proxies/postern.rs");
        }
        text = text.replace(line, &filled);
    }
    Ok(text)
}

fn service(port: u16, places: &Places<'_>) -> String {
    let transport = match places.authority {
        None => "security = \"cleartext\"".to_owned(),
        Some(ca) => format!(
            "ca = {:?}\ntls_name = {:?}",
            ca.display().to_string(),
            crate::kit::certificates::SERVER_NAME
        ),
    };
    format!("address = \"127.0.0.1:{port}\"\n{transport}")
}

/// The ports that the daemon has logged, once it has logged that it is ready.
fn listeners(log: &Path) -> Option<BTreeMap<String, u16>> {
    let mut listeners = BTreeMap::new();
    for line in fs::read_to_string(log).ok()?.lines() {
        // A line may be half written.
        let Ok(line) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        let field = |name: &str| line.get(name).or_else(|| line.get("fields")?.get(name))?.as_str();
        match field("message") {
            Some("ready") => return Some(listeners),
            Some("listening") => {
                let port = field("listener.addr")?.rsplit(':').next()?.parse().ok()?;
                listeners.insert(field("listener.name")?.to_owned(), port);
            }
            _ => {}
        }
    }
    None
}

impl Daemon {
    /// The value of a metric, summed over its labels.
    pub(crate) fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.operations))?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let values = text.lines().filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            let value = rest.rsplit(' ').next()?;
            rest.starts_with(['{', ' ']).then(|| value.parse::<f64>().ok())?
        });
        Ok(values.sum())
    }
}
