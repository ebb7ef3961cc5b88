import type { SealedDraft } from "../rules/lifecycle.ts";
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
 * Merges neighbouring events of one type, all of them in one call.
 * @throws TypeError if a function returns what is not JSON
 * @throws what a function throws
 * @see clause W41 in `WIRE.md` of `@tm/run-events-http`
 */
export function mergeEvents(
  events: readonly SealedDraft[],
  merges: Merges,
): readonly SealedDraft[] {
  const groups: SealedDraft[][] = [];
  for (const event of events) {
    const group = groups.at(-1);
    if (group !== undefined && joins(merges, group[0], event)) group.push(event);
    else groups.push([event]);
  }
  return groups.flatMap((group) => {
    const [first, second] = group;
    const merge = second === undefined ? null : mergeOf(merges, first, second);
    if (second === undefined || merge === null) return group;
    const { eventType } = second;
    const merged = merge(group.map(({ payload }): unknown => JSON.parse(payload.text)));
    return [{ eventType, payload: sealMerged(eventType, merged) }];
  });
}

function sealMerged(eventType: string, merged: unknown): SealedJson {
  try {
    if (merged !== undefined) return SealedJson.of(merged);
  } catch {
    // The message below names the function, which is where the mistake is.
  }
  throw new TypeError(`Expected merge.${eventType} to return a JSON value, got ${typeof merged}.`);
}
