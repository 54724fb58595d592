//! A mail server that does as its script says, in clear or over TLS, and keeps what it gets.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

use crate::tls::testing::Issued;

/// What is answered to one line.
pub(super) enum Answer {
    /// As any server would.
    Usual,
    /// This; more than one line where it has line ends.
    Say(String),
    /// Nothing, for ever.
    Hang,
    /// Nothing, and the connection is closed.
    Close,
}

pub(super) fn say(text: &str) -> Answer {
    Answer::Say(text.to_owned())
}

/// Decides about a line of the connection with this number, from 0. The end of a message is the line `.`.
type Script = dyn Fn(usize, &str) -> Answer + Send + Sync;

pub(super) struct MailServer {
    pub(super) port: u16,
    heard: Arc<Heard>,
}

#[derive(Default)]
struct Heard {
    connections: AtomicUsize,
    /// All lines but those of messages.
    lines: Mutex<Vec<String>>,
    messages: Mutex<Vec<String>>,
    news: Notify,
}

impl MailServer {
    /// In clear; offers STARTTLS where it has a certificate.
    pub(super) async fn start(
        tls: Option<&Issued>,
        script: impl Fn(usize, &str) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::serve(tls, false, Arc::new(script)).await
    }

    /// In TLS from the first octet.
    pub(super) async fn start_secured(tls: &Issued) -> Self {
        Self::serve(Some(tls), true, Arc::new(|_, _: &str| Answer::Usual)).await
    }

    /// Does what any server would.
    pub(super) async fn usual() -> Self {
        Self::start(None, |_, _| Answer::Usual).await
    }

    async fn serve(tls: Option<&Issued>, at_once: bool, script: Arc<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Heard::default());
        let acceptor = tls.map(|issued| TlsAcceptor::from(Arc::new(issued.server())));
        let shared = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = shared.connections.fetch_add(1, Ordering::SeqCst);
                let (heard, script, acceptor) = (Arc::clone(&shared), Arc::clone(&script), acceptor.clone());
                let talk = Talk { number, heard, script };
                // The client may leave at any time.
                tokio::spawn(async move { drop(talk.run(stream, acceptor, at_once).await) });
            }
        });
        Self { port, heard }
    }

    pub(super) fn connections(&self) -> usize {
        self.heard.connections.load(Ordering::SeqCst)
    }

    pub(super) fn messages(&self) -> Vec<String> {
        self.heard.messages.lock().unwrap().clone()
    }

    /// Waits until this many messages have come.
    pub(super) async fn wait_for_messages(&self, count: usize) {
        loop {
            let news = self.heard.news.notified();
            if self.messages().len() >= count {
                return;
            }
            news.await;
        }
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.heard.lines.lock().unwrap().clone()
    }
}

struct Talk {
    number: usize,
    heard: Arc<Heard>,
    script: Arc<Script>,
}

/// How a conversation ended.
enum End {
    Closed,
    StartTls,
}

impl Talk {
    async fn run(&self, mut stream: TcpStream, acceptor: Option<TlsAcceptor>, at_once: bool) -> std::io::Result<()> {
        let acceptor = match acceptor {
            Some(acceptor) if at_once => {
                self.converse(acceptor.accept(stream).await?, true, false).await?;
                return Ok(());
            }
            Some(acceptor) => acceptor,
            None => {
                self.converse(stream, true, false).await?;
                return Ok(());
            }
        };
        if matches!(self.converse(&mut stream, true, true).await?, End::StartTls) {
            self.converse(acceptor.accept(stream).await?, false, false).await?;
        }
        Ok(())
    }

    async fn converse(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        greets: bool,
        offers_tls: bool,
    ) -> std::io::Result<End> {
        let mut stream = BufReader::new(stream);
        if greets {
            match (self.script)(self.number, "CONNECT") {
                Answer::Usual => stream.write_all(b"220 fake.test ESMTP\r\n").await?,
                Answer::Say(text) => stream.write_all(text.as_bytes()).await?,
                Answer::Hang => std::future::pending().await,
                Answer::Close => return Ok(End::Closed),
            }
            stream.flush().await?;
        }
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(End::Closed);
            }
            let line = line.trim_end().to_owned();
            self.heard.lines.lock().unwrap().push(line.clone());
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
            if !self.answer(&mut stream, &line, &usual(&verb, offers_tls)).await? {
                return Ok(End::Closed);
            }
            match verb.as_str() {
                "QUIT" => return Ok(End::Closed),
                "STARTTLS" => return Ok(End::StartTls),
                "DATA" => {
                    let message = message(&mut stream).await?;
                    self.heard.messages.lock().unwrap().push(message);
                    self.heard.news.notify_one();
                    if !self
                        .answer(&mut stream, ".", "250 2.0.0 Ok: queued as 4F2A\r\n")
                        .await?
                    {
                        return Ok(End::Closed);
                    }
                }
                _ => {}
            }
        }
    }

    /// False where the connection is to be closed.
    async fn answer(&self, stream: &mut (impl AsyncWrite + Unpin), line: &str, usual: &str) -> std::io::Result<bool> {
        match (self.script)(self.number, line) {
            Answer::Usual => stream.write_all(usual.as_bytes()).await?,
            Answer::Say(text) => stream.write_all(text.as_bytes()).await?,
            Answer::Hang => std::future::pending().await,
            Answer::Close => return Ok(false),
        }
        stream.flush().await?;
        Ok(true)
    }
}

fn usual(verb: &str, offers_tls: bool) -> String {
    let text = match verb {
        "EHLO" if offers_tls => "250-fake.test\r\n250-8BITMIME\r\n250 STARTTLS",
        "EHLO" => "250-fake.test\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 AUTH PLAIN LOGIN",
        "STARTTLS" => "220 2.0.0 Ready",
        "AUTH" => "235 2.7.0 Welcome",
        "MAIL" | "RCPT" => "250 2.1.0 Ok",
        "DATA" => "354 Go on",
        "QUIT" => "221 2.0.0 Bye",
        _ => "500 5.5.2 What?",
    };
    format!("{text}\r\n")
}

/// A message as it was written, without its dots.
async fn message(stream: &mut (impl AsyncBufReadExt + Unpin)) -> std::io::Result<String> {
    let mut message = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == ".\r\n" {
            return Ok(message);
        }
        message.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
