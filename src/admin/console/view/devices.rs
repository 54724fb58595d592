//! Devices: the list of the organisation, a device's page, adding one, and the one showing of its password.

use super::activity::ActivityRow;
use super::device::{DeviceRow, FirstSignIn, MailboxLink, Standing, first_sign_in_key, link_badge, link_key};
use super::mail::MailShown;
use super::qr::Qr;
use super::scope::*;
use super::setting_up::{self, MakerForm, Trial};
use crate::admin::console::text::Said;
use crate::model::device::Use;
use crate::model::{DeviceId, DeviceLinkState};
use crate::secret::Secret;

/// `/o/{org}/devices`. Takes `q` and the filters of the listing.
#[derive(Debug, Template)]
#[template(path = "org/devices.html")]
pub struct Devices {
    /// What stands around it.
    pub frame: Frame,
    /// The list.
    pub listing: Listing,
    /// Its rows.
    pub rows: Vec<DeviceRow>,
}

impl Devices {
    fn title(&self) -> Line {
        Line::new("nav-devices")
    }
}

/// What is being done with a device on its page.
#[derive(Debug, Clone, Copy, Default)]
pub struct DeviceMay {
    /// Name, scopes, end and networks may be changed.
    pub edit: bool,
    /// It may be paused and resumed.
    pub pause: bool,
    /// It may get a new password.
    pub replace: bool,
    /// It may be disconnected.
    pub disconnect: bool,
    /// Its sessions may be ended.
    pub end_sessions: bool,
}

/// A mail session of a device.
#[derive(Debug, Clone)]
pub struct DeviceSession {
    /// Its number, as forms send it.
    pub id: u64,
    /// By which protocol, from where, with which program, since when.
    pub used: Use,
}

/// `/o/{org}/devices/{device}`. `.../resume`, `.../sessions/{id}/end` send nothing; `.../pause`, `.../replace`,
/// `.../disconnect` are `confirm`'s.
#[derive(Debug, Template)]
#[template(path = "org/device.html")]
pub struct DevicePage {
    /// What stands around it.
    pub frame: Frame,
    /// Which.
    pub device: DeviceRow,
    /// When it was added, and by whom.
    pub created_at: Timestamp,
    /// Who added it.
    pub added_by: Option<String>,
    /// When its password was last replaced.
    pub replaced_at: Option<Timestamp>,
    /// The first sign-in.
    pub first_used: Option<Use>,
    /// The networks that it may sign in from; none means from anywhere.
    pub networks: Vec<String>,
    /// The addresses that it may send as, besides those of the mailbox.
    pub senders: Vec<String>,
    /// Its sessions.
    pub sessions: Vec<DeviceSession>,
    /// What happened to it.
    pub activity: Vec<ActivityRow>,
    /// What may be done.
    pub may: DeviceMay,
    /// The first sign-in is still awaited.
    pub awaiting: Option<FirstSignIn>,
    /// The link that sets it up, while it matters.
    pub link: Option<DeviceLinkShown>,
}

impl DevicePage {
    fn title(&self) -> Line {
        Line::name(&self.device.name)
    }

    fn is_paused(&self) -> bool {
        matches!(self.device.standing, Standing::Paused(_))
    }

    fn first_key(&self) -> String {
        first_sign_in_key(self.device.id)
    }

    fn link_key(&self) -> String {
        link_key(self.device.id)
    }
}

/// A set-up link, as pages show it.
#[derive(Debug, Clone)]
pub struct DeviceLinkShown {
    /// What has become of it.
    pub state: DeviceLinkState,
    /// Where it was mailed to.
    pub recipient: Option<String>,
    /// What became of that mail; nothing where the link was handed over.
    pub mail: Option<MailShown>,
    /// Who sent it.
    pub sent_by: String,
    /// When.
    pub created_at: Timestamp,
    /// Its end.
    pub expires_at: Timestamp,
    /// From where it was opened.
    pub opened_from: Option<String>,
}

impl DeviceLinkShown {
    /// The mail, while somebody waits for it.
    const fn awaited_mail(&self) -> Option<&MailShown> {
        match self.state {
            DeviceLinkState::Sent => self.mail.as_ref(),
            _ => None,
        }
    }
}

