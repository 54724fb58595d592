// Links from mails: a new password, and invitations in all their fates. Each works once, and each end has a page that says
// what happened and what to do.

import assert from "node:assert/strict";
import { acceptAsNew, addressOf, connectDomain, createMailbox, domain, inviteTo, passwords, setUp, signIn, signOut } from "./deeds.mjs";
import { ask, person, play, secret } from "./manager.mjs";

const contact = `contact@${domain}`;
let sophie;

const chapters = {
  async "a new password by mail"() {
    const browser = await sophie.another();
    await browser.go("/sign-in");
    await browser.press("sign-in-forgot");
    await browser.at("forgot-title");
    await browser.look("forgot");
    // For an address that nobody has, the page says the same and no mail goes out.
    for (const name of ["Anna", "Sophie"]) {
      await browser.go("/forgot");
      await browser.type("sign-in-address", addressOf(name));
      await browser.send("forgot-send");
      await browser.reads("forgot-sent", { address: addressOf(name) });
    }
    await browser.look("forgot-sent");
    const mail = await ask("mail", { to: addressOf("Sophie"), subject: "Choose a new password" });
    await ask("no-mail", { to: addressOf("Anna") });
    await browser.go(mail.link);
    await browser.at("reset-title");
    await browser.look("reset");
    await browser.type("word-new-password", "password1234");
    await browser.send("reset-save");
    await browser.reads("problem-password-common");
    passwords.Sophie = await secret("basalt heron quilt");
    await browser.type("word-new-password", passwords.Sophie);
    await browser.send("reset-save");
    await browser.reads("done-password-reset");
    await browser.look("reset-done");
    await ask("mail", { to: addressOf("Sophie"), subject: "Your password was changed" });

    await browser.go(mail.link);
    await browser.at("reset-gone-title");
    await browser.look("reset-gone");
    // Whoever was signed in elsewhere is not any more.
    await sophie.go("/me");
    await sophie.reads("done-session-over");
    await sophie.look("session-over");
    await signIn(sophie);
    await browser.context.close();
  },

  async "a link that was used is used up, and says by whom"() {
    const { link } = await inviteTo(sophie, sophie.contact, "Lucie", "en");
    const lucie = await person("Lucie");
    await acceptAsNew(lucie, link);
    await lucie.at("nav-my-mailboxes");
    const stranger = await person("Stranger");
    assert.equal(await stranger.go(link), 410);
    await stranger.at("closed-used-title");
    await stranger.tab.getByText("lucie@…").waitFor();
    await stranger.look("invitation-used");
    assert.equal(await stranger.go(`${link}x`), 404);
    await stranger.at("closed-unknown-title");
    await stranger.look("invitation-unknown");
    await stranger.context.close();
    await lucie.context.close();
  },

  async "of two browsers at once, one is let in"() {
    const { link } = await inviteTo(sophie, sophie.contact, "Marc", "en");
    const browsers = [await person("Marc"), await person("Marc")];
    for (const browser of browsers) {
      await browser.go(link);
      await browser.type("word-your-name", "Marc");
      await browser.type("word-password", await secret(passwords.Marc));
    }
    await Promise.all(browsers.map(browser => browser.send("invited-create")));
    const titles = [];
    for (const browser of browsers) {
      const { tab } = browser;
      const [inside, used] = [browser.say("nav-my-mailboxes"), browser.say("closed-used-title")];
      await tab.getByRole("heading", { level: 1 }).filter({ hasText: new RegExp(`^(${inside}|${used}|${browser.say("sign-in-title")})$`) }).waitFor();
      titles.push(await tab.locator("h1").innerText());
    }
    assert.equal(titles.filter(title => title === sophie.say("nav-my-mailboxes")).length, 1, titles.join(", "));
    for (const browser of browsers) await browser.context.close();
    await sophie.go(`${sophie.contact}/people`);
    assert.equal(await sophie.tab.getByRole("row", { name: "Marc" }).count(), 1);
  },

  async "somebody who is signed in as another is told, and can change over"() {
    const { link } = await inviteTo(sophie, sophie.contact, "Anna", "en");
    const anna = await person("Anna");
    await anna.go("/sign-in");
    await signIn(anna, "Lucie");
    await anna.go(link);
    await anna.reads("invited-another", { address: addressOf("Lucie"), invited: addressOf("Anna") });
    await anna.look("invitation-another");
    await anna.send("invited-sign-out");
    await anna.at("invited-title", { org: "Acme" });
    await acceptAsNew(anna, link);
    await anna.at("nav-my-mailboxes");
    await anna.context.close();
  },

  async "somebody who is here already signs in to accept, and the inviter never learns it"() {
    // Lucie has a sign-in, and no access any more.
    await sophie.go(`${sophie.contact}/people`);
    const row = sophie.tab.getByRole("row", { name: "Lucie" });
    await sophie.press("access-withdraw", {}, { exact: false, within: row });
    await sophie.tab.getByRole("dialog").getByRole("button", { name: sophie.say("access-withdraw") }).click();
    await sophie.reads("done-access-withdrawn", { name: "Lucie", mailbox: contact, count: 0 });
    await sophie.go(`${sophie.org}/people`);
    await sophie.press("verbatim", { text: "Lucie" });
    await sophie.press("person-remove");
    await sophie.look("remove-dialog");
    await sophie.tab.getByRole("dialog").getByRole("button", { name: sophie.say("remove-button", { name: "Lucie" }) }).click();
    await sophie.reads("done-member-removed", { name: "Lucie", org: "Acme", count: 0 });
    const { link } = await inviteTo(sophie, sophie.contact, "Lucie", "en");
    const lucie = await person("Lucie");
    await lucie.go(link);
    await lucie.press("invited-sign-in");
    await lucie.at("sign-in-title");
    await signIn(lucie);
    await lucie.at("invited-title", { org: "Acme" });
    await lucie.reads("invited-signed-in", { name: "Lucie", address: addressOf("Lucie") });
    await lucie.look("invitation-signed-in");
    await lucie.send("invited-accept");
    await lucie.reads("done-joined", { org: "Acme" });
    await lucie.context.close();
  },

  async "withdrawn, declined, expired, sent again: each its own page"() {
    const guest = await person("Guest", { language: "fr" });
    for (const [fate, title] of [["withdrawn", "closed-withdrawn-title"], ["declined", "closed-declined-title"], ["expired", "closed-expired-title"]]) {
      const address = `${fate}@private.test`;
      await sophie.go(`${sophie.org}/invitations/new`);
      if (fate === "withdrawn") await sophie.picture("invitation-new");
      await sophie.type("invitation-address", address);
      await sophie.press("invitation-link-only");
      const shown = sophie.tab.locator(".once code");
      await shown.waitFor();
      const link = await secret(await shown.innerText());
      if (fate === "withdrawn") {
        await sophie.look("invitation-link");
        await sophie.press("invitation-withdraw");
        await sophie.look("invitation-withdraw-dialog");
        await sophie.tab.getByRole("dialog").getByRole("button", { name: sophie.say("invitation-withdraw") }).click();
        await sophie.reads("done-invitation-withdrawn", { address });
        await sophie.look("invitation-withdrawn");
      } else if (fate === "declined") {
        await guest.go(link);
        await guest.press("invited-decline");
        await guest.at("decline-title");
        await guest.look("decline");
        await guest.tab.getByRole("button", { name: guest.say("invited-decline") }).click();
        await guest.at(title);
        await guest.look("closed-declined-now");
      } else {
        await ask("sql", { sql: `UPDATE invitation SET expires_at = NOW - 1000 WHERE address = '${address}'` });
      }
      assert.equal(await guest.go(link), 410, fate);
      await guest.at(title);
      await guest.look(`closed-${fate}`);
      if (fate === "expired") {
        await sophie.go(`${sophie.org}/invitations`);
        await sophie.press("verbatim", { text: address }, { exact: false });
        await sophie.press("invitation-new-link");
        await shown.waitFor();
        assert.equal(await guest.go(await secret(await shown.innerText())), 200);
        await guest.at("invited-title", { org: "Acme" });
      }
    }
  },

  async "an invitation that cannot be delivered says so, with the mail server's words"() {
    await sophie.go(`${sophie.org}/invitations/new`);
    await sophie.type("invitation-address", "nobody@private.test");
    await sophie.send("invitation-send");
    await sophie.reads("done-invited", { address: "nobody@private.test" });
    const page = sophie.tab.url();
    await ask("failed-mail", { to: "nobody@private.test" });
    await sophie.go(page);
    await sophie.reads("invitation-bounced");
    await sophie.tab.getByText("there is no such mailbox").waitFor();
    await sophie.look("invitation-bounced");
    await sophie.go(sophie.org);
    await sophie.reads("todo-undelivered", { count: 1 });
    await sophie.go(`${sophie.org}/invitations`);
    await sophie.look("invitations");
  },

  async "the wrong password is told without a hint, and too many tries with a time"() {
    const guest = await person("Mallory");
    await guest.go("/sign-in");
    for (let tries = 1; ; tries += 1) {
      await guest.type("sign-in-address", addressOf("Sophie"));
      await guest.type("word-password", "not her password");
      await guest.send("act-sign-in");
      await guest.tab.locator(".flash.bad").waitFor();
      if (!(await guest.tab.locator(".flash.bad").innerText()).includes(guest.say("sign-in-refused"))) break;
      if (tries === 1) await guest.look("sign-in-refused");
      assert.ok(tries < 30, "guessing is slowed down at last");
    }
    await guest.look("sign-in-throttled");
    // The owner, in the browser that knows her, is not locked out.
    await signOut(sophie);
    await signIn(sophie);
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
