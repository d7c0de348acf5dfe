// From a message's link to a recorded decision: not signed in, keyboard alone, without JavaScript.
//
// given: home, request, link (signs in once), reason. Answers how often something had to be pressed or opened, and the tab stops.

import assert from "node:assert/strict";
import { assertKeptToItself, given, inBrowser, openWindow, sending } from "./browser.mjs";

/** What has the focus: the element's name, and whether it lies in the verdict bar. */
function focused(page) {
  return page.evaluate(() => {
    const element = document.activeElement;
    const name = element.id || element.value || element.textContent.trim();
    return { name, inBar: element.closest(".bar") !== null };
  });
}

/** Presses Tab until `wanted` holds; answers how often. */
async function tabTo(page, wanted) {
  for (let stops = 1; stops <= 40; stops += 1) {
    await page.keyboard.press("Tab");
    if (wanted(await focused(page))) return stops;
  }
  throw new Error("the keyboard does not get there");
}

await inBrowser(async (browser) => {
  const { page, seen } = await openWindow(browser, { javaScriptEnabled: false });
  const address = `${given.home}/requests/${given.request}`;
  const pressed = { toSignIn: 0, toDecide: 0 };

  // The link of the message: an open door for nobody.
  await page.goto(address);
  pressed.toDecide += 1;
  assert.equal(new URL(page.url()).pathname, "/sign-in");
  assert.match(await page.textContent("main"), /one-time link/);

  // Somebody sends a link that signs in once. Looking at it spends nothing; the button does, and leads back to the request.
  await page.goto(given.link);
  pressed.toSignIn += 1;
  await page.reload();
  await tabTo(page, ({ name }) => name === "Sign in");
  assert.equal(await sending(page, () => page.keyboard.press("Enter")), 303);
  pressed.toSignIn += 1;
  assert.equal(page.url(), address);

  // The bar stays in sight, however far down one reads.
  await page.locator("#history").scrollIntoViewIfNeeded();
  const bar = await page.locator(".bar").boundingBox();
  assert.ok(bar.y >= 0 && bar.y < 20, `the bar is at ${bar.y}`);

  await tabTo(page, ({ name }) => name === "Decide");
  await page.keyboard.press("Enter");
  let stops = await tabTo(page, ({ name }) => name === "reason");
  await page.keyboard.type(given.reason);
  stops += await tabTo(page, ({ name }) => name === "approve");
  assert.equal(await sending(page, () => page.keyboard.press("Enter")), 303);
  pressed.toDecide += 1;
  assert.match(await page.textContent(".notice"), /Your decision is recorded/);
  assert.match(await page.textContent(".decisions"), new RegExp(given.reason));

  // The page that was just decided on has no form any more, and the link no use.
  assert.equal(await page.locator("form[action$='/decision']").count(), 0);
  await page.goto(given.link);
  assert.equal(await sending(page, () => page.getByRole("button", { name: "Sign in" }).click()), 403);
  assertKeptToItself(seen, given.home);
  return { ...pressed, stopsFromBar: stops };
});
