import type { Page } from "playwright-core";
import { expect, it, vi } from "vitest";
import { useChromium } from "./use-chromium.ts";
import { VIEW_SCRIPT } from "./view-script.ts";

const PATIENT = { timeout: 50_000, interval: 20 } as const;
const SLOTS = 4;

const chromium = useChromium(VIEW_SCRIPT);

/** A page that shows a run. */
interface Shown {
  readonly page: Page;
  readonly runId: string;
}

async function append(runId: string, count = 1, eventType = "TOKEN"): Promise<void> {
  await chromium.site.runs.as("ada").append(
    runId,
    Array.from({ length: count }, () => ({ eventType })),
  );
}

async function show(page: Page, state = "live"): Promise<Shown> {
  const { runId } = await chromium.site.runs.create({ ownerId: "ada" });
  await append(runId);
  await page.evaluate(`show(${JSON.stringify({ runId })})`);
  await expectText({ page, runId }, `1-1 ${state} whole -`);
  return { page, runId };
}

/** Opens windows, which are all visible. Each shows a run of one event: the first four have a stream, and the others poll. */
async function openWindows(count: number): Promise<readonly Shown[]> {
  const windows: Shown[] = [];
  for (let index = 0; index < count; index += 1) {
    const page = await chromium.openPage();
    windows.push(await show(page, index < SLOTS ? "live" : "polling"));
  }
  return windows;
}

async function expectText({ page }: Shown, text: string): Promise<void> {
  await vi.waitFor(async () => expect(await page.textContent("#view")).toBe(text), PATIENT);
}

/** Every view so far has its events from the first one on, each of them once. */
async function expectInOrder({ page }: Shown): Promise<void> {
  const isInOrder = await page.evaluate(
    "views.every(({ events }) => events.every(({ sequence }, index) => sequence === index + 1))",
  );
  expect(isInOrder).toBe(true);
}

/** Appends to the run of each, which then has events up to this one. */
async function expectNext(windows: readonly Shown[], last: number, state: string): Promise<void> {
  await Promise.all(windows.map(async ({ runId }) => append(runId)));
  for (const window of windows) {
    await expectText(window, `1-${last} ${state} whole -`);
    await expectInOrder(window);
  }
}

async function expectStreams(count: number): Promise<void> {
  await vi.waitFor(() => expect(chromium.site.openStreams()).toBe(count), PATIENT);
}

/** Waits until this many slots are held. */
async function expectSlots({ page }: Shown, held: number): Promise<void> {
  const count = "navigator.locks.query().then((locks) => locks.held.length)";
  await vi.waitFor(async () => expect(await page.evaluate(count)).toBe(held), PATIENT);
}

async function crash({ page }: Shown): Promise<void> {
  const session = await chromium.context.newCDPSession(page);
  const crashed = new Promise((resolve) => page.once("crash", resolve));
  session.send("Page.crash").catch(() => {});
  await crashed;
}

it("W47, Chromium over HTTP/1.1: of eight windows four have a stream, the others poll, and each can cancel its run and give it input", async () => {
  const windows = await openWindows(8);
  await expectStreams(SLOTS);
  await expectSlots(windows[7] as Shown, SLOTS);
  const opened = chromium.site.streams.length;
  await expectNext(windows.slice(0, SLOTS), 2, "live");
  await expectNext(windows.slice(SLOTS), 2, "polling");
  for (const { page } of windows) await page.evaluate("views.at(-1).input('go')");
  for (const [index, window] of windows.entries())
    await expectText(window, `1-3 ${index < SLOTS ? "live" : "polling"} whole -`);
  for (const { page } of windows.slice(SLOTS)) await page.click("#view-cancel");
  for (const window of windows.slice(SLOTS)) {
    await expectText(window, "1-4 finished whole -");
    expect((await chromium.site.runs.as("ada").get(window.runId)).runStatus).toBe("cancelled");
  }
  await expectSlots(windows[7] as Shown, SLOTS);
  expect(chromium.site.streams).toHaveLength(opened);
  for (const window of windows.slice(0, SLOTS)) {
    await window.page.click("#view-cancel");
    await expectText(window, "1-4 finished whole -");
  }
  await expectStreams(0);
  await expectSlots(windows[0] as Shown, 0);
  expect(chromium.complaints).toEqual([]);
});

it("W47, Chromium: when a window is closed, crashes or goes to another page, one that polls gets its stream", async () => {
  const [first, second, third, fourth, ...others] = await openWindows(7);
  await first?.page.close();
  await expectSlots(others[0] as Shown, SLOTS);
  await crash(second as Shown);
  await expectSlots(others[0] as Shown, SLOTS);
  await third?.page.goto(`${chromium.site.origin}/elsewhere`);
  await expectSlots(others[0] as Shown, SLOTS);
  await expectNext([fourth as Shown, ...others], 2, "live");
  await expectStreams(SLOTS);
  for (const { runId } of others) await append(runId, 1, "RUN_COMPLETED");
  for (const window of others) await expectText(window, "1-3 finished whole -");
  await expectSlots(others[0] as Shown, 1);
});

it("W47, Chromium: a page that comes back from the back-forward cache goes on, and had no slot meanwhile", async () => {
  const [one, other] = (await openWindows(2)) as [Shown, Shown];
  await one.page.evaluate("addEventListener('pageshow', () => (window.isRestored = true))");
  await one.page.goto(`${chromium.site.origin}/elsewhere`);
  await expectSlots(other, 1);
  await append(one.runId, 2);
  await one.page.goBack({ waitUntil: "commit" });
  expect(await one.page.evaluate("window.isRestored")).toBe(true);
  await expectText(one, "1-3 live whole -");
  await expectInOrder(one);
  await expectSlots(other, 2);
});
