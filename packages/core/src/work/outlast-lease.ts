import { isRefusal } from "../rules/errors.ts";
import { type HeldLease, holdLease, type HoldOptions } from "./hold-lease.ts";

/** The bounds of the pause between two renewals of an expired lease, in milliseconds. */
const LEAST_MS = 250;
const MOST_MS = 5_000;

/**
 * Holds a lease as `holdLease` does, and even after its end. A lease may expire while the server is away. It is still the worker's
 * until another worker claims the run, or the run ends. So it is renewed soon after the server is back.
 *
 * | the lease   | is renewed                                 | until                               |
 * | ----------- | ------------------------------------------ | ----------------------------------- |
 * | lasts       | as by `holdLease`                          | it expires, or is refused           |
 * | has expired | each twelfth, 250 ms to 5 s, one at a time | it is renewed and lasts, or refused |
 * | is refused  | no more: `onLost`, once                    |                                     |
 * @param options `onLost` is called once, and only with a refusal
 * @see clauses W31 and W33 in `WIRE.md` of `@tm/run-events-http`
 */
export function outlastLease(options: HoldOptions): Pick<HeldLease, "stop"> {
  const { clock, leaseMs, renew, onLost } = options;
  let isStopped = false;
  let isUnderWay = false;
  let stopHolding = (): void => {};

  function stop(): void {
    isStopped = true;
    stopHolding();
  }

  function lose(refusal: unknown): void {
    if (isStopped) return;
    stop();
    onLost(refusal);
  }

  function hold(sentAtMs: number): void {
    const lease = holdLease({
      ...options,
      sentAtMs,
      onLost(refusal) {
        lease.stop();
        if (refusal === null) renewLate();
        else lose(refusal);
      },
    });
    stopHolding = lease.stop;
  }

  function renewLate(): void {
    const everyMs = Math.min(MOST_MS, Math.max(LEAST_MS, leaseMs / 12));
    const stopTimer = clock.every(everyMs, () => void send(stopTimer));
    stopHolding = stopTimer;
    void send(stopTimer);
  }

  async function send(stopTimer: () => void): Promise<void> {
    if (isUnderWay) return;
    isUnderWay = true;
    const sentAtMs = clock.now();
    try {
      await renew();
      if (isStopped) return;
      stopTimer();
      hold(sentAtMs);
    } catch (error) {
      if (isRefusal(error)) lose(error);
    } finally {
      isUnderWay = false;
    }
  }

  hold(options.sentAtMs);
  return { stop };
}
