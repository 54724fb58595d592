//! One's own one-time codes and recovery codes.
//!
//! A new secret is shown first and counts only once a code of it was given. Between the two it is nowhere but in the page:
//! sealed with the server key and bound to the session, so that nobody can bring along one of their own.

use super::super::Error;
use super::{Desk, Proving, SignInChange, SignedIn};
use crate::identity::{RecoveryCode, TotpSecret};
use crate::secret::Secret;
use crate::store::NewCode;

/// A secret of one-time codes that is offered, to be shown once.
#[derive(Debug)]
pub struct CodeOffer {
    /// For typing: letters in groups of four.
    pub shown: Secret<String>,
    /// The `otpauth:` link, which phones open.
    pub uri: Secret<String>,
    /// The same as an `<svg>` picture.
    pub picture: Secret<String>,
    /// What has to come back with the first code.
    pub sealed: String,
}

impl Desk {
    /// Offers a secret of one-time codes.
    ///
    /// # Errors
    /// The proof is too old.
    pub fn offer_code(&self, signed_in: &SignedIn) -> Result<CodeOffer, Error> {
        self.must_be_fresh(&signed_in.session)?;
        self.offer_of(signed_in, &TotpSecret::generate())
    }

    /// The same offer again, after a wrong code: the program on the phone has its secret already.
    ///
    /// # Errors
    /// The proof is too old, or the offer is of another session.
    pub fn offer_code_again(&self, signed_in: &SignedIn, sealed: &str) -> Result<CodeOffer, Error> {
        self.must_be_fresh(&signed_in.session)?;
        let keys = &self.directory.keys;
        let secret = TotpSecret::of_offer(keys, signed_in.user.id, signed_in.session.id, sealed)?;
        self.offer_of(signed_in, &secret)
    }

    fn offer_of(&self, signed_in: &SignedIn, secret: &TotpSecret) -> Result<CodeOffer, Error> {
        let (issuer, account) = (self.settings.issuer.as_str(), signed_in.user.address.as_str());
        Ok(CodeOffer {
            shown: secret.shown(),
            uri: secret.uri(issuer, account)?,
            picture: secret.picture(issuer, account)?,
            sealed: secret.offer(&self.directory.keys, signed_in.user.id, signed_in.session.id)?,
        })
    }

    /// Takes the first code of an offered secret: from now on codes are asked for. All other console sessions end. The
    /// recovery codes are shown once.
    ///
    /// # Errors
    /// The proof is too old, the code is wrong, or the offer is of another session.
    pub async fn accept_code(
        &self,
        signed_in: &SignedIn,
        sealed: &str,
        code: &Secret<String>,
    ) -> Result<Vec<RecoveryCode>, Error> {
        self.must_be_fresh(&signed_in.session)?;
        let (user, visitor, keys) = (&signed_in.user, &signed_in.visitor, &self.directory.keys);
        let secret = TotpSecret::of_offer(keys, user.id, signed_in.session.id, sealed)?;
        let step = secret.step_of(code.expose(), self.now()).ok_or(Error::WrongCode)?;
        let codes = RecoveryCode::generate_all();
        let new = NewCode {
            sealed: secret.seal(keys, user.id)?,
            step,
            recovery: codes.iter().map(|code| code.hash(keys, user.id)).collect(),
        };
        self.must_live(&signed_in.session).await?;
        self.store()
            .set_code(&visitor.actor(user), user.id, &new, Self::keep(signed_in))
            .await?;
        self.tell_of_sign_in(visitor, user, SignInChange::CodesOn).await;
        Ok(codes)
    }

    /// No longer asks for codes, once a last one was given, or a recovery code: the password alone, which may be known to
    /// somebody else, does not do away with what protects against that. All other console sessions end.
    ///
    /// # Errors
    /// The proof is too old, the code is wrong, or there were too many tries.
    pub async fn stop_codes(&self, signed_in: &SignedIn, code: &Secret<String>) -> Result<(), Error> {
        self.must_be_fresh(&signed_in.session)?;
        self.must_live(&signed_in.session).await?;
        if !signed_in.user.has_code {
            return Ok(());
        }
        self.prove_now(signed_in, Proving::Code(code)).await?;
        let (user, visitor) = (&signed_in.user, &signed_in.visitor);
        self.must_live(&signed_in.session).await?;
        self.store()
            .remove_code(&visitor.actor(user), user.id, Self::keep(signed_in))
            .await?;
        self.tell_of_sign_in(visitor, user, SignInChange::CodesOff).await;
        Ok(())
    }

    /// How many recovery codes are left.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn recovery_codes_left(&self, signed_in: &SignedIn) -> Result<u32, Error> {
        let sign_in = self
            .store()
            .sign_in_of(signed_in.user.id)
            .await?
            .ok_or(Error::SignedOut)?;
        Ok(sign_in.recovery_codes)
    }

    /// Makes new recovery codes, shown once; the old ones are worth nothing.
    ///
    /// # Errors
    /// The proof is too old, or codes are not asked for at all.
    pub async fn renew_recovery_codes(&self, signed_in: &SignedIn) -> Result<Vec<RecoveryCode>, Error> {
        self.must_be_fresh(&signed_in.session)?;
        let (user, visitor) = (&signed_in.user, &signed_in.visitor);
        if !user.has_code {
            return Err(Error::Unknown { what: "one-time code" });
        }
        let codes = RecoveryCode::generate_all();
        let hashes: Vec<_> = codes
            .iter()
            .map(|code| code.hash(&self.directory.keys, user.id))
            .collect();
        self.must_live(&signed_in.session).await?;
        self.store()
            .set_recovery_codes(&visitor.actor(user), user.id, &hashes)
            .await?;
        self.tell_of_sign_in(visitor, user, SignInChange::RecoveryCodes).await;
        Ok(codes)
    }
}
