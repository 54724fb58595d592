//! SMTP smuggling and the sender rule, judged by what a real Postfix delivers.

use crate::kit::message::Message;
use crate::kit::postern::Login;
use crate::site::{ANNA, QUICK, Site};

/// Ways to write an end of data that some servers accept (CVE-2023-51764, -51765, -51766, CVE-2024-27305).
const ENDS: &[&str] = &[
    "\n.\n",
    "\n.\r\n",
    "\r\n.\n",
    "\r.\r",
    "\r.\r\n",
    "\r\n.\r",
    "\n.\r",
    "\r.\n",
    "\r\n.\r\r\n",
    "\r\n.\0\r\n",
    "\r\n\0.\r\n",
    "\n\n.\r\n",
    "\r\r\n.\r\n",
    "\0\n.\r\n",
    "\r\n.\u{b}\r\n",
    "\n.\u{b}\n",
];

#[test]
fn no_end_of_data_but_the_real_one_starts_a_second_message() -> anyhow::Result<()> {
    for mode in ["refuse", "normalise"] {
        let sections = format!("{QUICK}\n[submission]\nbare_newline = \"{mode}\"\n");
        let site = Site::start_with(&sections, (Login::MasterUser, Login::Xclient))?;
        let phone = site.device("Phone")?;
        for (n, end) in ENDS.iter().enumerate() {
            smuggle(&site, &phone, n, end)?;
        }
        let last = Message::new(ANNA, ANNA, 3)?;
        site.smtp_as(&phone)?.deliver(&last)?.expect(250)?;
        site.dovecot.wait_for_message(ANNA, &last.marker)?;
        site.postfix.wait_for_empty_queue()?;
        for message in site.dovecot.messages(ANNA)? {
            let smuggled = message.starts_with("Return-Path: <admin@example.test>")
                || message
                    .lines()
                    .take_while(|line| !line.is_empty())
                    .any(|line| line.contains("Smuggled"));
            assert!(!smuggled, "{mode}: {message}");
        }
        assert!(!site.postfix.log().contains("from=<admin@example.test>"), "{mode}");
    }
    Ok(())
}

/// Sends a message that holds a false end of data and, behind it, a whole second transaction.
fn smuggle(site: &Site, phone: &crate::kit::postern::Device, n: usize, end: &str) -> anyhow::Result<()> {
    let mut smtp = site.smtp_as(phone)?;
    smtp.command(&format!("MAIL FROM:<{ANNA}>"))?.expect(250)?;
    smtp.command(&format!("RCPT TO:<{ANNA}>"))?.expect(250)?;
    smtp.command("DATA")?.expect(354)?;
    let text = format!(
        "Subject: Outer {n}\r\n\r\nouter{end}MAIL FROM:<admin@example.test>\r\nRCPT TO:<{ANNA}>\r\nDATA\r\n\
         Subject: Smuggled {n}\r\n\r\nsmuggled\r\n.\r\n"
    );
    // The gateway may close as soon as it has seen the false end.
    let _ = smtp.wire.send(text.as_bytes());
    let reply = smtp.reply()?;
    assert!(matches!(reply.code, 250 | 521 | 550 | 554), "{end:?}: {reply:?}");
    Ok(())
}

#[test]
fn replies_keep_their_order_when_one_sender_of_a_pipeline_is_refused() -> anyhow::Result<()> {
    let site = Site::start()?;
    site.postern.add_alias("hello@example.test", ANNA)?;
    let phone = site.device("Phone")?;
    let mut smtp = site.smtp_as(&phone)?;
    let message = Message::new("hello@example.test", ANNA, 3)?;
    let group = format!(
        "MAIL FROM:<{ANNA}>\r\nRCPT TO:<{ANNA}>\r\nRSET\r\nMAIL FROM:<boss@example.test>\r\nRCPT TO:<{ANNA}>\r\nNOOP\r\n\
         MAIL FROM:<hello@example.test>\r\nRCPT TO:<{ANNA}>\r\nDATA\r\n"
    );
    smtp.wire.send(group.as_bytes())?;
    let codes = (0..9)
        .map(|_| Ok(smtp.reply()?.code))
        .collect::<anyhow::Result<Vec<_>>>()?;
    assert_eq!(codes, [250, 250, 250, 550, 503, 250, 250, 250, 354]);
    smtp.wire.send(message.data().as_bytes())?;
    smtp.reply()?.expect(250)?;
    site.dovecot.wait_for_message(ANNA, &message.marker)?;
    Ok(())
}

