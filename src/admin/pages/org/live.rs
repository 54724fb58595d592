//! `/o/{org}/live`: the stream (server-sent events, WHATWG HTML §9.2) that keeps an open page true.
//!
//! The page names what it shows: states of devices, a first sign-in that is waited for, the list of live sessions. The
//! stream looks at the registry and at the records twice a second and sends what differs from what it said last; each
//! message is the name of an element and its new content. What it was allowed to show is asked again all the while: where
//! session, role or rights are others than they were when it began, it ends at once. It also ends by itself after some
//! minutes; the browser then comes back, and what it may see is asked anew. It is no use of the console session, which ends
//! for want of one as if the page were closed.

use std::collections::{HashMap, HashSet, VecDeque};
use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use askama::Template as _;
use axum::Extension;
use axum::extract::Path;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::IntoResponse as _;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream;

use super::super::visit::Guest;
use super::first::Seen;
use super::scope::*;
use super::sessions;
use crate::admin::console::view::Places;
use crate::admin::console::view::device::{
    LiveBadge, LiveFirstSignIn, LiveLink, badge, first_sign_in_key, link_key, live_key,
};
use crate::admin::console::view::frame::OrgHere;
use crate::admin::console::view::sessions::LiveSessions;
use crate::directory::desk::{Acting, Visit};
use crate::model::{Device, DeviceId, DeviceLink, MailboxId, OrgId, Rights, UserId};
use crate::store::{DeviceRow, Seq};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(500);
/// Where a page shows many devices, their records, and the rights to see each, are asked for at this pace.
const MANY_LOOK: Duration = Duration::from_secs(3);
/// Up to so many are few: they are asked for at every look.
const FEW: usize = 2;
/// After this time a stream ends, and the browser comes back.
const LIFE: Duration = Duration::from_secs(10 * 60);
/// How long a browser waits before it comes back.
const RETRY: Duration = Duration::from_secs(1);
/// A sign of life where nothing changes, so that a browser that is gone is noticed.
const SIGN_OF_LIFE: Duration = Duration::from_secs(20);
/// Streams of one user at the same time.
const STREAMS_MAX: usize = 8;
/// Things that one page shows: a page of a list, and some more.
const WATCHED_MAX: usize = 64;

/// The list of live sessions, as pages name it.
const SESSIONS: &str = "sessions";

pub(super) fn routes() -> Router<Arc<Pages>> {
    Router::new()
        .route("/o/{org}/live", get(live))
        .layer(Extension(Arc::new(Streams::default())))
}

/// How many streams each user has.
#[derive(Debug, Default)]
struct Streams(Mutex<HashMap<UserId, usize>>);

/// One of them; given back when dropped.
struct Taken {
    streams: Arc<Streams>,
    user: UserId,
}

impl Streams {
    fn take(self: &Arc<Self>, user: UserId) -> Option<Taken> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(user).or_default();
        if *count >= STREAMS_MAX {
            return None;
        }
        *count += 1;
        Some(Taken {
            streams: Arc::clone(self),
            user,
        })
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut taken = self.streams.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.user) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                taken.remove(&self.user);
            }
        }
    }
}

/// Something that a page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Watched {
    /// The state of a device.
    Badge(DeviceId),
    /// How far the first sign-in of its password has come.
    First(DeviceId),
    /// What has become of its set-up link.
    Link(DeviceId),
    /// The list of live sessions.
    Sessions,
}

impl Watched {
    fn read(name: &str) -> Option<Self> {
        match name.split_once(':') {
            Some(("device", id)) => id.parse().ok().map(Self::Badge),
            Some(("first", id)) => id.parse().ok().map(Self::First),
            Some(("link", id)) => id.parse().ok().map(Self::Link),
            _ => (name == SESSIONS).then_some(Self::Sessions),
        }
    }

    /// The name of its element.
    fn name(self) -> String {
        match self {
            Self::Badge(device) => live_key(device),
            Self::First(device) => first_sign_in_key(device),
            Self::Link(device) => link_key(device),
            Self::Sessions => SESSIONS.to_owned(),
        }
    }

