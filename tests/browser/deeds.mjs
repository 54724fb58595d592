// What people do again and again: the first set-up, signing in, creating mailboxes, adding devices, inviting.

import assert from "node:assert/strict";
import { ask, Codes, secret } from "./manager.mjs";

export const domain = "acme.test";
export const passwords = { Sophie: "seven otters plume", Lucie: "vaste loutre panache", Marc: "copper lantern ridge", Anna: "marble fjord acorn" };
export const addressOf = name => `${name.toLowerCase()}@private.test`;

/** The organisation's path, from any page in it. */
export const orgOf = one => /^\/o\/[^/]+/.exec(new URL(one.tab.url()).pathname)[0];

/** Opens the set-up link and becomes the first owner. */
export async function setUp(one, { organisation = "Acme" } = {}) {
  const link = await ask("set-up-link");
  await secret(link.split("/").at(-1));
  await one.go(link);
  await one.at("set-up-title");
  await one.type("set-up-organisation", organisation);
  await one.type("word-your-name", one.name);
  await one.type("sign-in-address", addressOf(one.name));
  await one.type("word-password", await secret(passwords[one.name]));
  await one.send("set-up-go");
  await one.at("nav-overview");
  one.org = orgOf(one);
}

/** Signs in with the password, and with a code where the person has codes. */
export async function signIn(one, name = one.name) {
  if (!new URL(one.tab.url() === "about:blank" ? "https://x/" : one.tab.url()).pathname.startsWith("/sign-in")) await one.go("/sign-in");
  await one.type("sign-in-address", addressOf(name));
  await one.type("word-password", passwords[name]);
  await one.send("act-sign-in");
  if (one.codes) {
    await one.at("code-title");
    await one.type("code-label", one.codes.next());
    await one.send("act-continue");
  }
  await one.tab.waitForURL(url => !url.pathname.startsWith("/sign-in"));
}

export async function signOut(one) {
  await one.press("nav-sign-out");
  await one.at("sign-in-title");
}

/** Switches on one-time codes; gives the recovery codes. */
export async function enrolCodes(one) {
  await one.go("/me/account/code");
  await one.at("code-set-up-title");
  one.codes = new Codes(await secret(await one.tab.locator("code").innerText()));
  await one.type("code-step-prove", one.codes.next());
  await one.send("code-set-up");
  await one.at("codes-title");
  return await one.tab.locator("ul.codes code").allInnerTexts();
}

/** Connects the mail domain. */
export async function connectDomain(one) {
  await one.go(`${one.org}/domains`);
  await one.type("word-domain", domain);
  await one.send("domain-connect");
  await one.reads("done-domain-added", { domain });
}

/** Creates a mailbox; gives its path. */
export async function createMailbox(one, local) {
  await one.go(`${one.org}/mailboxes/new`);
  await one.type("word-address", local);
  await one.send("mailbox-create");
  await one.reads("mailbox-created", { address: `${local}@${domain}` });
  const later = one.tab.getByRole("link", { name: one.say("mailbox-way-later"), exact: true });
  return await later.getAttribute("href");
}

/** Chooses that the password of a new device is shown, where a code to scan would be usual. */
export const shownHere = one => one.tab.locator("input[name=how][value=show]").check();

/** Adds a device on the page that asks what it is; gives its password and leaves the page that shows it open. */
export async function addDevice(one, mailbox, kind, { name, person } = {}) {
  await one.go(`${mailbox}/devices/new`);
  await one.press(`kind-${kind}`);
  if (name) await one.type("device-name", name);
  if (person !== undefined) await one.tab.getByLabel(one.say("device-person"), { exact: true }).selectOption(person);
  await shownHere(one);
  await one.send("device-make");
  await one.tab.locator(".once .secret code").waitFor();
  return await shownPassword(one);
}

/** The password on the page at hand. */
export const shownPassword = async one => secret(await one.tab.locator(".once .secret code").innerText());

/** Invites somebody to a mailbox, with the rights that are ticked; the mail's link. */
export async function inviteTo(one, mailbox, name, language) {
  await one.go(`${mailbox}/people/new`);
  await one.type("access-invite", addressOf(name));
  await one.tab.getByLabel(one.say("invitation-language"), { exact: true }).selectOption(language);
  await one.send("access-give");
  await one.reads("done-invited", { address: addressOf(name) });
  const mail = await ask("mail", { to: addressOf(name), subject: one.name });
  assert.match(mail.link, /^https:\/\/manager\.acme\.test\/invitation\/[a-z0-9_-]+$/);
  return mail;
}

/** Accepts an invitation as somebody who is new here. */
export async function acceptAsNew(one, link) {
  await one.go(link);
  await one.type("word-your-name", one.name);
  await one.type("word-password", await secret(passwords[one.name]));
  await one.tab.getByRole("button", { name: one.say("invited-create"), exact: true }).click();
}
