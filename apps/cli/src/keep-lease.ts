import { holdLease, systemClock } from "@tm/run-events-core";
import { retrying } from "./retrying.ts";

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
 * until somebody else has the run or it ends. So it is renewed as soon as the server is back.
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
        { signal },
      );
    } catch (error) {
      if (!signal.aborted) onLost(error);
      return;
    }
    if (!signal.aborted) hold(fromMs);
  }

  hold(sentAtMs);
}
