//! Secrets stay where they belong: every path that a password can take is gone with everything logged, then searched.
//!
//! The search itself is the kit's, at the end of every test of the gateway; here is the test that it finds something.

use std::fs;
use std::process::Command;
use std::sync::Arc;

use ::postern::keys::Keyring;
use ::postern::model::password::PlainPassword;
use ::postern::preauth::{Credentials, Step};
use ::postern::sasl::{Exchange, Mechanism};
use ::postern::secret::Secret;
use ::postern::smtp;
use ::postern::store::Hash;
use ::postern::upstream::Strategy;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest as _, Sha256};

use crate::kit::imap::Imap;
use crate::kit::postern::{self, Login};
use crate::kit::process::{self, Process};
use crate::kit::smtp::Smtp;
use crate::kit::{secrets, wait};
use crate::site::{ANNA, QUICK, Site};

/// Everything that there is to log, of every library too.
const LOG_ALL: &str = "[log]\nformat = \"json\"\nlevel = \"trace\"\n\n";
/// A mailbox whose own password at the store Postern keeps.
const BEA: &str = "bea@example.test";
/// What people choose themselves; none of them occurs anywhere by chance.
const IMPORTED: &str = "Schneewittchen-7-Zwerge!";
const GUESSED: &str = "Rumpelstilzchen\\\"1812";
const REFUSED: &str = "Dornroeschen-in-clear";
const IN_CONFIG: &str = "Froschkoenig-in-toml";
const WRONG_UPSTREAM: &str = "Aschenputtel-upstream";

/// A site with everything logged and stored upstream passwords.
fn site() -> anyhow::Result<Site> {
    let site = Site::start_with(&format!("{LOG_ALL}{QUICK}"), (Login::Stored, Login::Stored))?;
    let own = site.dovecot.add_mailbox(BEA)?;
    site.postern.add_mailbox(BEA)?;
    for secret in [&own, IMPORTED, GUESSED, REFUSED, IN_CONFIG, WRONG_UPSTREAM] {
        site.postern.add_secret(secret);
    }
    site.postern
        .cli_with_input(&["mailbox", "upstream-secret", BEA], &own)?
        .ok()?;
    Ok(site)
}

#[test]
fn no_way_to_log_in_leaves_a_password_anywhere() -> anyhow::Result<()> {
    let site = site()?;
    let hash = import(&site)?;
    let (phone, gone) = (
        site.postern.add_device(BEA, "Phone")?,
        site.postern.add_device(BEA, "Gone")?,
    );
    let replaced = site.postern.add_device(BEA, "Replaced")?;
    site.postern.revoke(&gone)?;
    site.postern.cli(&["device", "replace", &replaced.path])?.ok()?;
    let typo = phone.password.replacen(|c| c != 'z', "z", 1);
    site.postern.add_secret(&typo);
    for (password, right) in [
        (&*phone.password, true),
        (IMPORTED, true),
        (&gone.password, false),
        (&replaced.password, false),
        (&typo, false),
        (GUESSED, false),
    ] {
        for form in 0..6 {
            // A refusal takes its time, and the ways in are the same whoever is refused.
            if right || form == password.len() % 6 {
                assert_eq!(
                    imap_says(&site, form, password)?.starts_with("OK"),
                    right,
                    "form {form}"
                );
            }
        }
        for form in 0..4 {
            if right || form == password.len() % 4 {
                assert_eq!(smtp_says(&site, form, password)? == 235, right, "form {form}");
            }
        }
    }
    misuse(&site, &phone.password)?;
    let log = site.postern.log();
    assert!(
        log.contains("TRACE") && log.contains("rustls"),
        "not everything is logged"
    );
    assert!(!log.contains(&hash) && !log.contains("$argon2"), "a hash is logged");
    Ok(())
}

