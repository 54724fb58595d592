//! For people at a terminal: keeps everything up and says where the Manager is, and what to paste into another terminal.

use std::io::Write as _;

use crate::kit::certificates::SERVER_NAME;
use crate::kit::postern::program;
use crate::kit::stack::Stack;
use crate::narrator::Narrator;
use crate::office::Office;
use crate::story::ADDRESS;

/// Shows the Manager and two new devices, and waits for Enter or Ctrl-C. These passwords are for this terminal and end with
/// the demo.
pub(crate) fn invite(narrator: &mut Narrator, stack: &Stack, office: &Office) -> anyhow::Result<()> {
    narrator.step("Try it by hand: everything stays up until you press Enter or Ctrl-C")?;
    let laptop = stack.postern.add_device(ADDRESS, "Laptop")?;
    let printer = stack.postern.add_device(ADDRESS, "Printer")?;
    let imaps = stack.postern.port("imaps")?;
    let submissions = stack.postern.port("submissions")?;
    let authority = stack.certificates.authority.display();
    let (program, config) = (program()?, stack.postern.config());
    let (program, config) = (program.display(), config.display());
    let (first, second) = (&laptop.password, &printer.password);
    let (owner, member) = (&office.owner, &office.member);
    narrator.tell(&format!(
        "
THE MANAGER   {}
sign in as    {}   (owns Acme)
password      {}
or as         {}    (may use info@ only)
password      {}
an invitation for Marc, to be opened in a private window:
  {}

Lucie's iPhone and the CRM are connected now: disconnect one in the Manager, or look at Devices, People, Activity.",
        office.origin, owner.address, owner.password, member.address, member.password, office.invitation
    ));
    narrator.tell(&format!(
        "
MAIL PROGRAMS
server      {SERVER_NAME}, IMAP with TLS on port {imaps}, SMTP with TLS on port {submissions}
authority   {authority}
user name   {ADDRESS}
passwords   {first}  (device \"Laptop\")
            {second}  (device \"Printer\")

Read a message:
  curl --cacert {authority} --user {ADDRESS}:{first} 'imaps://{SERVER_NAME}:{imaps}/INBOX;MAILINDEX=1'
Send one:
  swaks --server {SERVER_NAME}:{submissions} --tlsc --auth PLAIN --auth-user {ADDRESS} --auth-password {second} \\
    --from {ADDRESS} --to {ADDRESS}
Stay connected (type `a LOGIN {ADDRESS} {first}`, `b SELECT INBOX`, `c IDLE`):
  openssl s_client -quiet -crlf -verify_return_error -CAfile {authority} -connect {SERVER_NAME}:{imaps}
See who is connected, and throw that one out:
  {program} --config {config} session list
  {program} --config {config} device revoke '{ADDRESS}/Laptop'"
    ));
    std::io::stdout().flush()?;
    narrator.wait_for_end();
    Ok(())
}
