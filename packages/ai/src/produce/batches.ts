import type { sealDraft } from "@tm/run-events-core/wire";

/** About the most UTF-16 units of the payloads of one append. The parts of a larger value take several appends. */
const MOST_UNITS = 4_194_304;

/** Cuts events into batches, in order. Each has no more events than one append takes, and about {@link MOST_UNITS} at most. */
export function batchesOf(
  events: readonly ReturnType<typeof sealDraft>[],
  { maxBatchEvents }: { readonly maxBatchEvents: number },
): readonly (readonly ReturnType<typeof sealDraft>[])[] {
  const batches: ReturnType<typeof sealDraft>[][] = [];
  let batch: ReturnType<typeof sealDraft>[] = [];
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
