//! A device: one named password of one mailbox, with scopes, limits and a history.
//!
//! Scopes, networks and sender rules have a text form that is the same on the command line, in the store and in
//! listings: what `Display` writes, `FromStr` reads.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net};

use super::address::Address;
use super::id::{DeviceId, MailboxId, UserId};
use crate::clock::Timestamp;
use crate::peer::Protocol;

/// The most networks that one device may list.
pub const NETWORKS_MAX: usize = 32;
/// The most sender patterns that one device may list.
pub const SENDERS_MAX: usize = 64;

/// A text that is not a setting of a device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSetting {
    /// Not an address or network.
    #[error(
        "{given:?} is not a network: write an address such as 192.0.2.7 or a network such as 192.0.2.0/24 or 2001:db8::/32, several with commas"
    )]
    Network {
        /// What was given.
        given: String,
    },
    /// Not a protocol, or none at all.
    #[error("{given:?} is not a protocol: write imap, smtp, or imap,smtp")]
    Scope {
        /// What was given.
        given: String,
    },
    /// Not a sender rule.
    #[error("{given:?} is not a sender rule: write mailbox, off, or addresses and @domains with commas")]
    Sender {
        /// What was given.
        given: String,
    },
    /// Not a kind of device.
    #[error(
        "{given:?} is not a kind of device: write iphone, android, outlook, apple-mail, thunderbird, printer, app, or other"
    )]
    Kind {
        /// What was given.
        given: String,
    },
    /// More entries than a device may have.
    #[error("a device may list at most {most} {what}")]
    TooMany {
        /// Networks or senders.
        what: &'static str,
        /// The limit.
        most: usize,
    },
}

/// Which protocols a device may use; at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scopes {
    /// May read mail by IMAP.
    pub imap: bool,
    /// May send mail by submission.
    pub smtp: bool,
}

impl Scopes {
    /// Both.
    pub const ALL: Self = Self { imap: true, smtp: true };

    /// Whether this protocol is among them.
    pub const fn allow(self, protocol: Protocol) -> bool {
        match protocol {
            Protocol::Imap => self.imap,
            Protocol::Smtp => self.smtp,
        }
    }

    /// Whether these allow all that `other` allows.
    pub const fn cover(self, other: Self) -> bool {
        (self.imap || !other.imap) && (self.smtp || !other.smtp)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.imap, self.smtp) {
            (true, true) => "imap,smtp",
            (true, false) => "imap",
            (false, true) => "smtp",
            (false, false) => "none",
        })
    }
}

impl FromStr for Scopes {
    type Err = BadSetting;

    fn from_str(text: &str) -> Result<Self, BadSetting> {
        // As the store has it for most devices, and each login reads it for all of a mailbox.
        if text == "imap,smtp" {
            return Ok(Self::ALL);
        }
        let mut scopes = Self {
            imap: false,
            smtp: false,
        };
        for word in text.split(',') {
            let word = word.trim();
            let is = |protocol: Protocol| word.eq_ignore_ascii_case(protocol.name());
            if is(Protocol::Imap) {
                scopes.imap = true;
            } else if is(Protocol::Smtp) {
                scopes.smtp = true;
            } else {
                return Err(BadSetting::Scope { given: word.to_owned() });
            }
        }
        Ok(scopes)
    }
}

/// From where a device may log in; empty means from anywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(pub Vec<IpNet>);

impl Networks {
    /// Whether a login from this address is allowed.
    pub fn allow(&self, ip: IpAddr) -> bool {
        self.0.is_empty() || self.0.iter().any(|net| net.contains(&ip))
    }

    /// Whether these allow all that `other` allows. Two halves do not cover their whole: such an edit counts as
    /// narrower, which costs one reconnect and nothing else.
    pub fn cover(&self, other: &Self) -> bool {
        let covered = |net: &IpNet| self.0.iter().any(|own| own.contains(net));
        self.0.is_empty() || (!other.0.is_empty() && other.0.iter().all(covered))
    }
}

