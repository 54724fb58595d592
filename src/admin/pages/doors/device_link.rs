//! `/s/{token}`: a device is set up by whoever has its link, without a sign-in.
//!
//! Looking at a page changes nothing, whoever looks: previews of chat programs, bots and HEAD requests burn no link. Only a
//! form opens it. A file is given to Apple's devices only, once, and the password in it is made in that request.

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Method, header};
use axum_extra::extract::cookie::CookieJar;

use super::scope::*;
use crate::admin::console::view::Frame;
use crate::admin::console::view::devices::Server;
use crate::admin::console::view::qr::Qr;
use crate::admin::console::view::set_up_device::{
    Platform, SetUpClosed, SetUpDevice, SetUpDeviceClosed, SetUpOffer, SetUpPassword, SetUpWay,
};
use crate::directory::desk::{Given as LinkGiven, LinkOpened, LinkRefused, LinkStanding, LinkView, LinkWay};
use crate::model::password::PlainPassword;
use crate::model::{DeviceLinkState, Scopes};
use crate::onboard::{Service, android, profile};
use crate::secret::SecretBytes;

/// What a program calls itself that looks at links before people do, or at pages for nobody.
const LOOKERS: [&str; 6] = ["bot", "crawl", "facebookexternalhit", "facebot", "preview", "spider"];

pub(super) struct OpenForm {
    action: String,
    again: String,
}

impl Form for OpenForm {
    fn read(sent: &mut Sent) -> Self {
        Self {
            action: sent.text("action"),
            again: sent.text("again"),
        }
    }
}

/// What the page is asked to be for.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct For {
    #[serde(rename = "for")]
    platform: String,
}

/// Who follows a link, and which.
struct Follower<'a> {
    pages: &'a Pages,
    guest: &'a Guest,
    link: &'a str,
    browser: Option<String>,
    platform: Platform,
}

impl<'a> Follower<'a> {
    fn new(pages: &'a Pages, guest: &'a Guest, jar: &CookieJar, link: &'a str, asked: &For) -> Self {
        Self {
            pages,
            guest,
            link,
            browser: cookies::device_link(jar, &pages.origin),
            platform: platform(&guest.visitor.browser, &asked.platform),
        }
    }

    fn path(&self) -> String {
        format!("/s/{}", self.link.trim())
    }

    async fn look(&self) -> Response {
        let (desk, visitor) = (&self.pages.desk, &self.guest.visitor);
        match desk.device_link_of(visitor, self.link, self.browser.as_deref()).await {
            Ok(view) => self.page(view.as_ref()),
            Err(error) => reply::door_failed(self.guest, &error),
        }
    }

    /// The page of a link as it stands.
    fn page(&self, view: Option<&LinkView>) -> Response {
        let Some(view) = view else {
            return self.closed(StatusCode::NOT_FOUND, SetUpClosed::Unknown);
        };
        let (by, link) = (view.link.sent_by.clone(), &view.link);
        let at = link.state.since().unwrap_or(link.expires_at);
        let way = match view.standing {
            LinkStanding::Ready => SetUpWay::Ready,
            LinkStanding::Mine { .. } if matches!(link.state, DeviceLinkState::SignedIn(_)) => SetUpWay::Done,
            LinkStanding::Mine { again: true } => SetUpWay::Again {
                fetched: link.fetched_at.is_some(),
            },
            LinkStanding::Mine { again: false } => SetUpWay::Over,
            LinkStanding::Taken => {
                let at = link.opened_at.unwrap_or(at);
                return self.closed(StatusCode::GONE, SetUpClosed::Taken { at, by });
            }
            LinkStanding::Expired => return self.closed(StatusCode::GONE, SetUpClosed::Expired { at, by }),
            LinkStanding::Withdrawn => return self.closed(StatusCode::GONE, SetUpClosed::Withdrawn { by }),
            LinkStanding::Off => return self.closed(StatusCode::GONE, SetUpClosed::Off { by }),
        };
        reply::page(&SetUpDevice {
            frame: self.guest.frame(),
            path: self.path(),
            offer: offer(view),
            platform: self.platform,
            has_profile: self.has_profile(view.device.scopes),
            way,
        })
    }

    fn closed(&self, status: StatusCode, reason: SetUpClosed) -> Response {
        let page = SetUpDeviceClosed {
            frame: self.guest.frame(),
            path: self.path(),
            reason,
        };
        reply::with_status(status, &page)
    }

    fn has_profile(&self, scopes: Scopes) -> bool {
        let is_apples = matches!(self.platform, Platform::Iphone | Platform::Mac);
        is_apples && profile::fits(&self.pages.settings, scopes)
    }

