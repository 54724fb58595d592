//! Slows guessing at the Manager's sign-in, without ever locking the owner out.
//!
//! Every try takes from a budget before anything is hashed, so that tries that run side by side are counted, and a right
//! one gets back what it took. Budgets refill by halving what was taken.
//!
//! - A browser in which this user signed in before (`identity::BrowserMark`) has a budget of its own. Nobody else's tries,
//!   wherever they come from, take from it.
//! - Everybody else takes from three budgets: of their network, of the address they try (from all networks), and of the
//!   two together. Where the budget of an address is used up, somebody guesses at it from many places; then each network
//!   has only a few tries at it left instead of many, but it has them: an owner at a new place is among them.
//! - One-time codes have a budget by user, over all unknown browsers: whoever gets there knows the password already.
//! - Proofs before something weighty have one by user, over all their sessions, beside that of the session.
//! - So have mails that a stranger can make us send (a new password), by address and by network; and those that members
//!   can: invitations, by organisation and by address; set-up links, which the lowest role may send, by sender, organisation
//!   and address, so that they use up no invitation; and letters about devices, by who changes them and mailbox.
//! - API tokens cannot be guessed, so that a right one is never slowed; wrong ones are counted by network, so that a program
//!   that goes on with one is told to wait.
//!
//! An address that nobody has is treated as one that somebody has. All state lies in tables of fixed size under keyed
//! hashes, as in the throttle of mail logins.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::table::Table;
use super::{MIN_GRID, on_grid};
use crate::keys::random_bytes;
use crate::peer::NetworkPrefixes;
use crate::secret::Secret;

/// Settings. Budgets are tries at once; one half-life later half of them are there again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInConfig {
    /// What one network is.
    pub network: NetworkPrefixes,
    /// Failures are answered at whole multiples of this after their beginning, so that time tells no reason.
    pub base_delay: Duration,
    /// Tries from one network, at all addresses.
    pub per_network: u32,
    /// Tries at one address, from all unknown browsers.
    pub per_address: u32,
    /// Tries from one network at one address.
    pub per_pair: u32,
    /// The same, while the budget of the address is used up. At least 2, so that a slip of the finger costs no wait.
    pub per_pair_of_hot: u32,
    /// Tries in one known browser.
    pub per_browser: u32,
    /// In how long the budgets of tries are half full again.
    pub half_life: Duration,
    /// Wrong codes for one user, from all unknown browsers.
    pub codes: u32,
    /// Mails to one address that strangers ask for.
    pub mails: u32,
    /// Mails that one network asks for.
    pub mails_per_network: u32,
    /// Wrong API tokens from one network.
    pub tokens: u32,
    /// Invitations by mail to one address, from one organisation.
    pub invitations: u32,
    /// Invitations by mail from one organisation.
    pub invitations_per_org: u32,
    /// Set-up links by mail to one address, from one organisation.
    pub links: u32,
    /// Set-up links by mail from one user of an organisation, themselves or by their tokens.
    pub links_per_sender: u32,
    /// Set-up links by mail from one organisation.
    pub links_per_org: u32,
    /// Rounds of letters about devices of one mailbox that one user can cause.
    pub device_letters: u32,
    /// Wrong proofs of one user before something weighty, in all their sessions.
    pub step_ups: u32,
    /// Refusals that are written into one user's activity.
    pub refusals: u32,
    /// In how long the budgets of codes, of mails and these two are half full again.
    pub slow_half_life: Duration,
    /// Fixed number of counters in each table; about 32 octets each.
    pub table_entries: usize,
}

impl Default for SignInConfig {
    fn default() -> Self {
        Self {
            network: NetworkPrefixes::default(),
            base_delay: Duration::from_secs(1),
            per_network: 40,
            per_address: 40,
            per_pair: 10,
            per_pair_of_hot: 2,
            per_browser: 15,
            half_life: Duration::from_secs(15 * 60),
            codes: 10,
            mails: 4,
            mails_per_network: 12,
            invitations: 4,
            invitations_per_org: 200,
            links: 4,
            links_per_sender: 20,
            links_per_org: 200,
            device_letters: 10,
            step_ups: 20,
            refusals: 5,
            tokens: 60,
            slow_half_life: Duration::from_secs(60 * 60),
            table_entries: 16_384,
        }
    }
}

/// Too many tries: none was made, and the next one can be after this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait(pub Duration);

/// What a try took, to be given back should it be right.
#[derive(Debug, Clone, Copy)]
pub struct Taken([Option<(Budget, u64)>; 3]);

#[derive(Debug, Clone, Copy)]
enum Budget {
    Addresses,
    Browsers,
    Codes,
    Networks,
    Pairs,
}

