//! What mail programs ask to find their settings, good and bad, octet by octet at the real listener; the answers are read
//! by Python's own readers of XML and JSON.
//!
//! Everything is logged that can be, and requests carry a password as Outlook sends it: the search at the gateway's end is
//! the test that none of it is kept.

use std::process::Command;

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::kit::http::{self, Answer};
use crate::kit::stack::{Plan, Stack};
use crate::kit::wire::Wire;
use crate::kit::{process, secrets};

const SECTIONS: &str = "\
[log]
format = \"json\"
level = \"trace\"

[client_settings]
provider = \"Mail & Söhne <Zürich>\"
imap_host = \"mail.provider.test\"
imap_port = 993
imap_security = \"tls\"
smtp_host = \"mail.provider.test\"
smtp_port = 465
smtp_security = \"tls\"
";
const OUTLOOK: &str = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";
const POX: &str = "/autodiscover/autodiscover.xml";
/// Reads XML and prints each element without children: its name and its text, one a line.
const READ_XML: &str = "\
import sys, xml.etree.ElementTree as tree
root = tree.fromstring(sys.stdin.buffer.read())
for element in root.iter():
    if len(element) == 0:
        print(element.tag.split('}')[-1], element.text or '')
";

/// A gateway with a device, whose password every request here carries.
struct Place {
    stack: Stack,
    authorization: String,
    password: String,
}

impl Place {
    fn start() -> anyhow::Result<Self> {
        let stack = Stack::start(&Plan {
            manager: true,
            sections: SECTIONS,
            ..Plan::default()
        })?;
        stack.add_mailbox("anna@acme.test")?;
        let device = stack.postern.add_device("anna@acme.test", "Outlook")?;
        secrets::sent(&device.password);
        let basic = STANDARD.encode(format!("anna@acme.test:{}", device.password));
        Ok(Self {
            stack,
            authorization: format!("Basic {basic}"),
            password: device.password,
        })
    }

    fn ask(&self, method: &str, host: &str, path: &str, body: &str) -> anyhow::Result<Answer> {
        let length = format!("Content-Length: {}\r\n", body.len());
        self.send(method, host, path, &length, body.as_bytes())
    }

    fn send(&self, method: &str, host: &str, path: &str, headers: &str, body: &[u8]) -> anyhow::Result<Answer> {
        let mut wire = Wire::connect(self.stack.postern.port("manager")?)?;
        let authorization = &self.authorization;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {authorization}\r\nConnection: close\r\n{headers}\r\n"
        );
        wire.send(head.as_bytes())?;
        // Where a body is refused before its end, its rest may no longer be wanted.
        wire.send(body).ok();
        let answer = String::from_utf8(wire.rest()?)?;
        http::read(&answer).with_context(|| format!("{method} {host}{path}"))
    }

    fn get(&self, host: &str, path: &str) -> anyhow::Result<Answer> {
        self.ask("GET", host, path, "")
    }
}

fn pox(address: &str, schema: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/\
         outlook/requestschema/2006\"><Request><EMailAddress>{address}</EMailAddress><AcceptableResponseSchema>{schema}\
         </AcceptableResponseSchema></Request></Autodiscover>"
    )
}

/// The texts of an XML document, as Python reads it.
fn texts(xml: &str) -> anyhow::Result<Vec<String>> {
    let read = process::run_with_input(Command::new("python3").args(["-X", "utf8", "-c", READ_XML]), xml)?;
    Ok(read.lines().map(|line| line.trim().to_owned()).collect())
}

/// What stands in a JSON document under these keys, as Python reads it.
fn json(document: &str, keys: &str) -> anyhow::Result<String> {
    let script = format!("import sys, json; print(json.load(sys.stdin.buffer){keys})");
    let read = process::run_with_input(Command::new("python3").args(["-X", "utf8", "-c", &script]), document)?;
    Ok(read.trim().to_owned())
}

