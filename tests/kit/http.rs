//! A browser without a screen: requests to the Manager in clear, with cookies, as a browser of our days sends them.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};

use super::wire::Wire;

/// One browser at the Manager's own address.
#[derive(Debug)]
pub(crate) struct Browser {
    port: u16,
    cookies: BTreeMap<String, String>,
}

/// What the Manager answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Status.
    pub(crate) status: u16,
    /// Headers, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The page.
    pub(crate) body: String,
}

impl Answer {
    /// Where it leads on.
    pub(crate) fn location(&self) -> Option<&str> {
        let header = self.headers.iter().find(|(name, _)| name == "location");
        header.map(|(_, value)| value.as_str())
    }

    /// The answer, if it is of this status and has these words.
    pub(crate) fn says(self, status: u16, words: &str) -> anyhow::Result<Self> {
        ensure!(
            self.status == status && self.body.contains(words),
            "expected {status} with {words:?}, got {} {:?}: {}",
            self.status,
            self.location(),
            self.body
        );
        Ok(self)
    }
}

impl Browser {
    pub(crate) fn new(port: u16) -> Self {
        Self {
            port,
            cookies: BTreeMap::new(),
        }
    }

    /// The address that a person types.
    pub(crate) fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Opens a page.
    pub(crate) fn get(&mut self, path: &str) -> anyhow::Result<Answer> {
        self.ask("GET", path, None)
    }

    /// Sends a form.
    pub(crate) fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> anyhow::Result<Answer> {
        let fields: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        self.ask("POST", path, Some(fields.join("&")))
    }

    /// Signs in, and follows to the first page that is one.
    ///
    /// # Errors
    /// The Manager did not let them in.
    pub(crate) fn sign_in(&mut self, address: &str, password: &str) -> anyhow::Result<Answer> {
        super::secrets::sent(password);
        let answer = self.post("/sign-in", &[("address", address), ("password", password)])?;
        ensure!(
            answer.status == 303,
            "{address} was not signed in: {} {}",
            answer.status,
            answer.body
        );
        self.follow(answer)
    }

    /// Goes on to the page that an answer leads to.
    pub(crate) fn follow(&mut self, mut answer: Answer) -> anyhow::Result<Answer> {
        for _ in 0..5 {
            let Some(next) = answer.location().map(str::to_owned) else {
                return Ok(answer);
            };
            answer = self.get(&next)?;
        }
        anyhow::bail!("led on and on, at last to {:?}", answer.location())
    }

    /// Opens a path whose answer goes on and on, and leaves the reading to the caller.
    pub(crate) fn open(&self, path: &str) -> anyhow::Result<Wire> {
        let mut wire = Wire::connect(self.port)?;
        wire.send(self.head("GET", path).as_bytes())?;
        wire.send(b"\r\n")?;
        Ok(wire)
    }

    /// A request up to what it sends.
    fn head(&self, method: &str, path: &str) -> String {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\nSec-Fetch-Site: same-origin\r\n\
             User-Agent: kit\r\nAccept: text/html\r\nCookie: {}\r\n",
            self.port,
            cookies.join("; ")
        )
    }

    fn ask(&mut self, method: &str, path: &str, form: Option<String>) -> anyhow::Result<Answer> {
        let mut request = self.head(method, path);
        if let Some(form) = &form {
            request.push_str(&format!(
                "Origin: {}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
                self.origin(),
                form.len()
            ));
        }
        let mut wire = Wire::connect(self.port)?;
        wire.send(format!("{request}\r\n{}", form.unwrap_or_default()).as_bytes())?;
        let answer = read(&String::from_utf8(wire.rest()?)?)?;
        for (_, cookie) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (name, value) = cookie
                .split(';')
                .next()
                .and_then(|pair| pair.split_once('='))
                .context("a cookie without a value")?;
            self.cookies.insert(name.trim().to_owned(), value.to_owned());
        }
        Ok(answer)
    }
}

/// Reads a whole answer.
pub(crate) fn read(text: &str) -> anyhow::Result<Answer> {
    let (head, body) = text.split_once("\r\n\r\n").context("no whole answer")?;
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .context("no status")?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let is_chunked = headers
        .iter()
        .any(|(name, value)| name == "transfer-encoding" && value.contains("chunked"));
    Ok(Answer {
        status: status.parse()?,
        body: if is_chunked { joined(body)? } else { body.to_owned() },
        headers,
    })
}

/// The chunks of a body behind each other (RFC 9112 §7.1).
fn joined(mut body: &str) -> anyhow::Result<String> {
    let mut whole = String::new();
    loop {
        let (length, rest) = body.split_once("\r\n").context("a chunk without a length")?;
        let length = usize::from_str_radix(length.trim(), 16)?;
        if length == 0 {
            return Ok(whole);
        }
        whole.push_str(rest.get(..length).context("a chunk is too short")?);
        body = rest.get(length + 2..).context("a chunk without an end")?;
    }
}

/// As forms are sent.
fn encoded(text: &str) -> String {
    let kept = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~".contains(&octet);
    text.bytes()
        .map(|octet| {
            if kept(octet) {
                char::from(octet).to_string()
            } else {
                format!("%{octet:02X}")
            }
        })
        .collect()
}