impl fmt::Display for Networks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        comma_separated(f, &self.0)
    }
}

impl FromStr for Networks {
    type Err = BadSetting;

    /// Reads addresses and networks with commas between them; an empty text or `any` means from anywhere. Bits behind
    /// the prefix are cleared, IPv4-mapped IPv6 becomes IPv4 as in `peer`.
    fn from_str(text: &str) -> Result<Self, BadSetting> {
        let text = text.trim();
        if text.is_empty() || text.eq_ignore_ascii_case("any") {
            return Ok(Self::default());
        }
        let networks = text.split(',').map(network).collect::<Result<Vec<_>, _>>()?;
        if networks.len() > NETWORKS_MAX {
            return Err(BadSetting::TooMany {
                what: "networks",
                most: NETWORKS_MAX,
            });
        }
        Ok(Self(networks))
    }
}

fn network(text: &str) -> Result<IpNet, BadSetting> {
    let text = text.trim();
    let net = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    match net.map_err(|_| BadSetting::Network { given: text.to_owned() })?.trunc() {
        IpNet::V6(net) => Ok(unmapped(net.addr().to_ipv4_mapped(), net.prefix_len()).unwrap_or(IpNet::V6(net))),
        v4 @ IpNet::V4(_) => Ok(v4),
    }
}

fn unmapped(addr: Option<Ipv4Addr>, prefix_len: u8) -> Option<IpNet> {
    Ipv4Net::new(addr?, prefix_len.checked_sub(96)?).ok().map(IpNet::V4)
}

/// Which sender addresses a device may use in MAIL FROM.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum SenderRule {
    /// The mailbox and its aliases.
    #[default]
    Mailbox,
    /// The mailbox, its aliases and these. An address `@example.org` allows every local part of that domain.
    List(Vec<SenderPattern>),
    /// Any address.
    Off,
}

impl SenderRule {
    /// Whether this rule allows all that `other` allows.
    pub fn cover(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Off, _) | (_, Self::Mailbox) => true,
            (_, Self::Off) => false,
            (Self::Mailbox, Self::List(theirs)) => theirs.is_empty(),
            (Self::List(own), Self::List(theirs)) => theirs
                .iter()
                .all(|their| own.iter().any(|pattern| pattern.cover(their))),
        }
    }
}

impl fmt::Display for SenderRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mailbox => f.write_str("mailbox"),
            Self::List(patterns) if patterns.is_empty() => f.write_str("mailbox"),
            Self::List(patterns) => comma_separated(f, patterns),
            Self::Off => f.write_str("off"),
        }
    }
}

impl FromStr for SenderRule {
    type Err = BadSetting;

    fn from_str(text: &str) -> Result<Self, BadSetting> {
        let rule = text.trim();
        if rule.eq_ignore_ascii_case("mailbox") {
            return Ok(Self::Mailbox);
        }
        if rule.eq_ignore_ascii_case("off") {
            return Ok(Self::Off);
        }
        let patterns = text.split(',').map(str::parse).collect::<Result<Vec<_>, _>>()?;
        if patterns.len() > SENDERS_MAX {
            return Err(BadSetting::TooMany {
                what: "senders",
                most: SENDERS_MAX,
            });
        }
        Ok(Self::List(patterns))
    }
}

/// One entry of a device's sender list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SenderPattern {
    /// Exactly this address.
    Address(Address),
    /// Every address of this mail domain, written `@example.org`.
    Domain(super::DomainName),
}

impl SenderPattern {
    fn matches(&self, sender: &Address) -> bool {
        match self {
            Self::Address(address) => address == sender,
            Self::Domain(domain) => *domain == sender.domain(),
        }
    }

    fn cover(&self, other: &Self) -> bool {
        match other {
            Self::Address(address) => self.matches(address),
            Self::Domain(_) => self == other,
        }
    }
}