/// Brings along a password of their own for BEA, and tries to bring along one in clear.
fn import(site: &Site) -> anyhow::Result<String> {
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("users");
    let salted = [
        Sha256::digest([IMPORTED.as_bytes(), b"salt"].concat()).as_slice(),
        b"salt",
    ]
    .concat();
    let hash = BASE64.encode(salted);
    let rows = format!("{BEA}:{{SSHA256}}{hash}\n{ANNA}:{{PLAIN}}{REFUSED}\n{REFUSED}\n");
    fs::write(&file, rows)?;
    let import = ["import", &file.to_string_lossy(), "--format", "passwd-file"];
    assert_eq!(site.postern.cli(&import)?.code, 1);
    site.postern.cli(&[&import[..], &["--skip-refused"]].concat())?.ok()?;
    Ok(hash)
}

fn imap_says(site: &Site, form: usize, password: &str) -> anyhow::Result<String> {
    let mut imap = site.imap()?;
    let plain = BASE64.encode(format!("\0{BEA}\0{password}"));
    let quoted = password.replace('\\', "\\\\").replace('"', "\\\"");
    let status = match form {
        0 => imap.command(&format!("LOGIN {BEA} \"{quoted}\""))?.status,
        1 => {
            let tag = imap.begin(&format!("LOGIN {BEA} {{{}}}", password.len()))?;
            imap.until(|line| line.starts_with('+'))?;
            imap.wire.send(format!("{password}\r\n").as_bytes())?;
            imap.complete(&tag)?.status
        }
        2 => {
            imap.command(&format!("LOGIN {BEA} {{{}+}}\r\n{password}", password.len()))?
                .status
        }
        3 => imap.command(&format!("AUTHENTICATE PLAIN {plain}"))?.status,
        4 => challenged(&mut imap, "PLAIN", &[plain])?,
        _ => challenged(&mut imap, "LOGIN", &[BASE64.encode(BEA), BASE64.encode(password)])?,
    };
    Ok(status)
}

fn challenged(imap: &mut Imap, mechanism: &str, lines: &[String]) -> anyhow::Result<String> {
    let tag = imap.begin(&format!("AUTHENTICATE {mechanism}"))?;
    for line in lines {
        imap.until(|line| line.starts_with('+'))?;
        imap.wire.send(format!("{line}\r\n").as_bytes())?;
    }
    Ok(imap.complete(&tag)?.status)
}

fn smtp_says(site: &Site, form: usize, password: &str) -> anyhow::Result<u16> {
    let mut smtp = site.smtp()?;
    let plain = BASE64.encode(format!("\0{BEA}\0{password}"));
    let (name, secret) = (BASE64.encode(BEA), BASE64.encode(password));
    let lines = match form {
        0 => vec![format!("AUTH PLAIN {plain}")],
        1 => vec!["AUTH PLAIN".to_owned(), plain],
        2 => vec!["AUTH LOGIN".to_owned(), name, secret],
        _ => vec![format!("AUTH LOGIN {name}"), secret],
    };
    let mut code = 0;
    for line in lines {
        code = smtp.command(&line)?.code;
    }
    Ok(code)
}

/// Passwords where none belongs, and connections that end in the middle of one.
fn misuse(site: &Site, password: &str) -> anyhow::Result<()> {
    let mut imap = site.imap()?;
    for line in [
        format!("LOGIN {password} {password}"),
        format!("LOGIN {BEA} {password} {password}"),
        format!("{password} {BEA}"),
        format!("AUTHENTICATE PLAIN {password}"),
        format!("AUTHENTICATE PLAIN {}", BASE64.encode(password)),
        format!("AUTHENTICATE {password}"),
        format!(
            "LOGIN {BEA} {{5000+}}\r\n{}",
            password.repeat(5000 / password.len() + 1)
        ),
    ] {
        let status = imap.command(&line)?.status;
        assert!(!status.starts_with("OK"), "{status}");
    }
    imap.begin(&format!("LOGIN {BEA} \"{password}\n"))?;
    imap.wire.rest()?;
    let mut smtp = site.smtp()?;
    for line in [
        password.to_owned(),
        format!("AUTH {password}"),
        format!("AUTH PLAIN {password}"),
        format!("AUTH PLAIN {}", BASE64.encode(password)),
        format!("AUTH LOGIN {}", password.repeat(1000)),
        format!("USER {BEA} {password}"),
    ] {
        let code = smtp.command(&line)?.code;
        assert!(matches!(code, 334 | 500..=599), "{code}");
    }
    site.imap()?
        .wire
        .send(format!("a LOGIN {BEA} \"{password}").as_bytes())?;
    site.smtp()?
        .wire
        .send(format!("AUTH PLAIN {}", BASE64.encode(password)).as_bytes())?;
    // In clear both are refused before anybody is asked for a password; some send it all the same.
    let mut imap = Imap::connect(site.postern.port("imap")?)?;
    assert!(imap.login(BEA, password)?.status.starts_with("NO [PRIVACYREQUIRED]"));
    let mut smtp = Smtp::connect(site.postern.port("submission")?)?;
    smtp.ehlo()?.expect(250)?;
    assert_eq!(smtp.auth_plain(BEA, password)?.code, 530);
    site.postern.wait_for_log(&["client.addr", "login refused"])?;
    Ok(())
}

