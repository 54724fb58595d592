//! User names as mail programs and people write them: every spelling is one mailbox, for logins and for failures.

use crate::kit::postern::Login;
use crate::site::{ANNA, DOMAIN, QUICK, Site};

/// A domain with an umlaut, as people and as the DNS write it.
const UMLAUT: &str = "anna@b\u{fc}cher.test";
const PUNYCODE: &str = "anna@xn--bcher-kva.test";

/// The same mailbox as [`ANNA`].
const SPELLINGS: [&str; 10] = [
    ANNA,
    "ANNA@EXAMPLE.TEST",
    "Anna@Example.Test",
    "  anna@example.test ",
    "anna@example.test\u{a0}",
    "mailto:anna@example.test",
    "MailTo: Anna@example.test",
    // Outlook Express, for servers that took no @.
    "anna%example.test",
    "anna#example.test",
    "Anna",
];

fn site() -> anyhow::Result<Site> {
    let sections = format!("{QUICK}\n[passwords]\ndefault_domain = \"{DOMAIN}\"\n");
    Site::start_with(&sections, (Login::MasterUser, Login::Xclient))
}

#[test]
fn every_spelling_of_a_name_opens_the_same_mailbox() -> anyhow::Result<()> {
    let site = site()?;
    site.postern
        .cli(&["domain", "create", "b\u{fc}cher.test", "--org", "Example"])?
        .ok()?;
    site.postern.add_mailbox(UMLAUT)?;
    site.dovecot.add_mailbox(PUNYCODE)?;
    let (phone, of_umlaut) = (site.device("Phone")?, site.postern.add_device(UMLAUT, "Phone")?);
    let umlauts = [
        UMLAUT,
        "Anna@B\u{dc}CHER.test",
        "anna@bu\u{308}cher.test",
        PUNYCODE,
        "ANNA@XN--BCHER-KVA.TEST",
        "mailto:anna@b\u{fc}cher.test",
    ];
    let mut opened = Vec::new();
    let all = SPELLINGS.map(|name| (name, &phone, ANNA));
    for (name, device, canonical) in all.into_iter().chain(umlauts.map(|name| (name, &of_umlaut, PUNYCODE))) {
        let mut imap = site.imap()?;
        let answer = imap.login(name, &device.password)?;
        assert!(answer.status.starts_with("OK"), "{name:?}: {answer:?}");
        imap.command("LOGOUT")?.ok()?;
        let reply = site.smtp()?.auth_plain(name, &device.password)?;
        assert_eq!(reply.code, 235, "{name:?}: {reply:?}");
        opened.push(canonical);
    }
    // The store was told the names of our own records.
    site.dovecot.wait_for_log(&[&format!("user=<{PUNYCODE}>")])?;
    let log = site.dovecot.log();
    let seen: Vec<_> = log
        .split("Login: user=<")
        .skip(1)
        .filter_map(|rest| rest.split('>').next())
        .collect();
    assert_eq!(seen, opened);
    Ok(())
}

#[test]
fn forms_that_name_two_mailboxes_or_a_windows_domain_grant_nothing() -> anyhow::Result<()> {
    let site = site()?;
    let phone = site.device("Phone")?;
    let expect = site.smtp()?.auth_plain(ANNA, "a wrong password")?;
    for name in [
        "EXAMPLE\\anna",
        "anna@example.test\\info@example.test",
        "anna@example.test*gateway",
        "anna@example.test%gateway",
        "anna@example.test,info@example.test",
        "\"anna\"@example.test",
        "anna@@example.test",
        "anna@elsewhere.test",
        "anna\u{200b}@example.test",
        "mailto:",
        "*",
    ] {
        let reply = site.smtp()?.auth_plain(name, &phone.password)?;
        assert_eq!((reply.code, reply.lines), (535, expect.lines.clone()), "{name:?}");
    }
    Ok(())
}

#[test]
fn one_wrong_password_under_every_spelling_is_one_failure_and_costs_no_connection() -> anyhow::Result<()> {
    let site = site()?;
    site.device("Phone")?;
    let mut imap = site.imap()?;
    for name in SPELLINGS {
        let status = imap.login(name, "an old password")?.status;
        assert!(status.starts_with("NO [AUTHENTICATIONFAILED]"), "{name:?}: {status}");
    }
    imap.command("NOOP")?.ok()?;
    let counted = site.postern.log().matches("\"login.counted\":true").count();
    assert_eq!(counted, 1);
    Ok(())
}