#[test]
fn every_known_way_around_the_sender_rule_is_refused() -> anyhow::Result<()> {
    let site = Site::start()?;
    let phone = site.device("Phone")?;
    for line in [
        "MAIL FROM:<boss@example.test>",
        "MAIL FROM: <boss@example.test>",
        "mail from:boss@example.test",
        "MAIL FROM:<@example.test:boss@example.test>",
        "MAIL FROM:<\"boss\"@example.test>",
        "MAIL FROM:<boss@example.test.>",
        "MAIL FROM:<boss%example.test@example.test>",
        "MAIL\tFROM:<boss@example.test>",
        "MAIL FROM:<anna@example.test> <boss@example.test>",
        "MAIL FROM:<anna@example.test,boss@example.test>",
        "MAIL FROM:<boss@example.test> AUTH=anna@example.test",
        "SEND FROM:<boss@example.test>",
        "SOML FROM:<boss@example.test>",
        "SAML FROM:<boss@example.test>",
        "XCLIENT LOGIN=boss@example.test",
        "XFORWARD ADDR=192.0.2.1",
        "ETRN example.test",
        "AUTH PLAIN AGJvc3MAcHc=",
        "STARTTLS",
    ] {
        let mut smtp = site.smtp_as(&phone)?;
        let reply = smtp.command(line)?;
        assert!((500..600).contains(&reply.code), "{line}: {reply:?}");
    }
    assert!(!site.postfix.log().contains("boss"), "{}", site.postfix.log());
    Ok(())
}

#[test]
fn a_sender_list_and_off_are_kept_by_the_device() -> anyhow::Result<()> {
    let sections = format!("{QUICK}\n[submission]\nsubaddress_delimiter = \"+\"\n");
    let site = Site::start_with(&sections, (Login::MasterUser, Login::Xclient))?;
    let listed = site
        .postern
        .add_device_with(ANNA, "CRM", &["--sender", "news@example.test,@shop.test"])?;
    let free = site.postern.add_device_with(ANNA, "Gateway", &["--sender", "off"])?;
    for (device, sender, code) in [
        (&listed, "news@example.test", 250),
        (&listed, "anything@shop.test", 250),
        (&listed, ANNA, 250),
        (&listed, "anna+tag@example.test", 250),
        (&listed, "boss@example.test", 550),
        (&free, "boss@example.test", 250),
    ] {
        let reply = site.smtp_as(device)?.command(&format!("MAIL FROM:<{sender}>"))?;
        assert_eq!(reply.code, code, "{sender}: {reply:?}");
    }
    Ok(())
}

#[test]
fn chunks_arrive_to_the_octet() -> anyhow::Result<()> {
    let site = Site::start()?;
    let phone = site.device("Phone")?;
    let message = Message::new(ANNA, ANNA, 500)?;
    let text = message.text();
    let (first, second) = text.as_bytes().split_at(text.len() / 3);
    let mut smtp = site.smtp_as(&phone)?;
    let mut burst = format!("MAIL FROM:<{ANNA}>\r\nRCPT TO:<{ANNA}>\r\nBDAT {}\r\n", first.len()).into_bytes();
    burst.extend_from_slice(first);
    burst.extend_from_slice(format!("BDAT {} LAST\r\n", second.len()).as_bytes());
    burst.extend_from_slice(second);
    smtp.wire.send(&burst)?;
    for _ in 0..4 {
        smtp.reply()?.expect(250)?;
    }
    message.check(&site.dovecot.wait_for_message(ANNA, &message.marker)?)?;
    Ok(())
}
