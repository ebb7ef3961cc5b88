import type { AppendRequest, Indexed } from "@tm/run-events-core/store";
import type { Connection } from "./connection.ts";
import { isCluster } from "./driver.ts";
import { encodeRequest, type RunAppend } from "./scripts/append.ts";

/** The most events of one script. A larger request gets its own script. */
const SCRIPT_EVENTS = 1_000;
/** The most runs of one script, so that no script occupies the server for long. */
const SCRIPT_RUNS = 32;

/** The requests of a run that fit into one script, and the rest of them. */
export interface Part extends RunAppend {
  readonly requests: readonly Indexed<AppendRequest>[];
  readonly events: number;
  readonly rest: readonly Indexed<AppendRequest>[];
}

/** The first part of each run of a group. */
export function planParts(group: readonly AppendRequest[]): readonly Part[] {
  const indexed = group.map((request, index): Indexed<AppendRequest> => ({ index, request }));
  const byRun = Map.groupBy(indexed, ({ request }) => request.runId);
  return [...byRun].map(([runId, requests]) => cutPart(runId, requests));
}

/** The part after this one; `null` if this was the last. */
export function nextPart({ runId, rest }: Part): Part | null {
  return rest.length === 0 ? null : cutPart(runId, rest);
}

function cutPart(runId: string, requests: readonly Indexed<AppendRequest>[]): Part {
  let events = 0;
  let count = 0;
  const values: string[] = [];
  for (const { request } of requests) {
    if (count > 0 && events + request.events.length > SCRIPT_EVENTS) break;
    events += request.events.length;
    count += 1;
    encodeRequest(request, values);
  }
  return {
    runId,
    count,
    requests: requests.slice(0, count),
    values,
    events,
    entry: null,
    rest: requests.slice(count),
  };
}

/** Packs the parts of runs into scripts. In a cluster each run has its own, since their keys are in different slots. */
export function packParts(
  { redis }: Connection,
  parts: readonly Part[],
): readonly (readonly Part[])[] {
  if (isCluster(redis)) return parts.map((part) => [part]);
  const calls: Part[][] = [];
  let events = 0;
  for (const part of parts) {
    const call = calls.at(-1);
    if (call === undefined || call.length === SCRIPT_RUNS || events + part.events > SCRIPT_EVENTS) {
      calls.push([part]);
      events = part.events;
    } else {
      call.push(part);
      events += part.events;
    }
  }
  return calls;
}
