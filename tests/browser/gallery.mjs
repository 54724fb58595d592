// The gallery as a web server on loopback, with the Manager's own headers, and the browser that looks at it.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";

// Not import.meta.dirname: Node 18, which Debian 12 has, does not know it.
export const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
export const require = createRequire(join(root, "target/browser/"));
export const gallery = process.env.POSTERN_GALLERY ?? join(root, "target/gallery");
/** The moment at which the gallery stands still (src/admin/console/gallery/sample.rs). */
export const now = new Date("2026-11-22T12:00:00Z");

/** As src/admin/manager has it. */
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const types = { ".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml" };

/** Serves the gallery; `live` is told of every stream of live state, `pages` has pages for paths that are links in others. */
export async function serve({ live = () => {}, pages = {} } = {}) {
  const server = createServer(async (request, response) => {
    const path = new URL(request.url, "http://localhost").pathname;
    if (path.endsWith("/live")) {
      response.writeHead(200, { "content-type": "text/event-stream" }).write(": nothing happens yet\n\n");
      live(response);
      return;
    }
    const [, page] = Object.entries(pages).find(([end]) => path.endsWith(end)) ?? [];
    const file = page ? `${page}.html` : extname(path) ? path : `${path}.html`;
    try {
      const body = await readFile(join(gallery, file));
      const type = types[extname(file)] ?? "application/octet-stream";
      response.writeHead(200, { "content-type": type, "content-security-policy": policy }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise(done => server.listen(0, "127.0.0.1", done));
  const stop = () => { server.closeAllConnections(); server.close(); };
  return { origin: `http://127.0.0.1:${server.address().port}`, stop };
}

/** A headless browser with a new profile, which speaks to nobody but us; `more` are further arguments. */
export async function launch(more = []) {
  const { chromium } = require("playwright-core");
  return await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    chromiumSandbox: false,
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", ...more],
  });
}
