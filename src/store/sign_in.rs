//! How users prove who they are: passwords, one-time codes, recovery codes, console sessions, reset links, and the link
//! that makes the first owner.
//!
//! Nothing here is a secret in clear. What is shown once and given back later (the id of a console session, a link, a
//! recovery code) is known by its keyed hash only.

use std::fmt;

use async_trait::async_trait;

use super::{Actor, Error, Hash};
use crate::clock::Timestamp;
use crate::model::{Address, ConsoleSessionId, User, UserId};

/// The most console sessions of one user; the one that was used longest ago makes room.
pub const SESSIONS_MAX: u32 = 64;

/// The most recovery codes of one user.
pub const RECOVERY_CODES_MAX: usize = 32;

/// The most links to reset a password of one user that work, the newest.
pub const RESETS_MAX: u32 = 4;

/// The keyed hash of something random that was shown once: a session's id, a link's token, a recovery code.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hash]")
    }
}

/// A user's password at rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPassword {
    /// The Argon2id PHC string.
    pub hash: Hash,
    /// Which server key made it.
    pub key_id: u32,
}

/// What a sign-in is judged by.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// Who.
    pub user: User,
    /// Their password, where they have one.
    pub password: Option<UserPassword>,
    /// The sealed secret of their one-time codes, where they use them.
    pub code_secret: Option<Vec<u8>>,
    /// The time step of the last code that was accepted.
    pub code_step: Option<i64>,
    /// Recovery codes that were not used yet.
    pub recovery_codes: u32,
}

/// One-time codes that a user begins to use.
#[derive(Debug, Clone)]
pub struct NewCode {
    /// The secret, sealed with the server key and bound to the user.
    pub sealed: Vec<u8>,
    /// The time step of the code that proved it; it is not accepted again.
    pub step: i64,
    /// Their recovery codes; the old ones are gone.
    pub recovery: Vec<TokenHash>,
}

/// How much the owner of a console session has proved, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Proof {
    /// The password only, and a code is still owed: the session may do nothing but give it.
    Half,
    /// The password, of a user without one-time codes.
    Password,
    /// The password and a code.
    Code,
}

impl Proof {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Half, Self::Password, Self::Code];

    /// The fixed word in the store and in lists.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Half => "half",
            Self::Password => "password",
            Self::Code => "code",
        }
    }

    /// Reads what [`Proof::name`] wrote.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|proof| proof.name() == name)
    }
}

/// A console session to be opened.
#[derive(Debug, Clone)]
pub struct NewConsoleSession {
    /// Whose.
    pub user: UserId,
    /// The hash of its id.
    pub hash: TokenHash,
    /// What was proved so far.
    pub proof: Proof,
    /// When it ends.
    pub ends: SessionEnds,
    /// The address of the browser.
    pub origin: String,
    /// What the browser calls itself.
    pub browser: String,
    /// What it was opened by. A password that was compared may be another one by now, and codes may be asked for.
    pub verified: Option<Verified>,
}

/// What a sign-in was judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The hash that the password was compared with.
    pub hash: Hash,
    /// Whether one-time codes were asked for.
    pub has_code: bool,
}

/// When a console session ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionEnds {
    /// At this moment if it is not used before.
    pub idle_at: Timestamp,
    /// At this moment in any case.
    pub at: Timestamp,
}

/// A console session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleSession {
    /// By this it is named in lists; it proves nothing.
    pub id: ConsoleSessionId,
    /// Whose.
    pub user: UserId,
    /// How much was proved.
    pub proof: Proof,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was last used (written at most once a minute).
    pub seen_at: Timestamp,
    /// When a password or a code was last given in it.
    pub proved_at: Timestamp,
    /// When it ends.
    pub ends: SessionEnds,
    /// The address of the browser.
    pub origin: String,
    /// What the browser calls itself.
    pub browser: String,
}

/// Which of a user's console sessions go on when all others end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// None.
    None,
    /// This one.
    Session(ConsoleSessionId),
    /// All.
    All,
}

/// A link to reset a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordReset {
    /// Whose password.
    pub user: UserId,
    /// Their sign-in address.
    pub address: Address,
    /// Until when it works.
    pub expires_at: Timestamp,
}

/// Another sign-in address that waits to be confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressAsked {
    /// Which.
    pub address: Address,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Until when it can be confirmed.
    pub expires_at: Timestamp,
}

/// How users prove who they are. Every change is one transaction with its audit row.
#[async_trait]
pub trait SignInStore: Send + Sync {
    /// What a sign-in with this address is judged by.
    async fn sign_in(&self, address: &Address) -> Result<Option<SignIn>, Error>;
    /// The same of a user who is known, for a step-up.
    async fn sign_in_of(&self, user: UserId) -> Result<Option<SignIn>, Error>;