    const fn device(self) -> Option<DeviceId> {
        match self {
            Self::Badge(device) | Self::First(device) | Self::Link(device) => Some(device),
            Self::Sessions => None,
        }
    }
}

/// What a page shows, and which part of the list of sessions.
struct Watching {
    watched: Vec<Watched>,
    list: ListQuery,
}

impl Form for Watching {
    fn read(sent: &mut Sent) -> Self {
        let mut watched = Vec::new();
        for one in sent.all("watch").iter().filter_map(|name| Watched::read(name)) {
            if watched.len() < WATCHED_MAX && !watched.contains(&one) {
                watched.push(one);
            }
        }
        Self {
            watched,
            list: ListQuery::read(sent),
        }
    }
}

async fn live(
    State(pages): Here,
    Extension(streams): Extension<Arc<Streams>>,
    guest: Guest,
    Path(org): Path<String>,
    Asked(asked): Asked<Watching>,
) -> Result<Response, StatusCode> {
    let org: OrgId = org.parse().map_err(|_| StatusCode::NOT_FOUND)?;
    let acting = standing(&pages, &guest, org).await.ok_or(StatusCode::NOT_FOUND)?;
    let taken = streams.take(acting.user.id).ok_or(StatusCode::TOO_MANY_REQUESTS)?;
    let mut watch = Watch::new(pages, guest, acting, asked, taken);
    // The first look now: a page that may see nothing of what it shows gets no stream.
    watch.look().await.ok_or(StatusCode::NOT_FOUND)?;
    if watch.watched.is_empty() {
        return Err(StatusCode::NOT_FOUND);
    }
    let events = stream::unfold(Box::new(watch), Watch::next);
    let sse = Sse::new(events).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE));
    let mut response = sse.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // A reverse proxy that collects answers before it hands them on would keep this one for itself.
    headers.insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    Ok(response)
}

/// Who asks, as they stand in the organisation at this moment; nobody where they are not signed in, or no member.
async fn standing(pages: &Pages, guest: &Guest, org: OrgId) -> Option<Acting> {
    match pages.desk.look(&guest.visitor, guest.session.as_deref()).await.ok()? {
        Visit::SignedIn(signed_in) => pages.desk.acting(&signed_in, org).await.ok(),
        Visit::Half(_) | Visit::Nobody => None,
    }
}

/// A stream and what it knows.
struct Watch {
    pages: Arc<Pages>,
    guest: Guest,
    acting: Acting,
    list: ListQuery,
    watched: Vec<Watched>,
    /// The records, as they were read last.
    devices: HashMap<DeviceId, DeviceRow>,
    /// The set-up links of those that were never used, and of those whose link is shown.
    links: HashMap<DeviceId, DeviceLink>,
    /// What was granted on their mailboxes when the stream began.
    rights: HashMap<MailboxId, Rights>,
    /// What was seen of devices whose first sign-in is waited for.
    seen: HashMap<DeviceId, Seen>,
    /// Devices that were connected at some look: their records tell of it later.
    connected: HashSet<DeviceId>,
    /// What was said last of each element.
    said: HashMap<Watched, String>,
    to_say: VecDeque<Event>,
    began: Instant,
    read_at: Option<Instant>,
    read_changes: Seq,
    _taken: Taken,
}

impl Watch {
    fn new(pages: Arc<Pages>, guest: Guest, acting: Acting, asked: Watching, taken: Taken) -> Self {
        Self {
            guest,
            acting,
            list: asked.list,
            watched: asked.watched,
            devices: HashMap::new(),
            links: HashMap::new(),
            rights: HashMap::new(),
            seen: HashMap::new(),
            connected: HashSet::new(),
            said: HashMap::new(),
            to_say: VecDeque::from([Event::default().retry(RETRY)]),
            began: pages.clock.now(),
            read_at: None,
            read_changes: pages.tail.seen(),
            pages,
            _taken: taken,
        }
    }

