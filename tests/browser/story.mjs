// The story that the Manager exists for. Sophie speaks English and Lucie French; with POSTERN_STORY=fr the other way round.

import assert from "node:assert/strict";
import { addressOf, domain, enrolCodes, orgOf, passwords, setUp, shownHere, shownPassword, signIn, signOut } from "./deeds.mjs";
import { ask, origin, person, play, secret } from "./manager.mjs";
import { pathsFrom } from "./paths.mjs";

const [hers, theirs] = process.env.POSTERN_STORY === "fr" ? ["fr", "en"] : ["en", "fr"];
const contact = `contact@${domain}`;
const board = `board@${domain}`;
const iphone = "Lucie’s iPhone";

let sophie;
let lucie;
let phone;
let crm;

const chapters = {
  async "Sophie sets the organisation up, and signs in with a code"() {
    const link = await ask("set-up-link");
    await sophie.go(link);
    await sophie.look("set-up");
    await setUp(sophie);
    await sophie.look("overview-first");
    assert.equal(await sophie.go(link), 410, "the set-up link works once");
    await sophie.at("set-up-gone-title");
    await sophie.look("set-up-gone");

    await sophie.go("/me/account/code");
    await sophie.picture("code-set-up");
    const codes = await enrolCodes(sophie);
    assert.equal(codes.length, 10);
    for (const code of codes) await secret(code);
    await sophie.look("recovery-codes");
    await sophie.press("codes-kept");
    await sophie.reads("account-code-on");
    await ask("mail", { to: addressOf("Sophie"), subject: hers === "en" ? "One-time codes are on" : "Les codes à usage unique sont activés" });
    await signOut(sophie);
    await sophie.look("sign-in");
    await signIn(sophie);
    await sophie.at("nav-overview");
  },

  async "Sophie connects the domain and creates two mailboxes"() {
    await sophie.press("steps-go", {}, { exact: false });
    await sophie.at("nav-domains");
    await sophie.picture("domains-first");
    await sophie.type("word-domain", domain);
    await sophie.send("domain-connect");
    await sophie.reads("done-domain-added", { domain });
    for (const [local, address] of [["board", board], ["contact", contact]]) {
      await sophie.press("nav-mailboxes");
      await sophie.at("nav-mailboxes");
      await sophie.press("mailbox-new");
      await sophie.at("mailbox-new-title");
      if (local === "board") await sophie.picture("mailbox-new");
      await sophie.type("word-address", local);
      await sophie.send("mailbox-create");
      await sophie.reads("mailbox-created", { address });
    }
    await sophie.look("mailbox-created");
    const added = await ask("cli", { arguments: ["device", "add", board, "--label", "Boardroom", "--json"] });
    assert.ok(added.includes("Boardroom"));
  },

  async "Sophie invites Lucie, to this mailbox only"() {
    await sophie.tab.getByRole("link", { name: sophie.say("mailbox-way-person") }).click();
    await sophie.at("access-give");
    await sophie.picture("access-new");
    await sophie.type("access-invite", addressOf("Lucie"));
    await sophie.tab.getByLabel(sophie.say("invitation-language"), { exact: true }).selectOption(theirs);
    await sophie.send("access-give");
    await sophie.reads("done-invited", { address: addressOf("Lucie") });
    await sophie.tab.getByRole("row", { name: addressOf("Lucie") }).waitFor();
    await sophie.picture("mailbox-people-invited");
    sophie.contact = new URL(sophie.tab.url()).pathname.replace(/\/people$/, "");
  },

  async "Lucie accepts from her private address, and sees that mailbox and nothing else"() {
    const mail = await ask("mail", { to: addressOf("Lucie"), subject: "Sophie" });
    assert.equal(mail.language, theirs);
    assert.ok(mail.link.startsWith(`${origin}/invitation/`), mail.link);
    assert.ok(mail.text.includes(contact) && !mail.text.includes(board), mail.text);
    await lucie.go(mail.link);
    await lucie.at("invited-title", { org: "Acme" });
    await lucie.tab.getByText(contact).waitFor();
    await lucie.look("invitation");
    await lucie.type("word-your-name", "Lucie");
    await lucie.type("word-password", await secret(passwords.Lucie));
    await lucie.send("invited-create");
    await lucie.at("nav-my-mailboxes");
    await lucie.reads("done-joined", { org: "Acme" });
    assert.deepEqual(await lucie.tab.locator(".boxes h2").allInnerTexts(), [contact]);
    await lucie.picture("my-mailboxes-first");
    await seesNothingElse();
  },

  async "Lucie adds her telephone, and the page turns to connected by itself"() {
    await lucie.go("/me");
    await lucie.press("device-add", {}, { exact: false });
    await lucie.picture("device-tiles");
    await lucie.press("kind-iphone");
    await lucie.type("device-name", iphone);
    await lucie.picture("device-new");
    await shownHere(lucie);
    await lucie.send("device-make");
    await lucie.reads("first-waiting");
    phone = await shownPassword(lucie);
    assert.match(phone, /^([a-z]{4}-){3}[a-z]{4}$/);
    await lucie.look("device-password");
    assert.ok(!lucie.tab.url().includes(phone));
    // Meanwhile Sophie has the mailbox's devices on her screen.
    await sophie.go(`${sophie.contact}/devices`);
    const state = sophie.tab.getByRole("row", { name: iphone }).locator("[data-live]");
    assert.equal(await state.innerText(), sophie.say("device-state-never"));

    await ask("imap", { name: "iphone", address: contact, password: phone });
    const first = lucie.tab.locator(".waits [data-live^='first:']");
    await first.getByText(lucie.say("first-connected"), { exact: true }).waitFor();
    const told = await first.innerText();
    assert.ok(told.includes("iPhone Mail") && told.includes("127.0.0.1") && told.includes(lucie.say("first-receiving")), told);
    await lucie.look("device-password-connected");
    await state.getByText(sophie.say("device-state-connected", { count: 1 }), { exact: true }).waitFor();
    await sophie.picture("mailbox-devices");
    await lucie.press("act-done");
    await lucie.at("verbatim", { text: iphone });
    await lucie.picture("device");
  },

  async "Sophie adds a CRM that belongs to nobody, after she has proved again who she is"() {
    await ask("sql", { sql: "UPDATE console_session SET proved_at = proved_at - 3600000" });
    await sophie.press("device-add");
    await sophie.at("step-up-title");
    await sophie.look("step-up");
    await sophie.type("word-password", passwords.Sophie);
    await sophie.send("act-continue");
    await sophie.press("kind-app");
    await sophie.picture("device-new-app");
    await sophie.send("device-make");
    crm = await shownPassword(sophie);
    await sophie.look("device-password-app");
    await ask("send", { address: contact, password: crm, to: addressOf("Marc") });
    await sophie.tab.locator(".waits [data-live^='first:']").getByText(sophie.say("first-sending")).waitFor();
    await sophie.press("act-done");
    await sophie.at("verbatim", { text: "CRM" });
    await sophie.reads("device-nobody");
    await sophie.picture("device-app");
    await sophie.press("nav-sessions");
    await sophie.tab.getByRole("row", { name: iphone }).waitFor();
    await sophie.picture("sessions");
  },

  async "Sophie withdraws Lucie's access: her page, her telephone, and nothing else"() {
    await lucie.go("/me");
    await lucie.press("verbatim", { text: contact });
    await lucie.picture("lucie-mailbox");
    await sophie.go(`${sophie.contact}/people`);
    await sophie.picture("mailbox-people");
    await sophie.press("access-withdraw", {}, { exact: false });
    const dialog = sophie.tab.getByRole("dialog");
    await sophie.reads("ends-sight", { name: "Lucie", mailbox: contact }, dialog);
    await sophie.reads("ends-device", { device: iphone, count: 1 }, dialog);
    await sophie.reads("stays-others", {}, dialog);
    await sophie.look("withdraw-dialog");
    await dialog.getByRole("button", { name: sophie.say("access-withdraw") }).click();
    await sophie.reads("done-access-withdrawn", { name: "Lucie", mailbox: contact, count: 1 });
    const [, milliseconds] = /(\d+) ms/.exec(await sophie.flash());
    assert.ok(milliseconds < 1000, `${milliseconds} ms until the connection was closed`);
    await sophie.look("withdrawn");

    const farewell = await ask("farewell", { name: "iphone" });
    assert.ok(farewell.includes(iphone.replace("’", "'")), farewell);
    const refused = await ask("refused", { address: contact, password: phone });
    assert.match(refused.imap, /^NO \[AUTHENTICATIONFAILED\]/);
    assert.match(refused.smtp, /^535 /);

    // Her page says so by itself; loaded anew, there is nothing.
    await lucie.reads("outdated-text");
    await lucie.look("outdated");
    assert.equal((await lucie.tab.reload()).status(), 404);
    await lucie.at("error-404-title");
    await lucie.look("refused");
    await lucie.go("/me");
    await lucie.reads("me-empty");
    await lucie.look("my-mailboxes-empty");
    await ask("mail", { to: addressOf("Lucie"), subject: theirs === "en" ? "Your access at Acme was withdrawn" : "Votre accès à l’organisation Acme" });

    await ask("send", { address: contact, password: crm, to: addressOf("Marc") });
  },

  async "the activity tells all of it in sentences, and the chain holds"() {
    await sophie.press("nav-activity");
    await sophie.at("nav-activity");
    await sophie.picture("activity");
    const deeds = await sophie.tab.locator(".deed").allInnerTexts();
    const told = [
      ["deed-org-create", { subject: "Acme" }],
      ["deed-member-add-own", { role: sophie.say("role-owner") }],
      ["deed-domain-create", { subject: domain }],
      ["deed-mailbox-create", { subject: board }],
      ["deed-mailbox-create", { subject: contact }],
      ["deed-invitation-create", { subject: addressOf("Lucie") }],
      ["deed-invitation-accept", {}],
      ["deed-grant-give-own", { mailbox: contact }],
      ["deed-device-add", { device: iphone, mailbox: contact }],
      ["deed-device-add", { device: "CRM", mailbox: contact }],
      ["deed-grant-withdraw", { name: "Lucie", mailbox: contact }],
      ["deed-device-revoke", { device: iphone, mailbox: contact }],
    ];
    for (const [key, facts] of told) {
      const sentence = sophie.say(key, facts);
      assert.ok(deeds.some(deed => deed.includes(sentence)), `"${sentence}" is not among\n${deeds.join("\n")}`);
    }
    assert.ok(!deeds.some(deed => deed.includes("…") || deed.includes("deed-")), deeds.join("\n"));
    await ask("cli", { arguments: ["audit", "verify"] });
    await sophie.go("/me/activity");
    for (const key of ["deed-user-code-set", "deed-user-signin"]) await sophie.reads(key);
    await sophie.picture("my-activity");
    await sophie.go(`${sophie.contact}/activity`);
    await sophie.picture("mailbox-activity");
    await sophie.go(orgOf(sophie));
    await sophie.picture("overview");
  },
};