#[test]
fn other_readers_understand_every_document() -> anyhow::Result<()> {
    let place = Place::start()?;
    let path = "/mail/config-v1.1.xml?emailaddress=anna%40acme.test";
    let autoconfig = place.get("autoconfig.acme.test", path)?.says(200, "clientConfig")?;
    let expected = [
        "domain acme.test",
        "displayName Mail & Söhne <Zürich>",
        "displayShortName Mail & Söhne <Zürich>",
        "hostname mail.provider.test",
        "port 993",
        "socketType SSL",
        "authentication password-cleartext",
        "username %EMAILADDRESS%",
        "hostname mail.provider.test",
        "port 465",
        "socketType SSL",
        "authentication password-cleartext",
        "username %EMAILADDRESS%",
    ];
    let read = texts(&autoconfig.body)?;
    ensure!(read.starts_with(&expected.map(str::to_owned)), "{read:#?}");

    let answer = place.ask(
        "POST",
        "autodiscover.acme.test",
        "/AutoDiscover/AutoDiscover.XML",
        &pox("anna@acme.test", OUTLOOK),
    )?;
    let read = texts(&answer.says(200, "<Type>IMAP</Type>")?.body)?;
    for line in [
        "Type SMTP",
        "Server mail.provider.test",
        "Port 993",
        "Port 465",
        "LoginName anna@acme.test",
        "SSL on",
    ] {
        ensure!(read.iter().any(|text| text == line), "{line} is not in {read:#?}");
    }

    let path = "/autodiscover/autodiscover.json?Email=anna%40acme.test&Protocol=AutodiscoverV1&RedirectCount=1";
    let found = place.get("autodiscover.acme.test", path)?.says(200, "Url")?;
    let url = json(&found.body, "['Url']")?;
    ensure!(
        url == "https://autodiscover.acme.test/autodiscover/autodiscover.xml",
        "{url}"
    );
    let refused = place.get("autodiscover.acme.test", &path.replace("AutodiscoverV1", "ActiveSync"))?;
    ensure!(json(&refused.says(400, "")?.body, "['ErrorCode']")? == "InvalidProtocol");

    let pacc = place.get("ua-auto-config.acme.test", "/.well-known/user-agent-configuration.json")?;
    let pacc = pacc.says(200, "protocols")?.body;
    ensure!(json(&pacc, "['protocols']['imap']['host']")? == "mail.provider.test");
    ensure!(json(&pacc, "['info']['provider']['name']")? == "Mail & Söhne <Zürich>");
    // As `curl -I` looks: the head alone.
    let head = place.ask("HEAD", "autoconfig.acme.test", "/mail/config-v1.1.xml", "")?;
    ensure!(head.status == 200 && head.body.is_empty(), "{head:?}");
    Ok(())
}

#[test]
fn bad_requests_get_their_answer_and_cost_nothing() -> anyhow::Result<()> {
    let place = Place::start()?;
    let host = "autodiscover.acme.test";
    let whole = pox("anna@acme.test", OUTLOOK);
    // A billion laughs, a file of ours, a quadratic blow-up, depth, and octets that are no text.
    let laughs: String = (1..10)
        .map(|at| format!("<!ENTITY a{at} \"{}\">", format!("&a{};", at - 1).repeat(10)))
        .collect();
    let attributes: String = (0..1500).map(|at| format!(" a{at}=''")).collect();
    for (body, code) in [
        (
            format!(
                "<!DOCTYPE x [<!ENTITY a0 \"ha\">{laughs}]>{}",
                pox("&a9;@acme.test", OUTLOOK)
            ),
            "600",
        ),
        (
            format!(
                "<!DOCTYPE x [<!ENTITY f SYSTEM \"file:///etc/passwd\">]>{}",
                pox("&f;", OUTLOOK)
            ),
            "600",
        ),
        ("<a>".repeat(5000), "600"),
        (format!("<a{attributes}>"), "600"),
        (whole.replace("</Request>", ""), "600"),
        (String::new(), "600"),
        (place.password.clone(), "600"),
        (pox("anna@acme.test", &place.password), "601"),
        (
            pox(
                "anna@acme.test",
                "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006",
            ),
            "601",
        ),
    ] {
        let answer = place.ask("POST", host, POX, &body)?;
        let read = texts(&answer.says(200, "<Error ")?.body)?;
        ensure!(read.contains(&format!("ErrorCode {code}")), "{body}: {read:?}");
    }
    let binary = place.send("POST", host, POX, "Content-Length: 4\r\n", b"\xff\xfe<\0")?;
    binary.says(200, "<ErrorCode>600</ErrorCode>")?;
    // Attributes of any number, twice the same among them, are passed over.
    let many = whole.replace("<Request>", &format!("<Request{attributes} a0=''>"));
    ensure!(many.len() < 16 * 1024);
    place.ask("POST", host, POX, &many)?.says(200, "<Type>IMAP</Type>")?;
    Ok(())
}

