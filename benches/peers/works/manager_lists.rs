//! The Manager's lists in an organisation of 10,000 mailboxes and 50,000 devices: how soon each page is there, and how
//! much script comes with it.
//!
//! One owner asks for one page after the other, on one connection, while 200 devices are connected. Every list is asked
//! for as it begins, further on, and at its end, with each of its filters, and with a search that finds something and one
//! that finds nothing, which is the dearest.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use postern::load::{Account, Session};
use postern::model::{DeviceId, OrgId, UserId};
use postern::peer::Protocol;

use super::{Bench, Goal, Metric, Values, Work, at_most, ms_each};
use crate::browser::{Answer, Browser};
use crate::generator::{self, From, account, log_in, quantile_ms, source};
use crate::options::Scale;
use crate::proxies::postern::start_with_manager;
use crate::proxies::{Peer, Proxy};
use crate::stage::people::{Crowd, OWNER, PASSWORD, SOMEBODY, untouched};
use crate::stage::site::{Site, username};
use crate::tell;

/// Mailboxes, and devices of each.
const MAILBOXES: (u32, u32) = (10_000, 5);
/// Devices that are connected meanwhile.
const CONNECTED: usize = 200;
/// Requests for each page.
const REQUESTS: usize = 200;
/// Rows of a page that is full.
const ROWS: usize = 50;
/// What the issue asks for, in milliseconds and KiB.
const FAST_MS: f64 = 50.0;
const SCRIPT_KIB: f64 = 60.0;

/// What a page has at least so many of, so that an empty one is not taken for a fast one.
#[derive(Debug, Clone, Copy)]
struct Shows {
    what: &'static str,
    least: usize,
}

const fn rows(least: usize) -> Shows {
    Shows {
        what: "class=\"row-link\"",
        least,
    }
}

const fn said(what: &'static str) -> Shows {
    Shows { what, least: 1 }
}

const DEEDS: Shows = Shows {
    what: "class=\"deed\"",
    least: ROWS,
};
const NOTHING: Shows = said("Nothing matches.");

/// One page.
struct Page {
    median: Metric,
    p99: Metric,
    /// Its path behind the organisation's; `{...}` stands for a place in a list.
    path: &'static str,
    shows: Shows,
}

macro_rules! pages {
    ($($key:literal, $about:literal, $path:literal, $shows:expr;)*) => {
        const PAGES: &[Page] = &[$(Page {
            median: Metric { key: concat!($key, "_p50_ms"), about: concat!($about, ", median"), unit: "ms" },
            p99: Metric { key: concat!($key, "_p99_ms"), about: concat!($about, ", p99"), unit: "ms" },
            path: $path,
            shows: $shows,
        },)*];
        const METRICS: &[Metric] = &[
            $(
                Metric { key: concat!($key, "_p50_ms"), about: concat!($about, ", median"), unit: "ms" },
                Metric { key: concat!($key, "_p99_ms"), about: concat!($about, ", p99"), unit: "ms" },
            )*
            SCRIPT,
            STYLE,
        ];
    };
}

const SCRIPT: Metric = Metric {
    key: "script_kib",
    about: "most script of a page, as a browser gets it",
    unit: "KiB",
};
const STYLE: Metric = Metric {
    key: "style_kib",
    about: "style sheet, as a browser gets it",
    unit: "KiB",
};

