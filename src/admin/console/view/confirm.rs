//! Questions before something ends: a page of its own, and a dialog where there is a script. Each says exactly what will
//! happen, and its button names the deed, never "OK".

use super::scope::*;
use crate::model::Role;

/// A device that ends with something else.
#[derive(Debug, Clone)]
pub struct EndingDevice {
    /// Its name.
    pub name: String,
    /// Its mailbox.
    pub mailbox: String,
    /// Its connections at this moment, which end.
    pub live: u32,
}

impl EndingDevice {
    fn line(&self, with_mailbox: bool) -> Line {
        let key = if with_mailbox { "ends-device-of" } else { "ends-device" };
        let line = Line::new(key).with("device", &self.name).with("count", self.live);
        if with_mailbox {
            line.with("mailbox", &self.mailbox)
        } else {
            line
        }
    }
}

/// What the person must type, so that it does not happen by habit.
#[derive(Debug, Clone)]
pub struct Typing {
    /// What to type.
    pub expected: String,
    /// What was typed.
    pub typed: Field,
}

/// A question before something ends. Posts to `action` with `hidden` and, where something is to be typed, `confirm` or `code`.
#[derive(Debug, Template)]
#[template(path = "confirm.html")]
pub struct Confirm {
    /// What stands around it.
    pub frame: Frame,
    /// The question.
    pub question: Line,
    /// What it means.
    pub lead: Option<Line>,
    /// What ends, each on a line.
    pub ends: Vec<Line>,
    /// What stays as it is.
    pub stays: Vec<Line>,
    /// What must be typed.
    pub typing: Option<Typing>,
    /// A one-time code must be given.
    pub code: Option<Field>,
    /// The words of the button.
    pub button: Line,
    /// It takes something away.
    pub is_harmful: bool,
    /// Where it is sent.
    pub action: String,
    /// What is sent along.
    pub hidden: Vec<(&'static str, String)>,
    /// Back to where the person came from.
    pub back: String,
}

impl Confirm {
    fn title(&self) -> Line {
        self.question.clone()
    }

    /// A question with nothing but its words.
    fn new(frame: Frame, question: Line, button: Line, action: String, back: String) -> Self {
        Self {
            frame,
            question,
            lead: None,
            ends: Vec::new(),
            stays: Vec::new(),
            typing: None,
            code: None,
            button,
            is_harmful: true,
            action,
            hidden: Vec::new(),
            back,
        }
    }

    /// Connections, where there are any: what does not happen is not among what does.
    fn end_sessions(&mut self, live: u64) {
        if live > 0 {
            self.ends.push(Line::new("ends-sessions").with("count", live));
        }
    }

    /// Somebody's access to a mailbox, with their devices on it.
    pub fn withdraw_access(
        frame: Frame,
        person: &str,
        mailbox: &str,
        devices: &[EndingDevice],
        action: String,
        back: String,
    ) -> Self {
        let question = Line::new("withdraw-question")
            .with("name", person)
            .with("mailbox", mailbox);
        let mut page = Self::new(frame, question, Line::new("access-withdraw"), action, back);
        page.lead = Some(Line::new("withdraw-lead"));
        page.ends
            .push(Line::new("ends-sight").with("name", person).with("mailbox", mailbox));
        page.ends.extend(devices.iter().map(|device| device.line(false)));
        page.stays.push(Line::new("stays-others"));
        page
    }

    /// Somebody's membership, with everything they have in the organisation. `unread` are the mailboxes that nobody will
    /// have access to afterwards.
    pub fn remove_member(
        frame: Frame,
        person: &str,
        mailboxes: &[String],
        devices: &[EndingDevice],
        unread: &[String],
        action: String,
        back: String,
    ) -> Self {
        let org = frame.org.as_ref().map_or("", |org| &org.name).to_owned();
        let question = Line::new("remove-question").with("name", person).with("org", &org);
        let button = Line::new("remove-button").with("name", person);
        let mut page = Self::new(frame, question, button, action, back);
        page.lead = Some(Line::new("withdraw-lead"));
        page.ends
            .push(Line::new("ends-membership").with("name", person).with("org", &org));
        let sight = |mailbox| Line::new("ends-sight").with("name", person).with("mailbox", mailbox);
        page.ends.extend(mailboxes.iter().map(sight));
        page.ends.extend(devices.iter().map(|device| device.line(true)));
        page.stays.push(Line::new("stays-user").with("name", person));
        page.stays.push(Line::new("stays-others"));
        let alone = |mailbox| Line::new("stays-unread").with("mailbox", mailbox);
        page.stays.extend(unread.iter().map(alone));
        page
    }

