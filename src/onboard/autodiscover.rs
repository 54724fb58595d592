//! Outlook Autodiscover: version 1 (plain old XML, MS-OXDSCLI) with its requests, and version 2 (JSON).
//!
//! A request is some hundred octets that anybody can send. Only two texts of it are read, by their place; attributes and
//! name spaces are not looked at, a document type is refused, and no entity but the five of XML itself means anything.

use std::fmt::Write as _;

use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::Event;
use serde::Serialize;

use super::{Service, Settings};
use crate::model::Address;

/// What version 1 is served as.
pub const MEDIA_TYPE: &str = "text/xml; charset=utf-8";
/// The protocol by which version 2 leads to version 1.
pub const VERSION_1: &str = "AutodiscoverV1";
/// Deeper than any request: `Autodiscover/Request/EMailAddress`.
const DEPTH_MAX: usize = 8;
/// Tags, texts and references of a request; Outlook's has some twenty.
const PIECES_MAX: usize = 256;
/// The longest text that is read of a request: an address has at most 254 octets, a schema's name fewer.
const TEXT_MAX: usize = 320;

/// Name spaces and schemas (MS-OXDSCLI §2.2.1, MS-ASCMD §2.2.1.1).
const RESPONSE: &str = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006";
const OUTLOOK: &str = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";
const MOBILE: &str = "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006";

/// Why a request of version 1 gets an error instead of settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It is no request (error 600).
    Malformed,
    /// It asks for Exchange `ActiveSync` (error 601).
    MobileSync,
    /// It asks for something that nobody here knows (error 601).
    UnknownSchema,
}

/// The address that a request of version 1 asks for; nothing where it names none that a mailbox could have. Outlook also
/// asks with a name of its own directory.
///
/// # Errors
/// The request gets an error as its answer.
pub fn read(body: &[u8]) -> Result<Option<Address>, Refusal> {
    let text = std::str::from_utf8(body).map_err(|_| Refusal::Malformed)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Texts { address, schema } = texts(text).ok_or(Refusal::Malformed)?;
    match schema.as_deref().map(str::trim) {
        Some(OUTLOOK) => Ok(address.and_then(|address| Address::parse(&address).ok())),
        Some(MOBILE) => Err(Refusal::MobileSync),
        Some(_) => Err(Refusal::UnknownSchema),
        None => Err(Refusal::Malformed),
    }
}

/// What is read of a request.
#[derive(Default)]
struct Texts {
    address: Option<String>,
    schema: Option<String>,
}

impl Texts {
    /// The text that stands here, empty; nothing where it is none of ours or came before.
    fn begin(&mut self, path: &[String]) -> Option<&mut String> {
        let ["Autodiscover", "Request", name] = *path.iter().map(String::as_str).collect::<Vec<_>>() else {
            return None;
        };
        let text = match name {
            "EMailAddress" => &mut self.address,
            "AcceptableResponseSchema" => &mut self.schema,
            _ => return None,
        };
        if text.is_some() {
            return None;
        }
        Some(text.insert(String::new()))
    }
}