    async fn next(mut self: Box<Self>) -> Option<(Result<Event, Infallible>, Box<Self>)> {
        loop {
            if let Some(event) = self.to_say.pop_front() {
                return Some((Ok(event), self));
            }
            tokio::time::sleep(LOOK).await;
            self.look().await?;
        }
    }

    /// Looks at everything, and notes what is to be said. None where the stream is over.
    async fn look(&mut self) -> Option<()> {
        let now = self.pages.clock.now();
        if now.saturating_duration_since(self.began) >= LIFE {
            return None;
        }
        let acting = standing(&self.pages, &self.guest, self.acting.org.id).await?;
        if acting.user.id != self.acting.user.id || acting.role != self.acting.role {
            return None;
        }
        self.acting = acting;
        self.read(now).await?;
        self.ask_rights().await?;
        let frame = self.frame();
        for watched in self.watched.clone() {
            let html = self.show(watched, &frame).await?;
            if self.said.get(&watched) != Some(&html) {
                // A message ends its lines with a line feed only.
                let message = format!("{}\n{html}", watched.name()).replace('\r', " ");
                self.to_say.push_back(Event::default().data(message));
                self.said.insert(watched, html);
            }
        }
        Some(())
    }

    /// Reads the records, where it is time. What was never there is not watched; what is no longer there ends the stream.
    async fn read(&mut self, now: Instant) -> Option<()> {
        let ids: HashSet<DeviceId> = self.watched.iter().filter_map(|watched| watched.device()).collect();
        let changes = self.pages.tail.seen();
        let is_time = self
            .read_at
            .is_none_or(|at| now.saturating_duration_since(at) >= MANY_LOOK);
        if ids.len() > FEW && !is_time && changes == self.read_changes {
            return Some(());
        }
        for id in ids {
            match self.pages.desk.device(&self.acting, id).await {
                Ok(row) => {
                    self.devices.insert(id, row);
                }
                Err(Error::Unknown { .. }) if self.read_at.is_none() => {
                    self.watched.retain(|watched| watched.device() != Some(id));
                }
                // The store does not answer: the page stays as it is.
                Err(Error::Store(_)) => {}
                Err(_) => return None,
            }
        }
        self.read_links().await;
        (self.read_at, self.read_changes) = (Some(now), changes);
        Some(())
    }

    /// Reads the links of the devices that were just read. Where the store does not answer, they stay as they are.
    async fn read_links(&mut self) {
        let shown = |device: &Device| self.watched.contains(&Watched::Link(device.id));
        let rows = self.devices.values().map(|row| &row.device);
        let asked: Vec<&Device> = rows
            .filter(|device| device.last_used.is_none() || shown(device))
            .collect();
        if let Ok(links) = self.pages.desk.links_of(&self.acting, &asked).await {
            self.links = links;
        }
    }

    /// Asks whether the rights on the devices' mailboxes are those that they were.
    async fn ask_rights(&mut self) -> Option<()> {
        let mailboxes: HashSet<MailboxId> = self.devices.values().map(|row| row.device.mailbox).collect();
        let is_first = self.rights.is_empty();
        // With many, the desk was asked for each device, at the slower pace.
        if mailboxes.len() > FEW && !is_first {
            return Some(());
        }
        for mailbox in mailboxes {
            let rights = self.pages.desk.rights_on(&self.acting, mailbox).await.ok()?;
            if *self.rights.entry(mailbox).or_insert(rights) != rights {
                return None;
            }
        }
        Some(())
    }

    /// The reader's frame: times are told from now.
    fn frame(&self) -> Frame {
        let mut frame = self.guest.frame();
        frame.text.language = self.acting.user.language;
        frame.text.now = self.pages.clock.utc();
        frame.org = Some(OrgHere {
            id: self.acting.org.id,
            name: self.acting.org.name.clone(),
            role: self.acting.role,
            places: Places::default(),
        });
        frame
    }

