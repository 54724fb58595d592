//! The configuration that Thunderbird and many others read (draft-ietf-mailmaint-autoconfig-06, config-v1.1.xml).
//!
//! It is the same for every address of a domain: `%EMAILADDRESS%` stands for whatever the person has typed, so nobody
//! learns from it which mailboxes exist. The format could also hold a password, which is why nothing of ours asks for a
//! place for one here: the document is public.

use std::fmt::Write as _;

use quick_xml::escape::escape;

use super::{Service, Settings};
use crate::model::{DomainName, Origin};

/// What it is served as.
pub const MEDIA_TYPE: &str = "text/xml; charset=utf-8";
/// What a program shows beside the link to the Manager, by language.
const DESCRIPTIONS: [(&str, &str); 2] = [
    ("en", "Sign in with a device password, which you get in the Manager"),
    (
        "fr",
        "Connectez-vous avec un mot de passe d\u{2019}appareil, que vous obtenez dans le Manager",
    ),
];

/// The document for a domain; nothing where no mail can be read, since the format wants a server for it.
pub fn document(settings: &Settings, manager: &Origin, domain: &DomainName) -> Option<String> {
    let imap = server("incomingServer", "imap", settings.imap.as_ref()?);
    let smtp = settings.smtp.as_ref();
    let smtp = smtp.map_or_else(String::new, |smtp| server("outgoingServer", "smtp", smtp));
    let provider = escape(settings.provider.as_str());
    let mut help = String::new();
    for (language, text) in DESCRIPTIONS {
        // Writing into a String cannot fail.
        let _ = writeln!(help, "      <descr lang=\"{language}\">{}</descr>", escape(text));
    }
    Some(format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1">
  <emailProvider id="{domain}">
    <domain>{domain}</domain>
    <displayName>{provider}</displayName>
    <displayShortName>{provider}</displayShortName>
{imap}{smtp}    <documentation url="{}">
{help}    </documentation>
  </emailProvider>
</clientConfig>
"#,
        escape(manager.link("/"))
    ))
}

fn server(element: &str, protocol: &str, service: &Service) -> String {
    let security = if service.implicit_tls { "SSL" } else { "STARTTLS" };
    format!(
        r#"    <{element} type="{protocol}">
      <hostname>{}</hostname>
      <port>{}</port>
      <socketType>{security}</socketType>
      <authentication>password-cleartext</authentication>
      <username>%EMAILADDRESS%</username>
    </{element}>
"#,
        escape(service.host.as_str()),
        service.port
    )
}

#[cfg(test)]
mod tests {
    use quick_xml::Reader;
    use quick_xml::events::Event;

    use super::*;

    /// The texts of a document by their path, in order.
    fn texts(xml: &str) -> Vec<(String, String)> {
        let mut reader = Reader::from_str(xml);
        let (mut path, mut texts) = (Vec::new(), Vec::<(String, String)>::new());
        loop {
            match reader.read_event().unwrap() {
                Event::Start(tag) => {
                    path.push(tag.local_name().as_ref().to_owned());
                    texts.push((path.join("/"), String::new()));
                }
                Event::End(_) => drop(path.pop()),
                Event::Text(text) if !path.is_empty() => texts.last_mut().unwrap().1.push_str(&text),
                Event::GeneralRef(name) => texts.last_mut().unwrap().1.push_str(match &*name {
                    "amp" => "&",
                    "lt" => "<",
                    "quot" => "\"",
                    "gt" => ">",
                    other => panic!("&{other};"),
                }),
                Event::Eof => break,
                _ => {}
            }
        }
        let trimmed = |(path, text): (String, String)| (path, text.trim().to_owned());
        texts.into_iter().map(trimmed).collect()
    }

    fn settings(implicit_tls: bool) -> Settings {
        let service = |port| {
            Some(Service {
                host: "mail.example.org".to_owned(),
                port,
                implicit_tls,
            })
        };
        Settings {
            provider: "Müller & <Söhne>".to_owned(),
            imap: service(993),
            smtp: service(465),
        }
    }

    fn of(settings: &Settings) -> Option<String> {
        let manager = Origin::parse("https://manager.example.org:8443").unwrap();
        document(settings, &manager, &DomainName::parse("acme.example").unwrap())
    }

    #[test]
    fn it_says_servers_ports_encryption_and_user_name() {
        let xml = of(&settings(true)).unwrap();
        let texts = texts(&xml);
        let all = |element: &str| -> Vec<&str> {
            let of_it = texts.iter().filter(|(path, _)| path.ends_with(&format!("/{element}")));
            of_it.map(|(_, text)| text.as_str()).collect()
        };
        assert_eq!(all("domain"), ["acme.example"]);
        assert_eq!(all("displayName"), ["Müller & <Söhne>"]);
        assert_eq!(all("hostname"), ["mail.example.org"; 2]);
        assert_eq!(all("incomingServer/port"), ["993"]);
        assert_eq!(all("outgoingServer/port"), ["465"]);
        assert_eq!(all("socketType"), ["SSL"; 2]);
        assert_eq!(all("authentication"), ["password-cleartext"; 2]);
        assert_eq!(all("username"), ["%EMAILADDRESS%"; 2]);
        assert_eq!(all("descr").len(), 2);
        assert!(all("password").is_empty());
        assert!(xml.contains(r#"url="https://manager.example.org:8443/""#));
    }

    #[test]
    fn starttls_is_said_and_what_is_missing_is_left_out() {
        let mut settings = settings(false);
        assert!(of(&settings).unwrap().contains("<socketType>STARTTLS</socketType>"));
        settings.smtp = None;
        assert!(!of(&settings).unwrap().contains("outgoingServer"));
        settings.imap = None;
        assert_eq!(of(&settings), None);
    }
}
