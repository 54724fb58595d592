//! What stands around every page: who is signed in, which organisation, where one is, and what has just happened.

use super::words;
use crate::admin::console::assets;
use crate::admin::console::moment::{Form, Moment};
use crate::admin::console::text::{AsLine, Fact, Line, Said, Text};
use crate::clock::Timestamp;
use crate::model::{OrgId, Role};

/// The chosen colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Theme {
    /// Dark, whatever the system says.
    Dark,
    /// Light, whatever the system says.
    Light,
    /// As the system says.
    #[default]
    System,
}

impl Theme {
    /// Its word in forms and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::System => "system",
        }
    }
}

/// The entry of the navigation that one is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// What happened in the organisation.
    Activity,
    /// All devices.
    Devices,
    /// Mail domains and set-up.
    Domains,
    /// Open and past invitations.
    Invitations,
    /// All mailboxes.
    Mailboxes,
    /// One's own account.
    MyAccount,
    /// What one did, and what was done to one's mailboxes.
    MyActivity,
    /// One's own mailboxes and devices.
    MyMailboxes,
    /// The start of an organisation.
    Overview,
    /// Its members.
    People,
    /// What a search found.
    Search,
    /// Who is connected now.
    Sessions,
    /// Its settings and API tokens.
    Settings,
    /// None: doors and errors.
    Elsewhere,
}

/// Which places of an organisation the person may go to; the navigation shows no others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Places {
    /// `/o/{org}`.
    pub overview: bool,
    /// `/o/{org}/mailboxes`.
    pub mailboxes: bool,
    /// `/o/{org}/people`.
    pub people: bool,
    /// `/o/{org}/invitations`.
    pub invitations: bool,
    /// `/o/{org}/devices`.
    pub devices: bool,
    /// `/o/{org}/sessions`.
    pub sessions: bool,
    /// `/o/{org}/activity`.
    pub activity: bool,
    /// `/o/{org}/domains`.
    pub domains: bool,
    /// `/o/{org}/settings`.
    pub settings: bool,
    /// `/o/{org}/search`.
    pub search: bool,
}

impl Places {
    /// All of them, for owners and auditors.
    pub const ALL: Self = Self {
        overview: true,
        mailboxes: true,
        people: true,
        invitations: true,
        devices: true,
        sessions: true,
        activity: true,
        domains: true,
        settings: true,
        search: true,
    };
}

/// Whoever is signed in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Their name.
    pub name: String,
    /// Their sign-in address.
    pub address: String,
}

impl SignedIn {
    /// At most two letters for the picture of a person that needs no picture.
    pub fn initials(&self) -> String {
        initials(&self.name)
    }
}

/// The first letters of the first and the last word.
pub fn initials(name: &str) -> String {
    let mut words = name.split_whitespace();
    let first = words.next().and_then(first_letter);
    let last = words.next_back().and_then(first_letter);
    first.into_iter().chain(last).flat_map(char::to_uppercase).collect()
}

fn first_letter(word: &str) -> Option<char> {
    word.chars().find(|c| c.is_alphanumeric())
}

/// An organisation to switch to.
#[derive(Debug, Clone)]
pub struct OrgLink {
    /// Which.
    pub id: OrgId,
    /// Its name.
    pub name: String,
}

/// The organisation that a page is about.
#[derive(Debug, Clone)]
pub struct OrgHere {
    /// Which.
    pub id: OrgId,
    /// Its name.
    pub name: String,
    /// The person's role in it.
    pub role: Role,
    /// Where they may go.
    pub places: Places,
}

/// How a message is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Done.
    Good,
    /// Nothing to worry about, nothing to cheer.
    Plain,
    /// To be looked at.
    Warning,
    /// Not done.
    Bad,
}

impl Tone {
    /// The class in the style sheet; the icon has the same name.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Plain => "plain",
            Self::Warning => "warning",
            Self::Bad => "bad",
        }
    }
}

