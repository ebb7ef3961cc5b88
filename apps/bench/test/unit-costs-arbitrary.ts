import fc from "fast-check";
import type { PerUnit } from "../src/sizing-model.ts";

/** What each unit takes, in microseconds: of some kinds of work the costs may have another range, as nothing. */
export function unitCosts({
  micros,
  rare,
  itself,
}: Readonly<Record<"micros" | "rare" | "itself", fc.Arbitrary<number>>>): fc.Arbitrary<PerUnit> {
  return fc.record({
    appending: fc.record({ append: micros, commit: micros }),
    streaming: fc.record({
      wake: micros,
      read: micros,
      delivery: micros,
      stream: micros,
      watched: micros,
      notification: rare,
      unheard: rare,
    }),
    database: fc.record({
      append: micros,
      commit: micros,
      sharedCommit: rare,
      wake: micros,
      read: micros,
      watched: micros,
      itself,
    }),
  });
}
