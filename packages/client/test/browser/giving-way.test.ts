import { startTcpProxy } from "@tm/run-events-test-servers";
import { beforeAll, expect, it, type TestContext, vi } from "vitest";
import { bundle } from "../bundle.ts";
import { HOOK_SCRIPT } from "./hook-script.ts";
import { openTabbedBrowser, type Tab } from "./open-tabs.ts";
import { type Site, startSite } from "./site.ts";

const PATIENT = { timeout: 40_000, interval: 50 } as const;

const STAY_VISIBLE = `Object.defineProperty(document, "hidden", { get: () => false })`;

let script: string;
beforeAll(async () => {
  script = await bundle(HOOK_SCRIPT);
});

/**
 * A run of one event in three tabs: the first has the connection, and the last is in front. The script of the first takes its page for
 * visible, as in another window, so that it keeps the lead.
 */
interface SharedRun {
  readonly tabs: readonly [leader: Tab, other: Tab, seen: Tab];
  readonly append: (count: number, eventType?: string) => Promise<void>;
}

async function shareInTabs(
  { runs }: Site,
  origin: string,
  { onTestFinished }: TestContext,
): Promise<SharedRun> {
  const browser = await openTabbedBrowser();
  onTestFinished(() => browser.close());
  const { runId } = await runs.create({ ownerId: "ada" });
  async function append(count: number, eventType = "TOKEN"): Promise<void> {
    await runs.append(
      runId,
      Array.from({ length: count }, () => ({ eventType })),
    );
  }
  async function open(isFirst = false): Promise<Tab> {
    const tab = await browser.openTab(origin);
    if (isFirst) await tab.page.evaluate(STAY_VISIBLE);
    await tab.page.evaluate(`show(${JSON.stringify(runId)}, 1)`);
    await expectText(tab, "1 live -");
    return tab;
  }
  await append(1);
  const tabs = [await open(true), await open(), await open()] as const;
  const states = tabs.map(async ({ page }) => page.evaluate("document.visibilityState"));
  expect(await Promise.all(states)).toEqual(["hidden", "hidden", "visible"]);
  return { tabs, append };
}

/** Waits until the tab in front shows this. */
async function expectText({ page }: Tab, text: string): Promise<void> {
  await vi.waitFor(
    async () => expect(await page.evaluate('document.querySelector("p").textContent')).toBe(text),
    PATIENT,
  );
}

/** Waits until each tab shows this. Every earlier view of a tab must have each event once and in order. */
async function expectEach(tabs: readonly Tab[], text: string): Promise<void> {
  for (const tab of tabs) {
    await tab.show();
    await expectText(tab, text);
    const isInOrder = await tab.page.evaluate(
      "views.every(({ events }) => events.every(({ sequence }, index) => sequence === index + 1))",
    );
    expect(isInOrder).toBe(true);
  }
}

/** How many tabs hold the lock of a run. */
async function countLeaders({ page }: Tab): Promise<unknown> {
  return page.evaluate("navigator.locks.query().then(({ held }) => held.length)");
}

// Each test has its own browser, and mostly waits for the client's time limits.
it.concurrent("Chromium: a frozen tab loses the lead to a visible one, and follows again when it thaws", async (test) => {
  const site = await startSite({ script });
  test.onTestFinished(() => site.stop());
  const { tabs, append } = await shareInTabs(site, site.origin, test);
  const [leader, , seen] = tabs;
  expect(site.streams).toHaveLength(1);
  await leader.freeze();
  await append(2);
  await expectText(seen, "3 live -");
  await leader.thaw();
  await vi.waitFor(() => expect(site.openStreams()).toBe(1), PATIENT);
  await append(1);
  await expectEach(tabs, "4 live -");
  expect(await countLeaders(seen)).toBe(1);
  await append(1, "RUN_COMPLETED");
  await expectEach(tabs, "5 finished -");
  await vi.waitFor(() => expect(site.openStreams()).toBe(0), PATIENT);
});

it.concurrent("Chromium: a hidden tab with a dead connection does not keep events from a visible tab", async (test) => {
  const site = await startSite({ script });
  test.onTestFinished(() => site.stop());
  const { hostname: host, port } = new URL(site.origin);
  const proxy = await startTcpProxy({ to: { host, port: Number(port) } });
  test.onTestFinished(() => proxy.close());
  const { tabs, append } = await shareInTabs(site, `http://${proxy.host}:${proxy.port}`, test);
  const [, , seen] = tabs;
  const swallowed = proxy.connections().filter((one) => one.hasSent("/stream?"));
  expect(swallowed).toHaveLength(1);
  swallowed[0]?.stall();
  await append(2);
  await expectText(seen, "3 live -");
  expect(await countLeaders(seen)).toBe(1);
  await append(1);
  await expectEach(tabs, "4 live -");
  await append(1, "RUN_COMPLETED");
  await expectEach(tabs, "5 finished -");
});