pages! {
    "overview", "overview", "", said("Live sessions");
    "mailboxes", "mailboxes", "/mailboxes", rows(ROWS);
    "mailboxes_2", "mailboxes, page 2", "/mailboxes?after={mailbox-2}", rows(10);
    "mailboxes_last", "mailboxes, last page", "/mailboxes?after={mailbox-last}", rows(10);
    "mailboxes_unread", "mailboxes that nobody reads", "/mailboxes?show=unread", said("<html");
    "mailboxes_suspended", "mailboxes that are suspended", "/mailboxes?show=suspended", said("<html");
    "mailboxes_found", "mailboxes, searched", "/mailboxes?q=box0000042", rows(1);
    "mailboxes_nothing", "mailboxes, nothing found", "/mailboxes?q=zzzz", NOTHING;
    "people", "people", "/people", rows(ROWS);
    "people_2", "people, page 2", "/people?after={person-2}", rows(10);
    "people_last", "people, last page", "/people?after={person-last}", rows(10);
    "people_found", "people, searched", "/people?q=000007", rows(1);
    "people_nothing", "people, nothing found", "/people?q=zzzz", NOTHING;
    "invitations", "invitations", "/invitations", rows(ROWS);
    "invitations_open", "invitations that are open", "/invitations?show=open", rows(10);
    "invitations_nothing", "invitations, nothing found", "/invitations?q=zzzz", NOTHING;
    "devices", "devices", "/devices", rows(ROWS);
    "devices_2", "devices, page 2", "/devices?after={device-2}", rows(ROWS);
    "devices_last", "devices, last page", "/devices?after={device-last}", rows(10);
    "devices_live", "devices, connected", "/devices?show=live", rows(1);
    "devices_never", "devices, never used", "/devices?show=never", rows(10);
    "devices_silent", "devices, silent for 90 days", "/devices?show=silent", rows(10);
    "devices_soon", "devices that end soon", "/devices?show=soon", rows(1);
    "devices_paused", "devices, paused", "/devices?show=paused", rows(1);
    "devices_revoked", "devices, disconnected", "/devices?show=revoked", rows(10);
    "devices_knocking", "devices whose old password still tries", "/devices?show=knocking", rows(1);
    "devices_found", "devices, searched", "/devices?q=printer", rows(10);
    "devices_nothing", "devices, nothing found", "/devices?q=zzzz", NOTHING;
    "devices_never_nothing", "devices, never used, nothing found", "/devices?show=never&q=zzzz", NOTHING;
    "devices_silent_nothing", "devices, silent, nothing found", "/devices?show=silent&q=zzzz", NOTHING;
    "devices_ip", "devices by an address", "/devices?q=203.0.113.1", NOTHING;
    "sessions", "live sessions", "/sessions", said("role=\"table\"");
    "sessions_nothing", "live sessions, nothing found", "/sessions?q=zzzz", said("<html");
    "activity", "activity", "/activity", DEEDS;
    "activity_2", "activity, page 2", "/activity?before={entry-2}", DEEDS;
    "activity_last", "activity, last page", "/activity?before={entry-last}", said("class=\"deed\"");
    "activity_about", "activity, of one kind", "/activity?about=mailbox", DEEDS;
    "activity_nothing", "activity, nothing found", "/activity?q=zzzz", said("<html");
    "mailbox_people", "a mailbox, its people", "/mailboxes/{mailbox}", said("box0000002@");
    "mailbox_devices", "a mailbox, its devices", "/mailboxes/{mailbox}/devices", rows(1);
    "mailbox_activity", "a mailbox, its activity", "/mailboxes/{mailbox}/activity", said("box0000002@");
    "search_mailbox", "search, a mailbox", "/search?q=box0000042", rows(1);
    "search_person", "search, a person", "/search?q=Person+000007", said(SOMEBODY);
    "search_device", "search, a device", "/search?q=printer", rows(10);
    "search_address", "search, an address", "/search?q=192.0.2.9", said("<html");
    "search_nothing", "search, nothing found", "/search?q=zzzz", said("<html");
}

/// The lists of one organisation.
pub(crate) struct ManagerLists;

