//! A content in words: one sentence that a phone's preview shows, a table of facts, one button, and what to do if it was
//! not you. `letter` makes a mail of it, as plain text and as HTML.

mod device;

use jiff::tz::TimeZone;

use crate::clock::Timestamp;
use crate::model::{Language, Origin, Role};

use super::content::{
    Access, AccessGiven, AccessWithdrawn, AddressConfirm, AddressConfirmed, Content, DeviceAdded, DeviceLink,
    Invitation, PasswordReset, SignInChanged, Test, TokenMade,
};
use super::texts::{Texts, shown};

/// A mail in words.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) language: Language,
    pub(super) subject: String,
    /// What happened, in one sentence.
    pub(super) lead: String,
    pub(super) facts: Vec<Fact>,
    /// Between a label and its value, where they stand on one line.
    pub(super) colon: String,
    pub(super) button: Option<Button>,
    /// Above the link written out, for whoever cannot press the button.
    pub(super) link_hint: String,
    pub(super) notes: Vec<String>,
    /// Where it is chosen whether mails of this kind are sent, if that can be chosen.
    pub(super) choice: Option<String>,
    pub(super) footer: String,
}

/// A row of the table.
#[derive(Debug)]
pub(super) struct Fact {
    pub(super) label: String,
    pub(super) value: String,
}

/// The one link.
#[derive(Debug)]
pub(super) struct Button {
    pub(super) label: String,
    pub(super) link: String,
}

/// Where links lead, and how moments are written.
#[derive(Debug, Clone)]
pub(super) struct Style<'a> {
    pub(super) origin: Option<&'a Origin>,
    /// The gateway's name, where there is no Manager.
    pub(super) hostname: &'a str,
    pub(super) zone: &'a TimeZone,
}

impl Page {
    pub(super) fn write(content: &Content, language: Language, style: &Style<'_>) -> Self {
        let texts = Texts::of(language, style.zone);
        let writer = Writer {
            kind: content.kind().name(),
            texts: &texts,
            origin: style.origin,
        };
        let mut page = match content {
            Content::AccessGiven(content) => writer.access_given(content),
            Content::AccessWithdrawn(content) => writer.access_withdrawn(content),
            Content::AddressConfirm(content) => writer.address_confirm(content),
            Content::AddressConfirmed(content) => writer.address_confirmed(content),
            Content::DeviceAdded(content) => writer.device_added(content),
            Content::DeviceDigest(content) => writer.device_digest(content),
            Content::DeviceLink(content) => writer.device_link(content),
            Content::DeviceNetwork(content) => writer.device_network(content),
            Content::DeviceUnused(content) => writer.device_unused(content),
            Content::Invitation(content) => writer.invitation(content),
            Content::NoticesOff(content) => writer.notices_off(content),
            Content::PasswordReset(content) => writer.password_reset(content),
            Content::SignInChanged(content) => writer.sign_in_changed(content),
            Content::Test(content) => writer.test(content),
            Content::TokenMade(content) => writer.token_made(content),
        };
        page.language = language;
        page.link_hint = texts.word("link-hint");
        page.footer = match style.origin {
            Some(origin) => texts.say("footer", &[("place", origin.as_str())]),
            None => texts.say("footer", &[("place", style.hostname)]),
        };
        page
    }
}

struct Writer<'a> {
    /// Texts of a kind begin with its word.
    kind: &'static str,
    texts: &'a Texts,
    origin: Option<&'a Origin>,
}

