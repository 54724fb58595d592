//! Lines and octets of one connection of a helper.
//!
//! Answers are gathered and go out in one write as soon as nothing more can be read, so that pipelined commands cost
//! their proxy one packet. A connection that waits holds no buffer: ten thousand idle ones are nothing for the helper
//! whose memory is a floor.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};

/// Octets asked for at once while lines are awaited.
const READ_BYTES: usize = 4096;
/// Octets of the longest line: longer than any proxy sends.
const MAX_LINE_BYTES: usize = 65_536;
/// Octets asked for and sent at once while a message is moved.
pub(crate) const BULK_BYTES: usize = 65_536;

/// A stream that helpers can serve: TCP, or TLS over it.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Stream for T {}

/// One connection.
pub(crate) struct Wire<S> {
    stream: S,
    input: BytesMut,
    output: Vec<u8>,
}

impl<S: Stream> Wire<S> {
    /// A connection of which nothing was read.
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            input: BytesMut::new(),
            output: Vec::new(),
        }
    }

    /// The next line without its end; `None` where the other side has closed.
    pub(crate) async fn line(&mut self) -> io::Result<Option<BytesMut>> {
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.input) {
                let mut line = self.input.split_to(at + 1);
                let content = line.trim_ascii_end().len();
                line.truncate(content);
                return Ok(Some(line));
            }
            if self.input.len() > MAX_LINE_BYTES {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a line without an end"));
            }
            self.flush().await?;
            if self.more().await? == 0 {
                return Ok(None);
            }
        }
    }

    /// Waits until something can be read, keeping no buffer meanwhile; 0 at the end.
    async fn more(&mut self) -> io::Result<usize> {
        if self.input.is_empty() {
            self.input = BytesMut::new();
        }
        let Self { stream, input, .. } = self;
        poll_fn(|context| {
            let mut space = [0_u8; READ_BYTES];
            let mut read = ReadBuf::new(&mut space);
            let polled = Pin::new(&mut *stream).poll_read(context, &mut read);
            polled.map_ok(|()| {
                input.extend_from_slice(read.filled());
                read.filled().len()
            })
        })
        .await
    }

    /// Sends what was gathered, then passes exactly `octets` octets to `take`, piece by piece.
    pub(crate) async fn octets(&mut self, mut octets: u64, mut take: impl FnMut(&[u8])) -> io::Result<()> {
        self.flush().await?;
        let mut space = Vec::new();
        while octets > 0 {
            if self.input.is_empty() {
                space.resize(BULK_BYTES, 0);
                let wanted = usize::try_from(octets).unwrap_or(BULK_BYTES).min(BULK_BYTES);
                let space = space.get_mut(..wanted).unwrap_or_default();
                let read = self.stream.read(space).await?;
                if read == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                take(space.get(..read).unwrap_or_default());
                octets -= read as u64;
            } else {
                let length = usize::try_from(octets).unwrap_or(usize::MAX).min(self.input.len());
                take(self.input.get(..length).unwrap_or_default());
                self.input.advance(length);
                octets -= length as u64;
            }
        }
        Ok(())
    }

    /// Reads the next octets, whatever their number; they stay readable until [`Wire::consume`].
    pub(crate) async fn bulk(&mut self) -> io::Result<&[u8]> {
        self.flush().await?;
        self.input.reserve(BULK_BYTES);
        if self.stream.read_buf(&mut self.input).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(&self.input)
    }

    /// What was read and not yet taken.
    pub(crate) fn unread(&self) -> &[u8] {
        &self.input
    }

    /// Takes octets off the front of what was read.
    pub(crate) fn consume(&mut self, octets: usize) {
        self.input.advance(octets);
    }

    /// Gathers an answer.
    pub(crate) fn say(&mut self, parts: &[&[u8]]) {
        parts.iter().for_each(|part| self.output.extend_from_slice(part));
    }

    /// Sends what was gathered.
    pub(crate) async fn flush(&mut self) -> io::Result<()> {
        if !self.output.is_empty() {
            self.stream.write_all(&self.output).await?;
            self.stream.flush().await?;
            self.output = Vec::new();
        }
        Ok(())
    }

    /// Sends a large piece behind what was gathered.
    pub(crate) async fn send(&mut self, piece: &[u8]) -> io::Result<()> {
        self.flush().await?;
        self.stream.write_all(piece).await
    }

    /// Sends what was gathered and closes.
    pub(crate) async fn close(mut self) -> io::Result<()> {
        self.flush().await?;
        self.stream.shutdown().await
    }
}
