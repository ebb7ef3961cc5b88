import type { RunStatus } from "@tm/run-events-core";
import type {
  AppendOutcome,
  Appender,
  AppendRequest,
  TerminalStatus,
} from "@tm/run-events-core/store";

/** What the script says of one request: of one that was appended, where it landed. */
export type OutcomeReply =
  | string
  | readonly [
      outcome: Exclude<AppendOutcome["outcome"], "appended">,
      status?: string,
      last?: string,
      phase?: string | null,
    ];

/** Adds a request to the values of the append script, which says how they are laid out. */
export function encodeRequest(request: AppendRequest, values: string[]): void {
  const { ownerId, runStatus, idempotencyKey, expectedSequence, appender, events } = request;
  values.push(
    ownerId === null ? "" : `=${ownerId}`,
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

/** What became of a request. */
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
