import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { bundle } from "../bundle.ts";
import {
  expectShown,
  FOLLOW_SCRIPT,
  openBrowser,
  readShown,
  pauseScript,
  type TestBrowser,
} from "./open-browser.ts";
import { type Site, startSite } from "./site.ts";

let browser: TestBrowser;
let script: string;
beforeAll(async () => {
  [browser, script] = await Promise.all([openBrowser(), bundle(FOLLOW_SCRIPT)]);
});
afterAll(() => browser.close());

/** A page that follows a run of one event. */
interface Scene {
  readonly site: Site;
  readonly context: BrowserContext;
  readonly page: Page;
  readonly append: (count: number) => Promise<void>;
  readonly complete: () => Promise<void>;
}

/** A page's reader: the call that starts it, and the state that it shows of a live run. */
interface Reader {
  readonly begin: string;
  readonly live: string;
}

async function open({ begin, live }: Reader, { onTestFinished }: TestContext): Promise<Scene> {
  const site = await startSite({ script });
  onTestFinished(() => site.stop());
  const context = await browser.open(site.origin);
  onTestFinished(() => context.close());
  const page = await context.newPage();
  await page.goto(site.origin);
  const { runId } = await site.runs.create({ ownerId: "ada" });
  async function append(count: number): Promise<void> {
    const events = Array.from({ length: count }, () => ({ eventType: "TOKEN" }));
    await site.runs.as("ada").append(runId, events);
  }
  await append(1);
  await page.evaluate(`{ const runId = ${JSON.stringify(runId)}; void ${begin}; }`);
  await expectShown(page, 1, live);
  return {
    site,
    context,
    page,
    append,
    complete: async () =>
      void (await site.runs.as("ada").append(runId, [{ eventType: "RUN_COMPLETED" }])),
  };
}

const READERS = {
  client: { begin: "follow({ runId })", live: "live" },
  EventSource: { begin: "listen(`/v1/agent-runs/${runId}/stream`)", live: "connecting" },
} as const satisfies Record<string, Reader>;

// The tests wait for the back-off at the same time, each in its own profile.
describe.concurrent.each(Object.entries(READERS))("Chromium, %s", (_, reader) => {
  const { live } = reader;

  it("W20: a reader gets every event once through connections that break", async (test) => {
    const { append, complete, page, site } = await open(reader, test);
    for (const last of [2, 3]) {
      site.cut();
      await append(1);
      await expectShown(page, last, live);
    }
    await complete();
    await expectShown(page, 4, "finished");
    expect(site.openStreams()).toBe(0);
  });

  it("W20: a reader gets every event once through restarts of the server", async (test) => {
    const { append, complete, page, site } = await open(reader, test);
    await site.stop();
    await append(2);
    await site.start();
    await expectShown(page, 3, live);
    await complete();
    await expectShown(page, 4, "finished");
  });

  it("W20: a reader gets every event once after it was offline", async (test) => {
    const { append, complete, context, page, site } = await open(reader, test);
    await context.setOffline(true);
    site.cut();
    await append(2);
    await context.setOffline(false);
    await expectShown(page, 3, live);
    await complete();
    await expectShown(page, 4, "finished");
  });

  it("W20: a reader gets every event once in a page that slept in the background", async (test) => {
    const { append, complete, page, site } = await open(reader, test);
    const resume = await pauseScript(page);
    await append(2);
    site.cut();
    await append(1);
    await resume();
    await expectShown(page, 4, live);
    await complete();
    await expectShown(page, 5, "finished");
  });

  it("W20: a reader gets every event once in a page that comes back from the cache", async (test) => {
    const { append, complete, page, site } = await open(reader, test);
    await page.goto(`${site.origin}/elsewhere`);
    await append(2);
    await page.goBack({ waitUntil: "commit" });
    // The back-forward cache restores the same page.
    expect(await page.evaluate("restored")).toBe(1);
    await expectShown(page, 3, live);
    await complete();
    await expectShown(page, 4, "finished");
  });

  it("W26: the end of a session ends its stream as `unauthenticated`", async (test) => {
    const { page, site } = await open(reader, test);
    site.sessions.clear();
    await expectShown(page, 1, "failed");
    expect(await readShown(page)).toMatchObject({ code: "unauthenticated" });
    expect(site.streams).toHaveLength(1);
    expect(site.openStreams()).toBe(0);
  });
});
