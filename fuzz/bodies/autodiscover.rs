//! Reads a request of Autodiscover as the Manager's listener does, and answers it.
//!
//! Whatever is sent, the answer is a document that an XML reader takes, it has no more of the request in it than an
//! address that a mailbox could have, and the same request written again is read as the same one.

use postern::onboard::autodiscover::{read, refused, settings};
use postern::onboard::{Service, Settings};

/// The longest answer: all of it is ours but an address of at most 254 octets, twice.
const ANSWER_BYTES: usize = 4096;

/// Reads one body; panics where the reader breaks a promise.
pub(crate) fn run(body: &[u8]) {
    let service = || {
        Some(Service {
            host: "mail.example.org".to_owned(),
            port: 993,
            implicit_tls: true,
        })
    };
    let offered = Settings {
        provider: "Example Mail".to_owned(),
        imap: service(),
        smtp: service(),
    };
    let answer = match read(body) {
        Ok(address) => {
            let answer = settings(&offered, address.as_ref()).expect("services are offered");
            if let Some(address) = address {
                assert!(answer.contains("<LoginName>"));
                let again = read(request(address.as_str()).as_bytes());
                assert_eq!(again, Ok(Some(address)), "an address that was read is not read again");
            }
            answer
        }
        Err(why) => refused(why, "12:00:00"),
    };
    assert!(answer.len() <= ANSWER_BYTES && answer.ends_with("</Autodiscover>\n"));
    assert!(read(answer.as_bytes()).is_err(), "an answer is no request");
}

fn request(address: &str) -> String {
    let address = address.replace('&', "&amp;");
    format!(
        "<Autodiscover><Request><EMailAddress>{address}</EMailAddress><AcceptableResponseSchema>http://schemas.microsoft.com/\
         exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>"
    )
}
