import type { SealedDraft } from "../rules/lifecycle.ts";
import { isLonger } from "../rules/json-text.ts";
import { isDeeper, MAX_JSON_DEPTH } from "../rules/json-depth.ts";
import { SealedJson } from "../rules/sealed-json.ts";

/**
 * For each event type whose events may be merged, the function that makes one payload of the payloads of two or more neighbours, the
 * earliest first. The payloads are values as from `JSON.parse`, and the function may change them. It has to be associative, as `(texts) =>
 * texts.join("")` is, since only the order of the events is promised, not how they are grouped.
 */
export type Merges = Readonly<
  Record<string, { merge(payloads: readonly unknown[]): unknown }["merge"] | undefined>
>;

type Merge = NonNullable<Merges[string]>;

/** The function that merges neighbouring events; `null` if they stay apart. */
function mergeOf(
  merges: Merges,
  earlier: SealedDraft | undefined,
  later: SealedDraft,
): Merge | null {
  const { eventType } = later;
  const isOne = earlier?.eventType === eventType && Object.hasOwn(merges, eventType);
  return (isOne && merges[eventType]) || null;
}

/** Whether the event may be merged with the one before it. */
export function joins(
  merges: Merges,
  earlier: SealedDraft | undefined,
  later: SealedDraft,
): boolean {
  return mergeOf(merges, earlier, later) !== null;
}

/**
 * Merges neighbouring events of one type, all of them in one call. Events whose merged payload would be too large are merged in parts.
 * @param maxBytes the most UTF-8 bytes of a merged payload. A larger event that came so stays as it is
 * @throws TypeError if a function returns what is not JSON
 * @throws what a function throws
 * @see clause W41 in `WIRE.md` of `@tm/run-events-http`
 */
export function mergeEvents(
  events: readonly SealedDraft[],
  merges: Merges,
  maxBytes: number,
): readonly SealedDraft[] {
  const groups: SealedDraft[][] = [];
  for (const event of events) {
    const group = groups.at(-1);
    if (group !== undefined && joins(merges, group[0], event)) group.push(event);
    else groups.push([event]);
  }
  return groups.flatMap((group) => mergeGroup(group, merges, maxBytes));
}

function mergeGroup(
  group: readonly SealedDraft[],
  merges: Merges,
  maxBytes: number,
): readonly SealedDraft[] {
  const [first, second] = group;
  const merge = second === undefined ? null : mergeOf(merges, first, second);
  if (first === undefined || merge === null) return group;
  const { eventType } = first;
  const merged = merge(group.map(({ payload }): unknown => JSON.parse(payload.text)));
  const payload = sealMerged(eventType, merged);
  const { text } = payload;
  if (!isLonger(text, maxBytes) && !isDeeper(text, MAX_JSON_DEPTH)) return [{ eventType, payload }];
  // Split into as many parts as the size needs, so that each event is merged a few times at most, however small the bound is.
  const size = Math.ceil(group.length / Math.max(2, text.length / maxBytes));
  const parts: SealedDraft[] = [];
  for (let at = 0; at < group.length; at += size)
    parts.push(...mergeGroup(group.slice(at, at + size), merges, maxBytes));
  return parts;
}

function sealMerged(eventType: string, merged: unknown): SealedJson {
  try {
    if (merged !== undefined) return SealedJson.of(merged);
  } catch {
    // The message below names the function, which is where the mistake is.
  }
  throw new TypeError(`Expected merge.${eventType} to return a JSON value, got ${typeof merged}.`);
}
