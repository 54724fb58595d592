//! The verifier: the steps of a judgement in their order (see the module's head).

use std::sync::Arc;

use tokio_util::task::TaskTracker;

use super::entry::{Entries, Proof};
use super::hash::Params;
use super::hint::hint;
use super::lanes::{Lanes, Limits};
use super::permit::{Circumstances, refusal};
use super::search::{Search, Secrets};
use super::{Cause, Config, MAX_PASSWORD_BYTES, Path, Reason, Rejection, Verdict, VerifiedLogin};
use crate::clock::Clock;
use crate::keys::Keyring;
use crate::metrics::{Metrics, PathLabel};
use crate::model::password::{PlainPassword, Typed};
use crate::model::{Address, DeviceId, MailboxId};
use crate::peer::{Peer, Protocol};
use crate::preauth::Credentials;
use crate::secret::Secret;
use crate::store::{CredentialStore, Epoch, LoginMailbox, Resolved};

/// Judges credentials against the live record; one for the whole daemon.
pub struct Verifier {
    config: Config,
    pub(super) params: Params,
    pub(super) keys: Arc<Keyring>,
    pub(super) store: Arc<dyn CredentialStore>,
    clock: Clock,
    pub(super) metrics: Arc<Metrics>,
    pub(super) entries: Arc<Entries>,
    pub(super) lanes: Arc<Lanes>,
    pub(super) upgrades: TaskTracker,
}

impl Verifier {
    /// Starts the hash lanes. Reads nothing yet.
    pub fn new(
        config: Config,
        keys: Arc<Keyring>,
        store: Arc<dyn CredentialStore>,
        clock: Clock,
        metrics: Arc<Metrics>,
    ) -> Self {
        let params = config.params();
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let limits = Limits {
            lanes: if config.lanes == 0 { cores() } else { config.lanes },
            queue: config.queue,
            per_network: config.queue_per_network,
            deadline: config.hash_deadline,
        };
        let entries = Arc::new(Entries::new(config.entry_bytes, metrics.entries.clone()));
        let lanes = Arc::new(Lanes::start(limits, params, Arc::clone(&metrics)));
        let upgrades = TaskTracker::new();
        Self {
            config,
            params,
            keys,
            store,
            clock,
            metrics,
            entries,
            lanes,
            upgrades,
        }
    }

    /// Judges one login. `untagged` says whether the throttle still allows hashes that no tag guards
    /// (`Throttle::may_hash_untagged`); without it a cold imported password is refused like a wrong one, while
    /// generated passwords and those proved before get in all the same.
    ///
    /// Must be called within a tokio runtime. Cancel safe: a dropped future withdraws its hash run.
    pub async fn verify(&self, credentials: &Credentials, protocol: Protocol, peer: &Peer, untagged: bool) -> Verdict {
        let (verdict, path) = self.judge(credentials, protocol, peer, untagged).await;
        let path = if matches!(verdict, Verdict::Unavailable(_)) {
            "unavailable"
        } else {
            path
        };
        self.metrics.verify_paths.get_or_create(&PathLabel { path }).inc();
        verdict
    }

    /// The name that is claimed, in the one form in which failures are counted: however its owner or a guesser spells
    /// it (case, `mailto:`, U-labels, without its domain), a mailbox has one count. What can be no name stays as typed.
    pub fn claimed_name(&self, credentials: &Credentials) -> String {
        Address::from_login(&credentials.username, self.config.default_domain.as_ref())
            .map_or_else(|_| credentials.username.clone(), |address| address.to_string())
    }

    /// Drops all entries of a device (revoked, replaced...).
    pub fn forget_device(&self, device: DeviceId) {
        self.entries.forget_device(device);
    }

    /// Drops all entries of a mailbox.
    pub fn forget_mailbox(&self, mailbox: MailboxId) {
        self.entries.forget_mailbox(mailbox);
    }

    /// Waits until the upgrades of weak hashes that are under way are written; further ones are still begun.
    #[cfg(test)]
    pub(super) async fn upgrades_written(&self) {
        self.upgrades.close();
        self.upgrades.wait().await;
        self.upgrades.reopen();
    }

