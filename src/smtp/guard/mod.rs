//! The command guard between a logged-in client and its upstream (RFC 5321, RFC 2920, RFC 3030).
//!
//! Upstream trusts us, so nothing passes that was not understood: commands are parsed, judged and written anew, and
//! what is not known is answered here. Every command that goes upstream leaves an entry in a queue, every reply of
//! upstream takes one away, and a reply of ours waits in the same queue, so that a refused command in a pipeline is
//! answered in its place. A message opens only at upstream's 354 and ends only at CRLF.CRLF; chunks of BDAT are
//! counted. Octets of a message pass unchanged.
//!
//! When a session ends inside a message, drop the upstream connection at once: the final dot was never sent, so the
//! message does not exist. The guard does not know time, and does not look into messages.

mod body;
mod commands;
mod parameters;
mod senders;

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};

use super::received::{Received, Replies};
use super::{Extensions, reply};
use body::{Body, Fault, Progress};

pub use senders::SenderPolicy;

#[cfg(test)]
mod tests;

/// What happens to a CR or LF that is not part of a CRLF inside a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BareNewline {
    /// LF becomes CRLF, CR and NUL a blank, and dots are stuffed for the lines that upstream will see.
    Normalise,
    /// The session ends with 521, and upstream never gets the message. A NUL counts as well.
    Refuse,
}

/// The caps of a guarded session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Octets of one command line, CRLF included. RFC 5321 §4.5.3.1.4 and the extensions need some 1500.
    pub line_bytes: usize,
    /// Commands that wait for their reply before no more are read.
    pub pending: usize,
    /// Commands refused for their syntax or as unknown before the session ends.
    pub bad_commands: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line_bytes: 4096,
            pending: 64,
            bad_commands: 20,
        }
    }
}

/// What one guarded session is made of.
#[derive(Debug, Clone)]
pub struct Config {
    /// Our name in replies to EHLO.
    pub hostname: String,
    /// The EHLO lines of the upstream that was logged in to; what must not pass is left out here.
    pub extensions: Vec<String>,
    /// Who may be a sender.
    pub senders: SenderPolicy,
    /// What happens to bare newlines.
    pub bare_newline: BareNewline,
    /// The caps.
    pub limits: Limits,
}

/// Octets to write, in both directions; the caller drains them.
#[derive(Debug, Default)]
pub struct Output {
    /// For the upstream.
    pub upstream: BytesMut,
    /// For the client.
    pub downstream: BytesMut,
}

/// Who broke a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The client.
    Downstream,
    /// The mail store.
    Upstream,
}

/// Whether the session goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// It does.
    Go,
    /// It ended in order: write what is left for the client, then close both connections.
    Finished,
    /// A rule was broken: write what is left for the client, drop upstream without writing, close.
    Broken {
        /// Which rule: a fixed, lower-case word for the log and the metric.
        rule: &'static str,
        /// Who broke it.
        by: Blame,
    },
}

/// A command that was taken from the client and is not answered yet.
#[derive(Debug)]
enum Pending {
    /// Ours to answer, in its turn.
    Local(Bytes),
    /// Ours to answer, and the last answer.
    Break { rule: &'static str, reply: &'static str },
    /// Upstream's answer passes.
    Forwarded,
    /// DATA: 354 opens the message.
    Data,
    /// The end of a message: a 2xx is an accepted message.
    Message,
    /// EHLO or HELO, sent as RSET: 250 is replaced by this.
    Hello(Bytes),
    /// QUIT: its answer ends the session.
    Quit,
}

/// What the client's next octets are.
#[derive(Debug)]
enum Mode {
    Commands,
    /// Unknown until upstream has answered DATA; nothing is taken.
    AwaitData,
    /// A message after 354.
    Body(Body),
    /// The octets of a chunk; forwarded where upstream was sent the BDAT.
    Chunk {
        remaining: u64,
        forward: bool,
    },
    /// Not wanted any more: the last answer is in the queue.
    Ending,
    /// The session is over.
    Over,
}

/// The guard of one session.
#[derive(Debug)]
pub struct Guard {
    hostname: String,
    extensions: Extensions,
    senders: SenderPolicy,
    bare_newline: BareNewline,
    limits: Limits,
    mode: Mode,
    pending: VecDeque<Pending>,
    replies: Replies,
    /// The transaction under way was opened with SMTPUTF8.
    smtputf8: bool,
    /// A chunk went upstream, and not yet the last one of its message.
    chunking: bool,
    bad_commands: u32,
    messages: u64,
}

