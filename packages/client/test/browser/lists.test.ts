import type { Page } from "playwright-core";
import { expect, it, vi } from "vitest";
import { useChromium } from "./use-chromium.ts";
import { VIEW_SCRIPT } from "./view-script.ts";

const PATIENT = { timeout: 50_000, interval: 20 } as const;
const ROWS = 200;

const chromium = useChromium(VIEW_SCRIPT);

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
    ids.push((await chromium.site.runs.create({ ownerId: "ada" })).runId);
  return ids;
}

async function append(runId: string, eventType = "TOKEN"): Promise<void> {
  await chromium.site.runs.as("ada").append(runId, [{ eventType }]);
}

it(`W48, Chromium: a list of ${ROWS} live runs has one connection, every row is live, and only rows that changed are rendered`, async () => {
  const ids = await createRuns(ROWS);
  const page = await chromium.openPage();
  await show(page, { list: { status: "live" } });
  await expectText(page, "state", `live ${ROWS}`);
  const before = await page.evaluate<Readonly<Record<string, number>>>("({ ...rows })");
  const [one = "", ...others] = ids;
  await append(one);
  await expectText(page, one, "running 1");
  const after = await page.evaluate<Readonly<Record<string, number>>>("({ ...rows })");
  expect(others.every((runId) => after[runId] === before[runId])).toBe(true);
  for (const runId of others) await append(runId);
  for (const runId of others) await expectText(page, runId, "running 1");
  expect(chromium.site.streams).toHaveLength(1);
  for (const runId of ids) await append(runId, "RUN_COMPLETED");
  await expectText(page, "state", "live 0");
});

it("a list that a server rendered with its runs is hydrated with them, and goes on after what the server knew", async () => {
  const [ended = "", live = ""] = await createRuns(2);
  await append(ended, "RUN_COMPLETED");
  const initial = await chromium.site.runs.list({ ownerId: "ada" });
  await append(live);
  const page = await chromium.openPage();
  const html = await page.evaluate(`hydrate(${JSON.stringify({ list: { initial } })})`);
  const rows = `<li id="${live}">queued 0</li><li id="${ended}">completed 1</li>`;
  expect(html).toBe(`<div><p id="state">connecting 2</p><ul>${rows}</ul></div>`);
  await expectText(page, live, "running 1");
  await expectText(page, "state", "live 2");
  const [created = ""] = await createRuns(1);
  await expectText(page, created, "queued 0");
  expect(await page.evaluate("complaints")).toEqual([]);
});
