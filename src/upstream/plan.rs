//! What one login says to the mail store, settled before any contact.
//!
//! The mailbox's name comes from our own record, and even so it is refused if the mail store could read more into it
//! than a name. Client text goes into two places only: an IMAP ID's `name` and XCLIENT's `HELO`; whatever a mail store
//! trusts from us (`x-originating-ip` and the like, Dovecot's `imap-login-cmd-id.c`) is made of the socket's addresses.

use std::sync::Arc;

use crate::imap;
use crate::keys::Keyring;
use crate::model::{Address, MailboxId};
use crate::peer::{Peer, Protocol};
use crate::secret::{Secret, SecretBytes};
use crate::smtp;
use crate::verify::VerifiedLogin;
use crate::wire;

use super::error::Error;
use super::route::Strategy;
use super::service::LiveService;

/// How many more proxies a login may pass: a gateway that reaches itself through others is found out by the mail store.
const PROXY_TTL: &str = "4";
/// Octets of a client's own name that are passed on.
const CLIENT_NAME_BYTES: usize = 256;

/// The mailbox to log in as.
#[derive(Clone, Copy)]
pub(super) struct Account<'a> {
    pub(super) mailbox: MailboxId,
    pub(super) address: &'a Address,
    pub(super) sealed: Option<&'a [u8]>,
}

impl<'a> From<&'a VerifiedLogin> for Account<'a> {
    fn from(login: &'a VerifiedLogin) -> Self {
        Self {
            mailbox: login.mailbox(),
            address: login.address(),
            sealed: login.upstream_secret(),
        }
    }
}

/// Who is at the other end.
#[derive(Clone, Copy)]
pub(super) struct Visitor<'a> {
    pub(super) peer: &'a Peer,
    /// What the client calls itself.
    pub(super) client: Option<&'a str>,
    pub(super) session_id: u64,
}

/// Everything that one login says; usable twice, on a warm connection and then on a fresh one.
pub(super) struct Plan<'a> {
    account: Account<'a>,
    visitor: Visitor<'a>,
    send_client_address: bool,
    identity: Identity,
}

enum Identity {
    Plain {
        authzid: String,
        authcid: String,
        password: Arc<SecretBytes>,
    },
    Trusted,
    Xclient,
}

impl<'a> Plan<'a> {
    /// Settles a login.
    ///
    /// # Errors
    /// The name, the stored password or the strategy does not fit.
    pub(super) fn new(
        service: &LiveService,
        account: Account<'a>,
        keys: &Keyring,
        visitor: Visitor<'a>,
    ) -> Result<Self, Error> {
        let route = || Arc::clone(&service.route);
        let name = account.address.as_str();
        let plain = |authzid: &str, authcid: &str, password| Identity::Plain {
            authzid: authzid.to_owned(),
            authcid: authcid.to_owned(),
            password,
        };
        let mut interpreted = None;
        let identity = match (&service.config.strategy, service.protocol) {
            (Strategy::Authzid { user, password }, _) => plain(name, user, Arc::clone(password)),
            (
                Strategy::MasterUser {
                    user,
                    password,
                    separator,
                },
                _,
            ) => {
                interpreted = Some(*separator);
                plain("", &format!("{name}{separator}{user}"), Arc::clone(password))
            }
            (Strategy::Stored, _) => {
                let opened = account
                    .sealed
                    .map(|sealed| keys.unseal(&account.mailbox.seal_context(), sealed));
                let password = opened
                    .and_then(Result::ok)
                    .ok_or_else(|| Error::NoSecret { route: route() })?;
                plain("", name, Arc::new(password))
            }
            (Strategy::Plain { user, password }, Protocol::Smtp) => plain("", user, Arc::clone(password)),
            (Strategy::TrustedNetwork, Protocol::Smtp) => Identity::Trusted,
            (Strategy::Xclient, Protocol::Smtp) => Identity::Xclient,
            (Strategy::Plain { .. } | Strategy::TrustedNetwork | Strategy::Xclient, Protocol::Imap) => {
                return Err(Error::Unsupported {
                    route: route(),
                    protocol: service.protocol.name(),
                });
            }
        };
        if !is_plain_name(name, interpreted) {
            return Err(Error::BadName { route: route() });
        }
        Ok(Self {
            account,
            visitor,
            send_client_address: service.config.send_client_address,
            identity,
        })
    }

    /// What anybody can try: the mailbox's name with this password, and nothing that the mail store trusts in us.
    ///
    /// # Errors
    /// The name does not fit.
    pub(super) fn of_stranger(
        service: &LiveService,
        account: Account<'a>,
        password: SecretBytes,
        visitor: Visitor<'a>,
    ) -> Result<Self, Error> {
        let name = account.address.as_str();
        if !is_plain_name(name, None) {
            let route = Arc::clone(&service.route);
            return Err(Error::BadName { route });
        }
        let identity = Identity::Plain {
            authzid: String::new(),
            authcid: name.to_owned(),
            password: Arc::new(password),
        };
        Ok(Self {
            account,
            visitor,
            send_client_address: false,
            identity,
        })
    }

    /// The same names with another password; the client's address is left out, so that only the login is judged.
    pub(super) fn with_password(mut self, wrong: SecretBytes) -> Self {
        if let Identity::Plain { password, .. } = &mut self.identity {
            *password = Arc::new(wrong);
        }
        self.send_client_address = false;
        self
    }
}

