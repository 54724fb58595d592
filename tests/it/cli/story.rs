//! A whole story by command line only, with real servers: people come, get access, use it, lose it; what they lose ends at
//! once on the running daemon.

use std::process::Command;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::kit::http::Browser;
use crate::kit::imap::Imap;
use crate::kit::postern::{Device, shown_token};
use crate::kit::process::run_with_input;
use crate::kit::stack::{DOMAIN, Plan, Stack};
use crate::kit::wait;
use crate::site::QUICK;

const SOPHIE: &str = "sophie@private.test";
const LUCIE: &str = "lucie@private.test";
const MARC: &str = "marc@private.test";
const INFO: &str = "info@acme.test";
const SALES: &str = "sales@acme.test";
const PASSWORD: &str = "seven patient herons";

/// Computes a one-time code of a key as programs on phones do (RFC 6238), with somebody else's implementation.
const CODE: &str = "\
import base64, hmac, struct, sys, time
key = base64.b32decode(sys.stdin.read().replace(' ', '').upper())
digest = hmac.new(key, struct.pack('>Q', int(time.time()) // 30), 'sha1').digest()
at = digest[-1] & 15
print('%06d' % ((struct.unpack('>I', digest[at:at + 4])[0] & 0x7fffffff) % 1000000))
";

struct Office {
    stack: Stack,
}

impl Office {
    /// Sophie owns Acme; Lucie manages its mailboxes and has an iPhone on info@.
    fn open() -> anyhow::Result<Self> {
        let plan = Plan {
            sections: QUICK,
            manager: true,
            ..Plan::default()
        };
        let office = Self {
            stack: Stack::start_empty(&plan)?,
        };
        office.with_password(&["init", "--owner", SOPHIE, "--name", "Sophie Laurent", "--org", "Acme"])?;
        office.cli(&["domain", "create", DOMAIN, "--org", "Acme"])?;
        for mailbox in [INFO, SALES] {
            office.stack.add_mailbox(mailbox)?;
        }
        for person in [LUCIE, MARC] {
            office.stack.dovecot.add_mailbox(person)?;
        }
        let lucie = [
            "user",
            "create",
            LUCIE,
            "--name",
            "Lucie",
            "--org",
            "Acme",
            "--role",
            "mailbox-manager",
        ];
        office.with_password(&lucie)?;
        Ok(office)
    }

    fn cli(&self, arguments: &[&str]) -> anyhow::Result<String> {
        self.stack.postern.cli(arguments)?.ok()
    }

    fn json(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&self.cli(&[arguments, &["--json"]].concat())?)?)
    }

    fn with_password(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let arguments = [arguments, &["--password-stdin"]].concat();
        self.stack.postern.add_secret(PASSWORD);
        self.stack.postern.cli_with_input(&arguments, PASSWORD)?.ok()
    }

    fn device(&self, address: &str, label: &str, user: Option<&str>) -> anyhow::Result<Device> {
        let of = user.map(|user| ["--kind", "iphone", "--user", user]);
        let options = of.as_ref().map_or(&[][..], |options| options);
        self.stack.postern.add_device_with(address, label, options)
    }

    /// A session in IDLE.
    fn idle(&self, device: &Device) -> anyhow::Result<(Imap, String)> {
        let mut imap = self.stack.inbox(device)?;
        let tag = imap.idle()?;
        Ok((imap, tag))
    }

    /// The newest mail that somebody got with this in it, once it is there.
    fn mail(&self, to: &str, words: &str) -> anyhow::Result<String> {
        wait::until(&format!("a mail to {to} that says {words:?}"), || {
            let mails = self.stack.dovecot.messages(to)?;
            Ok(mails
                .into_iter()
                .rev()
                .map(|mail| decoded(&mail))
                .find(|mail| mail.contains(words)))
        })
    }
}

/// Quoted-printable lines joined again (RFC 2045 §6.7), as far as addresses and plain words need it.
fn decoded(mail: &str) -> String {
    mail.replace("=\r\n", "").replace("=\n", "").replace("=3D", "=")
}

