// People at their browsers, before the real Manager. tests/it/browser starts a script with servers around it, and answers
// what it asks for: mails, mail programs, the daemon's command line.
//
// Every page that a person comes to is watched: errors on the console, breaches of the content security policy, answers
// that are the server's fault. `look` examines a page, and photographs it where POSTERN_LOOK is set.

import assert from "node:assert/strict";
import { createHash, createHmac, X509Certificate } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { accessibility, sideways, smallTargets } from "./examine.mjs";
import { launch, root } from "./gallery.mjs";
import { words } from "./words.mjs";

const site = JSON.parse(process.env.POSTERN_SITE);
export const { authority, folder, origin } = site;
/** How long a person waits for anything. */
const patience = 20_000;
const pictures = process.env.POSTERN_LOOK ? join(root, "target/look-live") : undefined;
const widths = [360, 768, 1280];
const themes = ["light", "dark"];
export const takesPictures = pictures !== undefined;

// Questions to the test around us.

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
let asking = Promise.resolve();

/** Asks one thing of the test around us; one question at a time. */
export function ask(what, more = {}) {
  const answer = asking.then(async () => {
    process.stdout.write(`${JSON.stringify({ ask: what, ...more })}\n`);
    const { value } = await answers.next();
    const { error, answer } = JSON.parse(value);
    if (error) throw new Error(`${what}: ${error}`);
    return answer;
  });
  asking = answer.catch(() => {});
  return answer;
}

/** Notes something that must be nowhere but where it was shown. */
export const secret = async text => { await ask("secret", { secret: text }); return text; };

// What is wrong with pages.

const found = new Map();
/** What was asked for to see whether it is refused. */
const tried = new Set();
const note = (what, where) => found.set(what, [...(found.get(what) ?? []), where]);

function watch(context, who) {
  context.on("console", message => {
    // Chromium logs each answer of 400 and above as an error; what may be is judged below.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) {
      note(`console: ${message.text()}`, `${who} at ${message.page()?.url()}`);
    }
  });
  context.on("weberror", error => note(`script: ${error.error().message}`, `${who} at ${error.page()?.url()}`));
  context.on("response", response => {
    const isPage = response.request().isNavigationRequest();
    const isStream = new URL(response.url()).pathname.endsWith("/live");
    const isWrong = response.status() >= 500 || (response.status() >= 400 && !isPage && !isStream);
    if (isWrong && !tried.has(response.url())) note(`answer ${response.status()}`, response.url());
  });
  context.on("request", request => {
    if (!request.url().startsWith(`${origin}/`)) note("asks another server", request.url());
  });
}

// People.

let browser;
const people = [];

/** Somebody with a browser of their own. */
export async function person(name, { language = "en", javaScript = true, userAgent, viewport = { width: 1280, height: 900 } } = {}) {
  const context = await browser.newContext({
    baseURL: origin,
    locale: language === "en" ? "en-GB" : "fr-CH",
    timezoneId: "Europe/Zurich",
    viewport,
    userAgent,
    reducedMotion: "reduce",
    javaScriptEnabled: javaScript,
  });
  context.setDefaultTimeout(patience);
  watch(context, name);
  const one = new Person(name, language, context);
  people.push(one);
  one.tab = await context.newPage();
  return one;
}

export class Person {
  constructor(name, language, context) {
    Object.assign(this, { name, context });
    this.speak(language);
  }

  /** From now on this person's pages are in another language. */
  speak(language) {
    Object.assign(this, { language, say: words(language) });
  }

  /** Goes to a path; gives the status. */
  async go(path) {
    const answer = await this.tab.goto(path);
    return answer.status();
  }

  /** What this person gets at a path, without going there: status, text, and the paths of ours that it links to. */
  async get(path) {
    tried.add(`${origin}${path}`);
    return await this.tab.evaluate(async path => {
      const answer = await fetch(path);
      const text = await answer.text();
      const page = new DOMParser().parseFromString(text, "text/html");
      const links = [...page.querySelectorAll("a[href]")]
        .map(link => new URL(link.getAttribute("href"), answer.url))
        .filter(url => url.origin === location.origin)
        .map(url => url.pathname + url.search);
      return { status: answer.status, text, links, type: answer.headers.get("content-type") };
    }, path);
  }

  /** Presses a button or a link with these words. */
  async press(key, facts, { exact = true, within = this.tab } = {}) {
    const name = this.say(key, facts);
    const either = within.getByRole("button", { name, exact }).or(within.getByRole("link", { name, exact }));
    await either.first().click();
  }

  /** Presses the button that sends the page's form, whatever stands beside it. */
  send = async (key, facts) => this.tab.getByRole("button", { name: this.say(key, facts), exact: true }).click();

  /** Types into the field with this label. */
  async type(key, text) {
    await this.tab.getByLabel(this.say(key), { exact: true }).fill(text);
  }

  /** Waits until the page says this. */
  async reads(key, facts, within = this.tab) {
    await within.getByText(this.say(key, facts)).filter({ visible: true }).first().waitFor();
  }