impl Writer<'_> {
    fn access_given(&self, content: &AccessGiven) -> Page {
        let mailbox = content.access.mailbox.as_str();
        let mut page = self.page(&[("by", &content.by), ("mailbox", mailbox), ("org", &content.org)]);
        page.facts = vec![
            self.fact("mailbox", mailbox),
            self.fact("organisation", &content.org),
            self.fact("rights", &self.rights(&content.access)),
        ];
        page.facts.extend(
            content
                .access
                .ends_at
                .map(|at| self.fact("until", &self.texts.moment(at))),
        );
        page.button = self.button("/me");
        page
    }

    fn access_withdrawn(&self, content: &AccessWithdrawn) -> Page {
        let values = [("by", content.by.as_str()), ("org", content.org.as_str())];
        let mut page = self.page(&values);
        if content.left {
            page.subject = self.say("subject-left", &values);
            page.lead = self.say("lead-left", &values);
        }
        page.facts = vec![self.fact("organisation", &content.org)];
        let mailboxes = content.mailboxes.iter().map(|mailbox| mailbox.as_str());
        page.facts.extend(self.listed("mailboxes", mailboxes));
        page.facts
            .extend(self.listed("devices", content.devices.iter().map(String::as_str)));
        if content.devices.is_empty() {
            page.notes.clear();
        }
        page.button = self.button("/me");
        page
    }

    fn address_confirm(&self, content: &AddressConfirm) -> Page {
        let until = self.texts.moment(content.expires_at);
        let (old, new) = (content.old.as_str(), content.new.as_str());
        let mut page = self.page(&[("old", old), ("new", new), ("until", &until)]);
        page.facts = vec![self.fact("sign-in-address", old), self.fact("new-address", new)];
        page.facts.extend(self.when_and_where(content.at, content.from));
        page.facts.push(self.fact("link-until", &until));
        page.button = self.button(&format!("/me/account/address/{}", content.token.expose()));
        page
    }

    fn address_confirmed(&self, content: &AddressConfirmed) -> Page {
        let mut page = self.page(&[("old", content.old.as_str()), ("new", content.new.as_str())]);
        page.facts = vec![
            self.fact("old-address", content.old.as_str()),
            self.fact("new-address", content.new.as_str()),
        ];
        page.facts.extend(self.when_and_where(content.at, content.from));
        page.button = self.button("/me/account");
        page
    }

    fn device_added(&self, content: &DeviceAdded) -> Page {
        let mailbox = content.address.as_str();
        let mut page = match &content.set_up {
            Some(signed_in) => self.device_set_up(content, signed_in),
            None => self.page(&[("mailbox", mailbox), ("device", &content.device)]),
        };
        if content.set_up.is_none() {
            page.facts = vec![
                self.fact("device", &content.device),
                self.fact("mailbox", mailbox),
                self.fact("by", &content.by),
            ];
            page.facts.extend(self.when_and_where(content.at, None));
        }
        page.button = self.button(&format!("/o/{}/mailboxes/{}/devices", content.org, content.mailbox));
        self.choose(&mut page, content.org);
        page
    }

    fn device_link(&self, content: &DeviceLink) -> Page {
        let until = self.texts.moment(content.expires_at);
        let mailbox = content.mailbox.as_str();
        // Whoever sends it chose both, and may be nobody whom the reader knows.
        let (by, device) = (device::no_link(&content.by), device::no_link(&content.device));
        let unnamed = self.say("unnamed", &[]);
        let mut page = self.page(&[
            ("by", by.unwrap_or(&content.org)),
            ("mailbox", mailbox),
            ("device", device.unwrap_or(&unnamed)),
            ("until", &until),
        ]);
        page.facts.extend(device.map(|device| self.fact("device", device)));
        page.facts.push(self.fact("mailbox", mailbox));
        page.facts.extend(by.map(|by| self.fact("by", by)));
        page.facts.push(self.fact("organisation", &content.org));
        page.facts.push(self.fact("link-until", &until));
        page.button = self.button(&format!("/s/{}", content.token.expose()));
        page
    }

    fn invitation(&self, content: &Invitation) -> Page {
        let until = self.texts.moment(content.expires_at);
        let mut page = self.page(&[("by", &content.by), ("org", &content.org), ("until", &until)]);
        page.facts = vec![
            self.fact("by", &content.by),
            self.fact("organisation", &content.org),
            self.fact("role", &self.role(content)),
        ];
        for access in &content.accesses {
            let mut value = self.rights(access);
            if let Some(at) = access.ends_at {
                let until = self.texts.moment(at);
                value = self.texts.say("rights-until", &[("rights", &value), ("until", &until)]);
            }
            page.facts.push(Fact {
                label: shown(access.mailbox.as_str()),
                value,
            });
        }
        page.facts.push(self.fact("link-until", &until));
        page.button = self.button(&format!("/invitation/{}", content.token.expose()));
        page
    }

    fn password_reset(&self, content: &PasswordReset) -> Page {
        let until = self.texts.moment(content.expires_at);
        let address = content.address.as_str();
        let mut page = self.page(&[("address", address), ("until", &until)]);
        page.facts = vec![self.fact("sign-in-address", address)];
        page.facts.extend(self.when_and_where(content.at, content.from));
        page.facts.push(self.fact("link-until", &until));
        page.button = self.button(&format!("/reset/{}", content.token.expose()));
        page
    }

    fn sign_in_changed(&self, content: &SignInChanged) -> Page {
        let (address, change) = (content.address.as_str(), content.change.name());
        let values = [("address", address)];
        let mut page = self.page(&values);
        page.subject = self.say(&format!("subject-{change}"), &values);
        page.lead = self.say(&format!("lead-{change}"), &values);
        page.facts = vec![self.fact("sign-in-address", address)];
        page.facts.extend(self.when_and_where(content.at, content.from));
        page.button = self.button("/me/account");
        page
    }

    fn token_made(&self, content: &TokenMade) -> Page {
        let mut page = self.page(&[("token", &content.name), ("org", &content.org_name)]);
        let role = self.texts.word(&format!("role-{}", content.role));
        page.facts = vec![
            self.fact("token", &content.name),
            self.fact("organisation", &content.org_name),
            self.fact("token-role", &role),
            self.fact("token-scope", &self.texts.word(&format!("scope-{}", content.scope))),
            self.fact("until", &self.texts.moment(content.expires_at)),
        ];
        page.facts.extend(self.when_and_where(content.at, content.from));
        page.button = self.button(&format!("/o/{}/settings", content.org));
        page
    }

    fn test(&self, content: &Test) -> Page {
        let mut page = self.page(&[("host", &content.host)]);
        page.facts = self.when_and_where(content.at, None);
        page.button = self.button("/");
        page
    }

    /// Subject, sentence and note of a kind, still without facts.
    fn page(&self, values: &[(&'static str, &str)]) -> Page {
        let say = |what| self.say(what, values);
        self.plain(say("subject"), say("lead"), say("note"))
    }

    fn plain(&self, subject: String, lead: String, note: String) -> Page {
        Page {
            language: Language::English,
            subject,
            lead,
            facts: Vec::new(),
            colon: self.texts.word("colon"),
            button: None,
            link_hint: String::new(),
            notes: vec![note],
            choice: None,
            footer: String::new(),
        }
    }

    fn say(&self, what: &str, values: &[(&'static str, &str)]) -> String {
        self.texts.say(&format!("{}-{what}", self.kind), values)
    }

    /// Only with an origin can there be a link; who asks for one with a secret is refused before.
    fn button(&self, path: &str) -> Option<Button> {
        self.origin.map(|origin| Button {
            label: self.say("button", &[]),
            link: origin.link(path),
        })
    }

    fn fact(&self, label: &str, value: &str) -> Fact {
        Fact {
            label: self.texts.word(&format!("fact-{label}")),
            value: shown(value),
        }
    }

    /// Several values of one fact; no row where there are none.
    fn listed<'v>(&self, label: &str, values: impl Iterator<Item = &'v str>) -> Option<Fact> {
        let values: Vec<String> = values.map(shown).collect();
        (!values.is_empty()).then(|| Fact {
            label: self.texts.count(&format!("fact-{label}"), values.len()),
            value: values.join(", "),
        })
    }

    fn when_and_where(&self, at: Timestamp, from: Option<std::net::IpAddr>) -> Vec<Fact> {
        let mut facts = vec![self.fact("when", &self.texts.moment(at))];
        facts.extend(from.map(|ip| self.fact("from", &ip.to_string())));
        facts
    }

    fn role(&self, content: &Invitation) -> String {
        match content.role {
            Role::Member if content.accesses.is_empty() => self.texts.word("role-member-alone"),
            role => self.texts.word(&format!("role-{role}")),
        }
    }

    /// The rights in words, in the order of the model.
    fn rights(&self, access: &Access) -> String {
        if access.rights.is_empty() {
            return self.texts.word("right-none");
        }
        let words = access
            .rights
            .iter()
            .map(|right| self.texts.word(&format!("right-{right}")));
        words.collect::<Vec<_>>().join(", ")
    }
}
