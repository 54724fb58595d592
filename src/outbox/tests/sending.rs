//! What becomes of a mail: taken, put off, refused, unanswered, withdrawn, too late.

use super::server::{Answer, MailServer, say};
use super::*;
use crate::outbox::backoff::TRIED_FOR;
use crate::store::Actor;

/// Refuses at one line of the first connections.
async fn refusing_first(connections: usize, line: &'static str, with: &'static str) -> MailServer {
    MailServer::start(None, move |number, said| {
        if number < connections && said.starts_with(line) {
            say(with)
        } else {
            Answer::Usual
        }
    })
    .await
}

#[tokio::test]
async fn a_mail_is_sent_once_and_its_content_forgotten() {
    let server = MailServer::usual().await;
    let bench = Bench::with(with_user(clear_server(server.port)));
    let id = bench.invite().await;
    assert!(bench.turn().await);
    assert!(!bench.turn().await, "nothing is left to do");
    assert_eq!(bench.mail(id).await.state, MailState::Sent(START));
    let messages = server.messages();
    let [message] = &messages[..] else {
        panic!("{messages:?}")
    };
    assert!(
        message.contains(&format!("Message-ID: <{id}@mail.acme.test>\r\n")),
        "{message}"
    );
    // Quoted-printable breaks the link's line; what a reader sees of it is in the integration tests.
    assert!(message.replace("=\r\n", "").contains(TOKEN));
    let lines = server.lines();
    assert_eq!(lines[0], "EHLO mail.acme.test");
    assert_eq!(
        lines[2..5],
        ["MAIL FROM:<postern@acme.test>", "RCPT TO:<lucie@private.test>", "DATA"]
    );
    assert!(bench.counted().contains(r#"{outcome="sent"} 1"#), "{}", bench.counted());
}

#[tokio::test]
async fn a_recipient_that_is_refused_for_good_ends_the_mail_with_the_servers_words() {
    let reply = "550-5.1.1 <lucie@private.test>: no such person\r\n550 5.1.1 ask \u{1b}[2Jher\r\n";
    let server = refusing_first(usize::MAX, "RCPT", reply).await;
    let bench = Bench::with(clear_server(server.port));
    let id = bench.invite().await;
    assert!(bench.turn().await);
    let (state, error) = bench.came_to(id).await;
    assert_eq!(state, "failed");
    assert_eq!(
        error,
        "the mail server refused the recipient: 550 5.1.1 <lucie@private.test>: no such person ask \\u{1b}[2Jher"
    );
    bench.clock.advance(TRIED_FOR);
    assert!(!bench.turn().await, "once is enough");
    assert!(
        bench.counted().contains(r#"{outcome="failed"} 1"#),
        "{}",
        bench.counted()
    );
}

#[tokio::test]
async fn a_message_that_is_refused_for_good_ends_the_mail() {
    for (line, stage) in [("MAIL", "sender"), ("DATA", "message"), (".", "message")] {
        let server = refusing_first(usize::MAX, line, "554 5.7.1 not here\r\n").await;
        let bench = Bench::with(clear_server(server.port));
        let id = bench.invite().await;
        assert!(bench.turn().await);
        let (state, error) = bench.came_to(id).await;
        assert_eq!(state, "failed", "{line}");
        let expected = format!("the mail server refused the {stage}: 554 5.7.1 not here");
        assert!(error.starts_with(&expected), "{error}");
    }
}

#[tokio::test]
async fn a_mail_that_is_put_off_is_tried_again_later_and_sent_once() {
    for line in ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "."] {
        let server = refusing_first(2, line, "450 4.7.1 try later\r\n").await;
        let bench = Bench::with(clear_server(server.port));
        let id = bench.invite().await;
        for attempt in 1..=2 {
            assert!(bench.turn().await);
            let (state, error) = bench.came_to(id).await;
            assert_eq!(
                (state, bench.mail(id).await.attempts),
                ("queued", attempt),
                "{line}: {error}"
            );
            assert!(error.contains("450 4.7.1 try later"), "{line}: {error}");
            assert!(!bench.turn().await, "not before its time");
            bench.wait_for_retry(id).await;
        }
        assert!(bench.turn().await);
        assert_eq!(bench.came_to(id).await.0, "sent", "{line}");
        let taken = server.messages().len() - if line == "." { 2 } else { 0 };
        assert_eq!(taken, 1, "{line}");
        assert!(
            bench.counted().contains(r#"{outcome="deferred"} 2"#),
            "{}",
            bench.counted()
        );
    }
}

#[tokio::test]
async fn what_an_operator_can_mend_is_no_end_even_if_the_server_says_so() {
    for (line, reply) in [
        ("CONNECT", "554 5.7.1 not you\r\n"),
        ("AUTH", "535 5.7.8 wrong\r\n"),
        ("EHLO", "550 who?\r\n"),
    ] {
        let server = refusing_first(usize::MAX, line, reply).await;
        let bench = Bench::with(with_user(clear_server(server.port)));
        let id = bench.invite().await;
        assert!(bench.turn().await);
        let (state, error) = bench.came_to(id).await;
        assert_eq!(state, "queued", "{error}");
        assert!(error.contains(reply.trim_end()), "{error}");
        assert!(!server.lines().iter().any(|line| line.starts_with("MAIL")));
    }
}

#[tokio::test]
async fn a_password_is_not_given_to_a_server_that_does_not_ask_for_one() {
    let server = MailServer::start(None, |_, line| match line.starts_with("EHLO") {
        true => say("250 fake.test\r\n"),
        false => Answer::Usual,
    })
    .await;
    let bench = Bench::with(with_user(clear_server(server.port)));
    let id = bench.invite().await;
    assert!(bench.turn().await);
    let (state, error) = bench.came_to(id).await;
    assert!(
        state == "queued" && error.contains("offers neither AUTH PLAIN nor AUTH LOGIN"),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_is_down_is_tried_again_when_it_is_up() {
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = gone.local_addr().unwrap().port();
    drop(gone);
    let bench = Bench::with(clear_server(port));
    let id = bench.invite().await;
    assert!(bench.turn().await);
    let (state, error) = bench.came_to(id).await;
    assert_eq!(state, "queued");
    assert!(
        error.starts_with(&format!("cannot connect to the mail server 127.0.0.1, port {port}: ")),
        "{error}"
    );
    // Up again, elsewhere: new settings are tried at once.
    let server = MailServer::usual().await;
    bench.outbox.replace(config(Some(clear_server(server.port)))).unwrap();
    assert!(bench.turn().await);
    assert_eq!(bench.came_to(id).await.0, "sent");
    assert_eq!(server.messages().len(), 1);
}

#[tokio::test]
async fn a_server_that_falls_silent_is_left_in_time() {
    for (line, stage) in [
        ("CONNECT", "greeting"),
        ("EHLO", "greeting"),
        ("RCPT", "recipient"),
        (".", "message"),
    ] {
        let server = MailServer::start(None, move |_, said| match said.starts_with(line) {
            true => Answer::Hang,
            false => Answer::Usual,
        })
        .await;
        let bench = Bench::with(Server {
            timeout: Duration::from_millis(300),
            ..clear_server(server.port)
        });
        let id = bench.invite().await;
        assert!(bench.turn().await);
        let (state, error) = bench.came_to(id).await;
        assert_eq!(state, "queued", "{line}");
        assert_eq!(
            error,
            format!("the mail server did not answer in time ({stage}, 300ms in all)")
        );
    }
}

#[tokio::test]
async fn a_server_that_closes_in_the_middle_is_tried_again() {
    let server = MailServer::start(None, |number, line| match (number, line) {
        (0, ".") => Answer::Close,
        _ => Answer::Usual,
    })
    .await;
    let bench = Bench::with(clear_server(server.port));
    let id = bench.invite().await;
    assert!(bench.turn().await);
    let (state, error) = bench.came_to(id).await;
    assert!(
        state == "queued" && error.contains("closed the connection (message)"),
        "{error}"
    );
    bench.wait_for_retry(id).await;
    assert!(bench.turn().await);
    assert_eq!(bench.came_to(id).await.0, "sent");
    // Nobody knows whether the first one was taken; both are known to be the same.
    let ids: Vec<_> = server.messages();
    let ids = ids
        .iter()
        .map(|mail| mail.lines().find(|line| line.starts_with("Message-ID")));
    let ids: Vec<_> = ids.collect();
    assert!(ids.len() == 2 && ids[0] == ids[1], "{ids:?}");
}

#[tokio::test]
async fn a_link_that_a_server_repeats_is_kept_nowhere() {
    let whole = format!("554 5.7.1 spam: https://manager.acme.test/invitation/{TOKEN} and {TOKEN}\r\n");
    let part = format!("550 5.7.1 spam: invitation/{}\r\n", &TOKEN[..20]);
    for reply in [whole, part] {
        let server = MailServer::start(None, move |_, line| match line {
            "." => Answer::Say(reply.clone()),
            _ => Answer::Usual,
        })
        .await;
        let bench = Bench::with(clear_server(server.port));
        let id = bench.invite().await;
        assert!(bench.turn().await);
        let (state, error) = bench.came_to(id).await;
        assert!(state == "failed" && error.contains("invitation/[secret]"), "{error}");
        assert!(!error.contains(&TOKEN[..8]), "{error}");
    }
}

#[tokio::test]
async fn after_three_days_a_mail_is_given_up_and_says_so() {
    let server = refusing_first(usize::MAX, "RCPT", "450 4.7.1 try later\r\n").await;
    let bench = Bench::with(clear_server(server.port));
    let content = Content::Test(Test {
        host: "mail.acme.test".to_owned(),
        at: START,
    });
    let id = bench.put(content, LUCIE).await;
    assert!(bench.turn().await);
    bench.clock.advance(TRIED_FOR);
    // It was due all the time, and is tried once more.
    assert!(bench.turn().await);
    let (state, error) = bench.came_to(id).await;
    assert_eq!(state, "failed");
    assert!(
        error.starts_with("given up after 2 attempts: the mail server does not take the recipient now: "),
        "{error}"
    );
}

#[tokio::test]
async fn a_mail_whose_link_has_ended_is_not_sent() {
    let server = MailServer::usual().await;
    let bench = Bench::with(clear_server(server.port));
    let id = bench.invite().await;
    bench.clock.advance(Duration::from_secs(7 * 86_400));
    assert!(bench.turn().await);
    let (state, error) = bench.came_to(id).await;
    assert!(
        state == "failed" && error.contains("has ended before it could be sent"),
        "{error}"
    );
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn without_a_mail_server_a_mail_fails_at_once_and_says_why() {
    let bench = Bench::new(config(None));
    let id = bench.invite().await;
    assert!(bench.turn().await);
    let (state, error) = bench.came_to(id).await;
    assert_eq!(state, "failed");
    assert_eq!(error, "no mail server is configured: add [mail] with host and from");
}

#[tokio::test]
async fn without_an_origin_a_mail_with_a_link_waits_for_one() {
    let server = MailServer::usual().await;
    let without = Config {
        origin: None,
        ..config(Some(clear_server(server.port)))
    };
    let bench = Bench::new(without);
    let id = bench.invite().await;
    assert!(bench.turn().await);
    let (state, error) = bench.came_to(id).await;
    assert!(
        state == "queued" && error.contains("add origin under [manager]"),
        "{error}"
    );
    bench.outbox.replace(config(Some(clear_server(server.port)))).unwrap();
    assert!(bench.turn().await);
    assert_eq!(bench.came_to(id).await.0, "sent");
}

#[tokio::test]
async fn an_address_beyond_ascii_needs_a_server_that_takes_it() {
    let takes = MailServer::usual().await;
    let bench = Bench::with(clear_server(takes.port));
    let id = bench.put(Content::Invitation(invitation()), "zoë@private.test").await;
    assert!(bench.turn().await);
    assert_eq!(bench.came_to(id).await, ("sent", String::new()));
    assert!(
        takes
            .lines()
            .contains(&"MAIL FROM:<postern@acme.test> SMTPUTF8".to_owned())
    );

    let does_not = MailServer::start(None, |_, line| match line.starts_with("EHLO") {
        true => say("250-fake.test\r\n250 8BITMIME\r\n"),
        false => Answer::Usual,
    })
    .await;
    let bench = Bench::with(clear_server(does_not.port));
    let id = bench.put(Content::Invitation(invitation()), "zoë@private.test").await;
    assert!(bench.turn().await);
    let (state, error) = bench.came_to(id).await;
    assert!(state == "failed" && error.contains("SMTPUTF8"), "{error}");
}

#[tokio::test]
async fn a_mail_under_way_when_postern_stops_is_due_at_once_for_the_next() {
    let server = MailServer::start(None, |number, line| match (number, line) {
        (0, line) if line.starts_with("RCPT") => Answer::Hang,
        _ => Answer::Usual,
    })
    .await;
    let bench = Bench::with(clear_server(server.port));
    let id = bench.invite().await;
    let stopping = async {
        while !server.lines().iter().any(|line| line.starts_with("RCPT")) {
            tokio::task::yield_now().await;
        }
        bench.stop.cancel();
    };
    let ((), ()) = tokio::join!(bench.outbox.run(&bench.stop, Duration::ZERO), stopping);
    let mail = bench.mail(id).await;
    assert_eq!(mail.state, MailState::Queued { next_at: START });
    let next = CancellationToken::new();
    assert!(matches!(
        bench.outbox.turn(&next, Duration::ZERO).await,
        Ok(worker::Turn::Tried)
    ));
    assert_eq!(bench.came_to(id).await.0, "sent");
    assert_eq!(server.messages().len(), 1);
}

#[tokio::test]
async fn an_attempt_under_way_may_end_when_postern_stops() {
    let bench_server = MailServer::usual().await;
    let bench = Bench::with(clear_server(bench_server.port));
    let id = bench.invite().await;
    // Stopped already: the attempt still has its time.
    bench.stop.cancel();
    let turn = bench.outbox.turn(&bench.stop, Duration::from_secs(20)).await;
    assert!(matches!(turn, Ok(worker::Turn::Tried)));
    assert_eq!(bench.came_to(id).await.0, "sent");
}

#[tokio::test]
async fn the_worker_sends_what_is_put_while_it_waits_and_stops_when_told() {
    let server = MailServer::usual().await;
    let bench = Bench::with(clear_server(server.port));
    let putting = async {
        for _ in 0..3 {
            bench.invite().await;
        }
        server.wait_for_messages(3).await;
        bench.stop.cancel();
    };
    let ((), ()) = tokio::join!(bench.outbox.run(&bench.stop, Duration::from_secs(5)), putting);
    let filter = MailFilter {
        state: Some("sent"),
        limit: 10,
        ..MailFilter::default()
    };
    assert_eq!(bench.store.mails(&filter).await.unwrap().len(), 3);
    assert_eq!((server.connections(), server.messages().len()), (3, 3));
}

#[tokio::test]
async fn a_withdrawn_mail_is_not_sent() {
    let server = MailServer::usual().await;
    let bench = Bench::with(clear_server(server.port));
    let id = bench.invite().await;
    bench.store.withdraw_mail(&Actor::cli("root"), id).await.unwrap();
    assert!(!bench.turn().await);
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_trial_tells_each_step_and_how_far_it_came() {
    let server = refusing_first(1, "RCPT", "450 4.7.1 try later\r\n").await;
    let config = config(Some(with_user(clear_server(server.port))));
    let clock = Clock::manual(START);
    let to = address(LUCIE);
    let told = async || {
        let steps = trial(&config, &to, Language::French, &clock).await;
        let told = steps
            .iter()
            .map(|step| format!("{} {} {}", step.right, step.stage.name(), step.detail));
        told.collect::<Vec<_>>().join("\n")
    };
    let first = told().await;
    assert!(
        first.ends_with("false recipient the mail server does not take the recipient now: 450 4.7.1 try later"),
        "{first}"
    );
    let second = told().await.replace(&format!(":{}", server.port), ":port");
    let (head, rest) = second.split_once('\n').unwrap();
    assert!(
        head.starts_with("true content from Postern <postern@acme.test> to lucie@private.test, Message-ID <mal-"),
        "{head}"
    );
    insta::assert_snapshot!(rest, @r"
    true connection 127.0.0.1:port
    true tls none: the connection does not leave this machine
    true greeting it calls itself fake.test
    true login as postern
    true sender 250 2.1.0 Ok
    true recipient 250 2.1.0 Ok
    true message 250 2.0.0 Ok: queued as 4F2A
    ");
    assert_eq!(server.messages().len(), 1);
    assert!(server.messages()[0].contains("Content-Language: fr\r\n"));
    assert!(!second.contains("the mail password"));
}