    /// Another role, with the devices on mailboxes that only the present one reaches.
    pub fn lower_role(
        frame: Frame,
        person: &str,
        (from, to): (Role, Role),
        devices: &[EndingDevice],
        action: String,
        back: String,
    ) -> Self {
        let question = Line::new("role-lower-question").with("name", person);
        let mut page = Self::new(frame, question, Line::new("role-lower-button"), action, back);
        let role = Line::new(words::role(&to));
        page.lead = Some(Line::new("role-lower-lead").with("name", person).with("role", role));
        page.ends.extend(devices.iter().map(|device| device.line(true)));
        page.stays.push(Line::new("stays-granted").with("name", person));
        page.stays.push(Line::new("stays-others"));
        page.hidden = vec![
            ("role", to.name().to_owned()),
            ("revision", from.name().to_owned()),
            ("sure", "yes".to_owned()),
        ];
        page
    }

    /// One device for good. `sent` is how much it sent in the last week.
    pub fn disconnect(
        frame: Frame,
        device: &EndingDevice,
        is_last: bool,
        sent: u64,
        action: String,
        back: String,
    ) -> Self {
        let question = Line::new("disconnect-question").with("device", &device.name);
        let button = Line::new("disconnect-button").with("device", &device.name);
        let mut page = Self::new(frame, question, button, action, back);
        page.lead = Some(Line::new("disconnect-lead"));
        page.ends.push(device.line(false));
        if sent > 0 {
            let line = Line::new("ends-sending")
                .with("device", &device.name)
                .with("count", sent);
            page.ends.push(line);
        }
        if is_last {
            page.ends
                .push(Line::new("ends-last-device").with("mailbox", &device.mailbox));
        }
        page.stays.push(Line::new("stays-mail"));
        page.stays
            .push(Line::new("stays-other-devices").with("mailbox", &device.mailbox));
        page
    }

    /// A device for a while.
    pub fn pause(frame: Frame, device: &EndingDevice, action: String, back: String) -> Self {
        let question = Line::new("pause-question").with("device", &device.name);
        let mut page = Self::new(frame, question, Line::new("device-pause"), action, back);
        page.ends.push(Line::new("ends-use").with("device", &device.name));
        page.end_sessions(device.live.into());
        page.stays.push(Line::new("stays-password"));
        page.is_harmful = false;
        page
    }

    /// All devices of a mailbox.
    pub fn revoke_all(frame: Frame, mailbox: &str, devices: &[EndingDevice], action: String, back: String) -> Self {
        let question = Line::new("revoke-all-question").with("mailbox", mailbox);
        let button = Line::new("revoke-all-button").with("count", devices.len());
        let mut page = Self::new(frame, question, button, action, back);
        page.lead = Some(Line::new("revoke-all-lead"));
        page.ends.extend(devices.iter().map(|device| device.line(false)));
        page.stays.push(Line::new("stays-mail"));
        page
    }

    /// A mailbox refuses every login for a while.
    pub fn suspend(frame: Frame, mailbox: &str, devices: u64, live: u64, action: String, back: String) -> Self {
        let question = Line::new("suspend-question").with("mailbox", mailbox);
        let mut page = Self::new(frame, question, Line::new("mailbox-suspend"), action, back);
        page.ends.push(Line::new("ends-logins").with("count", devices));
        page.end_sessions(live);
        page.stays.push(Line::new("stays-passwords"));
        page.is_harmful = false;
        page
    }

    /// A mailbox with its devices and aliases.
    pub fn delete_mailbox(
        frame: Frame,
        mailbox: &str,
        devices: u64,
        aliases: &[String],
        typed: Field,
        action: String,
        back: String,
    ) -> Self {
        let question = Line::new("delete-question").with("mailbox", mailbox);
        let button = Line::new("delete-button").with("mailbox", mailbox);
        let mut page = Self::new(frame, question, button, action, back);
        if devices > 0 {
            page.ends.push(Line::new("ends-devices").with("count", devices));
        }
        let alias = |address| Line::new("ends-alias").with("alias", address);
        page.ends.extend(aliases.iter().map(alias));
        page.ends.push(Line::new("ends-accesses").with("mailbox", mailbox));
        page.stays.push(Line::new("stays-stored-mail"));
        page.typing = Some(Typing {
            expected: mailbox.to_owned(),
            typed,
        });
        page
    }