impl Guard {
    /// A guard for a client that was just told that it is logged in.
    pub fn new(config: Config) -> Self {
        Self {
            hostname: config.hostname,
            extensions: Extensions::passable(&config.extensions),
            senders: config.senders,
            bare_newline: config.bare_newline,
            limits: config.limits,
            mode: Mode::Commands,
            pending: VecDeque::new(),
            replies: Replies::default(),
            smtputf8: false,
            chunking: false,
            bad_commands: 0,
            messages: 0,
        }
    }

    /// Takes what can be taken from the front of `input`. What is left is an incomplete line, or octets whose turn has
    /// not come: call again with it after each [`Guard::from_upstream`].
    pub fn from_client(&mut self, input: &mut BytesMut, out: &mut Output) -> Flow {
        loop {
            let taken = match &mut self.mode {
                Mode::Commands if self.pending.len() >= self.limits.pending => false,
                Mode::Commands => self.take_command(input, out),
                Mode::Body(_) => match self.take_body(input, out) {
                    Ok(taken) => taken,
                    Err(fault) => return self.refuse_message(fault, out),
                },
                Mode::Chunk { .. } => self.take_chunk(input, out),
                Mode::AwaitData | Mode::Ending => false,
                Mode::Over => return Flow::Finished,
            };
            let flow = self.settle(out);
            if flow != Flow::Go || !taken {
                return flow;
            }
        }
    }

    /// Counts the octets at the front of what the client sent that may go upstream as they are: those of a message. The
    /// caller sends them on at once, and hands the rest to [`Guard::from_client`]. Only for octets that come next: nothing
    /// may be left in the input of that method, nor in what it wrote for upstream.
    pub fn pass(&mut self, octets: &[u8]) -> usize {
        match &mut self.mode {
            Mode::Body(body) => match body.pass(octets) {
                None => 0,
                Some((clean, progress)) => {
                    self.follow_body(progress);
                    clean
                }
            },
            Mode::Chunk { forward: true, .. } => self.count_chunk(octets),
            _ => 0,
        }
    }

    /// Takes whole replies from the front of `input`.
    pub fn from_upstream(&mut self, input: &mut BytesMut, out: &mut Output) -> Flow {
        while !matches!(self.mode, Mode::Over) {
            let flow = match self.replies.take(input) {
                Ok(None) => return Flow::Go,
                Ok(Some(reply)) => self.take_reply(&reply, out),
                Err(_) => self.distrust("malformed_reply", out),
            };
            if flow != Flow::Go {
                return flow;
            }
        }
        Flow::Finished
    }

    /// Whether reading from the client makes sense now; otherwise only upstream can move the session on.
    pub fn wants_client_input(&self) -> bool {
        match self.mode {
            Mode::Commands => self.pending.len() < self.limits.pending,
            Mode::Body(_) | Mode::Chunk { .. } => true,
            Mode::AwaitData | Mode::Ending | Mode::Over => false,
        }
    }

    /// The line to send to the client before a close that neither side asked for; `text` is printable ASCII of ours.
    /// Replies are handed on whole, so it never lands inside one. `None` where the client had its last answer.
    pub fn farewell(&mut self, text: &str) -> Option<Bytes> {
        if matches!(self.mode, Mode::Over) {
            return None;
        }
        self.mode = Mode::Over;
        Some(reply::closing(text))
    }

    /// Upstream closed or cannot be reached any more: what the client is told in place of all answers that it waits
    /// for. `None` where it had its last answer.
    pub fn upstream_lost(&mut self) -> Option<Bytes> {
        if matches!(self.mode, Mode::Over) {
            return None;
        }
        self.mode = Mode::Over;
        Some(Bytes::from_static(reply::UPSTREAM_LOST.as_bytes()))
    }

    /// Messages that upstream accepted.
    pub const fn messages(&self) -> u64 {
        self.messages
    }