/// The session heard a goodbye.
fn ended(mut session: (Imap, String)) -> anyhow::Result<()> {
    let heard = session.0.response()?;
    ensure!(heard.starts_with("* BYE"), "heard {heard}");
    Ok(())
}

/// The session is still there.
fn goes_on(session: &mut (Imap, String)) -> anyhow::Result<()> {
    session.0.done(&session.1)?.ok()?;
    session.1 = session.0.idle()?;
    Ok(())
}

#[test]
fn what_people_lose_ends_at_once_and_nothing_else() -> anyhow::Result<()> {
    let office = Office::open()?;
    office.cli(&["grant", "give", SALES, LUCIE, "--rights", "add-own-devices"])?;
    let (phone, tablet) = (
        office.device(INFO, "Lucie's iPhone", Some(LUCIE))?,
        office.device(SALES, "Lucie's iPad", Some(LUCIE))?,
    );
    let crm = office.device(INFO, "CRM", None)?;
    let on_phone = office.idle(&phone)?;
    let mut on_tablet = office.idle(&tablet)?;
    let mut on_crm = office.idle(&crm)?;
    let mut browser = office.stack.manager()?;
    browser.sign_in(LUCIE, PASSWORD)?.says(200, "Acme")?;

    // A role reaches every mailbox, a lower one does not.
    let changed = office.json(&["role", "set", LUCIE, "member", "--yes"])?;
    ensure!(changed["applied"]["sessions_ended"] == 1, "{changed}");
    ended(on_phone)?;
    let refused = office.stack.imap()?.login(INFO, &phone.password)?;
    ensure!(
        refused.status.starts_with("NO [AUTHENTICATIONFAILED]"),
        "{}",
        refused.status
    );
    goes_on(&mut on_tablet)?;

    let said = office.cli(&["grant", "withdraw", SALES, LUCIE, "--yes"])?;
    ensure!(said.contains("with 1 device; 1 session ended in "), "{said}");
    ended(on_tablet)?;
    goes_on(&mut on_crm)?;
    let told = office.mail(LUCIE, "Lucie's iPad")?;
    ensure!(
        told.contains("The operator of mail.example.test withdrew your access at Acme"),
        "{told}"
    );

    // Her browser is out as well, once she is signed out everywhere; and where she is no member, nothing is there.
    browser.get("/me")?.says(200, "Lucie")?;
    ensure!(office.json(&["user", "sign-out", LUCIE])?["console_sessions"] == 1);
    let answer = browser.get("/me")?;
    ensure!(
        answer.location().is_some_and(|place| place.starts_with("/sign-in")),
        "{answer:?}"
    );
    office.cli(&["role", "remove", LUCIE, "--yes"])?;
    let page = browser.sign_in(LUCIE, PASSWORD)?;
    ensure!(!page.body.contains(INFO), "{}", page.body);
    goes_on(&mut on_crm)?;
    ensure!(office.json(&["audit", "verify"])?["right"] == true);
    Ok(())
}

#[test]
fn an_invitation_goes_out_by_mail_and_makes_a_member_with_access() -> anyhow::Result<()> {
    let office = Office::open()?;
    let grant = format!("{INFO}=see-devices,add-own-devices@90d");
    let said = office.cli(&[
        "invite",
        "create",
        MARC,
        "--grant",
        &grant,
        "--language",
        "fr",
        "--by",
        "Sophie",
        "--mail",
    ])?;
    ensure!(
        said.contains("goes out by mail") && shown_token(&said).is_none(),
        "{said}"
    );
    let mail = office.mail(MARC, "/invitation/psi_")?;
    ensure!(mail.contains("Sophie vous invite"), "{mail}");
    let token = shown_token(&mail).context("the mail has no link")?;
    office.stack.postern.add_secret(&token);
    let state = || -> anyhow::Result<String> {
        let shown = office.json(&["invite", "show", MARC])?;
        Ok(shown["state"].as_str().unwrap_or_default().to_owned())
    };
    wait::until("the invitation is known as sent", || {
        Ok(office.json(&["invite", "show", MARC])?["sent_at"]
            .is_string()
            .then_some(()))
    })?;
    ensure!(state()? == "open");
    accept(&office, &token)?;
    ensure!(state()? == "accepted");
    let marc = office.json(&["user", "show", MARC])?;
    ensure!(
        marc["orgs"][0]["role"] == "member" && marc["grants"][0]["mailbox_address"] == INFO,
        "{marc}"
    );
    ensure!(marc["console_sessions"].as_array().map(Vec::len) == Some(1), "{marc}");
    Ok(())
}

