//! Signing in, in two steps; being recognised afterwards; proving oneself again; signing out.
//!
//! The first step is address and password, the second a one-time code or a recovery code, where the user has set them up.
//! In between there is half a session that can do nothing but take the code. Every proof gives the session another id, so
//! that whoever knew the old one has nothing. An unknown address, one without a password and a wrong password cost the same
//! work and get the same words at the same time.

use super::super::Error;
use super::{Desk, SignInChange, Visitor, guesser};
use crate::identity::token::Session;
use crate::identity::{BrowserId, Busy, RecoveryCode, Token, TotpSecret, lifetime};
use crate::model::{Address, User};
use crate::secret::Secret;
use crate::store::{
    self, ConsoleSession, Keep, NewConsoleSession, Proof, SessionEnds, SignIn, TokenHash, UserPassword, Verified,
};
use crate::throttle::{Taken, Wait};

/// A session that was opened, or went on under another id.
#[derive(Debug)]
pub struct Opened {
    /// What the browser's cookie is to hold.
    pub session: Token<Session>,
    /// A code is owed before it can do anything.
    pub owes_code: bool,
    /// What a second cookie is to hold, by which this browser is known from now on; none while a code is owed.
    pub mark: Option<Secret<String>>,
    /// Who.
    pub user: User,
}

/// What a request's cookie means.
#[derive(Debug)]
pub enum Visit {
    /// Nobody is signed in.
    Nobody,
    /// Somebody whose password was right and who owes a code.
    Half(User),
    /// Somebody who is signed in.
    SignedIn(Box<SignedIn>),
}

/// Somebody who is signed in, as one request found them.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Who.
    pub user: User,
    /// In which session.
    pub session: ConsoleSession,
    /// From where.
    pub visitor: Visitor,
    pub(super) hash: TokenHash,
}

