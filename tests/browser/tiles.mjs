// Setting up a device, tile by tile, on a telephone's screen: what the page shows is put into a real mail program, which
// signs in through the gateway, and the page turns green by itself.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { addressOf, connectDomain, createMailbox, domain, setUp, shownHere, shownPassword } from "./deeds.mjs";
import { ask, authority, folder, origin, person, play, secret } from "./manager.mjs";

const contact = `contact@${domain}`;
/** The live state follows a sign-in within this time. */
const soon = 1000;

let sophie;
let mailbox;
const safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1";

/** Walks from the tiles to the page with the password; gives the password. */
async function add(kind, { name = `The ${kind}` } = {}) {
  await sophie.go(`${mailbox}/devices/new`);
  await sophie.press(`kind-${kind}`);
  await sophie.type("device-name", name);
  await shownHere(sophie);
  await sophie.send("device-make");
  const password = await shownPassword(sophie);
  await sophie.reads("first-waiting");
  return password;
}

/** Waits for the green state, and holds it to its time: `act` is the sign-in. */
async function turnsGreen(key, act) {
  const state = sophie.tab.locator(".waits [data-live^='first:']");
  const green = state.getByText(sophie.say(key), { exact: true }).waitFor().then(() => Date.now());
  await act();
  const signedIn = Date.now();
  const late = await green - signedIn;
  assert.ok(late < soon, `${late} ms until the page said ${key}`);
  return late;
}

/** The text of the QR code that the page shows, read from its picture by a program of its own. */
async function scan(locator, name) {
  const path = `${folder}/${name}.png`;
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

  async "iPhone: one scan, and a profile that is signed"() {
    await sophie.go(`${mailbox}/devices/new`);
    await sophie.press("kind-iphone");
    await sophie.send("device-make");
    const code = sophie.tab.locator(".once .qr").first();
    await code.waitFor();
    await sophie.look("tile-iphone");
    const link = await scan(sophie.tab.locator(".once .qr").first(), "iphone");
    assert.match(link, new RegExp(`^${origin}/s/psd_[a-z2-7]{52}$`), link);
    await secret(link.split("/").at(-1));
    const state = sophie.tab.locator("[data-live^='link:']");
    const device = new URL(sophie.tab.url()).pathname;

    // What the camera opens, on the telephone itself.
    const phone = await person("Sophie's iPhone", { userAgent: safari, viewport: { width: 390, height: 844 } });
    await phone.go(link);
    await phone.look("set-up-iphone");
    const download = phone.tab.waitForEvent("download");
    await phone.send("setup-profile");
    const path = `${folder}/profile.mobileconfig`;
    await (await download).saveAs(path);
    await state.getByText(sophie.say("link-state-fetched")).waitFor();
    await sophie.look("tile-iphone-fetched");

    const plain = execFileSync("openssl", ["cms", "-verify", "-inform", "DER", "-in", path, "-CAfile", authority, "-purpose", "any"], { stdio: ["ignore", "pipe", "ignore"] });
    const read = "import json,plistlib,sys;print(json.dumps(plistlib.loads(sys.stdin.buffer.read()),default=str))";
    const profile = JSON.parse(execFileSync("python3", ["-c", read], { input: plain, encoding: "utf8" }));
    const [account] = profile.PayloadContent;
    assert.equal(profile.PayloadType, "Configuration");
    assert.equal(account.IncomingPassword, account.OutgoingPassword);
    assert.deepEqual(
      [account.EmailAddress, account.IncomingMailServerPortNumber, account.OutgoingMailServerPortNumber, account.IncomingMailServerUseSSL],
      [contact, 993, 465, true],
    );
    const password = await secret(account.IncomingPassword);

    // The same file is not there twice, and another telephone finds the link used.
    const stranger = await person("A stranger", { userAgent: safari, viewport: { width: 390, height: 844 } });
    await stranger.go(link);
    await stranger.look("set-up-taken");
    assert.equal(await stranger.tab.getByRole("button", { name: stranger.say("setup-profile") }).count(), 0);

    const signedIn = state.getByText(sophie.say("link-state-signed-in")).waitFor();
    await ask("imap", { name: "iphone", address: contact, password });
    await signedIn;
    await sophie.go(device.replace(/\/link$/, ""));
    await sophie.tab.locator("[data-live^='device:']").first().getByText(sophie.say("device-state-connected", { count: 1 })).waitFor();
    await sophie.look("tile-iphone-connected");
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
    const state = sophie.tab.locator(".waits [data-live^='first:']");
    const refused = await ask("refused", { address: contact, password: await secret("kqzm-xwdp-hpdt-vnrc") });
    assert.match(refused.imap, /^NO /);
    await sophie.tab.waitForFunction(text => document.querySelector(".waits [data-live^='first:']").innerText.includes(text), sophie.say("first-wrong-password", { when: "…", from: "…" }).split("(")[0].trim());
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
