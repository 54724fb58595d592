//! The composition root: from a checked configuration to a running daemon, and back to nothing in order.
//!
//! Start: key, store, change log, certificates, routes, listeners, ready. Stop: no new connections and no new logins,
//! sessions go on for the drain time, the rest is told to reconnect, then the process ends. Every task is spawned
//! here, by `listen`, or by the store's worker, and is tracked.

mod manager;
pub mod set_up;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admin::{self, Daemon, Health, ReloadAnswer};
use crate::clock::Clock;
use crate::config::Config;
use crate::keys::Keyring;
use crate::listen::{self, Limiter, Listener};
use crate::metrics::Metrics;
use crate::outbox::Outbox;
use crate::peer::Protocol;
use crate::revoke::{Registry, Tail};
use crate::session::{Parts, Plane};
use crate::store::sqlite::SqliteStore;
use crate::store::{
    AuditStore, Change, ChangeKind, ChangeStore, CredentialStore, DirectoryStore, EndReason, OutboxStore,
};
use crate::throttle::Throttle;
use crate::tls::{Acceptor, Certificates};
use crate::tries::Tries;
use crate::upstream::Upstreams;
use crate::verify::Verifier;

/// How often the daemon looks at its own health.
const HEALTH_INTERVAL: Duration = Duration::from_secs(1);
/// How often credentials past their keeping time are deleted.
const FORGET_INTERVAL: Duration = Duration::from_secs(3600);
/// Reload requests that may wait.
const RELOAD_QUEUE: usize = 4;

/// What a reload needs of whoever started the process; called on SIGHUP and on request of the command line.
pub struct Reload {
    /// Reads the configuration again.
    pub read: ReadConfig,
    /// Puts another log level in force.
    pub set_log_level: SetLogLevel,
}

/// Reads and checks the configuration.
pub type ReadConfig = Box<dyn Fn() -> anyhow::Result<Config> + Send + Sync>;
/// Changes the level of the running log.
pub type SetLogLevel = Box<dyn Fn(&str) -> anyhow::Result<()> + Send + Sync>;

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// Something that the start needs is missing or wrong; the message says what to do.
pub async fn run(config: Config, reload: Reload) -> anyhow::Result<()> {
    // Before anybody is told that we are ready: a reload that comes at once would end the process.
    let mut signals = Signals::listen()?;
    let clock = Clock::system();
    let server = Server::build(config, clock).await?;
    // First, because it tells another Postern on this data directory from any other program on its ports.
    let control = admin::bind_control(&server.config.admin.control_socket).await?;
    let listeners = server.bind()?;
    let manager = server.manager(&listeners).await?;
    let operations = match server.config.admin.operations_address {
        Some(address) => Some(admin::bind_operations(address).await?),
        None => None,
    };
    let (reload_requests, reloads) = mpsc::channel(RELOAD_QUEUE);
    let daemon = server.daemon(reload_requests);
    let stop = server.background.clone();
    server.tasks.spawn(ended(
        "control socket",
        admin::serve_control(control, Arc::clone(&daemon), stop.clone()),
    ));
    if let Some(listener) = operations {
        let address = listener.local_addr()?;
        tracing::info!(listener.name = "operations", listener.addr = %address, "listening");
        server.tasks.spawn(ended(
            "operations listener",
            admin::serve_operations(listener, daemon, stop),
        ));
    }
    server.spawn_background();
    if let Some(manager) = manager {
        server.serve_manager(manager).await?;
    }
    for listener in listeners {
        let address = listener.address()?;
        tracing::info!(listener.name = listener.name(), listener.addr = %address, "listening");
        let (plane, limiter) = (Arc::clone(&server.plane), Arc::clone(&server.limiter));
        server
            .connections
            .spawn(listener.run(plane, limiter, server.connections.clone()));
    }
    tracing::info!(postern.version = env!("CARGO_PKG_VERSION"), "ready");
    notify(&[sd_notify::NotifyState::Ready]);
    let ended = server.wait(&mut signals, reload, reloads).await;
    server.stop(&mut signals).await;
    ended
}

/// What the system tells us.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Resolves when somebody asks to stop.
    async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// What has ended leaves the verifier's memory too.
