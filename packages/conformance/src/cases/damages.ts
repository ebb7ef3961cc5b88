import { RunEventsError } from "@tm/run-events-core";
import { append, events, land } from "../append-request.ts";
import { assert, assertEqual } from "../assert.ts";
import { createRun, readLog } from "../read-log.ts";
import type { TrialCase } from "../trial.ts";

const KEYED = { idempotencyKey: "key" } as const;

/** Cases of S5 in `STORE.md`: a store that has lost receipts refuses calls rather than let a key land again. */
export const damages: readonly TrialCase[] = [
  {
    name: "S5 a run whose receipts are lost refuses a key that it cannot replay, and lands nothing twice",
    needs: "loseReceipts",
    async run({ store, beneath }) {
      for (const runId of ["run", "whole"]) {
        await createRun(store, runId);
        await land(store, runId, events(1));
        await land(store, runId, events(2), KEYED);
      }
      await beneath.loseReceipts("run");
      const outcome = await append(store, "run", events(2), KEYED).catch((error: unknown) => error);
      if (outcome instanceof Error) {
        const isRefusal = outcome instanceof RunEventsError && outcome.code === "store_unavailable";
        assert(isRefusal, `an append is refused with store_unavailable, got ${String(outcome)}`);
        assertEqual(outcome.ambiguous, false, "`ambiguous` of the refused append");
      } else {
        const { outcome: word } = outcome as { readonly outcome: string };
        assertEqual(word, "replayed", "the outcome of an append under a key that has landed");
      }
      const { events: log } = await readLog(store, "run");
      assertEqual(log.length, 3, "the number of events");
      const other = await append(store, "whole", events(2), KEYED);
      assertEqual(other.outcome, "replayed", "the outcome on a run that has lost nothing");
    },
  },
];