/** Walks every link that Lucie has, and tries what Sophie has. */
async function seesNothingElse() {
  const hidden = [board, "Boardroom"];
  const own = await pathsFrom(lucie, "/me");
  assert.ok([...own.keys()].some(path => path.endsWith("/devices/new?kind=iphone")), [...own.keys()].join(" "));
  for (const [path, { status, text }] of own) {
    assert.equal(status, 200, path);
    for (const word of hidden) assert.ok(!text.includes(word), `Lucie reads ${word} at ${path}`);
  }
  const all = await pathsFrom(sophie, sophie.org, 3);
  assert.ok(all.size > 60, `${all.size} pages`);
  const bare = (path, { status, text }) => `${status} ${text.replaceAll(path.split("?")[0], "")}`;
  for (const path of all.keys()) {
    if (own.has(path) || path.startsWith("/me") || path === "/") continue;
    const answer = await lucie.get(path);
    assert.ok(!hidden.some(word => answer.text.includes(word)), `${path} tells Lucie`);
    // Lists of what is hers, and her mailbox's own address, which leads to its devices.
    const isHers = /^\/o\/[^/]+\/(devices|sessions)(\?|$)/.test(path) || path === sophie.contact;
    assert.ok(isHers ? answer.status === 200 : answer.status === 403 || answer.status === 404, `${answer.status} ${path}`);
    // What is there, and what never was: one answer.
    const another = path.replace(/\/(dev|usr|inv|als|ses|dom|mbx)-[0-9a-z]{13}/g, "/$1-0000000000007").replace(/\/activity\/\d+$/, "/activity/987654");
    if (another === path || path.startsWith(sophie.contact)) continue;
    assert.equal(bare(path, answer), bare(another, await lucie.get(another)), path);
  }
}

await play(async () => {
  sophie = await person("Sophie", { language: hers });
  lucie = await person("Lucie", { language: theirs });
  for (const [name, chapter] of Object.entries(chapters)) {
    const began = Date.now();
    await chapter();
    console.error(`ok: ${name} (${Date.now() - began} ms)`);
  }
});
