//! A test message through our own submission listener, as a device sends one: connect, TLS, sign in, sender, recipient,
//! message; and at each step what the gateway or the mail server behind it said.
//!
//! It is a mail client of its own, so that what is tested is what clients meet. The password is held for the time of the
//! attempt and written nowhere; what servers say is cut, and a password that they repeat is left out.

mod letter;
mod wire;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::clock::Timestamp;
use crate::model::Address;
use crate::secret::Secret;
use crate::tls::{OwnConnector, Stream};

pub use letter::Message;

use wire::{Fault, Wire};

/// How the connection calls itself, and what the id of its message ends with: no host has it.
const HELLO: &str = "test-message.invalid";
/// Characters of a reply that people are shown.
const SHOWN_MAX: usize = 300;
/// The whole attempt: the gateway may ask a slow mail server, and a person waits.
const PATIENCE: Duration = Duration::from_secs(20);

/// The way to our own listener.
#[derive(Debug, Clone)]
pub struct Way {
    /// Where it listens.
    pub address: SocketAddr,
    /// The name by which clients know it, which its certificate must have.
    pub host: String,
    /// TLS from the first octet, and not STARTTLS.
    pub implicit_tls: bool,
    /// Verifies the certificate.
    pub connector: OwnConnector,
}

/// Who sends what to whom.
#[derive(Debug)]
pub struct Errand<'a> {
    /// The mailbox, which signs in and sends.
    pub from: &'a Address,
    /// The device's password.
    pub password: &'a Secret<String>,
    /// Who gets it.
    pub to: &'a Address,
    /// What no other message has, for its id.
    pub unique: u128,
    /// What it says.
    pub message: &'a Message,
    /// Now.
    pub at: Timestamp,
}

/// The steps, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// TCP, and the greeting.
    Connection,
    /// The handshake, and STARTTLS before it.
    Tls,
    /// AUTH.
    SignIn,
    /// MAIL.
    Sender,
    /// RCPT.
    Recipient,
    /// DATA, until the server says that it has taken the message.
    Message,
}

impl Stage {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Connection,
        Self::Tls,
        Self::SignIn,
        Self::Sender,
        Self::Recipient,
        Self::Message,
    ];
}

/// How far it came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The steps that went right, each with what was said.
    pub done: Vec<(Stage, String)>,
    /// The step that did not, and why.
    pub failed: Option<Failed>,
    /// The certificate is ours and right, but its issuer is nobody whom this machine trusts.
    pub is_untrusted: bool,
}

/// Why it did not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// At which step.
    pub stage: Stage,
    /// The reply code, where the server answered.
    pub code: Option<u16>,
    /// The server's own words, or the system's.
    pub words: String,
}

/// Sends one message. `connected` gets our end of the connection before anything is said there; what it gives is dropped
/// when the attempt is over.
pub async fn run<G>(way: &Way, errand: &Errand<'_>, connected: impl FnOnce(SocketAddr) -> G) -> Report {
    let mut report = Report::default();
    let outcome = match timeout(PATIENCE, hand_over(way, errand, &mut report, connected)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Fault {
            code: None,
            words: format!("no answer within {} s", PATIENCE.as_secs()),
        }),
    };
    if let Err(Fault { code, words }) = outcome {
        let stage = Stage::ALL.get(report.done.len()).copied().unwrap_or(Stage::Message);
        report.failed = Some(Failed { stage, code, words });
    }
    let said = report.done.iter_mut().map(|(_, said)| said);
    for words in said.chain(report.failed.iter_mut().map(|failed| &mut failed.words)) {
        *words = without(std::mem::take(words), errand.password.expose());
    }
    report
}

async fn hand_over<G>(
    way: &Way,
    errand: &Errand<'_>,
    report: &mut Report,
    connected: impl FnOnce(SocketAddr) -> G,
) -> Result<(), Fault> {
    let tcp = TcpStream::connect(way.address).await?;
    let own = tcp.local_addr()?;
    // Dropped before the socket is closed: never does it mean a connection of somebody else.
    let mut wire;
    let _own = connected(own);
    tcp.set_nodelay(true)?;
    let mut done = |stage, said: String| report.done.push((stage, said));
    let is_trusted;
    (wire, is_trusted) = if way.implicit_tls {
        done(Stage::Connection, way.address.to_string());
        let (stream, is_trusted) = way.connector.connect(&way.host, tcp).await?;
        let mut wire = Wire::new(stream);
        wire.expect(220).await?;
        (wire, is_trusted)
    } else {
        let mut clear = Wire::new(Stream::Tcp(tcp));
        clear.expect(220).await?;
        done(Stage::Connection, way.address.to_string());
        clear.say(&format!("EHLO {HELLO}")).await?;
        clear.expect(250).await?;
        clear.say("STARTTLS").await?;
        clear.expect(220).await?;
        let (stream, is_trusted) = way.connector.connect(&way.host, clear.into_tcp()?).await?;
        (Wire::new(stream), is_trusted)
    };
    done(Stage::Tls, wire.secured());
    wire.say(&format!("EHLO {HELLO}")).await?;
    let offered = wire.expect(250).await?;
    wire.sign_in(errand.from, errand.password).await?;
    done(Stage::SignIn, wire.expect(235).await?);
    let unicode = needs_unicode(errand, &offered)?;
    wire.say(&format!("MAIL FROM:<{}>{unicode}", errand.from)).await?;
    done(Stage::Sender, wire.expect(250).await?);
    wire.say(&format!("RCPT TO:<{}>", errand.to)).await?;
    done(Stage::Recipient, wire.expect(250).await?);
    wire.say("DATA").await?;
    wire.expect(354).await?;
    wire.send(letter::written(errand).as_bytes()).await?;
    done(Stage::Message, wire.expect(250).await?);
    report.is_untrusted = !is_trusted;
    // It is taken, whatever the answer to this is.
    let _ = wire.say("QUIT").await;
    Ok(())
}

/// RFC 6531 §3.4: what has to be said where an address is not ASCII.
fn needs_unicode(errand: &Errand<'_>, offered: &str) -> Result<&'static str, Fault> {
    if errand.from.as_str().is_ascii() && errand.to.as_str().is_ascii() {
        return Ok("");
    }
    if offered.to_ascii_uppercase().contains("SMTPUTF8") {
        return Ok(" SMTPUTF8");
    }
    Err(Fault {
        code: None,
        words: "the mail server does not offer SMTPUTF8, which this address needs".to_owned(),
    })
}

/// What was said, as people are shown it: without a password that was repeated, and only then cut.
fn without(words: String, password: &str) -> String {
    let words = if words.contains(password) {
        words.replace(password, "[password]")
    } else {
        words
    };
    words.chars().take(SHOWN_MAX).collect()
}
