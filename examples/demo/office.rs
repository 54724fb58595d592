//! People: an organisation with some life in it, and the Manager, in which its owner signs in.

use anyhow::Context as _;

use crate::kit::imap::Imap;
use crate::kit::postern::{Device, shown_token};
use crate::kit::random_word;
use crate::kit::stack::Stack;
use crate::kit::wait;
use crate::narrator::Narrator;
use crate::story::{ADDRESS, command, command_with_input, holds, idle};

/// Who owns the organisation, and signs in to the Manager.
pub(crate) const OWNER: &str = "sophie@private.test";
/// A mailbox that several people share.
pub(crate) const INFO: &str = "info@acme.test";
/// A further address of it.
pub(crate) const ALIAS: &str = "contact@acme.test";
const SALES: &str = "sales@acme.test";
const MEMBER: &str = "lucie@private.test";
const INVITED: &str = "marc@private.test";
const IPHONE: &str = "Lucie's iPhone";

/// How somebody signs in to the Manager. The password is made for this run and ends with it.
#[derive(Debug)]
pub(crate) struct SignIn {
    pub(crate) address: String,
    pub(crate) password: String,
}

impl SignIn {
    pub(crate) fn new(address: &str) -> anyhow::Result<Self> {
        let word = random_word()?;
        let groups: Vec<_> = word.as_bytes().chunks(4).take(4).map(String::from_utf8_lossy).collect();
        Ok(Self {
            address: address.to_owned(),
            password: format!("demo-{}", groups.join("-")),
        })
    }
}

/// What is there for somebody who looks around.
pub(crate) struct Office {
    pub(crate) owner: SignIn,
    pub(crate) member: SignIn,
    /// With this link somebody becomes a member.
    pub(crate) invitation: String,
    /// Where the Manager is.
    pub(crate) origin: String,
    /// Sessions that the Manager shows as connected.
    _live: Vec<(Imap, String)>,
}

/// Lets people come, and looks at them in the Manager.
pub(crate) fn tell(narrator: &mut Narrator, stack: &Stack, owner: SignIn, crm: &Device) -> anyhow::Result<Office> {
    let member = SignIn::new(MEMBER)?;
    for secret in [&owner.password, &member.password] {
        stack.postern.add_secret(secret);
    }
    let phone = people(narrator, stack, &member)?;
    let live = vec![
        narrator.check(format!("\"{IPHONE}\" is connected"), idle(stack, &phone))?,
        narrator.check("\"CRM\" is connected", idle(stack, crm))?,
    ];
    let invitation = invite(narrator, stack)?;
    let origin = the_manager(narrator, stack, &owner)?;
    Ok(Office {
        owner,
        member,
        invitation,
        origin,
        _live: live,
    })
}

/// Makes the mailboxes of this part at the mail store. To be called before anybody signs in there: for up to a second after
/// a look at its list of users, Dovecot does not look whether there are more.
pub(crate) fn mailboxes(stack: &Stack) -> anyhow::Result<()> {
    for mailbox in [OWNER, MEMBER, INVITED, INFO, SALES] {
        stack.dovecot.add_mailbox(mailbox)?;
    }
    Ok(())
}

fn people(narrator: &mut Narrator, stack: &Stack, member: &SignIn) -> anyhow::Result<Device> {
    narrator.step("Let people in: a shared mailbox, somebody with access to it, and their own iPhone")?;
    for mailbox in [INFO, SALES] {
        command(narrator, stack, &["mailbox", "create", mailbox])?;
    }
    command(narrator, stack, &["alias", "create", ALIAS, "--mailbox", INFO])?;
    let create = [
        "user",
        "create",
        MEMBER,
        "--name",
        "Lucie Martin",
        "--org",
        "Acme",
        "--password-stdin",
    ];
    command_with_input(narrator, stack, &create, &member.password)?;
    let rights = "see-devices,add-own-devices,send-as";
    command(narrator, stack, &["grant", "give", INFO, MEMBER, "--rights", rights])?;
    narrator.tell(&format!(
        "$ postern device add {INFO} --label \"{IPHONE}\" --kind iphone --user {MEMBER}"
    ));
    let options = ["--kind", "iphone", "--user", MEMBER];
    let phone = stack.postern.add_device_with(INFO, IPHONE, &options);
    let phone = narrator.check(
        format!("\"{IPHONE}\" belongs to Lucie; its password is shown this once"),
        phone,
    )?;
    let printer = ["--kind", "printer", "--scope", "smtp"];
    stack.postern.add_device_with(INFO, "Copier", &printer)?;
    stack
        .postern
        .add_device_with(ADDRESS, "Anna's laptop", &["--kind", "thunderbird"])?;
    Ok(phone)
}

/// Invites somebody by mail; gives a link to the same invitation.
fn invite(narrator: &mut Narrator, stack: &Stack) -> anyhow::Result<String> {
    narrator.step("Invite somebody by mail")?;
    let grant = format!("{SALES}=see-devices,add-own-devices");
    let create = [
        "invite",
        "create",
        INVITED,
        "--grant",
        &grant,
        "--by",
        "Sophie Laurent",
        "--mail",
    ];
    command(narrator, stack, &create)?;
    let origin = stack.manager()?.origin();
    let mail = wait::until("the invitation lies in the mailbox", || {
        let mails = stack.dovecot.messages(INVITED)?;
        Ok(mails.into_iter().find(|mail| mail.contains("/invitation/")))
    });
    let mail = narrator.check(format!("the mail lies in the mailbox of {INVITED}"), mail)?;
    let joined = mail.replace("=\r\n", "").replace("=\n", "");
    narrator.check(
        "its link leads to the Manager",
        holds(joined.contains(&format!("{origin}/invitation/psi_")), &joined),
    )?;
    // The link of the mail is in the mail alone; this is a further one.
    let said = stack.postern.cli(&["invite", "send", INVITED])?.ok()?;
    let token = shown_token(&said).context("invite send prints no link")?;
    Ok(format!("{origin}/invitation/{token}"))
}

/// Looks at the Manager as its owner; gives its address.
fn the_manager(narrator: &mut Narrator, stack: &Stack, owner: &SignIn) -> anyhow::Result<String> {
    narrator.step("Open the Manager, as a browser does")?;
    let mut browser = stack.manager()?;
    let origin = browser.origin();
    let page = browser.get("/").and_then(|answer| browser.follow(answer));
    narrator.check(
        format!("{origin} asks to sign in"),
        page.and_then(|page| page.says(200, "name=\"password\"")),
    )?;
    let wrong = browser.post(
        "/sign-in",
        &[("address", &owner.address), ("password", "not the password")],
    );
    narrator.check(
        "a wrong password is refused",
        wrong.and_then(|answer| answer.says(422, "name=\"password\"")),
    )?;
    let page = browser.sign_in(&owner.address, &owner.password);
    narrator.check(
        format!("{} signs in and sees Acme", owner.address),
        page.and_then(|page| page.says(200, "Acme")),
    )?;
    let found = browser.get("/").and_then(|answer| {
        let home = answer.location().context("the first page leads nowhere")?.to_owned();
        browser.get(&format!("{home}/sessions"))
    });
    narrator.check(
        format!("who is connected is shown live: \"{IPHONE}\" and the CRM"),
        found.and_then(|page| page.says(200, "CRM")?.says(200, "Lucie")),
    )?;
    Ok(origin)
}