#[async_trait(?Send)]
impl Work for ManagerLists {
    fn name(&self) -> &'static str {
        "manager-lists"
    }

    fn about(&self) -> &'static str {
        "every list of the Manager, with 10,000 mailboxes of 5 devices each"
    }

    fn metrics(&self) -> &'static [Metric] {
        METRICS
    }

    fn goals(&self) -> Vec<Goal> {
        let medians = PAGES.iter().map(|page| at_most(page.median.key, FAST_MS));
        medians.chain([at_most(SCRIPT.key, SCRIPT_KIB)]).collect()
    }

    fn peers(&self) -> &'static [Peer] {
        &[Peer::Postern]
    }

    fn is_quick(&self) -> bool {
        false
    }

    /// It makes a database of its own, and repeats each request.
    fn max_rounds(&self) -> usize {
        1
    }

    async fn run(&self, bench: &Bench<'_>, _: &Proxy) -> anyhow::Result<Values> {
        let (mailboxes, devices) = (bench.scale.pick(MAILBOXES.0, 2000, 120), MAILBOXES.1);
        let connected = bench.sessions(bench.scale.pick(CONNECTED, 50, 2));
        let site = Site::make(mailboxes, devices, untouched().take(connected))?;
        let people = (mailboxes / 5).max(120);
        site.add_people(Crowd {
            people,
            invitations: (people / 2).max(60),
            log: mailboxes * 5,
        })?;
        let places = Places::read(&site, mailboxes)?;
        let proxy = start_with_manager(bench.stage, &site)?;
        // It takes a hash run for each, and a browser's connection does not wait for ever.
        let sessions = connect(bench, &proxy, &site, connected).await?;
        let port = proxy.daemon.as_ref().and_then(|daemon| daemon.manager);
        let mut browser = Browser::open(port.context("the Manager is off")?).await?;
        browser.sign_in(OWNER, PASSWORD).await?;
        let mut values = Values::new();
        let (mut script, mut style) = (Sizes::default(), Sizes::default());
        let meter = bench.meter(&proxy)?;
        for page in PAGES {
            let path = places.path(page.path);
            let times = measure(bench, (&proxy, &mut browser), page, &path).await?;
            values.push((page.median.key, quantile_ms(&times, 0.5)?));
            values.push((page.p99.key, quantile_ms(&times, 0.99)?));
            let shown = browser.get(&path, false).await?.text();
            script.of_page(&mut browser, &shown, "<script src=\"").await?;
            style
                .of_page(&mut browser, &shown, "rel=\"stylesheet\" href=\"")
                .await?;
        }
        meter.end().await?;
        drop(sessions);
        values.push((SCRIPT.key, script.most_kib));
        values.push((STYLE.key, style.most_kib));
        Ok(values)
    }
}

/// Connects the devices of the first mailboxes.
async fn connect(bench: &Bench<'_>, proxy: &Proxy, site: &Site, count: usize) -> anyhow::Result<Vec<Session>> {
    let target = generator::target(proxy, Protocol::Imap, generator::tls(bench.stage, false)?);
    let mut sessions = Vec::new();
    for (place, number) in untouched().take(count).enumerate() {
        let account: Account = account(username(number), &site.password);
        sessions.push(log_in(&target, &account, source(From::Users, place)).await?);
    }
    Ok(sessions)
}

/// Asks for a page again and again; the first time does not count.
async fn measure(
    bench: &Bench<'_>,
    (proxy, browser): (&Proxy, &mut Browser),
    page: &Page,
    path: &str,
) -> anyhow::Result<Vec<Duration>> {
    let first = browser.get(path, false).await?;
    check(page, path, &first)?;
    let mut times = Vec::new();
    let cpu = proxy.cpu()?;
    for _ in 0..bench.scale.pick(REQUESTS, 30, 2) {
        let answer = browser.get(path, false).await?;
        ensure!(answer.status == 200, "{path} was answered {}", answer.status);
        times.push(answer.took);
    }
    times.sort_unstable();
    if bench.scale > Scale::Smallest {
        let cpu = ms_each(proxy.cpu()?.saturating_sub(cpu), times.len());
        let median = quantile_ms(&times, 0.5)?;
        tell(&format!("  {}: {median:.1} ms, {cpu:.1} ms of CPU", page.median.key));
    }
    Ok(times)
}

