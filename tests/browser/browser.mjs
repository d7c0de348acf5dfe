// A Chromium that does nothing by itself, and a record of what pages do besides being shown. Knows no page of ours.
//
// Every script here is called with one JSON document and writes one; a promise that is not kept ends it with the reason.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

export const given = JSON.parse(process.argv[2]);

const require = createRequire(join(given.packages, "from-here"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

/** Opens the browser, does the work, writes what it answered. */
export async function inBrowser(work) {
  const browser = await chromium.launch({
    executablePath: given.chromium,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  try {
    console.log(JSON.stringify(await work(browser)));
  } finally {
    await browser.close();
  }
}

/** A window of its own: cookies, colours and size. Watched: every request, and everything that the console complains of. */
export async function openWindow(browser, options) {
  const context = await browser.newContext({ reducedMotion: "reduce", ...options });
  const seen = { requests: [], complaints: [] };
  context.on("request", (request) => seen.requests.push(request.url()));
  context.on("console", (message) => {
    // Chromium says so of every answer that is not 2xx; the scripts look at the answers themselves.
    const isStatus = message.text().startsWith("Failed to load resource: the server responded with a status of");
    if (["error", "warning"].includes(message.type()) && !isStatus) seen.complaints.push(message.text());
  });
  context.on("weberror", (error) => seen.complaints.push(String(error.error())));
  return { context, page: await context.newPage(), seen };
}

/** Nothing was asked of anybody but the server, and the console is silent. */
export function assertKeptToItself(seen, home) {
  const elsewhere = seen.requests.filter((url) => new URL(url).origin !== home && !url.startsWith("data:"));
  assert.deepEqual(elsewhere, [], "requests to elsewhere");
  assert.deepEqual(seen.complaints, [], "complaints in the console");
}

/** Does what sends a form, and answers the status that came back, once the next page is there. */
export async function sending(page, act) {
  const answered = page.waitForResponse((answer) => answer.request().method() === "POST");
  const loaded = page.waitForEvent("load");
  await act();
  const answer = await answered;
  await loaded;
  return answer.status();
}

/** Signs in with a one-time link. */
export async function signIn(page, link) {
  await page.goto(link);
  assert.equal(await sending(page, () => page.getByRole("button", { name: "Sign in" }).click()), 303);
}

/** What axe finds wrong with the page, one line each. */
export async function faults(page) {
  await page.evaluate(axe);
  // Without `preload` axe does not fetch the stylesheet again, which the page's policy would refuse.
  const found = await page.evaluate(() => globalThis.axe.run(document, { preload: false, resultTypes: ["violations"] }));
  const line = (rule) => (node) => `${rule.id}: ${node.target.join(" ")}: ${node.failureSummary}`;
  return found.violations.flatMap((rule) => rule.nodes.map(line(rule)));
}

/** How far the page can be pushed sideways. */
export function sideways(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}
