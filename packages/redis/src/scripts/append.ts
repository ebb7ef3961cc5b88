import type { RunStatus } from "@tm/run-events-core";
import type {
  AppendOutcome,
  Appender,
  AppendRequest,
  TerminalStatus,
} from "@tm/run-events-core/store";
import type { Connection } from "../connection.ts";
import type { ListEntry } from "../list-entries.ts";
import { APPEND_LUA } from "./append-lua.ts";
import { defineWriting, encodeOwner, type Script } from "./script.ts";

/**
 * Appends requests to runs, those for one run in their order, and says what became of each. All requests for a run are
 * judged before anything is written to it: what a script has written stays when it fails, so nothing may fail behind the
 * first write. If Redis refuses all writes, it refuses the script before it begins. A full Redis then runs it as `isFull`, to
 * answer what needs no memory. A failure of one run affects only that run.
 *
 * An append that moves the run to another status needs an entry under that status in its owner's list, made before; without
 * it nothing is written to the run and the answer is `unlisted`.
 *
 * KEYS: of each run head, events, receipts.
 * ARGV: the command that notifies; then of each run the number of its requests, with a list entry `number ordinal status`; of
 * each request `=ownerId` or empty, its key, its shape, its events. The shape begins with who appends: nothing for anybody, a
 * worker's fence, `owner`, or `reaper:graceMs`. For a plain request, which is one event by anybody or a worker that leaves the
 * run running, starts no phase and expects no sequence, that is all, and the event's type and payload follow; else there is
 * ` status expected number` behind it, with nothing between the spaces if it expects no sequence, and of each of that number
 * of events type, payload, phase or empty follow.
 * Answers for each run `last sequence` or `last sequence, space, phase` if its one request was appended by the short way, else
 * `{'failed', error}`, `{'lost'}`, `{'unlisted', ownerId, ordinal, status, updatedAtMs}` or `{'judged', status that was left or
 * nil, outcomes, mark of the lease that is over or nil}`; an outcome is the same text for an append, else its name and, as far
 * as it has them, the status, the last sequence and the phase.
 * @see S1-S5, S22; `judgeAppend` and `advanceRun` are the rule.
 */
const APPEND: Script = defineWriting(APPEND_LUA, "answers when full");

/** What the script appends to one run. */
export interface RunAppend {
  readonly runId: string;
  readonly count: number;
  /** The requests, as `encodeRequest` adds them. */
  readonly values: readonly string[];
  /** The entry that was made in the owner's list for it. */
  readonly entry: ListEntry | null;
}

/** What the script says of one request: of one that was appended, where it landed. */
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
    ]
  | readonly [
      "judged",
      left: RunStatus | null,
      outcomes: readonly OutcomeReply[],
      leaseOver: string | null,
    ];

/** Appends to runs. Answers one reply for each run, in their order. */
export async function sendAppend(
  connection: Connection,
  appends: readonly RunAppend[],
): Promise<readonly RunReply[]> {
  const keys: string[] = [];
  const values: string[] = [connection.notify];
  for (const { runId, count, values: ofRun, entry } of appends) {
    const { head, events, receipts } = connection.keys.ofRun(runId);
    keys.push(head, events, receipts);
    values.push(entry === null ? String(count) : `${count} ${entry.ordinal} ${entry.runStatus}`);
    for (const value of ofRun) values.push(value);
  }
  return (await connection.change(APPEND, keys, values)) as readonly RunReply[];
}

/** Adds a request to the values. */
export function encodeRequest(request: AppendRequest, values: string[]): void {
  const { ownerId, runStatus, idempotencyKey, expectedSequence, appender, events } = request;
  values.push(
    encodeOwner(ownerId),
    // The client sends again what it has no answer to, and tells nobody: without a key it might land twice.
    idempotencyKey === null ? `~${crypto.randomUUID()}` : `=${idempotencyKey}`,
  );
  const [first] = events;
  const who = encodeAppender(appender);
  const isPlain =
    first !== undefined &&
    events.length === 1 &&
    first.phase === null &&
    runStatus === "running" &&
    expectedSequence === null &&
    (appender.by === "anybody" || appender.by === "worker");
  if (isPlain) {
    values.push(who, first.eventType, first.payload);
    return;
  }
  values.push(`${who} ${runStatus} ${expectedSequence ?? ""} ${events.length}`);
  for (const { eventType, payload, phase } of events) values.push(eventType, payload, phase ?? "");
}

function encodeAppender(appender: Appender): string {
  switch (appender.by) {
    case "anybody":
      return "";
    case "worker":
      return String(appender.fence);
    case "owner":
      return "owner";
    case "reaper":
      return `reaper:${appender.graceMs}`;
  }
}

/** Where a request landed: `last sequence`, or `last sequence phase`. */
export function parseLanding(reply: string, { events, runStatus }: AppendRequest): AppendOutcome {
  const space = reply.indexOf(" ");
  const lastSequence = Number(space === -1 ? reply : reply.slice(0, space));
  return {
    outcome: "appended",
    firstSequence: lastSequence - events.length + 1,
    lastSequence,
    runStatus,
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
        // Nobody else knows the key of a request without one: what it replays is itself.
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
