import { type Head, ownerName, type RunName } from "@tm/run-events-core/store";

/** Where a run's log ends. */
export type Position = Pick<Head, keyof RunName | "ordinal" | "lastSequence">;

/** One change of a run, as this process knows it: the run's position after a commit, or only its name. */
export type RunChange = Position | RunName;

/** One change of a run, as a notification carries it. */
export interface NotifiedChange {
  readonly runId: string;
  /** As from `ownerName`: an owner id may be long, and any text. */
  readonly owner: string;
  /** `null` if the run was made or removed. */
  readonly position: Pick<Position, "ordinal" | "lastSequence"> | null;
}

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
export function parseChanges(payload: string): readonly NotifiedChange[] {
  return payload.split(" ").flatMap((text) => {
    const [, runId, owner, ...position] = CHANGE.exec(text) ?? [];
    if (runId === undefined || owner === undefined) return [];
    const [ordinal = Number.NaN, lastSequence = Number.NaN] = position.map(Number);
    // If the numbers are not the store's, the run may still have changed. A notification without a change is harmless.
    const isKnown = Number.isSafeInteger(ordinal) && Number.isSafeInteger(lastSequence);
    return [{ runId, owner, position: isKnown ? { ordinal, lastSequence } : null }];
  });
}

const CHANGE = /^([^:]+):([^:]+)(?::(\d+):(\d+))?$/;

function encodeChange(change: RunChange): string {
  const name = `${change.runId}:${ownerName(change.ownerId)}`;
  return "ordinal" in change ? `${name}:${change.ordinal}:${change.lastSequence}` : name;
}
