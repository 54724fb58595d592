//! Setting a device up by its link: following one, opening it and reading its file, by whoever has it.
//!
//! A link is no more than whoever sent it may do at the moment it is opened: where they may not add such a device any more,
//! it is dead, and so it is where the API's token that they sent it with has ended or may not. Nothing that only looks at it
//! (a preview, a bot, a HEAD request) changes anything. The password is made when it is opened, or when its file is read, so
//! that none lies anywhere before. The browser that opened it is known by a cookie and may start again until the device has
//! signed in; for everybody else the link is used up.

use super::super::Error;
use super::super::rights::Operation;
use super::acting::may_by;
use super::{Desk, Visitor};
use crate::clock::Timestamp;
use crate::identity::Token;
use crate::identity::token::{Device as LinkToken, DeviceBrowser, DeviceFile};
use crate::model::password::PlainPassword;
use crate::model::{Address, ApiToken, Device, DeviceLink, DeviceLinkState, DeviceState, Rights};
use crate::secret::Secret;
use crate::store::device_link::LINK_STARTS_MAX;
use crate::store::{self, Actor, FoundLink, LinkBy, LinkGives, LinkOpening, Opener, Seq, Standing, TokenHash};

/// Passwords that are made for one opening: another one of the mailbox may have got the same tag meanwhile.
const TAG_TRIES: usize = 3;

/// What a link is to somebody who follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkStanding {
    /// It can be opened.
    Ready,
    /// This browser opened it.
    Mine {
        /// It may start again: the password that it got is replaced then.
        again: bool,
    },
    /// Another browser opened it.
    Taken,
    /// Its time ran out.
    Expired,
    /// It was withdrawn, or whoever sent it may not do so any more.
    Withdrawn,
    /// The device, or its mailbox, is switched off or gone.
    Off,
}

/// A link as somebody who follows it sees it.
#[derive(Debug, Clone)]
pub struct LinkView {
    /// What it is to them.
    pub standing: LinkStanding,
    /// The link.
    pub link: DeviceLink,
    /// The device that it sets up.
    pub device: Device,
    /// The mailbox's address.
    pub address: Address,
    /// The organisation's name.
    pub org: String,
    /// The name of the person whom the device belongs to.
    pub owner: Option<String>,
}

/// What whoever opens a link wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkWay {
    /// The password, to be seen in the answer.
    Password,
    /// A file with it, to be read a moment later.
    File,
}

/// What opening a link gave.
#[derive(Debug)]
pub enum Given {
    /// The password.
    Password(PlainPassword),
    /// What the address of the file ends with.
    File(Secret<String>),
}

/// A link that was opened.
#[derive(Debug)]
pub struct LinkOpened {
    /// The link, as it is now.
    pub view: LinkView,
    /// What it gave.
    pub given: Given,
    /// What the browser is known by from now on, where it was not known.
    pub browser: Option<Secret<String>>,
    /// The change by which an older password ended.
    pub seq: Seq,
}

