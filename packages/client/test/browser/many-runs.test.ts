import type { Page } from "playwright-core";
import { expect, it, vi } from "vitest";
import { openTabbedBrowser } from "./open-tabs.ts";
import { useChromium } from "./use-chromium.ts";
import { VIEW_SCRIPT } from "./view-script.ts";

const PATIENT = { timeout: 50_000, interval: 20 } as const;
const TABS = 8;

const chromium = useChromium(VIEW_SCRIPT);

/** A page that shows a run. */
interface Tab {
  readonly page: Page;
  readonly runId: string;
}

async function append(runId: string, count = 1, eventType = "TOKEN"): Promise<void> {
  await chromium.site.runs.append(
    runId,
    Array.from({ length: count }, () => ({ eventType })),
  );
}

async function show(page: Page): Promise<Tab> {
  const { runId } = await chromium.site.runs.create({ ownerId: "ada" });
  await append(runId);
  await page.evaluate(`show(${JSON.stringify({ runId })})`);
  await expectText({ page, runId }, "1-1 live whole -");
  return { page, runId };
}

/** Opens tabs that each show a run of one event. The first one has the connection. */
async function openTabs(count: number): Promise<readonly [Tab, ...Tab[]]> {
  const tabs: Tab[] = [];
  for (let tab = 0; tab < count; tab += 1) {
    const page = await chromium.openPage();
    tabs.push(await show(page));
  }
  return tabs as unknown as readonly [Tab, ...Tab[]];
}

async function expectText({ page }: Tab, text: string): Promise<void> {
  await vi.waitFor(async () => expect(await page.textContent("#view")).toBe(text), PATIENT);
}

/** Every view so far has its events from the first one on, each of them once. */
async function expectInOrder({ page }: Tab): Promise<void> {
  const isInOrder = await page.evaluate(
    "views.every(({ events }) => events.every(({ sequence }, index) => sequence === index + 1))",
  );
  expect(isInOrder).toBe(true);
}

async function expectOneStream(): Promise<void> {
  await vi.waitFor(() => expect(chromium.site.openStreams()).toBe(1), PATIENT);
}

/** Each of these goes on, and all of them over one connection. */
async function expectLive(tabs: readonly Tab[], last: number): Promise<void> {
  await Promise.all(tabs.map(async ({ runId }) => append(runId)));
  for (const tab of tabs) {
    await expectText(tab, `1-${last} live whole -`);
    await expectInOrder(tab);
  }
  await expectOneStream();
}

it("W47, Chromium over HTTP/1.1: eight tabs on eight live runs have one connection, and the last one cancels its run", async () => {
  const tabs = await openTabs(TABS);
  await expectOneStream();
  const opened = chromium.site.streams.length;
  await expectLive(tabs, 2);
  await expectLive(tabs, 3);
  const last = tabs.at(-1) as Tab;
  await last.page.click("#view-cancel");
  await expectText(last, "1-4 finished whole -");
  expect((await chromium.site.runs.get(last.runId)).runStatus).toBe("cancelled");
  await expectLive(tabs.slice(0, -1), 4);
  expect(chromium.site.streams).toHaveLength(opened);
});

it("W47, Chromium: tabs on different runs go on when the tab with the connection is closed, or crashes", async () => {
  const [first, second, ...others] = await openTabs(5);
  await first.page.close();
  await expectLive([second as Tab, ...others], 2);
  const session = await chromium.context.newCDPSession((second as Tab).page);
  const crashed = new Promise((resolve) => (second as Tab).page.once("crash", resolve));
  session.send("Page.crash").catch(() => {});
  await crashed;
  await expectLive(others, 3);
  for (const { runId } of others) await append(runId, 1, "RUN_COMPLETED");
  for (const tab of others) await expectText(tab, "1-4 finished whole -");
});

it("W47, Chromium: a tab that is hidden for 10 s gives up its run, and catches up when it is seen; all hidden tabs have no connection", async () => {
  const tabbed = await openTabbedBrowser({ graceSeconds: 300 });
  try {
    const [hidden, seen] = [
      await tabbed.openTab(chromium.site.origin),
      await tabbed.openTab(chromium.site.origin),
    ];
    await hidden.show();
    const one = await show(hidden.page);
    await seen.show();
    const other = await show(seen.page);
    // The hidden tab led. Now the other one has a stream of its run alone.
    const isAway = `views.at(-1).state === "paused"`;
    await vi.waitFor(async () => expect(await one.page.evaluate(isAway)).toBe(true), PATIENT);
    await append(one.runId, 2);
    await append(other.runId);
    await expectText(other, "1-2 live whole -");
    expect(await one.page.textContent("#view")).toBe("1-1 paused whole -");
    await expectOneStream();
    // A page of nothing in front of both.
    const front = await tabbed.openTab("about:blank", chromium.site.origin);
    await vi.waitFor(() => expect(chromium.site.openStreams()).toBe(0), PATIENT);
    await append(other.runId);
    await hidden.show();
    await expectText(one, "1-3 live whole -");
    await expectOneStream();
    await seen.show();
    await expectText(other, "1-3 live whole -");
    await expectInOrder(one);
    await expectInOrder(other);
    await front.page.close();
  } finally {
    await tabbed.close();
  }
});
