import type { TailOptions } from "../follow/tail.ts";
import type { Slice } from "../follow/slice.ts";
import { codeOf, type Report } from "../rules/telemetry.ts";
import type { RunName } from "../rules/head.ts";
import { RunEventsError, type RunEventsErrorCode } from "../rules/errors.ts";
import type { AppendReceipt } from "../rules/receipt.ts";
import type { Clock } from "../time/clock.ts";
import type { Upkeep } from "../upkeep/upkeep.ts";
import type { RunLog } from "./run-log.ts";

// Each function wraps a call and also reports it. A log uses them only if something listens, so without a listener the calls cost nothing
// more.

/** Makes a call, and passes on how long it took and what it answered, or the code of its error. */
async function timed<Answer>(
  clock: Clock,
  call: () => Promise<Answer>,
  onEnd: (ms: number, end: { readonly answer: Answer } | RunEventsErrorCode) => void,
): Promise<Answer> {
  const fromMs = clock.now();
  try {
    const answer = await call();
    onEnd(clock.now() - fromMs, { answer });
    return answer;
  } catch (error) {
    onEnd(clock.now() - fromMs, codeOf(error));
    throw error;
  }
}

type AppendCalls = Pick<RunLog, "append" | "input">;

/** Reports each append and each input. */
export function observeAppends(calls: AppendCalls, clock: Clock, report: Report): AppendCalls {
  const observe = (
    runId: string,
    events: number,
    call: () => Promise<AppendReceipt>,
  ): Promise<AppendReceipt> =>
    timed(clock, call, (ms, end) => {
      const measured = { type: "append", runId, events, ms } as const;
      if (typeof end === "string") return report({ ...measured, outcome: end, lastSequence: null });
      const { replayed, lastSequence } = end.answer;
      report({ ...measured, outcome: replayed ? "replayed" : "appended", lastSequence });
    });
  return {
    append: (runId, events, options) =>
      observe(runId, Array.isArray(events) ? events.length : 0, () =>
        calls.append(runId, events, options),
      ),
    input: (runId, payload, options) =>
      observe(runId, 1, () => calls.input(runId, payload, options)),
  };
}

/** Reports each `reap` and each `purge`. */
export function observeUpkeep(
  upkeep: Pick<Upkeep, "reap" | "purge">,
  clock: Clock,
  report: Report,
): Pick<Upkeep, "reap" | "purge"> {
  const observe = (
    type: "reap" | "purge",
    call: () => Promise<readonly RunName[]>,
  ): Promise<readonly RunName[]> =>
    timed(clock, call, (ms, end) => {
      const ended =
        typeof end === "string"
          ? { runs: 0, ms, outcome: end }
          : { runs: end.answer.length, ms, outcome: "done" as const };
      report(type === "reap" ? { type, ...ended } : { type, ...ended });
    });
  return {
    reap: (options) => observe("reap", () => upkeep.reap(options)),
    purge: (options) => observe("purge", () => upkeep.purge(options)),
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
