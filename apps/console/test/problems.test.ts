import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { openSignedIn, PATIENT, useBrowser, useSharedServer } from "./open-console.ts";
import { recordRun } from "./record-run.ts";

/** Chromium's own message of an answer that the tests give. */
const SETTINGS = { maySay: /a status of 503 / };

/** Every read of the list is refused with a problem of this type. A page reads it when it is loaded. */
async function refuseList(page: Page, type: string): Promise<void> {
  const problem = { type, status: 503, code: "store_unavailable", detail: "The store is away." };
  await page.route("**/v1/agent-runs?*", async (route) =>
    route.fulfill({
      status: 503,
      contentType: "application/problem+json",
      body: JSON.stringify(problem),
    }),
  );
}

describe("a problem in the console", () => {
  useBrowser();
  useSharedServer();

  it("W3: a problem links to what its code means, on this server, in a tab of its own", async () => {
    const { url, page } = await openSignedIn();
    await page.goto(`${url}/#/runs/none`);
    const link = page.getByRole("main").getByRole("link", { name: "What this means" });
    expect(await link.getAttribute("href")).toBe("/v1/errors/not_found");
    const opened = page.context().waitForEvent("page");
    await link.click();
    const tab = await opened;
    await tab.waitForLoadState();
    expect(tab.url()).toBe(`${url}/v1/errors/not_found`);
    expect(await tab.evaluate(() => document.contentType)).toBe("text/plain");
    expect(await tab.locator("body").innerText()).toMatch(
      /^The run or the path does not exist\n\nCode: +not_found\nStatus: +404\n/,
    );
    expect(await page.getByText("No run of this owner has this id").count()).toBe(1);
  });

  it("W3: a list that cannot be read links to the reason, and the link goes when it can", async () => {
    const { url, page } = await openSignedIn({}, SETTINGS);
    await recordRun(url, "r");
    await refuseList(page, "/v1/errors/store_unavailable");
    await page.reload();
    const side = page.getByRole("navigation");
    await side.getByText("The store is away.").waitFor();
    const link = side.getByRole("link", { name: "What this means" });
    expect(await link.getAttribute("href")).toBe("/v1/errors/store_unavailable");
    await page.unroute("**/v1/agent-runs?*");
    await expect.poll(() => link.count(), PATIENT).toBe(0);
  });

  it.each(["about:blank", "https://evil.example/v1/errors/x", "javascript:alert(1)"])(
    "W3: a problem with the type %s has no link",
    async (type) => {
      const { page } = await openSignedIn({}, SETTINGS);
      await refuseList(page, type);
      await page.reload();
      await page.getByRole("navigation").getByText("The store is away.").waitFor();
      expect(await page.getByRole("link", { name: "What this means" }).count()).toBe(0);
    },
  );
});
