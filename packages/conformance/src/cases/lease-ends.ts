import { assertKept } from "../assert.ts";
import { claim, LONG_MS, renewed } from "../lease.ts";
import { createRun } from "../read-log.ts";
import { storeNow } from "../store-clock.ts";
import type { TrialCase } from "../trial.ts";

type Store = Parameters<TrialCase["run"]>[0]["store"];

/** Cases of S21 in `STORE.md`: when a lease ends. These cases do not wait, so a wrong clock shows before other cases wait by it. */
export const leaseEnds: readonly TrialCase[] = [
  {
    name: "S21 a lease ends leaseMs after its claim or renewal, by the clock that stamps events",
    async run(trial) {
      for (const [index, one] of (await trial.stores()).entries()) {
        const runId = `run-${index}`;
        await createRun(one, runId);
        let fence = 0;
        await endingInTime(one, LONG_MS, "a claim", async () => {
          const held = await claim(one, runId);
          ({ fence } = held);
          return held.leaseExpiresAtMs;
        });
        for (const leaseMs of [LONG_MS * 2, LONG_MS / 2]) {
          await endingInTime(one, leaseMs, "a renewal", async () =>
            renewed(await one.renew({ runId, fence, leaseMs }), "the renewal"),
          );
        }
      }
    },
  },
];

/** Compares the end of a lease with the store's clock before the grant and after it. */
async function endingInTime(
  store: Store,
  leaseMs: number,
  what: string,
  ask: () => Promise<number>,
): Promise<void> {
  const beforeMs = await storeNow(store);
  const endsAtMs = await ask();
  const afterMs = await storeNow(store);
  const givenAtMs = endsAtMs - leaseMs;
  const early = (beforeMs - givenAtMs) / 1_000;
  const late = (givenAtMs - afterMs) / 1_000;
  const bounds = `between the event before it and the event after it`;
  assertKept("S21", early <= 0, `${what} counts from a time ${bounds}, got ${early} s earlier`);
  assertKept("S21", late <= 0, `${what} counts from a time ${bounds}, got ${late} s later`);
}
