import type { ChangedScope } from "./changed.ts";
import { CURSOR_MS } from "./changed.ts";
import { describeValue } from "./describe-value.ts";
import { RunEventsError } from "./errors.ts";
import { DIGEST_END, digestOfText, type GroupDigests, LIVE_GROUPS } from "./live-groups.ts";
import { mergeWitnesses, MOST_WITNESSES, type Witnesses } from "./witnesses.ts";

/** What a reader of an owner's changed runs has, and where it goes on. */
export interface ChangeCursor {
  /** Names the owner and the topic, as from {@link scopeOf}. */
  readonly scope: number;
  /** The store's clock when the cursor was made. */
  readonly atMs: number;
  /** The group of live runs to go on with. */
  readonly first: number;
  /** The ordinal of the last run of that group that it has already; 0 for none. */
  readonly part: number;
  /** The digests of the live runs that it has, by group. */
  readonly digests: GroupDigests;
  /** The runs by which the store sees that it has lost runs that the reader had. */
  readonly witnesses: Witnesses;
  /** After which departure it goes on; the store's own text. */
  readonly mark: string;
}

const TEXT =
  /^1\.([0-9a-z]+)\.([0-9a-z]+)\.([0-9a-z]+)\.([0-9a-z]+)\.([0-9a-z]*)\.((?:[0-9a-z]{8})*)\.((?:[0-9a-z]{8})*)\.([A-Za-z0-9:,_~-]*)$/;
/** A group in 2 characters, then its digest in 8. */
const DIGEST_CHARACTERS = 10;
const WITNESS_CHARACTERS = 8;
const WITNESSES = /.{8}/g;
/** The most characters of a cursor. */
const MOST_CHARACTERS = 8_000;

/** A number for an owner and a topic: a cursor of another owner or topic mostly has another one. */
export function scopeOf({ ownerId, topic }: ChangedScope): number {
  return digestOfText(JSON.stringify([ownerId, topic]));
}

/** Writes a cursor as text that is safe in a URL. */
export function encodeChangeCursor({
  scope,
  atMs,
  first,
  part,
  digests,
  witnesses,
  mark,
}: ChangeCursor): string {
  const groups = [...digests].toSorted(([a], [b]) => a - b);
  const known = groups.map(([group, digest]) => base36(group, 2) + base36(digest, 8)).join("");
  const numbers = [scope, atMs, first, part].map((value) => base36(value));
  const [found, missing] = [witnesses.found, witnesses.missing].map((some) =>
    some.map((one) => base36(one, WITNESS_CHARACTERS)).join(""),
  );
  return `1.${numbers.join(".")}.${known}.${found}.${missing}.${mark}`;
}

/** Reads what {@link encodeChangeCursor} wrote; `null` for any other text. */
export function parseChangeCursor(text: string): ChangeCursor | null {
  if (text.length > MOST_CHARACTERS) return null;
  const found = TEXT.exec(text);
  if (found === null) return null;
  const [scope, atMs, first, part] = found.slice(1, 5).map(from36) as [
    number,
    number,
    number,
    number,
  ];
  const [known, seen, lost, mark] = found.slice(5) as [string, string, string, string];
  const digests = parseDigests(known);
  const witnesses = { found: parseWitnesses(seen), missing: parseWitnesses(lost) };
  const all = [...witnesses.found, ...witnesses.missing];
  const isRight =
    first < LIVE_GROUPS &&
    [scope, ...all].every((digest) => digest < DIGEST_END) &&
    all.length <= MOST_WITNESSES &&
    [atMs, part].every(Number.isSafeInteger);
  return digests !== null && isRight
    ? { scope, atMs, first, part, digests, witnesses, mark }
    : null;
}

/**
 * The cursor of a reader that has got more since.
 * @param groups the groups of which the reader has other states than the cursor says: their live runs come again
 * @param runIds the newest runs that the reader did not have, newest first: each is live, or has departed since
 */
export function withLater(
  text: string,
  groups: ReadonlySet<number>,
  runIds: readonly string[],
): string {
  const cursor = groups.size + runIds.length === 0 ? null : parseChangeCursor(text);
  if (cursor === null) return text;
  const digests = new Map([...cursor.digests].filter(([group]) => !groups.has(group)));
  const newest = { found: runIds.map(digestOfText), missing: [] };
  const witnesses =
    runIds.length === 0 ? cursor.witnesses : mergeWitnesses(newest, cursor.witnesses);
  return encodeChangeCursor({ ...cursor, digests, witnesses });
}

/**
 * The cursor of a reader that goes on from an earlier answer, although it has a later one. The states that are only in the later one
 * are left out, so they come again: the store may lose them. Without such states it is the earlier cursor.
 * @param own the cursor of the later answer
 * @param earlier the cursor of an answer of which the reader has everything
 */
export function fromEarlier(own: string, earlier: string): string {
  const [has, goesOn] = [parseChangeCursor(own), parseChangeCursor(earlier)];
  if (has === null || goesOn === null) return own;
  const same = [...goesOn.digests].filter(([group, digest]) => has.digests.get(group) === digest);
  const witnesses = mergeWitnesses(has.witnesses, goesOn.witnesses);
  return encodeChangeCursor({ ...goesOn, digests: new Map(same), witnesses });
}

function parseWitnesses(text: string): readonly number[] {
  return (text.match(WITNESSES) ?? []).map(from36);
}

function parseDigests(known: string): GroupDigests | null {
  const digests = new Map<number, number>();
  if (known.length % DIGEST_CHARACTERS !== 0) return null;
  let last = -1;
  for (let at = 0; at < known.length; at += DIGEST_CHARACTERS) {
    const group = from36(known.slice(at, at + 2));
    const digest = from36(known.slice(at + 2, at + DIGEST_CHARACTERS));
    if (group <= last || group >= LIVE_GROUPS || digest >= DIGEST_END) return null;
    digests.set(group, digest);
    last = group;
  }
  return digests;
}

function base36(value: number, length = 1): string {
  return value.toString(36).padStart(length, "0");
}

function from36(text: string): number {
  return Number.parseInt(text, 36);
}

/** The cursor if it is for this owner and topic; `null` to start over. */
export function cursorFor(since: string | null, scope: ChangedScope): ChangeCursor | null {
  const cursor = since === null ? null : parseChangeCursor(since);
  return cursor?.scope === scopeOf(scope) ? cursor : null;
}

/** Whether a cursor is too old. After the clock was set by more than an hour, it counts as too old as well. */
export function isOver({ atMs }: ChangeCursor, nowMs: number): boolean {
  return Math.abs(nowMs - atMs) > CURSOR_MS;
}

/**
 * Passes on a cursor that a caller gave.
 * @throws RunEventsError `invalid_cursor` unless it was made by {@link encodeChangeCursor}
 */
export function checkChangeCursor(since: string | null): string | null {
  if (since === null) return null;
  if (typeof since === "string" && parseChangeCursor(since) !== null) return since;
  throw new RunEventsError(
    "invalid_cursor",
    `Expected the cursor of an earlier answer, got ${describeValue(since)}. Begin without one, with the live runs.`,
  );
}
