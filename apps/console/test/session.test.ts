import { describe, expect, it } from "vitest";
import { ADA, BOB } from "../../server/test/start-server.ts";
import { openConsole, openSignedIn, PATIENT, signIn, useBrowser } from "./open-console.ts";
import { recordRun } from "./record-run.ts";

describe("the session", () => {
  useBrowser();

  it("W29: begins with a token that somebody has, and is there after a reload", async () => {
    const { url, page } = await openConsole();
    await recordRun(url, "r");
    await signIn(page, "nobody's");
    await expect
      .poll(() => page.getByRole("alert").textContent(), PATIENT)
      .toBe("This token is not valid. Check it and try again.");
    await signIn(page, ADA);
    await page.getByRole("link", { name: /^r / }).waitFor();
    await page.reload();
    await page.getByRole("link", { name: /^r / }).waitFor();
    expect(await page.getByLabel("Token").count()).toBe(0);
  });

  it("W29: ends with a click, also for the server", async () => {
    const { page } = await openSignedIn();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Token").waitFor();
    const status = await page.evaluate(async () => (await fetch("/v1/session")).status);
    expect(status).toBe(401);
  });

  it("W4, W29: asks for a token again once the server takes the session no longer", async () => {
    const { url, page } = await openSignedIn();
    await recordRun(url, "r", [{ eventType: "LOG" }]);
    await page.getByRole("link", { name: /^r / }).click();
    await page.getByRole("list", { name: "Events" }).getByRole("button").waitFor();
    await page.context().clearCookies();
    await page.getByLabel("Token").waitFor();
  });

  it("W4, W29: is that of all tabs: who signs in in one sees nothing in another of who was there before", async () => {
    const { url, page } = await openSignedIn();
    await recordRun(url, "r", [{ eventType: "SECRET" }]);
    await page.goto(`${url}/#/runs/r`);
    await page.getByText("live", { exact: true }).waitFor();
    const other = await page.context().newPage();
    await other.goto(url);
    await other.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Token").waitFor();
    await signIn(other, BOB);
    await page.getByText("bob", { exact: true }).waitFor();
    await other.goto(`${url}/#/runs/r`);
    for (const tab of [page, other]) {
      await tab.getByText("There is no such run.").waitFor();
      expect(await tab.getByText("SECRET").count()).toBe(0);
    }
  });

  it("W29: says of a token that cannot be one that nobody has it, and lets it be typed again", async () => {
    const { page } = await openConsole();
    await signIn(page, "ключ");
    await expect
      .poll(() => page.getByRole("alert").textContent(), PATIENT)
      .toBe("This token is not valid. Check it and try again.");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("token");
  });

  it("W29: can be begun again at once, by who still has a run of the session before on the page", async () => {
    const { url, page } = await openSignedIn();
    await recordRun(url, "r", [{ eventType: "LOG" }]);
    await page.context().clearCookies();
    await page.goto(`${url}/#/runs/r`);
    await signIn(page, ADA);
    await page.locator("#event-1").waitFor();
    await page.getByText("live", { exact: true }).waitFor();
    expect(await page.getByLabel("Token").count()).toBe(0);
  });
});
