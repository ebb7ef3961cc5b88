import { append, appendRequest, event, land, landingOf } from "../append-request.ts";
import { assertEqual } from "../assert.ts";
import { createRun } from "../read-log.ts";
import type { TrialCase } from "../trial.ts";

const KEYS = 300;
/** Longer than an index or a column may hold; a few of them are longer than a row or a value may be. */
const LONG = "x".repeat(60_000);

/** Some keys are as long as they may be, and differ in their end alone. */
function keyOf(index: number): string {
  return `key-${index}`.padStart(index % 2 === 0 ? 0 : 128, "k");
}

/** Cases of S5 in `STORE.md`: which events a key replays. */
export const receipts: readonly TrialCase[] = [
  {
    name: "S5 a key replays its events after any number of later ones",
    async run({ store }) {
      await createRun(store, "run");
      const requests = Array.from({ length: KEYS }, (_, index) =>
        appendRequest("run", [event("TOKEN", `${index}`)], { idempotencyKey: keyOf(index) }),
      );
      const landings = (await store.append(requests)).map(landingOf);
      assertEqual(
        await store.append(requests),
        landings.map((landing) => ({ outcome: "replayed", ...landing })),
        "the receipts",
      );
    },
  },
  {
    name: "S5 a key is known with all of its events, to the last byte of a long one",
    async run({ store }) {
      const long = (end: string) => [
        event("TOKEN", "1"),
        ...["", "", "", end].map((last) => event("TOKEN", `"${LONG}${last}"`)),
      ];
      const keyed = { idempotencyKey: "key" };
      await createRun(store, "run");
      const landing = await land(store, "run", long("a"), keyed);
      for (const batch of [long("b"), long("a").slice(0, 1), long("a").toReversed()]) {
        const outcome = await append(store, "run", batch, keyed);
        assertEqual(outcome, { outcome: "idempotency_key_reused" }, "the outcome of other events");
      }
      const again = await append(store, "run", long("a"), keyed);
      assertEqual(again, { outcome: "replayed", ...landing }, "the outcome of the same events");
    },
  },
];
