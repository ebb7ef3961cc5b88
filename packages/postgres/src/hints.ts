import type { RunPosition } from "@tm/run-events-core/store";

/** What a notification says of one run: its head after a commit, or only that something has changed. */
export type Hint = RunPosition | Pick<RunPosition, "runId">;

/** Postgres takes 7,999 bytes in one notification. @see https://www.postgresql.org/docs/current/sql-notify.html */
const PAYLOAD_BYTES = 7_900;

/** Hints as payloads of notifications, as few as can be. Run ids are taken to be free of spaces and non-ASCII characters. */
export function encodeHints(hints: Iterable<Hint>): readonly string[] {
  const payloads: string[] = [];
  let payload = "";
  for (const hint of hints) {
    const text = encodeHint(hint);
    if (payload !== "" && payload.length + 1 + text.length > PAYLOAD_BYTES) {
      payloads.push(payload);
      payload = "";
    }
    payload = payload === "" ? text : `${payload} ${text}`;
  }
  return payload === "" ? payloads : [...payloads, payload];
}

/** The hints of a payload. Anything else is ignored, since anybody may notify on a channel. */
export function parseHints(payload: string): readonly Hint[] {
  return payload.split(" ").flatMap((text) => {
    const [, runId, ordinal, lastSequence] = HINT.exec(text) ?? [];
    if (runId === undefined) return [];
    const head = [Number(ordinal), Number(lastSequence)] as const;
    // Also if the numbers are not the store's: a notification may be for nothing.
    if (!head.every(Number.isSafeInteger)) return [{ runId }];
    return [{ runId, ordinal: head[0], lastSequence: head[1] }];
  });
}

const HINT = /^([^:]+)(?::(\d+):(\d+))?$/;

function encodeHint(hint: Hint): string {
  return "ordinal" in hint ? `${hint.runId}:${hint.ordinal}:${hint.lastSequence}` : hint.runId;
}
