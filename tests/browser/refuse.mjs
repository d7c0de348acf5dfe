// What is typed wrong is said, nothing is recorded, and what was typed stays.
//
// given: home, request (open), link.

import assert from "node:assert/strict";
import { assertKeptToItself, given, inBrowser, openWindow, sending, signIn } from "./browser.mjs";

await inBrowser(async (browser) => {
  const { context, page, seen } = await openWindow(browser, { javaScriptEnabled: false });
  await signIn(page, given.link);
  await page.goto(`${given.home}/requests/${given.request}`);
  const said = () => page.locator("[role=alert]").innerText();
  const press = (name) => sending(page, () => page.getByRole("button", { name, exact: false }).click());
  const recorded = async () => {
    const answer = await context.request.get(`${given.home}/api/v1/requests/${given.request}`);
    return (await answer.json()).data.bar.decisions.map((decision) => decision.kind);
  };

  // No reason: said so; the conditions stay, and are not folded away.
  await page.getByText("Only under conditions").click();
  await page.getByLabel(/^Canary/).fill("10");
  await page.getByRole("checkbox").first().check();
  assert.equal(await press("Reject"), 422);
  assert.match(await said(), /reject needs a reason/);
  assert.equal(await page.getByLabel(/^Canary/).inputValue(), "10");
  assert.ok(await page.getByLabel(/^Canary/).isVisible());
  assert.ok(await page.getByRole("checkbox").first().isChecked());

  // Blanks are no reason either.
  await page.getByLabel(/^Why/).fill("   ");
  assert.equal(await press("Reject"), 422);

  // A canary that is none: the reason stays, character for character.
  const reason = "not yet: “<b>fare</b>” & 100 %\nsecond line";
  await page.getByLabel(/^Why/).fill(reason);
  for (const canary of ["ten", "0", "101"]) {
    await page.getByLabel(/^Canary/).fill(canary);
    assert.equal(await press("Approve"), 422, canary);
    assert.match(await said(), /canary/);
    assert.equal(await page.getByLabel(/^Why/).inputValue(), reason);
    assert.equal(await page.getByLabel(/^Canary/).inputValue(), canary);
  }
  assert.deepEqual(await recorded(), []);

  // To hold needs no reason; the request stays open, and says so.
  await page.getByLabel(/^Canary/).fill("");
  await page.getByLabel(/^Why/).fill("");
  await page.getByRole("checkbox").first().uncheck();
  assert.equal(await press("Hold"), 303);
  assert.deepEqual(await recorded(), ["hold"]);
  assert.match(await page.textContent(".verdict"), /somebody asked to wait/);
  assert.ok(await page.getByRole("button", { name: "Approve" }).isVisible());
  assertKeptToItself(seen, given.home);
  return {};
});
