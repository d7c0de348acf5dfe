// A gate with a second factor: a wrong code is refused, a right one counts once, whatever it was used for.
//
// given: home, guarded and strict (requests; a check of the second one failed), link, totp (base32).

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { assertKeptToItself, given, inBrowser, openWindow, sending, signIn } from "./browser.mjs";

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** RFC 4648. */
function fromBase32(text) {
  const bits = [...text].map((letter) => LETTERS.indexOf(letter).toString(2).padStart(5, "0")).join("");
  return Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
}

/** RFC 6238: the six digits of a step of 30 s. */
function codeAt(step) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const tag = createHmac("sha1", fromBase32(given.totp)).update(counter).digest();
  const word = tag.readUInt32BE(tag[19] & 15) & 0x7fffffff;
  return String(word % 1_000_000).padStart(6, "0");
}

const stepNow = () => Math.floor(Date.now() / 30_000);

await inBrowser(async (browser) => {
  const { page, seen } = await openWindow(browser, { javaScriptEnabled: false });
  await signIn(page, given.link);
  const reason = "with two factors";
  const decide = async (name, code) => {
    await page.getByLabel(/^Why/).fill(reason);
    await page.getByLabel(/^One-time code/).fill(code);
    return sending(page, () => page.getByRole("button", { name }).click());
  };
  const refused = async (status, why) => {
    assert.equal(status, 422);
    assert.match(await page.locator("[role=alert]").innerText(), why);
    assert.equal(await page.getByLabel(/^Why/).inputValue(), reason);
    assert.equal(await page.getByLabel(/^One-time code/).inputValue(), "", "a code is never shown again");
  };

  // The next step's code is taken as well, and stays good for a minute: nothing here has to be fast.
  const step = stepNow() + 1;
  const near = new Set([-2, -1, 0, 1, 2, 3, 4].map((distance) => codeAt(step + distance)));
  const wrong = ["000000", "111111", "222222", "333333", "444444", "555555", "666666", "777777"].find((code) => !near.has(code));
  await page.goto(`${given.home}/requests/${given.guarded}`);
  await refused(await decide("Approve", ""), /second factor|one-time code/i);
  await refused(await decide("Approve", wrong), /not right/);
  assert.equal(await decide("Approve", codeAt(step)), 303);
  assert.match(await page.textContent(".decisions"), /with a second factor/);

  // The failed check can not be approved, only overridden; and not with a code that was used.
  await page.goto(`${given.home}/requests/${given.strict}`);
  assert.equal(await page.getByRole("button", { name: "Approve" }).count(), 0);
  await refused(await decide("Override", codeAt(step)), /used already/);
  const fresh = stepNow() === step ? step + 1 : stepNow();
  assert.equal(await decide("Override", codeAt(fresh)), 303);
  assert.match(await page.textContent(".decisions"), /override/);
  assert.match(await page.textContent(".bar"), /overridden/, "it is never called approved");
  assertKeptToItself(seen, given.home);
  return {};
});
