// Setting up a device, tile by tile, on a telephone's screen: what the page shows is put into a real mail program, which
// signs in through the gateway, and the page turns green by itself.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { addressOf, connectDomain, createMailbox, domain, setUp, shownPassword } from "./deeds.mjs";
import { ask, person, play, secret } from "./manager.mjs";

const contact = `contact@${domain}`;
/** The live state follows a sign-in within this time. */
const soon = 1000;

let sophie;
let mailbox;
/** What a person does on each path, for the table of the documents. */
const counted = {};

/** Walks from the tiles to the page with the password; gives the password. */
async function add(kind, { name = `The ${kind}` } = {}) {
  await sophie.go(`${mailbox}/devices/new`);
  await sophie.press(`kind-${kind}`);
  await sophie.type("device-name", name);
  await sophie.send("device-make");
  const password = await shownPassword(sophie);
  await sophie.reads("first-waiting");
  counted[kind] = { taps: 2, pastes: 0 };
  return password;
}

/** Waits for the green state, and holds it to its time: `act` is the sign-in. */
async function turnsGreen(key, act) {
  const state = sophie.tab.locator("[data-live^='first:']");
  const green = state.getByText(sophie.say(key), { exact: true }).waitFor().then(() => Date.now());
  await act();
  const signedIn = Date.now();
  const late = await green - signedIn;
  assert.ok(late < soon, `${late} ms until the page said ${key}`);
  return late;
}

/** The text of the QR code that the page shows, read from its picture by a program of its own. */
async function scan(locator, name) {
  const path = `${JSON.parse(process.env.POSTERN_SITE).folder}/${name}.png`;
  await locator.screenshot({ path });
  return execFileSync("zbarimg", ["--quiet", "--nodbus", "--raw", "--oneshot", "-Sdisable", "-Sqrcode.enable", path], { encoding: "utf8" }).replace(/\n$/, "");
}

const chapters = {
  async "Sophie has a mailbox"() {
    await setUp(sophie);
    await connectDomain(sophie);
    mailbox = (await createMailbox(sophie, "contact")).replace(/\/devices$|\/$/, "");
    await sophie.tab.setViewportSize({ width: 360, height: 740 });
  },

  async "Android: the code is hidden until it is asked for, and holds what the app needs"() {
    const password = await add("android");
    const code = sophie.tab.locator("details[data-hides]");
    assert.equal(await code.locator("svg").isVisible(), false);
    await code.locator("summary").click();
    await sophie.look("tile-android");
    const read = JSON.parse(await scan(code.locator("svg"), "android"));
    const [version, [part, parts], incoming, [[[outgoing, [from]]]]] = [read[0], read[1], read[2], [[read[3][0]]]];
    assert.deepEqual([version, part, parts], [1, 1, 1]);
    const [, host, port, security, method, user, , given] = incoming;
    assert.deepEqual([port, security, method, user], [993, 3, 1, contact]);
    assert.equal(given.replaceAll("-", ""), password.replaceAll("-", ""));
    assert.deepEqual([outgoing[1], outgoing[2], outgoing[5], from], [host, 465, contact, contact]);
    await turnsGreen("first-receiving", () => ask("imap", { name: "android", address: user, password: given }));
  },

  async "Outlook, Thunderbird, Apple Mail and others: address, and one paste"() {
    for (const kind of ["outlook", "thunderbird", "apple-mail", "other"]) {
      const password = await add(kind);
      await sophie.look(`tile-${kind}`);
      await turnsGreen("first-receiving", () => ask("imap", { name: kind, address: contact, password }));
      counted[kind].pastes = 1;
    }
  },

  async "A copier: a sheet to print, in its maker's words, and it sends"() {
    const password = await add("printer");
    await sophie.look("tile-printer");
    const makers = sophie.tab.locator(".makers details");
    assert.ok(await makers.count() >= 5, "makers of copiers");
    for (const one of await makers.all()) {
      await one.locator("summary").click();
      const text = await one.innerText();
      assert.ok(text.includes("465") && text.includes(contact), text);
    }
    await turnsGreen("first-sending", () => ask("send", { address: contact, password, to: addressOf("Marc") }));
  },

  async "A CRM: all fields, a test message that does not count, and then its own sign-ins"() {
    const password = await add("app");
    await sophie.look("tile-app");
    await sophie.send("trial-send");
    await sophie.reads("trial-sent", { address: addressOf("Sophie") });
    await sophie.look("tile-app-tested");
    await ask("mail", { to: addressOf("Sophie"), subject: "The app" });
    await sophie.reads("first-waiting");
    await turnsGreen("first-receiving", () => ask("imap", { name: "app", address: contact, password }));
    await turnsGreen("first-sending", () => ask("send", { address: contact, password, to: addressOf("Marc") }));
  },

  async "What goes wrong is said while it does"() {
    const password = await add("other", { name: "The clumsy one" });
    const state = sophie.tab.locator("[data-live^='first:']");
    const refused = await ask("refused", { address: contact, password: await secret("kqzm-xwdp-hpdt-vnrc") });
    assert.match(refused.imap, /^NO /);
    await sophie.tab.waitForFunction(text => document.querySelector("[data-live^='first:']").innerText.includes(text), sophie.say("first-wrong-password", { when: "…", from: "…" }).split("(")[0].trim());
    await sophie.look("tile-wrong-password");
    await ask("refused", { address: "contact", password });
    await state.getByText(contact).first().waitFor();
    await sophie.look("tile-wrong-name");
    // Closed and opened again: the page of the device says the same.
    await sophie.press("act-done");
    await state.getByText(contact).first().waitFor();
    await turnsGreen("first-connected", () => ask("imap", { name: "clumsy", address: contact, password }));
  },
};

await play(async () => {
  sophie = await person("Sophie");
  for (const [name, chapter] of Object.entries(chapters)) {
    const began = Date.now();
    await chapter();
    console.error(`ok: ${name} (${Date.now() - began} ms)`);
  }
});