/// What a keyed hash is of, so that no two budgets share one.
#[derive(Clone, Copy)]
enum Of {
    Address = 1,
    Browser = 2,
    Code = 3,
    MailTo = 4,
    MailFrom = 5,
    Network = 6,
    Pair = 7,
    InvitationTo = 8,
    InvitationFrom = 9,
    DeviceLetters = 10,
    StepUp = 11,
    Refusal = 12,
    Token = 13,
    LinkTo = 14,
    LinkBy = 15,
    LinkFrom = 16,
}

/// Who tries.
#[derive(Debug, Clone, Copy)]
pub struct Guesser<'a> {
    /// From where.
    pub ip: IpAddr,
    /// Which known browser of the user at whose address the try is, where it is one.
    pub browser: Option<&'a [u8]>,
}

/// Counts tries; one for the whole daemon.
pub struct SignInThrottle {
    config: SignInConfig,
    key: Secret<[u8; 32]>,
    addresses: Table,
    browsers: Table,
    codes: Table,
    mails: Table,
    networks: Table,
    pairs: Table,
    tokens: Table,
}

impl SignInThrottle {
    /// Full budgets, under a fresh key.
    pub fn new(config: SignInConfig) -> Self {
        let table = || Table::new(config.table_entries, config.half_life);
        let slow = || Table::new(config.table_entries, config.slow_half_life);
        Self {
            key: random_bytes(),
            addresses: table(),
            browsers: table(),
            codes: slow(),
            mails: slow(),
            networks: table(),
            pairs: table(),
            tokens: table(),
            config,
        }
    }

    /// Takes a try at a password from the budgets that it counts for.
    ///
    /// # Errors
    /// One of them is used up.
    pub fn take_password(&self, now: Instant, guesser: &Guesser<'_>, address: &str) -> Result<Taken, Wait> {
        let config = &self.config;
        let address = address.trim().to_lowercase();
        let address = address.as_bytes();
        if let Some(browser) = guesser.browser {
            // Together with the address: a browser may know several users.
            let id = self.id(Of::Browser, &[browser, address]);
            self.browsers.take(now, id, config.per_browser).map_err(Wait)?;
            return Ok(Taken([Some((Budget::Browsers, id)), None, None]));
        }
        let network = self.network(guesser.ip);
        let [of_network, of_address, of_pair] = [
            self.id(Of::Network, &[&network]),
            self.id(Of::Address, &[address]),
            self.id(Of::Pair, &[&network, address]),
        ];
        let hot = self.addresses.take(now, of_address, config.per_address).is_err();
        let taken_of_address = (!hot).then_some((Budget::Addresses, of_address));
        let per_pair = if hot { config.per_pair_of_hot } else { config.per_pair };
        if let Err(wait) = self.pairs.take(now, of_pair, per_pair) {
            self.give_back(now, Taken([taken_of_address, None, None]));
            return Err(Wait(wait));
        }
        let taken_of_pair = Some((Budget::Pairs, of_pair));
        if let Err(wait) = self.networks.take(now, of_network, config.per_network) {
            self.give_back(now, Taken([taken_of_address, taken_of_pair, None]));
            return Err(Wait(wait));
        }
        Ok(Taken([
            taken_of_address,
            taken_of_pair,
            Some((Budget::Networks, of_network)),
        ]))
    }

    /// Takes a try at a one-time or recovery code of the user whose sign-in this octet string stands for. It should
    /// change with the password: who had to set a new one starts afresh.
    ///
    /// # Errors
    /// The budget is used up.
    pub fn take_code(&self, now: Instant, guesser: &Guesser<'_>, sign_in: &[u8]) -> Result<Taken, Wait> {
        if let Some(browser) = guesser.browser {
            let id = self.id(Of::Browser, &[browser, sign_in]);
            self.browsers.take(now, id, self.config.per_browser).map_err(Wait)?;
            return Ok(Taken([Some((Budget::Browsers, id)), None, None]));
        }
        let id = self.id(Of::Code, &[sign_in]);
        self.codes.take(now, id, self.config.codes).map_err(Wait)?;
        Ok(Taken([Some((Budget::Codes, id)), None, None]))
    }

    /// Takes a mail to this address that somebody asks for without having signed in.
    ///
    /// # Errors
    /// Enough mails were sent to it, or asked for from this network.
    pub fn take_mail(&self, now: Instant, ip: IpAddr, address: &str) -> Result<(), Wait> {
        let address = address.trim().to_lowercase();
        let from = self.id(Of::MailFrom, &[&self.network(ip)]);
        let to = self.id(Of::MailTo, &[address.as_bytes()]);
        self.mails
            .take(now, from, self.config.mails_per_network)
            .map_err(Wait)?;
        self.mails.take(now, to, self.config.mails).map_err(|wait| {
            self.mails.give_back(now, from);
            Wait(wait)
        })
    }