    /// What stands in an element now.
    async fn show(&mut self, watched: Watched, frame: &Frame) -> Option<String> {
        let html = match watched {
            Watched::Badge(id) => self.badge(id, frame)?,
            Watched::First(id) => self.first(id, frame).await?,
            Watched::Link(id) => self.link(id, frame)?,
            Watched::Sessions => {
                let sessions = self.pages.desk.live_sessions(&self.acting, None).await.ok()?;
                let path = frame.at("sessions");
                let (listing, rows) = sessions::page_of(path, &self.list, sessions);
                let shown = LiveSessions {
                    frame,
                    listing: &listing,
                    rows: &rows,
                    last: None,
                    may_end: self.acting.may(Operation::SessionEnd),
                };
                shown.render().ok()?
            }
        };
        Some(html)
    }

    fn badge(&mut self, id: DeviceId, frame: &Frame) -> Option<String> {
        let device = &self.devices.get(&id)?.device;
        let live = rows::live(&self.pages, device);
        if live > 0 {
            self.connected.insert(id);
        }
        let was_used = device.last_used.is_some() || self.connected.contains(&id);
        let standing = shown::standing(device, self.pages.clock.utc());
        let shown = LiveBadge {
            frame,
            badge: badge(standing, live, was_used, self.links.get(&id).map(|link| link.state)),
        };
        shown.render().ok()
    }

    /// Nothing where the device has no link: then nothing of it is shown.
    fn link(&self, id: DeviceId, frame: &Frame) -> Option<String> {
        match self.links.get(&id) {
            Some(link) => {
                let shown = LiveLink {
                    frame,
                    state: link.state,
                };
                shown.render().ok()
            }
            None => Some(String::new()),
        }
    }

    async fn first(&mut self, id: DeviceId, frame: &Frame) -> Option<String> {
        let row = self.devices.get(&id)?;
        let seen = self.seen.entry(id).or_default();
        seen.look(&self.pages, &row.device);
        let (reader, me) = (self.guest.visitor.ip, self.acting.user.id);
        let mut state = seen.state(&self.pages, row, (reader, me, None));
        if state.wants_replacement() {
            let may = self.pages.desk.device_may(&self.acting, &row.device).await.ok()?;
            let replace = may.replace.then(|| frame.at(&format!("devices/{id}/replace")));
            state = seen.state(&self.pages, row, (reader, me, replace));
        }
        LiveFirstSignIn { frame, state }.render().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_names_what_it_shows_and_nothing_twice() {
        let device = DeviceId::from_raw(7);
        for watched in [
            Watched::Badge(device),
            Watched::First(device),
            Watched::Link(device),
            Watched::Sessions,
        ] {
            assert_eq!(Watched::read(&watched.name()), Some(watched));
        }
        for nothing in ["", "device:", "device:x", "first", "org:1", "device:mbx-0000000000007"] {
            assert_eq!(Watched::read(nothing), None, "{nothing}");
        }
        let query = "watch=sessions&watch=sessions&watch=x&q=a&after=7";
        let asked = Watching::read(&mut Sent::parse(query.as_bytes()).unwrap());
        assert_eq!(
            (asked.watched, asked.list.q, asked.list.after),
            (vec![Watched::Sessions], "a".into(), "7".into())
        );
        let many: String = (0..2 * WATCHED_MAX)
            .map(|raw| format!("watch=device:{}&", DeviceId::from_raw(raw as i64)))
            .collect();
        assert_eq!(
            Watching::read(&mut Sent::parse(many.as_bytes()).unwrap()).watched.len(),
            WATCHED_MAX
        );
    }

    #[test]
    fn a_user_has_so_many_streams_and_no_more() {
        let streams = Arc::new(Streams::default());
        let (anna, ben) = (UserId::from_raw(1), UserId::from_raw(2));
        let mut taken: Vec<_> = std::iter::repeat_with(|| streams.take(anna))
            .take(STREAMS_MAX)
            .collect();
        assert!(taken.iter().all(Option::is_some));
        assert!(streams.take(anna).is_none() && streams.take(ben).is_some());
        taken.pop();
        assert!(streams.take(anna).is_some());
        drop(taken);
        assert!(streams.0.lock().unwrap().is_empty());
    }
}
