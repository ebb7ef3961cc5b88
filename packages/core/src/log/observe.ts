import type { TailOptions } from "../follow/tail.ts";
import type { Slice } from "../follow/slice.ts";
import type { Diagnostic } from "../rules/diagnostic.ts";
import { codeOf, type Report, type Telemetry } from "../rules/telemetry.ts";
import type { RunName } from "../rules/head.ts";
import { RunEventsError } from "../rules/errors.ts";
import type { AppendReceipt } from "../rules/receipt.ts";
import type { RunEventStore } from "../store/store.ts";
import type { Clock } from "../time/clock.ts";
import type { Upkeep } from "../upkeep/upkeep.ts";
import type { RunLog } from "./run-log.ts";

// Each function wraps a call and also reports it. A log uses them only if something listens. So without a listener the calls cost nothing
// more.

/** The telemetries that each store reports to. */
const OBSERVERS = new WeakMap<RunEventStore, WeakSet<Telemetry>>();

/**
 * Passes on what a store reports. Each log gets objects of its own, so that no listener changes what another one gets. Logs that share
 * their telemetry pass each report on once: the store has one connection, however many logs use it.
 */
export function observeStore(store: RunEventStore, telemetry: Telemetry, report: Report): void {
  const observers = OBSERVERS.get(store) ?? new WeakSet();
  OBSERVERS.set(store, observers);
  if (observers.has(telemetry)) return;
  observers.add(telemetry);
  store.observe?.((diagnostic) => report({ ...diagnostic }));
}

type AppendCalls = Pick<RunLog, "append" | "input">;

/** Reports each append and each input. */
export function observeAppends(calls: AppendCalls, clock: Clock, report: Report): AppendCalls {
  async function observe(
    runId: string,
    events: number,
    answer: () => Promise<AppendReceipt>,
  ): Promise<AppendReceipt> {
    const fromMs = clock.now();
    const measured = { type: "append", runId, events } as const;
    try {
      const receipt = await answer();
      const { lastSequence } = receipt;
      const outcome = receipt.replayed ? "replayed" : "appended";
      report({ ...measured, ms: clock.now() - fromMs, outcome, lastSequence });
      return receipt;
    } catch (error) {
      const outcome = codeOf(error);
      report({ ...measured, ms: clock.now() - fromMs, outcome, lastSequence: null });
      throw error;
    }
  }
  return {
    append: (runId, events, options) =>
      observe(runId, Array.isArray(events) ? events.length : 0, () =>
        calls.append(runId, events, options),
      ),
    input: (runId, payload, options) =>
      observe(runId, 1, () => calls.input(runId, payload, options)),
  };
}

/** How a `reap` or a `purge` ended. */
type UpkeepEnd = Omit<Extract<Diagnostic, { readonly type: "reap" }>, "type">;

/** Reports each `reap` and each `purge`. */
export function observeUpkeep(
  upkeep: Pick<Upkeep, "reap" | "purge">,
  clock: Clock,
  report: Report,
): Pick<Upkeep, "reap" | "purge"> {
  async function observe(
    work: () => Promise<readonly RunName[]>,
    reportEnd: (end: UpkeepEnd) => void,
  ): Promise<readonly RunName[]> {
    const fromMs = clock.now();
    try {
      const runs = await work();
      reportEnd({ runs: runs.length, ms: clock.now() - fromMs, outcome: "done" });
      return runs;
    } catch (error) {
      reportEnd({ runs: 0, ms: clock.now() - fromMs, outcome: codeOf(error) });
      throw error;
    }
  }
  return {
    reap: (options) =>
      observe(
        () => upkeep.reap(options),
        (end) => report({ type: "reap", ...end }),
      ),
    purge: (options) =>
      observe(
        () => upkeep.purge(options),
        (end) => report({ type: "purge", ...end }),
      ),
  };
}

/** Reports when a tail begins and ends. */
export async function* observeTail(
  slices: AsyncIterable<Slice>,
  runId: string,
  options: TailOptions | undefined,
  clock: Clock,
  report: Report,
): AsyncGenerator<Slice, void, undefined> {
  const fromMs = clock.now();
  let events = 0;
  let outcome: "finished" | "left" | ReturnType<typeof codeOf> = "left";
  report({ type: "tail_opened", runId });
  try {
    for await (const slice of slices) {
      events += slice.events.length;
      if (slice.finished) outcome = "finished";
      yield slice;
    }
  } catch (error) {
    const isAborted = options?.signal?.aborted === true && !(error instanceof RunEventsError);
    if (!isAborted) outcome = codeOf(error);
    throw error;
  } finally {
    report({ type: "tail_ended", runId, ms: clock.now() - fromMs, events, outcome });
  }
}
