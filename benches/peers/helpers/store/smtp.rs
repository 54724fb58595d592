//! SMTP as the store speaks it (RFC 5321): AUTH PLAIN and LOGIN, XCLIENT, DATA and BDAT.
//!
//! XCLIENT is understood but not listed, so that every proxy says the same at a login: EHLO and AUTH.

use std::io;
use std::rc::Rc;

use memchr::memmem;

use super::super::wire::{Stream, Wire};
use super::{Shared, content};

const GREETING: &[u8] = b"220 store.test ESMTP ready\r\n";
const HELLO: &[u8] = b"250-store.test\r\n250-PIPELINING\r\n250-SIZE 1073741824\r\n250-8BITMIME\r\n\
    250-ENHANCEDSTATUSCODES\r\n250-CHUNKING\r\n250-DSN\r\n250 AUTH PLAIN LOGIN\r\n";
/// What ends a message (RFC 5321 §4.1.1.4).
const END_OF_DATA: &[u8] = b"\r\n.\r\n";

/// The rest of a connection.
pub(super) async fn converse<S: Stream>(stream: S, shared: Rc<Shared>) -> io::Result<()> {
    let mut wire = Wire::new(stream);
    wire.say(&[GREETING]);
    let mut chunks = content::Comparison::default();
    while let Some(line) = wire.line().await? {
        let mut words = line.as_ref().split(|octet: &u8| *octet == b' ');
        let verb = words.next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_slice() {
            b"EHLO" => wire.say(&[HELLO]),
            b"AUTH" => {
                let login = words.next().unwrap_or_default().eq_ignore_ascii_case(b"LOGIN");
                let mut missing = usize::from(words.next().is_none()) + usize::from(login);
                while missing > 0 {
                    wire.say(&[b"334 \r\n"]);
                    wire.line().await?;
                    missing -= 1;
                }
                logged_in(&mut wire, &shared);
            }
            b"XCLIENT" => wire.say(&[GREETING]),
            b"MAIL" | b"RCPT" | b"RSET" | b"NOOP" => wire.say(&[b"250 2.0.0 ok\r\n"]),
            b"DATA" => {
                wire.say(&[b"354 go on\r\n"]);
                shared.taken(&data(&mut wire).await?);
                wire.say(&[b"250 2.0.0 taken\r\n"]);
            }
            b"BDAT" => {
                let size = words
                    .next()
                    .and_then(|size| std::str::from_utf8(size).ok()?.parse().ok());
                wire.octets(size.unwrap_or(0), |piece| chunks.take(piece)).await?;
                if words.next().is_some() {
                    shared.taken(&std::mem::take(&mut chunks));
                }
                wire.say(&[b"250 2.0.0 ok\r\n"]);
            }
            b"HELO" => wire.say(&[b"250 store.test\r\n"]),
            b"QUIT" => {
                wire.say(&[b"221 2.0.0 bye\r\n"]);
                return wire.close().await;
            }
            _ => wire.say(&[b"500 5.5.2 no\r\n"]),
        }
    }
    Ok(())
}

fn logged_in<S: Stream>(wire: &mut Wire<S>, shared: &Shared) {
    if shared.refuse {
        wire.say(&[b"535 5.7.8 no\r\n"]);
    } else {
        shared.count(|counts| counts.logins += 1);
        wire.say(&[b"235 2.7.0 ok\r\n"]);
    }
}

/// Reads a message up to the line with the dot. Messages of the benchmark are never empty, and the known content begins
/// behind the lines that say from whom and to whom they are.
async fn data<S: Stream>(wire: &mut Wire<S>) -> io::Result<content::Comparison> {
    loop {
        match memchr::memchr(b'\n', wire.unread()) {
            Some(end) if wire.unread().starts_with(b"From:") || wire.unread().starts_with(b"To:") => {
                wire.consume(end + 1);
            }
            Some(_) => break,
            None => wire.bulk().await.map(drop)?,
        }
    }
    let mut message = content::Comparison::default();
    loop {
        if let Some(end) = memmem::find(wire.unread(), END_OF_DATA) {
            // The line end before the dot is the message's.
            message.take(wire.unread().get(..end + 2).unwrap_or_default());
            wire.consume(end + END_OF_DATA.len());
            return Ok(message);
        }
        // What may be the begin of the end stays.
        let sure = wire.unread().len().saturating_sub(END_OF_DATA.len() - 1);
        message.take(wire.unread().get(..sure).unwrap_or_default());
        wire.consume(sure);
        wire.bulk().await?;
    }
}
