import { isTerminal } from "@tm/run-events-core";
import type { AppendRequest, Indexed } from "@tm/run-events-core/store";
import { ANYBODY, encodeAppender } from "./sql/encode-appender.ts";

/** What one run gets in one statement: requests that land together, or not at all. */
export interface RunAppend {
  readonly runId: string;
  readonly requests: readonly Indexed<AppendRequest>[];
}

/** What goes out in one statement, by ascending run id, and what has to wait for its answer. */
export interface Wave {
  readonly appends: readonly RunAppend[];
  readonly rest: readonly Indexed<AppendRequest>[];
}

interface OpenAppend {
  readonly requests: Indexed<AppendRequest>[];
  readonly keys: Set<string>;
  /** Whether one of the requests starts a phase. */
  startsPhase: boolean;
  /** Whether all behind the last request must wait. */
  full: boolean;
}

/**
 * Cuts the first statement's worth from a group. A run's requests go together as long as none of them can be judged only
 * once those before it have landed; the first that must wait makes all behind it wait, so that a run's requests keep their
 * order. Run ids ascend, so that statements of several processes that meet take the same run first.
 * @see S2
 */
export function planWave(pending: readonly Indexed<AppendRequest>[]): Wave {
  const open = new Map<string, OpenAppend>();
  const rest: Indexed<AppendRequest>[] = [];
  for (const indexed of pending) {
    const { request } = indexed;
    let append = open.get(request.runId);
    if (append === undefined) {
      append = { requests: [], keys: new Set(), startsPhase: false, full: false };
      open.set(request.runId, append);
    } else if (append.full || !joins(append, request)) {
      append.full = true;
      rest.push(indexed);
      continue;
    }
    append.requests.push(indexed);
    if (request.idempotencyKey !== null) append.keys.add(request.idempotencyKey);
    append.startsPhase ||= startsPhase(request);
    append.full = isTerminal(request.runStatus);
  }
  const appends = [...open].map(([runId, { requests }]) => ({ runId, requests }));
  return { appends: appends.sort((a, b) => (a.runId < b.runId ? -1 : 1)), rest };
}

/**
 * The statement answers a run's phase after all of them: what it was before the first phase among them is lost. It judges one
 * appender a run, and an owner or a reaper changes what is to be judged behind it.
 */
function joins({ requests, keys, startsPhase: known }: OpenAppend, next: AppendRequest): boolean {
  const first = requests[0]?.request;
  const appender = encodeAppender(next.appender);
  return (
    next.expectedSequence === null &&
    next.ownerId === first?.ownerId &&
    appender >= ANYBODY &&
    appender === encodeAppender(first.appender) &&
    (known || !startsPhase(next)) &&
    !(next.idempotencyKey !== null && keys.has(next.idempotencyKey))
  );
}

function startsPhase({ events }: AppendRequest): boolean {
  return events.some(({ phase }) => phase !== null);
}
