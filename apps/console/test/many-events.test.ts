import { join } from "node:path";
import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { makeTempFolder } from "../../server/test/start-server.ts";
import { openSignedIn, PATIENT, useBrowser } from "./open-console.ts";
import { many, recordRun } from "./record-run.ts";

const EVENTS = 100_000;
/** As many frames each way, and how far each scrolls, in CSS pixels: more than a view. */
const FRAMES = 150;
const STEP_PX = 900;
/** What counts as a long task, in milliseconds. @see https://www.w3.org/TR/longtasks-1/ */
const LONG_TASK_MS = 50;

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Of the processor, in microseconds: what else the machine does is not in it. */
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/** Scrolls through the list frame by frame, up and then anywhere. */
function scroll(page: Page): Promise<void> {
  return page.evaluate(
    async ([frames, step]) => {
      const list = document.querySelector(".timeline");
      if (list === null) throw new Error("Expected a list");
      const frame = (): Promise<unknown> => new Promise(requestAnimationFrame);
      for (let index = 0; index < frames; index += 1) {
        await frame();
        list.scrollTop -= step;
      }
      for (let index = 0; index < frames; index += 1) {
        await frame();
        list.scrollTop = (list.scrollHeight / frames) * index;
      }
    },
    [FRAMES, STEP_PX] as const,
  );
}

/** The longest tasks of the main threads while something is done, in milliseconds of the processor. */
async function longestTasks(page: Page, work: () => Promise<void>): Promise<readonly number[]> {
  const path = join(await makeTempFolder(), "trace.json");
  const browser = page.context().browser();
  await browser?.startTracing(page, { path, categories: ["toplevel"] });
  await work();
  await browser?.stopTracing();
  const { traceEvents } = JSON.parse(await readFile(path, "utf8")) as {
    readonly traceEvents: readonly TraceEvent[];
  };
  const key = ({ pid, tid }: TraceEvent): string => `${pid} ${tid}`;
  const main = new Set(
    traceEvents
      .filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain")
      .map(key),
  );
  return traceEvents
    .filter((event) => event.name.endsWith("RunTask") && main.has(key(event)))
    .map(({ tdur = 0 }) => tdur / 1_000)
    .toSorted((one, other) => other - one);
}

describe("a run of 100,000 events", () => {
  useBrowser();

  it("is shown whole with a few dozen rows in the page, and no task of scrolling takes 50 ms of the processor", async () => {
    const { url, page } = await openSignedIn();
    await recordRun(url, "r", many("LOG", EVENTS));
    await page.goto(`${url}/#/runs/r`);
    await page.locator(`#event-${EVENTS}`).waitFor();
    const tasks = await longestTasks(page, () => scroll(page));
    expect(tasks.length).toBeGreaterThan(FRAMES);
    expect(tasks[0]).toBeLessThan(LONG_TASK_MS);
    expect(await page.locator(".row").count()).toBeLessThan(60);
    for (const sequence of [1, 50_000, EVENTS]) {
      await page.getByLabel("Go to sequence").fill(String(sequence));
      await page.getByLabel("Go to sequence").press("Enter");
      await expect
        .poll(() => page.evaluate(() => document.activeElement?.id), PATIENT)
        .toBe(`event-${sequence}`);
      expect(await page.locator(`#event-${sequence}`).innerText()).toContain(`"index":${sequence}`);
    }
  });
});
