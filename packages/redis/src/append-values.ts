import {
  type AppendOutcome,
  type AppendRequest,
  type RunStatus,
  type TerminalStatus,
} from "@tm/run-events-core";

/** What the script says of one request. */
export type OutcomeReply = readonly [
  outcome: AppendOutcome["outcome"],
  status?: string,
  last?: string,
  phase?: string | null,
];

/** A request as values of the append script. */
export function encodeRequest(request: AppendRequest): readonly string[] {
  const { ownerId, runStatus, idempotencyKey, expectedSequence, events } = request;
  const values = [
    ownerId === null ? "" : `=${ownerId}`,
    runStatus,
    // The client sends again what it has no answer to, and tells nobody: without a key it might land twice.
    idempotencyKey === null ? `~${crypto.randomUUID()}` : `=${idempotencyKey}`,
    expectedSequence === null ? "" : String(expectedSequence),
    String(events.length),
  ];
  for (const { eventType, payload, phase } of events) values.push(eventType, payload, phase ?? "");
  return values;
}

/** Where the only request for a run landed: `last sequence`, or `last sequence phase`. */
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
  const [outcome, status, last, phase] = reply;
  const lastSequence = Number(last);
  switch (outcome) {
    case "appended":
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
      return { outcome };
  }
}
