import { isTerminal, type RunStatus } from "@tm/run-events-core";
import {
  type AppendRequest,
  type Indexed,
  type StatusChange,
  statusAfter,
} from "@tm/run-events-core/store";
import { ANYBODY, encodeAppender } from "./sql/encode-appender.ts";

/** What one statement appends to one run: requests that land together, or not at all. */
export interface RunAppend {
  readonly runId: string;
  readonly requests: readonly Indexed<AppendRequest>[];
}

/** The appends of one statement, and the requests that wait for its answer. */
export interface StatementBatch {
  /** By ascending run id. */
  readonly appends: readonly RunAppend[];
  readonly rest: readonly Indexed<AppendRequest>[];
}

interface OpenAppend {
  readonly requests: Indexed<AppendRequest>[];
  readonly keys: Set<string>;
  /** Whether one of the requests starts a phase. */
  startsPhase: boolean;
  /** Whether all later requests of the run must wait. */
  full: boolean;
}

/**
 * Plans which requests of a group the next statement appends. A run's requests go together unless one can be judged only
 * after those before it have landed. The first that must wait makes all later ones wait, so a run's requests keep their
 * order. Run ids ascend, so that statements of several processes lock the same run first.
 * @see clause S2 in `STORE.md`
 */
export function planStatementBatch(pending: readonly Indexed<AppendRequest>[]): StatementBatch {
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
    append.full = isTerminal(request.change);
  }
  const appends = [...open].map(([runId, { requests }]) => ({ runId, requests }));
  return { appends: appends.sort((a, b) => (a.runId < b.runId ? -1 : 1)), rest };
}

/**
 * Whether a request can go with those before it. The statement returns a run's phase and status after all of its requests. So the
 * phase before the first that starts one is lost, and the status before the first that decides it. It judges one appender a run. An append of an owner or a reaper changes how
 * later requests are judged.
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
    (isKnown(first.change) || next.change === first.change) &&
    !(next.idempotencyKey !== null && keys.has(next.idempotencyKey))
  );
}

function startsPhase({ events }: AppendRequest): boolean {
  return events.some(({ phase }) => phase !== null);
}

/** Whether the status after the change does not depend on the one before. */
function isKnown(change: StatusChange): change is Exclude<StatusChange, "started" | "answered"> {
  return change !== "started" && change !== "answered";
}

/** What requests that go together do to the status: the last that decides it does. */
export function changeOfAll(requests: RunAppend["requests"]): StatusChange {
  const changes = requests.map(({ request }) => request.change);
  return changes.findLast(isKnown) ?? changes[0] ?? "started";
}

/**
 * The run's status and phase after each of the requests that go together. `null`: as before the first, which is then also as after the last.
 */
export function statesOf(
  requests: RunAppend["requests"],
): readonly { readonly runStatus: RunStatus | null; readonly phase: string | null }[] {
  let runStatus: RunStatus | null = null;
  let phase: string | null = null;
  return requests.map(({ request: { change, events } }) => {
    if (isKnown(change)) runStatus = change;
    else if (runStatus !== null) runStatus = statusAfter(runStatus, change);
    phase = events.findLast((event) => event.phase !== null)?.phase ?? phase;
    return { runStatus, phase };
  });
}
