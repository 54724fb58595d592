//! IMAP as the store speaks it (RFC 9051): enough for every proxy's login and for the benchmark's works.
//!
//! A message's number is its size: `UID FETCH 1048576 BODY[]` gives a message of 1 MiB. Nothing is checked that no
//! proxy gets wrong.

use std::io;
use std::rc::Rc;

use postern::load::Expected;

use super::super::wire::{Stream, Wire};
use super::{Shared, content};

const CAPABILITIES: &[u8] = b"IMAP4rev1 SASL-IR LITERAL+ ID ENABLE IDLE NAMESPACE UIDPLUS UNSELECT CHILDREN AUTH=PLAIN";

/// The rest of a connection.
pub(super) async fn converse<S: Stream>(stream: S, shared: Rc<Shared>) -> io::Result<()> {
    let mut wire = Wire::new(stream);
    wire.say(&[b"* OK [CAPABILITY ", CAPABILITIES, b"] ready\r\n"]);
    while let Some(line) = wire.line().await? {
        let mut words = line.splitn(3, |octet| *octet == b' ');
        let (tag, verb) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let rest = words.next().unwrap_or_default();
        match verb.to_ascii_uppercase().as_slice() {
            b"LOGOUT" => {
                wire.say(&[b"* BYE until then\r\n", tag, b" OK bye\r\n"]);
                return wire.close().await;
            }
            b"LOGIN" => {
                skip_literals(&mut wire, rest).await?;
                logged_in(&mut wire, tag, &shared);
            }
            b"AUTHENTICATE" => {
                if !rest.contains(&b' ') {
                    wire.say(&[b"+ \r\n"]);
                    wire.line().await?;
                }
                logged_in(&mut wire, tag, &shared);
            }
            b"IDLE" => {
                shared.count(|counts| counts.idling += 1);
                let idled = idle(&mut wire, &shared).await;
                shared.count(|counts| counts.idling -= 1);
                idled?;
                wire.say(&[tag, b" OK idled\r\n"]);
            }
            b"APPEND" => append(&mut wire, tag, rest, &shared).await?,
            b"FETCH" => fetch(&mut wire, tag, rest).await?,
            b"UID" => fetch(&mut wire, tag, rest.get(b"FETCH ".len()..).unwrap_or_default()).await?,
            verb => {
                skip_literals(&mut wire, rest).await?;
                simple(&mut wire, tag, verb);
            }
        }
    }
    Ok(())
}

fn logged_in<S: Stream>(wire: &mut Wire<S>, tag: &[u8], shared: &Shared) {
    if shared.refuse {
        wire.say(&[tag, b" NO [AUTHENTICATIONFAILED] no\r\n"]);
    } else {
        shared.count(|counts| counts.logins += 1);
        wire.say(&[tag, b" OK [CAPABILITY ", CAPABILITIES, b"] logged in\r\n"]);
    }
}

/// Commands of one line whose answer is always the same.
fn simple<S: Stream>(wire: &mut Wire<S>, tag: &[u8], verb: &[u8]) {
    match verb {
        b"CAPABILITY" => wire.say(&[b"* CAPABILITY ", CAPABILITIES, b"\r\n"]),
        b"ID" => wire.say(&[b"* ID (\"name\" \"store\")\r\n"]),
        b"SELECT" | b"EXAMINE" => wire.say(&[
            b"* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n",
            b"* 1 EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 1] UIDs\r\n* OK [UIDNEXT 4294967295] next\r\n",
        ]),
        b"STATUS" => wire.say(&[b"* STATUS INBOX (MESSAGES 1)\r\n"]),
        b"LIST" => wire.say(&[b"* LIST () \"/\" INBOX\r\n"]),
        _ => {}
    }
    wire.say(&[tag, b" OK done\r\n"]);
}

/// Reads and forgets the literals at the end of a line, and the lines behind them.
async fn skip_literals<S: Stream>(wire: &mut Wire<S>, line: &[u8]) -> io::Result<()> {
    let mut next = literal(line);
    while let Some(Literal { octets, waits }) = next {
        if waits {
            wire.say(&[b"+ go on\r\n"]);
        }
        wire.octets(octets, |_| ()).await?;
        next = wire.line().await?.and_then(|line| literal(&line));
    }
    Ok(())
}

/// A literal's head at the end of a line: `{12}` waits for our `+`, `{12+}` does not (RFC 7888 §3).
struct Literal {
    octets: u64,
    waits: bool,
}

fn literal(line: &[u8]) -> Option<Literal> {
    let inside = line.strip_suffix(b"}")?;
    let start = inside.iter().rposition(|octet| *octet == b'{')?;
    let inside = std::str::from_utf8(inside.get(start + 1..)?).ok()?;
    let digits = inside.trim_end_matches('+');
    Some(Literal {
        octets: digits.parse().ok()?,
        waits: digits.len() == inside.len(),
    })
}

/// Stays in IDLE (RFC 2177) until DONE; says one line at each `wake`.
async fn idle<S: Stream>(wire: &mut Wire<S>, shared: &Shared) -> io::Result<()> {
    let mut wake = shared.wake.subscribe();
    wire.say(&[b"+ idling\r\n"]);
    wire.flush().await?;
    loop {
        tokio::select! {
            line = wire.line() => return line?.map(drop).ok_or_else(|| io::ErrorKind::UnexpectedEof.into()),
            Ok(()) = wake.changed() => {
                wire.say(&[b"* 2 EXISTS\r\n"]);
                wire.flush().await?;
            }
        }
    }
}

async fn append<S: Stream>(wire: &mut Wire<S>, tag: &[u8], rest: &[u8], shared: &Shared) -> io::Result<()> {
    let Some(Literal { octets, waits }) = literal(rest) else {
        wire.say(&[tag, b" BAD no literal\r\n"]);
        return Ok(());
    };
    if waits {
        wire.say(&[b"+ go on\r\n"]);
    }
    let mut message = content::Comparison::default();
    wire.octets(octets, |piece| message.take(piece)).await?;
    wire.line().await?;
    shared.taken(&message);
    wire.say(&[tag, b" OK [APPENDUID 1 2] taken\r\n"]);
    Ok(())
}

async fn fetch<S: Stream>(wire: &mut Wire<S>, tag: &[u8], rest: &[u8]) -> io::Result<()> {
    let number = rest.split(|octet| *octet == b' ').next().unwrap_or_default();
    let Some(size) = std::str::from_utf8(number).ok().and_then(|number| number.parse().ok()) else {
        wire.say(&[tag, b" BAD one number only\r\n"]);
        return Ok(());
    };
    // Whole lines: the size that was asked for, where that is one.
    let message = Expected::new(size);
    let size = message.octets();
    let head = format!("* {size} FETCH (UID {size} BODY[] {{{size}}}\r\n");
    wire.say(&[head.as_bytes()]);
    let mut sent = 0;
    while sent < message.octets() {
        let piece = message.run(sent);
        wire.send(piece).await?;
        sent += piece.len() as u64;
    }
    wire.say(&[b")\r\n", tag, b" OK fetched\r\n"]);
    Ok(())
}