/// `/o/{org}/devices/{device}/link`. Sends `send` (`mail`, with `to` and `language`; `link`; or `scan`); `.../withdraw` sends
/// nothing.
#[derive(Template)]
#[template(path = "org/device_link.html")]
pub struct DeviceLinkPage {
    /// What stands around it.
    pub frame: Frame,
    /// Of which device.
    pub device: DeviceRow,
    /// The link; none where the device never had one.
    pub link: Option<DeviceLinkShown>,
    /// The link itself, in the answer to making it and nowhere else.
    pub url: Option<Secret<String>>,
    /// The same as a code, where it is to be scanned.
    pub qr: Option<Qr>,
    /// A further link may be made.
    pub may_send: bool,
    /// It may be withdrawn.
    pub may_withdraw: bool,
    /// This installation sends mail.
    pub can_mail: bool,
    /// Where the next one is mailed to.
    pub to: Field,
    /// In which language.
    pub language: Field,
}

impl DeviceLinkPage {
    fn title(&self) -> Line {
        let key = if self.qr.is_some() {
            "link-scan-title"
        } else {
            "link-title"
        };
        Line::new(key).with("device", &self.device.name)
    }

    /// The mail, while somebody waits for it; with the link itself on the page nobody does.
    fn awaited_mail(&self) -> Option<&MailShown> {
        let link = self.link.as_ref().filter(|_| self.url.is_none());
        link.and_then(DeviceLinkShown::awaited_mail)
    }

    fn url(&self) -> Option<&str> {
        self.url.as_ref().map(|url| url.expose().as_str())
    }

    fn link_key(&self) -> String {
        link_key(self.device.id)
    }
}

/// What can be set about a device, in forms.
#[derive(Debug, Clone, Default)]
pub struct DeviceForm {
    /// Its name.
    pub name: Field,
    /// `imap`, `smtp`, or both.
    pub scopes: Ticks,
    /// `never`, `7`, `90` (days), or `on` with a day.
    pub expires: Field,
    /// The day.
    pub expires_on: Field,
    /// Networks, with commas or on lines of their own.
    pub networks: Field,
    /// Whose it is: a person's id, or empty for nobody's.
    pub person: Field,
    /// How a new one gets its password: `show`; by a link that is a code to `scan`, is mailed (`mail`) or copied (`link`).
    pub how: Field,
    /// Where the link is mailed to.
    pub to: Field,
    /// In which language.
    pub language: Field,
}

impl DeviceForm {
    /// Something is set that stands under "More", so that it must be seen.
    pub fn shows_more(&self) -> bool {
        let is_changed = |field: &Field| field.error.is_some() || !field.value.is_empty();
        is_changed(&self.networks)
            || is_changed(&self.expires_on)
            || self.scopes.error.is_some()
            || !(self.expires.value.is_empty() || self.expires.is("never"))
    }
}

/// `/o/{org}/mailboxes/{mailbox}/devices/new`. First `kind` alone is chosen (a link with `?kind=`), then it sends `kind`, `name`,
/// `person`, `scope` (any number), `expires`, `expires_on`, `networks`, and `once`, by which a form that is sent twice makes one
/// device.
#[derive(Debug, Template)]
#[template(path = "org/device_new.html")]
pub struct NewDevice {
    /// What stands around it.
    pub frame: Frame,
    /// Of which mailbox.
    pub mailbox: MailboxLink,
    /// One came here from an alias: which.
    pub alias: Option<String>,
    /// What it is; the tiles are shown until it is chosen.
    pub kind: Option<DeviceKind>,
    /// What was typed.
    pub form: DeviceForm,
    /// Whose it can be, besides nobody's; empty where it can only be one's own.
    pub people: Vec<Choice>,
    /// It can be nobody's.
    pub may_be_nobodys: bool,
    /// The mark by which a repeated form is told.
    pub once: String,
    /// This installation sends mail.
    pub can_mail: bool,
}

impl NewDevice {
    fn title(&self) -> Line {
        Line::new("device-add")
    }

    /// The device has a camera, or reads the file that a link gives: it is set up by a code.
    fn is_scanned(&self) -> bool {
        matches!(self.kind, Some(DeviceKind::Iphone | DeviceKind::AppleMail))
    }

    fn path(&self) -> String {
        format!("{}/{}/devices/new", self.frame.at("mailboxes"), self.mailbox.id)
    }
}

