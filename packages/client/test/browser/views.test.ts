import type { Page } from "playwright-core";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { useChromium } from "./use-chromium.ts";
import { VIEW_SCRIPT } from "./view-script.ts";

const PATIENT = { timeout: 50_000, interval: 20 } as const;

/** Requests for runs so far, as their method and the end of their path. */
let requests: string[];
const chromium = useChromium(VIEW_SCRIPT, {
  before: ({ method, url }) =>
    void requests.push(`${method} ${url?.replace(/^\/v1\/agent-runs\/[^/?]+/, "")}`),
});

let runId: string;
beforeEach(async () => {
  requests = [];
  ({ runId } = await chromium.site.runs.create({ ownerId: "ada" }));
});

async function append(count: number, to = runId): Promise<void> {
  for (let left = count; left > 0; left -= 1_000) {
    const batch = Array.from({ length: Math.min(left, 1_000) }, () => ({ eventType: "TOKEN" }));
    await chromium.site.runs.as("ada").append(to, batch);
  }
}

async function show(page: Page, props: object | null): Promise<void> {
  await page.evaluate(`show(${JSON.stringify(props)})`);
}

async function expectText(page: Page, text: string, id = "view"): Promise<void> {
  await vi.waitFor(async () => expect(await page.textContent(`#${id}`)).toBe(text), PATIENT);
}

/** Every view of the page that was rendered has its events in order without a gap, and none has fewer than one before it. */
async function expectWholeViews(page: Page, id = "view"): Promise<void> {
  const faults = await page.evaluate(`(() => {
    const own = views.filter((view) => view.id === ${JSON.stringify(id)});
    return own.filter(({ events }, index) =>
      events.some(({ sequence }, at) => sequence !== events[0].sequence + at) ||
      events.length < (own[index - 1]?.events.length ?? 0)).length;
  })()`);
  expect(faults).toBe(0);
}

describe("Chromium, components that show a part of a run", () => {
  it("W45: a component under StrictMode loads earlier events while others are written, over one stream", async () => {
    await append(1_000);
    const page = await chromium.openPage();
    await show(page, { runId, tail: 100 });
    await expectText(page, "901-1000 live more -");
    let isLoading = true;
    const writing = (async () => {
      let written = 0;
      for (; isLoading || written < 20; written += 1) await append(1);
      return written;
    })();
    for (let first = 801; first >= 1; first -= 100) {
      // The second click comes while the first one's events are on their way, or have come.
      await page.evaluate(
        'for (const _ of [1, 2]) document.querySelector("#view-earlier").click()',
      );
      await vi.waitFor(async () => {
        const shown = Number((await page.textContent("#view"))?.split("-")[0]);
        expect(shown).toBeLessThanOrEqual(first);
      }, PATIENT);
    }
    isLoading = false;
    const last = 1_000 + (await writing);
    await expectText(page, `1-${last} live whole -`);
    await expectWholeViews(page);
    const read = requests.filter((request) => request.startsWith("GET /events"));
    expect(read[0]).toBe("GET /events?limit=100&wait=0&tail=100");
    // A part ends with the first event that the view has already.
    expect(read.slice(1)).toEqual(
      [800, 700, 600, 500, 400, 300, 200, 100, 0].map(
        (since) => `GET /events?since=${since}&limit=101&wait=0`,
      ),
    );
    expect(chromium.site.streams).toHaveLength(1);
    expect(chromium.complaints).toEqual([]);
  });

  it("without a run a component asks for nothing; a run and another one begin cleanly", async () => {
    const other = (await chromium.site.runs.create({ ownerId: "ada" })).runId;
    await append(3);
    await append(5, other);
    const page = await chromium.openPage();
    await show(page, { runId: null, fold: true });
    await expectText(page, "- idle whole -");
    await page.click("#view-cancel");
    await page.click("#view-earlier");
    expect(requests).toEqual([]);
    await show(page, { runId, fold: true });
    await expectText(page, "1-3 live whole -");
    await expectText(page, "6", "fold");
    await show(page, { runId: other, fold: true });
    await expectText(page, "1-5 live whole -");
    await expectText(page, "15", "fold");
    await show(page, { runId: null, fold: true });
    await expectText(page, "- idle whole -");
    await expectText(page, "0", "fold");
    await vi.waitFor(() => expect(chromium.site.openStreams()).toBe(0), PATIENT);
    expect(chromium.site.streams).toHaveLength(2);
    expect(chromium.complaints).toEqual([]);
  });
});

describe("Chromium, a fold", () => {
  it("20,000 events are folded once each, however often it renders meanwhile, with few renders", async () => {
    await append(15_000);
    const page = await chromium.openPage();
    await show(page, { runId, fold: true });
    // Each render brings a new reducer.
    await page.evaluate("window.rendering = setInterval(() => renderFold(), 5)");
    for (let batch = 0; batch < 50; batch += 1) await append(100);
    await expectText(page, `${(20_000 * 20_001) / 2}`, "fold");
    await page.evaluate("clearInterval(rendering)");
    const isEach = "folded.every((sequence, index) => sequence === index + 1)";
    expect(await page.evaluate(`[folded.length, ${isEach}]`)).toEqual([20_000, true]);
    const before = await page.evaluate("foldRenders");
    await append(1_000);
    await expectText(page, `${(21_000 * 21_001) / 2}`, "fold");
    // StrictMode renders each component twice.
    expect((await page.evaluate<number>("foldRenders")) - Number(before)).toBeLessThan(200);
    expect(await page.evaluate("folded.length")).toBe(21_000);
  });
});

describe("Chromium, a page that a server rendered", () => {
  it("is hydrated without a warning, and goes on after what the server knew", async () => {
    await append(4);
    const { events, ...rest } = await chromium.site.runs.read(runId, { ownerId: "ada", tail: 2 });
    const initial = { ...rest, events };
    await append(1);
    const page = await chromium.openPage();
    const html = await page.evaluate(`hydrate(${JSON.stringify({ runId, initial })})`);
    expect(html).toContain("3-4 connecting more -");
    await expectText(page, "3-5 live more -");
    await page.click("#view-earlier");
    await expectText(page, "1-5 live whole -");
    await expectWholeViews(page);
    const at = encodeURIComponent(events.at(-1)?.createdAt ?? "");
    expect(requests).toEqual([
      `GET /stream?since=4&at=${at}`,
      "GET /events?since=0&limit=3&wait=0",
    ]);
    expect(await page.evaluate("complaints")).toEqual([]);
    expect(chromium.complaints).toEqual([]);
  });
});