#[test]
fn no_command_repeats_a_password_that_is_given_in_the_wrong_place() -> anyhow::Result<()> {
    let site = site()?;
    let phone = site.postern.add_device(BEA, "Phone")?;
    let password = &*phone.password;
    let (option, letters) = (format!("--label={password}"), password.replace('-', "").to_uppercase());
    for arguments in [
        &["device", "add", BEA, "--label", password][..],
        &["device", "add", BEA, &option],
        &["device", "show", &letters],
        &["mailbox", "create", password],
        &["org", "create", password],
        &["doctor", password],
        &[password],
    ] {
        let outcome = site.postern.cli(arguments)?;
        assert!(
            outcome.code == 2 && outcome.stderr.contains("looks like a device password"),
            "{outcome:?}"
        );
    }
    for arguments in [
        &["mailbox", "upstream-secret", BEA, WRONG_UPSTREAM][..],
        &["mailbox", "upstream-secret", BEA, "--secret", WRONG_UPSTREAM],
    ] {
        assert_eq!(site.postern.cli(arguments)?.code, 2);
    }
    site.postern.cli_with_input(
        &["mailbox", "upstream-secret", BEA],
        &format!("{WRONG_UPSTREAM}\n{WRONG_UPSTREAM}"),
    )?;
    Ok(())
}

#[test]
fn no_failure_of_store_upstream_or_configuration_tells_a_secret() -> anyhow::Result<()> {
    let mut site = site()?;
    let (phone, other) = (
        site.postern.add_device(BEA, "Phone")?,
        site.postern.add_device(ANNA, "Other")?,
    );
    let login = |site: &Site, device: &postern::Device| -> anyhow::Result<String> {
        Ok(site.imap()?.login(&device.address, &device.password)?.status)
    };
    assert!(login(&site, &phone)?.starts_with("OK"));
    // The store of record.
    let database = rusqlite::Connection::open(site.postern.data().join("postern.db"))?;
    database.execute_batch("ALTER TABLE credential RENAME TO hidden")?;
    assert!(login(&site, &phone)?.starts_with("NO [UNAVAILABLE]"));
    assert_ne!(site.postern.cli(&["device", "replace", &phone.path])?.code, 0);
    database.execute_batch("ALTER TABLE hidden RENAME TO credential")?;
    drop(database);
    // The configuration, with a password written into it in every wrong way.
    let config = fs::read_to_string(site.postern.config())?;
    let refusals = |site: &Site| site.postern.log().matches("not reloaded").count();
    for wrong in [
        format!("password = \"{IN_CONFIG}\""),
        format!("login = \"authzid\"\nuser = \"gateway\"\npassword_file = \"{IN_CONFIG}\""),
        format!("password = \"{IN_CONFIG}"),
        format!("password = {IN_CONFIG}"),
    ] {
        let broken = config.replacen("login = \"stored\"", &wrong, 1);
        assert_ne!(broken, config);
        fs::write(site.postern.config(), broken)?;
        let before = refusals(&site);
        site.postern.signal("HUP")?;
        wait::until("the reload is refused", || Ok((refusals(&site) > before).then_some(())))?;
        assert_ne!(site.postern.cli(&["reload"])?.code, 0);
        assert_ne!(site.postern.cli(&["check"])?.code, 0);
    }
    fs::write(site.postern.config(), config)?;
    // A new server key; the old one still opens what it sealed.
    site.postern.cli(&["key", "rotate", "--yes"])?.ok()?;
    site.postern.restart()?;
    assert!(login(&site, &phone)?.starts_with("OK"));
    site.postern.cli(&["device", "replace", &phone.path, "--json"])?.ok()?;
    // The mail store: no stored password, a wrong one, and nobody there.
    assert!(login(&site, &other)?.starts_with("NO [UNAVAILABLE]"));
    site.postern
        .cli_with_input(&["mailbox", "upstream-secret", ANNA], WRONG_UPSTREAM)?
        .ok()?;
    assert!(login(&site, &other)?.starts_with("NO [UNAVAILABLE]"));
    site.postern.wait_for_log(&["upstream login failed", "refused"])?;
    site.dovecot.stop()?;
    assert!(login(&site, &other)?.starts_with("NO [UNAVAILABLE]"));
    Ok(())
}

