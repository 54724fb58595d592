//! Logins through the gateway to real servers: who gets in, who does not, and what they are told.

use std::time::Duration;

use postern::clock::Clock;

use crate::kit::imap::Imap;
use crate::kit::message::Message;
use crate::kit::postern::Login;
use crate::kit::smtp::Smtp;
use crate::kit::wire::Wire;
use crate::site::{ANNA, QUICK, Site};

#[test]
fn what_one_device_sends_another_one_reads() -> anyhow::Result<()> {
    for logins in [
        (Login::MasterUser, Login::Xclient),
        (Login::Authzid, Login::TrustedNetwork),
        (Login::Authzid, Login::Authzid),
    ] {
        let site = Site::start_with(QUICK, logins)?;
        let (phone, crm) = (site.device("Phone")?, site.device("CRM")?);
        let message = Message::new(ANNA, ANNA, 20)?;
        site.smtp_as(&phone)?.deliver(&message)?.expect(250)?;
        site.dovecot.wait_for_message(ANNA, &message.marker)?;
        let mut imap = site.imap_as(&crm)?;
        imap.command("SELECT INBOX")?.ok()?;
        message.check(&imap.newest()?)?;
    }
    Ok(())
}

#[test]
fn the_store_learns_the_clients_address_and_not_what_the_client_claims() -> anyhow::Result<()> {
    let site = Site::start()?;
    let phone = site.device("Phone")?;
    let mut wire = Wire::connect(site.postern.port("imaps-proxy")?)?;
    wire.send(b"PROXY TCP4 203.0.113.7 127.0.0.1 4711 993\r\n")?;
    let mut imap = Imap::greeted(wire.into_tls(&site.certificates)?)?;
    imap.command("ID (\"name\" \"Test\" \"x-originating-ip\" \"198.51.100.66\")")?
        .ok()?;
    imap.login(ANNA, &phone.password)?.ok()?;
    site.dovecot.wait_for_log(&["rip=203.0.113.7"])?;
    assert!(!site.dovecot.log().contains("198.51.100.66"));
    let listed = site.postern.cli(&["session", "list", "--json"])?.ok()?;
    assert!(listed.contains("203.0.113.7") && listed.contains("Test"), "{listed}");
    Ok(())
}

#[test]
fn starttls_listeners_serve_and_also_clients_that_speak_tls_at_once() -> anyhow::Result<()> {
    let site = Site::start()?;
    let phone = site.device("Phone")?;
    let mut imap = Imap::connect(site.postern.port("imap")?)?;
    assert!(
        imap.greeting.contains("LOGINDISABLED") && !imap.greeting.contains("AUTH="),
        "{}",
        imap.greeting
    );
    let refused = imap.login(ANNA, &phone.password)?;
    assert!(refused.status.starts_with("NO [PRIVACYREQUIRED]"), "{}", refused.status);
    let mut imap = imap.start_tls(&site.certificates)?;
    imap.login(ANNA, &phone.password)?.ok()?;
    let mut smtp = Smtp::connect(site.postern.port("submission")?)?.start_tls(&site.certificates)?;
    smtp.ehlo()?.expect(250)?;
    smtp.auth_plain(ANNA, &phone.password)?.expect(235)?;
    let mut at_once = Imap::connect_tls(site.postern.port("imap")?, &site.certificates)?;
    at_once.login(ANNA, &phone.password)?.ok()?;
    let mut at_once = Smtp::connect_tls(site.postern.port("submission")?, &site.certificates)?;
    at_once.ehlo()?.expect(250)?;
    at_once.auth_plain(ANNA, &phone.password)?.expect(235)?;
    Ok(())
}

#[test]
fn commands_in_clear_behind_starttls_are_never_executed() -> anyhow::Result<()> {
    let site = Site::start()?;
    let mut imap = Imap::connect(site.postern.port("imap")?)?;
    imap.wire.send(b"a STARTTLS\r\nb NOOP\r\n")?;
    assert!(!String::from_utf8_lossy(&imap.wire.rest()?).contains("b OK"));
    let mut smtp = Smtp::connect(site.postern.port("submission")?)?;
    smtp.ehlo()?.expect(250)?;
    smtp.wire.send(b"STARTTLS\r\nRSET\r\n")?;
    assert!(!String::from_utf8_lossy(&smtp.wire.rest()?).contains("250"));
    Ok(())
}

#[test]
fn commands_pipelined_behind_the_login_reach_the_store_once_and_in_order() -> anyhow::Result<()> {
    let site = Site::start()?;
    let phone = site.device("Phone")?;
    let mut imap = site.imap()?;
    let burst = format!(
        "a LOGIN {ANNA} {}\r\nb CREATE Once\r\nc SELECT Once\r\nd LOGOUT\r\n",
        phone.password
    );
    for byte in burst.as_bytes() {
        imap.wire.send(&[*byte])?;
    }
    let text = String::from_utf8(imap.wire.rest()?)?;
    let places: Vec<_> = ["a OK", "b OK", "c OK", "* BYE", "d OK"]
        .iter()
        .map(|word| text.find(word))
        .collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{text}");
    Ok(())
}

