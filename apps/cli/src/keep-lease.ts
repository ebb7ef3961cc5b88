import { holdLease, systemClock } from "@tm/run-events-core/wire";
import { MOST_DELAY_MS, retrying } from "./retrying.ts";

/** The shortest that is waited at most between two renewals of a lease that has run out, in milliseconds. */
const LEAST_DELAY_MS = 250;

/** A lease to keep. */
export interface KeepOptions {
  readonly leaseMs: number;
  /** When the claim was sent, by the system's clock. */
  readonly sentAtMs: number;
  readonly renew: () => Promise<unknown>;
  /** Told once why the run is not, or no longer, this process's to write. */
  readonly onLost: (refusal: unknown) => void;
  /** Ends it. The lease is not given back. */
  readonly signal: AbortSignal;
}

/**
 * Keeps a lease as `holdLease` does, and beyond: one that has run out, as while the server is away, is still this process's
 * until somebody else has the run or it ends. So it is renewed soon after the server is back: within a twelfth of the lease, 250 ms to 5 s.
 * @see W31, W33
 */
export function keepLease({ leaseMs, sentAtMs, renew, onLost, signal }: KeepOptions): void {
  function hold(fromMs: number): void {
    const lease = holdLease({
      clock: systemClock,
      leaseMs,
      sentAtMs: fromMs,
      renew,
      onLost(refusal) {
        stop();
        if (refusal === null) void renewAnew();
        else onLost(refusal);
      },
    });
    function stop(): void {
      lease.stop();
      signal.removeEventListener("abort", stop);
    }
    signal.addEventListener("abort", stop);
  }

  async function renewAnew(): Promise<void> {
    let fromMs = 0;
    try {
      await retrying(
        () => {
          fromMs = systemClock.now();
          return renew();
        },
        // As often as `holdLease` tries: behind an outage the server waits for so long only before it ends the run.
        { signal, mostDelayMs: mostDelayMsOf(leaseMs) },
      );
    } catch (error) {
      if (!signal.aborted) onLost(error);
      return;
    }
    if (!signal.aborted) hold(fromMs);
  }

  hold(sentAtMs);
}

/** The longest delay between two renewals of a lease that has run out, in milliseconds. */
export function mostDelayMsOf(leaseMs: number): number {
  return Math.min(MOST_DELAY_MS, Math.max(LEAST_DELAY_MS, leaseMs / 12));
}
