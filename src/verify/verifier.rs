//! The verifier: the steps of a judgement in their order (see the module's head).

use std::sync::Arc;

use tokio_util::task::TaskTracker;

use super::entry::{Entries, Proof};
use super::hash::Params;
use super::hint::hint;
use super::lanes::{Lanes, Limits};
use super::permit::{Circumstances, refusal};
use super::search::{Search, Typing};
use super::{Cause, Claim, Config, MAX_PASSWORD_BYTES, Reason, Rejection, Verdict, VerifiedLogin};
use crate::clock::Clock;
use crate::keys::Keyring;
use crate::metrics::{Metrics, VerdictPath};
use crate::model::{Address, DeviceId, MailboxId};
use crate::peer::{Peer, Protocol};
use crate::preauth::Credentials;
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
            kept: 0,
            deadline: config.hash_deadline,
        };
        let entries = Arc::new(Entries::new(config.entry_bytes, metrics.entries.clone()));
        let lanes = Arc::new(Lanes::start("hash-lane", limits, params, metrics.hash_queue.clone()));
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

    /// Reads the name of credentials, which is then judged in this form.
    pub fn claim<'a>(&self, credentials: &'a Credentials) -> Claim<'a> {
        Claim::read(credentials, self.config.default_domain.as_ref())
    }

    /// Judges one login. `untagged` says whether the throttle still allows hashes that no tag guards
    /// (`Throttle::may_hash_untagged`); without it a cold imported password is refused like a wrong one, while
    /// generated passwords and those proved before get in all the same.
    ///
    /// Must be called within a tokio runtime. Cancel safe: a dropped future withdraws its hash run.
    pub async fn verify(&self, claim: &Claim<'_>, protocol: Protocol, peer: &Peer, untagged: bool) -> Verdict {
        let (verdict, path) = self.judge(claim, protocol, peer, untagged).await;
        let path = if matches!(verdict, Verdict::Unavailable(_)) {
            VerdictPath::Unavailable
        } else {
            path
        };
        self.metrics.verdicts(path).inc();
        verdict
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
        claim: &Claim<'_>,
        protocol: Protocol,
        peer: &Peer,
        untagged: bool,
    ) -> (Verdict, VerdictPath) {
        let password = claim.credentials.password.expose();
        if password.len() > MAX_PASSWORD_BYTES {
            return (rejected(Reason::WrongPassword, None), VerdictPath::RejectedByTag);
        }
        let typing = Typing::read(password);
        let Some(address) = &claim.address else {
            return (rejected(Reason::BadName, None), VerdictPath::RejectedByName);
        };
        if !self.acts_as_itself(claim.credentials, address) {
            return (rejected(Reason::AuthzidMismatch, None), VerdictPath::RejectedByName);
        }
        // A typo never counts: it is a person at a phone, not an attack.
        let counts = !typing.typo;
        let mailbox = match self.store.resolve_login(address).await {
            Ok(Resolved::Mailbox(mailbox)) => mailbox,
            Ok(Resolved::Alias { target }) => {
                let note = Some(format!("alias of {target}, which logs in by its own address"));
                let refused = Rejection {
                    note,
                    counts,
                    ..rejection(Reason::AliasLogin, None)
                };
                return (Verdict::Reject(refused), VerdictPath::RejectedByName);
            }
            Ok(Resolved::Unknown) => {
                let refused = Rejection {
                    counts,
                    ..rejection(Reason::UnknownMailbox, None)
                };
                return (Verdict::Reject(refused), VerdictPath::RejectedByName);
            }
            Err(error) => {
                self.metrics.store_errors.inc();
                tracing::error!(%error, "login not judged: the store failed");
                return (Verdict::Unavailable(Cause::Store), VerdictPath::Unavailable);
            }
        };
        // People's own passwords may look like a generated one with a wrong letter; only where there are none is it told.
        if typing.typo && mailbox.credentials.iter().all(|credential| credential.tag.is_some()) {
            let refused = Rejection {
                counts,
                ..rejection(Reason::Typo, Some(mailbox.id))
            };
            return (Verdict::Reject(refused), VerdictPath::Typo);
        }
        let network = self.config.network.network_of(peer.ip());
        match self.search(&mailbox, typing, network, untagged).await {
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
            Ok(Search::Broken) => (Verdict::Unavailable(Cause::Store), VerdictPath::Unavailable),
            Err(cause) => (Verdict::Unavailable(cause), VerdictPath::Unavailable),
        }
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
        path: VerdictPath,
        protocol: Protocol,
        peer: &Peer,
    ) -> (Verdict, VerdictPath) {
        let Some(place) = mailbox
            .credentials
            .iter()
            .position(|credential| credential.id == proof.credential)
        else {
            return (rejected(Reason::WrongPassword, Some(mailbox.id)), path);
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
                    retired: credential.retired_at.map(|_| credential.id),
                    hint,
                    counts: false,
                    note: None,
                }),
                path,
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
        (Verdict::Accept(Box::new(login)), path)
    }
}

const fn rejection(reason: Reason, mailbox: Option<MailboxId>) -> Rejection {
    Rejection {
        reason,
        device: None,
        mailbox,
        retired: None,
        hint: None,
        counts: true,
        note: None,
    }
}

/// A refusal without a proof: it says nothing and counts.
const fn rejected(reason: Reason, mailbox: Option<MailboxId>) -> Verdict {
    Verdict::Reject(rejection(reason, mailbox))
}
