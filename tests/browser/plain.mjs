// The core tasks in a browser that runs no scripts: everything is a page, a form or a link.

import assert from "node:assert/strict";
import { connectDomain, domain, enrolCodes, inviteTo, acceptAsNew, passwords, setUp, shownPassword, signIn, signOut } from "./deeds.mjs";
import { ask, person, play, secret } from "./manager.mjs";

const contact = `contact@${domain}`;

await play(async () => {
  const sophie = await person("Sophie", { javaScript: false });
  const { tab } = sophie;
  await setUp(sophie);
  await signOut(sophie);
  await signIn(sophie);
  await connectDomain(sophie);

  // What was typed wrongly comes back with a word at the field, and the right one is taken.
  await sophie.press("nav-mailboxes");
  await sophie.press("mailbox-new");
  await sophie.type("word-address", "con tact");
  await sophie.send("mailbox-create");
  await sophie.reads("problem-local-part");
  assert.equal(await tab.getByLabel(sophie.say("word-address"), { exact: true }).inputValue(), "con tact", "nothing typed is lost");
  await sophie.type("word-address", "contact");
  await sophie.send("mailbox-create");
  await sophie.reads("mailbox-created", { address: contact });
  // Loading the page again makes nothing a second time.
  await tab.reload();
  await sophie.reads("mailbox-created", { address: contact });

  await tab.getByRole("link", { name: sophie.say("mailbox-way-device") }).click();
  await sophie.press("kind-thunderbird");
  const form = tab.url();
  await sophie.send("device-make");
  const password = await shownPassword(sophie);
  assert.ok(!tab.url().includes(password) && !await tab.locator("[data-copy]").first().isVisible());
  const device = await tab.getByRole("link", { name: sophie.say("act-done"), exact: true }).getAttribute("href");
  await ask("imap", { name: "thunderbird", address: contact, password });

  // Sent again, as a browser does when the page is loaded anew, the form leads to what it made, and shows nothing.
  await tab.reload();
  await sophie.at("password-gone-title");

  // Once: the page's own address is the empty form, and the device's page tells nothing.
  await sophie.go(form);
  assert.ok(!(await tab.content()).includes(password));
  await sophie.go(`${device}/password`);
  await sophie.at("password-gone-title");
  assert.ok(!(await tab.content()).includes(password));

  // Someone else, by the link in the mail; her own device by the same plain pages.
  const lucie = await person("Lucie", { language: "fr", javaScript: false });
  await acceptAsNew(lucie, (await inviteTo(sophie, (await mailboxOf(sophie)), "Lucie", "fr")).link);
  await lucie.at("nav-my-mailboxes");
  await lucie.press("device-add", {}, { exact: false });
  await lucie.press("kind-outlook");
  await lucie.send("device-make");
  const hers = await shownPassword(lucie);
  await ask("imap", { name: "outlook", address: contact, password: hers });

  // Questions are pages, which say what ends; cancelled, nothing has happened.
  await sophie.go(device);
  await sophie.press("device-disconnect");
  await sophie.at("disconnect-question", { device: "Sophie’s Thunderbird" });
  await sophie.press("act-cancel");
  await sophie.at("verbatim", { text: "Sophie’s Thunderbird" });
  await sophie.press("device-disconnect");
  await sophie.reads("ends-device", { device: "Sophie’s Thunderbird", count: 1 });
  await sophie.send("disconnect-button", { device: "Sophie’s Thunderbird" });
  await sophie.reads("done-disconnected", { device: "Sophie’s Thunderbird" });
  assert.match(await ask("farewell", { name: "thunderbird" }), /Sophie's Thunderbird/);
  assert.match((await ask("refused", { address: contact, password })).imap, /^NO /);
  await sophie.press("device-add-again");
  assert.equal(await tab.getByLabel(sophie.say("device-name"), { exact: true }).inputValue(), "Sophie’s Thunderbird");

  // Access withdrawn on its page.
  await sophie.go(`${await mailboxOf(sophie)}/people`);
  await sophie.press("access-withdraw", {}, { exact: false });
  await sophie.at("withdraw-question", { name: "Lucie", mailbox: contact });
  await sophie.send("access-withdraw");
  await sophie.reads("done-access-withdrawn", { name: "Lucie", mailbox: contact, count: 1 });
  await ask("farewell", { name: "outlook" });
  assert.equal((await lucie.tab.goto("/me")).status(), 200);
  await lucie.reads("me-empty");

  // The menu opens without a script, and whoever has codes comes back with one.
  await tab.setViewportSize({ width: 360, height: 740 });
  await tab.getByRole("button", { name: sophie.say("menu-open") }).click();
  await sophie.press("nav-my-account");
  await tab.setViewportSize({ width: 1280, height: 900 });
  for (const code of await enrolCodes(sophie)) await secret(code);
  await sophie.press("codes-kept");
  await signOut(sophie);
  await signIn(sophie);
  assert.ok(passwords.Sophie && await tab.locator("h1").innerText());
});

/** The path of the one mailbox. */
async function mailboxOf(one) {
  await one.go(`${one.org}/mailboxes`);
  return await one.tab.getByRole("link", { name: contact }).getAttribute("href");
}
