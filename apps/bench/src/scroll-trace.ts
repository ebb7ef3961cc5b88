import type { Page } from "playwright-core";

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Of the processor, in microseconds: what else the machine does is not in it. */
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/** Does something in a page. @returns what it returned, and the longest task of the page's main thread meanwhile, in milliseconds of the processor */
export async function longestTask<Result>(
  page: Page,
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly longestMs: number }> {
  const browser = page.context().browser();
  if (browser === null) throw new TypeError("Expected a page of a browser that was launched");
  await browser.startTracing(page, { categories: ["toplevel"] });
  const result = await work();
  const trace = await browser.stopTracing();
  const { traceEvents } = JSON.parse(trace.toString()) as {
    readonly traceEvents: readonly TraceEvent[];
  };
  const threadOf = ({ pid, tid }: TraceEvent): string => `${pid} ${tid}`;
  const main = new Set(
    traceEvents
      .filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain")
      .map(threadOf),
  );
  const tasks = traceEvents.filter(
    (event) => event.name.endsWith("RunTask") && main.has(threadOf(event)),
  );
  if (tasks.length === 0) throw new Error("The trace has no task of the page.");
  return { result, longestMs: Math.max(...tasks.map(({ tdur = 0 }) => tdur / 1_000)) };
}
