// What holds for every page, in the gallery and in the real daemon: accessibility, no sideways scrolling, targets that
// are large enough for fingers.

import { readFile } from "node:fs/promises";
import { require } from "./gallery.mjs";

const axe = await readFile(require.resolve("axe-core/axe.min.js"), "utf8");
const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/** What a finger needs (CSS pixels). */
const finger = 44;

/** What axe-core finds on this page. */
export async function accessibility(tab) {
  await tab.evaluate(axe);
  const run = tags => axe.run(document, { runOnly: { type: "tag", values: tags }, resultTypes: ["violations"] });
  const { violations } = await tab.evaluate(run, rules);
  return violations.flatMap(violation => violation.nodes.map(node =>
    `axe ${violation.id} (${violation.impact}): ${node.html.slice(0, 160)} ${node.any[0]?.message ?? ""}`));
}

/** Whether the page is wider than its window. */
export async function sideways(tab) {
  const wide = await tab.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  return wide > 0 ? [`scrolls sideways by ${wide}px`] : [];
}

/** What is too small for a finger, on a page that is touched. */
export async function smallTargets(tab) {
  return (await tab.evaluate(tooSmall, finger)).map(small => `smaller than a finger: ${small}`);
}

/** Buttons, fields and links that stand by themselves; links inside sentences may be as high as their line. */
function tooSmall(least) {
  const own = "button, .button, input:not([type=hidden]), select, summary, .chip, .menu a, .tabs a, .tile, .way, .todos a, .row-link, .door-foot a";
  const boxes = [...document.querySelectorAll(own)].map(element => {
    // A box to tick is pressed by its label; a link over a whole row by the row.
    const target = element.closest("label, tr, .rows > li, .figure") ?? element;
    const box = target.getBoundingClientRect();
    return { element, box };
  });
  return boxes
    .filter(({ element, box }) => element.checkVisibility() && box.height > 0 && box.height + .5 < least)
    .map(({ element, box }) => `${element.tagName.toLowerCase()}.${element.className} ${Math.round(box.height)}px`);
}
