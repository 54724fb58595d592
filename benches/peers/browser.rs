//! A browser as far as a measurement needs one: requests of one connection that stays open, with one cookie, as the
//! Manager's pages expect them.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use postern::clock::Clock;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// The longest page that is read, in octets.
const BODY_MAX: usize = 16 << 20;

/// One tab of somebody's browser.
pub(crate) struct Browser {
    stream: BufReader<TcpStream>,
    authority: String,
    cookie: String,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// From the first octet of the request to the last one of the answer.
    pub(crate) took: Duration,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Browser {
    /// Connects to the Manager on this port of the loopback address.
    pub(crate) async fn open(port: u16) -> anyhow::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: BufReader::new(stream),
            authority: format!("127.0.0.1:{port}"),
            cookie: String::new(),
        })
    }

    /// Signs in, and keeps the session's cookie.
    pub(crate) async fn sign_in(&mut self, address: &str, password: &str) -> anyhow::Result<()> {
        let form = format!(
            "address={}&password={}",
            address.replace('@', "%40"),
            password.replace(' ', "+")
        );
        let head = format!(
            "POST /sign-in HTTP/1.1\r\nHost: {0}\r\nOrigin: http://{0}\r\nSec-Fetch-Site: same-origin\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {1}\r\n\r\n{form}",
            self.authority,
            form.len()
        );
        let answer = self.ask(&head).await?;
        ensure!(
            answer.status == 303,
            "the sign-in was answered {}: {}",
            answer.status,
            answer.text()
        );
        let cookie = answer.header("set-cookie").context("the sign-in gave no cookie")?;
        self.cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        Ok(())
    }

    /// Asks for a page, as it is or as the browser's "gzip" lets it come.
    pub(crate) async fn get(&mut self, path: &str, gzip: bool) -> anyhow::Result<Answer> {
        let encoding = if gzip { "gzip" } else { "identity" };
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nAccept-Language: en\r\nAccept-Encoding: {encoding}\r\n\r\n",
            self.authority, self.cookie
        );
        self.ask(&head).await.with_context(|| format!("GET {path}"))
    }

    async fn ask(&mut self, request: &str) -> anyhow::Result<Answer> {
        let clock = Clock::system();
        let begin = clock.now();
        self.stream.get_mut().write_all(request.as_bytes()).await?;
        let status = self.line().await?;
        let status = status.split(' ').nth(1).and_then(|status| status.parse().ok());
        let mut headers = Vec::new();
        loop {
            let line = self.line().await?;
            match line.split_once(':') {
                Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.trim().to_owned())),
                None if line.is_empty() => break,
                None => bail!("{line:?} is no header"),
            }
        }
        let mut answer = Answer {
            status: status.context("no status in the answer")?,
            headers,
            body: Vec::new(),
            took: Duration::ZERO,
        };
        match answer.header("content-length").map(str::parse::<usize>) {
            Some(length) => self.octets(length?, &mut answer.body).await?,
            None if answer.header("transfer-encoding") == Some("chunked") => self.chunks(&mut answer.body).await?,
            None => {}
        }
        answer.took = clock.now().duration_since(begin);
        Ok(answer)
    }

    async fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await? == 0 {
            bail!("the Manager closed the connection");
        }
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }

    async fn octets(&mut self, length: usize, body: &mut Vec<u8>) -> anyhow::Result<()> {
        let begin = body.len();
        ensure!(begin + length <= BODY_MAX, "an answer of more than {BODY_MAX} octets");
        body.resize(begin + length, 0);
        let rest = body.get_mut(begin..).context("the body was just made longer")?;
        self.stream.read_exact(rest).await?;
        Ok(())
    }

    /// RFC 9112 §7.1.
    async fn chunks(&mut self, body: &mut Vec<u8>) -> anyhow::Result<()> {
        loop {
            let line = self.line().await?;
            let length = usize::from_str_radix(line.split(';').next().unwrap_or_default(), 16)?;
            self.octets(length, body).await?;
            let end = self.line().await?;
            ensure!(end.is_empty(), "a chunk ends in {end:?}");
            if length == 0 {
                return Ok(());
            }
        }
    }
}