/// Follows the link and becomes a user with it.
fn accept(office: &Office, token: &str) -> anyhow::Result<Browser> {
    let mut browser = office.stack.manager()?;
    let path = format!("/invitation/{token}");
    browser.get(&path)?.says(200, "Acme")?;
    let fields = [
        ("action", "create"),
        ("name", "Marc Dubois"),
        ("language", "fr"),
        ("password", PASSWORD),
    ];
    let answer = browser.post(&path, &fields)?;
    browser.follow(answer)?.says(200, INFO)?;
    Ok(browser)
}

#[test]
fn somebody_who_lost_everything_gets_in_again() -> anyhow::Result<()> {
    let office = Office::open()?;
    let mut browser = office.stack.manager()?;
    browser.sign_in(LUCIE, PASSWORD)?;
    let offer = browser.get("/me/account/code")?;
    let key = between(&offer.body, "<code>", "<").context("no key is shown")?;
    office.stack.postern.add_secret(key);
    let code = run_with_input(Command::new("python3").args(["-c", CODE]), key)?;
    let sealed = between(&offer.body, "name=\"offer\" value=\"", "\"").context("no offer is there")?;
    browser
        .post("/me/account/code", &[("offer", sealed), ("code", code.trim())])?
        .says(200, "<code>")?;
    let shown = office.json(&["user", "show", LUCIE])?;
    ensure!(shown["has_code"] == true && shown["recovery_codes"] == 10, "{shown}");

    // Her phone is gone: the code is asked for, and switched off from here.
    let asked = office.stack.manager()?.sign_in(LUCIE, PASSWORD)?;
    ensure!(asked.body.contains("name=\"code\""), "{}", asked.body);
    let question = office.stack.postern.cli(&["user", "remove-code", LUCIE])?;
    ensure!(
        question.code == 2 && question.stderr.contains("with the password alone"),
        "{question:?}"
    );
    let done = office.json(&["user", "remove-code", LUCIE, "--yes"])?;
    ensure!(done["told"] == true, "{done}");
    office.mail(LUCIE, "no one-time code is needed any more")?;
    let answer = browser.get("/me")?;
    ensure!(answer.location().is_some(), "she is signed out everywhere: {answer:?}");
    office.stack.manager()?.sign_in(LUCIE, PASSWORD)?.says(200, "Acme")?;

    // Her password is gone too, and her mail with it: a link from hand to hand.
    let said = office.cli(&["user", "reset-password", LUCIE])?;
    let token = shown_token(&said).context("no link is printed")?;
    let other = "nine quiet lamps";
    office.stack.postern.add_secret(other);
    let mut browser = office.stack.manager()?;
    let path = format!("/reset/{token}");
    browser.get(&path)?.says(200, "password")?;
    browser.post(&path, &[("password", other)])?;
    ensure!(
        office
            .stack
            .manager()?
            .post("/sign-in", &[("address", LUCIE), ("password", PASSWORD)])?
            .status
            != 303
    );
    office.stack.manager()?.sign_in(LUCIE, other)?.says(200, "Acme")?;
    ensure!(browser.get(&path)?.status != 200, "the link works once");

    let said = office.cli(&["user", "reset-password", LUCIE, "--mail"])?;
    ensure!(shown_token(&said).is_none(), "{said}");
    let mail = office.mail(LUCIE, "/reset/psr_")?;
    office
        .stack
        .postern
        .add_secret(&shown_token(&mail).context("no link in the mail")?);
    Ok(())
}

fn between<'a>(text: &'a str, begin: &str, end: &str) -> Option<&'a str> {
    text.split_once(begin)?.1.split_once(end).map(|(found, _)| found)
}