/// Reads a request; nothing where it is not well-formed, or more than a request has.
fn texts(xml: &str) -> Option<Texts> {
    let mut reader = Reader::from_str(xml);
    let mut path: Vec<String> = Vec::new();
    let mut texts = Texts::default();
    let mut has_root = false;
    for _ in 0..PIECES_MAX {
        match reader.read_event().ok()? {
            Event::Start(tag) => {
                let is_second = path.is_empty() && has_root;
                if is_second || path.len() == DEPTH_MAX {
                    return None;
                }
                has_root = true;
                path.push(tag.local_name().as_ref().to_owned());
                if let Some(text) = texts.begin(&path) {
                    *text = text_of(&mut reader)?;
                    path.pop();
                }
            }
            Event::End(_) => drop(path.pop()?),
            Event::Text(text) if path.is_empty() && !text.trim().is_empty() => return None,
            Event::DocType(_) => return None,
            Event::GeneralRef(name) => drop(meant_by(&name).filter(|_| !path.is_empty())?),
            Event::Eof => return (has_root && path.is_empty()).then_some(texts),
            Event::Text(_) | Event::Empty(_) | Event::CData(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
    None
}

/// What stands up to the end of this element, which has no element within.
fn text_of(reader: &mut Reader<&[u8]>) -> Option<String> {
    let mut text = String::new();
    for _ in 0..PIECES_MAX {
        match reader.read_event().ok()? {
            Event::Text(more) => text.push_str(&more.xml10_content()),
            Event::CData(more) => text.push_str(&more.xml10_content()),
            Event::GeneralRef(name) => text.push(meant_by(&name)?),
            Event::Comment(_) => {}
            Event::End(_) => return Some(text),
            _ => return None,
        }
        if text.len() > TEXT_MAX {
            return None;
        }
    }
    None
}

/// The character of a reference: by number, or one of the five that XML knows by itself (XML 1.0 §4.6).
fn meant_by(name: &quick_xml::events::BytesRef<'_>) -> Option<char> {
    if let Some(by_number) = name.resolve_char_ref().ok()? {
        return (!by_number.is_control()).then_some(by_number);
    }
    match &**name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

/// The answer of version 1 with the settings; the user name is what was asked for, so that it is the same for every
/// address. Nothing where no service is offered.
pub fn settings(settings: &Settings, address: Option<&Address>) -> Option<String> {
    let mut protocols = String::new();
    if let Some(imap) = &settings.imap {
        protocols.push_str(&protocol("IMAP", imap, address, ""));
    }
    if let Some(smtp) = &settings.smtp {
        let more = "<UsePOPAuth>on</UsePOPAuth><SMTPLast>off</SMTPLast>";
        protocols.push_str(&protocol("SMTP", smtp, address, more));
    }
    if protocols.is_empty() {
        return None;
    }
    Some(format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Autodiscover xmlns=\"{RESPONSE}\">\
         <Response xmlns=\"{OUTLOOK}\"><Account><AccountType>email</AccountType><Action>settings</Action>\
         {protocols}</Account></Response></Autodiscover>\n"
    ))
}

fn protocol(name: &str, service: &Service, address: Option<&Address>, more: &str) -> String {
    let mut text = format!(
        "<Protocol><Type>{name}</Type><Server>{}</Server><Port>{}</Port><DomainRequired>off</DomainRequired>",
        escape(service.host.as_str()),
        service.port
    );
    if let Some(address) = address {
        // Writing into a String cannot fail.
        let _ = write!(text, "<LoginName>{}</LoginName>", escape(address.as_str()));
    }
    // Where `SSL` alone is said, readers take it for TLS from the first octet, or ask the port.
    let encryption = if service.implicit_tls {
        ""
    } else {
        "<Encryption>TLS</Encryption>"
    };
    let _ = write!(
        text,
        "<SPA>off</SPA><SSL>on</SSL>{encryption}<AuthRequired>on</AuthRequired>{more}</Protocol>"
    );
    text
}

/// The error of version 1 for a request that gets no settings (MS-OXDSCLI §2.2.4.1.1.3, MS-ASCMD §2.2.3.64). `time` is
/// the time of day.
pub fn refused(why: Refusal, time: &str) -> String {
    let (code, message, space) = match why {
        Refusal::Malformed => (600, "Invalid Request", RESPONSE),
        Refusal::MobileSync => (601, "Exchange ActiveSync is not offered; use IMAP and SMTP", MOBILE),
        Refusal::UnknownSchema => (601, "Requested schema version not supported", RESPONSE),
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Autodiscover xmlns=\"{RESPONSE}\"><Response xmlns=\"{space}\">\
         <Error Time=\"{}\" Id=\"0\"><ErrorCode>{code}</ErrorCode><Message>{message}</Message><DebugData/></Error>\
         </Response></Autodiscover>\n",
        escape(time)
    )
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Found<'a> {
    protocol: &'a str,
    url: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct NotFound<'a> {
    error_code: &'a str,
    error_message: &'a str,
}

/// The answer of version 2 where a program wants to know of `protocol`; `url` is where version 1 answers. An error, to be
/// sent with status 400, where it wants anything but [`VERSION_1`].
///
/// # Errors
/// It is not a protocol that we have.
pub fn version_2(protocol: Option<&str>, url: &str) -> Result<Vec<u8>, Vec<u8>> {
    let (code, message) = match protocol {
        Some(asked) if asked.eq_ignore_ascii_case(VERSION_1) => {
            let found = Found {
                protocol: VERSION_1,
                url,
            };
            return Ok(serde_json::to_vec(&found).unwrap_or_default());
        }
        Some(_) => (
            "InvalidProtocol",
            "The given protocol value is invalid. Supported values are 'AutodiscoverV1'",
        ),
        None => (
            "MandatoryParameterMissing",
            "A valid value must be provided for the query parameter 'Protocol'. Supported values are 'AutodiscoverV1'",
        ),
    };
    let missing = NotFound {
        error_code: code,
        error_message: message,
    };
    Err(serde_json::to_vec(&missing).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(address: &str, schema: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/\
             autodiscover/outlook/requestschema/2006\"><Request><EMailAddress>{address}</EMailAddress>\
             <AcceptableResponseSchema>{schema}</AcceptableResponseSchema></Request></Autodiscover>"
        )
    }

    fn asked(body: &str) -> Result<Option<String>, Refusal> {
        read(body.as_bytes()).map(|address| address.map(|address| address.to_string()))
    }

    #[test]
    fn a_request_names_an_address() {
        let anna = Ok(Some("anna@example.org".to_owned()));
        assert_eq!(asked(&request("anna@example.org", OUTLOOK)), anna);
        assert_eq!(
            asked(&format!("\u{feff}{}", request(" Anna@Example.ORG\r\n", OUTLOOK))),
            anna
        );
        assert_eq!(asked(&request("<![CDATA[anna@example.org]]>", OUTLOOK)), anna);
        assert_eq!(asked(&request("anna&#64;example.org", OUTLOOK)), anna);
        assert_eq!(
            asked(&request("a&amp;b@example.org", OUTLOOK)),
            Ok(Some("a&b@example.org".to_owned()))
        );
        let prefixed = "<a:Autodiscover xmlns:a=\"x\"><a:Request><a:AcceptableResponseSchema>http://schemas.microsoft.com/\
            exchange/autodiscover/outlook/responseschema/2006a</a:AcceptableResponseSchema><a:LegacyDN>/o=x</a:LegacyDN>\
            <a:EMailAddress>anna@example.org</a:EMailAddress></a:Request></a:Autodiscover>";
        assert_eq!(asked(prefixed), anna);
    }

    #[test]
    fn a_request_without_a_usable_address_is_still_one() {
        for address in ["", "anna", "a b@example.org", "&lt;script&gt;@example.org", "anna@"] {
            assert_eq!(asked(&request(address, OUTLOOK)), Ok(None), "{address:?}");
        }
    }

    #[test]
    fn other_schemas_get_the_documented_errors() {
        assert_eq!(asked(&request("anna@example.org", MOBILE)), Err(Refusal::MobileSync));
        for schema in [
            "",
            "http://example.org",
            "http://schemas.microsoft.com/exchange/2010/Autodiscover",
        ] {
            assert_eq!(
                asked(&request("anna@example.org", schema)),
                Err(Refusal::UnknownSchema),
                "{schema:?}"
            );
        }
        let error = refused(Refusal::MobileSync, "16:56:32");
        assert!(error.contains("<ErrorCode>601</ErrorCode>") && error.contains(MOBILE) && error.contains("16:56:32"));
        assert!(refused(Refusal::UnknownSchema, "").contains("<ErrorCode>601</ErrorCode>"));
        assert!(refused(Refusal::Malformed, "").contains("<ErrorCode>600</ErrorCode>"));
    }

    #[test]
    fn what_is_no_request_is_refused() {
        let whole = request("anna@example.org", OUTLOOK);
        let entities = format!(
            "<!DOCTYPE x [<!ENTITY a \"anna\"><!ENTITY b \"&a;&a;&a;&a;\">]>{}",
            request("&b;@example.org", OUTLOOK)
        );
        let external = format!(
            "<!DOCTYPE x SYSTEM \"file:///etc/passwd\">{}",
            request("anna@example.org", OUTLOOK)
        );
        for body in [
            "",
            "anna@example.org",
            "{\"Email\":\"anna@example.org\"}",
            "<Autodiscover/>",
            "<Autodiscover><Request></Request></Autodiscover>",
            whole.get(..whole.len() - 5).unwrap(),
            &format!("{whole}{whole}"),
            &format!("{whole}text"),
            &whole.replace("</Request>", "</Requset>"),
            &request("&nbsp;anna@example.org", OUTLOOK),
            &request("<b>anna</b>@example.org", OUTLOOK),
            &request("anna&#0;@example.org", OUTLOOK),
            &request(&"a".repeat(TEXT_MAX + 1), OUTLOOK),
            &entities,
            &external,
            &"<a>".repeat(DEPTH_MAX + 1),
            &format!("<a>{}</a>", "<b/>".repeat(PIECES_MAX)),
        ] {
            assert_eq!(asked(body), Err(Refusal::Malformed), "{body}");
        }
        assert_eq!(read(b"<Autodiscover>\xff</Autodiscover>"), Err(Refusal::Malformed));
    }

    #[test]
    fn many_attributes_are_passed_over() {
        let attributes: String = (0..1000).map(|at| format!(" a{at}=\"\"")).collect();
        let body =
            request("anna@example.org", OUTLOOK).replace("<Request>", &format!("<Request{attributes} a1='' a1=''>"));
        assert_eq!(asked(&body), Ok(Some("anna@example.org".to_owned())));
    }

    fn offered(implicit_tls: bool) -> Settings {
        let service = |port| {
            Some(Service {
                host: "mail.example.org".to_owned(),
                port,
                implicit_tls,
            })
        };
        Settings {
            provider: "Example Mail".to_owned(),
            imap: service(993),
            smtp: service(465),
        }
    }

    /// The texts of one element, in order.
    fn all(xml: &str, element: &str) -> Vec<String> {
        let (open, close) = (format!("<{element}>"), format!("</{element}>"));
        let behind = xml.split(&open).skip(1);
        behind
            .map(|rest| rest.split(&close).next().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn the_answer_says_servers_and_the_name_that_was_asked_for() {
        let address = Address::parse("a&b@example.org").unwrap();
        let xml = settings(&offered(true), Some(&address)).unwrap();
        assert_eq!(all(&xml, "Type"), ["IMAP", "SMTP"]);
        assert_eq!(all(&xml, "Server"), ["mail.example.org"; 2]);
        assert_eq!(all(&xml, "Port"), ["993", "465"]);
        assert_eq!(all(&xml, "SSL"), ["on"; 2]);
        assert_eq!(all(&xml, "LoginName"), ["a&amp;b@example.org"; 2]);
        assert!(all(&xml, "Encryption").is_empty());
        let mut reader = Reader::from_str(&xml);
        while reader.read_event().unwrap() != Event::Eof {}
    }

    #[test]
    fn without_an_address_there_is_no_user_name_and_starttls_is_said() {
        let xml = settings(&offered(false), None).unwrap();
        assert!(all(&xml, "LoginName").is_empty());
        assert_eq!(all(&xml, "Encryption"), ["TLS"; 2]);
        assert_eq!(settings(&Settings::default(), None), None);
    }

    #[test]
    fn version_2_leads_to_version_1_and_nowhere_else() {
        let url = "https://autodiscover.example.org/autodiscover/autodiscover.xml";
        let found: serde_json::Value =
            serde_json::from_slice(&version_2(Some("autodiscoverV1"), url).unwrap()).unwrap();
        assert_eq!(found, serde_json::json!({"Protocol": "AutodiscoverV1", "Url": url}));
        for (protocol, code) in [
            (Some("ActiveSync"), "InvalidProtocol"),
            (Some(""), "InvalidProtocol"),
            (None, "MandatoryParameterMissing"),
        ] {
            let error: serde_json::Value = serde_json::from_slice(&version_2(protocol, url).unwrap_err()).unwrap();
            assert_eq!(error.get("ErrorCode").unwrap(), code);
        }
    }
}