fn forget_with(verifier: &Arc<Verifier>) -> Box<dyn Fn(&Change) + Send + Sync> {
    let verifier = Arc::clone(verifier);
    Box::new(move |change| match change.kind {
        ChangeKind::DeviceEnded { device, .. } => verifier.forget_device(device),
        ChangeKind::MailboxEnded { mailbox } => verifier.forget_mailbox(mailbox),
    })
}

struct Server {
    config: Config,
    store: Arc<SqliteStore>,
    metrics: Arc<Metrics>,
    plane: Arc<Plane>,
    tail: Arc<Tail>,
    outbox: Arc<Outbox>,
    keys: Arc<Keyring>,
    certificates: Arc<Certificates>,
    limiter: Arc<Limiter>,
    health: Arc<Health>,
    clock: Clock,
    /// Cancelled last: health, change log, control socket.
    background: CancellationToken,
    /// Cancelled when a part of the background ended by itself.
    broken: CancellationToken,
    tasks: TaskTracker,
    connections: TaskTracker,
    /// The Manager, which still works while mail sessions drain, so that requests under way come to their end.
    web: TaskTracker,
}

impl Server {
    async fn build(config: Config, clock: Clock) -> anyhow::Result<Self> {
        let keys = Arc::new(Keyring::load(&config.key_file)?);
        let store = SqliteStore::open(&config.store, clock.clone())?;
        store.check_key_fingerprints(&keys.fingerprints()).await?;
        let metrics = Arc::new(Metrics::new());
        let registry = Registry::new(Arc::clone(&metrics));
        let credentials: Arc<dyn CredentialStore> = Arc::clone(&store) as _;
        let verifier = Arc::new(Verifier::new(
            config.verify.clone(),
            Arc::clone(&keys),
            Arc::clone(&credentials),
            clock.clone(),
            Arc::clone(&metrics),
        ));
        let changes: Arc<dyn ChangeStore> = Arc::clone(&store) as _;
        let tail = Tail::new(
            changes,
            Arc::clone(&registry),
            forget_with(&verifier),
            config.change_poll,
            Arc::clone(&metrics),
        );
        tail.start().await?;
        let upstreams = Upstreams::new(
            config.upstream.clone(),
            Arc::clone(&keys),
            clock.clone(),
            Arc::clone(&metrics),
        )?;
        let mails: Arc<dyn OutboxStore> = Arc::clone(&store) as _;
        let outbox = Outbox::new(
            config.outbox.clone(),
            mails,
            Arc::clone(&keys),
            clock.clone(),
            Arc::clone(&metrics),
        )?;
        let certificates = Certificates::load(&certificate_settings(&config, &clock)?)?;
        let plane = Plane::new(Parts {
            config: config.session.clone(),
            clock: clock.clone(),
            network: config.listen.network,
            verifier,
            throttle: Arc::new(Throttle::new(config.throttle.clone())),
            registry,
            store: credentials,
            upstreams,
            tries: Arc::new(Tries::new(config.listen.network)),
            metrics: Arc::clone(&metrics),
            stopping: CancellationToken::new(),
        });
        Ok(Self {
            limiter: Limiter::new(&config.listen),
            health: Arc::default(),
            background: CancellationToken::new(),
            broken: CancellationToken::new(),
            tasks: TaskTracker::new(),
            connections: TaskTracker::new(),
            web: TaskTracker::new(),
            config,
            store,
            metrics,
            plane,
            tail,
            outbox: Arc::new(outbox),
            keys,
            certificates,
            clock,
        })
    }

