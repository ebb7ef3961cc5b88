import { setImmediate } from "node:timers/promises";
import { createDeferred, type Deferred } from "./deferred.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";

/** A lease's renewals, which a test answers. */
export interface SentRenewals {
  readonly clock: FakeClock;
  /** When the lease's claim was sent. */
  readonly sentAtMs: number;
  /** In their order, and when each was sent: milliseconds after the claim. */
  readonly renewals: readonly { readonly atMs: number; readonly answer: Deferred<unknown> }[];
  /** The function that renews the lease. */
  readonly renew: () => Promise<unknown>;
  /** Moves time on, and lets answers arrive. */
  readonly pass: (ms: number) => Promise<void>;
}

/** Records the renewals of a lease whose claim took so long. */
export function recordRenewals(claimMs: number): SentRenewals {
  const clock = createFakeClock();
  const sentAtMs = clock.now();
  clock.skip(claimMs);
  const renewals: SentRenewals["renewals"][number][] = [];
  return {
    clock,
    sentAtMs,
    renewals,
    async renew() {
      const answer = createDeferred<unknown>();
      renewals.push({ atMs: clock.now() - sentAtMs, answer });
      return answer.promise;
    },
    async pass(ms) {
      await setImmediate();
      clock.advance(ms);
      await setImmediate();
    },
  };
}