impl fmt::Display for SenderPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Domain(domain) => write!(f, "@{domain}"),
        }
    }
}

impl FromStr for SenderPattern {
    type Err = BadSetting;

    fn from_str(text: &str) -> Result<Self, BadSetting> {
        let text = text.trim();
        let pattern = match text.strip_prefix('@') {
            Some(domain) => super::DomainName::parse(domain).map(Self::Domain),
            None => Address::parse(text).map(Self::Address),
        };
        pattern.map_err(|_| BadSetting::Sender { given: text.to_owned() })
    }
}

fn comma_separated(f: &mut fmt::Formatter<'_>, items: &[impl fmt::Display]) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(",")?;
        }
        item.fmt(f)?;
    }
    Ok(())
}

/// What a device is, for people to recognise it and for the way it is set up. Nothing is allowed or refused by it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum DeviceKind {
    /// An iPhone or iPad.
    Iphone,
    /// A phone with Android.
    Android,
    /// Outlook on a computer.
    Outlook,
    /// Apple Mail on a Mac.
    AppleMail,
    /// Thunderbird on a computer.
    Thunderbird,
    /// A printer or scanner that sends mail.
    Printer,
    /// A program: a CRM, a shop, a ticket system.
    App,
    /// Anything else.
    #[default]
    Other,
}

impl DeviceKind {
    /// Every kind, in the order in which they are offered.
    pub const ALL: [Self; 8] = [
        Self::Iphone,
        Self::Android,
        Self::Outlook,
        Self::AppleMail,
        Self::Thunderbird,
        Self::Printer,
        Self::App,
        Self::Other,
    ];

    /// The fixed word in the store, on the command line and in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Iphone => "iphone",
            Self::Android => "android",
            Self::Outlook => "outlook",
            Self::AppleMail => "apple-mail",
            Self::Thunderbird => "thunderbird",
            Self::Printer => "printer",
            Self::App => "app",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for DeviceKind {
    type Err = BadSetting;

    fn from_str(text: &str) -> Result<Self, BadSetting> {
        let word = text.trim();
        let found = Self::ALL
            .into_iter()
            .find(|kind| word.eq_ignore_ascii_case(kind.name()));
        found.ok_or_else(|| BadSetting::Kind { given: word.to_owned() })
    }
}

/// Whether a device may log in, apart from time, network and scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceState {
    /// It may.
    Active,
    /// Switched off for a while; its sessions were ended.
    Paused(Timestamp),
    /// Ended for good.
    Revoked(Timestamp),
}

/// A device's record, as the store of record has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// Whose password it is.
    pub mailbox: MailboxId,
    /// What people call it: 1 to 64 characters ([`super::name::device_label`]), unique whatever the case among the
    /// mailbox's devices that are not revoked.
    pub label: String,
    /// What it is.
    pub kind: DeviceKind,
    /// The person it belongs to; nobody where a printer or a program uses it. It ends with that person's access.
    pub user: Option<UserId>,
    /// Active, paused or revoked.
    pub state: DeviceState,
    /// Allowed protocols.
    pub scopes: Scopes,
    /// Refused from this moment on.
    pub expires_at: Option<Timestamp>,
    /// Allowed networks.
    pub networks: Networks,
    /// Allowed senders.
    pub senders: SenderRule,
    /// When it was added.
    pub created_at: Timestamp,
    /// When its password was last replaced.
    pub replaced_at: Option<Timestamp>,
    /// Counts every change that takes something away; a login that began under another epoch is refused.
    pub epoch: i64,
    /// Counts every change of the record, so that nobody overwrites what they have not seen.
    pub revision: i64,
    /// Its password came by import instead of being generated.
    pub imported: bool,
    /// The first successful login.
    pub first_used: Option<Use>,
    /// The latest successful login (written in batches, at most once a minute).
    pub last_used: Option<Use>,
}

