import { isTerminal, RunEventsError, type RunStatus } from "@tm/run-events-core";
import type { AppendOutcome, AppendRequest } from "@tm/run-events-core/store";
import { APPEND } from "./append-script.ts";
import { encodeRequest, type OutcomeReply, parseLanding, parseOutcome } from "./append-values.ts";
import type { Connection } from "./connection.ts";
import { isCluster } from "./driver.ts";
import { addDue, dropDue } from "./due.ts";
import { runDamaged, scriptFailure, storeFailure } from "./failure.ts";
import { addListEntry, dropListEntry, type ListEntry } from "./list-entries.ts";

/** The most events of one script; a request of more has one to itself. */
const SCRIPT_EVENTS = 1_000;
/** The most runs of one script, so that none holds the server for long. */
const SCRIPT_RUNS = 32;

/** The text is of one request that was appended: its last sequence and, behind a space, the phase if there is one. */
type RunReply =
  | string
  | readonly ["failed", error: string]
  | readonly ["lost"]
  | readonly [
      "unlisted",
      ownerId: string,
      ordinal: string,
      runStatus: RunStatus,
      updatedAtMs: string,
    ]
  | readonly [
      "judged",
      left: RunStatus | null,
      outcomes: readonly OutcomeReply[],
      leaseOver: string | null,
    ];

/** A request and where it stands in its group. */
interface Placed {
  readonly index: number;
  readonly request: AppendRequest;
}

/** As many of a run's requests as go into one script, and what comes behind them. */
interface Part {
  readonly runId: string;
  readonly requests: readonly Placed[];
  readonly values: readonly string[];
  readonly events: number;
  /** What was made in the owner's list for it. */
  readonly entry: ListEntry | null;
  readonly rest: readonly Placed[];
}

/**
 * Appends a group. All requests for one run go into the same script, which keeps their order whatever happens to it on
 * its way: forgotten by the server, redirected, sent again. Runs are independent.
 * @throws RunEventsError `store_unavailable` if one of them fails; `ambiguous` if it may have landed, or others have.
 * @see S2, S7
 */
export async function appendGroup(
  connection: Connection,
  requests: readonly AppendRequest[],
): Promise<readonly AppendOutcome[]> {
  const { held, ended } = connection.keys;
  const outcomes: AppendOutcome[] = [];
  const failures: RunEventsError[] = [];
  const placed = requests.map((request, index): Placed => ({ index, request }));
  const byRun = Map.groupBy(placed, ({ request }) => request.runId);
  let parts = [...byRun].map(([runId, ofRun]) => cutPart(runId, ofRun));

  /** @returns what of the part, or behind it, is still to be done */
  async function settle(part: Part, reply: RunReply): Promise<Part | null> {
    const { runId, requests: ofRun, entry, rest } = part;
    if (typeof reply === "string") {
      for (const { index, request } of ofRun) outcomes[index] = parseLanding(reply, request);
      return rest.length === 0 ? null : cutPart(runId, rest);
    }
    switch (reply[0]) {
      case "failed":
        failures.push(scriptFailure(reply[1]));
        return null;
      case "lost":
        failures.push(runDamaged());
        return null;
      case "unlisted": {
        // Again and again, if need be: each time somebody else has moved the run on, or made it anew.
        const [, ownerId, ordinal, runStatus, updatedAtMs] = reply;
        const made = { ownerId, runStatus, runId, ordinal: Number(ordinal) };
        await Promise.all([
          addListEntry(connection, made),
          // Its end comes no earlier than what it was last changed at.
          isTerminal(runStatus) && addDue(connection, ended, { mark: ordinal, runId }, updatedAtMs),
        ]);
        return { ...part, entry: made };
      }
      case "judged": {
        const [, left, judged, leaseOver] = reply;
        // An entry that did not come true stays: somebody else may be about to make it true.
        if (entry !== null && left !== null) {
          dropListEntry(connection, { ...entry, runStatus: left });
        }
        if (leaseOver !== null) dropDue(connection, held, { mark: leaseOver, runId });
        ofRun.forEach(({ index, request }, at) => {
          const outcome = judged[at];
          if (outcome !== undefined) outcomes[index] = parseOutcome(outcome, request);
        });
        return rest.length === 0 ? null : cutPart(runId, rest);
      }
    }
  }

  async function send(call: readonly Part[]): Promise<readonly Part[]> {
    let replies: readonly RunReply[];
    try {
      replies = await runAppend(connection, call);
    } catch (error) {
      failures.push(storeFailure(error));
      return [];
    }
    const next = await Promise.allSettled(
      call.map((part, at) => settle(part, replies[at] ?? ["lost"])),
    );
    return next.flatMap((settled) => {
      if (settled.status === "fulfilled") return settled.value === null ? [] : [settled.value];
      failures.push(storeFailure(settled.reason));
      return [];
    });
  }

  while (parts.length > 0) {
    parts = (await Promise.all(packParts(connection, parts).map(send))).flat();
  }
  if (failures[0] !== undefined) throw groupFailure(failures[0], failures, outcomes);
  return outcomes;
}

function cutPart(runId: string, requests: readonly Placed[]): Part {
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
    requests: requests.slice(0, count),
    values,
    events,
    entry: null,
    rest: requests.slice(count),
  };
}

/** Puts runs together into scripts; in a cluster each has its own, since their keys are in different slots. */
function packParts({ redis }: Connection, parts: readonly Part[]): readonly (readonly Part[])[] {
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

function runAppend(connection: Connection, call: readonly Part[]): Promise<readonly RunReply[]> {
  const keys: string[] = [];
  const values: string[] = [connection.ring];
  for (const { runId, requests, values: ofRun, entry } of call) {
    const { head, events, receipts } = connection.keys.ofRun(runId);
    keys.push(head, events, receipts);
    const count = String(requests.length);
    values.push(entry === null ? count : `${count} ${entry.ordinal} ${entry.runStatus}`);
    for (const value of ofRun) values.push(value);
  }
  return connection.change(APPEND, keys, values) as Promise<readonly RunReply[]>;
}

/** The failure of a whole group: it is in doubt if one of its requests is, or if others have landed. */
function groupFailure(
  { code, message, cause, retryable }: RunEventsError,
  failures: readonly RunEventsError[],
  outcomes: readonly AppendOutcome[],
): RunEventsError {
  const ambiguous =
    failures.some((failure) => failure.ambiguous) ||
    // There are holes where requests failed; `some` passes over them.
    outcomes.some(({ outcome }) => outcome === "appended");
  return new RunEventsError(code, message, { cause, retryable, ambiguous });
}