    async fn judge(
        &self,
        credentials: &Credentials,
        protocol: Protocol,
        peer: &Peer,
        untagged: bool,
    ) -> (Verdict, &'static str) {
        let secrets = match self.read(credentials) {
            Ok(secrets) => secrets,
            Err(refused) => return refused,
        };
        let Ok(address) = Address::from_login(&credentials.username, self.config.default_domain.as_ref()) else {
            return (rejected(Reason::BadName, None), "rejected_by_name");
        };
        if !self.acts_as_itself(credentials, &address) {
            return (rejected(Reason::AuthzidMismatch, None), "rejected_by_name");
        }
        // A typo never counts: it is a person at a phone, not an attack.
        let counts = !secrets.typo;
        let mailbox = match self.store.resolve_login(&address).await {
            Ok(Resolved::Mailbox(mailbox)) => mailbox,
            Ok(Resolved::Alias { target }) => {
                let note = Some(format!("alias of {target}, which logs in by its own address"));
                let refused = Rejection {
                    note,
                    counts,
                    ..rejection(Reason::AliasLogin, None)
                };
                return (Verdict::Reject(refused), "rejected_by_name");
            }
            Ok(Resolved::Unknown) => {
                let refused = Rejection {
                    counts,
                    ..rejection(Reason::UnknownMailbox, None)
                };
                return (Verdict::Reject(refused), "rejected_by_name");
            }
            Err(error) => {
                self.metrics.store_errors.inc();
                tracing::error!(%error, "login not judged: the store failed");
                return (Verdict::Unavailable(Cause::Store), "unavailable");
            }
        };
        // People's own passwords may look like a generated one with a wrong letter; only where there are none is it told.
        if secrets.typo && mailbox.credentials.iter().all(|credential| credential.tag.is_some()) {
            let refused = Rejection {
                counts,
                ..rejection(Reason::Typo, Some(mailbox.id))
            };
            return (Verdict::Reject(refused), "typo");
        }
        let network = self.config.network.network_of(peer.ip());
        match self.search(&mailbox, secrets, network, untagged).await {
            Ok(Search::Proved(proof, path)) => self.admit(mailbox, proof, path, protocol, peer),
            Ok(Search::Nothing(path)) => {
                let live = mailbox
                    .credentials
                    .iter()
                    .any(|credential| credential.retired_at.is_none());
                let reason = if live { Reason::WrongPassword } else { Reason::NoDevice };
                // As for every other name: a count that only some mailboxes have would tell which.
                let refused = Rejection {
                    counts,
                    ..rejection(reason, Some(mailbox.id))
                };
                (Verdict::Reject(refused), path)
            }
            Ok(Search::Broken) => (Verdict::Unavailable(Cause::Store), "unavailable"),
            Err(cause) => (Verdict::Unavailable(cause), "unavailable"),
        }
    }

    fn read(&self, credentials: &Credentials) -> Result<Secrets, (Verdict, &'static str)> {
        let octets = credentials.password.expose();
        if octets.len() > MAX_PASSWORD_BYTES {
            return Err((rejected(Reason::WrongPassword, None), "rejected_by_tag"));
        }
        let (generated, typo) = match PlainPassword::read(octets) {
            Typed::Generated(password) => (Some(password), false),
            Typed::Other(_) => (None, false),
            Typed::Typo => (None, true),
        };
        Ok(Secrets {
            generated,
            typo,
            octets: Secret::new(octets.clone()),
        })
    }

    /// mutt, mbsync and Horde repeat the name as authorization identity; another one is never granted.
    fn acts_as_itself(&self, credentials: &Credentials, address: &Address) -> bool {
        credentials.authzid.as_deref().is_none_or(|authzid| {
            authzid.is_empty()
                || Address::from_login(authzid, self.config.default_domain.as_ref())
                    .is_ok_and(|other| other == *address)
        })
    }

    /// Lets a proved secret in if the live record allows it.
    fn admit(
        &self,
        mut mailbox: LoginMailbox,
        proof: Proof,
        path: Path,
        protocol: Protocol,
        peer: &Peer,
    ) -> (Verdict, &'static str) {
        let word = if path == Path::Hit { "hit" } else { "hashed" };
        let Some(place) = mailbox
            .credentials
            .iter()
            .position(|credential| credential.id == proof.credential)
        else {
            return (rejected(Reason::WrongPassword, Some(mailbox.id)), word);
        };
        let credential = mailbox.credentials.swap_remove(place);
        let at = Circumstances {
            now: self.clock.utc(),
            protocol,
            ip: peer.ip(),
            suspended: mailbox.suspended,
        };
        if let Some((reason, refused)) = refusal(&credential, at) {
            let hint = Some(hint(refused, &credential.device, self.config.help_url.as_deref()));
            let device = Some(credential.device.id);
            return (
                Verdict::Reject(Rejection {
                    reason,
                    device,
                    mailbox: Some(mailbox.id),
                    hint,
                    counts: false,
                    note: None,
                }),
                word,
            );
        }
        let login = VerifiedLogin {
            mailbox: mailbox.id,
            address: mailbox.address,
            epoch: Epoch {
                device: credential.device.epoch,
                mailbox: mailbox.epoch,
            },
            device: credential.device,
            upstream_secret: mailbox.upstream_secret,
        };
        (Verdict::Accept(Box::new(login)), word)
    }
}

const fn rejection(reason: Reason, mailbox: Option<MailboxId>) -> Rejection {
    Rejection {
        reason,
        device: None,
        mailbox,
        hint: None,
        counts: true,
        note: None,
    }
}

/// A refusal without a proof: it says nothing and counts.
const fn rejected(reason: Reason, mailbox: Option<MailboxId>) -> Verdict {
    Verdict::Reject(rejection(reason, mailbox))
}
