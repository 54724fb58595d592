//! What is entered where: the forms of copiers, field by field, in the order and with the words that they have on the
//! device's own web page.
//!
//! The words are those of the makers' English menus; models differ in a word or two, and the order of the fields helps where
//! the device speaks another language.

use super::Service;

/// A maker of copiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    /// HP.
    Hp,
    /// Canon.
    Canon,
    /// Xerox.
    Xerox,
    /// Konica Minolta.
    KonicaMinolta,
    /// Ricoh.
    Ricoh,
}

/// What belongs into a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// This text, to be typed.
    Text(String),
    /// This entry of a list, or this switch.
    Choice(&'static str),
    /// The device's password, which is not known here.
    Password,
}

/// A field of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The device's word for it.
    pub label: &'static str,
    /// What belongs there.
    pub value: Value,
}

/// What the fields of all these forms are about.
#[derive(Debug, Clone, Copy)]
enum What {
    Address,
    Server,
    Port,
    /// The words for TLS from the first octet and for STARTTLS.
    Security(&'static str, &'static str),
    Switch(&'static str),
    User,
    Password,
}

impl Maker {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 5] = [Self::Hp, Self::Canon, Self::Xerox, Self::KonicaMinolta, Self::Ricoh];

    /// What people know it by.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hp => "HP",
            Self::Canon => "Canon",
            Self::Xerox => "Xerox",
            Self::KonicaMinolta => "Konica Minolta",
            Self::Ricoh => "Ricoh",
        }
    }

    /// Where the form is on the device's web page.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Hp => "Scan > Scan to E-mail Setup > Outgoing E-mail Profiles > New",
            Self::Canon => {
                "Settings/Registration > Function Settings > Send > E-Mail/I-Fax Settings > Communication Settings"
            }
            Self::Xerox => "Connectivity > SMTP",
            Self::KonicaMinolta => "Network > E-mail Settings > E-mail TX (SMTP)",
            Self::Ricoh => "Device Management > Configuration > Device Settings > Email",
        }
    }

    const fn fields(self) -> &'static [(&'static str, What)] {
        match self {
            Self::Hp => &[
                ("Your E-mail Address", What::Address),
                ("SMTP Server", What::Server),
                ("SMTP Port", What::Port),
                ("Always use secure connection (SSL/TLS)", What::Security("On", "On")),
                ("SMTP server requires authentication", What::Switch("On")),
                ("SMTP User ID", What::User),
                ("SMTP Password", What::Password),
            ],
            Self::Canon => &[
                ("SMTP Server", What::Server),
                ("E-Mail Address", What::Address),
                ("Use SMTP Authentication", What::Switch("On")),
                ("User Name", What::User),
                ("Password", What::Password),
                ("Allow TLS (SMTP TX)", What::Security("On", "On")),
                ("SMTP TX Port Number", What::Port),
            ],
            Self::Xerox => &[
                ("SMTP Server (Host Name)", What::Server),
                ("Port", What::Port),
                ("Device Email", What::Address),
                ("Connection Security", What::Security("SSL/TLS", "STARTTLS")),
                ("Outgoing SMTP Authentication", What::Switch("SMTP AUTH")),
                ("Login Name", What::User),
                ("Password", What::Password),
            ],
            Self::KonicaMinolta => &[
                ("SMTP Server Address", What::Server),
                ("Use SSL/TLS", What::Security("SMTP over SSL", "Start TLS")),
                ("Port No. / Port No. (SSL)", What::Port),
                ("SMTP Authentication", What::Switch("ON")),
                ("User ID", What::User),
                ("Password", What::Password),
                ("Administrator E-mail Address", What::Address),
            ],
            Self::Ricoh => &[
                ("Administrator Email Address", What::Address),
                ("SMTP Server Name", What::Server),
                ("SMTP Port No.", What::Port),
                ("Use Secure Connection (SSL)", What::Security("On", "Off")),
                ("SMTP Authentication", What::Switch("On")),
                ("SMTP Auth. Email Address", What::Address),
                ("SMTP Auth. User Name", What::User),
                ("SMTP Auth. Password", What::Password),
            ],
        }
    }

    /// The form, filled in for this mailbox.
    pub fn form(self, smtp: &Service, address: &str) -> Vec<Entry> {
        let value = |what: &What| match *what {
            What::Address | What::User => Value::Text(address.to_owned()),
            What::Server => Value::Text(smtp.host.clone()),
            What::Port => Value::Text(smtp.port.to_string()),
            What::Security(tls, _) if smtp.implicit_tls => Value::Choice(tls),
            What::Security(_, starttls) => Value::Choice(starttls),
            What::Switch(word) => Value::Choice(word),
            What::Password => Value::Password,
        };
        let fields = self.fields().iter();
        fields
            .map(|(label, what)| Entry {
                label,
                value: value(what),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_has_all_that_a_copier_needs() {
        let smtp = |implicit_tls| Service {
            host: "mail.example.org".to_owned(),
            port: 465,
            implicit_tls,
        };
        for maker in Maker::ALL {
            let form = maker.form(&smtp(true), "scan@example.org");
            let texts = |wanted: &str| {
                form.iter()
                    .filter(|entry| entry.value == Value::Text(wanted.to_owned()))
                    .count()
            };
            let name = maker.name();
            assert_eq!((texts("mail.example.org"), texts("465")), (1, 1), "{name}");
            assert!(texts("scan@example.org") >= 2, "{name}: sender and user name");
            let passwords = form.iter().filter(|entry| entry.value == Value::Password).count();
            let user = form
                .iter()
                .rposition(|entry| entry.value == Value::Text("scan@example.org".to_owned()));
            assert_eq!(passwords, 1, "{name}");
            assert!(user.is_some() && !maker.path().is_empty());
            let labels: std::collections::BTreeSet<_> = form.iter().map(|entry| entry.label).collect();
            assert_eq!(labels.len(), form.len(), "{name}: a word stands twice");
        }
        let secured = |implicit_tls| {
            let form = Maker::Xerox.form(&smtp(implicit_tls), "scan@example.org");
            form.into_iter()
                .find(|entry| entry.label == "Connection Security")
                .unwrap()
                .value
        };
        assert_eq!(
            (secured(true), secured(false)),
            (Value::Choice("SSL/TLS"), Value::Choice("STARTTLS"))
        );
    }
}
