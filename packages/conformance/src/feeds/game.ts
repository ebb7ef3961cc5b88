import fc from "fast-check";

/** Writers and readers of one owner's runs, as plain data. They take turns, and a call goes on while others have theirs. */
export interface FeedGame {
  /** The topics of the first runs, which are there from the start. */
  readonly runs: readonly (string | null)[];
  /** Whether the first two runs are in one group of `planLive`, so that an answer may end within the group. */
  readonly isCrowded: boolean;
  /** What each writer does, one step after the other. */
  readonly writers: readonly (readonly WriterStep[])[];
  readonly readers: readonly PlannedFeed[];
  /** Whose turn it is, counted round: first the writers, then the readers. Who is still busy misses the turn. */
  readonly turns: readonly number[];
}

/** One step of a writer, on one of few runs. */
export type WriterStep =
  | { readonly do: "create"; readonly run: number; readonly topic: string | null }
  | { readonly do: "append" | "ask" | "answer" | "end" | "delete"; readonly run: number }
  | { readonly do: "purge" }
  | {
      /** An append inside a transaction, which is ended this many turns of the writer later. */
      readonly do: "hold";
      readonly run: number;
      readonly ends: boolean;
      readonly turns: number;
      readonly how: "commit" | "rollback";
    };

/** A reader, and what it does in each of its turns, counted round. */
export interface PlannedFeed {
  readonly topic: string | null;
  readonly steps: readonly FeedStep[];
}

/** `ask` with a limit. `drop` comes back with the cursor of this many answers ago. `forget` comes back with nothing. */
export type FeedStep =
  | { readonly do: "ask"; readonly limit: number }
  | { readonly do: "drop"; readonly back: number }
  | { readonly do: "forget" };

/** How many runs a game has. */
export const FEED_RUNS = 4;
const WRITERS = 8;

/** Mostly the first ones, so that writers meet. */
const run = fc.constantFrom(0, 0, 0, 1, 1, 2, 3);
const topic = fc.constantFrom(null, "tea");
/** True in few games: each such game creates hundreds of other runs. */
const isCrowded = fc.oneof(
  { weight: 15, arbitrary: fc.constant(false) },
  { weight: 1, arbitrary: fc.constant(true) },
);

function stepArbitrary(holds: boolean): fc.Arbitrary<WriterStep> {
  const hold = fc.record({
    do: fc.constant("hold" as const),
    run,
    ends: fc.boolean(),
    turns: fc.nat(6),
    how: fc.constantFrom("commit" as const, "commit" as const, "rollback" as const),
  });
  return fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant("create" as const), run, topic }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("append" as const), run }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constantFrom("ask" as const, "answer" as const), run }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("end" as const), run }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("delete" as const), run }) },
    { weight: 1, arbitrary: fc.constant({ do: "purge" as const }) },
    ...(holds ? [{ weight: 4, arbitrary: hold }] : []),
  );
}

const feedStep: fc.Arbitrary<FeedStep> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("ask" as const),
      limit: fc.constantFrom(1, 2, 3, 100),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("drop" as const), back: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.constant({ do: "forget" as const }) },
);

/**
 * Games of eight writers and up to three readers.
 * @param holds whether transactions may stay open
 */
export function feedGameArbitrary(holds: boolean): fc.Arbitrary<FeedGame> {
  // The default size would make them too short to come to anything.
  const size = "max" as const;
  const steps = fc.array(stepArbitrary(holds), { minLength: 1, maxLength: 6, size });
  const feed = fc.record({
    topic,
    steps: fc.array(feedStep, { minLength: 1, maxLength: 12, size }),
  });
  return fc.record({
    runs: fc.array(topic, { maxLength: FEED_RUNS, size }),
    isCrowded,
    writers: fc.array(steps, { minLength: 1, maxLength: WRITERS, size }),
    readers: fc.array(feed, { minLength: 1, maxLength: 3, size }),
    turns: fc.array(fc.nat(99), { maxLength: 80, size }),
  });
}
