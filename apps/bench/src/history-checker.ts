import { checkHistory, type LoggedEvent, type Operation } from "@tm/run-events-conformance/history";
import { serveParent } from "./child.ts";

/** A process that makes a history and checks it. */
export interface HistoryChecker {
  /** @throws Error if the history, which is a right one, is found to break something */
  check(operations: number): HistoryCheck;
}

/** What a check took. */
export interface HistoryCheck {
  readonly wallMs: number;
  /** From before the check to the most that the process has ever had, in MiB. */
  readonly growthMiB: number;
}

const KIB_A_MIB = 1_024;
const CLIENTS = 16;
const PAGE = 10;
/** How many calls begin before one is answered. */
const OVERLAP = 20;
/** Each so many-th append has a key. */
const KEYED = 5;

/** Appends of two events and reads of ten, in turns, each answered when many others have begun. */
function makeHistory(count: number): {
  readonly operations: readonly Operation[];
  readonly log: readonly LoggedEvent[];
} {
  const operations: Operation[] = [];
  const log: LoggedEvent[] = [];
  for (let at = 0; at < count; at++) {
    const call = { client: String(at % CLIENTS), runId: "run", begunAt: at, endedAt: at + OVERLAP };
    if (at % 2 === 0) {
      const ids = [`${at}.0`, `${at}.1`] as const;
      for (const id of ids) log.push({ id, runStatus: "running", startsPhase: false });
      const lastSequence = log.length;
      const result = {
        outcome: "appended",
        firstSequence: lastSequence - 1,
        lastSequence,
        runStatus: "running",
        phaseId: null,
      } as const;
      const idempotencyKey = at % KEYED === 0 ? `key-${at}` : null;
      operations.push({
        ...call,
        kind: "append",
        call: at,
        ids,
        idempotencyKey,
        expectedSequence: null,
        fence: null,
        byOwner: false,
        result,
      });
    } else {
      const since = Math.max(0, log.length - PAGE);
      const ids = log.slice(since).map(({ id }) => id);
      const head = { lastSequence: log.length, runStatus: "running", phaseId: null } as const;
      operations.push({ ...call, kind: "read", since, ids, ...head });
    }
  }
  return { operations, log };
}

serveParent<HistoryChecker>({
  check(count) {
    const { operations, log } = makeHistory(count);
    const before = process.memoryUsage().rss / KIB_A_MIB / KIB_A_MIB;
    const began = performance.now();
    const found = checkHistory({ operations, logs: new Map([["run", log]]) });
    const wallMs = performance.now() - began;
    if (found !== null) throw new Error(`${found.clause}: ${found.message}`);
    return { wallMs, growthMiB: process.resourceUsage().maxRSS / KIB_A_MIB - before };
  },
});
