import type { Child } from "./child.ts";
import { type Cost, measure } from "./rounds.ts";

/** How much is appended in a round, and how. */
export interface AppendLoad {
  /** Single events. */
  readonly appends: number;
  /** How many callers wait for an append at any time. */
  readonly callers: number;
  /** Over how many runs the callers are spread, each on one of them. */
  readonly runs: number;
}

/** A process that appends to a log of its own. */
export interface AppendWriter {
  /** @returns what it took */
  append(load: AppendLoad): Promise<Cost>;
  /**
   * How many events the log holds.
   * @throws unless every run has its events without a gap.
   */
  count(): Promise<number> | number;
}

/** How many runs there are, and the most callers. */
export const CALLERS = 64;
/** The length of an event's JSON, in bytes. */
export const APPEND_EVENT_BYTES = 300;

/** Whose all runs are. */
export const OWNER = "owner";

/** The id of a run of the log. */
export function runIdOf(index: number): string {
  return `run-${index}`;
}

/** Has the callers append, each one event after the other. */
export function appendTogether(
  { appends, callers, runs }: AppendLoad,
  append: (runId: string) => Promise<unknown>,
): Promise<Cost> {
  let left = appends;
  async function call(runId: string): Promise<void> {
    while (left > 0) {
      left -= 1;
      await append(runId);
    }
  }
  return measure(appends, async () => {
    await Promise.all(Array.from({ length: callers }, (_, caller) => call(runIdOf(caller % runs))));
  });
}

/** @throws unless the process's log holds as many events as were acknowledged. */
export async function checkCount(writer: Child<AppendWriter>, acknowledged: number): Promise<void> {
  const events = await writer.call("count");
  if (events !== acknowledged) {
    throw new Error(`Of ${acknowledged} acknowledged events the log holds ${events}.`);
  }
}
