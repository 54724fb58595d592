//! The search for a proof: entries first, then the candidates that tags leave over, on the lanes; and the upgrade of weak
//! hashes behind the answer.

use std::sync::Arc;

use ipnet::IpNet;

use super::entry::{EntryKey, Kind, Proof};
use super::verifier::Verifier;
use super::{Cause, Path, hash, tag};
use crate::model::MailboxId;
use crate::model::password::PlainPassword;
use crate::secret::SecretBytes;
use crate::store::{Credential, Hash, LoginMailbox};

/// Upgrades of weak hashes under way or waiting; one more is left to that device's next cold login.
const MAX_UPGRADES: usize = 64;

/// A credential that this password may match, and what to hash for it.
struct Candidate {
    proof: Proof,
    hash: Hash,
    key_id: u32,
    kind: Kind,
}

/// A password in both readings: as octets, and as canonical letters where it has the form of a generated one.
pub(super) struct Secrets {
    pub(super) generated: Option<PlainPassword>,
    /// It has the form of a generated one, but the check letter is wrong.
    pub(super) typo: bool,
    pub(super) octets: SecretBytes,
}

/// What looking for a proof came to.
pub(super) enum Search {
    Proved(Proof, Path),
    /// Nothing matches; the word is the metric's.
    Nothing(&'static str),
    /// A stored hash or the server key that it needs cannot be used.
    Broken,
}

/// A proved password whose stored hash is weaker than a new one would be.
struct Weak {
    proof: Proof,
    hash: Hash,
    key_id: u32,
    kind: Kind,
    secrets: Secrets,
}

impl Secrets {
    fn reading(&self, kind: Kind) -> &[u8] {
        match (kind, &self.generated) {
            (Kind::Generated, Some(password)) => password.canonical(),
            _ => self.octets.expose(),
        }
    }
}

impl Verifier {
    /// Finds out whose password this is.
    pub(super) async fn search(
        &self,
        mailbox: &LoginMailbox,
        secrets: Secrets,
        network: IpNet,
        untagged: bool,
    ) -> Result<Search, Cause> {
        for (kind, key) in self.entry_keys(mailbox, &secrets) {
            if let Some(proof) = self.entries.find(&key) {
                if mailbox
                    .credentials
                    .iter()
                    .any(|credential| credential.id == proof.credential)
                {
                    return Ok(Search::Proved(proof, Path::Hit));
                }
                tracing::debug!(mailbox.id = %mailbox.id, ?kind, "dropped an entry whose credential is gone");
                self.entries.forget(&key);
            }
        }
        let (candidates, throttled) = self.candidates(mailbox, &secrets, untagged);
        match (candidates.is_empty(), throttled) {
            (true, true) => Ok(Search::Nothing("throttled")),
            (true, false) => Ok(Search::Nothing("rejected_by_tag")),
            _ => self.hash(mailbox.id, secrets, candidates, network).await,
        }
    }

    /// Under which entries this password may be known.
    fn entry_keys(&self, mailbox: &LoginMailbox, secrets: &Secrets) -> Vec<(Kind, EntryKey)> {
        let generated = secrets.generated.is_some().then_some(Kind::Generated);
        let imported = mailbox
            .credentials
            .iter()
            .any(|credential| credential.tag.is_none())
            .then_some(Kind::Imported);
        let key = |kind| (kind, self.entries.key(mailbox.id, kind, secrets.reading(kind)));
        generated.into_iter().chain(imported).map(key).collect()
    }

