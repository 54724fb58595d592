// What goes wrong between people and browsers: the back button after a secret, two editors of one thing, forms sent twice,
// sessions that end elsewhere.

import assert from "node:assert/strict";
import { addDevice, connectDomain, createMailbox, domain, setUp, shownHere, shownPassword, signIn } from "./deeds.mjs";
import { ask, person, play } from "./manager.mjs";

const contact = `contact@${domain}`;
let sophie;

const chapters = {
  async "a password is gone with the page: back, forward, reload, history, address"() {
    const { tab } = sophie;
    await sophie.go(`${sophie.contact}/devices/new?kind=iphone`);
    await shownHere(sophie);
    await sophie.send("device-make");
    const password = await shownPassword(sophie);
    const bare = password.replaceAll("-", "");
    const nowhere = async where => {
      // The page that was left with a secret loads itself anew when one comes back to it.
      const page = await tab.content().catch(async () => { await tab.waitForEvent("load"); return await tab.content(); });
      assert.ok(!page.includes(password) && !page.includes(bare), `the password is in the page ${where}`);
      assert.ok(!tab.url().includes(bare) && !tab.url().includes(password), where);
    };
    await sophie.press("act-done");
    await sophie.at("verbatim", { text: "Sophie’s iPhone" });
    await nowhere("after it was left");
    // Whoever comes back is told that it was shown.
    await tab.goBack();
    await sophie.at("password-gone-title");
    await nowhere("after the back button");
    await sophie.look("password-gone");
    await tab.goForward();
    await nowhere("after the forward button");
    const kept = await tab.evaluate(() => [JSON.stringify(history.state), JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie].join());
    assert.ok(!kept.includes(password));
    await sophie.go(`${sophie.contact}/devices`);
    assert.equal(await tab.getByRole("row", { name: "iPhone" }).count(), 1, "no second device came of it");

    // Loaded anew, it leads to what was made, and shows nothing.
    await sophie.go(`${sophie.contact}/devices/new?kind=android`);
    await sophie.send("device-make");
    await tab.locator(".once .secret code").waitFor();
    await shownPassword(sophie);
    await tab.reload();
    await sophie.at("password-gone-title");
    await sophie.go(`${sophie.contact}/devices`);
    assert.equal(await tab.getByRole("row", { name: "Android" }).count(), 1);
    await sophie.picture("mailbox-devices-never");
  },

  async "two people change one device: nothing is overwritten without a word"() {
    const other = await sophie.another("Sophie's laptop");
    await signIn(other, "Sophie");
    other.contact = sophie.contact;
    await addDevice(sophie, sophie.contact, "printer", { name: "Copier" });
    await sophie.press("act-done");
    await sophie.press("act-edit");
    await sophie.picture("device-edit");
    await other.go(new URL(sophie.tab.url()).pathname);
    await other.type("device-name", "Copier, first floor");
    await other.send("act-save");
    await other.reads("done-saved");
    await sophie.type("device-name", "Copier in the hall");
    await sophie.send("act-save");
    await sophie.at("conflict-title");
    for (const name of ["Copier, first floor", "Copier in the hall"]) await sophie.tab.getByRole("cell", { name }).waitFor();
    await sophie.look("conflict");
    await sophie.press("conflict-keep-mine");
    await sophie.reads("done-saved");
    await sophie.at("verbatim", { text: "Copier in the hall" });
    // And the other way: theirs is kept.
    await sophie.press("act-edit");
    await other.tab.reload();
    await other.press("act-edit");
    await other.type("device-name", "Scanner");
    await other.send("act-save");
    await other.reads("done-saved");
    await sophie.type("device-name", "Mine");
    await sophie.send("act-save");
    await sophie.press("conflict-show-theirs");
    await sophie.at("verbatim", { text: "Scanner" });
    await other.context.close();
  },

  async "forms say at the field what to do, and keep what was typed"() {
    const { tab } = sophie;
    await sophie.go(`${sophie.contact}/devices/new?kind=app`);
    await sophie.type("device-name", "Scanner");
    await tab.locator("details.more-settings summary").last().click();
    await sophie.type("device-networks", "192.0.2.7, somewhere");
    await tab.getByLabel("SMTP").uncheck();
    await tab.getByLabel("IMAP").uncheck();
    await sophie.send("device-make");
    await sophie.reads("problem-scopes");
    await sophie.reads("problem-network", { given: "somewhere" });
    await sophie.look("device-new-wrong");
    assert.equal(await tab.getByLabel(sophie.say("device-name"), { exact: true }).inputValue(), "Scanner");
    assert.equal(await tab.getByLabel(sophie.say("device-networks"), { exact: true }).inputValue(), "192.0.2.7, somewhere");
    await sophie.type("device-networks", "");
    await tab.getByLabel("IMAP").check();
    await sophie.send("device-make");
    await sophie.reads("problem-name-taken", { free: "Scanner 2" });
  },

  async "a telephone that is lost is paused, and comes back with the same password"() {
    const { tab } = sophie;
    const password = await addDevice(sophie, sophie.contact, "iphone", { name: "Travel phone" });
    await ask("imap", { name: "travel", address: contact, password });
    await sophie.go("/me");
    await sophie.press("lost-button");
    await sophie.picture("lost");
    await tab.getByRole("button", { name: "Travel phone" }).click();
    await sophie.reads("done-lost-paused", { device: "Travel phone" });
    await ask("farewell", { name: "travel" });
    await sophie.look("my-mailboxes-paused");
    await sophie.press("verbatim", { text: "Travel phone" }, { exact: false });
    await sophie.look("device-paused");
    await sophie.press("device-resume");
    await sophie.reads("done-resumed", { device: "Travel phone" });
    await ask("imap", { name: "travel", address: contact, password });
    // A connection is ended from the list of all; the program may come back.
    await sophie.go(`${sophie.org}/sessions`);
    await sophie.press("session-end", {}, { exact: false, within: tab.getByRole("row", { name: "Travel phone" }) });
    await tab.getByRole("dialog").getByRole("button").first().click();
    await sophie.reads("done-session-ended", { device: "Travel phone" });
    await ask("farewell", { name: "travel" });
    // Replaced, the old password is dead at once.
    await sophie.go("/me");
    await sophie.press("verbatim", { text: "Travel phone" }, { exact: false });
    await sophie.press("device-replace");
    await sophie.picture("replace");
    await sophie.send("device-replace");
    const fresh = await shownPassword(sophie);
    assert.notEqual(fresh, password);
    await sophie.look("device-replaced");
    assert.match((await ask("refused", { address: contact, password })).imap, /^NO /);
    await ask("imap", { name: "travel", address: contact, password: fresh });
    await tab.locator(".waits [data-live^='first:']").getByText(sophie.say("first-connected"), { exact: true }).waitFor();
  },

  async "signed out everywhere else, at the next request"() {
    const others = [await sophie.another("at work"), await sophie.another("at home")];
    for (const other of others) await signIn(other, "Sophie");
    await sophie.go("/me/account");
    await sophie.picture("account");
    await sophie.press("account-everywhere");
    await sophie.look("everywhere-dialog");
    await sophie.tab.getByRole("dialog").getByRole("button").first().click();
    await sophie.reads("done-signed-out", { count: 3 });
    for (const other of others) {
      await other.go(`${sophie.org}/devices`);
      await other.reads("done-session-over");
      // Where one wanted to go is where one comes to.
      await signIn(other, "Sophie");
      await other.at("nav-devices");
      await other.context.close();
    }
    assert.equal(await sophie.go("/me/account"), 200);
  },

  async "an address with a stranger's host leads nowhere"() {
    for (const next of ["https://evil.test/", "//evil.test/", "/\\evil.test/", "/%2F/evil.test"]) {
      const other = await sophie.another("in a hurry");
      await other.go(`/sign-in?next=${encodeURIComponent(next)}`);
      await signIn(other, "Sophie");
      assert.equal(new URL(other.tab.url()).origin, "https://manager.acme.test", next);
      await other.context.close();
    }
  },
};

await play(async () => {
  sophie = await person("Sophie");
  await setUp(sophie);
  await connectDomain(sophie);
  sophie.contact = await createMailbox(sophie, "contact");
  for (const [name, chapter] of Object.entries(chapters)) {
    const began = Date.now();
    await chapter();
    console.error(`ok: ${name} (${Date.now() - began} ms)`);
  }
});