/// What somebody proves themselves with again.
#[derive(Debug)]
pub enum Proving<'a> {
    /// Their password.
    Password(&'a Secret<String>),
    /// A one-time code or a recovery code.
    Code(&'a Secret<String>),
}

impl Desk {
    /// The first step. `mark` is the cookie of a known browser, if there is one.
    ///
    /// # Errors
    /// [`Error::WrongSignIn`] for every reason that lies with address and password; too many tries; a busy moment.
    pub async fn sign_in(
        &self,
        visitor: &Visitor,
        mark: Option<&str>,
        address: &str,
        password: &Secret<String>,
    ) -> Result<Opened, Error> {
        let started = self.directory.clock.now();
        let proved = self.prove_password(visitor, mark, address, password).await;
        if let Err(error) = &proved {
            tracing::info!(client.addr = %visitor.ip, reason = error.key(), "sign-in to the Manager refused");
            self.hold(started).await;
        }
        let sign_in = proved?;
        let opened = match self.open(visitor, &sign_in).await {
            // What was compared is another password by now: they are not told "wrong", and may be right with the next try.
            Err(Error::Store(store::Error::Conflict(_))) => return Err(Error::Busy(Busy)),
            opened => opened?,
        };
        self.strengthen(visitor, &sign_in, password).await;
        Ok(opened)
    }

    async fn prove_password(
        &self,
        visitor: &Visitor,
        mark: Option<&str>,
        address: &str,
        password: &Secret<String>,
    ) -> Result<SignIn, Error> {
        let parsed = Address::parse(address).ok();
        let sign_in = match &parsed {
            Some(address) => self.store().sign_in(address).await?,
            None => None,
        };
        let browser = sign_in
            .as_ref()
            .and_then(|sign_in| self.known_browser(mark, sign_in.user.id));
        let name = parsed.as_ref().map_or(address, Address::as_str);
        let taken = self
            .throttle
            .take_password(self.directory.clock.now(), &guesser(visitor, browser.as_ref()), name)
            .map_err(too_many)?;
        let stored = sign_in.as_ref().and_then(|sign_in| sign_in.password.clone());
        let is_known = browser.is_some();
        if !self.compare((visitor, is_known), stored, password, taken).await? {
            if let Some(sign_in) = &sign_in {
                self.note_stranger(visitor, &sign_in.user);
            }
            return Err(Error::WrongSignIn);
        }
        sign_in.ok_or(Error::WrongSignIn)
    }

    /// Compares a password and gives back what the try took, unless it was wrong.
    async fn compare(
        &self,
        (visitor, is_known): (&Visitor, bool),
        stored: Option<UserPassword>,
        password: &Secret<String>,
        taken: Taken,
    ) -> Result<bool, Error> {
        let network = self.settings.network.network_of(visitor.ip);
        let typed = password.expose();
        let compared = if is_known {
            self.passwords.matches_known(network, stored, typed).await
        } else {
            self.passwords.matches(network, stored, typed).await
        };
        if compared != Ok(false) {
            self.throttle.give_back(self.directory.clock.now(), taken);
        }
        Ok(compared?)
    }

    /// Opens a session for somebody whose password is right.
    async fn open(&self, visitor: &Visitor, sign_in: &SignIn) -> Result<Opened, Error> {
        let now = self.now();
        let owes_code = sign_in.code_secret.is_some();
        let (proof, ends) = if owes_code {
            (Proof::Half, self.directory.lifetimes.half_ends(now))
        } else {
            (Proof::Password, self.directory.lifetimes.session_ends(now))
        };
        let verified = sign_in.password.as_ref().map(|password| Verified {
            hash: password.hash.clone(),
            has_code: owes_code,
        });
        self.open_as(visitor, &sign_in.user, (proof, ends), verified).await
    }

    pub(super) async fn open_as(
        &self,
        visitor: &Visitor,
        user: &User,
        (proof, ends): (Proof, SessionEnds),
        verified: Option<Verified>,
    ) -> Result<Opened, Error> {
        let session = Token::generate();
        let new = NewConsoleSession {
            user: user.id,
            hash: session.hash(&self.directory.keys),
            proof,
            ends,
            origin: visitor.ip.to_string(),
            browser: visitor.browser.clone(),
            verified,
        };
        self.store().open_session(&visitor.actor(user), &new).await?;
        let owes_code = proof == Proof::Half;
        Ok(Opened {
            session,
            owes_code,
            mark: (!owes_code).then(|| self.mark_for(user.id)),
            user: user.clone(),
        })
    }

    /// The second step: a one-time code or a recovery code for the half session that the cookie names.
    ///
    /// # Errors
    /// The cookie names none (any more), the code is wrong or used, or there were too many tries.
    pub async fn give_code(
        &self,
        visitor: &Visitor,
        mark: Option<&str>,
        cookie: &str,
        code: &Secret<String>,
    ) -> Result<Opened, Error> {
        let started = self.directory.clock.now();
        let found = self.session_of(cookie).await?;
        let (hash, _, user) = found
            .filter(|(_, session, _)| session.proof == Proof::Half)
            .ok_or(Error::SignedOut)?;
        let browser = self.known_browser(mark, user.id);
        let sign_in = self.store().sign_in_of(user.id).await?.ok_or(Error::SignedOut)?;
        if let Err(error) = self.prove_code(visitor, browser.as_ref(), &sign_in, code).await {
            tracing::info!(client.addr = %visitor.ip, reason = error.key(), "sign-in to the Manager refused");
            if matches!(error, Error::WrongCode) {
                self.note_stranger(visitor, &user);
            }
            self.hold(started).await;
            return Err(error);
        }
        self.go_on(visitor, user, &hash, Proof::Code).await
    }

    /// Judges a code and uses it up.
    async fn prove_code(
        &self,
        visitor: &Visitor,
        browser: Option<&BrowserId>,
        sign_in: &SignIn,
        code: &Secret<String>,
    ) -> Result<(), Error> {
        let taken = self
            .throttle
            .take_code(
                self.directory.clock.now(),
                &guesser(visitor, browser),
                &budget_of(sign_in),
            )
            .map_err(too_many)?;
        let used = match RecoveryCode::read(code.expose()) {
            Some(recovery) => self.use_recovery(visitor, sign_in, &recovery).await?,
            None => self.use_step(sign_in, code.expose()).await?,
        };
        if !used {
            return Err(Error::WrongCode);
        }
        self.throttle.give_back(self.directory.clock.now(), taken);
        Ok(())
    }

    /// A code is right where it belongs to the present step or one beside it, and that step was never used.
    async fn use_step(&self, sign_in: &SignIn, code: &str) -> Result<bool, Error> {
        let Some(sealed) = &sign_in.code_secret else {
            return Ok(false);
        };
        let secret = TotpSecret::unseal(&self.directory.keys, sign_in.user.id, sealed)?;
        match secret.step_of(code, self.now()) {
            Some(step) => Ok(self.store().use_code_step(sign_in.user.id, step).await?),
            None => Ok(false),
        }
    }

    async fn use_recovery(&self, visitor: &Visitor, sign_in: &SignIn, code: &RecoveryCode) -> Result<bool, Error> {
        let user = &sign_in.user;
        for hash in code.hashes(&self.directory.keys, user.id) {
            let left = self
                .store()
                .use_recovery_code(&visitor.actor(user), user.id, &hash)
                .await?;
            if left.is_some() {
                self.tell_of_sign_in(visitor, user, SignInChange::RecoveryCodeUsed)
                    .await;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Gives a session another id after a proof.
    async fn go_on(&self, visitor: &Visitor, user: User, old: &TokenHash, proof: Proof) -> Result<Opened, Error> {
        let session = Token::generate();
        let ends = self.directory.lifetimes.session_ends(self.now());
        let hash = session.hash(&self.directory.keys);
        let actor = visitor.actor(&user);
        let proved = self.store().prove_session(&actor, old, &hash, proof, ends).await?;
        // Another request was quicker, or the session has just ended.
        proved.ok_or(Error::SignedOut)?;
        Ok(Opened {
            session,
            owes_code: false,
            mark: Some(self.mark_for(user.id)),
            user,
        })
    }

    /// Who a request's cookie says is there. Notes that they were seen, once a minute.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn visit(&self, visitor: &Visitor, cookie: Option<&str>) -> Result<Visit, Error> {
        let visit = self.look(visitor, cookie).await?;
        let now = self.now();
        if let Visit::SignedIn(signed_in) = &visit
            && lifetime::is_seen_stale(signed_in.session.seen_at, now)
        {
            let session = &signed_in.session;
            let idle_at = self.directory.lifetimes.after_use(session.ends, now).idle_at;
            if let Err(error) = self
                .store()
                .touch_session(session.id, idle_at, &visitor.ip.to_string())
                .await
            {
                // Whoever is signed in can go on while the store cannot be written.
                tracing::warn!(%error, "the use of a console session was not noted");
            }
        }
        Ok(visit)
    }

    /// The same for what a page asks by itself, again and again: it is no use of the session, which ends for want of one
    /// as if the page were closed.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn look(&self, visitor: &Visitor, cookie: Option<&str>) -> Result<Visit, Error> {
        let found = match cookie {
            Some(cookie) => self.session_of(cookie).await?,
            None => None,
        };
        let Some((hash, session, user)) = found else {
            return Ok(Visit::Nobody);
        };
        if !lifetime::is_alive(session.ends, self.now()) {
            return Ok(Visit::Nobody);
        }
        if session.proof == Proof::Half {
            return Ok(Visit::Half(user));
        }
        Ok(Visit::SignedIn(Box::new(SignedIn {
            user,
            session,
            visitor: visitor.clone(),
            hash,
        })))
    }

    async fn session_of(&self, cookie: &str) -> Result<Option<(TokenHash, ConsoleSession, User)>, Error> {
        let Some(token) = Token::<Session>::read(cookie) else {
            return Ok(None);
        };
        for hash in token.hashes(&self.directory.keys) {
            if let Some((session, user)) = self.store().session(&hash).await? {
                return Ok(Some((hash, session, user)));
            }
        }
        Ok(None)
    }

    /// Whether what this person proved is fresh enough for what is weighty.
    pub fn is_fresh(&self, signed_in: &SignedIn) -> bool {
        self.must_be_fresh(&signed_in.session).is_ok()
    }

    /// Takes a proof again, before something weighty. The session goes on under another id.
    ///
    /// # Errors
    /// The proof is wrong, or there were too many tries; with the last of [`WRONG_PROOFS_MAX`](super::WRONG_PROOFS_MAX) the
    /// session ends.
    pub async fn step_up(&self, signed_in: &SignedIn, proving: Proving<'_>) -> Result<Opened, Error> {
        self.prove_now(signed_in, proving).await?;
        let proof = signed_in.session.proof;
        self.go_on(&signed_in.visitor, signed_in.user.clone(), &signed_in.hash, proof)
            .await
    }

    /// Takes a proof for what is done with it at once; the session goes on as it was.
    pub(super) async fn prove_now(&self, signed_in: &SignedIn, proving: Proving<'_>) -> Result<(), Error> {
        let started = self.directory.clock.now();
        let proved = self.prove_again(signed_in, proving).await;
        let proved = self.count_proof(signed_in, proved).await;
        if let Err(error) = &proved {
            tracing::info!(client.addr = %signed_in.visitor.ip, user.id = %signed_in.user.id, reason = error.key(), "step-up refused");
            self.hold(started).await;
        }
        proved
    }

    async fn prove_again(&self, signed_in: &SignedIn, proving: Proving<'_>) -> Result<(), Error> {
        let sign_in = self
            .store()
            .sign_in_of(signed_in.user.id)
            .await?
            .ok_or(Error::SignedOut)?;
        // Over all sessions of the user: somebody who took one must not guess in many. Signing in again is a proof too.
        let now = self.directory.clock.now();
        let user = signed_in.user.id.raw().to_le_bytes();
        let of_user = self.throttle.take_step_up(now, &user).map_err(too_many)?;
        let proved = self.prove_in_session(signed_in, &sign_in, proving).await;
        if !matches!(proved, Err(Error::WrongPassword | Error::WrongCode)) {
            self.throttle.give_back(now, of_user);
        }
        proved
    }

    async fn prove_in_session(
        &self,
        signed_in: &SignedIn,
        sign_in: &SignIn,
        proving: Proving<'_>,
    ) -> Result<(), Error> {
        // The session is the known browser: nobody else's tries count here.
        let browser = browser_of(signed_in);
        let visitor = &signed_in.visitor;
        match proving {
            Proving::Code(code) => self.prove_code(visitor, Some(&browser), sign_in, code).await,
            Proving::Password(password) => {
                let now = self.directory.clock.now();
                let asking = guesser(visitor, Some(&browser));
                let name = sign_in.user.address.as_str();
                let taken = self.throttle.take_password(now, &asking, name).map_err(too_many)?;
                let stored = sign_in.password.clone();
                if self.compare((visitor, true), stored, password, taken).await? {
                    Ok(())
                } else {
                    Err(Error::WrongPassword)
                }
            }
        }
    }

    /// Ends the session of whoever is signed in.
    ///
    /// # Errors
    /// The store cannot be written: they are still signed in.
    pub async fn sign_out(&self, signed_in: &SignedIn) -> Result<(), Error> {
        let actor = signed_in.visitor.actor(&signed_in.user);
        self.store()
            .end_session(&actor, signed_in.user.id, signed_in.session.id)
            .await?;
        Ok(())
    }

    /// Ends half a sign-in, for somebody who cannot give the code now.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn leave_half(&self, visitor: &Visitor, cookie: &str) -> Result<(), Error> {
        if let Some((_, session, user)) = self.session_of(cookie).await?
            && session.proof == Proof::Half
        {
            self.store()
                .end_session(&visitor.actor(&user), user.id, session.id)
                .await?;
        }
        Ok(())
    }

    /// Puts a hash of today's cost and key in place of an older one, where somebody has just proved their password.
    async fn strengthen(&self, visitor: &Visitor, sign_in: &SignIn, typed: &Secret<String>) {
        let Some(stored) = sign_in
            .password
            .as_ref()
            .filter(|stored| self.passwords.is_weak(stored))
        else {
            return;
        };
        let network = self.settings.network.network_of(visitor.ip);
        let Ok(stronger) = self.passwords.rehash(network, typed.expose()).await else {
            return;
        };
        if let Err(error) = self
            .store()
            .upgrade_password(sign_in.user.id, &stored.hash, &stronger)
            .await
        {
            tracing::error!(%error, "a weak password hash was not upgraded");
        }
    }

    pub(super) fn keep(signed_in: &SignedIn) -> Keep {
        Keep::Session(signed_in.session.id)
    }
}

/// By what the tries at somebody's codes are counted: afresh after a new password, as whoever guesses needs the new one.
fn budget_of(sign_in: &SignIn) -> Vec<u8> {
    let password = sign_in
        .password
        .as_ref()
        .map_or("", |password| password.hash.0.as_str());
    [&sign_in.user.id.raw().to_le_bytes(), password.as_bytes()].concat()
}

fn browser_of(signed_in: &SignedIn) -> BrowserId {
    let mut id = [0; 16];
    let (low, high) = id.split_at_mut(8);
    low.copy_from_slice(&signed_in.session.id.raw().to_le_bytes());
    high.copy_from_slice(b"step-up ");
    BrowserId(id)
}

pub(super) fn too_many(Wait(wait): Wait) -> Error {
    Error::TooManyTries { wait }
}