    /// Sets a user's password. Links to reset it end, and so do the console sessions that are not kept.
    async fn set_password(&self, actor: &Actor, user: UserId, password: &UserPassword, keep: Keep)
    -> Result<(), Error>;
    /// Puts a stronger hash in place of the one that was just verified; does nothing where it was replaced meanwhile. No
    /// audit row: nothing changes for anybody.
    async fn upgrade_password(&self, user: UserId, verified: &Hash, stronger: &UserPassword) -> Result<(), Error>;
    /// Begins to ask for one-time codes, or changes their secret; the console sessions that are not kept end.
    async fn set_code(&self, actor: &Actor, user: UserId, code: &NewCode, keep: Keep) -> Result<(), Error>;
    /// No longer asks for one-time codes; recovery codes are gone. The console sessions that are not kept end.
    async fn remove_code(&self, actor: &Actor, user: UserId, keep: Keep) -> Result<(), Error>;
    /// Takes the time step of a right code; false where this step or a later one was taken already, so that no code is
    /// accepted twice, however many browsers send it at once. No audit row: the sign-in has one.
    async fn use_code_step(&self, user: UserId, step: i64) -> Result<bool, Error>;
    /// Gives a user new recovery codes; the old ones are gone.
    async fn set_recovery_codes(&self, actor: &Actor, user: UserId, codes: &[TokenHash]) -> Result<(), Error>;
    /// Uses up a recovery code and says how many are left; `None` where there is no such code (any more).
    async fn use_recovery_code(&self, actor: &Actor, user: UserId, code: &TokenHash) -> Result<Option<u32>, Error>;

    /// Whether a console session that owes nothing has not ended.
    async fn is_session_live(&self, id: ConsoleSessionId) -> Result<bool, Error>;
    /// Opens a console session; the oldest beyond [`SESSIONS_MAX`] ends. Only a session that owes nothing is a sign-in,
    /// has an audit row and counts as the user being seen. `Conflict` where what was verified does not hold any more.
    async fn open_session(&self, actor: &Actor, new: &NewConsoleSession) -> Result<ConsoleSession, Error>;
    /// The session with this id and its user, unless it has ended.
    async fn session(&self, hash: &TokenHash) -> Result<Option<(ConsoleSession, User)>, Error>;
    /// Gives a session another id after its owner proved more, and notes the moment and the greater proof; `None` where the
    /// session has ended, or another request was quicker. From [`Proof::Half`] this is the sign-in, with its audit row;
    /// later its absolute end stays what it was.
    async fn prove_session(
        &self,
        actor: &Actor,
        old: &TokenHash,
        new: &TokenHash,
        proof: Proof,
        ends: SessionEnds,
    ) -> Result<Option<ConsoleSession>, Error>;
    /// Notes that a session and its user were seen, and moves its idle end; never beyond its absolute end.
    async fn touch_session(&self, id: ConsoleSessionId, idle_at: Timestamp, origin: &str) -> Result<(), Error>;
    /// The sessions of a user that have not ended and owe nothing, the latest seen first.
    async fn sessions_of(&self, user: UserId) -> Result<Vec<ConsoleSession>, Error>;
    /// Ends one session of a user; false where there is no such session.
    async fn end_session(&self, actor: &Actor, user: UserId, id: ConsoleSessionId) -> Result<bool, Error>;
    /// "Sign out everywhere": ends the sessions of a user that are not kept, and says how many.
    async fn end_sessions(&self, actor: &Actor, user: UserId, keep: Keep) -> Result<u32, Error>;

    /// Makes a link to reset a user's password; the oldest beyond [`RESETS_MAX`] ends.
    async fn create_reset(
        &self,
        actor: &Actor,
        user: UserId,
        link: &TokenHash,
        expires_at: Timestamp,
    ) -> Result<(), Error>;
    /// The reset that a link leads to, unless it was used or ran out.
    async fn reset(&self, link: &TokenHash) -> Result<Option<PasswordReset>, Error>;
    /// Uses a link once: sets the password, ends all other links and all console sessions of the user. `NotFound` where
    /// the link was used or ran out.
    async fn use_reset(&self, actor: &Actor, link: &TokenHash, password: &UserPassword) -> Result<User, Error>;

    /// Remembers that a user wants to sign in with another address, and the link that confirms it, in place of an earlier
    /// wish. `Conflict` where somebody signs in with it.
    async fn ask_address(
        &self,
        actor: &Actor,
        user: UserId,
        address: &Address,
        link: &TokenHash,
        expires_at: Timestamp,
    ) -> Result<(), Error>;
    /// The address that a user has asked for and not confirmed yet, unless it ran out.
    async fn address_asked(&self, user: UserId) -> Result<Option<AddressAsked>, Error>;
    /// The same, where this is the link that confirms it.
    async fn address_by_link(&self, user: UserId, link: &TokenHash) -> Result<Option<AddressAsked>, Error>;
    /// Uses the link once: the user signs in with the address that they asked for. `NotFound` where it was used, ran out or
    /// is somebody else's; `Conflict` where somebody signs in with the address by now.
    async fn confirm_address(&self, actor: &Actor, user: UserId, link: &TokenHash) -> Result<User, Error>;

    /// Makes the link that makes the first owner, in place of an older one. `Refused` where an organisation has an owner.
    async fn set_set_up_link(&self, actor: &Actor, link: &TokenHash, expires_at: Timestamp) -> Result<(), Error>;
    /// Whether this is the link that makes the first owner, and it still works.
    async fn is_set_up_link(&self, link: &TokenHash) -> Result<bool, Error>;
}