#[test]
fn a_body_that_is_too_long_is_not_read() -> anyhow::Result<()> {
    let place = Place::start()?;
    let host = "autodiscover.acme.test";
    let whole = pox("anna@acme.test", OUTLOOK);
    let long = format!("{whole:<0$}", 16 * 1024 + 1);
    place.ask("POST", host, POX, &long)?.says(413, "16 KiB")?;
    place
        .ask("POST", host, POX, &format!("{whole:<0$}", 16 * 1024))?
        .says(200, "LoginName")?;
    // A body that does not say how long it is.
    let chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000)).repeat(5);
    let headers = "Transfer-Encoding: chunked\r\n";
    place
        .send("POST", host, POX, headers, chunk.as_bytes())?
        .says(413, "16 KiB")?;
    Ok(())
}

#[test]
fn other_names_and_other_paths_are_not_there_and_leave_nothing() -> anyhow::Result<()> {
    let place = Place::start()?;
    for (host, path) in [
        ("autoconfig.other.test", "/mail/config-v1.1.xml"),
        ("other.test", POX),
        (
            "autodiscover.other.test",
            "/autodiscover/autodiscover.json?Protocol=AutodiscoverV1",
        ),
        ("evil.test", "/mail/config-v1.1.xml?emailaddress=anna%40acme.test"),
        ("autoconfig.acme.test:99999", "/mail/config-v1.1.xml"),
    ] {
        place.get(host, path)?.says(404, "not a mail domain")?;
    }
    for path in ["/", "/sign-in", "/.well-known/caldav"] {
        place
            .ask("PROPFIND", "acme.test", path, &place.password)?
            .says(421, "")?;
    }
    let mut with_secret = String::from("/mail/config-v1.1.xml?emailaddress=");
    with_secret.push_str(&place.password);
    place
        .get("autoconfig.acme.test", &with_secret)?
        .says(200, "clientConfig")?;
    // It is as it was.
    place
        .get("autoconfig.acme.test", "/mail/config-v1.1.xml")?
        .says(200, "clientConfig")?;
    place
        .stack
        .postern
        .wait_for_log(&["\"request\"", "/mail/config-v1.1.xml", "200"])
        .map(drop)
}

#[test]
fn nobody_can_tell_a_mailbox_from_one_that_is_not_there() -> anyhow::Result<()> {
    let place = Place::start()?;
    let heads = |answer: &Answer| -> Vec<(String, String)> {
        let told = answer.headers.iter().filter(|(name, _)| name != "date");
        told.cloned().collect()
    };
    let pairs = [
        (
            place.get(
                "autoconfig.acme.test",
                "/mail/config-v1.1.xml?emailaddress=anna%40acme.test",
            )?,
            place.get(
                "autoconfig.acme.test",
                "/mail/config-v1.1.xml?emailaddress=olga%40acme.test",
            )?,
        ),
        (
            place.ask("POST", "acme.test", POX, &pox("anna@acme.test", OUTLOOK))?,
            place.ask("POST", "acme.test", POX, &pox("olga@acme.test", OUTLOOK))?,
        ),
    ];
    for (known, unknown) in pairs {
        ensure!(known.status == 200 && unknown.status == 200);
        ensure!(
            known.body.replace("anna@", "olga@") == unknown.body,
            "{known:?}\n{unknown:?}"
        );
        ensure!(heads(&known) == heads(&unknown), "{known:?}\n{unknown:?}");
    }
    Ok(())
}
