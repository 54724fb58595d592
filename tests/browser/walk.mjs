// Every page that owner, auditor and member can reach by links, in an organisation in which something has happened:
// opened, examined with axe-core, looked at as on a telephone. With POSTERN_LOOK each is photographed in both languages.

import assert from "node:assert/strict";
import { acceptAsNew, addDevice, addressOf, connectDomain, createMailbox, domain, enrolCodes, inviteTo, setUp } from "./deeds.mjs";
import { ask, onTelephone, person, play, secret, takesPictures } from "./manager.mjs";
import { pathsFrom, shapeOf } from "./paths.mjs";

const contact = `contact@${domain}`;
/** Shapes of pages that were examined, for whomever: to others they show less. */
const examined = new Set();

await play(async () => {
  const sophie = await person("Sophie");
  await furnish(sophie);
  const marc = await auditor(sophie);
  const lucie = await member(sophie);
  const walked = [[sophie, "/", 45], [marc, "/", 25], [lucie, "/me", 12]];
  for (const [one, start, least] of walked) {
    const count = await walk(one, start);
    assert.ok(count >= least, `${one.name} came to ${count} pages`);
    if (!takesPictures) continue;
    await one.go("/me/account");
    await one.tab.getByLabel(one.say("word-language"), { exact: true }).selectOption("fr");
    await one.send("act-save");
    await one.tab.locator("html[lang=fr]").waitFor();
    one.speak("fr");
    await walk(one, start);
  }
});

/** Opens one page of each shape that can be reached; gives how many. */
async function walk(one, start) {
  const answers = await pathsFrom(one, start, 1);
  const pages = [...answers].filter(([, { type }]) => type?.startsWith("text/html")).map(([path]) => path);
  for (const [path, { status }] of answers) assert.equal(status, 200, `${one.name} follows a link to ${path}`);
  const fresh = pages.filter(path => takesPictures || !examined.has(shapeOf(path)));
  for (const path of fresh) {
    examined.add(shapeOf(path));
    await one.go(path);
    await one.look(`${one.name.toLowerCase()}${shapeOf(path).replaceAll("*", "1").replace(/[^a-z0-9]+/g, "-")}`);
  }
  await onTelephone(one, async (tab, examine) => {
    for (const path of fresh) {
      await tab.goto(path);
      await examine(`${one.name} at ${path} on a telephone`);
    }
  });
  return pages.length;
}

/** An organisation in which there is something of everything. */
async function furnish(sophie) {
  await setUp(sophie);
  await connectDomain(sophie);
  for (const code of await enrolCodes(sophie)) await secret(code);
  await createMailbox(sophie, "board");
  sophie.sales = await createMailbox(sophie, "sales");
  sophie.contact = await createMailbox(sophie, "contact");
  const password = await addDevice(sophie, sophie.contact, "thunderbird");
  await ask("imap", { name: "thunderbird", address: contact, password });
  await addDevice(sophie, sophie.contact, "app");
  const sales = `sales@${domain}`;
  const cli = (...words) => ask("cli", { arguments: words });
  await cli("alias", "create", `hello@${domain}`, "--mailbox", contact);
  for (const name of ["Old phone", "Copier"]) await cli("device", "add", contact, "--label", name, "--json");
  await cli("device", "revoke", `${contact}/Old phone`);
  await cli("device", "pause", `${contact}/Copier`);
  await cli("mailbox", "suspend", sales);
  await sophie.go(`${sophie.org}/invitations/new`);
  await sophie.type("invitation-address", addressOf("Anna"));
  await sophie.send("invitation-send");
  await sophie.reads("done-invited", { address: addressOf("Anna") });
  const mail = await ask("mail", { to: addressOf("Anna"), subject: "Sophie" });
  assert.ok(mail.link);
}

/** Somebody who sees everything and changes nothing. */
async function auditor(sophie) {
  await sophie.go(`${sophie.org}/invitations/new`);
  await sophie.type("invitation-address", addressOf("Marc"));
  await sophie.tab.getByLabel(sophie.say("role-auditor")).check();
  await sophie.send("invitation-send");
  const { link } = await ask("mail", { to: addressOf("Marc"), subject: "Sophie" });
  const marc = await person("Marc");
  await acceptAsNew(marc, link);
  await marc.at("nav-overview");
  return marc;
}

/** Somebody with one mailbox and a device of her own. */
async function member(sophie) {
  const lucie = await person("Lucie");
  await acceptAsNew(lucie, (await inviteTo(sophie, sophie.contact, "Lucie", "en")).link);
  await lucie.at("nav-my-mailboxes");
  const mailbox = await lucie.tab.locator(".boxes h2 a").getAttribute("href");
  await addDevice(lucie, mailbox.replace(/\/devices$/, ""), "iphone");
  return lucie;
}