/// Sees that the page has what it should have.
fn check(page: &Page, path: &str, answer: &Answer) -> anyhow::Result<()> {
    ensure!(answer.status == 200, "{path} was answered {}", answer.status);
    let Shows { what, least } = page.shows;
    let found = answer.text().matches(what).count();
    ensure!(found >= least, "{path} shows {what} {found} times instead of {least}");
    Ok(())
}

/// How large what a page refers to is, as a browser gets it; each is fetched once, as browsers do.
#[derive(Debug, Default)]
struct Sizes {
    known: std::collections::BTreeMap<String, usize>,
    most_kib: f64,
}

impl Sizes {
    /// Sums up what stands behind this text on the page.
    async fn of_page(&mut self, browser: &mut Browser, page: &str, behind: &str) -> anyhow::Result<()> {
        let mut sum = 0;
        for rest in page.split(behind).skip(1) {
            let path = rest.split('"').next().unwrap_or_default().to_owned();
            let size = match self.known.get(&path) {
                Some(size) => *size,
                None => {
                    let asset = browser.get(&path, true).await?;
                    ensure!(asset.status == 200, "{path} was answered {}", asset.status);
                    ensure!(
                        asset.header("content-encoding") == Some("gzip"),
                        "{path} comes uncompressed, though the browser takes gzip"
                    );
                    asset.body.len()
                }
            };
            self.known.insert(path, size);
            sum += size;
        }
        self.most_kib = self.most_kib.max(super::number(sum) / 1024.0);
        Ok(())
    }
}

/// Places in the lists, as links to further pages have them.
struct Places {
    org: OrgId,
    found: Vec<(&'static str, String)>,
}

impl Places {
    fn read(site: &Site, mailboxes: u32) -> anyhow::Result<Self> {
        let address = |place: u32| {
            let sql = format!("SELECT address FROM mailbox ORDER BY address LIMIT 1 OFFSET {place}");
            site.look_up::<String>(&sql)
        };
        // Half a page before the end.
        let (second, last) = (address(49)?, address(mailboxes - 25)?);
        let device = |address: &str| -> anyhow::Result<String> {
            let sql = format!(
                "SELECT max(d.id) FROM device d JOIN mailbox m ON m.id = d.mailbox_id WHERE m.address = '{address}'"
            );
            Ok(format!("{address}/{}", DeviceId::from_raw(site.look_up(&sql)?)))
        };
        let person = |from_end: bool| -> anyhow::Result<String> {
            let (order, place) = if from_end { ("DESC", 20) } else { ("ASC", 49) };
            let of = |column: &str| {
                format!(
                    "SELECT {column} FROM membership ORDER BY name_key {order}, user_id {order} LIMIT 1 OFFSET {place}"
                )
            };
            let id = UserId::from_raw(site.look_up(&of("user_id"))?);
            Ok(format!("{}/{id}", site.look_up::<String>(&of("name_key"))?))
        };
        let newest: i64 = site.look_up("SELECT max(number) FROM audit")?;
        let one: i64 = site.look_up("SELECT id FROM mailbox WHERE address LIKE 'box0000002@%'")?;
        Ok(Self {
            org: OrgId::from_raw(site.look_up("SELECT id FROM org")?),
            found: vec![
                ("{device-2}", device(&address(9)?)?),
                ("{device-last}", device(&address(mailboxes - 5)?)?),
                ("{mailbox-2}", second),
                ("{mailbox-last}", last),
                ("{mailbox}", postern::model::MailboxId::from_raw(one).to_string()),
                ("{person-2}", person(false)?),
                ("{person-last}", person(true)?),
                ("{entry-2}", (newest - 50).to_string()),
                ("{entry-last}", "20".to_owned()),
            ],
        })
    }

    /// The whole path.
    fn path(&self, rest: &str) -> String {
        let mut path = format!("/o/{}{rest}", self.org);
        for (name, place) in &self.found {
            let encoded = place.replace('@', "%40").replace('/', "%2F").replace(' ', "+");
            path = path.replace(name, &encoded);
        }
        path
    }
}