#[test]
fn the_ok_carries_the_stores_own_capabilities() -> anyhow::Result<()> {
    let site = Site::start()?;
    let phone = site.device("Phone")?;
    let mut imap = site.imap()?;
    let status = imap.login(ANNA, &phone.password)?.ok()?.status;
    let asked = imap.command("CAPABILITY")?.ok()?.untagged.remove(0);
    let list = |text: &str| {
        text.split(']')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let given: Vec<_> = list(&status)
        .into_iter()
        .skip_while(|word| !word.ends_with("CAPABILITY"))
        .skip(1)
        .collect();
    let real: Vec<_> = list(&asked).into_iter().skip(2).collect();
    assert_eq!(given, real);
    Ok(())
}

#[test]
fn whoever_may_not_log_in_hears_the_same_words_after_the_same_time() -> anyhow::Result<()> {
    let site = Site::start()?;
    let phone = site.device("Phone")?;
    site.add_mailbox("empty@example.test")?;
    site.postern.add_alias("hello@example.test", ANNA)?;
    let wrong = wrong_password(&phone.password);
    let names = [
        ANNA,
        "empty@example.test",
        "hello@example.test",
        "nobody@example.test",
        "nobody@elsewhere.test",
    ];
    let mut heard = Vec::new();
    for name in names {
        let mut imap = site.imap()?;
        let clock = Clock::system();
        let before = clock.now();
        let status = imap.login(name, &wrong)?.status;
        heard.push((status, clock.now() - before));
        let mut smtp = site.smtp()?;
        let reply = smtp.auth_plain(name, &wrong)?.expect(535)?;
        assert_eq!(
            reply.lines,
            ["5.7.8 Wrong user name or password: use the password of a device of this mailbox"],
            "{name}"
        );
    }
    for (name, (status, took)) in names.iter().zip(&heard) {
        assert_eq!(status, &heard[0].0, "{name}");
        assert!(status.starts_with("NO [AUTHENTICATIONFAILED]"), "{status}");
        assert!(
            *took >= Duration::from_millis(95),
            "{name} was answered after {took:?}, before the clock of failures"
        );
    }
    // The alias's own password is not one either, and both log and doctor say why.
    let mut imap = site.imap()?;
    let status = imap.login("hello@example.test", &phone.password)?.status;
    assert_eq!(status, heard[0].0);
    site.postern.wait_for_log(&["login refused", "alias", ANNA])?;
    site.postern.wait_for_log(&["login refused", "no_device"])?;
    let told = site.postern.cli(&["doctor", "hello@example.test"])?;
    assert!(
        told.stdout.contains("an alias of anna@example.test"),
        "{}{}",
        told.stdout,
        told.stderr
    );
    let told = site.postern.cli(&["doctor", "empty@example.test"])?;
    assert!(
        told.stdout.contains("without an active device"),
        "{}{}",
        told.stdout,
        told.stderr
    );
    Ok(())
}

#[test]
fn a_wrong_password_runs_no_hash_and_a_right_one_exactly_one() -> anyhow::Result<()> {
    let site = Site::start()?;
    let devices = (1..=20)
        .map(|n| site.device(&format!("Device {n}")))
        .collect::<Result<Vec<_>, _>>()?;
    let before = site.metric("postern_hash_runs_total")?;
    for device in &devices {
        let mut imap = site.imap()?;
        assert!(
            imap.login(ANNA, &wrong_password(&device.password))?
                .status
                .starts_with("NO")
        );
    }
    assert_eq!(site.metric("postern_hash_runs_total")? - before, 0.0);
    assert_eq!(site.metric("postern_verify_total{path=\"rejected_by_tag\"}")?, 20.0);
    drop(site.imap_as(&devices[7])?);
    assert_eq!(site.metric("postern_hash_runs_total")? - before, 1.0);
    drop(site.imap_as(&devices[7])?);
    drop(site.smtp_as(&devices[7])?);
    assert_eq!(site.metric("postern_hash_runs_total")? - before, 1.0);
    assert_eq!(site.metric("postern_verify_total{path=\"hit\"}")?, 2.0);
    Ok(())
}

#[test]
fn a_replaced_password_is_dead_at_once_with_the_cache_warm() -> anyhow::Result<()> {
    let site = Site::start()?;
    let phone = site.device("Phone")?;
    let mut live = site.imap_as(&phone)?;
    let shown = site.postern.cli(&["device", "replace", &phone.path, "--json"])?.ok()?;
    let shown: serde_json::Value = serde_json::from_str(&shown)?;
    let password = shown["password"].as_str().unwrap_or_default().to_owned();
    assert!(live.until(|line| line.starts_with("* BYE"))?.contains("new password"));
    let mut imap = site.imap()?;
    assert!(
        imap.login(ANNA, &phone.password)?
            .status
            .starts_with("NO [AUTHENTICATIONFAILED]")
    );
    imap.login(ANNA, &password)?.ok()?;
    Ok(())
}

#[test]
fn scopes_networks_and_dates_are_asked_of_the_live_record_with_the_cache_warm() -> anyhow::Result<()> {
    let site = Site::start()?;
    let phone = site.device("Phone")?;
    drop(site.smtp_as(&phone)?);
    site.postern
        .cli(&["device", "edit", &phone.path, "--scope", "imap"])?
        .ok()?;
    assert_eq!(site.smtp()?.auth_plain(ANNA, &phone.password)?.code, 535);
    drop(site.imap_as(&phone)?);
    site.postern
        .cli(&["device", "edit", &phone.path, "--network", "203.0.113.0/24"])?
        .ok()?;
    assert!(
        site.imap()?
            .login(ANNA, &phone.password)?
            .status
            .starts_with("NO [AUTHENTICATIONFAILED]")
    );
    let pinned = site.postern.add_device_with(ANNA, "Paused", &[])?;
    drop(site.imap_as(&pinned)?);
    site.postern.cli(&["device", "pause", &pinned.path])?.ok()?;
    assert!(site.imap()?.login(ANNA, &pinned.password)?.status.contains("Paused"));
    site.postern.cli(&["device", "resume", &pinned.path])?.ok()?;
    drop(site.imap_as(&pinned)?);
    site.postern.cli(&["mailbox", "suspend", ANNA])?.ok()?;
    assert!(
        site.imap()?
            .login(ANNA, &pinned.password)?
            .status
            .starts_with("NO [AUTHENTICATIONFAILED]")
    );
    Ok(())
}

#[test]
fn a_stale_phone_that_repeats_one_password_counts_once_and_keeps_nobody_out() -> anyhow::Result<()> {
    let site = Site::start()?;
    let (old, new) = (site.device("Old phone")?, site.device("New phone")?);
    site.postern.revoke(&old)?;
    for _ in 0..6 {
        let status = site.imap()?.login(ANNA, &old.password)?.status;
        assert!(
            status.contains("Old phone") && status.starts_with("NO [AUTHENTICATIONFAILED]"),
            "{status}"
        );
    }
    let wrong = wrong_password(&new.password);
    for _ in 0..6 {
        assert!(site.imap()?.login(ANNA, &wrong)?.status.starts_with("NO"));
    }
    let counted = site
        .postern
        .log()
        .lines()
        .filter(|line| line.contains("\"login.counted\":true"))
        .count();
    assert_eq!(counted, 1);
    drop(site.imap_as(&new)?);
    Ok(())
}

#[test]
fn the_third_distinct_wrong_password_ends_the_connection_and_a_repeated_one_does_not() -> anyhow::Result<()> {
    let site = Site::start()?;
    site.device("Phone")?;
    let mut imap = site.imap()?;
    for _ in 0..4 {
        assert!(imap.login(ANNA, "one wrong password")?.status.starts_with("NO"));
    }
    assert!(imap.login(ANNA, "another wrong password")?.status.starts_with("NO"));
    let last = imap.login(ANNA, "a third wrong password")?;
    assert!(last.untagged.iter().any(|line| line.starts_with("* BYE")), "{last:?}");
    assert!(last.status.starts_with("NO [AUTHENTICATIONFAILED]"));
    assert!(imap.wire.rest()?.is_empty());
    Ok(())
}

#[test]
fn too_many_sessions_of_one_device_are_refused_for_a_while_and_others_are_not() -> anyhow::Result<()> {
    let sections = QUICK.replace("[sessions]\n", "[sessions]\nmax_per_device = 2\nmax_per_mailbox = 3\n");
    let site = Site::start_with(&sections, (Login::MasterUser, Login::Xclient))?;
    let (crm, phone) = (site.device("CRM")?, site.device("Phone")?);
    let kept = [site.imap_as(&crm)?, site.imap_as(&crm)?];
    assert!(
        site.imap()?
            .login(ANNA, &crm.password)?
            .status
            .starts_with("NO [UNAVAILABLE]")
    );
    let _phone = site.imap_as(&phone)?;
    assert!(
        site.imap()?
            .login(ANNA, &phone.password)?
            .status
            .starts_with("NO [UNAVAILABLE]")
    );
    drop(kept);
    Ok(())
}

/// Another password of the right form: the first two letters change places with letters that keep it well-formed only
/// by chance, so that it is mostly a typo; a generated one of another device would match no tag either.
fn wrong_password(right: &str) -> String {
    let plain: String = right.chars().filter(|c| c.is_ascii_alphabetic()).collect();
    let typo = |c: char| if c == 'z' { 'b' } else { 'z' };
    // The checksum is recomputed by trying the last letter: exactly one of the alphabet fits.
    let head: String = typo(plain.chars().next().unwrap_or('b')).to_string() + &plain[1..15];
    "bcdfghjkmnpqrstvwxyz"
        .chars()
        .map(|check| format!("{head}{check}"))
        .find(|candidate| {
            matches!(
                postern::model::password::PlainPassword::read(candidate.as_bytes()),
                postern::model::password::Typed::Generated(_)
            )
        })
        .unwrap_or(head)
}