    /// An alias.
    pub fn delete_alias(frame: Frame, alias: &str, mailbox: &str, action: String, back: String) -> Self {
        let question = Line::new("alias-remove-question").with("alias", alias);
        let mut page = Self::new(frame, question, Line::new("alias-remove"), action, back);
        page.ends
            .push(Line::new("ends-sender").with("alias", alias).with("mailbox", mailbox));
        page.stays.push(Line::new("stays-delivery").with("alias", alias));
        page
    }

    /// An invitation that is open.
    pub fn withdraw_invitation(frame: Frame, address: &str, action: String, back: String) -> Self {
        let question = Line::new("invitation-withdraw-question").with("address", address);
        let mut page = Self::new(frame, question, Line::new("invitation-withdraw"), action, back);
        page.ends.push(Line::new("ends-link"));
        page
    }

    /// One mail session.
    pub fn end_session(frame: Frame, device: &str, mailbox: &str, action: String, back: String) -> Self {
        let question = Line::new("session-end-question").with("device", device);
        let mut page = Self::new(frame, question, Line::new("session-end"), action, back);
        page.ends.push(Line::new("ends-session").with("mailbox", mailbox));
        page.stays.push(Line::new("stays-reconnects"));
        page.is_harmful = false;
        page
    }

    /// An API token.
    pub fn revoke_token(frame: Frame, name: &str, action: String, back: String) -> Self {
        let question = Line::new("token-revoke-question").with("name", name);
        let mut page = Self::new(frame, question, Line::new("token-revoke"), action, back);
        page.ends.push(Line::new("ends-token"));
        page
    }

    /// A mail domain without mailboxes.
    pub fn remove_domain(frame: Frame, domain: &str, action: String, back: String) -> Self {
        let question = Line::new("domain-remove-question").with("domain", domain);
        let mut page = Self::new(frame, question, Line::new("domain-remove"), action, back);
        page.ends.push(Line::new("ends-domain").with("domain", domain));
        page
    }

    /// All console sessions of a person but the one they are in.
    pub fn sign_out_everywhere(frame: Frame, sessions: u64, action: String, back: String) -> Self {
        let question = Line::new("everywhere-question");
        let mut page = Self::new(frame, question, Line::new("account-everywhere"), action, back);
        page.ends
            .push(Line::new("ends-console-sessions").with("count", sessions));
        page.stays.push(Line::new("stays-this-session"));
        page.stays.push(Line::new("stays-my-devices"));
        page
    }

    /// The second factor.
    pub fn remove_code(frame: Frame, code: Field, action: String, back: String) -> Self {
        let question = Line::new("code-off-question");
        let mut page = Self::new(frame, question, Line::new("code-off"), action, back);
        page.code = Some(code);
        page.ends.push(Line::new("ends-code"));
        page.ends.push(Line::new("ends-recovery-codes"));
        page
    }

    /// Another sign-in address, by the link that was sent there.
    pub fn use_address(frame: Frame, address: &str, action: String, back: String) -> Self {
        let question = Line::new("address-confirm-question").with("address", address);
        let mut page = Self::new(frame, question, Line::new("address-confirm-button"), action, back);
        page.lead = Some(Line::new("address-confirm-lead"));
        page.is_harmful = false;
        page
    }

    /// New recovery codes in place of the old ones.
    pub fn new_recovery_codes(frame: Frame, action: String, back: String) -> Self {
        let question = Line::new("codes-new-question");
        let mut page = Self::new(frame, question, Line::new("codes-new"), action, back);
        page.ends.push(Line::new("ends-recovery-codes"));
        page.is_harmful = false;
        page
    }

    /// A new password for a device, in place of the one it has.
    pub fn replace(frame: Frame, device: &EndingDevice, action: String, back: String) -> Self {
        let question = Line::new("replace-question").with("device", &device.name);
        let mut page = Self::new(frame, question, Line::new("device-replace"), action, back);
        page.lead = Some(Line::new("replace-lead"));
        page.ends.push(Line::new("ends-old-password"));
        page.end_sessions(device.live.into());
        page.stays.push(Line::new("stays-settings"));
        page.is_harmful = false;
        page
    }
}
