import type { BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { bundle } from "../bundle.ts";
import { LIST_SCRIPT } from "./list-script.ts";
import { openBrowser, type TestBrowser } from "./open-browser.ts";
import { type Site, startSite } from "./site.ts";

const PATIENT = { timeout: 50_000, interval: 20 } as const;
const TABS = 8;
const ROWS = 200;

let browser: TestBrowser;
let script: string;
beforeAll(async () => {
  [browser, script] = await Promise.all([openBrowser(), bundle(LIST_SCRIPT)]);
});
afterAll(() => browser.close());

let site: Site;
let context: BrowserContext;
beforeEach(async () => {
  site = await startSite({ script });
  context = await browser.open(site.origin);
});
afterEach(async () => {
  await context.close();
  await site.stop();
});

async function openPage(): Promise<Page> {
  const page = await context.newPage();
  await page.goto(site.origin);
  return page;
}

async function show(page: Page, props: unknown): Promise<void> {
  await page.evaluate(`show(${JSON.stringify(props)})`);
}

async function expectText(page: Page, id: string, text: string): Promise<void> {
  const read = (): Promise<unknown> =>
    page.evaluate(`document.getElementById(${JSON.stringify(id)})?.textContent ?? null`);
  await vi.waitFor(async () => expect(await read()).toBe(text), PATIENT);
}

async function createRuns(count: number): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1)
    ids.push((await site.runs.create({ ownerId: "ada" })).runId);
  return ids;
}

async function append(runId: string, eventType = "TOKEN"): Promise<void> {
  await site.runs.append(runId, [{ eventType }]);
}

it("W48, Chromium over HTTP/1.1: eight tabs on eight live runs, the list in each, have one connection, and a cancel in the last one shows in all", async () => {
  const ids = await createRuns(TABS);
  const tabs: Page[] = [];
  for (const runId of ids) {
    await append(runId);
    const page = await openPage();
    await show(page, { list: { last: true }, runId });
    await expectText(page, "state", `live ${TABS}`);
    await expectText(page, "run", "1 live");
    tabs.push(page);
  }
  await vi.waitFor(() => expect(site.openStreams()).toBe(1), PATIENT);
  const opened = site.streams.length;
  for (const runId of ids) await append(runId);
  for (const page of tabs)
    for (const runId of ids) await expectText(page, runId, "running 2 TOKEN");
  const [last, lastId] = [tabs.at(-1), ids.at(-1) ?? ""];
  await last?.click("#cancel");
  await vi.waitFor(async () => {
    expect((await site.runs.get(lastId)).runStatus).toBe("cancelled");
  }, PATIENT);
  for (const page of tabs) await expectText(page, lastId, "cancelled 3 RUN_CANCELLED");
  for (const [index, page] of tabs.slice(0, -1).entries()) {
    await append(ids[index] ?? "");
    await expectText(page, "run", "3 live");
  }
  // The list has no stream of its own.
  expect(site.openStreams()).toBe(1);
  expect(site.streams.length).toBe(opened);
});

it("W48, Chromium: the lists of other tabs go on when the tab with the connection is closed, or crashes", async () => {
  const [x = ""] = await createRuns(1);
  const tabs: Page[] = [];
  for (let tab = 0; tab < 3; tab += 1) {
    tabs.push(await openPage());
    await show(tabs[tab] as Page, { list: {} });
    await expectText(tabs[tab] as Page, "state", "live 1");
  }
  const [first, second, third] = tabs as [Page, Page, Page];
  await first.close();
  await append(x);
  for (const page of [second, third]) await expectText(page, x, "running 1 -");
  const session = await context.newCDPSession(second);
  const crashed = new Promise((resolve) => second.once("crash", resolve));
  session.send("Page.crash").catch(() => {});
  await crashed;
  await append(x);
  await expectText(third, x, "running 2 -");
  expect(site.openStreams()).toBe(1);
});

it(`W48, Chromium: a list of ${ROWS} live runs in a tab has one connection, every row is live, and only rows that changed are rendered`, async () => {
  const ids = await createRuns(ROWS);
  const page = await openPage();
  await show(page, { list: { status: "live" } });
  await expectText(page, "state", `live ${ROWS}`);
  const before = await page.evaluate<Readonly<Record<string, number>>>("({ ...rows })");
  const [one = "", ...others] = ids;
  await append(one);
  await expectText(page, one, "running 1 -");
  const after = await page.evaluate<Readonly<Record<string, number>>>("({ ...rows })");
  expect(others.every((runId) => after[runId] === before[runId])).toBe(true);
  for (const runId of others) await append(runId);
  for (const runId of others) await expectText(page, runId, "running 1 -");
  expect(site.streams).toHaveLength(1);
  for (const runId of ids) await append(runId, "RUN_COMPLETED");
  await expectText(page, "state", "live 0");
});

it("a list that a server rendered is hydrated without a complaint, and then has its runs", async () => {
  const [x = ""] = await createRuns(1);
  const page = await openPage();
  const html = await page.evaluate(`hydrate({ list: {} })`);
  expect(html).toBe('<div><p id="state">connecting loading</p><ul></ul></div>');
  await expectText(page, "state", "live 1");
  await append(x);
  await expectText(page, x, "running 1 -");
  expect(await page.evaluate("complaints")).toEqual([]);
});
