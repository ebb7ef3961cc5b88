import { describe, expect, it } from "vitest";
import { ADA } from "../../server/test/start-server.ts";
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
      .toBe("Nobody has this token.");
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

  it("W29: is not ended by an answer to a question of the session before it", async () => {
    const { page } = await openSignedIn();
    const held = Promise.withResolvers<() => Promise<void>>();
    await page.route(
      "**/v1/agent-runs?*",
      (route) =>
        held.resolve(() =>
          route.fulfill({ status: 401, json: { code: "unauthenticated", detail: "" } }),
        ),
      { times: 1 },
    );
    const answerLate = await held.promise;
    await page.getByRole("button", { name: "Sign out" }).click();
    await signIn(page, ADA);
    await page.getByText("There are no runs yet.").waitFor();
    const answered = page.waitForResponse((response) => response.status() === 401);
    await answerLate();
    await answered;
    await page.getByRole("button", { name: "Theme: auto" }).click();
    await page.getByRole("button", { name: "Theme: light" }).waitFor();
    expect(await page.getByLabel("Token").count()).toBe(0);
  });
});