/// Whether an EHLO line of this keyword (upper case, as `smtp::client` gives it) lists the word.
pub(super) fn takes_parameter(offered: &[String], keyword: &str, word: &str) -> bool {
    offered
        .iter()
        .filter_map(|line| line.strip_prefix(keyword)?.strip_prefix(' '))
        .any(|list| list.split(' ').any(|name| name.eq_ignore_ascii_case(word)))
}

/// No character that a mail store splits, expands, quotes or ends a line at.
pub(super) fn is_plain_name(name: &str, interpreted: Option<char>) -> bool {
    let special =
        |c: char| c.is_control() || c.is_whitespace() || matches!(c, '"' | '\\' | '%' | '*') || Some(c) == interpreted;
    !name.is_empty() && !name.contains(special)
}

impl Plan<'_> {
    /// The login as IMAP says it; `None` for a strategy that IMAP does not have, which [`Plan::new`] refuses.
    pub(super) fn imap<'p>(&'p self, id: &'p [(&'p str, &'p str)]) -> Option<imap::client::Login<'p>> {
        let Identity::Plain {
            authzid,
            authcid,
            password,
        } = &self.identity
        else {
            return None;
        };
        let authzid = Some(authzid.as_str()).filter(|authzid| !authzid.is_empty());
        Some(imap::client::Login {
            authzid,
            authcid,
            password,
            id,
        })
    }

    /// The pairs of an ID command (RFC 2971); those with `x-` are Dovecot's for trusted proxies.
    pub(super) fn id(&self) -> Vec<(&'static str, String)> {
        let Visitor {
            peer,
            client,
            session_id,
        } = self.visitor;
        let name = client.map(printable_name).filter(|name| !name.is_empty());
        let mut pairs: Vec<_> = name.map(|name| ("name", name)).into_iter().collect();
        if self.send_client_address {
            pairs.extend([
                ("x-originating-ip", peer.addr.ip().to_string()),
                ("x-originating-port", peer.addr.port().to_string()),
                ("x-connected-ip", peer.local.ip().to_string()),
                ("x-connected-port", peer.local.port().to_string()),
                ("x-proxy-ttl", PROXY_TTL.to_owned()),
                ("x-session-id", session_id.to_string()),
            ]);
        }
        pairs
    }

    /// The login as SMTP says it. XCLIENT is sent where it is the strategy, or where the mail store lists it and wants
    /// to know addresses; a trusted network is left alone, as telling the client's address would end that trust.
    ///
    /// # Errors
    /// XCLIENT is the strategy and the mail store does not take what it needs.
    pub(super) fn smtp(&self, offered: &[String]) -> Result<smtp::client::Login, String> {
        match &self.identity {
            Identity::Trusted => Ok(smtp::client::Login::Trusted),
            Identity::Plain {
                authzid,
                authcid,
                password,
            } => {
                let plain = smtp::client::Plain {
                    authzid: authzid.clone(),
                    authcid: authcid.clone(),
                    password: Secret::new(password.expose().clone()),
                };
                if self.send_client_address && offered.iter().any(|line| line.starts_with("XCLIENT")) {
                    return Ok(smtp::client::Login::Xclient {
                        attributes: self.attributes(None),
                        plain: Some(plain),
                    });
                }
                Ok(smtp::client::Login::Plain(plain))
            }
            Identity::Xclient => {
                if !takes_parameter(offered, "XCLIENT", "LOGIN") {
                    // Without it the mail store would take the session for one that is not logged in.
                    return Err(
                        "the mail store does not offer us XCLIENT with LOGIN: let it trust our address".to_owned(),
                    );
                }
                let login = Some(self.account.address.as_str().to_owned());
                Ok(smtp::client::Login::Xclient {
                    attributes: self.attributes(login),
                    plain: None,
                })
            }
        }
    }

    fn attributes(&self, login: Option<String>) -> smtp::client::Attributes {
        let Visitor { peer, client, .. } = self.visitor;
        if !self.send_client_address {
            return smtp::client::Attributes {
                login,
                ..Default::default()
            };
        }
        smtp::client::Attributes {
            helo: client.map(helo),
            login,
            addr: Some(peer.addr.ip()),
            port: Some(peer.addr.port()),
            dest_addr: Some(peer.local.ip()),
            dest_port: Some(peer.local.port()),
        }
    }
}

/// An EHLO name of which Postfix makes one word: it takes quotes and brackets in a command for the limits of a string,
/// even within an attribute, so that `EHLO a"` would swallow the attributes behind it, address and login included.
fn helo(name: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || ".:_-".contains(c) {
            c
        } else {
            '?'
        }
    };
    let name = printable_name(name);
    match name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(literal) => format!("[{}]", literal.chars().map(plain).collect::<String>()),
        None => name.chars().map(plain).collect(),
    }
}

fn printable_name(name: &str) -> String {
    wire::printable(name.as_bytes(), CLIENT_NAME_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ehlo_name_stays_one_word() {
        for (name, expect) in [
            ("phone.local", "phone.local"),
            ("[192.0.2.7]", "[192.0.2.7]"),
            ("[IPV6:2001:db8::7]", "[IPV6:2001:db8::7]"),
            ("a\" ADDR=192.0.2.1", "a??ADDR?192.0.2.1"),
            ("[a\"]", "[a?]"),
            ("[[", "??"),
            ("b\u{fc}ro(x<y", "b??ro?x?y"),
        ] {
            assert_eq!(helo(name), expect);
        }
    }
}