#[test]
fn the_search_finds_a_secret_wherever_and_however_it_is_written() -> anyhow::Result<()> {
    let mut site = Site::start()?;
    let phone = site.device("Phone")?;
    let leak = site.postern.data().join("leak");
    let plain = BASE64.encode(format!("\0{ANNA}\0{}", phone.password));
    for form in [
        phone.password.clone(),
        phone.password.replace('-', "").to_uppercase(),
        plain,
        format!("{:?}", phone.password.as_bytes()),
    ] {
        fs::write(&leak, format!("before {form} behind"))?;
        let found = site.postern.search_secrets().unwrap_err().to_string();
        assert!(
            found.contains("/data/leak") && !found.contains(&phone.password),
            "{found}"
        );
    }
    fs::remove_file(&leak)?;
    assert!(secrets::forms("short").is_empty());
    site.postern.search_secrets()
}

/// The command without any of root's rights but root's name, so that it may do no more than a user may.
fn unprivileged(program: impl AsRef<std::ffi::OsStr>) -> Command {
    if !process::is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--bounding-set=-all", "--inh-caps=-all", "--"])
        .arg(program);
    command
}

#[test]
fn the_daemon_leaves_no_core_dump_and_nobody_reads_its_memory() -> anyhow::Result<()> {
    let mut site = Site::start()?;
    site.postern.stop()?;
    let dir = tempfile::tempdir()?;
    let log = dir.path().join("log");
    // As many octets of core dump as the system allows, so that there is something to forbid.
    let script = "ulimit -c \"$(ulimit -H -c)\" && exec \"$@\"";
    let mut command = unprivileged("sh");
    command.args(["-c", script, "sh"]).arg(postern::program()?);
    command.arg("--config").arg(site.postern.config()).arg("serve");
    let mut daemon = Process::start("postern", command, &log)?;
    daemon.ready(|| fs::read_to_string(&log).ok().filter(|log| log.contains("\"ready\"")))?;
    let mut command = unprivileged("sleep");
    command.arg("600");
    let sleep = Process::start("sleep", command, &log)?;

    let limits = fs::read_to_string(format!("/proc/{}/limits", daemon.id()))?;
    let core = limits.lines().find_map(|line| line.strip_prefix("Max core file size"));
    let core: Vec<_> = core.unwrap_or_default().split_whitespace().collect();
    assert_eq!(core, ["0", "0", "bytes"]);
    // The kernel asks for a process's memory and for its environment what it asks before ptrace.
    let environment = |id: u32| unprivileged("cat").arg(format!("/proc/{id}/environ")).output();
    wait::until("another process's environment can be read", || {
        Ok(environment(sleep.id())?.status.success().then_some(()))
    })?;
    let read = environment(daemon.id())?;
    let refused = String::from_utf8_lossy(&read.stderr).contains("Permission denied");
    assert!(
        refused && read.stdout.is_empty(),
        "the daemon's environment can be read"
    );
    Ok(())
}

