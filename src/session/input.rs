//! What a client sent before login and nobody has taken yet: wiped when it goes and when it grows.
//!
//! A line that was taken is wiped by its taker (`wire::Line`). Here is the rest: half a command with a password in it
//! when the connection ends, and the copy that a growing buffer would leave behind. TLS's own buffers are beyond reach.

use std::io;
use std::ops::{Deref, DerefMut};

use bytes::BytesMut;
use tokio::io::AsyncReadExt;
use zeroize::Zeroize;

use crate::tls::Stream;

/// Octets asked of the socket at once before login.
const READ_BYTES: usize = 4096;

/// Input before login.
#[derive(Debug, Default)]
pub(super) struct Input(BytesMut);

impl Input {
    /// Reads once; 0 is the end of the stream. Cancel safe.
    pub(super) async fn read(&mut self, stream: &mut Stream) -> io::Result<usize> {
        self.make_room();
        stream.read_buf(&mut self.0).await
    }

    /// Hands everything to the splice.
    pub(super) fn take(&mut self) -> BytesMut {
        std::mem::take(&mut self.0)
    }

    /// Moves to a larger buffer by itself, because `reserve` would leave the old octets where they were.
    fn make_room(&mut self) {
        let held = self.0.len();
        if self.0.capacity() - held >= READ_BYTES {
            return;
        }
        let mut larger = BytesMut::with_capacity(held + held.max(READ_BYTES));
        larger.extend_from_slice(&self.0);
        self.0.as_mut().zeroize();
        self.0 = larger;
    }
}

impl Deref for Input {
    type Target = BytesMut;

    fn deref(&self) -> &BytesMut {
        &self.0
    }
}

impl DerefMut for Input {
    fn deref_mut(&mut self) -> &mut BytesMut {
        &mut self.0
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        self.0.as_mut().zeroize();
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    #[tokio::test]
    async fn what_is_read_over_many_reads_stays_whole_and_in_order() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut stream = Stream::Tcp(listener.accept().await.unwrap().0);
        let sent: Vec<u8> = (0..=u8::MAX).cycle().take(100_000).collect();
        let (wanted, mut input, mut taken) = (sent.clone(), Input::default(), Vec::new());
        let sending = tokio::spawn(async move { client.write_all(&sent).await });
        while input.read(&mut stream).await.unwrap() > 0 {
            // A reader of lines takes some and leaves some.
            let line = input.len() / 3;
            taken.extend_from_slice(&input.split_to(line));
        }
        sending.await.unwrap().unwrap();
        taken.extend_from_slice(&input.take());
        assert!(taken == wanted);
    }
}
