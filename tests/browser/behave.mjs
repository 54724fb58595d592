// What the script adds to the pages, and that they work without it: copy buttons, dialogs, live state, search key, times,
// secrets that leave with the reader, no network. Run by scripts/look.

import assert from "node:assert/strict";
import { launch, now, serve } from "./gallery.mjs";

const streams = [];
const pages = { "/withdraw": "en/withdraw", "/away": "en/me" };
const { origin, stop } = await serve({ live: stream => streams.push(stream), pages });
const browser = await launch();

async function open(page, options = {}) {
  const context = await browser.newContext({ timezoneId: "Europe/Zurich", reducedMotion: "reduce", ...options });
  await context.clock.setFixedTime(now);
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin });
  const tab = await context.newPage();
  tab.on("pageerror", error => { throw error; });
  await tab.goto(`${origin}/${page}`);
  return tab;
}

const send = data => streams.forEach(stream => stream.write(`data: ${data.replaceAll("\n", "\ndata: ")}\n\n`));

const tests = {
  async "a copy button copies what stands before it and says so"() {
    const tab = await open("en/device-password-waiting");
    await tab.getByRole("button", { name: "Copy: Password" }).click();
    assert.equal(await tab.evaluate(() => navigator.clipboard.readText()), "kqzm-xwdp-hpdt-vnrc");
    await tab.locator("#said", { hasText: "Copied" }).waitFor({ state: "attached" });
  },

  async "a question comes as a dialog, which the keyboard can leave"() {
    const tab = await open("en/mailbox-people");
    const link = tab.getByRole("link", { name: /Withdraw access ?: Anna Keller/ });
    await link.click();
    const dialog = tab.getByRole("dialog", { name: "Withdraw the access of Lucie Müller to info@acme.ch?" });
    await dialog.waitFor();
    assert.equal(await tab.evaluate(() => document.activeElement.textContent.trim()), "Cancel", "nothing ends by habit");
    await tab.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    assert.ok(await link.evaluate(link => link === document.activeElement), "the focus is back");
  },

  async "live state changes what is named and nothing else"() {
    streams.length = 0;
    const tab = await open("en/device-password-waiting");
    await tab.waitForFunction(() => document.querySelector("[data-live]"));
    while (streams.length === 0) await new Promise(done => setTimeout(done, 20));
    const name = await tab.locator(".waits [data-live^='first:']").getAttribute("data-live");
    send(`${name}\n<p class="step good">Connected</p>`);
    for (const place of [".waits", ".glance"]) {
      await tab.locator(place).getByText("Connected", { exact: true }).waitFor({ state: "attached" });
    }
    send("device:somebody-else\n<b>not here</b>");
    assert.equal(await tab.getByText("not here").count(), 0);
  },

  async "on a telephone the first sign-in stays in sight while one reads the steps"() {
    const tab = await open("en/device-password-wrong-password", { viewport: { width: 360, height: 740 } });
    const glance = tab.locator(".glance");
    await tab.getByText("Server settings").scrollIntoViewIfNeeded();
    await tab.mouse.wheel(0, 400);
    await tab.waitForFunction(() => scrollY > 300);
    assert.match(await glance.innerText(), /^Tried with a wrong password/);
    const { y, height } = await glance.boundingBox();
    assert.ok(y >= 56 && y + height < 370, `from ${y}, ${height} high`);
    await tab.setViewportSize({ width: 1280, height: 740 });
    assert.ok(await glance.isHidden(), "there both columns are in sight");
  },

  async "a slash goes to the search, except while one types"() {
    const tab = await open("en/mailboxes");
    await tab.keyboard.press("/");
    assert.equal(await tab.evaluate(() => document.activeElement.id), "search");
    await tab.keyboard.type("a/b");
    assert.equal(await tab.locator("#search").inputValue(), "a/b");
  },

  async "times are told in the browser's zone"() {
    const tab = await open("fr/activity-one");
    const time = tab.locator("time[data-form=clock]").first();
    assert.match(await time.getAttribute("title"), /22 novembre 2026.*12:57/);
    assert.match(await time.textContent(), /22 nov\. 2026.*12:57/);
  },

  async "a password is not there any more when one comes back"() {
    const tab = await open("en/device-password-waiting");
    await tab.evaluate(() => dispatchEvent(new PageTransitionEvent("pagehide")));
    assert.ok(!(await tab.content()).includes("kqzm-xwdp"));
  },

  async "a password prints on one A5 page, whatever else the page says and whichever form is open"() {
    const tab = await open("en/device-set-up-printer");
    await tab.evaluate(() => { for (const one of document.querySelectorAll(".offline")) one.hidden = false; });
    for (const maker of [null, "Xerox"]) {
      if (maker) await tab.locator("summary", { hasText: maker }).click();
      const pdf = (await tab.pdf({ preferCSSPageSize: true })).toString("latin1");
      assert.equal(pdf.match(/\/Type \/Page\b/g).length, 1);
      assert.match(pdf, /\/MediaBox \[0 0 (419|420)[.\d]* (594|595)[.\d]*\]/);
      await tab.emulateMedia({ media: "print" });
      assert.ok(await tab.getByText("kqzm-xwdp-hpdt-vnrc").isVisible());
      assert.equal(await tab.locator(":is(.offline, .glance):visible").count(), 0);
      assert.equal(await tab.getByRole("heading", { name: "Settings of a copier" }).isVisible(), maker !== null);
      assert.equal(await tab.locator(".servers").isVisible(), maker === null, "one sheet of settings");
      await tab.emulateMedia({ media: null });
    }
  },

  async "a password field shows what is in it on demand"() {
    const tab = await open("en/sign-in");
    await tab.getByLabel("Password", { exact: true }).fill("open sesame");
    const show = tab.getByRole("button", { name: "Show" });
    await show.click();
    assert.equal(await tab.locator("#password").getAttribute("type"), "text");
    assert.equal(await show.getAttribute("aria-pressed"), "true");
  },

  async "without a network a form stays as it is and says why"() {
    const tab = await open("en/mailbox-new");
    await tab.locator("#local").fill("typed");
    await tab.context().setOffline(true);
    await tab.getByRole("button", { name: "Create mailbox" }).click();
    await tab.getByText("No connection. Nothing was changed.").waitFor();
    assert.equal(await tab.locator("#local").inputValue(), "typed");
    await tab.context().setOffline(false);
    await tab.getByText("No connection.").waitFor({ state: "hidden" });
  },

  async "the first wrong field has the focus"() {
    const tab = await open("en/device-new-wrong");
    assert.equal(await tab.evaluate(() => document.activeElement.name), "name");
  },

  async "the menu of a phone opens and closes by keyboard, without a script too"() {
    for (const javaScriptEnabled of [true, false]) {
      const tab = await open("en/overview", { viewport: { width: 360, height: 700 }, javaScriptEnabled });
      const people = tab.getByRole("link", { name: "People", exact: true }).first();
      assert.ok(!(await people.isVisible()));
      await tab.getByRole("button", { name: "Menu" }).press("Enter");
      await people.waitFor({ state: "visible" });
      await tab.keyboard.press("Escape");
      await people.waitFor({ state: "hidden" });
    }
  },

  async "without a script nothing is offered that needs one, and questions are pages"() {
    const tab = await open("en/mailbox-people", { javaScriptEnabled: false });
    await tab.getByRole("link", { name: /Withdraw access ?: Anna Keller/ }).click();
    await tab.getByRole("heading", { level: 1, name: "Withdraw the access of Lucie Müller" }).waitFor();
    await tab.goto(`${origin}/en/device-password-waiting`);
    assert.equal(await tab.getByRole("button", { name: "Copy" }).count(), 0);
    await tab.goto(`${origin}/en/sign-in`);
    assert.equal(await tab.getByRole("button", { name: "Show" }).count(), 0);
  },

  async "every control is reached by the tab key, in the order of the page"() {
    const tab = await open("en/mailbox-devices");
    const order = [];
    for (let press = 0; press < 200; press += 1) {
      await tab.keyboard.press("Tab");
      const place = await tab.evaluate(() => {
        const all = [...document.querySelectorAll("a[href], button, input, select, summary")];
        return all.indexOf(document.activeElement);
      });
      if (place < 0) break;
      order.push(place);
    }
    assert.ok(order.length > 30, `${order.length} controls`);
    assert.deepEqual(order, [...order].sort((a, b) => a - b));
  },
};

let failed = 0;
for (const [name, test] of Object.entries(tests)) {
  try {
    await test();
    console.log(`ok: ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED: ${name}\n    ${error.stack ?? error}`);
  }
  for (const context of browser.contexts()) await context.close();
}
await browser.close();
stop();
console.log(`${Object.keys(tests).length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