  /** Waits for the page with this title. */
  async at(key, facts) {
    const heading = this.tab.getByRole("heading", { level: 1, name: this.say(key, facts) });
    await heading.first().waitFor().catch(async error => {
      throw new Error(`${this.name} is not at "${this.say(key, facts)}" but at ${this.tab.url()}: ${await this.tab.title()}`, { cause: error });
    });
  }

  /** What the page says in one line above itself. */
  flash = () => this.tab.locator("main > .flash").first().innerText();

  /** Another browser of the same person, in which nobody is signed in. */
  another = (name = `${this.name}'s other browser`) => person(name, { language: this.language });

  /** Takes the pictures of a page that walk.mjs examines. */
  async picture(name) {
    if (pictures) await this.look(name);
  }

  /** Examines the page at hand, and takes its pictures. */
  async look(name) {
    const where = `${this.language}/${name}`;
    await ask("at", { where });
    for (const what of await accessibility(this.tab)) note(what, `${where} ${this.tab.url()}`);
    const size = this.tab.viewportSize();
    await this.tab.setViewportSize({ width: 360, height: 740 });
    for (const what of await sideways(this.tab)) note(what, `${where} ${this.tab.url()}`);
    if (pictures) await this.#photograph(where);
    await this.tab.setViewportSize(size);
  }

  async #photograph(where) {
    for (const width of widths) {
      await this.tab.setViewportSize({ width, height: width < 700 ? 740 : 900 });
      for (const theme of themes) {
        await this.tab.emulateMedia({ colorScheme: theme });
        const path = join(pictures, `${where}-${width}-${theme}.png`);
        await mkdir(dirname(path), { recursive: true });
        // A dialog lies over the window, and not over the page.
        const hasDialog = await this.tab.locator("dialog[open]").count() > 0;
        await this.tab.screenshot({ path, fullPage: !hasDialog });
      }
    }
    await this.tab.emulateMedia({ colorScheme: null });
  }
}

/** Looks at a page as it is on a telephone: a browser that is touched. */
export async function onTelephone(one, look) {
  const context = await browser.newContext({
    baseURL: origin,
    viewport: { width: 360, height: 740 },
    hasTouch: true,
    isMobile: true,
    reducedMotion: "reduce",
    locale: one.language,
    storageState: await one.context.storageState(),
  });
  watch(context, `${one.name}'s telephone`);
  const tab = await context.newPage();
  await look(tab, async where => {
    await ask("at", { where });
    for (const what of [...await sideways(tab), ...await smallTargets(tab)]) note(what, where);
  });
  await context.close();
}

// One-time codes (RFC 6238), as an authenticator program makes them.

export class Codes {
  #key;
  #step = 0;

  constructor(shown) {
    const letters = shown.replace(/[^A-Za-z2-7]/g, "").toUpperCase();
    const bits = [...letters].map(letter => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")).join("");
    this.#key = Buffer.from(bits.match(/.{8}/g).map(octet => parseInt(octet, 2)));
  }

  /** The next code that was not used: the server takes one step early and one step late. */
  next() {
    const now = Date.now() / 30_000;
    // Near the end of a step, the one before may be two steps late when it arrives.
    const first = Math.floor(now) - (now % 1 < .8 ? 1 : 0);
    this.#step = Math.max(first, this.#step + 1);
    assert.ok(this.#step <= Math.floor(now) + 1, "more codes are wanted than there are");
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(this.#step));
    const mac = createHmac("sha1", this.#key).update(counter).digest();
    const number = (mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000;
    return String(number).padStart(6, "0");
  }
}

// A script as a whole.

async function keep(error) {
  for (const { name, context } of people) {
    for (const [number, tab] of context.pages().entries()) {
      const path = join(site.folder, `${name.replace(/\W+/g, "-")}-${number}`);
      await tab.screenshot({ path: `${path}.png`, fullPage: true, timeout: 5000 }).catch(() => {});
      await writeFile(`${path}.html`, `<!-- ${tab.url()} -->\n${await tab.content().catch(String)}`).catch(() => {});
    }
  }
  console.error(error.stack ?? error, error.cause?.message ?? "");
}

/** Starts the browser, plays the story, and ends with status 1 where something is wrong. */
export async function play(story) {
  // The Manager's port is any free one. The browser finds it by name, and trusts this one key and no other stranger's.
  const key = new X509Certificate(await readFile(site.certificate)).publicKey.export({ type: "spki", format: "der" });
  browser = await launch([
    `--host-resolver-rules=MAP ${site.host}:443 127.0.0.1:${site.port},MAP * ~NOTFOUND,EXCLUDE 127.0.0.1`,
    `--ignore-certificate-errors-spki-list=${createHash("sha256").update(key).digest("base64")}`,
  ]);
  let failed = false;
  try {
    await story();
  } catch (error) {
    failed = true;
    await keep(error);
  }
  await browser.close();
  for (const [what, places] of found) console.error(`${what}\n    ${places.length} x, ${places.slice(0, 4).join(", ")}`);
  process.exit(failed || found.size > 0 ? 1 : 0);
}
