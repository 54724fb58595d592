//! `import` for real: hashes made by the tools that people's old systems used, then logins with the old passwords.

use std::process::Command;

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use postern::clock::{Clock, Timestamp};
use rusqlite::{Connection, OpenFlags};

use crate::kit::imap::Imap;
use crate::kit::postern::{Device, Postern};
use crate::kit::wait;
use crate::site::Site;

/// Dovecot's schemes, made by `doveadm pw`.
const DOVECOT_SCHEMES: [&str; 9] = [
    "BLF-CRYPT",
    "SHA512-CRYPT",
    "SHA256-CRYPT",
    "ARGON2ID",
    "ARGON2I",
    "SSHA",
    "SSHA256",
    "SSHA512",
    "PBKDF2",
];

/// People chose it: a space, capitals, no form of ours.
fn password(number: usize) -> String {
    format!("Old Pass-{number} of mine")
}

fn printed(program: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .context(program.to_owned())?;
    ensure!(
        output.status.success(),
        "{program}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// libcrypt's yescrypt with Debian's settings, as /etc/shadow has it.
fn yescrypt(password: &str) -> anyhow::Result<String> {
    let script = "print crypt($ARGV[0], q($y$j9T$F5Jx5fExrKuPp53xLKQ..1))";
    printed("perl", &["-e", script, password])
}

/// PBKDF2 by OpenSSL, written as passlib does.
fn passlib(digest: &str, octets: usize, password: &str) -> anyhow::Result<String> {
    let (salt, rounds) = ([0xfb_u8, 0xef, 0xbe, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13], 29_000);
    let hex: String = salt.iter().map(|octet| format!("{octet:02x}")).collect();
    let options = [
        ("-keylen", octets.to_string()),
        ("-kdfopt", format!("digest:{}", digest.to_uppercase())),
        ("-kdfopt", format!("pass:{password}")),
        ("-kdfopt", format!("hexsalt:{hex}")),
        ("-kdfopt", format!("iter:{rounds}")),
    ];
    let arguments: Vec<&str> = ["kdf"]
        .into_iter()
        .chain(options.iter().flat_map(|(name, value)| [*name, value.as_str()]))
        .chain(["PBKDF2"])
        .collect();
    let key = printed("openssl", &arguments)?;
    let key: Vec<u8> = key
        .split(':')
        .map(|pair| u8::from_str_radix(pair, 16))
        .collect::<Result<_, _>>()?;
    let encoded = |octets: &[u8]| BASE64.encode(octets).replace('+', ".");
    Ok(format!(
        "$pbkdf2-{digest}${rounds}${}${}",
        encoded(&salt),
        encoded(&key)
    ))
}

/// The hash of the device's credential in use.
fn stored_hash(postern: &Postern, address: &str) -> anyhow::Result<String> {
    let path = postern.data().join("postern.db");
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let query =
        "SELECT c.hash FROM credential c JOIN mailbox m ON m.id = c.mailbox_id JOIN address a ON a.mailbox_id = m.id
                 WHERE a.address = ?1 AND c.retired_at IS NULL";
    Ok(database.query_row(query, [address], |row| row.get(0))?)
}

fn write(site: &Site, name: &str, text: &str) -> anyhow::Result<String> {
    let path = site.postern.data().join(name);
    std::fs::write(&path, text)?;
    Ok(path.display().to_string())
}

#[test]
fn passwords_hashed_by_real_tools_log_in_once_imported_and_become_argon2id() -> anyhow::Result<()> {
    let mut site = Site::start()?;
    let mut old: Vec<(String, String)> = Vec::new();
    for scheme in DOVECOT_SCHEMES {
        let secret = password(old.len());
        old.push((printed("doveadm", &["-O", "pw", "-s", scheme, "-p", &secret])?, secret));
    }
    let secret = password(old.len());
    old.push((yescrypt(&secret)?, secret));
    for (digest, octets) in [("sha256", 32), ("sha512", 64)] {
        let secret = password(old.len());
        old.push((passlib(digest, octets, &secret)?, secret));
    }
    let address = |number: usize| format!("old{number}@{}", crate::site::DOMAIN);
    // Half comes as Dovecot's file with names without a domain, half as CSV.
    let (mut passwd, mut table) = (String::new(), "address,hash\n".to_owned());
    for (number, (hash, _)) in old.iter().enumerate() {
        site.dovecot.add_mailbox(&address(number))?;
        if number % 2 == 0 {
            passwd.push_str(&format!("old{number}:{hash}:1000:1000::/home/old{number}::\n"));
        } else {
            table.push_str(&format!("{},\"{hash}\"\n", address(number)));
        }
    }
    let (passwd, table) = (write(&site, "users", &passwd)?, write(&site, "users.csv", &table)?);
    let options = [
        "--format",
        "passwd-file",
        "--domain",
        crate::site::DOMAIN,
        "--expires",
        "90d",
    ];
    site.postern
        .cli(&[&["import", &passwd], options.as_slice()].concat())?
        .ok()?;
    site.postern.cli(&["import", &table, "--format", "csv"])?.ok()?;

    for (number, (hash, secret)) in old.iter().enumerate() {
        let imported = stored_hash(&site.postern, &address(number))?;
        assert!(!imported.starts_with("$argon2id$"), "{hash}: {imported}");
        let device = Device {
            path: String::new(),
            address: address(number),
            password: secret.clone(),
        };
        let mut imap = site.imap_as(&device).with_context(|| hash.clone())?;
        imap.command("SELECT INBOX")?.ok()?;
        let mut smtp = site.smtp_as(&device).with_context(|| hash.clone())?;
        smtp.command(&format!("MAIL FROM:<{}>", device.address))?.expect(250)?;
        wait::until("the hash is made anew", || {
            let hash = stored_hash(&site.postern, &device.address)?;
            Ok(hash.starts_with("$argon2id$").then_some(()))
        })?;
    }
    // From the new hash alone: a fresh process remembers nothing.
    site.postern.restart()?;
    for (number, (_, secret)) in old.iter().enumerate().step_by(4) {
        let device = Device {
            path: String::new(),
            address: address(number),
            password: secret.clone(),
        };
        site.imap_as(&device)?;
        let wrong = site.imap()?.login(&device.address, "Old Pass of nobody")?;
        assert!(wrong.status.starts_with("NO [AUTHENTICATIONFAILED]"), "{wrong:?}");
    }
    let log = site.postern.log();
    assert!(
        old.iter()
            .all(|(hash, secret)| !log.contains(secret.as_str()) && !log.contains(hash.as_str()))
    );
    Ok(())
}

#[test]
fn an_imported_password_ends_at_its_date_with_its_sessions() -> anyhow::Result<()> {
    let site = Site::start()?;
    let secret = password(0);
    let hash = printed("doveadm", &["-O", "pw", "-s", "SHA512-CRYPT", "-p", &secret])?;
    let device = Device {
        path: String::new(),
        address: crate::site::ANNA.to_owned(),
        password: secret,
    };
    // Time enough for one login on a busy machine.
    let Timestamp(now) = Clock::system().utc();
    let end = jiff::Timestamp::from_millisecond(now + 8_000)?;
    let table = write(
        &site,
        "users.csv",
        &format!("address,hash,expires\n{},\"{hash}\",{end}\n", device.address),
    )?;
    site.postern.cli(&["import", &table, "--format", "csv"])?.ok()?;
    let mut imap: Imap = site.imap_as(&device)?;
    imap.command("SELECT INBOX")?.ok()?;
    imap.idle()?;
    let goodbye = imap.until(|response| response.starts_with("* BYE"))?;
    assert!(goodbye.contains("has ended"), "{goodbye}");
    let refused = site.imap()?.login(&device.address, &device.password)?;
    assert!(refused.status.starts_with("NO [AUTHENTICATIONFAILED]"), "{refused:?}");
    site.smtp()?
        .auth_plain(&device.address, &device.password)?
        .expect(535)?;
    site.postern.wait_for_log(&["session ended", "\"expired\""])?;
    Ok(())
}

#[test]
fn a_refused_row_leaves_nothing_behind_not_even_a_mailbox() -> anyhow::Result<()> {
    let site = Site::start()?;
    let hash = printed("doveadm", &["-O", "pw", "-s", "SSHA512", "-p", "whatever it was"])?;
    let text = format!("new1:{hash}\nnew2:{{PLAIN}}whatever it was\n\nnew1:{hash}\nnew3:{hash}\n");
    let file = write(&site, "users", &text)?;
    let options = [
        "import",
        &file,
        "--format",
        "passwd-file",
        "--domain",
        crate::site::DOMAIN,
        "--json",
    ];
    let state = || -> anyhow::Result<String> {
        let lists: Vec<String> = [["mailbox", "list"].as_slice(), &["device", "list"], &["audit"]]
            .iter()
            .map(|list| site.postern.cli(&[list, ["--json"].as_slice()].concat())?.ok())
            .collect::<anyhow::Result<_>>()?;
        Ok(lists.concat())
    };
    let before = state()?;
    let refused = site.postern.cli(&options)?;
    assert_eq!(refused.code, 1, "{refused:?}");
    let value: serde_json::Value = serde_json::from_str(&refused.stdout)?;
    let lines: Vec<u64> = value["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["line"].as_u64().unwrap())
        .collect();
    assert_eq!((lines, &value["imported"]), (vec![2, 4], &serde_json::json!(0)));
    assert!(!refused.stdout.contains("whatever"), "{refused:?}");
    assert_eq!(state()?, before);
    let skipped = [options.as_slice(), &["--skip-refused", "--dry-run"]].concat();
    site.postern.cli(&skipped)?.ok()?;
    assert_eq!(state()?, before);
    Ok(())
}
