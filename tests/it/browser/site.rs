//! The daemon with its Manager, the mail servers behind it, and the mailboxes of people elsewhere.

use crate::kit::certificates::{Certificates, Issued, SERVER_NAME};
use crate::kit::dovecot::Dovecot;
use crate::kit::postern::{Login, Postern, Route, Settings};
use crate::kit::postfix::{self, Postfix};
use crate::kit::work_dir::WorkDir;

/// What browsers call the Manager. The browser's own resolver leads there, whatever the port.
pub(super) const HOST: &str = "manager.acme.test";
/// The organisation's mail domain.
const DOMAIN: &str = "acme.test";
/// Where people have mail of their own.
const PRIVATE: &str = "private.test";
/// Who the Manager's mails are from.
const SENDER: &str = "postern@acme.test";
/// An address that the mail server refuses.
const NOBODY: &str = "nobody@private.test";
/// Mailboxes at the mail store. Who may use them is said in the Manager.
const MAILBOXES: [&str; 7] = [
    "contact@acme.test",
    "board@acme.test",
    "sales@acme.test",
    "sophie@private.test",
    "lucie@private.test",
    "marc@private.test",
    "anna@private.test",
];

/// Sessions are ended quickly at a stop, and uses are written soon.
const SECTIONS: &str = "\
[throttle]
base_delay = \"100ms\"
max_delay = \"400ms\"

[sessions]
drain_time = \"200ms\"
close_time = \"1s\"
usage_write_interval = \"1s\"

[client_settings]
imap_host = \"localhost\"
imap_port = 993
smtp_host = \"localhost\"
smtp_port = 465
";

/// Everything that a script needs, stopped on drop, the gateway first.
pub(super) struct Manager {
    pub(super) postern: Postern,
    pub(super) postfix: Postfix,
    pub(super) dovecot: Dovecot,
    pub(super) certificates: Certificates,
    /// The Manager's own certificate.
    pub(super) certificate: Issued,
    /// Holds the password of our mail.
    _dir: WorkDir,
}

impl Manager {
    /// An installation in which nobody owns anything yet.
    pub(super) fn start() -> anyhow::Result<Self> {
        let certificates = Certificates::new()?;
        let certificate = certificates.issue("manager", &[HOST])?;
        let dovecot = Dovecot::start(&certificates)?;
        let postfix = Postfix::start(
            &certificates,
            &postfix::Settings {
                domains: vec![(DOMAIN, &dovecot), (PRIVATE, &dovecot)],
                answers: vec![(NOBODY, "550 5.1.1 there is no such mailbox")],
                ..Default::default()
            },
        )?;
        for mailbox in MAILBOXES {
            dovecot.add_mailbox(mailbox)?;
        }
        let dir = WorkDir::new("browser")?;
        let password = dovecot.add_mailbox(SENDER)?;
        let file = dir.write_secret("mail.password", &password)?;
        let sections = format!(
            "{SECTIONS}\n[manager]\naddress = \"127.0.0.1:0\"\norigin = \"https://{HOST}\"\n\n\
             [mail]\nhost = \"{SERVER_NAME}\"\nport = {}\nca = \"{}\"\nusername = \"{SENDER}\"\n\
             password_file = \"{}\"\nfrom = \"Postern <{SENDER}>\"\nfirst_retry = \"200ms\"\n\n\
             [[tls.certificate]]\nchain = \"{}\"\nkey = \"{}\"\n",
            postfix.smtps,
            certificates.authority.display(),
            file.display(),
            certificate.certificate.display(),
            certificate.key.display(),
        );
        let route = Route {
            name: "main",
            domains: Vec::new(),
            imap: (&dovecot, Login::MasterUser),
            smtp: (&postfix, Login::Xclient),
        };
        let settings = Settings {
            routes: vec![route],
            proxy_listener: false,
            sections: &sections,
        };
        let postern = Postern::start(&certificates, &settings)?;
        postern.add_secret(&password);
        Ok(Self {
            postern,
            postfix,
            dovecot,
            certificates,
            certificate,
            _dir: dir,
        })
    }
}
