// A person who has a mail address and a device password, and Thunderbird before them for the first time: fills in the page
// that it opens with, and sends one message. Tells what happens by lines of JSON; tests/it/thunderbird.rs starts it.

import { writeFile } from "node:fs/promises";
import { Marionette } from "./marionette.mjs";

const { port, name, address, password, to, subject, picture, exchangers } = JSON.parse(process.env.POSTERN_PERSON);
const tell = told => process.stdout.write(`${JSON.stringify(told)}\n`);

/** The page on which an account is set up; the rest of a script begins with this. */
const HUB = `const hub = document.querySelector("account-hub-container")?.modal?.querySelector("account-hub-email");
  if (!hub) return null;
  const steps = [...hub.querySelectorAll("[id$=Subview]")].filter(step => !step.hidden).map(step => step.id);
  const forward = hub.querySelector("account-hub-footer #forward");
`;

const thunderbird = await Marionette.open(port);
try {
  await noNameServers();
  await setUp();
  tell({ account: await account() });
  await send();
  tell({ done: true });
} catch (error) {
  await writeFile(picture, await thunderbird.picture()).catch(() => {});
  const seen = await thunderbird.run(`${HUB} return [steps, hub.textContent.replace(/\\s+/g, " ").slice(0, 2000)];`).catch(() => null);
  tell({ failed: String(error), seen });
} finally {
  thunderbird.close();
}

/** Thunderbird asks the system's name servers for other records than addresses: here it is told what the test says. */
function noNameServers() {
  return thunderbird.run(`
    const { DNS } = ChromeUtils.importESModule("resource:///modules/DNS.sys.mjs");
    const exchangers = arguments[0];
    DNS.lookup = async (name, type) => {
      if (type === DNS.MX && exchangers[name]) return [{ prio: 10, host: exchangers[name] }];
      throw new Error("no such record");
    };
  `, exchangers);
}

async function setUp() {
  const field = selector => thunderbird.until(`${selector} is there`, `${HUB} return hub.querySelector(arguments[0]);`, selector);
  const go = async step => {
    const button = await thunderbird.until("one can go on", `${HUB} return forward.disabled || forward.hidden ? null : forward;`);
    await thunderbird.click(button);
    await thunderbird.until(`${step} is shown`, `${HUB} return steps.includes(arguments[0]);`, step);
    tell({ step });
  };
  await thunderbird.until("the first page is shown", `${HUB} return steps.includes("emailAutoConfigSubview");`);
  await thunderbird.type(await field("#realName"), name);
  await thunderbird.type(await field("#email"), address);
  await go("emailConfigFoundSubview");
  await go("emailPasswordSubview");
  await thunderbird.type(await field("#emailPasswordSubview #password"), password);
  await go("emailAddedSuccessSubview");
  await thunderbird.click(await thunderbird.until("one can finish", `${HUB} return forward.disabled ? null : forward;`));
  await thunderbird.until("the page is closed", `return !document.querySelector("account-hub-container").modal.open;`);
}

/** What the account that is there now says of its servers. */
function account() {
  return thunderbird.run(`
    const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
    const accounts = MailServices.accounts.accounts.filter(account => account.incomingServer.type === "imap");
    const [{ incomingServer: incoming, defaultIdentity: identity }] = accounts;
    const outgoing = MailServices.outgoingServer.getServerByKey(identity.smtpServerKey).QueryInterface(Ci.nsISmtpServer);
    const tls = server => server.socketType === Ci.nsMsgSocketType.SSL;
    return {
      count: accounts.length,
      email: identity.email,
      imap: { host: incoming.hostname ?? incoming.hostName, port: incoming.port, tls: tls(incoming), user: incoming.username },
      smtp: { host: outgoing.hostname, port: outgoing.port, tls: tls(outgoing), user: outgoing.username },
    };
  `);
}

async function send() {
  const before = await thunderbird.ask("WebDriver:GetWindowHandles");
  await thunderbird.run(`
    const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
    const parameters = Cc["@mozilla.org/messengercompose/composeparams;1"].createInstance(Ci.nsIMsgComposeParams);
    const fields = Cc["@mozilla.org/messengercompose/composefields;1"].createInstance(Ci.nsIMsgCompFields);
    [fields.to, fields.subject, fields.body] = [arguments[0], arguments[1], "Sent by Thunderbird.\\r\\n"];
    parameters.composeFields = fields;
    parameters.format = Ci.nsIMsgCompFormat.PlainText;
    MailServices.compose.OpenComposeWindowWithParams(null, parameters);
  `, to, subject);
  const opened = await thunderbird.seen("a window to write in is opened", async () => {
    const handles = await thunderbird.ask("WebDriver:GetWindowHandles");
    return handles.find(handle => !before.includes(handle));
  });
  await thunderbird.ask("WebDriver:SwitchToWindow", { handle: opened });
  const button = await thunderbird.until("the message can be sent", `
    const button = document.getElementById("button-send");
    return window.gMsgCompose && document.readyState === "complete" && button && !button.disabled ? button : null;
  `);
  await thunderbird.click(button);
  await thunderbird.ask("WebDriver:SwitchToWindow", { handle: before[0] });
  tell({ step: "sent" });
}
