// What the Manager's pages do better with a script. Every page works without it.
"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  // English dates are written the day first, as the pages have them.
  const lang = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;
  const spoken = document.getElementById("said");
  const say = text => { spoken.textContent = ""; setTimeout(() => { spoken.textContent = text; }, 50); };

  // Times in the browser's own zone, and distances that grow.
  const day = new Intl.DateTimeFormat(lang, { day: "numeric", month: "short", year: "numeric" });
  const clock = new Intl.DateTimeFormat(lang, { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const full = new Intl.DateTimeFormat(lang, { dateStyle: "long", timeStyle: "long", hourCycle: "h23" });
  const distance = new Intl.RelativeTimeFormat(lang, { numeric: "always" });
  const units = [["day", 86400], ["hour", 3600], ["minute", 60]];
  const tellTimes = root => {
    for (const time of all("time[datetime]", root)) {
      const at = new Date(time.dateTime);
      const form = time.dataset.form;
      time.title = full.format(at);
      if (form === "day") continue; // A day was meant where it was set.
      if (form === "clock") { time.textContent = clock.format(at); continue; }
      const seconds = (at - Date.now()) / 1000;
      const unit = units.find(([, length]) => Math.abs(seconds) >= length);
      if (!unit) continue; // "just now" is said by the page, in its own words.
      time.textContent = Math.abs(seconds) < 30 * 86400
        ? distance.format(Math.trunc(seconds / unit[1]), unit[0])
        : day.format(at);
    }
  };

  // Copy buttons: next to what they copy.
  const copy = async button => {
    const source = button.previousElementSibling;
    try {
      await navigator.clipboard.writeText(source.innerText.trim());
    } catch {
      // A page without TLS has no clipboard: select it, so that a key press copies it.
      getSelection().selectAllChildren(source);
      return;
    }
    const label = button.querySelector("span");
    const before = label.textContent;
    label.textContent = button.dataset.copied;
    say(button.dataset.copied);
    setTimeout(() => { label.textContent = before; }, 2000);
  };

  const reveal = button => {
    const input = document.getElementById(button.dataset.reveal);
    const shows = input.type === "password";
    input.type = shows ? "text" : "password";
    button.setAttribute("aria-pressed", String(shows));
    input.focus();
  };

  // Questions in a dialog instead of on a page of their own.
  const ask = async link => {
    let page;
    try {
      const answer = await fetch(link.href);
      if (!answer.ok || answer.redirected) throw new Error("not a question");
      page = new DOMParser().parseFromString(await answer.text(), "text/html");
    } catch {
      location.href = link.href;
      return;
    }
    const body = page.querySelector("[data-dialog-body]");
    if (!body) { location.href = link.href; return; }
    const dialog = document.createElement("dialog");
    dialog.append(document.adoptNode(body));
    const title = dialog.querySelector("h2");
    title.id = "dialog-title";
    dialog.setAttribute("aria-labelledby", title.id);
    dialog.addEventListener("click", event => {
      if (event.target === dialog || event.target.closest("[data-close]")) { event.preventDefault(); dialog.close(); }
    });
    dialog.addEventListener("close", () => { dialog.remove(); link.focus(); });
    document.body.append(dialog);
    prepare(dialog);
    dialog.showModal();
    // The first thing to do is to read, or to type; never to press the button that ends something.
    (dialog.querySelector("input:not([type=hidden])") || dialog.querySelector("[data-close]")).focus();
  };

  document.addEventListener("click", event => {
    if (!(event.target instanceof Element)) return;
    const button = event.target.closest("[data-copy], [data-reveal], [data-print]");
    if (button) {
      if ("print" in button.dataset) print();
      else if ("copy" in button.dataset) copy(button);
      else reveal(button);
      return;
    }
    const link = event.target.closest("a[data-dialog]");
    if (link && event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey) {
      event.preventDefault();
      link.closest("details.drop")?.removeAttribute("open");
      ask(link);
      return;
    }
    // A menu that is open closes where one presses elsewhere.
    for (const menu of all("details.drop[open], details.orgs[open]")) if (!menu.contains(event.target)) menu.open = false;
  });

  document.addEventListener("keydown", event => {
    if (event.key === "Escape") {
      for (const menu of all("details.drop[open]")) { menu.open = false; menu.querySelector("summary").focus(); }
    }
    const typing = event.target instanceof Element && event.target.closest("input, select, textarea, [contenteditable], dialog");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const search = document.querySelector("[data-search]");
    if (search) { event.preventDefault(); search.focus(); search.select(); }
  });

  // A form whose answer is this page with more in one part of it: only that part is taken over.
  const fill = async (form, button) => {
    const here = document.getElementById(form.dataset.part);
    try {
      const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const part = page.getElementById(form.dataset.part);
      if (!part) { form.submit(); return; }
      here.replaceChildren(...part.childNodes);
      prepare(here);
    } catch {
      offline.hidden = false;
    }
    button?.removeAttribute("aria-busy");
  };

  // What hides itself again, so that it does not stay on a screen that nobody looks at.
  const HIDDEN_AFTER = 60000;
  document.addEventListener("toggle", event => {
    const shown = event.target;
    if (!(shown instanceof HTMLDetailsElement) || !("hides" in shown.dataset)) return;
    clearTimeout(shown.hiding);
    if (shown.open) shown.hiding = setTimeout(() => { shown.open = false; }, HIDDEN_AFTER);
  }, true);

  // Forms: sent once, and kept as they are while there is no network.
  const offline = document.getElementById("offline");
  document.addEventListener("submit", event => {
    if (!navigator.onLine) { event.preventDefault(); offline.hidden = false; return; }
    // A file comes, and the page stays.
    if ("file" in event.target.dataset) return;
    const button = event.submitter;
    if (button?.getAttribute("aria-busy")) { event.preventDefault(); return; }
    button?.setAttribute("aria-busy", "true");
    if (event.target.dataset.part) { event.preventDefault(); fill(event.target, button); }
  });
  addEventListener("offline", () => { offline.hidden = false; });
  addEventListener("online", () => { offline.hidden = true; });

  // What is shown once has an address at which that is told: whoever loads the page anew or comes back to it gets there,
  // instead of being asked by the browser to send the form again.
  const once = document.querySelector("[data-gone]");
  if (once) history.replaceState(null, "", once.dataset.gone);

  // Secrets leave the page with the reader: coming back must not show them again.
  addEventListener("pagehide", () => { for (const secret of all("[data-secret]")) secret.replaceChildren(); });
  addEventListener("pageshow", event => {
    for (const busy of all("[aria-busy]")) busy.removeAttribute("aria-busy");
    if (event.persisted && document.querySelector("[data-secret]")) location.reload();
  });

  // Live state: one stream, whose messages are the name of an element and its new content.
  const from = document.body.dataset.liveFrom;
  const pause = document.querySelector("[data-live-pause]");
  const [reconnecting, outdated] = ["reconnecting", "outdated"].map(id => document.getElementById(id));
  let stream;
  // Refused for good: signed out meanwhile, or no longer allowed to see it. Everything else is tried again.
  const refused = async address => {
    const answer = await fetch(address, { method: "HEAD" }).catch(() => undefined);
    if (answer?.status !== 404) { setTimeout(watch, 5000 + Math.random() * 5000); return; }
    reconnecting.hidden = true;
    outdated.hidden = false;
  };
  const watch = () => {
    if (stream || document.hidden || !from || !document.querySelector("[data-live]")) return;
    // The stream is told what the page shows, and which part of a list.
    const query = new URLSearchParams();
    for (const name of new Set(all("[data-live]").map(element => element.dataset.live))) query.append("watch", name);
    const list = new URLSearchParams(location.search);
    for (const field of ["q", "after"]) if (list.has(field)) query.set(field, list.get(field));
    const address = `${from}?${query}`;
    stream = new EventSource(address);
    stream.onopen = () => { reconnecting.hidden = true; };
    stream.onerror = () => {
      reconnecting.hidden = !offline.hidden;
      if (stream.readyState !== EventSource.CLOSED) return;
      stream = undefined;
      refused(address);
    };
    stream.onmessage = event => {
      if (pause?.checked) return;
      const end = event.data.indexOf("\n");
      const [name, html] = [event.data.slice(0, end), event.data.slice(end + 1)];
      for (const element of all("[data-live]")) {
        // What has not changed is left alone: nothing flickers, and nothing is read out twice.
        if (element.dataset.live !== name || element.dataset.shown === html) continue;
        const hasFocus = element.contains(document.activeElement);
        if (hasFocus && name === "sessions") continue;
        element.dataset.shown = html;
        element.innerHTML = html;
        prepare(element);
      }
    };
  };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { stream?.close(); stream = undefined; } else { watch(); tellTimes(document); }
  });

  const prepare = root => {
    for (const hidden of all("[data-copy], [data-reveal], [data-print]", root)) hidden.hidden = false;
    tellTimes(root);
  };
  prepare(document);
  if (pause) pause.closest("label").hidden = false;
  (document.querySelector("[aria-invalid=true]") || document.querySelector(".flash[role=alert] a"))?.focus();
  setInterval(() => tellTimes(document), 30000);
  watch();
})();