/// `/o/{org}/devices/{device}/edit`. Sends the fields of [`DeviceForm`] and `revision`.
#[derive(Debug, Template)]
#[template(path = "org/device_edit.html")]
pub struct EditDevice {
    /// What stands around it.
    pub frame: Frame,
    /// Which.
    pub id: DeviceId,
    /// Its name before.
    pub name: String,
    /// What was typed.
    pub form: DeviceForm,
    /// Which state of the record this is.
    pub revision: String,
}

impl EditDevice {
    fn title(&self) -> Line {
        Line::new("device-edit-title").with("device", &self.name)
    }
}

/// A server to type into a mail program.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// TLS from the first octet; otherwise STARTTLS.
    pub is_implicit_tls: bool,
}

/// The answer to adding a device, to replacing its password, and to a test message (`.../test`, which sends `password` and, for a
/// replaced one, `replaced`): the one showing of the password. Its page is not kept by
/// the browser, and its path shows nothing when it is asked for again.
#[derive(Template)]
#[template(path = "org/device_password.html")]
pub struct DevicePassword {
    /// What stands around it.
    pub frame: Frame,
    /// Which.
    pub device: DeviceRow,
    /// The password, as it is shown.
    pub password: Secret<String>,
    /// It replaces another one.
    pub is_replacement: bool,
    /// Where mail is received.
    pub imap: Option<Server>,
    /// Where mail is sent.
    pub smtp: Option<Server>,
    /// What a telephone's mail program reads with its camera, where there is such a thing.
    pub qr: Option<Qr>,
    /// The forms of copiers, for a printer.
    pub forms: Vec<MakerForm>,
    /// A test message can be sent, and to whom.
    pub test_to: Option<String>,
    /// It may sign in from its own networks only.
    pub has_networks: bool,
    /// How the test message fared.
    pub trial: Option<Trial>,
    /// How far the first sign-in has come.
    pub state: FirstSignIn,
}

impl DevicePassword {
    fn title(&self) -> Line {
        let key = if self.is_replacement {
            "password-new-title"
        } else {
            "password-title"
        };
        Line::new(key).with("device", &self.device.name)
    }

    fn shown(&self) -> &str {
        self.password.expose()
    }

    fn first_key(&self) -> String {
        first_sign_in_key(self.device.id)
    }

    fn steps(&self) -> Vec<Line> {
        setting_up::steps(self.device.kind)
    }

    /// Whether the servers have to be in sight.
    const fn shows_servers(&self) -> bool {
        !setting_up::finds_servers(self.device.kind) && self.forms.is_empty() && self.qr.is_none()
    }

    /// The password letter by letter, in words, for people who read it to others and for screen readers.
    fn letters(&self) -> Vec<(char, Said<'_>)> {
        letters(&self.frame, self.shown())
    }
}

/// A password letter by letter, in words.
pub(super) fn letters<'a>(frame: &'a Frame, password: &str) -> Vec<(char, Said<'a>)> {
    let spoken = |c: char| Some((c, frame.say(spoken(c)?)));
    password.chars().filter_map(spoken).collect()
}

/// The word for a letter of a password: its own alphabet is `bcdfghjkmnpqrstvwxyz`. A dash has none, and neither has
/// what cannot stand in a password.
fn spoken(letter: char) -> Option<&'static str> {
    Some(match letter {
        'b' => "letter-b",
        'c' => "letter-c",
        'd' => "letter-d",
        'f' => "letter-f",
        'g' => "letter-g",
        'h' => "letter-h",
        'j' => "letter-j",
        'k' => "letter-k",
        'm' => "letter-m",
        'n' => "letter-n",
        'p' => "letter-p",
        'q' => "letter-q",
        'r' => "letter-r",
        's' => "letter-s",
        't' => "letter-t",
        'v' => "letter-v",
        'w' => "letter-w",
        'x' => "letter-x",
        'y' => "letter-y",
        'z' => "letter-z",
        _ => return None,
    })
}

/// The page that stands where a password was shown once, when somebody comes back to it.
#[derive(Debug, Template)]
#[template(path = "org/device_password_gone.html")]
pub struct PasswordGone {
    /// What stands around it.
    pub frame: Frame,
    /// Which device.
    pub device: DeviceRow,
    /// It may get a new password.
    pub may_replace: bool,
}

impl PasswordGone {
    fn title(&self) -> Line {
        Line::new("password-gone-title")
    }
}