/// Why a link gave nothing.
#[derive(Debug)]
pub enum LinkRefused {
    /// It leads nowhere.
    Unknown,
    /// It stands otherwise than whoever followed it thought.
    Stands(Box<LinkView>),
    /// Something failed.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for LinkRefused {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Desk {
    /// What a link leads to, for whoever follows it; nothing where it leads nowhere. `browser` is the cookie by which the
    /// browser that opened it is known. Nothing is changed.
    ///
    /// # Errors
    /// The store does not answer, or too many links from this network led nowhere.
    pub async fn device_link_of(
        &self,
        visitor: &Visitor,
        link: &str,
        browser: Option<&str>,
    ) -> Result<Option<LinkView>, Error> {
        match self.find(visitor, link, browser).await {
            Ok((_, found)) => Ok(Some(found.view)),
            Err(LinkRefused::Failed(error)) => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// Opens a link: the first browser has it, and may do so again until the device has signed in.
    ///
    /// # Errors
    /// It leads nowhere, or cannot be opened (any more) by this browser.
    pub async fn open_device_link(
        &self,
        visitor: &Visitor,
        link: &str,
        browser: Option<&str>,
        way: LinkWay,
    ) -> Result<LinkOpened, LinkRefused> {
        let (hash, found) = self.find(visitor, link, browser).await?;
        let (by, cookie) = match (found.view.standing, found.browser) {
            (LinkStanding::Ready, _) => {
                let cookie = Token::<DeviceBrowser>::generate();
                (Opener::First(cookie.hash(&self.directory.keys)), Some(cookie))
            }
            (LinkStanding::Mine { again: true }, Some(browser)) => (Opener::Again(browser), None),
            _ => return Err(LinkRefused::Stands(Box::new(found.view))),
        };
        // The link is no proof of who has it.
        let actor = Actor::unknown(&visitor.ip.to_string());
        let (given, opened) = match way {
            LinkWay::Password => {
                let followed = (visitor, link, browser);
                let (password, opened) = self
                    .with_password(&actor, &found.view, (hash, Reason::Opens(by)), followed)
                    .await?;
                (Given::Password(password), opened)
            }
            LinkWay::File => {
                let file = Token::<DeviceFile>::generate();
                let gives = LinkGives::File {
                    hash: file.hash(&self.directory.keys),
                    until: self.now().plus(self.directory.lifetimes.device_file),
                };
                let opening = LinkOpening { link: hash, by, gives };
                let opened = self.store().open_device_link(&actor, &opening).await;
                (Given::File(file.shown()), opened)
            }
        };
        let (link_now, seq) = self.or_as_it_stands(opened, visitor, link, browser).await?;
        Ok(LinkOpened {
            view: LinkView {
                standing: LinkStanding::Mine { again: true },
                link: link_now,
                ..found.view
            },
            given,
            browser: cookie.map(|cookie| cookie.shown()),
            seq,
        })
    }

    /// Reads the file of a link, once: the device gets the password that stands in it in this moment.
    ///
    /// # Errors
    /// There is no such file (any more).
    pub async fn fetch_device_file(
        &self,
        visitor: &Visitor,
        link: &str,
        file: &str,
        browser: Option<&str>,
    ) -> Result<(LinkView, PlainPassword), LinkRefused> {
        let (hash, found) = self.find(visitor, link, browser).await?;
        // A browser that shows a cookie has to be the one that opened the link. None at all is allowed: iOS may fetch the file
        // through another process, which has no cookies.
        if browser.is_some() && found.browser.is_none() {
            return Err(LinkRefused::Stands(Box::new(found.view)));
        }
        let given = Token::<DeviceFile>::read(file);
        let waits = found.file.filter(|_| found.gives);
        let file = given.as_ref().zip(waits).and_then(|(given, waits)| {
            let mut hashes = given.hashes(&self.directory.keys);
            hashes.find(|given| *given == waits)
        });
        let Some(file) = file else {
            return Err(LinkRefused::Stands(Box::new(found.view)));
        };
        let actor = Actor::unknown(&visitor.ip.to_string());
        let followed = (visitor, link, browser);
        let (password, fetched) = self
            .with_password(&actor, &found.view, (hash, Reason::Fetches(file)), followed)
            .await?;
        let (link_now, _) = self.or_as_it_stands(fetched, visitor, link, browser).await?;
        let view = LinkView {
            link: link_now,
            ..found.view
        };
        Ok((view, password))
    }

    /// Makes a password for a device, and gives it to the device by its link.
    async fn with_password(
        &self,
        actor: &Actor,
        view: &LinkView,
        (link, reason): (TokenHash, Reason),
        (visitor, secret, browser): (&Visitor, &str, Option<&str>),
    ) -> Result<(PlainPassword, Result<(DeviceLink, Seq), store::Error>), LinkRefused> {
        let mailbox = view.device.mailbox;
        let mut tries = 0;
        loop {
            // Whoever sent the link waits for their turn, however many open it at once.
            let hashed = self.directory.new_credential(view.link.sender, mailbox, &view.address);
            let (credential, password) = hashed.await?;
            tries += 1;
            // Meanwhile the link may have been withdrawn, and so may the right of whoever sent it.
            let (_, now) = self.find(visitor, secret, browser).await?;
            let gives = match reason {
                Reason::Opens(Opener::First(_)) => now.view.standing == LinkStanding::Ready,
                Reason::Opens(Opener::Again(_)) => now.view.standing == LinkStanding::Mine { again: true },
                Reason::Fetches(_) => now.gives,
            };
            if !gives {
                return Err(LinkRefused::Stands(Box::new(now.view)));
            }
            let given = match reason {
                Reason::Opens(by) => {
                    let gives = LinkGives::Password(credential);
                    let opening = LinkOpening { link, by, gives };
                    self.store().open_device_link(actor, &opening).await
                }
                Reason::Fetches(file) => self.store().fetch_device_file(actor, &link, &file, &credential).await,
            };
            match given {
                Err(store::Error::Conflict(_)) if tries < TAG_TRIES => {}
                given => return Ok((password, given)),
            }
        }
    }

    /// Another browser may have been quicker, or somebody withdrew the link: then how it stands is the better answer.
    async fn or_as_it_stands<T>(
        &self,
        done: Result<T, store::Error>,
        visitor: &Visitor,
        link: &str,
        browser: Option<&str>,
    ) -> Result<T, LinkRefused> {
        match done {
            Err(store::Error::Refused(_) | store::Error::NotFound(_)) => {
                let (_, found) = self.find(visitor, link, browser).await?;
                Err(LinkRefused::Stands(Box::new(found.view)))
            }
            done => Ok(done?),
        }
    }

    /// Finds a link, and judges how it stands for this browser.
    async fn find(
        &self,
        visitor: &Visitor,
        link: &str,
        browser: Option<&str>,
    ) -> Result<(TokenHash, Judged), LinkRefused> {
        if let Some(token) = Token::<LinkToken>::read(link) {
            for hash in token.hashes(&self.directory.keys) {
                if let Some(found) = self.store().device_link_by(&hash).await? {
                    return Ok((hash, self.judge(found, browser).await?));
                }
            }
        }
        match self.throttle.take_token(self.directory.clock.now(), visitor.ip) {
            Ok(()) => Err(LinkRefused::Unknown),
            Err(wait) => Err(super::sign_in::too_many(wait).into()),
        }
    }

    async fn judge(&self, found: FoundLink, cookie: Option<&str>) -> Result<Judged, Error> {
        let mut found = found;
        if let DeviceLinkState::Opened(_) | DeviceLinkState::Fetched(_) = found.link.state
            && let Some(at) = self.signed_in_at(&found)
        {
            found.link.state = DeviceLinkState::SignedIn(at);
        }
        let now = self.now();
        let (link, device) = (&found.link, &found.device);
        let is_over = device.expires_at.is_some_and(|end| end <= now);
        let is_on = device.state == DeviceState::Active && !is_over && !found.suspended;
        let gives = is_on && link.expires_at > now && link.state.is_open() && self.is_senders_still(&found).await?;
        let known = cookie.and_then(Token::<DeviceBrowser>::read).and_then(|cookie| {
            let mut hashes = cookie.hashes(&self.directory.keys);
            hashes.find(|hash| Some(*hash) == found.browser)
        });
        let standing = match link.state {
            _ if !is_on => LinkStanding::Off,
            DeviceLinkState::Ended(_) => LinkStanding::Off,
            DeviceLinkState::Withdrawn(_) => LinkStanding::Withdrawn,
            DeviceLinkState::Expired(_) => LinkStanding::Expired,
            DeviceLinkState::Sent if gives => LinkStanding::Ready,
            DeviceLinkState::Sent => LinkStanding::Withdrawn,
            DeviceLinkState::Opened(_) | DeviceLinkState::Fetched(_) | DeviceLinkState::SignedIn(_) => match known {
                None => LinkStanding::Taken,
                Some(_) => LinkStanding::Mine {
                    again: gives && found.starts < LINK_STARTS_MAX,
                },
            },
        };
        let until = found.file_until.filter(|until| *until > now);
        Ok(Judged {
            gives,
            browser: known,
            file: found.file.filter(|_| until.is_some()),
            view: LinkView {
                standing,
                link: found.link,
                device: found.device,
                address: found.address,
                org: found.org,
                owner: found.owner,
            },
        })
    }

    /// When the device has signed in with the password that its link gave, as far as its record does not tell yet: a session
    /// may live, or be over, before that is written. What an older password does is no sign of the new one.
    fn signed_in_at(&self, found: &FoundLink) -> Option<Timestamp> {
        let given_at = found.given_at?;
        let sessions = self.registry.sessions_of_device(found.link.device);
        let live = sessions.iter().map(|session| session.info.since);
        let at = live.chain((self.unwritten)(found.link.device)).max();
        at.filter(|at| *at >= given_at)
    }

    /// Whether whoever sent a link might still give this device a password, by what they sent it with. The command line
    /// always may.
    async fn is_senders_still(&self, found: &FoundLink) -> Result<bool, Error> {
        let Some(sender) = found.link.sender else {
            return Ok(true);
        };
        let token = match &found.by {
            LinkBy::Person => None,
            LinkBy::Token(token) => Some(token),
            LinkBy::EndedToken => return Ok(false),
        };
        let (org, mailbox) = (found.link.org, found.device.mailbox);
        let Some(standing) = self.store().standing(org, sender, Some(mailbox)).await? else {
            return Ok(false);
        };
        if !self.is_no_sign_in_of_others(found, (&standing, token)).await? {
            return Ok(false);
        }
        let operation = match found.device.user {
            None => Operation::DeviceReplace,
            Some(user) if user == sender => Operation::OwnDeviceReplace,
            Some(_) => Operation::DeviceAssign,
        };
        Ok(may_by(token, standing.membership.role, standing.rights, operation))
    }

    /// Whether nobody signs in with an address of the mailbox whom the sender may not change: whoever reads such a mailbox
    /// can take over its reader. It may have become one since the link was sent.
    async fn is_no_sign_in_of_others(
        &self,
        found: &FoundLink,
        (sender, token): (&Standing, Option<&ApiToken>),
    ) -> Result<bool, Error> {
        let (org, who) = (found.link.org, sender.membership.user);
        for user in self.store().sign_ins_of(found.device.mailbox).await? {
            let needed = self.to_change(org, &user).await?;
            if user.id != who && !may_by(token, sender.membership.role, Rights::NONE, needed) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Why a device gets a password by its link.
#[derive(Clone, Copy)]
enum Reason {
    /// The link is opened.
    Opens(Opener),
    /// Its file, which is known by this, is read.
    Fetches(TokenHash),
}

/// A link and what may be done with it.
struct Judged {
    view: LinkView,
    /// It has something to give, to whomever.
    gives: bool,
    /// What this browser is known by, where it opened the link.
    browser: Option<TokenHash>,
    /// A file of it that waits to be read.
    file: Option<TokenHash>,
}
