//! What strangers send before login: each gets a refusal that fits the protocol or a close, within its limit.

use std::fs;
use std::net::SocketAddr;
use std::sync::Barrier;
use std::thread;

use anyhow::Context as _;
use socket2::{Domain, Socket, Type};

use crate::kit::imap::Imap;
use crate::kit::postern::Login;
use crate::kit::wire::Wire;
use crate::site::{ANNA, QUICK, Site};

/// Octets of one hostile stream; far more than any limit.
const FLOOD_BYTES: usize = 32 << 20;
/// What one hostile stream may add to the daemon's memory.
const GROWTH_KIB: u64 = 8 * 1024;

fn short(before_login: &str) -> anyhow::Result<Site> {
    Site::start_with(
        &format!("{QUICK}\n[before_login]\n{before_login}\n"),
        (Login::MasterUser, Login::Xclient),
    )
}

fn resident_kib(site: &Site) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", site.postern.id().unwrap_or_default()))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap_or_default();
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

#[test]
fn endless_input_of_every_kind_ends_the_connection_with_memory_bounded() -> anyhow::Result<()> {
    let site = Site::start()?;
    let (line, literal) = ([b'a'; 4096], b"a LOGIN {4096+}\r\n".repeat(64));
    let floods: [(&str, &[u8]); 8] = [
        ("imaps", &line),
        ("imaps", &literal),
        ("imaps", b"a NOOP\r\n"),
        ("imaps", b"a ID (\"k\" \"v\"\r\n"),
        ("imaps", b"\0\0\0\0\0\0\0\0\0\0"),
        ("submissions", &line),
        ("submissions", b"NOOP\r\n"),
        ("submissions", b"AUTH LOGIN\r\n\r\n"),
    ];
    let before = resident_kib(&site)?;
    for (listener, chunk) in floods {
        let mut wire = Wire::connect_tls(site.postern.port(listener)?, &site.certificates)?;
        let block = chunk.repeat(65_536 / chunk.len());
        let mut sent = 0;
        while sent < FLOOD_BYTES && wire.send(&block).is_ok() {
            sent += block.len();
        }
        assert!(
            sent < FLOOD_BYTES,
            "{listener} took {sent} octets of {:?}",
            String::from_utf8_lossy(&chunk[..8])
        );
    }
    let grown = resident_kib(&site)?.saturating_sub(before);
    assert!(grown < GROWTH_KIB, "grown by {grown} KiB");
    site.imap()?.command("NOOP")?.ok()?;
    Ok(())
}

#[test]
fn silence_and_one_octet_at_a_time_end_with_the_time_to_log_in() -> anyhow::Result<()> {
    let site = short("time = \"1s\"\ncommands = 1000000\nbytes = \"4096 KiB\"")?;
    let mut silent = site.imap()?;
    assert!(String::from_utf8(silent.wire.rest()?)?.starts_with("* BYE"));
    let mut smtp = site.smtp()?;
    assert_eq!(smtp.reply()?.code, 421);
    // Commands in between buy no time.
    let mut busy = site.imap()?;
    let last = loop {
        if let Err(error) = busy.command("NOOP") {
            break format!("{error:#}");
        }
    };
    assert!(last.contains("BYE Too long without login"), "{last}");
    // Not even a TLS handshake.
    let mut mute = Wire::connect(site.postern.port("imaps")?)?;
    assert!(mute.rest()?.is_empty());
    let mut drip = Wire::connect_tls(site.postern.port("submissions")?, &site.certificates)?;
    while drip.send(b"N").is_ok() && drip.line().is_ok() {}
    Ok(())
}

