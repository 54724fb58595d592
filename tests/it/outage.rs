//! When a part fails: sessions in progress go on, and new logins get a temporary refusal, never "wrong password".

use crate::kit::certificates::Certificates;
use crate::kit::dovecot::Dovecot;
use crate::kit::imap::Imap;
use crate::kit::postern::{Login, Postern, Route, Settings};
use crate::kit::postfix::{self, Postfix};
use crate::kit::wait;
use crate::kit::wire::Wire;
use crate::site::{ANNA, QUICK, Site};

#[test]
fn a_stopped_store_is_a_temporary_refusal_and_other_routes_go_on() -> anyhow::Result<()> {
    let certificates = Certificates::new()?;
    let (mut first, second) = (Dovecot::start(&certificates)?, Dovecot::start(&certificates)?);
    let domains = vec![("first.test", &first), ("second.test", &second)];
    let postfix = Postfix::start(
        &certificates,
        &postfix::Settings {
            domains,
            ..Default::default()
        },
    )?;
    let route = |name, domain, dovecot| Route {
        name,
        domains: vec![domain],
        imap: (dovecot, Login::MasterUser),
        smtp: (&postfix, Login::Xclient),
    };
    let routes = vec![
        route("first", "first.test", &first),
        route("second", "second.test", &second),
    ];
    let postern = Postern::start(
        &certificates,
        &Settings {
            routes,
            proxy_listener: false,
            sections: QUICK,
        },
    )?;
    postern.add_org("First", "first.test")?;
    postern.add_org("Second", "second.test")?;
    for (dovecot, address) in [(&first, "a@first.test"), (&second, "b@second.test")] {
        dovecot.add_mailbox(address)?;
        postern.add_mailbox(address)?;
    }
    let (a, b) = (
        postern.add_device("a@first.test", "A")?,
        postern.add_device("b@second.test", "B")?,
    );
    let connect = || Imap::connect_tls(postern.port("imaps")?, &certificates);
    let mut other = connect()?;
    other.login(&b.address, &b.password)?.ok()?;
    let mut early = connect()?;
    first.stop()?;
    let status = early.login(&a.address, &a.password)?.status;
    assert!(status.starts_with("NO [UNAVAILABLE]"), "{status}");
    other.command("NOOP")?.ok()?;
    let mut another = connect()?;
    another.login(&b.address, &b.password)?.ok()?;
    first.restart()?;
    connect()?.login(&a.address, &a.password)?.ok()?;
    assert!(postern.log().contains("upstream login failed"));
    Ok(())
}

#[test]
fn when_every_store_is_down_the_greeting_says_so_and_logins_succeed_as_soon_as_it_is_back() -> anyhow::Result<()> {
    let mut site = Site::start()?;
    let phone = site.device("Phone")?;
    let mut waiting = (site.imap()?, site.smtp()?);
    site.dovecot.stop()?;
    site.postfix.stop()?;
    assert!(
        waiting
            .0
            .login(ANNA, &phone.password)?
            .status
            .starts_with("NO [UNAVAILABLE]")
    );
    assert_eq!(waiting.1.auth_plain(ANNA, &phone.password)?.code, 454);
    let greeting = wait::until("the greeting is BYE", || {
        let greeting = site.imap()?.greeting;
        Ok(greeting.starts_with("* BYE").then_some(greeting))
    })?;
    assert!(greeting.starts_with("* BYE [UNAVAILABLE]"), "{greeting}");
    site.dovecot.restart()?;
    site.postfix.restart()?;
    wait::until("a login succeeds", || {
        let mut imap = site.imap()?;
        if imap.greeting.starts_with("* BYE") {
            return Ok(None);
        }
        Ok(imap.login(ANNA, &phone.password)?.ok().ok())
    })?;
    Ok(())
}

