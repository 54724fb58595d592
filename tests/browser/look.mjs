// Opens every page of the gallery in a real browser: photographs it, examines it with axe-core, and sees that it needs no
// sideways scrolling, breaks no rule of the content security policy, and is large enough for fingers.
//
//   node tests/browser/look.mjs [--languages en,fr] [--widths 320,360,768,1280] [--themes light,dark] [--no-pictures]
//                               [--no-axe] [PART-OF-A-NAME...]
//
// scripts/look renders the gallery first. Pictures are left in target/look. The browser sees only this process's server
// on loopback.

import { mkdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { accessibility, sideways, smallTargets } from "./examine.mjs";
import { gallery, launch, now, root, serve } from "./gallery.mjs";

const pictures = join(root, "target/look");
const parallel = 2;

const options = { languages: "en,fr", widths: "360,768,1280", themes: "light,dark", pictures: true, axe: true };
const wanted = [];
for (let i = 2; i < process.argv.length; i += 1) {
  const [, negated, name] = /^--(no-)?(\w+)$/.exec(process.argv[i]) ?? [];
  if (!name) wanted.push(process.argv[i]);
  else if (!(name in options)) throw new Error(`there is no option ${process.argv[i]}`);
  else if (negated) options[name] = false;
  else if (typeof options[name] === "string") options[name] = process.argv[i += 1];
}

const all = JSON.parse(await readFile(join(gallery, "pages.json"), "utf8"));
const languages = options.languages.split(",");
const pages = all.filter(page => languages.includes(page.split("/")[0]))
  .filter(page => wanted.length === 0 || wanted.some(part => page.includes(part)));
const widths = options.widths.split(",").map(Number);
const themes = options.themes.split(",");

const { origin, stop } = await serve();
const browser = await launch();

let seen = 0;
const found = new Map();
const note = (what, where) => found.set(what, [...(found.get(what) ?? []), where]);

async function examine(context, page, where, isTouch) {
  const tab = await context.newPage();
  tab.on("console", message => { if (message.type() === "error") note(`console: ${message.text()}`, where); });
  tab.on("pageerror", error => note(`script: ${error.message}`, where));
  await tab.goto(`${origin}/${page}`, { waitUntil: "load" });
  for (const found of await sideways(tab)) note(found, where);
  if (isTouch) for (const found of await smallTargets(tab)) note(found, where);
  if (options.axe) for (const found of await accessibility(tab)) note(found, where);
  if (options.pictures) await tab.screenshot({ path: join(pictures, `${where}.png`), fullPage: true });
  seen += 1;
  await tab.close();
}

await rm(pictures, { recursive: true, force: true });
for (const width of widths) {
  for (const theme of themes) {
    const isTouch = width < 700;
    const context = await browser.newContext({
      viewport: { width, height: width < 700 ? 740 : 900 },
      colorScheme: theme,
      hasTouch: isTouch,
      isMobile: isTouch,
      reducedMotion: "reduce",
      timezoneId: "UTC",
      bypassCSP: false,
    });
    await context.clock.setFixedTime(now);
    const waiting = [...pages];
    const work = async () => {
      for (let page = waiting.shift(); page; page = waiting.shift()) {
        const where = `${page}-${width}-${theme}`;
        await mkdir(dirname(join(pictures, where)), { recursive: true });
        await examine(context, page, where, isTouch);
      }
    };
    await Promise.all(Array.from({ length: parallel }, work));
    await context.close();
  }
}
await browser.close();
stop();

for (const [what, places] of found) {
  console.log(`${what}\n    ${places.length} x, ${places.slice(0, 4).join(", ")}`);
}
console.log(`${seen} views of ${pages.length} pages, ${found.size} things to mend${options.pictures ? `, pictures in ${pictures}` : ""}`);
process.exitCode = found.size === 0 && seen > 0 ? 0 : 1;
