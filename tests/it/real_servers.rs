//! The kit's own servers, without Postern: what the other tests build on.

use crate::kit::certificates::Certificates;
use crate::kit::dovecot::Dovecot;
use crate::kit::imap::Imap;
use crate::kit::message::Message;
use crate::kit::postfix::{Postfix, Settings};
use crate::kit::smtp::Smtp;

#[test]
fn mail_sent_to_postfix_is_read_from_dovecot_unchanged() -> anyhow::Result<()> {
    let certificates = Certificates::new()?;
    let mut dovecot = Dovecot::start(&certificates)?;
    let password = dovecot.add_mailbox("anna@acme.test")?;
    let settings = Settings {
        domains: vec![("acme.test", &dovecot)],
        aliases: vec![("hello@acme.test", "anna@acme.test")],
        ..Default::default()
    };
    let mut postfix = Postfix::start(&certificates, &settings)?;

    let message = Message::new("anna@acme.test", "hello@acme.test", 100)?;
    let mut smtp = Smtp::connect(postfix.smtp)?.start_tls(&certificates)?;
    smtp.ehlo()?.expect(250)?;
    smtp.auth_plain("anna@acme.test", &password)?.expect(235)?;
    smtp.deliver(&message)?.expect(250)?;
    message.check(&dovecot.wait_for_message("anna@acme.test", &message.marker)?)?;
    postfix.wait_for_log(&["sasl_username=anna@acme.test"])?;
    postfix.wait_for_empty_queue()?;

    let mut imap = Imap::connect(dovecot.imap)?;
    imap.command("ID (\"x-originating-ip\" \"203.0.113.7\")")?.ok()?;
    let mut imap = imap.start_tls(&certificates)?;
    imap.login("anna@acme.test", &password)?.ok()?;
    imap.command("SELECT INBOX")?.ok()?;
    message.check(&imap.newest()?)?;
    dovecot.wait_for_log(&["Login: user=<anna@acme.test>", "rip=203.0.113.7"])?;

    dovecot.restart()?;
    assert!(imap.command("NOOP").is_err(), "a session outlived its store");
    let mut imap = Imap::connect_tls(dovecot.imaps, &certificates)?;
    imap.login("anna@acme.test*gateway", &dovecot.master_password)?.ok()?;
    imap.command("SELECT INBOX")?.ok()?;
    message.check(&imap.newest()?)?;
    postfix.restart()?;
    Smtp::connect_tls(postfix.smtps, &certificates)?.ehlo()?.expect(250)?;
    postfix.stop()?;
    assert!(Smtp::connect(postfix.smtp).is_err(), "a stopped server listens");
    Ok(())
}