#[test]
fn a_gone_database_is_a_temporary_refusal_and_live_sessions_go_on() -> anyhow::Result<()> {
    let site = Site::start()?;
    let phone = site.device("Phone")?;
    let mut live = site.imap_as(&phone)?;
    let mut early = site.imap()?;
    // A writer that holds the database for ever stops nobody: readers go on, and the login needs only them.
    let lock = rusqlite::Connection::open(site.postern.data().join("postern.db"))?;
    lock.execute_batch("BEGIN EXCLUSIVE")?;
    early.login(ANNA, &phone.password)?.ok()?;
    live.command("NOOP")?.ok()?;
    lock.execute_batch("ROLLBACK")?;
    // A database whose tables cannot be read is an outage.
    let mut later = site.imap()?;
    lock.execute_batch("ALTER TABLE credential RENAME TO hidden")?;
    let status = later.login(ANNA, &phone.password)?.status;
    assert!(status.starts_with("NO [UNAVAILABLE]"), "{status}");
    live.command("NOOP")?.ok()?;
    lock.execute_batch("ALTER TABLE hidden RENAME TO credential")?;
    wait::until("logins succeed again", || {
        let mut imap = site.imap()?;
        Ok(imap
            .greeting
            .starts_with("* OK")
            .then(|| imap.login(ANNA, &phone.password))
            .transpose()?
            .and_then(|answer| answer.ok().ok()))
    })?;
    Ok(())
}

#[test]
fn a_graceful_stop_says_goodbye_and_ends_with_status_0() -> anyhow::Result<()> {
    let mut site = Site::start()?;
    let phone = site.device("Phone")?;
    let (mut imap, mut smtp) = (site.imap_as(&phone)?, site.smtp_as(&phone)?);
    let mut waiting = site.imap()?;
    imap.command("SELECT INBOX")?.ok()?;
    imap.idle()?;
    site.postern.stop()?;
    assert!(String::from_utf8(imap.wire.rest()?)?.starts_with("* BYE Server is restarting"));
    assert_eq!(smtp.reply()?.code, 421);
    assert!(String::from_utf8(waiting.wire.rest()?)?.starts_with("* BYE"));
    site.postern.restart()?;
    site.imap_as(&phone)?;
    Ok(())
}

/// A socket that stayed open would let clients connect and wait for a greeting that never comes.
#[test]
fn while_sessions_drain_nobody_new_is_taken_in() -> anyhow::Result<()> {
    let mut site = Site::start_with(
        &QUICK.replace("drain_time = \"200ms\"", "drain_time = \"2s\""),
        (Login::MasterUser, Login::Xclient),
    )?;
    let phone = site.device("Phone")?;
    let mut imap = site.imap_as(&phone)?;
    site.postern.signal("TERM")?;
    site.postern.wait_for_log(&["\"stopping\""])?;
    imap.command("NOOP")?.ok()?;
    // The listener of the session that goes on.
    let port = site.postern.port("imaps")?;
    wait::until("the listener to close", || {
        Ok(Wire::connect(port).is_err().then_some(()))
    })?;
    imap.command("NOOP")?.ok()?;
    site.postern.stop()?;
    assert!(String::from_utf8(imap.wire.rest()?)?.starts_with("* BYE Server is restarting"));
    Ok(())
}

#[test]
fn a_second_request_to_stop_does_not_wait_for_the_drain() -> anyhow::Result<()> {
    let sections = QUICK.replace("drain_time = \"200ms\"", "drain_time = \"1 h\"");
    let mut site = Site::start_with(&sections, (Login::MasterUser, Login::Xclient))?;
    let phone = site.device("Phone")?;
    let mut imap = site.imap_as(&phone)?;
    site.postern.signal("TERM")?;
    site.postern.wait_for_log(&["\"stopping\""])?;
    imap.command("NOOP")?.ok()?;
    site.postern.stop()?;
    assert!(imap.response()?.starts_with("* BYE Server is restarting"));
    Ok(())
}

#[test]
fn a_crash_loses_no_device_and_no_revocation() -> anyhow::Result<()> {
    let mut site = Site::start()?;
    let (kept, gone) = (site.device("Kept")?, site.device("Gone")?);
    site.postern.revoke(&gone)?;
    site.postern.crash()?;
    site.postern.restart()?;
    site.imap_as(&kept)?;
    assert!(
        site.imap()?
            .login(ANNA, &gone.password)?
            .status
            .starts_with("NO [AUTHENTICATIONFAILED]")
    );
    Ok(())
}