    /// Credentials that this password may match, those selected by their tag first; and whether the throttle held
    /// any back.
    fn candidates(&self, mailbox: &LoginMailbox, secrets: &Secrets, untagged: bool) -> (Vec<Candidate>, bool) {
        let candidate = |credential: &Credential, kind| Candidate {
            proof: Proof {
                device: credential.device.id,
                credential: credential.id,
            },
            hash: credential.hash.clone(),
            key_id: credential.key_id,
            kind,
        };
        let mut candidates = Vec::new();
        if let Some(password) = &secrets.generated {
            let tags: Vec<(u32, u16)> = self
                .keys
                .all()
                .map(|key| (key.id, tag(key, mailbox.id, password.canonical())))
                .collect();
            // A key that is not in the ring cannot say whose tag it is; the lane tells that the key is missing.
            let may_match = |credential: &&Credential| {
                credential.tag.is_some_and(|tag| {
                    tags.iter()
                        .find(|(id, _)| *id == credential.key_id)
                        .is_none_or(|(_, own)| *own == tag)
                })
            };
            candidates.extend(
                mailbox
                    .credentials
                    .iter()
                    .filter(may_match)
                    .map(|found| candidate(found, Kind::Generated)),
            );
        }
        let without_tag = || mailbox.credentials.iter().filter(|credential| credential.tag.is_none());
        let throttled = !untagged && without_tag().next().is_some();
        if untagged {
            candidates.extend(without_tag().map(|found| candidate(found, Kind::Imported)));
        }
        // Live credentials first: a retired one with the same tag must not cost the right password a second run.
        let retired = |candidate: &Candidate| {
            mailbox
                .credentials
                .iter()
                .any(|other| other.id == candidate.proof.credential && other.retired_at.is_some())
        };
        candidates.sort_by_key(|candidate| (candidate.kind == Kind::Imported, retired(candidate)));
        (candidates, throttled)
    }

    async fn hash(
        &self,
        mailbox: MailboxId,
        secrets: Secrets,
        candidates: Vec<Candidate>,
        network: IpNet,
    ) -> Result<Search, Cause> {
        let (keys, entries, metrics) = (
            Arc::clone(&self.keys),
            Arc::clone(&self.entries),
            Arc::clone(&self.metrics),
        );
        let params = self.params;
        let (search, weak) = self
            .lanes
            .run(network, move |memory| {
                let entry_key = |kind| entries.key(mailbox, kind, secrets.reading(kind));
                // Phones open several connections at once: the first one's run serves those that waited behind it.
                let known = candidates
                    .iter()
                    .find(|one| entries.find(&entry_key(one.kind)) == Some(one.proof));
                if let Some(known) = known {
                    return (Search::Proved(known.proof, Path::Hit), None);
                }
                let mut broken = false;
                for Candidate {
                    proof,
                    hash,
                    key_id,
                    kind,
                } in candidates
                {
                    let outcome = hash::matches(&hash, keys.by_id(key_id), secrets.reading(kind), memory);
                    if outcome.is_ok() {
                        metrics.hash_runs.inc();
                    }
                    match outcome {
                        Ok(true) => {
                            entries.insert(entry_key(kind), proof);
                            let weak = hash::is_weaker(&hash, params).then(|| Weak {
                                proof,
                                hash,
                                key_id,
                                kind,
                                secrets,
                            });
                            return (Search::Proved(proof, Path::Hashed), weak);
                        }
                        Ok(false) => {}
                        Err(error) => {
                            tracing::error!(%error, device.id = %proof.device, "a stored password hash cannot be used");
                            broken = true;
                        }
                    }
                }
                (
                    if broken {
                        Search::Broken
                    } else {
                        Search::Nothing("hashed")
                    },
                    None,
                )
            })
            .await?;
        if let Some(weak) = weak {
            self.upgrade(weak, network);
        }
        Ok(search)
    }

    /// Puts a hash of today's strength in place of a weak one, on the lanes, behind the answer.
    fn upgrade(&self, weak: Weak, network: IpNet) {
        // A tag belongs to the key that made it, so a tagged credential keeps its key.
        let current = self.keys.current().id;
        let key_id = if weak.kind == Kind::Generated {
            weak.key_id
        } else {
            current
        };
        if self.upgrades.len() >= MAX_UPGRADES {
            return;
        }
        let (keys, params, metrics) = (Arc::clone(&self.keys), self.params, Arc::clone(&self.metrics));
        let (lanes, store) = (Arc::clone(&self.lanes), Arc::clone(&self.store));
        self.upgrades.spawn(async move {
            let Weak {
                proof,
                hash,
                kind,
                secrets,
                ..
            } = weak;
            let stronger = lanes.run(network, move |memory| {
                metrics.hash_runs.inc();
                keys.by_id(key_id)
                    .map(|key| hash::hash_with(memory, params, key, secrets.reading(kind)))
            });
            // Lanes that are busy have better things to do; the next cold login tries again.
            let Ok(Some(stronger)) = stronger.await else { return };
            if let Err(error) = store.upgrade_hash(proof.credential, &hash, &stronger, key_id).await {
                tracing::error!(%error, device.id = %proof.device, "a weak password hash was not upgraded");
            }
        });
    }
}
