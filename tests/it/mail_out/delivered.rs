//! Every kind of mail arrives, in both languages, and reads as it was meant.

use std::net::{IpAddr, Ipv4Addr};

use ::postern::clock::Clock;
use ::postern::model::{Address, Language, MailboxId, OrgId};
use ::postern::outbox::{
    Access, AccessGiven, AccessWithdrawn, AddressConfirmed, Content, DeviceAdded, PasswordReset, SignInChange,
    SignInChanged, Test,
};
use anyhow::Context as _;
use serde_json::Value;

use super::post::{LUCIE, ORIGIN, Post, SENDER, in_days, parsed};

fn notices() -> anyhow::Result<Vec<Content>> {
    let (at, from) = (Clock::system().utc(), Some(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7))));
    let mailbox = Address::parse("contact@acme.test")?;
    let (by, org) = ("Zoë \"Z\" O'Hara".to_owned(), "Café <Acme> & Söhne".to_owned());
    Ok(vec![
        Content::SignInChanged(SignInChanged {
            address: Address::parse(LUCIE)?,
            change: SignInChange::Password,
            at,
            from,
        }),
        Content::AddressConfirmed(AddressConfirmed {
            old: Address::parse(LUCIE)?,
            new: Address::parse("lucie@new.test")?,
            at,
            from,
        }),
        Content::AccessGiven(AccessGiven {
            by: by.clone(),
            org: org.clone(),
            access: Access {
                mailbox: mailbox.clone(),
                rights: "see-devices,send-as".parse()?,
                ends_at: Some(in_days(30)),
            },
        }),
        Content::AccessWithdrawn(AccessWithdrawn {
            by: by.clone(),
            org,
            mailboxes: vec![mailbox.clone()],
            devices: vec!["Lucie’s iPhone".to_owned()],
            left: false,
        }),
        Content::DeviceAdded(DeviceAdded {
            by,
            org: OrgId::from_raw(1),
            mailbox: MailboxId::from_raw(2),
            address: mailbox,
            device: "שולחן".to_owned(),
            at,
            set_up: None,
        }),
        Content::Test(Test {
            host: "mail.example.test".to_owned(),
            at,
        }),
    ])
}

fn header<'a>(mail: &'a Value, name: &str) -> anyhow::Result<&'a str> {
    let values = mail["headers"][name].as_array().with_context(|| format!("no {name}"))?;
    assert_eq!(values.len(), 1, "{name}: {values:?}");
    values[0].as_str().context("a text")
}

fn part<'a>(mail: &'a Value, kind: &str) -> anyhow::Result<&'a str> {
    let parts = mail["parts"].as_array().context("no parts")?;
    let part = parts.iter().find(|part| part["type"] == kind);
    part.and_then(|part| part["text"].as_str())
        .with_context(|| format!("no part {kind}"))
}

/// What every mail has, whatever it tells.
fn check(mail: &Value, id: &str, language: &str) -> anyhow::Result<()> {
    assert_eq!(mail["defects"], serde_json::json!([]), "{mail}");
    assert_eq!(mail["type"], "multipart/alternative");
    let types: Vec<_> = mail["parts"]
        .as_array()
        .context("parts")?
        .iter()
        .map(|part| &part["type"])
        .collect();
    assert_eq!(types, ["text/plain", "text/html"], "the richest comes last");
    assert_eq!(header(mail, "from")?, format!("Postern <{SENDER}>"));
    assert_eq!(header(mail, "to")?, LUCIE);
    assert_eq!(header(mail, "message-id")?, format!("<{id}@mail.example.test>"));
    assert_eq!(header(mail, "auto-submitted")?, "auto-generated");
    assert_eq!(header(mail, "content-language")?, language);
    assert!(header(mail, "date")?.ends_with(" +0000"));
    assert!(part(mail, "text/html")?.contains(&format!("<html lang=\"{language}\">")));
    Ok(())
}

#[test]
fn every_notice_arrives_in_both_languages() -> anyhow::Result<()> {
    let post = Post::start(Vec::new())?;
    let mut put = Vec::new();
    for language in Language::ALL {
        for content in notices()? {
            put.push((post.put(&content, LUCIE, *language)?, *language));
        }
    }
    for (id, _) in &put {
        post.wait_for(*id, "sent", 1)?;
    }
    let delivered = post.delivered()?;
    assert_eq!(delivered.len(), put.len());
    for (id, language) in put {
        let mail = delivered.iter().find(|mail| mail.contains(&id.to_string()));
        let mail = parsed(mail.context("not delivered")?)?;
        check(&mail, &id.to_string(), language.name())?;
        let (subject, text) = (header(&mail, "subject")?, part(&mail, "text/plain")?);
        assert!(!subject.is_empty() && text.contains(ORIGIN), "{text}");
        // The sentence is what a phone shows under the subject.
        let html = part(&mail, "text/html")?;
        assert!(html.contains(&format!("href=\"{ORIGIN}/")), "{html}");
    }
    let subjects = |needle: &str| -> anyhow::Result<usize> {
        let mut count = 0;
        for mail in &delivered {
            count += usize::from(header(&parsed(mail)?, "subject")?.contains(needle));
        }
        Ok(count)
    };
    assert_eq!(subjects("Your password was changed")?, 1);
    assert_eq!(subjects("Votre mot de passe a été modifié")?, 1);
    // Names arrive as they are, in headers and in the page.
    assert_eq!(subjects("Café <Acme> & Söhne")?, 2);
    assert_eq!(post.metric("postern_mails_total{outcome=\"sent\"}")?, 12.0);
    assert_eq!(post.metric("postern_mails_queued")?, 0.0);
    // Who gets mail is in no line of the log, at any level.
    assert!(!post.postern.log().contains(LUCIE));
    Ok(())
}

