import type { RunPosition } from "@tm/run-events-core/store";

/** One change of a run, as a notification carries it: the run's position after a commit, or only its id. */
export type RunChange = RunPosition | Pick<RunPosition, "runId">;

/**
 * The most bytes of one payload. Postgres takes 7,999 in one notification.
 * @see https://www.postgresql.org/docs/current/sql-notify.html
 */
const PAYLOAD_BYTES = 7_900;

/** Changes as payloads of as few notifications as possible. Run ids must have no spaces and no non-ASCII characters. */
export function encodeChanges(changes: Iterable<RunChange>): readonly string[] {
  const payloads: string[] = [];
  let payload = "";
  for (const change of changes) {
    const text = encodeChange(change);
    if (payload !== "" && payload.length + 1 + text.length > PAYLOAD_BYTES) {
      payloads.push(payload);
      payload = "";
    }
    payload = payload === "" ? text : `${payload} ${text}`;
  }
  return payload === "" ? payloads : [...payloads, payload];
}

/** The changes of a payload. Other content is ignored, since any client of the database may notify on a channel. */
export function parseChanges(payload: string): readonly RunChange[] {
  return payload.split(" ").flatMap((text) => {
    const [, runId, ordinal, lastSequence] = CHANGE.exec(text) ?? [];
    if (runId === undefined) return [];
    const head = [Number(ordinal), Number(lastSequence)] as const;
    // The numbers are not the store's, but the run may have changed. A notification without a change is harmless.
    if (!head.every(Number.isSafeInteger)) return [{ runId }];
    return [{ runId, ordinal: head[0], lastSequence: head[1] }];
  });
}

const CHANGE = /^([^:]+)(?::(\d+):(\d+))?$/;

function encodeChange(change: RunChange): string {
  return "ordinal" in change
    ? `${change.runId}:${change.ordinal}:${change.lastSequence}`
    : change.runId;
}
