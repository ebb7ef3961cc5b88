import type { RunStatus } from "@tm/run-events-core";
import type {
  AppendOutcome,
  Appender,
  AppendRequest,
  TerminalStatus,
} from "@tm/run-events-core/store";
import type { Connection } from "../connection.ts";
import { isCluster } from "../driver.ts";
import type { ListEntry } from "../list-entries.ts";
import { APPEND_LUA } from "./append-lua.ts";
import { defineWriting, encodeOwner, type Script } from "./script.ts";

/**
 * Appends requests to runs, those for one run in their order, and returns an outcome for each. All requests for a run are judged
 * before anything is written to it. What a script has written stays when it fails, so nothing may fail after the first write.
 * If Redis refuses all writes, it refuses the script before it begins. A full Redis then runs it as `isFull`, to answer what
 * needs no memory. A failure of one run affects only that run.
 *
 * An append that changes the run's status needs an existing entry for this visit of the new status in its owner's list. Without it,
 * nothing is written to the run and the answer is `unlisted`.
 *
 * KEYS: for each run head, events, receipts.
 * ARGV: the command that notifies; what the channel of an owner begins with, or empty in a cluster, where it is in another slot. Then for each run the number of its requests, or `number ordinal status visit` with a list entry.
 * Then for each request `=ownerId` or empty, its key, its shape, its events. The shape begins with the appender: empty without a
 * lease, a worker's fence, `owner`, `input`, `reaper:graceMs`, or `sweeper:status:idleForMs`. A plain request is one event, without a lease or of a worker, that
 * only starts a queued run, starts no phase and expects no sequence. Its shape ends there, and the event's type and payload
 * follow. Otherwise the shape continues with ` change expected number`, where `expected` may be empty. That number of events
 * follows, each as type, payload, and phase or empty.
 * Answers for each run where its one request landed, as for `parseLanding`, if it was appended by the short way.
 * Otherwise `{'failed', error}`, `{'lost'}`, `{'unlisted', ownerId, ordinal, status, updatedAtMs, visit, topic or nil}` or `{'judged',
 * 'status visit' before or nil, outcomes, mark of the lease that is over or nil}`. An outcome is the same text for an append;
 * otherwise its name and, as far as it has them, the status, the last sequence and the phase.
 * @see clauses S1 to S5, S22, S27 and S28 in `STORE.md`; `judgeAppend` and `advanceRun` are the rule.
 */
const APPEND: Script = defineWriting(APPEND_LUA, "answers when full");

/** What the script appends to one run. */
export interface RunAppend {
  readonly runId: string;
  readonly count: number;
  /** The requests, as `encodeRequest` adds them. */
  readonly values: readonly string[];
  /** The entry that was made for it in the owner's list. */
  readonly entry: ListEntry | null;
}

/** The script's answer for one request: a text is where an append landed. */
type OutcomeReply =
  | string
  | readonly [
      outcome: Exclude<AppendOutcome["outcome"], "appended">,
      status?: string,
      last?: string,
      phase?: string | null,
    ];

/** The script's answer for one run. A text is the answer to its only request, which was appended the short way. */
export type RunReply =
  | string
  | readonly ["failed", error: string]
  | readonly ["lost"]
  | readonly [
      "unlisted",
      ownerId: string,
      ordinal: string,
      runStatus: RunStatus,
      updatedAtMs: string,
      visit: string,
      topic: string | null,
    ]
  | readonly [
      "judged",
      /** `status visit`, as of `ListEntry`. */
      left: string | null,
      outcomes: readonly OutcomeReply[],
      leaseOver: string | null,
    ];

/**
 * Appends to runs.
 * @returns one reply for each run, in their order
 */
export async function sendAppend(
  connection: Connection,
  appends: readonly RunAppend[],
): Promise<readonly RunReply[]> {
  const keys: string[] = [];
  const { notify, keys: names } = connection;
  const values: string[] = [notify, isCluster(connection.redis) ? "" : names.ownerChannels];
  for (const { runId, count, values: ofRun, entry } of appends) {
    const { head, events, receipts } = connection.keys.ofRun(runId);
    keys.push(head, events, receipts);
    values.push(
      entry === null
        ? String(count)
        : `${count} ${entry.ordinal} ${entry.runStatus} ${entry.visit}`,
    );
    for (const value of ofRun) values.push(value);
  }
  return (await connection.change(APPEND, keys, values)) as readonly RunReply[];
}

/** Adds a request to the values. */
export function encodeRequest(request: AppendRequest, values: string[]): void {
  const { ownerId, change, idempotencyKey, expectedSequence, appender, events } = request;
  values.push(
    encodeOwner(ownerId),
    // The client silently sends unanswered commands again: without a key, the append might land twice.
    idempotencyKey === null ? `~${crypto.randomUUID()}` : `=${idempotencyKey}`,
  );
  const [first] = events;
  const who = encodeAppender(appender);
  const isPlain =
    first !== undefined &&
    events.length === 1 &&
    first.phase === null &&
    change === "started" &&
    expectedSequence === null &&
    (appender.by === "anybody" || appender.by === "worker");
  if (isPlain) {
    values.push(who, first.eventType, first.payload);
    return;
  }
  values.push(`${who} ${change} ${expectedSequence ?? ""} ${events.length}`);
  for (const { eventType, payload, phase } of events) values.push(eventType, payload, phase ?? "");
}

function encodeAppender(appender: Appender): string {
  switch (appender.by) {
    case "anybody":
      return "";
    case "worker":
      return String(appender.fence);
    case "owner":
    case "input":
      return appender.by;
    case "reaper":
      return `reaper:${appender.graceMs}`;
    case "sweeper":
      return `sweeper:${appender.runStatus}:${appender.idleForMs}`;
  }
}

/** Where a request landed: the last sequence, `/status` unless that is running, a space and the phase if there is one. */
export function parseLanding(reply: string, { events }: AppendRequest): AppendOutcome {
  const space = reply.indexOf(" ");
  const [last, runStatus = "running"] = (space === -1 ? reply : reply.slice(0, space)).split("/");
  const lastSequence = Number(last);
  return {
    outcome: "appended",
    firstSequence: lastSequence - events.length + 1,
    lastSequence,
    // Only the script writes it.
    runStatus: runStatus as RunStatus,
    phase: space === -1 ? null : reply.slice(space + 1),
  };
}

/** The outcome of a request. */
export function parseOutcome(reply: OutcomeReply, request: AppendRequest): AppendOutcome {
  if (typeof reply === "string") return parseLanding(reply, request);
  const [outcome, status, last, phase] = reply;
  const lastSequence = Number(last);
  switch (outcome) {
    case "replayed":
      return {
        // The store made the key of a request without one, so the request can only replay itself.
        outcome: request.idempotencyKey === null ? "appended" : outcome,
        firstSequence: lastSequence - request.events.length + 1,
        lastSequence,
        runStatus: status as RunStatus,
        phase: phase ?? null,
      };
    case "finished":
      return { outcome, runStatus: status as TerminalStatus, lastSequence };
    case "sequence_conflict":
      return { outcome, lastSequence };
    case "not_found":
    case "idempotency_key_reused":
    case "fenced":
      return { outcome };
  }
}