#[test]
fn after_the_logins_nothing_of_ours_holds_their_passwords() -> anyhow::Result<()> {
    let site = site()?;
    let phone = site.postern.add_device(BEA, "Phone")?;
    // Clients send the form with dashes, of which the TLS library keeps pieces in freed memory that nobody can wipe
    // from here. The letters without them exist only where the verifier works.
    let letters = phone.password.replace('-', "");
    for form in 0..6 {
        assert!(imap_says(&site, form, &phone.password)?.starts_with("OK"));
    }
    for form in 0..4 {
        assert_eq!(smtp_says(&site, form, &phone.password)?, 235);
    }
    let id = site.postern.id().unwrap_or_default();
    assert!(memory_holds(id, BEA)?, "the memory was not read");
    wait::until("the password is gone from memory", || {
        Ok((!memory_holds(id, &letters)?).then_some(()))
    })
}

/// Whether a text is anywhere in the writable memory of a process.
fn memory_holds(id: u32, text: &str) -> anyhow::Result<bool> {
    let as_root = |program: &str, arguments: &[String]| process::as_root(program).args(arguments).output();
    let maps = as_root("cat", &[format!("/proc/{id}/maps")])?.stdout;
    for region in String::from_utf8(maps)?.lines().filter(|line| line.contains(" rw")) {
        let range = region
            .split([' ', '-'])
            .take(2)
            .map(|address| u64::from_str_radix(address, 16));
        let [from, to] = range.collect::<Result<Vec<_>, _>>()?[..] else {
            anyhow::bail!("no range of addresses: {region}");
        };
        let dd = [
            format!("if=/proc/{id}/mem"),
            "bs=4096".to_owned(),
            format!("skip={}", from / 4096),
            format!("count={}", (to - from) / 4096),
        ];
        if memchr::memmem::find(&as_root("dd", &dd)?.stdout, text.as_bytes()).is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

#[test]
fn debug_output_of_what_carries_a_secret_has_none() -> anyhow::Result<()> {
    let secret = "kqzm-xwdp-hpdt-vnrc";
    let octets = || Secret::new(secret.as_bytes().to_vec());
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("server.key");
    let keys = Keyring::create(&path)?;
    let key = fs::read_to_string(&path)?;
    let key = BASE64.decode(key.trim_end().rsplit(' ').next().unwrap_or_default())?;
    let verified = PlainPassword::generate(&mut |octets| octets.fill(7));
    // People type their password where the name belongs, too.
    let credentials = Credentials::new(secret.as_bytes(), Some(secret.as_bytes()), octets(), "PLAIN");
    let named = Exchange::start(Mechanism::Login, Some(BASE64.encode(secret).as_bytes()))?;
    let plain = || smtp::client::Plain {
        authzid: String::new(),
        authcid: "gateway".to_owned(),
        password: octets(),
    };
    let strategy = Strategy::Authzid {
        user: "gateway".to_owned(),
        password: Arc::new(octets()),
    };
    let line = format!("AUTH PLAIN {secret}");
    let shown = [
        format!("{:?}", octets()),
        format!("{:?}", Step::Verify(credentials)),
        format!("{named:?}"),
        format!("{strategy:?}"),
        format!("{:?} {:?}", plain(), smtp::client::Login::Plain(plain())),
        format!("{:?}", smtp::client::Step::Send(octets())),
        format!("{:?}", smtp::command::Command::read(line.as_bytes())),
        format!("{:?}", Hash(secret.to_owned())),
        format!("{verified:?} {:?}", verified.shown()),
        format!("{keys:?}"),
    ];
    for shown in shown {
        let letters = String::from_utf8(verified.canonical().to_vec())?;
        for form in [secret, &letters].into_iter().flat_map(secrets::forms) {
            let form = String::from_utf8(form)?;
            assert!(!shown.contains(&form), "{shown}");
        }
        let numbers: Vec<_> = key.iter().map(u8::to_string).collect();
        assert!(!shown.contains(&numbers.join(", ")), "{shown}");
    }
    Ok(())
}
