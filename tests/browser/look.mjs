// Every page in light and dark, at a desk and on a phone: axe finds nothing, nothing hangs over the edge, nothing comes from elsewhere.
//
// given: home, link, pages (name to path), weighed (names whose size is answered), pictures (a folder).

import assert from "node:assert/strict";
import { join } from "node:path";
import { assertKeptToItself, faults, given, inBrowser, openWindow, sideways, signIn } from "./browser.mjs";

const DESK = { width: 1280, height: 900 };
const PHONE = { width: 360, height: 740 };
const LOOKS = [
  { name: "light", colorScheme: "light", viewport: DESK },
  { name: "dark", colorScheme: "dark", viewport: DESK },
  { name: "phone-light", colorScheme: "light", viewport: PHONE },
  { name: "phone-dark", colorScheme: "dark", viewport: PHONE },
];

/** Bytes of a page with its stylesheet, as they came. */
async function weigh(context, path) {
  const page = await (await context.request.get(given.home + path)).body();
  const style = await (await context.request.get(`${given.home}/assets/countersign.css`)).body();
  return page.length + style.length;
}

/** Goes through every page with one look; answers what is wrong. */
async function lookAt(browser, storageState, { name: look, ...options }) {
  const { context, page, seen } = await openWindow(browser, { ...options, storageState });
  const found = [];
  for (const [name, path] of Object.entries(given.pages)) {
    await page.goto(given.home + path);
    const wrong = await faults(page);
    const over = await sideways(page);
    if (over > 0) wrong.push(`${over} px over the edge`);
    found.push(...wrong.map((fault) => `${name}, ${look}: ${fault}`));
    await page.screenshot({ path: join(given.pictures, `${name}-${look}.png`), fullPage: true });
  }
  assertKeptToItself(seen, given.home);
  await context.close();
  return found;
}

await inBrowser(async (browser) => {
  const { context, page: door } = await openWindow(browser, {});
  await signIn(door, given.link);
  const storageState = await context.storageState();
  const found = await Promise.all(LOOKS.map((look) => lookAt(browser, storageState, look)));
  assert.deepEqual(found.flat(), []);
  const bytes = {};
  for (const name of given.weighed) bytes[name] = await weigh(context, given.pages[name]);
  return bytes;
});