#[test]
fn slow_strangers_lose_their_places_sooner_while_half_of_them_are_taken() -> anyhow::Result<()> {
    let sections = format!(
        "{QUICK}\n[limits]\nbefore_login = 4\n\n[before_login]\nstress_time = \"500ms\"\nhandshake_time = \"1s\"\n"
    );
    let site = Site::start_with(&sections, (Login::MasterUser, Login::Xclient))?;
    let phone = site.device("Phone")?;
    let mut early = [site.imap()?, site.imap()?];
    let mut late = site.imap()?;
    assert!(String::from_utf8(late.wire.rest()?)?.starts_with("* BYE Too long without login"));
    for imap in &mut early {
        imap.command("NOOP")?.ok()?;
    }
    // A client that connects and never speaks TLS has its own limit.
    assert!(
        Wire::connect(site.postern.port("imaps")?)?
            .rest()
            .map_or(true, |rest| rest.is_empty())
    );
    early[0].login(ANNA, &phone.password)?.ok()?;
    Ok(())
}

#[test]
fn http_requests_get_nothing_back() -> anyhow::Result<()> {
    let site = Site::start()?;
    for (listener, greeting) in [("imaps", "* OK"), ("submissions", "220")] {
        let mut wire = Wire::connect_tls(site.postern.port(listener)?, &site.certificates)?;
        wire.send(b"POST /<script>alert(1)</script> HTTP/1.1\r\nHost: mail\r\n\r\n")?;
        let text = String::from_utf8(wire.rest()?)?;
        assert!(text.starts_with(greeting) && text.lines().count() == 1, "{text}");
    }
    Ok(())
}

#[test]
fn a_thousand_wrong_passwords_hash_nothing_and_the_owner_still_gets_in() -> anyhow::Result<()> {
    let site = Site::start_with(
        &format!(
            "{}\n[limits]\nconnections_per_network = 1000\n",
            QUICK.replace("100ms", "2ms").replace("400ms", "5ms")
        ),
        (Login::MasterUser, Login::Xclient),
    )?;
    let phone = site.device("Phone")?;
    let before = site.metric("postern_hash_runs_total")?;
    let mut failed = 0;
    while failed < 1000 {
        let mut imap = site.imap()?;
        for _ in 0..3 {
            let answer = imap.login(ANNA, &format!("guess number {failed}"))?;
            // From some point on the gateway does not look at unproved secrets any more, and says so.
            let refused = answer.status.starts_with("NO [AUTHENTICATIONFAILED]");
            assert!(
                refused || (failed > 10 && answer.status.starts_with("NO [UNAVAILABLE]")),
                "{answer:?}"
            );
            failed += 1;
        }
        assert!(imap.wire.rest()?.is_empty());
    }
    assert_eq!(site.metric("postern_hash_runs_total")? - before, 0.0);
    site.imap_as(&phone)?;
    Ok(())
}

#[test]
fn a_proxy_listener_believes_only_whole_and_correct_headers() -> anyhow::Result<()> {
    let site = short("time = \"5s\"")?;
    let port = site.postern.port("imaps-proxy")?;
    for header in [
        "PROXY TCP4 1.2.3.4 127.0.0.1 4711\r\n",
        "PROXY TCP4 01.2.3.4 127.0.0.1 1 2\r\n",
        "HELLO\r\n",
    ] {
        let mut wire = Wire::connect(port)?;
        wire.send(header.as_bytes())?;
        assert!(wire.rest().map_or(true, |rest| rest.is_empty()), "{header:?}");
    }
    let mut v2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
    v2.extend_from_slice(&[203, 0, 113, 9, 127, 0, 0, 1, 0x12, 0x67, 0x03, 0xe1]);
    let mut wire = Wire::connect(port)?;
    for octet in v2 {
        wire.send(&[octet])?;
    }
    let mut imap = Imap::greeted(wire.into_tls(&site.certificates)?)?;
    let device = site
        .postern
        .add_device_with(ANNA, "Pinned", &["--network", "203.0.113.9"])?;
    imap.login(ANNA, &device.password)?.ok()?;
    Ok(())
}

