import { chromium, type Page } from "playwright-core";
import { findProgram } from "@tm/run-events-test-servers";
import { median, type Report, type Scale, type Section } from "./report.ts";
import { withConsole } from "./scroll-console.ts";
import { longestTask } from "./scroll-trace.ts";

/** A frame of 60 a second takes 16.7, and the clock of a page is coarse. In milliseconds. */
const FRAME_MS = 17;
/** What counts as a long task, in milliseconds. @see https://www.w3.org/TR/longtasks-1/ */
const LONG_TASK_MS = 50;
/** How far each frame scrolls at first, in CSS pixels: more than a view, so that every row is another. */
const STEP_PX = 900;

/** What scrolling a long run in the console costs a browser. */
export const scroll: Section = {
  name: "scroll",
  question: "Does the console scroll through a run of 100,000 events at 60 frames a second?",
  run: measureScroll,
};

/** One pass through the list. */
interface Pass {
  /** Between one frame and the next, in milliseconds. */
  readonly intervals: readonly number[];
  /** Tasks of at least 50 ms by the clock, in milliseconds: what the machine does beside is in it. */
  readonly longTasks: readonly number[];
  /** The rows in the page, at the frame that had most. */
  readonly rows: number;
}

async function measureScroll({ quick, rounds }: Scale): Promise<Report> {
  const events = quick ? 2_000 : 100_000;
  const frames = quick ? 20 : 300;
  const passes: Pass[] = [];
  const longest: number[] = [];
  await withConsole(events, async ({ url, token, runId }) => {
    const executablePath = ["chromium", "chromium-browser", "google-chrome"]
      .map(findProgram)
      .find((path) => path !== null);
    if (executablePath == null) throw new Error("Expected Chromium: apt-get install chromium");
    // Root has no sandbox, and what is opened is ours.
    const browser = await chromium.launch({ executablePath, chromiumSandbox: false });
    try {
      const page = await browser.newPage({ viewport: { width: 1_280, height: 800 } });
      await page.goto(`${url}/#/runs/${runId}`);
      await page.getByLabel("Token").fill(token);
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.locator(`#event-${events}`).waitFor({ timeout: 120_000 });
      // The first pass compiles.
      await pass(page, frames);
      for (let round = 0; round < rounds; round++) {
        const { result, longestMs } = await longestTask(page, () => pass(page, frames));
        passes.push(result);
        longest.push(longestMs);
      }
    } finally {
      await browser.close();
    }
  });
  const most = Math.max(...passes.map(({ rows }) => rows));
  return {
    targets: [
      {
        name: "median interval of frames",
        unit: "ms",
        values: passes.map(({ intervals }) => median(intervals)),
        bound: FRAME_MS,
        kind: "at most",
      },
      {
        // A task that is long now and then is long: the worst is judged.
        name: "longest task, processor, worst round",
        unit: "ms",
        values: [Math.max(...longest)],
        bound: LONG_TASK_MS,
        kind: "at most",
      },
    ],
    figures: [
      {
        name: "frames a second",
        unit: "frames/s",
        values: passes.map(
          ({ intervals }) => (1_000 * intervals.length) / intervals.reduce((sum, ms) => sum + ms),
        ),
      },
      {
        name: "99 of 100 intervals are at most",
        unit: "ms",
        values: passes.map(
          ({ intervals }) =>
            intervals.toSorted((a, b) => a - b)[Math.floor(intervals.length * 0.99)] ?? Number.NaN,
        ),
      },
      { name: "longest task, processor", unit: "ms", values: longest },
      {
        name: "tasks over 50 ms by the clock",
        unit: "",
        values: passes.map(({ longTasks }) => longTasks.length),
      },
    ],
    notes: [
      `${events} events, ${frames} frames a pass, ${most} rows in the page at most.`,
      `Half of a pass scrolls ${STEP_PX} pixels a frame, half jumps through the whole list.`,
    ],
  };
}

/** What the page has that this process has not. */
interface PageGlobals {
  readonly document: {
    querySelector(selector: string): {
      scrollTop: number;
      readonly scrollHeight: number;
      querySelectorAll(selector: string): { readonly length: number };
    } | null;
  };
  requestAnimationFrame(callback: (now: number) => void): void;
  readonly PerformanceObserver: new (
    callback: (entries: { getEntries(): readonly { readonly duration: number }[] }) => void,
  ) => { observe(what: { readonly type: "longtask" }): void; disconnect(): void };
}

/** Scrolls up from the end frame by frame, then from the beginning to the end in leaps. */
function pass(page: Page, frames: number): Promise<Pass> {
  return page.evaluate(
    async ({ frames, step }) => {
      const globals = globalThis as unknown as PageGlobals;
      const list = globals.document.querySelector(".timeline");
      if (list === null) throw new Error("Expected a list");
      const longTasks: number[] = [];
      const observer = new globals.PerformanceObserver((entries) => {
        for (const { duration } of entries.getEntries()) longTasks.push(duration);
      });
      observer.observe({ type: "longtask" });
      const frame = (): Promise<number> =>
        new Promise((resolve) => globals.requestAnimationFrame(resolve));
      const intervals: number[] = [];
      let rows = 0;
      list.scrollTop = list.scrollHeight;
      let last = await frame();
      for (let index = 0; index < frames; index++) {
        if (index < frames / 2) list.scrollTop -= step;
        else list.scrollTop = (list.scrollHeight / frames) * 2 * (index - frames / 2);
        const now = await frame();
        intervals.push(now - last);
        last = now;
        rows = Math.max(rows, list.querySelectorAll(".row").length);
      }
      // What was observed of the last frames is told a little later.
      await frame();
      await frame();
      observer.disconnect();
      return { intervals, longTasks, rows };
    },
    { frames, step: STEP_PX },
  );
}
