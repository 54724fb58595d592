//! The search for a proof: entries first, then the candidates that tags leave over, on the lanes; and the upgrade of weak
//! hashes behind the answer.

use std::sync::Arc;

use ipnet::IpNet;

use super::entry::{Kind, Proof};
use super::verifier::Verifier;
use super::{Cause, hash, tag};
use crate::metrics::VerdictPath;
use crate::model::MailboxId;
use crate::model::password::{PlainPassword, Typed};
use crate::secret::{Secret, SecretBytes};
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
pub(super) struct Typing<'a> {
    generated: Option<PlainPassword>,
    /// It has the form of a generated one, but the check letter is wrong.
    pub(super) typo: bool,
    octets: &'a [u8],
}

/// The same for the lanes, which may outlive the connection.
struct Kept {
    generated: Option<PlainPassword>,
    octets: SecretBytes,
}

/// What looking for a proof came to.
pub(super) enum Search {
    Proved(Proof, VerdictPath),
    /// Nothing matches, by this path.
    Nothing(VerdictPath),
    /// A stored hash or the server key that it needs cannot be used.
    Broken,
}

/// A proved password whose stored hash is weaker than a new one would be.
struct Weak {
    proof: Proof,
    hash: Hash,
    key_id: u32,
    kind: Kind,
    typing: Kept,
}

impl<'a> Typing<'a> {
    pub(super) fn read(octets: &'a [u8]) -> Self {
        let (generated, typo) = match PlainPassword::read(octets) {
            Typed::Generated(password) => (Some(password), false),
            Typed::Other(_) => (None, false),
            Typed::Typo => (None, true),
        };
        Self {
            generated,
            typo,
            octets,
        }
    }

    /// In which readings the password may be known.
    fn kinds(&self, mailbox: &LoginMailbox) -> impl Iterator<Item = Kind> + use<> {
        let imported = mailbox.credentials.iter().any(|credential| credential.tag.is_none());
        let generated = self.generated.is_some().then_some(Kind::Generated);
        generated.into_iter().chain(imported.then_some(Kind::Imported))
    }

    fn reading(&self, kind: Kind) -> &[u8] {
        reading(kind, self.generated.as_ref(), self.octets)
    }

    fn kept(self) -> Kept {
        Kept {
            generated: self.generated,
            octets: Secret::new(self.octets.to_vec()),
        }
    }
}

impl Kept {
    fn reading(&self, kind: Kind) -> &[u8] {
        reading(kind, self.generated.as_ref(), self.octets.expose())
    }
}

fn reading<'a>(kind: Kind, generated: Option<&'a PlainPassword>, octets: &'a [u8]) -> &'a [u8] {
    match (kind, generated) {
        (Kind::Generated, Some(password)) => password.canonical(),
        _ => octets,
    }
}

impl Verifier {
    /// Finds out whose password this is.
    pub(super) async fn search(
        &self,
        mailbox: &LoginMailbox,
        typing: Typing<'_>,
        network: IpNet,
        untagged: bool,
    ) -> Result<Search, Cause> {
        for kind in typing.kinds(mailbox) {
            let key = self.entries.key(mailbox.id, kind, typing.reading(kind));
            if let Some(proof) = self.entries.find(&key) {
                if mailbox
                    .credentials
                    .iter()
                    .any(|credential| credential.id == proof.credential)
                {
                    return Ok(Search::Proved(proof, VerdictPath::Hit));
                }
                tracing::debug!(mailbox.id = %mailbox.id, ?kind, "dropped an entry whose credential is gone");
                self.entries.forget(&key);
            }
        }
        let (candidates, throttled) = self.candidates(mailbox, &typing, untagged);
        match (candidates.is_empty(), throttled) {
            (true, true) => Ok(Search::Nothing(VerdictPath::Throttled)),
            (true, false) => Ok(Search::Nothing(VerdictPath::RejectedByTag)),
            _ => self.hash(mailbox.id, typing.kept(), candidates, network).await,
        }
    }

    /// Credentials that this password may match, those selected by their tag first; and whether the throttle held
    /// any back.
    fn candidates(&self, mailbox: &LoginMailbox, typing: &Typing<'_>, untagged: bool) -> (Vec<Candidate>, bool) {
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
        if let Some(password) = &typing.generated {
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
        typing: Kept,
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
                let entry_key = |kind| entries.key(mailbox, kind, typing.reading(kind));
                // Phones open several connections at once: the first one's run serves those that waited behind it.
                let known = candidates
                    .iter()
                    .find(|one| entries.find(&entry_key(one.kind)) == Some(one.proof));
                if let Some(known) = known {
                    return (Search::Proved(known.proof, VerdictPath::Hit), None);
                }
                let mut broken = false;
                for Candidate {
                    proof,
                    hash,
                    key_id,
                    kind,
                } in candidates
                {
                    let outcome = hash::matches(&hash, keys.by_id(key_id), typing.reading(kind), memory);
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
                                typing,
                            });
                            return (Search::Proved(proof, VerdictPath::Hashed), weak);
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
                        Search::Nothing(VerdictPath::Hashed)
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
                typing,
                ..
            } = weak;
            let stronger = lanes.run(network, move |memory| {
                metrics.hash_runs.inc();
                keys.by_id(key_id)
                    .map(|key| hash::hash_with(memory, params, key, typing.reading(kind)))
            });
            // Lanes that are busy have better things to do; the next cold login tries again.
            let Ok(Some(stronger)) = stronger.await else { return };
            if let Err(error) = store.upgrade_hash(proof.credential, &hash, &stronger, key_id).await {
                tracing::error!(%error, device.id = %proof.device, "a weak password hash was not upgraded");
            }
        });
    }
}
