// What the pages say, out of texts/*.ftl: scripts find buttons and fields by the key of their words, in any language.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./gallery.mjs";

/** All words of a language: `say(key, facts)`. Knows what our texts use of Fluent: values, and choices by a number. */
export function words(language) {
  const texts = parse(readFileSync(join(root, `texts/${language}.ftl`), "utf8"));
  const plural = new Intl.PluralRules(language);
  return (key, facts = {}) => {
    const text = texts.get(key);
    if (text === undefined) throw new Error(`texts/${language}.ftl has no ${key}`);
    return text
      .replace(/\{ \$(\w+) ->(.*?)\n\s*\}/gs, (_, name, choices) => choose(choices, facts[name], plural))
      .replace(/\{ \$(\w+) \}/g, (_, name) => {
        if (!(name in facts)) throw new Error(`${key} needs a fact ${name}`);
        return facts[name];
      });
  };
}

function parse(text) {
  const texts = new Map();
  let key;
  for (const line of text.split("\n")) {
    const [, name, rest] = /^([a-z][\w-]*) =\s?(.*)$/.exec(line) ?? [];
    if (name) texts.set(key = name, rest);
    else if (/^\s+\S/.test(line) && key) texts.set(key, `${texts.get(key)}\n${line}`.replace(/^\n\s+(?=\{)/, ""));
    else key = undefined;
  }
  return texts;
}

function choose(choices, count, plural) {
  const all = [...choices.matchAll(/\[(\w+)\] (.*)/g)].map(([, name, text]) => [name, text]);
  const exact = all.find(([name]) => name === String(count)) ?? all.find(([name]) => name === plural.select(count));
  return (exact ?? all.find(([name]) => name === "other"))[1];
}