    fn bind(&self) -> anyhow::Result<Vec<Listener>> {
        let listen = &self.config.listen;
        listen
            .listeners
            .iter()
            .map(|listener| {
                let alpn: &'static [u8] = match listener.protocol {
                    Protocol::Imap => b"imap",
                    Protocol::Smtp => b"smtp",
                };
                // Each listener has ticket keys of its own: a session of one is worth nothing on another.
                let acceptor = Acceptor::new(Arc::clone(&self.certificates), alpn)?;
                Ok(listen::bind(listen, listener, Arc::new(acceptor))?)
            })
            .collect()
    }

    fn daemon(&self, reload: mpsc::Sender<oneshot::Sender<ReloadAnswer>>) -> Arc<Daemon> {
        Arc::new(Daemon {
            metrics: Arc::clone(&self.metrics),
            registry: Arc::clone(&self.plane.registry),
            tail: Arc::clone(&self.tail),
            audit: Arc::clone(&self.store) as Arc<dyn AuditStore>,
            health: Arc::clone(&self.health),
            clock: self.clock.clone(),
            started: self.clock.utc(),
            reload,
        })
    }

    fn spawn_background(&self) {
        let tail = Arc::clone(&self.tail);
        self.until_stopped(async move { tail.run().await });
        let upstreams = Arc::clone(&self.plane.upstreams);
        self.until_stopped(async move { upstreams.run().await });
        let (plane, health) = (Arc::clone(&self.plane), Arc::clone(&self.health));
        self.until_stopped(async move {
            let mut tick = tokio::time::interval(HEALTH_INTERVAL);
            loop {
                tick.tick().await;
                let store = plane.probe_store().await;
                let up = |protocol| !plane.upstreams.all_down(protocol);
                health.note(store, up(Protocol::Imap), up(Protocol::Smtp));
                notify(&[sd_notify::NotifyState::Watchdog]);
            }
        });
        let plane = Arc::clone(&self.plane);
        self.until_stopped(async move { plane.sweep().await });
        let (plane, every) = (Arc::clone(&self.plane), self.config.session.usage_write_interval);
        self.until_stopped(async move {
            let mut tick = tokio::time::interval(every);
            loop {
                tick.tick().await;
                plane.usage.flush().await;
            }
        });
        let (outbox, stop, broken) = (Arc::clone(&self.outbox), self.background.clone(), self.broken.clone());
        // A mail under way is not cut off at once; half of the time is left to write down what became of it.
        let patience = self.config.listen.close_time / 2;
        self.tasks
            .spawn(until_ended(broken, async move { outbox.run(&stop, patience).await }));
        let (store, clock) = (Arc::clone(&self.store), self.clock.clone());
        self.until_stopped(async move {
            let mut tick = tokio::time::interval(FORGET_INTERVAL);
            loop {
                tick.tick().await;
                let before = clock.utc().minus(crate::store::RETIRED_KEPT);
                if let Err(error) = store.forget_retired(before).await {
                    tracing::error!(error = %error, "retired credentials not deleted");
                }
            }
        });
        self.tidy_people();
        self.tell_notices();
    }

    fn until_stopped(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks
            .spawn(until_stopped(self.background.clone(), self.broken.clone(), work));
    }

    /// Serves reloads until a signal asks to stop, or a part of the background failed.
    async fn wait(
        &self,
        signals: &mut Signals,
        reload: Reload,
        mut requests: mpsc::Receiver<oneshot::Sender<ReloadAnswer>>,
    ) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                _ = signals.terminate.recv() => return Ok(()),
                _ = signals.interrupt.recv() => return Ok(()),
                () = self.broken.cancelled() => {
                    anyhow::bail!("a part of the daemon failed (see the log above), so it stops: report this");
                }
                _ = signals.hangup.recv() => {
                    // Nobody waits for the answer; it is in the log.
                    let _ = self.reload(&reload);
                }
                Some(answer) = requests.recv() => {
                    // A caller that went away does not need the answer.
                    let _ = answer.send(self.reload(&reload));
                }
            }
        }
    }

    /// Takes over what can change under live sessions; anything wrong leaves everything as it was.
    fn reload(&self, reload: &Reload) -> ReloadAnswer {
        let result = (reload.read)().and_then(|fresh| self.take_over(fresh, reload));
        match result {
            Ok(notes) => {
                tracing::info!(notes = ?notes, "reloaded");
                Ok(notes)
            }
            Err(error) => {
                let text = format!("{error:#}");
                tracing::error!(error = %text, "not reloaded: the old settings stay");
                Err(text)
            }
        }
    }

    fn take_over(&self, fresh: Config, reload: &Reload) -> anyhow::Result<Vec<String>> {
        let needing_restart = self.config.needing_restart(&fresh);
        let mut outbox = fresh.outbox.clone();
        if self.config.manager.is_some() {
            // All of [manager] waits for the restart: until then links lead to where the Manager is.
            outbox.origin = self.config.outbox.origin.clone();
        }
        // Whatever can fail comes before whatever changes something.
        let certificates = Certificates::read(&certificate_settings(&fresh, &self.clock)?.certificates)?;
        Outbox::check(&outbox)?;
        self.plane.upstreams.replace(fresh.upstream)?;
        self.outbox.replace(outbox)?;
        self.certificates.take(certificates);
        self.plane.config.store(Arc::new(fresh.session));
        (reload.set_log_level)(&fresh.log.level)?;
        let in_force = "certificates, routes, mail server, session limits and log level are in force".to_owned();
        Ok(std::iter::once(in_force).chain(needing_restart).collect())
    }

    /// Lets sessions go on for the drain time; whoever asks a second time does not want to wait for them.
    async fn stop(self, signals: &mut Signals) {
        notify(&[sd_notify::NotifyState::Stopping]);
        self.health.stop();
        self.plane.stopping.cancel();
        self.connections.close();
        self.web.close();
        let (drain, close) = (self.config.listen.drain_time, self.config.listen.close_time);
        tracing::info!(sessions = self.plane.registry.sessions().len(), "stopping");
        let drained = tokio::select! {
            drained = tokio::time::timeout(drain, self.connections.wait()) => drained.is_ok(),
            () = signals.stop() => false,
        };
        if !drained {
            let ended = self.plane.registry.end_all(EndReason::Shutdown);
            tracing::info!(sessions = ended, "drain over, sessions told to reconnect");
            if tokio::time::timeout(close, self.connections.wait()).await.is_err() {
                tracing::warn!(connections = self.connections.len(), "connections cut");
            }
        }
        self.plane.usage.flush().await;
        // Changes that people have just made are still applied while their requests come to an end.
        let _ = tokio::time::timeout(close, self.web.wait()).await;
        self.background.cancel();
        self.tasks.close();
        // The background has nothing left to lose; a stuck request must not keep the process.
        let _ = tokio::time::timeout(close, self.tasks.wait()).await;
        let _ = std::fs::remove_file(&self.config.admin.control_socket);
        tracing::info!("stopped");
    }
}

