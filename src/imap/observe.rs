//! What a client calls itself after login: iPhones, Thunderbird and Roundcube send ID then, not before (RFC 2971).
//!
//! An observer reads along and changes nothing. It looks at the first few commands only, and then costs nothing: what
//! a client does with its mail is none of our business.

use super::command::{self, Command};
use super::frame::{Frame, Piece};

/// Octets after login that are looked at.
const MAX_OBSERVED_BYTES: usize = 4096;
/// Commands after login that are looked at; `ImapFlow`'s ID is the first, iOS's the second, K-9's the third.
const MAX_OBSERVED_COMMANDS: u32 = 8;

/// Looks for an ID command in what a client sends. Between two commands it holds no memory of its own.
#[derive(Debug, Default)]
pub struct IdObserver(State);

#[derive(Debug)]
enum State {
    /// So many commands were seen; of the next one this is there, if anything.
    Observing {
        commands: u32,
        begun: Option<Box<Begun>>,
    },
    Done,
}

/// A command that is not complete yet.
#[derive(Debug)]
struct Begun {
    buffer: Vec<u8>,
    frame: Frame,
}

impl Default for State {
    fn default() -> Self {
        Self::Observing {
            commands: 0,
            begun: None,
        }
    }
}

impl IdObserver {
    #[cfg(test)]
    const fn is_done(&self) -> bool {
        matches!(self.0, State::Done)
    }

    /// Takes what the client sent; gives its name, printable ASCII of at most 256 octets, at most once.
    pub fn feed(&mut self, octets: &[u8]) -> Option<String> {
        let State::Observing { commands, begun } = &mut self.0 else {
            return None;
        };
        let Begun { mut buffer, mut frame } = begun.take().map_or_else(Begun::default, |begun| *begun);
        let room = MAX_OBSERVED_BYTES.saturating_sub(buffer.len());
        buffer.extend_from_slice(octets.get(..room).unwrap_or(octets));
        let name = loop {
            match frame.next(&buffer, MAX_OBSERVED_BYTES, MAX_OBSERVED_BYTES) {
                Ok(Piece::Incomplete) if octets.len() <= room => {
                    if !buffer.is_empty() {
                        *begun = Some(Box::new(Begun { buffer, frame }));
                    }
                    return None;
                }
                Ok(Piece::Literal(header)) if frame.keep(header, MAX_OBSERVED_BYTES) => {}
                Ok(Piece::Complete(length)) => {
                    let line = buffer.get(..length.saturating_sub(2)).unwrap_or_default();
                    if let Ok((_, Command::Id(id))) = command::parse(line) {
                        break id.display();
                    }
                    buffer.drain(..length.min(buffer.len()));
                    frame = Frame::new();
                    *commands = commands.saturating_add(1);
                    if *commands == MAX_OBSERVED_COMMANDS {
                        break None;
                    }
                }
                _ => break None,
            }
        };
        self.0 = State::Done;
        name
    }
}

impl Default for Begun {
    fn default() -> Self {
        Self {
            buffer: Vec::new(),
            frame: Frame::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds in chunks of `size`; gives the name and how many octets were looked at.
    fn observe(input: &[u8], size: usize) -> (Option<String>, bool) {
        let mut observer = IdObserver::default();
        let name = input.chunks(size).find_map(|chunk| observer.feed(chunk));
        (name, observer.is_done())
    }

    fn check(input: &[u8], expect: Option<&str>, is_done: bool) {
        for size in [1, 7, input.len().max(1)] {
            assert_eq!(
                observe(input, size),
                (expect.map(str::to_owned), is_done),
                "in chunks of {size}"
            );
        }
    }

    #[test]
    fn an_id_among_the_first_commands_names_the_client() {
        check(
            b"1 CAPABILITY\r\n2 ID (\"name\" \"iPhone Mail\" \"version\" \"22C161\" \"os\" \"iOS\")\r\n3 NOOP\r\n",
            Some("iPhone Mail 22C161 iOS"),
            true,
        );
        check(
            b"x id (\"name\" {11}\r\nThunderbird \"os\" {5+}\r\nLinux)\r\n",
            Some("Thunderbird Linux"),
            true,
        );
    }

    #[test]
    fn a_client_without_a_name_ends_the_search() {
        check(b"1 ID NIL\r\n", None, true);
    }

    #[test]
    fn only_the_first_commands_and_octets_are_looked_at() {
        let id = "9 ID (\"name\" \"late\")\r\n";
        check(format!("{}{id}", "1 NOOP\r\n".repeat(7)).as_bytes(), Some("late"), true);
        check(format!("{}{id}", "1 NOOP\r\n".repeat(8)).as_bytes(), None, true);
        check(format!("1 APPEND x {{5000}}\r\n{id}").as_bytes(), None, true);
        check(&[b'a'; MAX_OBSERVED_BYTES + 1], None, true);
        check(b"1 IDLE\r\n", None, false);
        check(b"1 IDLE\n2 NOOP\r\n", None, true);
    }
}
