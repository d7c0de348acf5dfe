// A reviewer tries both models on a hard example that they change.
//
// given: home, request (something is live beside its candidate), link, column, value. Answers the try as it was logged.

import assert from "node:assert/strict";
import { assertKeptToItself, given, inBrowser, openWindow, sending, signIn } from "./browser.mjs";

await inBrowser(async (browser) => {
  const { context, page, seen } = await openWindow(browser, { javaScriptEnabled: false });
  await signIn(page, given.link);
  await page.goto(`${given.home}/requests/${given.request}`);
  assert.match(await page.textContent("#poke"), /Nobody tried anything yet/);

  // Another hard example than the first fills the form.
  const field = page.getByLabel(given.column, { exact: true });
  const first = await field.inputValue();
  const rows = await page.locator("#example option").evaluateAll((options) => options.map((option) => option.value));
  await page.locator("#example").selectOption(rows[1]);
  await Promise.all([page.waitForEvent("load"), page.getByRole("button", { name: "Fill in" }).click()]);
  assert.equal(await page.locator("#example").inputValue(), rows[1]);
  assert.ok((await field.inputValue()) !== "" && first !== "", "the example fills the form");

  await field.fill(given.value);
  assert.equal(await sending(page, () => page.getByRole("button", { name: "Ask both models" }).click()), 303);
  assert.equal(await field.inputValue(), given.value, "what was tried stays in the form");
  const answers = page.locator(".answers > div");
  for (const [at, who] of ["Candidate says", "Live says"].entries()) {
    const answer = await answers.nth(at).innerText();
    assert.ok(answer.includes(who) && /\d\.\d %/.test(answer), answer);
  }

  const document = await context.request.get(`${given.home}/api/v1/requests/${given.request}`);
  const { earlier } = (await document.json()).data.poke;
  assert.equal(earlier.length, 1);
  assert.equal(await page.locator("#poke tbody tr").count(), 1);

  // What can not be read is answered, not a failure.
  await field.fill("a lot");
  assert.equal(await sending(page, () => page.getByRole("button", { name: "Ask both models" }).click()), 303);
  assert.match(await answers.first().innerText(), new RegExp(given.column));
  assertKeptToItself(seen, given.home);
  return earlier[0];
});
