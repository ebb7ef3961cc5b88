import type { BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bundle } from "../bundle.ts";
import {
  expectShown,
  FOLLOW_SCRIPT,
  openBrowser,
  readShown,
  type TestBrowser,
} from "./open-browser.ts";
import { type Site, startSite } from "./site.ts";

let browser: TestBrowser;
let site: Site;
let api: Site;
let strange: Site;
beforeAll(async () => {
  browser = await openBrowser();
  site = await startSite({ script: await bundle(FOLLOW_SCRIPT) });
  [api, strange] = await Promise.all([
    startSite({ allowedOrigins: [site.origin] }),
    startSite({ allowedOrigins: ["https://other.example"] }),
  ]);
});
afterAll(async () => {
  await browser.close();
  await Promise.all([site, api, strange].map(async (one) => one.stop()));
});

let context: BrowserContext;
let page: Page;
beforeEach(async () => {
  context = await browser.open(site.origin, api.origin);
  page = await context.newPage();
  await page.goto(site.origin);
});
afterEach(() => context.close());

async function createRun({ runs }: Site): Promise<string> {
  const { runId } = await runs.create({ ownerId: "ada" });
  await runs.as("ada").append(runId, [{ eventType: "STEP" }, { eventType: "RUN_COMPLETED" }]);
  return runId;
}

describe("Chromium, a page of another origin", () => {
  it("W19: the client sends the cookie to another origin, and follows", async () => {
    const runId = await createRun(api);
    await page.evaluate(`void follow(${JSON.stringify({ baseUrl: api.origin, runId })})`);
    await expectShown(page, 2, "finished");
  });

  it("W19: an EventSource with credentials follows from another origin", async () => {
    const url = `${api.origin}/v1/agent-runs/${await createRun(api)}/stream`;
    await page.evaluate(`listen(${JSON.stringify(url)}, { withCredentials: true })`);
    await expectShown(page, 2, "finished");
  });

  it("W4: without credentials the client fails as `unauthenticated`, and an EventSource closes", async () => {
    const runId = await createRun(api);
    const options = { baseUrl: api.origin, runId, isAnonymous: true };
    await page.evaluate(`void follow(${JSON.stringify(options)}).catch(() => {})`);
    await expectShown(page, 0, "failed");
    expect(await readShown(page)).toMatchObject({ code: "unauthenticated" });
    const url = `${api.origin}/v1/agent-runs/${runId}/stream`;
    await page.evaluate(`listen(${JSON.stringify(url)})`);
    await page.waitForFunction("source.readyState === EventSource.CLOSED");
  });

  it("W19: a server whose list lacks the page's origin cannot be read", async () => {
    const runId = await createRun(strange);
    const options = { baseUrl: strange.origin, runId };
    await page.evaluate(`void follow(${JSON.stringify(options)})`);
    await expectShown(page, 0, "paused");
    const url = `${strange.origin}/v1/agent-runs/${runId}/stream`;
    await page.evaluate(`listen(${JSON.stringify(url)}, { withCredentials: true })`);
    await page.waitForFunction("source.readyState === EventSource.CLOSED");
  });
});