/// The configured certificates, and where development ones are asked for, those.
fn certificate_settings(config: &Config, clock: &Clock) -> anyhow::Result<crate::tls::Config> {
    let mut tls = config.tls.clone();
    if config.development_certificates {
        let names = [
            config.session.hostname.clone(),
            "localhost".into(),
            "127.0.0.1".into(),
            "::1".into(),
        ];
        let directory = config.data_dir.join("development-ca");
        let made = crate::tls::ensure_development_certificates(&directory, &names, clock)
            .with_context(|| format!("development certificates in {}", directory.display()))?;
        tls.certificates.insert(0, made);
    }
    Ok(tls)
}

/// Works until cancelled. Where the work ends otherwise (it panicked), `broken` is cancelled: a daemon that no longer
/// follows the change log would keep revoked devices, so it must not live on.
async fn until_stopped(stop: CancellationToken, broken: CancellationToken, work: impl Future<Output = ()>) {
    let guard = broken.drop_guard();
    if stop.run_until_cancelled(work).await.is_none() {
        guard.disarm();
    }
}

/// Works until the work ends by itself, as it does when it is told to; where it panicked, `broken` is cancelled.
async fn until_ended(broken: CancellationToken, work: impl Future<Output = ()>) {
    let guard = broken.drop_guard();
    work.await;
    guard.disarm();
}

async fn ended(what: &'static str, work: impl Future<Output = std::io::Result<()>>) {
    if let Err(error) = work.await {
        tracing::error!(error = %error, listener.name = what, "listener ended");
    }
}

fn notify(states: &[sd_notify::NotifyState<'_>]) {
    // Without systemd there is nobody to tell.
    let _ = sd_notify::notify(states);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn background_work_that_fails_is_noticed_and_work_that_is_stopped_is_none_of_it() {
        let (stop, broken) = (CancellationToken::new(), CancellationToken::new());
        let stopped = tokio::spawn(until_stopped(stop.clone(), broken.clone(), std::future::pending()));
        stop.cancel();
        stopped.await.unwrap();
        assert!(!broken.is_cancelled());
        let (stop, failing) = (CancellationToken::new(), async { panic!("a fault of ours") });
        tokio::spawn(until_stopped(stop, broken.clone(), failing))
            .await
            .unwrap_err();
        assert!(broken.is_cancelled());
    }
}
