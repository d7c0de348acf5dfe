// A report is one file: opened from disk it asks nobody for anything, and axe finds nothing.
//
// given: file, pictures (a folder), name.

import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { faults, given, inBrowser, openWindow, sideways } from "./browser.mjs";

await inBrowser(async (browser) => {
  const address = pathToFileURL(given.file).href;
  for (const [look, colorScheme, width] of [["light", "light", 1280], ["dark", "dark", 1280], ["phone", "light", 360]]) {
    const { context, page, seen } = await openWindow(browser, { colorScheme, viewport: { width, height: 800 } });
    await page.goto(address);
    assert.deepEqual(await faults(page), [], look);
    assert.ok((await sideways(page)) <= 0, look);
    // A link within the page works; there is none that leads out of it.
    const links = await page.locator("a").evaluateAll((all) => all.map((link) => link.getAttribute("href")));
    assert.deepEqual(links.filter((link) => !link.startsWith("#")), []);
    await page.screenshot({ path: join(given.pictures, `${given.name}-${look}.png`), fullPage: true });
    assert.deepEqual(seen, { requests: [address], complaints: [] });
    await context.close();
  }
  return {};
});
