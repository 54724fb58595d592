//! `auth-http`: answers nginx's question about a login (`ngx_mail_auth_http_module`) at once.
//!
//! The one right password is let in and everything else refused; whose it is is not looked at. What this costs is not
//! counted as nginx's.

use std::io;
use std::rc::Rc;

use tokio::net::TcpStream;

use super::wire::Wire;
use super::{Ports, Settings, listen};

/// The two answers for IMAP and for SMTP.
struct Answers {
    password: String,
    imap: String,
    smtp: String,
}

/// nginx's question, as far as it matters.
#[derive(Default)]
struct Question {
    smtp: bool,
    right: bool,
    keep_alive: bool,
}

/// Starts to listen.
pub(super) async fn serve(settings: &Settings) -> anyhow::Result<Ports> {
    let answers = Rc::new(Answers {
        password: settings.password.clone(),
        imap: accepted(settings.imap),
        smtp: accepted(settings.smtp),
    });
    let control = listen::serve(move |stream| converse(stream, Rc::clone(&answers)))?;
    Ok(Ports {
        control,
        ..Ports::default()
    })
}

fn accepted(port: u16) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nAuth-Status: OK\r\nAuth-Server: 127.0.0.1\r\nAuth-Port: {port}\r\nContent-Length: 0\r\n"
    )
}

/// No `Auth-Wait`: the connection stays open for the next try.
const REFUSED: &str = "HTTP/1.1 200 OK\r\nAuth-Status: Invalid login or password\r\nContent-Length: 0\r\n";

async fn converse(stream: TcpStream, answers: Rc<Answers>) -> io::Result<()> {
    let mut wire = Wire::new(stream);
    loop {
        let Some(request) = wire.line().await? else {
            return Ok(());
        };
        let mut question = Question {
            keep_alive: request.ends_with(b"HTTP/1.1"),
            ..Question::default()
        };
        loop {
            let Some(line) = wire.line().await? else { return Ok(()) };
            if line.is_empty() {
                break;
            }
            let colon = memchr::memchr(b':', &line).unwrap_or(line.len());
            let (name, value) = line.split_at(colon);
            let value = value.get(1..).unwrap_or_default().trim_ascii();
            match name.to_ascii_lowercase().as_slice() {
                b"auth-protocol" => question.smtp = value == b"smtp",
                b"auth-pass" => question.right = value == answers.password.as_bytes(),
                b"connection" => question.keep_alive = value.eq_ignore_ascii_case(b"keep-alive"),
                _ => {}
            }
        }
        let answer = match question {
            Question { right: false, .. } => REFUSED,
            Question { smtp: true, .. } => &answers.smtp,
            Question { .. } => &answers.imap,
        };
        if !question.keep_alive {
            wire.say(&[answer.as_bytes(), b"Connection: close\r\n\r\n"]);
            return wire.close().await;
        }
        wire.say(&[answer.as_bytes(), b"\r\n"]);
    }
}