    fn take_body(&mut self, input: &mut BytesMut, out: &mut Output) -> Result<bool, Fault> {
        let Mode::Body(body) = &mut self.mode else {
            return Ok(false);
        };
        let progress = body.take(input, &mut out.upstream, self.bare_newline)?;
        self.follow_body(progress);
        Ok(progress == Progress::End)
    }

    fn follow_body(&mut self, progress: Progress) {
        if progress == Progress::End {
            self.mode = Mode::Commands;
            self.pending.push_back(Pending::Message);
        }
    }

    fn take_chunk(&mut self, input: &mut BytesMut, out: &mut Output) -> bool {
        let forward = matches!(self.mode, Mode::Chunk { forward: true, .. });
        let length = self.count_chunk(input);
        if forward {
            out.upstream.extend_from_slice(input.get(..length).unwrap_or_default());
        }
        input.advance(length);
        matches!(self.mode, Mode::Commands)
    }

    /// Counts the octets at the front that belong to the chunk under way; behind its last one come commands.
    fn count_chunk(&mut self, octets: &[u8]) -> usize {
        let Mode::Chunk { remaining, .. } = &mut self.mode else {
            return 0;
        };
        let length = usize::try_from(*remaining).map_or(octets.len(), |remaining| remaining.min(octets.len()));
        *remaining = remaining.saturating_sub(u64::try_from(length).unwrap_or(u64::MAX));
        if *remaining == 0 {
            self.mode = Mode::Commands;
        }
        length
    }

    /// A message that two servers may cut at different places: upstream gets neither the rest nor a final dot.
    fn refuse_message(&mut self, fault: Fault, out: &mut Output) -> Flow {
        self.mode = Mode::Over;
        out.upstream.clear();
        out.downstream.extend_from_slice(fault.reply().as_bytes());
        Flow::Broken {
            rule: fault.rule(),
            by: Blame::Downstream,
        }
    }

    fn take_reply(&mut self, reply: &Received, out: &mut Output) -> Flow {
        // RFC 5321 §3.8: a server may say 421 at any time and then closes.
        if reply.code == 421 {
            self.mode = Mode::Over;
            out.upstream.clear();
            out.downstream.extend_from_slice(&reply.octets);
            return Flow::Finished;
        }
        let Some(pending) = self.pending.pop_front() else {
            return self.distrust("unsolicited_reply", out);
        };
        let class = reply.code / 100;
        match pending {
            Pending::Data if reply.code == 354 => self.mode = Mode::Body(Body::default()),
            Pending::Data if class >= 4 => self.mode = Mode::Commands,
            // Upstream now waits for octets that we would take for commands, or the other way round.
            _ if class == 3 => return self.distrust("unexpected_go_ahead", out),
            Pending::Data => return self.distrust("data_reply", out),
            Pending::Message if class == 2 => self.messages = self.messages.saturating_add(1),
            Pending::Hello(hello) if reply.code == 250 => {
                out.downstream.extend_from_slice(&hello);
                return self.settle(out);
            }
            Pending::Quit => {
                self.mode = Mode::Over;
                out.downstream.extend_from_slice(&reply.octets);
                return Flow::Finished;
            }
            Pending::Local(_) | Pending::Break { .. } | Pending::Forwarded | Pending::Message | Pending::Hello(_) => {}
        }
        out.downstream.extend_from_slice(&reply.octets);
        self.settle(out)
    }

    /// Gives the answers of ours whose turn has come.
    fn settle(&mut self, out: &mut Output) -> Flow {
        while let Some(Pending::Local(_) | Pending::Break { .. }) = self.pending.front() {
            match self.pending.pop_front() {
                Some(Pending::Local(reply)) => out.downstream.extend_from_slice(&reply),
                Some(Pending::Break { rule, reply }) => {
                    self.mode = Mode::Over;
                    out.downstream.extend_from_slice(reply.as_bytes());
                    return Flow::Broken {
                        rule,
                        by: Blame::Downstream,
                    };
                }
                _ => {}
            }
        }
        Flow::Go
    }

    /// Upstream and we no longer agree on what is said.
    fn distrust(&mut self, rule: &'static str, out: &mut Output) -> Flow {
        self.mode = Mode::Over;
        out.upstream.clear();
        out.downstream.extend_from_slice(reply::UPSTREAM_LOST.as_bytes());
        Flow::Broken {
            rule,
            by: Blame::Upstream,
        }
    }
}
