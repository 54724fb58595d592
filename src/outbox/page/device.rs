//! Mails about devices on their own account.

use super::super::content::{
    DeviceAdded, DeviceDigest, DeviceNetwork, DeviceUnused, Happening, SignedIn, SwitchedOff, Unused,
};
use super::super::texts::shown;
use super::{Fact, Page, Writer};
use crate::model::OrgId;

/// The longest name of a program in a mail, in characters. Programs choose it themselves, and whoever has one device password
/// could write to many people with it.
const CLIENT_MAX: usize = 40;

/// What a program calls itself, as far as it may stand in a mail.
fn client(name: &str) -> Option<String> {
    no_link(name).map(|name| name.chars().take(CLIENT_MAX).collect())
}

/// Words of somebody whom the reader need not know, unless mail programs make a link of them. Some make one of every name
/// with a dot before a top-level domain, which has two letters at least; versions have digits there, initials have one.
pub(super) fn no_link(words: &str) -> Option<&str> {
    let (second, third) = (words.chars().skip(1), words.chars().skip(2));
    let is_dotted = words.chars().zip(second).zip(third).any(|((dot, first), next)| {
        matches!(dot, '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}') && first.is_alphabetic() && next.is_alphabetic()
    });
    (!is_dotted && !words.contains("://") && !words.contains('@')).then_some(words)
}

