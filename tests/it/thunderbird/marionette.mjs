// The Marionette protocol: how a Thunderbird that was started with --marionette is told what to do. A message is its length
// in decimal, a colon, and JSON: [0, id, command, parameters] to it, [1, id, error, result] back.

import { connect } from "node:net";

/** How long anything is waited for: one answer, or something to be seen on the screen. */
const patience = 45_000;
/** Between two looks. */
const pause = 100;

export class Marionette {
  #socket;
  #received = Buffer.alloc(0);
  #waiting;
  #last = 0;

  /** Connects, and begins a session in Thunderbird's own windows. */
  static async open(port) {
    const marionette = new Marionette();
    marionette.#socket = connect(port, "127.0.0.1");
    marionette.#socket.on("data", data => marionette.#take(data));
    marionette.#socket.on("close", () => marionette.#waiting?.reject(new Error("Thunderbird has closed the connection")));
    marionette.#socket.on("error", error => marionette.#waiting?.reject(error));
    await marionette.#next("the greeting");
    await marionette.ask("WebDriver:NewSession", { capabilities: { alwaysMatch: {} } });
    await marionette.ask("Marionette:SetContext", { value: "chrome" });
    return marionette;
  }

  #take(data) {
    this.#received = Buffer.concat([this.#received, data]);
    const colon = this.#received.indexOf(":");
    if (colon < 0) return;
    const end = colon + 1 + Number(this.#received.subarray(0, colon).toString());
    if (this.#received.length < end) return;
    const message = JSON.parse(this.#received.subarray(colon + 1, end).toString());
    this.#received = this.#received.subarray(end);
    this.#waiting?.resolve(message);
  }

  #next(what) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${what}: no answer in ${patience} ms`)), patience);
      const done = then => value => { clearTimeout(timer); this.#waiting = undefined; then(value); };
      this.#waiting = { resolve: done(resolve), reject: done(reject) };
    });
  }

  /** One command. What it answers, or its error. */
  async ask(command, parameters = {}) {
    this.#last += 1;
    const message = JSON.stringify([0, this.#last, command, parameters]);
    const answer = this.#next(command);
    this.#socket.write(`${Buffer.byteLength(message)}:${message}`);
    const [, id, error, result] = await answer;
    if (id !== this.#last) throw new Error(`${command}: the answer belongs to another question`);
    if (error) throw new Error(`${command}: ${error.error}: ${error.message}`);
    return result?.value === undefined ? result : result.value;
  }

  /** Runs the body of a function in the window. */
  run(script, ...args) {
    return this.ask("WebDriver:ExecuteScript", { script, args, sandbox: "system", newSandbox: true });
  }

  /** Looks until the body of a function, in the window, gives something. */
  until(what, script, ...args) {
    return this.seen(what, () => this.run(script, ...args));
  }

  /** Looks until there is something. */
  async seen(what, look) {
    const end = Date.now() + patience;
    for (;;) {
      const found = await look();
      if (found) return found;
      if (Date.now() > end) throw new Error(`waited ${patience} ms in vain until ${what}`);
      await new Promise(resolve => setTimeout(resolve, pause));
    }
  }

  /** Types into a field, as with keys. */
  async type(field, text) {
    const id = Object.values(field)[0];
    await this.ask("WebDriver:ElementClear", { id });
    await this.ask("WebDriver:ElementSendKeys", { id, text });
  }

  /** Clicks, as with a mouse: fails where the button is covered or cannot be used. */
  click(button) {
    return this.ask("WebDriver:ElementClick", { id: Object.values(button)[0] });
  }

  /** What is on the screen, as a PNG. */
  async picture() {
    return Buffer.from(await this.ask("WebDriver:TakeScreenshot", { full: false, hash: false, scroll: false }), "base64");
  }

  close() {
    this.#socket.destroy();
  }
}
