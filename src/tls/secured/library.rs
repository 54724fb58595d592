//! One step after the other with rustls's unbuffered connections: what was received is opened, what is to go is sealed.
//!
//! The library counts in the octets that it was shown: what it has not released is shown to it again, from the same
//! place on. After a failure it is asked for the alert and for nothing else.

use std::io;

use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, EncryptError, InsufficientSizeError, UnbufferedStatus, WriteTraffic,
};
use rustls::{CommonState, Error, ProtocolVersion};

use super::super::scratch;

/// Messages taken from the library after a failure: the alert, and what was queued before it.
const LAST_WORDS: usize = 8;

/// The library's two kinds of connection.
pub trait Side: Send + Unpin {
    /// What the library keeps for this side only.
    type Data;

    /// One step of the library over what was received.
    fn step<'c, 'i>(&'c mut self, received: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data>;

    /// What both sides know.
    fn common(&self) -> &CommonState;

    /// The most that is kept of what has not come whole: a TLS record (16 KiB and 2 KiB of expansion, RFC 8446 §5.2, RFC
    /// 5246 §6.2.3), and what the other side's handshake messages may take.
    const HELD_BYTES: usize;

    /// Whether the other side's handshake is over without what ours left to send.
    fn leaves_only_tickets(&self) -> bool;
}

impl Side for UnbufferedServerConnection {
    type Data = ServerConnectionData;

    /// Behind its hello, which is read elsewhere, a client without a certificate has little to say.
    const HELD_BYTES: usize = 22 * 1024;

    fn step<'c, 'i>(&'c mut self, received: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(received)
    }

    fn common(&self) -> &CommonState {
        self
    }

    fn leaves_only_tickets(&self) -> bool {
        self.protocol_version() == Some(ProtocolVersion::TLSv1_3)
    }
}

impl Side for UnbufferedClientConnection {
    type Data = ClientConnectionData;

    /// Certificates: the library takes handshake messages of 64 KiB.
    const HELD_BYTES: usize = scratch::HELD_BYTES;

    fn step<'c, 'i>(&'c mut self, received: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(received)
    }

    fn common(&self) -> &CommonState {
        self
    }

    fn leaves_only_tickets(&self) -> bool {
        false
    }
}

/// What one read brought.
#[derive(Default)]
pub(super) struct Brought {
    /// Octets received that are done with.
    pub(super) used: usize,
    /// Octets in clear.
    pub(super) octets: usize,
    /// The other side will send nothing more.
    pub(super) end: bool,
    /// Why whoever got the octets did not want them; the rest of them was dropped.
    pub(super) refused: Option<io::Error>,
}

/// Lets the library work through `received`: octets in clear go to `take`, what it has to say to `unsent`.
pub(super) fn open<S: Side>(
    side: &mut S,
    unsent: &mut Vec<u8>,
    received: &mut [u8],
    mut take: impl FnMut(&[u8]) -> io::Result<()>,
) -> Result<Brought, Error> {
    let mut brought = Brought::default();
    loop {
        let UnbufferedStatus { mut discard, state } = side.step(received.get_mut(brought.used..).unwrap_or_default());
        let mut is_done = false;
        match state {
            Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                while let Some(record) = traffic.next_record() {
                    let record = record?;
                    discard += record.discard;
                    brought.octets += record.payload.len();
                    // The connection stays in step, so that it can be closed in order.
                    if brought.refused.is_none() {
                        brought.refused = take(record.payload).err();
                    }
                }
            }
            Ok(ConnectionState::EncodeTlsData(mut data)) => encode(&mut data, unsent)?,
            Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
            Ok(ConnectionState::PeerClosed) => brought.end = true,
            Ok(ConnectionState::Closed) => (brought.end, is_done) = (true, true),
            Ok(ConnectionState::BlockedHandshake | ConnectionState::WriteTraffic(_)) => is_done = true,
            // Early data is never offered.
            Ok(_) => return Err(Error::General("a state that was not asked for".to_owned())),
            Err(error) => {
                last_words(side, unsent, received.get_mut(brought.used..).unwrap_or_default());
                return Err(error);
            }
        }
        brought.used += discard;
        if is_done {
            return Ok(brought);
        }
    }
}

/// Takes the alert that the library has for the other side after a failure, and not one step more: it would fail again.
fn last_words<S: Side>(side: &mut S, unsent: &mut Vec<u8>, received: &mut [u8]) {
    for _ in 0..LAST_WORDS {
        if !side.common().wants_write() {
            return;
        }
        if let Ok(ConnectionState::EncodeTlsData(mut data)) = side.step(received).state {
            // Without the alert the other side learns of the end only.
            drop(encode(&mut data, unsent));
        }
    }
}

/// Adds a message of the library's own to what waits to be sent.
fn encode<D>(data: &mut EncodeTlsData<'_, D>, unsent: &mut Vec<u8>) -> Result<(), Error> {
    let Err(EncodeError::InsufficientSize(InsufficientSizeError { required_size })) = data.encode(&mut []) else {
        return Ok(());
    };
    let begin = unsent.len();
    unsent.resize(begin + required_size, 0);
    data.encode(unsent.get_mut(begin..).unwrap_or_default())
        .map(drop)
        .map_err(|error| Error::General(error.to_string()))
}

/// Has `what` sealed into `free`, behind messages of the library's own; says how many octets there are.
pub(super) fn seal<S: Side>(
    side: &mut S,
    held: &mut Vec<u8>,
    free: &mut [u8],
    what: impl Fn(&mut WriteTraffic<'_, S::Data>, &mut [u8]) -> Result<usize, EncryptError>,
) -> io::Result<usize> {
    let mut sealed = 0;
    loop {
        let free = free.get_mut(sealed..).unwrap_or_default();
        // The library counts in what it was shown before, so it is shown that again.
        let UnbufferedStatus { discard, state } = side.step(held);
        let mut is_done = false;
        match state.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))? {
            ConnectionState::EncodeTlsData(mut data) => sealed += data.encode(free).map_err(io::Error::other)?,
            ConnectionState::TransmitTlsData(data) => data.done(),
            ConnectionState::PeerClosed => {}
            ConnectionState::WriteTraffic(mut traffic) => {
                sealed += what(&mut traffic, free).map_err(io::Error::other)?;
                is_done = true;
            }
            _ => return Err(io::ErrorKind::BrokenPipe.into()),
        }
        held.drain(..discard);
        if is_done {
            return Ok(sealed);
        }
    }
}