/// One use of a device, for people to recognise it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// When.
    pub at: Timestamp,
    /// From where.
    pub ip: IpAddr,
    /// By which protocol.
    pub protocol: Protocol,
    /// What the client calls itself.
    pub client: Option<String>,
}

/// Somewhere a password of a device is still tried that is no longer valid, because it was replaced or the device was
/// revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Knocking {
    /// How often so far.
    pub tries: u64,
    /// The first time.
    pub since: Timestamp,
    /// The last time.
    pub last: Use,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(text: &str) -> Networks {
        text.parse().unwrap()
    }

    fn senders(text: &str) -> SenderRule {
        text.parse().unwrap()
    }

    #[test]
    fn settings_are_read_as_they_are_written() {
        for text in ["imap,smtp", "imap", "smtp"] {
            assert_eq!(text.parse::<Scopes>().unwrap().to_string(), text);
        }
        for text in ["", "192.0.2.7/32,2001:db8::/32"] {
            assert_eq!(networks(text).to_string(), text);
        }
        for text in ["mailbox", "off", "info@example.org,@example.com"] {
            assert_eq!(senders(text).to_string(), text);
        }
        for kind in DeviceKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        assert_eq!(" Apple-Mail ".parse(), Ok(DeviceKind::AppleMail));
        assert_eq!(DeviceKind::default(), DeviceKind::Other);
    }

    #[test]
    fn networks_are_canonical() {
        assert_eq!(networks("192.0.2.7").to_string(), "192.0.2.7/32");
        assert_eq!(
            networks("192.0.2.7/24, 2001:db8::1/64").to_string(),
            "192.0.2.0/24,2001:db8::/64"
        );
        assert_eq!(
            networks("::ffff:192.0.2.0/120,::ffff:192.0.2.9").to_string(),
            "192.0.2.0/24,192.0.2.9/32"
        );
        assert_eq!(networks(" any "), Networks::default());
        assert!(networks("::ffff:192.0.2.0/120").allow("192.0.2.200".parse().unwrap()));
    }

    #[test]
    fn bad_settings_say_what_to_write() {
        let error = "imap,pop3".parse::<Scopes>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "\"pop3\" is not a protocol: write imap, smtp, or imap,smtp"
        );
        assert!("".parse::<Scopes>().is_err());
        let error = "iPad".parse::<DeviceKind>().unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("\"iPad\" is not a kind of device: write iphone, android,"),
            "{error}"
        );
        for text in ["192.0.2.0/33", "example.org", "192.0.2.1,,192.0.2.2"] {
            assert!(text.parse::<Networks>().is_err(), "{text:?}");
        }
        assert!(
            vec!["192.0.2.1"; NETWORKS_MAX + 1]
                .join(",")
                .parse::<Networks>()
                .is_err()
        );
        assert!("info@example.org,@".parse::<SenderRule>().is_err());
        assert!("".parse::<SenderRule>().is_err());
    }

    #[test]
    fn narrower_is_told_from_wider() {
        assert!(Scopes::ALL.cover("imap".parse().unwrap()));
        assert!(!"imap".parse::<Scopes>().unwrap().cover(Scopes::ALL));
        assert!(networks("").cover(&networks("192.0.2.0/24")));
        assert!(!networks("192.0.2.0/24").cover(&networks("")));
        assert!(networks("192.0.0.0/16,2001:db8::/32").cover(&networks("192.0.2.0/24")));
        assert!(!networks("192.0.2.0/25").cover(&networks("192.0.2.0/24")));
        let (mailbox, off) = (SenderRule::Mailbox, SenderRule::Off);
        let list = senders("a@example.org");
        assert!(off.cover(&mailbox) && off.cover(&list) && list.cover(&mailbox) && !mailbox.cover(&list));
        assert!(!list.cover(&off) && !mailbox.cover(&off));
        assert!(senders("@example.org").cover(&list) && !list.cover(&senders("@example.org")));
    }
}
