import type { Page } from "playwright-core";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { HOOK_SCRIPT } from "./hook-script.ts";
import { useChromium } from "./use-chromium.ts";

const chromium = useChromium(HOOK_SCRIPT);

let runId: string;
beforeEach(async () => {
  ({ runId } = await chromium.site.runs.create({ ownerId: "ada" }));
  await append(1);
});

async function append(count: number, eventType = "TOKEN"): Promise<void> {
  await chromium.site.runs.as("ada").append(
    runId,
    Array.from({ length: count }, () => ({ eventType })),
  );
}

async function show(page: Page, components: number): Promise<void> {
  await page.evaluate(`show(${JSON.stringify(runId)}, ${components})`);
}

/** Waits until this many components show this. */
async function expectText(page: Page, text: string, components = 1): Promise<void> {
  const wanted = JSON.stringify(Array.from({ length: components }, () => text));
  await page.waitForFunction(
    `JSON.stringify([...document.querySelectorAll("p")].map((p) => p.textContent)) === ${JSON.stringify(wanted)}`,
    undefined,
    { polling: 50, timeout: 50_000 },
  );
}

/** Waits until this many streams are open. */
async function expectStreams(count: number): Promise<void> {
  await vi.waitFor(() => expect(chromium.site.openStreams()).toBe(count), { timeout: 20_000 });
}

describe("Chromium, components that show a run", () => {
  it("components share one connection, even under StrictMode, and each sees every event once", async () => {
    const page = await chromium.openPage();
    await show(page, 3);
    await expectText(page, "1 live -", 3);
    await append(2);
    await expectText(page, "3 live -", 3);
    await show(page, 5);
    await expectText(page, "3 live -", 5);
    await append(1, "RUN_COMPLETED");
    await expectText(page, "4 finished -", 5);
    expect(chromium.site.streams).toHaveLength(1);
    expect(chromium.complaints).toEqual([]);
  });

  it("components that are mounted again at once keep the connection", async () => {
    const page = await chromium.openPage();
    await show(page, 1);
    await expectText(page, "1 live -");
    await page.evaluate(`show("${runId}", 0); requestAnimationFrame(() => show("${runId}", 2))`);
    await append(1);
    await expectText(page, "2 live -", 2);
    expect(chromium.site.streams).toHaveLength(1);
  });

  it("a suspended component has one connection, and one that is never shown has none", async () => {
    const page = await chromium.openPage();
    await page.evaluate(`showLate("${runId}")`);
    await page.waitForSelector("i");
    await page.evaluate("resolveLate()");
    await expectText(page, "1 live -");
    expect(chromium.site.streams).toHaveLength(1);
    await page.evaluate('showLate("another")');
    await page.waitForSelector("i");
    await show(page, 0);
    await expectStreams(0);
    expect(chromium.site.streams).toHaveLength(1);
    expect(chromium.complaints).toEqual([]);
  });

  it("components render only after a change, and unchanged parts are the same objects", async () => {
    const page = await chromium.openPage();
    await show(page, 1);
    await expectText(page, "1 live -");
    await append(400);
    await append(1, "RUN_COMPLETED");
    await expectText(page, "402 finished -");
    const { isSame, count } = await page.evaluate<{ isSame: boolean; count: number }>(`({
      isSame: views.every(({ events }, index) => {
        const before = views[index - 1]?.events ?? [];
        return before === events || before.length !== events.length || index === 0;
      }),
      count: new Set(views).size,
    })`);
    expect(isSame).toBe(true);
    expect(count).toBeLessThan(40);
  });
});