    fn refused(&self, why: LinkRefused) -> Response {
        match why {
            LinkRefused::Unknown => self.page(None),
            LinkRefused::Stands(view) => self.page(Some(&view)),
            LinkRefused::Failed(error) => reply::door_failed(self.guest, &error),
        }
    }

    async fn open(&self, way: LinkWay) -> Response {
        let (desk, visitor) = (&self.pages.desk, &self.guest.visitor);
        let opened = desk
            .open_device_link(visitor, self.link, self.browser.as_deref(), way)
            .await;
        match opened {
            Ok(opened) => {
                if let LinkGiven::Password(password) = &opened.given {
                    self.expect(&opened.view, password);
                }
                self.opened(opened)
            }
            Err(why) => self.refused(why),
        }
    }

    /// From now on what the device tries is known as its own.
    fn expect(&self, view: &LinkView, password: &PlainPassword) {
        let pages = self.pages;
        pages
            .tries
            .expect(view.device.id, &view.address, password, pages.clock.utc());
    }

    fn opened(&self, opened: LinkOpened) -> Response {
        let answer = match &opened.given {
            LinkGiven::Password(password) => reply::page(&self.password_page(&opened.view, password)),
            LinkGiven::File(file) => reply::to(&format!("{}/profile/{}", self.path(), file.expose())),
        };
        match opened.browser {
            Some(browser) => {
                let life = opened.view.link.expires_at;
                let life = life.0.saturating_sub(self.guest.text.now.0);
                let life = std::time::Duration::from_millis(u64::try_from(life).unwrap_or_default());
                cookies::set_device_link(answer, &self.pages.origin, &self.path(), &browser, life)
            }
            None => answer,
        }
    }

    fn password_page(&self, view: &LinkView, password: &PlainPassword) -> SetUpPassword {
        let scopes = view.device.scopes;
        let settings = &self.pages.settings;
        let server = |service: &Option<Service>, wanted: bool| {
            service.as_ref().filter(|_| wanted).map(|service| Server {
                host: service.host.clone(),
                port: service.port,
                is_implicit_tls: service.implicit_tls,
            })
        };
        let shown = password.shown();
        let qr = if self.platform == Platform::Android && profile::fits(settings, scopes) {
            let account = android::Account {
                address: view.address.as_str(),
                name: view.owner.as_deref().unwrap_or(view.address.as_str()),
            };
            android::code(settings, account, &shown).and_then(|code| Qr::of(code.expose()))
        } else {
            None
        };
        SetUpPassword {
            frame: self.guest.frame(),
            path: self.path(),
            offer: offer(view),
            imap: server(&settings.imap, scopes.imap),
            smtp: server(&settings.smtp, scopes.smtp),
            password: shown,
            qr,
        }
    }

    /// The profile with its password, signed where this installation has a certificate to sign with.
    fn file(&self, view: &LinkView, password: &PlainPassword) -> Response {
        let frame = self.guest.frame();
        let words = |key| said(&frame, key, view);
        let (title, description) = (words("profile-title"), words("profile-text"));
        let consent = words("profile-consent");
        let account = profile::Account {
            device: view.device.id,
            origin: &self.pages.origin,
            address: view.address.as_str(),
            name: view.owner.as_deref(),
            org: &view.org,
            title: &title,
            description: &description,
            consent: &consent,
        };
        let Some(plain) = profile::document(&self.pages.settings, account, &password.shown()) else {
            tracing::error!("a configuration profile could not be written");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        let file = match self.pages.signer.sign(plain.expose()) {
            Ok(signed) => signed,
            Err(error) => {
                tracing::warn!(%error, "a configuration profile is not signed: devices call it unverified");
                plain
            }
        };
        let disposition = format!("attachment; filename=\"{}\"", profile::FILE_NAME);
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static(profile::CONTENT_TYPE)),
            (
                header::CONTENT_DISPOSITION,
                HeaderValue::from_str(&disposition).unwrap_or_else(|_| HeaderValue::from_static("attachment")),
            ),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        // The octets stay in a buffer of ours, which is wiped once they are sent.
        (headers, Body::from(Bytes::from_owner(Wiped(file)))).into_response()
    }
}

/// A file whose octets are wiped when it has been sent.
struct Wiped(SecretBytes);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        self.0.expose()
    }
}

fn said(frame: &Frame, key: &'static str, view: &LinkView) -> String {
    let text = frame.say(key).with("address", view.address.to_string());
    text.with("by", view.link.sent_by.clone())
        .with("device", view.device.label.clone())
        .plain()
}

fn offer(view: &LinkView) -> SetUpOffer {
    SetUpOffer {
        org: view.org.clone(),
        address: view.address.to_string(),
        device: view.device.label.clone(),
        by: view.link.sent_by.clone(),
        expires_at: view.link.expires_at,
    }
}