impl Writer<'_> {
    pub(super) fn device_network(&self, content: &DeviceNetwork) -> Page {
        let mailbox = content.mailbox.as_str();
        let mut page = self.page(&[("device", &content.label), ("mailbox", mailbox)]);
        page.facts = vec![
            self.fact("device", &content.label),
            self.fact("mailbox", mailbox),
            self.fact("when", &self.texts.moment(content.at)),
            self.fact("program", &self.program(&content.signed_in)),
            self.fact("from", &content.signed_in.from.to_string()),
        ];
        page.button = self.button(&format!("/o/{}/devices/{}", content.org, content.device));
        self.choose(&mut page, content.org);
        page
    }

    pub(super) fn device_digest(&self, content: &DeviceDigest) -> Page {
        let mailbox = content.mailbox.as_str();
        let mut page = self.page(&[("device", &content.label), ("mailbox", mailbox)]);
        page.facts = vec![self.fact("device", &content.label), self.fact("mailbox", mailbox)];
        page.facts.extend(content.happened.iter().map(|happened| Fact {
            label: self.texts.moment(happened.at),
            value: match &happened.what {
                Happening::Added(by) => self.say("added", &[("by", by)]),
                Happening::SetUp(signed_in) => self.happened_from("set-up", signed_in),
                Happening::Network(signed_in) => self.happened_from("network", signed_in),
            },
        }));
        self.more(&mut page, "device-digest-more", content.more);
        let place = match content.page_of {
            Some(mailbox) => format!("mailboxes/{mailbox}/devices"),
            None => format!("devices/{}", content.device),
        };
        page.button = self.button(&format!("/o/{}/{place}", content.org));
        self.choose(&mut page, content.org);
        page
    }

    fn happened_from(&self, what: &str, signed_in: &SignedIn) -> String {
        let (from, program) = (signed_in.from.to_string(), self.program(signed_in));
        self.say(what, &[("from", &from), ("program", &program)])
    }

    /// That a device was set up, which is told with its first sign-in.
    pub(super) fn device_set_up(&self, content: &DeviceAdded, signed_in: &SignedIn) -> Page {
        let mailbox = content.address.as_str();
        let values = [("mailbox", mailbox), ("device", content.device.as_str())];
        let say = |what| self.say(what, &values);
        let mut page = self.plain(say("subject-set-up"), say("lead-set-up"), say("note-set-up"));
        page.facts = vec![
            self.fact("device", &content.device),
            self.fact("mailbox", mailbox),
            self.fact("when", &self.texts.moment(content.at)),
            self.fact("program", &self.program(signed_in)),
            self.fact("from", &signed_in.from.to_string()),
        ];
        page
    }

    pub(super) fn device_unused(&self, content: &DeviceUnused) -> Page {
        let days = content.days.to_string();
        let one = match &content.devices[..] {
            [one] if content.more == 0 => Some(one),
            _ => None,
        };
        let path = match one {
            Some(one) => format!("/o/{}/devices/{}", content.org, one.device),
            None => format!("/o/{}/devices?show=silent", content.org),
        };
        let mut page = match one {
            Some(one) => self.one_unused(one, &days),
            None => self.several_unused(content, &days),
        };
        page.button = self.button(&path);
        self.choose(&mut page, content.org);
        page
    }

    fn one_unused(&self, one: &Unused, days: &str) -> Page {
        let mailbox = one.mailbox.as_str();
        let mut page = self.page(&[("device", &one.label), ("mailbox", mailbox), ("days", days)]);
        page.facts = vec![
            self.fact("device", &one.label),
            self.fact("mailbox", mailbox),
            match one.used_at {
                Some(at) => self.fact("last-use", &self.texts.moment(at)),
                None => self.fact("last-use", &self.never_used(one)),
            },
        ];
        page
    }

    fn several_unused(&self, content: &DeviceUnused, days: &str) -> Page {
        let more = usize::try_from(content.more).unwrap_or(usize::MAX);
        let count = content.devices.len().saturating_add(more).to_string();
        let values = [("count", count.as_str()), ("days", days)];
        let facts = content.devices.iter().map(|unused| Fact {
            label: shown(&unused.label),
            value: {
                let mailbox = unused.mailbox.as_str();
                match unused.used_at {
                    Some(at) => self.say("used", &[("mailbox", mailbox), ("at", &self.texts.moment(at))]),
                    None => format!("{}, {}", shown(mailbox), self.never_used(unused)),
                }
            },
        });
        let mut page = self.plain(
            self.say("subject-several", &values),
            self.say("lead-several", &values),
            self.say("note-several", &values),
        );
        page.facts = facts.collect();
        self.more(&mut page, "device-unused-more", content.more);
        page
    }

    fn never_used(&self, unused: &Unused) -> String {
        self.say("never", &[("at", &self.texts.moment(unused.created_at))])
    }

    pub(super) fn notices_off(&self, content: &SwitchedOff) -> Page {
        let mut page = self.page(&[("by", &content.by), ("org", &content.org_name)]);
        let kinds: Vec<_> = content
            .kinds
            .iter()
            .map(|kind| self.texts.word(&format!("notice-{kind}")))
            .collect();
        page.facts = vec![
            self.fact("notices", &kinds.join(", ")),
            self.fact("organisation", &content.org_name),
            self.fact("by", &content.by),
        ];
        page.facts.extend(self.when_and_where(content.at, content.from));
        page.button = self.button(&format!("/o/{}/settings#notices", content.org));
        page
    }

    /// What was not listed, as a number.
    fn more(&self, page: &mut Page, key: &str, more: u32) {
        if more > 0 {
            let count = usize::try_from(more).unwrap_or(usize::MAX);
            page.notes.insert(0, self.texts.count(key, count));
        }
    }

    /// How a device signed in: what for, and with which program.
    fn program(&self, signed_in: &SignedIn) -> String {
        let protocol = match signed_in.protocol.as_str() {
            "imap" => self.texts.word("protocol-imap"),
            "smtp" => self.texts.word("protocol-smtp"),
            other => shown(other),
        };
        match signed_in.client.as_deref().and_then(client) {
            Some(client) => format!("{protocol}, {}", shown(&client)),
            None => protocol,
        }
    }

    /// That mails of this kind can be switched off, and where.
    pub(super) fn choose(&self, page: &mut Page, org: OrgId) {
        if let Some(origin) = self.origin {
            page.choice = Some(origin.link(&format!("/o/{org}/settings#notices")));
            page.notes.push(self.texts.word("choice"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_cannot_write_letters() {
        for name in [
            "iPhone Mail 22C161",
            "Thunderbird 128.4.3",
            "[192.0.2.7]",
            "Mail (16.0).",
        ] {
            assert_eq!(client(name).as_deref(), Some(name));
        }
        for link in [
            "see HTTPS://evil",
            "WWW.evil.test",
            "write to x@evil",
            "pay at evil.test",
            "evil\u{3002}test",
        ] {
            assert_eq!(client(link), None, "{link}");
        }
        assert_eq!(client(&"é".repeat(99)), Some("é".repeat(CLIENT_MAX)));
    }
}