    /// Takes an invitation by mail to this address from the organisation that the octets stand for.
    ///
    /// # Errors
    /// It sent enough of them to this address, or in all.
    pub fn take_invitation(&self, now: Instant, org: &[u8], address: &str) -> Result<(), Wait> {
        let address = address.trim().to_lowercase();
        let from = self.id(Of::InvitationFrom, &[org]);
        let to = self.id(Of::InvitationTo, &[org, address.as_bytes()]);
        self.mails
            .take(now, from, self.config.invitations_per_org)
            .map_err(Wait)?;
        self.mails.take(now, to, self.config.invitations).map_err(|wait| {
            self.mails.give_back(now, from);
            Wait(wait)
        })
    }

    /// Takes a set-up link by mail to this address, from the organisation and the user that the octets stand for.
    ///
    /// # Errors
    /// They sent enough of them, or the organisation did, to this address or in all.
    pub fn take_link(&self, now: Instant, org: &[u8], user: &[u8], address: &str) -> Result<(), Wait> {
        let address = address.trim().to_lowercase();
        let budgets = [
            (self.id(Of::LinkBy, &[org, user]), self.config.links_per_sender),
            (self.id(Of::LinkTo, &[org, address.as_bytes()]), self.config.links),
            (self.id(Of::LinkFrom, &[org]), self.config.links_per_org),
        ];
        for (place, (id, most)) in budgets.iter().enumerate() {
            if let Err(wait) = self.mails.take(now, *id, *most) {
                for (taken, _) in budgets.iter().take(place) {
                    self.mails.give_back(now, *taken);
                }
                return Err(Wait(wait));
            }
        }
        Ok(())
    }

    /// Takes a round of letters about a device: whose deed it is, and of which mailbox.
    ///
    /// # Errors
    /// The people there were told often enough of what this user does.
    pub fn take_device_letters(&self, now: Instant, user: &[u8], mailbox: &[u8]) -> Result<(), Wait> {
        let id = self.id(Of::DeviceLetters, &[user, mailbox]);
        self.mails.take(now, id, self.config.device_letters).map_err(Wait)
    }

    /// Takes a proof before something weighty, of the user that the octets stand for.
    ///
    /// # Errors
    /// The budget is used up.
    pub fn take_step_up(&self, now: Instant, user: &[u8]) -> Result<Taken, Wait> {
        let id = self.id(Of::StepUp, &[user]);
        self.codes.take(now, id, self.config.step_ups).map_err(Wait)?;
        Ok(Taken([Some((Budget::Codes, id)), None, None]))
    }

    /// Takes a refusal that is to be written down for the user that the octets stand for.
    ///
    /// # Errors
    /// Enough of them were.
    pub fn take_refusal(&self, now: Instant, user: &[u8]) -> Result<(), Wait> {
        let id = self.id(Of::Refusal, &[user]);
        self.codes.take(now, id, self.config.refusals).map_err(Wait)
    }

    /// Counts a wrong API token.
    ///
    /// # Errors
    /// There were enough from this network.
    pub fn take_token(&self, now: Instant, ip: IpAddr) -> Result<(), Wait> {
        let from = self.id(Of::Token, &[&self.network(ip)]);
        self.tokens.take(now, from, self.config.tokens).map_err(Wait)
    }

    /// Gives a right try what it took.
    pub fn give_back(&self, now: Instant, taken: Taken) {
        for (budget, id) in taken.0.into_iter().flatten() {
            let table = match budget {
                Budget::Addresses => &self.addresses,
                Budget::Browsers => &self.browsers,
                Budget::Codes => &self.codes,
                Budget::Networks => &self.networks,
                Budget::Pairs => &self.pairs,
            };
            table.give_back(now, id);
        }
    }

    /// When the answer to a failure that began at `started` may go out: equal for all reasons.
    pub fn release_at(&self, started: Instant, now: Instant) -> Instant {
        on_grid(started, now, self.config.base_delay.max(MIN_GRID), 1)
    }

    /// The network of an address, as octets: 4 or 16, so that no two are the same.
    fn network(&self, ip: IpAddr) -> Vec<u8> {
        match self.config.network.network_of(ip.to_canonical()).addr() {
            IpAddr::V4(network) => network.octets().to_vec(),
            IpAddr::V6(network) => network.octets().to_vec(),
        }
    }

    fn id(&self, of: Of, parts: &[&[u8]]) -> u64 {
        let mut hasher = blake3::Hasher::new_keyed(self.key.expose());
        hasher.update(&[of as u8]);
        for part in parts {
            // With its length, so that no two lists of parts read the same.
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let hash = hasher.finalize();
        let (ids, _) = hash.as_bytes().as_chunks::<8>();
        ids.first().copied().map_or(0, u64::from_le_bytes)
    }
}

impl std::fmt::Debug for SignInThrottle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignInThrottle")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