#[test]
fn a_proxy_listener_hears_nobody_but_its_balancers_and_waits_for_no_header_for_long() -> anyhow::Result<()> {
    let sections = format!("{QUICK}\n[limits]\nproxy_header_time = \"300ms\"\n");
    let site = Site::start_with(&sections, (Login::MasterUser, Login::Xclient))?;
    let port = site.postern.port("imaps-proxy")?;
    // Another address of this machine, which the listener was not told of.
    let stranger = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    stranger.bind(&SocketAddr::from(([127, 0, 0, 2], 0)).into())?;
    stranger.connect(&SocketAddr::from(([127, 0, 0, 1], port)).into())?;
    let mut wire = Wire::over(stranger.into())?;
    // By a reset, where the header was not read.
    let _ = wire.send(b"PROXY TCP4 203.0.113.7 127.0.0.1 4711 993\r\n");
    assert!(wire.rest().map_or(true, |rest| rest.is_empty()));
    site.postern.wait_for_log(&["proxy_not_trusted"])?;

    for begun in ["", "PROXY TCP4 203.0.113.7", "\r\n\r\n\0\r\nQUIT\n"] {
        let mut wire = Wire::connect(port)?;
        wire.send(begun.as_bytes())?;
        assert!(wire.rest()?.is_empty(), "{begun:?}");
    }
    site.postern.wait_for_log(&["proxy_header"])?;
    // And where none is expected, none is believed.
    let mut imap = Imap::connect(site.postern.port("imap")?)?;
    imap.wire.send(b"PROXY TCP4 203.0.113.7 127.0.0.1 4711 143\r\n")?;
    assert!(imap.response()?.starts_with("PROXY BAD "));
    let phone = site.device("Phone")?;
    let mut imap = imap.start_tls(&site.certificates)?;
    imap.login(ANNA, &phone.password)?.ok()?;
    let listed = site.postern.cli(&["session", "list", "--json"])?.ok()?;
    assert!(
        listed.contains("127.0.0.1") && !listed.contains("203.0.113"),
        "{listed}"
    );
    Ok(())
}

#[test]
fn connections_over_a_cap_are_turned_away_and_the_rest_goes_on() -> anyhow::Result<()> {
    let sections = format!("{QUICK}\n[limits]\nbefore_login_per_network = 3\n");
    let site = Site::start_with(&sections, (Login::MasterUser, Login::Xclient))?;
    let phone = site.device("Phone")?;
    let mut waiting = [site.imap()?, site.imap()?, site.imap()?];
    let refused = Imap::connect(site.postern.port("imap")?)?;
    assert!(
        refused.greeting.starts_with("* BYE [UNAVAILABLE]"),
        "{}",
        refused.greeting
    );
    assert!(site.imap().is_err());
    waiting[0].login(ANNA, &phone.password)?.ok()?;
    // A client that logged in makes room for another one.
    site.imap()?;
    Ok(())
}

#[test]
fn logins_at_the_same_moment_cannot_outrun_the_cap_of_a_device() -> anyhow::Result<()> {
    let sections = QUICK.replace("[sessions]\n", "[sessions]\nmax_per_device = 1\n");
    let site = Site::start_with(&sections, (Login::MasterUser, Login::Xclient))?;
    let phone = site.device("Phone")?;
    let (ready, done) = (Barrier::new(8), Barrier::new(8));
    let admitted = thread::scope(|scope| {
        let login = || -> anyhow::Result<bool> {
            let mut imap = site.imap();
            ready.wait();
            let answer = imap
                .as_mut()
                .ok()
                .map(|imap| imap.login(&phone.address, &phone.password));
            // Nobody leaves before everybody was answered.
            done.wait();
            let status = answer.context("no connection")??.status;
            assert!(
                status.starts_with("OK") || status.starts_with("NO [UNAVAILABLE]"),
                "{status}"
            );
            Ok(status.starts_with("OK"))
        };
        let logins: Vec<_> = (0..8).map(|_| scope.spawn(login)).collect();
        logins
            .into_iter()
            .map(|login| login.join().map_err(|_| anyhow::anyhow!("a login panicked"))?)
            .collect::<anyhow::Result<Vec<bool>>>()
    })?;
    assert!(
        admitted.iter().filter(|admitted| **admitted).count() <= 1,
        "{admitted:?}"
    );
    Ok(())
}
