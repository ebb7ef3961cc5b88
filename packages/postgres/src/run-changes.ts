import { digestOfText, type OwnedRun, type RunPosition } from "@tm/run-events-core/store";

/** A run that an append has moved. */
export interface MovedRun extends RunPosition, OwnedRun {}

/**
 * One change of a run, as a notification carries it: the run's position after a commit, or only that it was made or removed. `owner` names its
 * owner. Some owners may have the same name: then their readers are notified for nothing.
 */
export interface RunChange extends Pick<RunPosition, "runId"> {
  readonly owner: string;
  readonly position: RunPosition | null;
}

/** The changes of a payload, and the process that sent them. */
export interface SentChanges {
  readonly sender: string;
  readonly changes: readonly RunChange[];
}

/**
 * The most bytes of one payload. Postgres takes 7,999 in one notification.
 * @see https://www.postgresql.org/docs/current/sql-notify.html
 */
const PAYLOAD_BYTES = 7_900;

/** The name of an owner in a notification: short, of digits and small letters. */
export function ownerMark(ownerId: string): string {
  return digestOfText(ownerId).toString(36);
}

/** The change of a run, with its position if that is known. */
export function changeOf(run: MovedRun | OwnedRun): RunChange {
  const { runId, ownerId } = run;
  return { runId, owner: ownerMark(ownerId), position: "ordinal" in run ? run : null };
}

/**
 * Changes as payloads of as few notifications as possible. Run ids must have no spaces and no non-ASCII characters.
 * @param sender of letters and digits
 */
export function encodeChanges(sender: string, changes: Iterable<RunChange>): readonly string[] {
  const payloads: string[] = [];
  let payload = sender;
  for (const change of changes) {
    const text = encodeChange(change);
    if (payload !== sender && payload.length + 1 + text.length > PAYLOAD_BYTES) {
      payloads.push(payload);
      payload = sender;
    }
    payload += ` ${text}`;
  }
  return payload === sender ? payloads : [...payloads, payload];
}

/** Parses a payload. Other content is ignored, since any client of the database may notify on a channel. */
export function parseChanges(payload: string): SentChanges {
  const [sender = "", ...texts] = payload.split(" ");
  const changes = texts.flatMap((text) => {
    const [, runId, owner, ordinal, lastSequence] = CHANGE.exec(text) ?? [];
    if (runId === undefined || owner === undefined) return [];
    const [first, last] = [Number(ordinal), Number(lastSequence)];
    // The numbers are not the store's, but the run may have changed. A notification without a change is harmless.
    const isPosition = Number.isSafeInteger(first) && Number.isSafeInteger(last);
    const position = isPosition ? { runId, ordinal: first, lastSequence: last } : null;
    return [{ runId, owner, position }];
  });
  return { sender, changes };
}

const CHANGE = /^([^:]+):([0-9a-z]+)(?::(\d+):(\d+))?$/;

function encodeChange({ runId, owner, position }: RunChange): string {
  if (position === null) return `${runId}:${owner}`;
  return `${runId}:${owner}:${position.ordinal}:${position.lastSequence}`;
}