/// What the device is: as it was said to be, else as its browser calls itself.
fn platform(browser: &str, asked: &str) -> Platform {
    if let Some(platform) = Platform::ALL.into_iter().find(|platform| platform.name() == asked) {
        return platform;
    }
    let has = |word| browser.contains(word);
    if has("iPhone") || has("iPad") || has("iPod") {
        Platform::Iphone
    } else if has("Macintosh") {
        Platform::Mac
    } else if has("Android") {
        Platform::Android
    } else {
        Platform::Other
    }
}

/// Whether a profile may be given to a program that calls itself this.
fn is_apples(browser: &str) -> bool {
    let lower = browser.to_lowercase();
    let has = |word: &str| lower.contains(word);
    ["iphone", "ipad", "ipod", "macintosh", "cfnetwork"]
        .iter()
        .any(|word| has(word))
        && !LOOKERS.iter().any(|word| has(word))
}

pub(super) async fn show(
    State(pages): Here,
    guest: Guest,
    jar: CookieJar,
    Path(link): Path<String>,
    Given(asked): Given<For>,
) -> Response {
    Follower::new(&pages, &guest, &jar, &link, &asked).look().await
}

pub(super) async fn send(
    State(pages): Here,
    guest: Guest,
    jar: CookieJar,
    Path(link): Path<String>,
    Given(asked): Given<For>,
    Typed(form): Typed<OpenForm>,
) -> Response {
    let follower = Follower::new(&pages, &guest, &jar, &link, &asked);
    match form.action.as_str() {
        "profile" => open_file(&follower).await,
        "password" => open_password(&follower, &form).await,
        _ => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// A file is for Apple's devices, also where somebody says that theirs is one.
async fn open_file(follower: &Follower<'_>) -> Response {
    let visitor = &follower.guest.visitor;
    if !is_apples(&visitor.browser) {
        return follower.look().await;
    }
    let (desk, browser) = (&follower.pages.desk, follower.browser.as_deref());
    match desk.device_link_of(visitor, follower.link, browser).await {
        Ok(Some(view)) if !profile::fits(&follower.pages.settings, view.device.scopes) => follower.page(Some(&view)),
        Ok(_) => follower.open(LinkWay::File).await,
        Err(error) => reply::door_failed(follower.guest, &error),
    }
}

/// A form that a browser sends again does not make a further password: that is asked for by a button of its own.
async fn open_password(follower: &Follower<'_>, form: &OpenForm) -> Response {
    let (desk, browser) = (&follower.pages.desk, follower.browser.as_deref());
    match desk
        .device_link_of(&follower.guest.visitor, follower.link, browser)
        .await
    {
        Ok(Some(view)) if form.again.is_empty() && view.standing != LinkStanding::Ready => follower.page(Some(&view)),
        Ok(_) => follower.open(LinkWay::Password).await,
        Err(error) => reply::door_failed(follower.guest, &error),
    }
}

/// The file, once, for an Apple device; the page for everybody else, which changes nothing.
pub(super) async fn file(
    State(pages): Here,
    guest: Guest,
    jar: CookieJar,
    method: Method,
    Path((link, file)): Path<(String, String)>,
) -> Response {
    let follower = Follower::new(&pages, &guest, &jar, &link, &For::default());
    if method != Method::GET || !is_apples(&guest.visitor.browser) {
        return follower.look().await;
    }
    let browser = follower.browser.as_deref();
    match pages
        .desk
        .fetch_device_file(&guest.visitor, &link, &file, browser)
        .await
    {
        Ok((view, password)) => {
            follower.expect(&view, &password);
            follower.file(&view, &password)
        }
        Err(why) => follower.refused(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1";
    const MAC: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15";
    const PIXEL: &str = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36";

    #[test]
    fn a_device_is_what_it_calls_itself_unless_its_owner_says_otherwise() {
        for (browser, asked, expected) in [
            (IPHONE, "", Platform::Iphone),
            (MAC, "", Platform::Mac),
            (MAC, "iphone", Platform::Iphone),
            (PIXEL, "", Platform::Android),
            (PIXEL, "x", Platform::Android),
            (PIXEL, "other", Platform::Other),
            ("curl/8", "", Platform::Other),
            ("", "", Platform::Other),
        ] {
            assert_eq!(platform(browser, asked), expected, "{browser} {asked}");
        }
    }

    #[test]
    fn previews_that_call_themselves_macs_are_no_devices() {
        assert!(is_apples(IPHONE) && is_apples(MAC));
        for looker in [
            PIXEL,
            "",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.1.1 Safari/605.1.15 (Applebot/0.1)",
        ] {
            assert!(!is_apples(looker), "{looker}");
        }
    }
}