/// What has just happened, shown once above the page.
#[derive(Debug, Clone)]
pub struct Flash {
    /// How it is meant.
    pub tone: Tone,
    /// What.
    pub line: Line,
    /// What one could do next: where to, and the words of the link.
    pub next: Option<(String, Line)>,
}

impl Flash {
    /// Something was done.
    pub const fn done(line: Line) -> Self {
        Self {
            tone: Tone::Good,
            line,
            next: None,
        }
    }

    /// Something was not done.
    pub const fn problem(line: Line) -> Self {
        Self {
            tone: Tone::Bad,
            line,
            next: None,
        }
    }
}

/// What stands around every page.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The reader.
    pub text: Text,
    /// The chosen colours.
    pub theme: Theme,
    /// Who is signed in; doors have nobody.
    pub person: Option<SignedIn>,
    /// Their organisations, the present one among them.
    pub orgs: Vec<OrgLink>,
    /// The organisation of this page.
    pub org: Option<OrgHere>,
    /// Where one is.
    pub place: Place,
    /// What has just happened.
    pub flash: Option<Flash>,
    /// The page comes back with a form that could not be taken: its title says so first.
    pub is_refused: bool,
}

impl Frame {
    /// A page for nobody in particular: sign-in, links from mails, errors.
    pub const fn door(text: Text) -> Self {
        Self {
            text,
            theme: Theme::System,
            person: None,
            orgs: Vec::new(),
            org: None,
            place: Place::Elsewhere,
            flash: None,
            is_refused: false,
        }
    }

    /// Says a text.
    pub fn say(&self, key: &'static str) -> Said<'_> {
        self.text.say(key)
    }

    /// Says a line.
    pub fn show(&self, line: impl AsLine) -> Said<'_> {
        self.text.show(line)
    }

    /// A moment by its distance.
    pub fn ago(&self, at: &Timestamp) -> Moment<'_> {
        self.text.moment(*at, Form::Relative)
    }

    /// A moment as a day.
    pub fn day(&self, at: &Timestamp) -> Moment<'_> {
        self.text.moment(*at, Form::Day)
    }

    /// A moment as day and time.
    pub fn clock(&self, at: &Timestamp) -> Moment<'_> {
        self.text.moment(*at, Form::Clock)
    }

    /// A moment that a text tells as a day.
    pub const fn as_day(&self, at: &Timestamp) -> Fact {
        Fact::Day(*at)
    }

    /// The role here.
    pub fn role(&self) -> Said<'_> {
        let role = self.org.as_ref().map_or(Role::Member, |org| org.role);
        self.say(words::role(&role))
    }

    /// A path in the organisation of the page: `/o/{org}` and what follows.
    pub fn at(&self, rest: &str) -> String {
        match &self.org {
            Some(org) if rest.is_empty() => format!("/o/{}", org.id),
            Some(org) => format!("/o/{}/{rest}", org.id),
            None => format!("/{rest}"),
        }
    }

    /// Where the live state of this page comes from; none outside organisations.
    pub fn live(&self) -> Option<String> {
        self.org.as_ref().map(|org| format!("/o/{}/live", org.id))
    }

    /// Whether one is at this place of the navigation.
    pub fn is_at(&self, place: Place) -> bool {
        self.place == place
    }

    /// Whether this organisation is the one of the page.
    pub fn is_here(&self, org: &OrgLink) -> bool {
        self.org.as_ref().is_some_and(|here| here.id == org.id)
    }

    /// A number of octets in the unit that suits it: `1.2 MB`.
    pub fn octets(&self, octets: &u64) -> String {
        self.text.octets(*octets)
    }

    /// Path of the style sheet.
    pub fn styles(&self) -> &'static str {
        &assets::styles().path
    }

    /// Path of the script.
    pub fn script(&self) -> &'static str {
        &assets::script().path
    }

    /// Path of the icon.
    pub fn icon(&self) -> &'static str {
        &assets::icon().path
    }
}
