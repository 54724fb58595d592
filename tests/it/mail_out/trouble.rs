//! When the mail server is down, refuses, puts off, shows a wrong certificate or falls silent; and when we stop.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

use crate::kit::certificates::Certificates;

use super::post::{LUCIE, Post, settings};

#[test]
fn a_mail_server_that_was_down_gets_each_mail_once_when_it_is_up() -> anyhow::Result<()> {
    let mut post = Post::start(Vec::new())?;
    post.postfix.stop()?;
    let (id, _) = post.invite(LUCIE)?;
    let waiting = post.wait_for(id, "queued", 2)?;
    let error = waiting["last_error"].as_str().unwrap_or_default();
    assert!(
        error.starts_with("cannot connect to the mail server localhost, port "),
        "{error}"
    );
    assert!(
        waiting["next_at"].is_string() && waiting["ended_at"].is_null(),
        "{waiting}"
    );
    assert_eq!(post.metric("postern_mails_queued")?, 1.0);
    post.postern
        .wait_for_log(&["mail not sent yet", "\"mail.stage\":\"connection\""])?;
    post.postfix.restart()?;
    post.wait_for(id, "sent", 3)?;
    assert_eq!(post.delivered()?.len(), 1);
    Ok(())
}

#[test]
fn a_recipient_that_is_refused_for_good_is_not_tried_again() -> anyhow::Result<()> {
    let lost = "lost@private.test";
    let post = Post::start(vec![(lost, "550 5.1.1 no such person")])?;
    let (id, _) = post.invite(lost)?;
    let failed = post.wait_for(id, "failed", 1)?;
    assert_eq!(failed["attempts"], 1);
    assert_eq!(
        failed["last_error"],
        "the mail server refused the recipient: 550 5.1.1 <lost@private.test>: Recipient address rejected: no such person"
    );
    let logged = post.postern.wait_for_log(&["mail given up", &id.to_string()])?;
    assert!(
        logged.contains("\"mail.reply\":\"550 5.1.1\"") && !logged.contains(lost),
        "{logged}"
    );
    assert_eq!(post.metric("postern_mails_total{outcome=\"failed\"}")?, 1.0);
    assert!(
        post.postern
            .cli(&["mail", "list", "--state", "failed"])?
            .ok()?
            .contains(lost)
    );
    Ok(())
}

#[test]
fn a_recipient_that_is_put_off_is_tried_until_it_is_taken() -> anyhow::Result<()> {
    let mut post = Post::start(vec![(LUCIE, "450 4.2.1 her mailbox is being moved")])?;
    let (id, _) = post.invite(LUCIE)?;
    let waiting = post.wait_for(id, "queued", 2)?;
    let error = waiting["last_error"].as_str().unwrap_or_default();
    assert!(
        error.contains("450 4.2.1 <lucie@private.test>: Recipient address rejected: her mailbox"),
        "{error}"
    );
    let Post {
        postfix,
        dovecot,
        certificates,
        ..
    } = &mut post;
    postfix.restart_with(certificates, &settings(dovecot, Vec::new()))?;
    post.wait_for(id, "sent", 3)?;
    assert_eq!(post.delivered()?.len(), 1);
    Ok(())
}

#[test]
fn a_certificate_that_nobody_trusts_keeps_mails_back_until_it_is_mended() -> anyhow::Result<()> {
    let strangers = Certificates::new()?;
    let mut ours = String::new();
    let post = Post::start_with(Vec::new(), |mail| {
        let authority = mail.lines().find(|line| line.starts_with("ca = ")).unwrap_or_default();
        ours = authority.to_owned();
        mail.replace(&ours, &format!("ca = \"{}\"", strangers.authority.display()))
    })?;
    let (id, _) = post.invite(LUCIE)?;
    let waiting = post.wait_for(id, "queued", 1)?;
    let error = waiting["last_error"].as_str().unwrap_or_default();
    assert!(error.starts_with("TLS with localhost failed: "), "{error}");
    assert!(error.contains("name its authority as ca under [mail]"), "{error}");
    let told = post.postern.cli(&["doctor", "mail", "--to", LUCIE])?;
    assert!(
        told.code == 1 && told.stdout.contains("ERROR    mail tls: TLS with localhost failed"),
        "{told:?}"
    );
    let config = post.postern.config();
    let theirs = format!("ca = \"{}\"", strangers.authority.display());
    fs::write(&config, fs::read_to_string(&config)?.replace(&theirs, &ours))?;
    post.postern.cli(&["reload"])?.ok()?;
    post.wait_for(id, "sent", 2)?;
    assert_eq!(post.delivered()?.len(), 1);
    Ok(())
}

/// Takes a message, and never says so.
fn silent_behind_data(listener: TcpListener) {
    let converse = |mut stream: TcpStream| -> std::io::Result<()> {
        let lines = BufReader::new(stream.try_clone()?).lines();
        stream.write_all(b"220 silent.test ESMTP\r\n")?;
        let mut in_message = false;
        for line in lines {
            let line = line?;
            if in_message {
                continue;
            }
            let answer: &[u8] = match line.get(..4) {
                Some("EHLO") => b"250 silent.test\r\n",
                Some("DATA") => b"354 go on\r\n",
                _ => b"250 2.0.0 ok\r\n",
            };
            in_message = line == "DATA";
            stream.write_all(answer)?;
        }
        Ok(())
    };
    std::thread::spawn(move || {
        for stream in listener.incoming().filter_map(Result::ok) {
            std::thread::spawn(move || converse(stream));
        }
    });
}

#[test]
fn a_mail_server_that_falls_silent_behind_the_message_is_left_in_time() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    silent_behind_data(listener);
    let post = Post::start_with(Vec::new(), |_| {
        format!(
            "[mail]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\nfrom = \"postern@acme.test\"\n\
             first_retry = \"200ms\"\ntimeout = \"300ms\"\n\n"
        )
    })?;
    let (id, _) = post.invite(LUCIE)?;
    let waiting = post.wait_for(id, "queued", 2)?;
    assert_eq!(
        waiting["last_error"],
        "the mail server did not answer in time (message, 300ms in all)"
    );
    Ok(())
}

#[test]
fn a_restart_between_two_attempts_sends_a_mail_once() -> anyhow::Result<()> {
    let mut post = Post::start(Vec::new())?;
    post.postfix.stop()?;
    let (stopped, _) = post.invite(LUCIE)?;
    post.wait_for(stopped, "queued", 1)?;
    post.postern.restart()?;
    post.postfix.restart()?;
    post.wait_for(stopped, "sent", 2)?;
    // What was sent before a crash is not sent behind it.
    post.postern.crash()?;
    post.postern.restart()?;
    let (later, _) = post.invite(LUCIE)?;
    post.wait_for(later, "sent", 1)?;
    let delivered = post.delivered()?;
    for id in [stopped, later] {
        let copies = delivered.iter().filter(|mail| mail.contains(&format!("<{id}@")));
        assert_eq!(copies.count(), 1, "{id}");
    }
    Ok(())
}
