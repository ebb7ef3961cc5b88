import type { SealedDraft } from "@tm/run-events-core/wire";

/** About the most UTF-16 units of one append: a store takes a large value in several. */
const MOST_UNITS = 4_194_304;

/** The appends of these events, in order: each holds no more than one append takes. */
export function batchesOf(
  events: readonly SealedDraft[],
  { maxBatchEvents }: { readonly maxBatchEvents: number },
): readonly (readonly SealedDraft[])[] {
  const batches: SealedDraft[][] = [];
  let batch: SealedDraft[] = [];
  let left = 0;
  for (const event of events) {
    const units = event.payload.text.length;
    if (batch.length >= maxBatchEvents || left < units || batches.length === 0) {
      batches.push((batch = []));
      left = MOST_UNITS;
    }
    batch.push(event);
    left -= units;
  }
  return batches;
}
