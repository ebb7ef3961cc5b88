import type { BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bundle } from "../bundle.ts";
import {
  expectShown,
  FOLLOW_SCRIPT,
  openBrowser,
  readShown,
  standStill,
  type TestBrowser,
} from "./open-browser.ts";
import { type Site, startSite } from "./site.ts";

let browser: TestBrowser;
let script: string;
beforeAll(async () => {
  [browser, script] = await Promise.all([openBrowser(), bundle(FOLLOW_SCRIPT)]);
});
afterAll(() => browser.close());

let site: Site;
let context: BrowserContext;
let page: Page;
let runId: string;
beforeEach(async () => {
  site = await startSite({ script });
  context = await browser.open(site.origin);
  page = await context.newPage();
  await page.goto(site.origin);
  ({ runId } = await site.runs.create({ ownerId: "ada" }));
  await append(1);
});
afterEach(async () => {
  await context.close();
  await site.stop();
});

async function append(count: number): Promise<void> {
  const events = Array.from({ length: count }, () => ({ eventType: "TOKEN" }));
  await site.runs.append(runId, events);
}

async function complete(): Promise<void> {
  await site.runs.append(runId, [{ eventType: "RUN_COMPLETED" }]);
}

const READERS = {
  client: { begin: "follow({ runId })", live: "live" },
  EventSource: { begin: "listen(`/v1/agent-runs/${runId}/stream`)", live: "connecting" },
} as const;

describe.each(Object.entries(READERS))("Chromium, %s", (_, { begin, live }) => {
  beforeEach(async () => {
    await page.evaluate(`{ const runId = ${JSON.stringify(runId)}; void ${begin}; }`);
    await expectShown(page, 1, live);
  });

  it("W20: gets every event once through connections that break", async () => {
    for (const last of [2, 3]) {
      site.cut();
      await append(1);
      await expectShown(page, last, live);
    }
    await complete();
    await expectShown(page, 4, "finished");
    expect(site.openStreams()).toBe(0);
  });

  it("W20: gets every event once through a server that restarts", async () => {
    await site.stop();
    await append(2);
    await site.start();
    await expectShown(page, 3, live);
    await complete();
    await expectShown(page, 4, "finished");
  });

  it("W20: gets every event once when it was offline", async () => {
    await context.setOffline(true);
    site.cut();
    await append(2);
    await context.setOffline(false);
    await expectShown(page, 3, live);
    await complete();
    await expectShown(page, 4, "finished");
  });

  it("W20: gets every event once in a page that slept in the background", async () => {
    const wake = await standStill(page);
    await append(2);
    site.cut();
    await append(1);
    await wake();
    await expectShown(page, 4, live);
    await complete();
    await expectShown(page, 5, "finished");
  });

  it("W20: gets every event once in a page that was left and come back to", async () => {
    await page.goto(`${site.origin}/elsewhere`);
    await append(2);
    await page.goBack({ waitUntil: "commit" });
    // Out of the back-forward cache: it is the page as it was.
    expect(await page.evaluate("restored")).toBe(1);
    await expectShown(page, 3, live);
    await complete();
    await expectShown(page, 4, "finished");
  });

  it("W26: a session that ends amid the stream ends it as `unauthenticated`", async () => {
    site.sessions.clear();
    await expectShown(page, 1, "failed");
    expect(await readShown(page)).toMatchObject({ code: "unauthenticated" });
    expect(site.streams).toHaveLength(1);
    expect(site.openStreams()).toBe(0);
  });
});
