import type { NewEvent } from "@tm/run-events-core/store";
import fc from "fast-check";
import { event } from "../append-request.ts";

/** One writer, a few readers and what becomes of the notifications, as plain data: the order of things is the scheduler's. */
export interface Game {
  /** The batches that the writer appends, one after the other. One more event then ends the run. */
  readonly batches: readonly PlannedBatch[];
  readonly readers: readonly PlannedReader[];
  /** The fates of the notifications, one after the other, repeated. */
  readonly fates: readonly NotificationFate[];
  /**
   * Whether something is released while calls are under way, step by step, over and over: else every answer has to be there
   * first, so that the choice is among all.
   */
  readonly hasty: readonly boolean[];
  readonly close: PlannedClose | null;
}

/** This many events, each of which fills a good part of a slice or nothing of it. */
interface PlannedBatch {
  readonly count: number;
  readonly isLarge: boolean;
}

/** Subscribes, reads, and reads again when notified. */
export interface PlannedReader {
  /** Whether it looks at the head before it reads. */
  readonly peeks: boolean;
  /** The store object that it reads through, counted round. */
  readonly store: number;
  /** The number of turns that it comes late. */
  readonly late: number;
  /** The number of events before the acknowledged head at which it starts. */
  readonly lag: number;
  /** The limit of its pages. */
  readonly limit: number;
  /** After how many events it leaves; `null` stays to the end. */
  readonly stays: number | null;
}

/** `doubled`: notified twice, each in its own turn. */
export type NotificationFate = "kept" | "doubled";

/** The end of a store object under its readers. */
export interface PlannedClose {
  readonly store: number;
  readonly late: number;
}

const LARGE = "a".repeat(30_000);

/** Games of a few readers and few events: what goes wrong at the join of log and notification needs no more. */
export function gameArbitrary(closes: boolean): fc.Arbitrary<Game> {
  const reader = fc.record({
    peeks: fc.boolean(),
    store: fc.nat(1),
    late: fc.nat(5),
    lag: fc.constantFrom(1_000, 0, 1, 2),
    limit: fc.constantFrom(1_000, 1, 2),
    stays: fc.constantFrom(null, null, null, null, 1, 3),
  });
  const batch = fc.record({
    count: fc.integer({ min: 1, max: 3 }),
    isLarge: fc.constantFrom(false, false, false, true),
  });
  const close = fc.record({ store: fc.nat(1), late: fc.nat(12) });
  // A close meets calls under way, so fewer answers are awaited.
  const isHasty = { weight: closes ? 7 : 1, arbitrary: fc.constant(true) };
  const hasty = fc.oneof(isHasty, { weight: 1, arbitrary: fc.constant(false) });
  const fate = fc.constantFrom<NotificationFate[]>("kept", "kept", "doubled");
  // The default size would make them too short to come to anything.
  const size = "max" as const;
  return fc.record({
    batches: fc.array(batch, { minLength: 1, maxLength: 5, size }),
    readers: fc.array(reader, { minLength: 1, maxLength: 4, size }),
    fates: fc.array(fate, { minLength: 1, maxLength: 7, size }),
    hasty: fc.array(hasty, { minLength: 1, maxLength: 7, size }),
    close: closes ? close : fc.constant(null),
  });
}

/** The batches that a game's writer appends: the event of sequence n has n in its payload, and the last ends the run. */
export function batchesOf({ batches }: Game): readonly (readonly NewEvent[])[] {
  let sequence = 0;
  const plain = batches.map(({ count, isLarge }) =>
    Array.from({ length: count }, () => {
      sequence += 1;
      return event("TOKEN", `{"at":${sequence}${isLarge ? `,"text":"${LARGE}"` : ""}}`);
    }),
  );
  return [...plain, [event("RUN_COMPLETED", `{"at":${sequence + 1}}`)]];
}