#[test]
fn the_links_of_an_invitation_and_of_a_reset_arrive_whole_and_are_left_nowhere() -> anyhow::Result<()> {
    let post = Post::start(Vec::new())?;
    let (invited, invitation) = post.invite(LUCIE)?;
    let (token, reset) = post.token()?;
    let content = Content::PasswordReset(PasswordReset {
        address: Address::parse(LUCIE)?,
        at: Clock::system().utc(),
        from: None,
        expires_at: in_days(1),
        token,
    });
    let asked = post.put(&content, LUCIE, Language::French)?;
    for (id, link, language) in [
        (invited, format!("{ORIGIN}/invitation/{invitation}"), "en"),
        (asked, format!("{ORIGIN}/reset/{reset}"), "fr"),
    ] {
        post.wait_for(id, "sent", 1)?;
        let mail = post.dovecot.wait_for_message(LUCIE, &id.to_string())?;
        let mail = parsed(&mail)?;
        check(&mail, &id.to_string(), language)?;
        let text = part(&mail, "text/plain")?;
        assert!(text.lines().any(|line| line == link), "{text}");
        assert!(part(&mail, "text/html")?.contains(&format!("<a href=\"{link}\"")));
        let subject = header(&mail, "subject")?;
        assert!(!subject.contains("psi_") && !subject.contains('\u{202e}'), "{subject}");
    }
    // The kit searches database, log, metrics and output for the secrets when the daemon ends.
    Ok(())
}

#[test]
fn a_withdrawn_mail_never_goes_out() -> anyhow::Result<()> {
    let mut post = Post::start(Vec::new())?;
    post.postfix.stop()?;
    let (id, _) = post.invite(LUCIE)?;
    post.wait_for(id, "queued", 1)?;
    let said = post.postern.cli(&["mail", "withdraw", &id.to_string()])?.ok()?;
    assert!(said.contains("withdrew mail"), "{said}");
    assert_eq!(post.shown(id)?["state"], "withdrawn");
    assert_eq!(post.postern.cli(&["mail", "withdraw", &id.to_string()])?.code, 1);
    post.postfix.restart()?;
    // One that is put later arrives, and alone.
    let (later, _) = post.invite(LUCIE)?;
    post.wait_for(later, "sent", 1)?;
    assert_eq!(post.delivered()?.len(), 1);
    Ok(())
}

#[test]
fn doctor_sends_a_test_mail_and_shows_each_step() -> anyhow::Result<()> {
    let post = Post::start(vec![("lost@private.test", "550 5.1.1 no such person")])?;
    let told = post
        .postern
        .cli(&["doctor", "mail", "--to", LUCIE, "--language", "fr", "--json"])?
        .ok()?;
    let told: Value = serde_json::from_str(&told)?;
    let checks: Vec<_> = told["findings"]
        .as_array()
        .context("findings")?
        .iter()
        .map(|found| &found["check"])
        .collect();
    let expected = [
        "content",
        "connection",
        "tls",
        "greeting",
        "login",
        "sender",
        "recipient",
        "message",
    ];
    let expected: Vec<_> = expected
        .iter()
        .map(|step| format!("mail {step}"))
        .chain(["mail".to_owned()])
        .collect();
    assert_eq!(checks, expected.iter().collect::<Vec<_>>());
    let mail = parsed(&post.dovecot.wait_for_message(LUCIE, "Auto-Submitted")?)?;
    assert_eq!(header(&mail, "subject")?, "Message d’essai de Postern");
    let told = post.postern.cli(&["doctor", "mail", "--to", "lost@private.test"])?;
    assert_eq!(told.code, 1);
    let refused = "ERROR    mail recipient: the mail server refused the recipient: 550 5.1.1 <lost@private.test>: Recipient address rejected: no such person";
    assert!(told.stdout.contains(refused), "{}", told.stdout);
    let checked = post.postern.cli(&["check"])?;
    assert!(
        checked
            .stdout
            .contains("ok       mail: Postern <postern@acme.test> goes out through localhost"),
        "{}",
        checked.stdout
    );
    Ok(())
}
