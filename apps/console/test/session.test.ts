import { describe, expect, it } from "vitest";
import { ADA, BOB } from "../../server/test/start-server.ts";
import { openConsole, openSignedIn, PATIENT, signIn, useBrowser } from "./open-console.ts";
import { recordRun } from "./record-run.ts";

describe("the session", () => {
  useBrowser();

  it("W29: a session begins with a valid token, and lasts through a reload", async () => {
    const { url, page } = await openConsole();
    await recordRun(url, "r");
    await signIn(page, "unknown");
    await expect
      .poll(() => page.getByRole("alert").textContent(), PATIENT)
      .toBe("This token is not valid. Check it and try again.");
    await signIn(page, ADA);
    await page.getByRole("link", { name: /^r / }).waitFor();
    await page.reload();
    await page.getByRole("link", { name: /^r / }).waitFor();
    expect(await page.getByLabel("Token").count()).toBe(0);
  });

  it("W29: a click ends the session, even on the server", async () => {
    const { page } = await openSignedIn();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Token").waitFor();
    const status = await page.evaluate(async () => (await fetch("/v1/session")).status);
    expect(status).toBe(401);
  });

  it("W4, W29: the console asks for a token again once the server refuses the session", async () => {
    const { url, page } = await openSignedIn();
    await recordRun(url, "r", [{ eventType: "LOG" }]);
    await page.getByRole("link", { name: /^r / }).click();
    await page.getByRole("list", { name: "Events" }).getByRole("button").waitFor();
    // The end on the server, as by another program: no tab of the console announces it.
    const [cookie] = await page.context().cookies();
    const headers = { cookie: `${cookie?.name}=${cookie?.value}` };
    expect((await fetch(`${url}/v1/session`, { method: "DELETE", headers })).status).toBe(204);
    await page.getByLabel("Token").waitFor();
  });

  it("W4, W29: all tabs share a session: no tab shows runs of an earlier user", async () => {
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
      await tab.getByText("No run of this owner has this id. Check both.").waitFor();
      expect(await tab.getByText("SECRET").count()).toBe(0);
    }
  });

  it("W29: the console refuses a malformed token, and lets the user type again", async () => {
    const { page } = await openConsole();
    await signIn(page, "ключ");
    await expect
      .poll(() => page.getByRole("alert").textContent(), PATIENT)
      .toBe("This token is not valid. Check it and try again.");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("token");
  });

  it("W29: a session can begin again at once, even with a run of an earlier session on the page", async () => {
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
