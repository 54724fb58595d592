//! A limit on how slowly a client may read.
//!
//! HTTP has a time for what a client sends and none for what it reads. Whoever asks for much and reads nothing would
//! hold a connection, and what waits for it, for as long as they like.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// From the first octet that has to wait: [`STALL_OCTETS`] are taken until then, or whatever waited.
pub(super) const STALL_TIME: Duration = Duration::from_secs(30);
/// What a client takes in [`STALL_TIME`] at least, while something waits for it: half a kilobyte a second. Less than that
/// at a time would let somebody live on one octet each.
pub(super) const STALL_OCTETS: usize = 16 * 1024;

/// A stream whose writes fail once the other end takes too little.
pub(super) struct Paced<S> {
    stream: S,
    /// Runs from the first write that had to wait; the next one after its end begins another.
    window: Option<Pin<Box<Sleep>>>,
    /// Octets that were taken since it began.
    taken: usize,
}

impl<S> Paced<S> {
    pub(super) const fn new(stream: S) -> Self {
        Self {
            stream,
            window: None,
            taken: 0,
        }
    }

    /// What a write came to, where it does not have to wait longer than it may.
    fn judge<T>(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            // A window that ended while nothing waited says nothing.
            if let Some(window) = &mut self.window
                && window.as_mut().poll(cx).is_ready()
            {
                self.window = None;
            }
            return outcome;
        }
        loop {
            let window = self.window.get_or_insert_with(|| {
                self.taken = 0;
                Box::pin(tokio::time::sleep(STALL_TIME))
            });
            if window.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if self.taken < STALL_OCTETS {
                let text = "the client reads too slowly";
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, text)));
            }
            self.window = None;
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, octets);
        if let Poll::Ready(Ok(count)) = &written {
            self.taken += count;
        }
        self.judge(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, octets);
        if let Poll::Ready(Ok(count)) = &written {
            self.taken += count;
        }
        self.judge(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.judge(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.judge(cx, shut)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whoever_reads_nothing_is_let_go() {
        let (near, far) = tokio::io::duplex(64);
        let mut stream = Paced::new(near);
        let error = stream.write_all(&[0; 65]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(far);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_reads_an_octet_now_and_then_is_let_go_too() {
        let (near, mut far) = tokio::io::duplex(64);
        let reader = tokio::spawn(async move {
            let mut read = 0;
            loop {
                tokio::time::sleep(STALL_TIME / 2).await;
                match far.read_u8().await {
                    Ok(_) => read += 1,
                    Err(_) => return read,
                }
            }
        });
        let mut stream = Paced::new(near);
        // Small answers, each flushed, as to requests that were sent ahead.
        let error = loop {
            if let Err(error) = stream.write_all(&[0; 16]).await {
                break error;
            }
            stream.flush().await.unwrap();
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(stream);
        assert!(
            reader.await.unwrap() < 100,
            "the octets that lay there already, and few more"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_reader_gets_everything() {
        let (near, mut far) = tokio::io::duplex(1024);
        let reader = tokio::spawn(async move {
            let mut piece = [0; 1024];
            let mut read = 0;
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                match far.read(&mut piece).await.unwrap() {
                    0 => return read,
                    count => read += count,
                }
            }
        });
        let mut stream = Paced::new(near);
        stream.write_all(&[0; 200 * 1024]).await.unwrap();
        // An event now and then, with long pauses between them.
        for _ in 0..5 {
            tokio::time::sleep(STALL_TIME * 2).await;
            stream.write_all(&[0; 2048]).await.unwrap();
        }
        stream.shutdown().await.unwrap();
        drop(stream);
        assert_eq!(reader.await.unwrap(), 210 * 1024);
    }
}
