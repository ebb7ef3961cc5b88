import type { RunPosition } from "@tm/run-events-core/store";

/** What a notification says of one run: its head after a commit, or only that something has changed. */
export type RunChange = RunPosition | Pick<RunPosition, "runId">;

/** Postgres takes 7,999 bytes in one notification. @see https://www.postgresql.org/docs/current/sql-notify.html */
const PAYLOAD_BYTES = 7_900;

/** Hints as payloads of notifications, as few as can be. Run ids are taken to be free of spaces and non-ASCII characters. */
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

/** The changes of a payload. Anything else is ignored, since anybody may notify on a channel. */
export function parseChanges(payload: string): readonly RunChange[] {
  return payload.split(" ").flatMap((text) => {
    const [, runId, ordinal, lastSequence] = CHANGE.exec(text) ?? [];
    if (runId === undefined) return [];
    const head = [Number(ordinal), Number(lastSequence)] as const;
    // Also if the numbers are not the store's: a notification may be for nothing.
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
