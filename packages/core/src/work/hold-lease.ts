import { isRefusal } from "../rules/errors.ts";
import type { Clock } from "../time/clock.ts";

/** What a worker's lease needs. */
export interface HoldOptions {
  readonly clock: Clock;
  readonly leaseMs: number;
  /** When the claim was sent, by the clock: the store has taken it later, so the lease ends there no earlier than here. */
  readonly sentAtMs: number;
  readonly renew: () => Promise<unknown>;
  /** The renewal was refused for this reason, or `null`: the lease ran out. May be called again, until `stop`. */
  readonly onLost: (refusal: unknown) => void;
  /**
   * Whether a lease that has run out is renewed all the same. It is the worker's until another one claims the run, or the run
   * ends. Default `false`: to run out is to be lost.
   */
  readonly outlasts?: boolean;
}

/** The bounds of what is waited between two renewals of a lease that has run out, in milliseconds. */
const LEAST_LATE_MS = 250;
const MOST_LATE_MS = 5_000;

/** A lease that is kept. */
export interface HeldLease {
  /** Whether it has run out, by this process' account. */
  isOver(): boolean;
  /** Renews no more. Idempotent. */
  stop(): void;
}

/**
 * Renews a lease each third of it, and each twelfth while that fails. Only a refusal (`fenced`, `run_finished`, `not_found`) and the
 * end of the lease lose it: any other failure is waited out. Nothing waits for an answer: a renewal that hangs
 * does not keep the next one from being sent. After a stop of the whole process the first thing that runs finds the lease over.
 *
 * | the lease                        | renewed                                                             |
 * | -------------------------------- | ------------------------------------------------------------------- |
 * | lasts                            | each third of it                                                    |
 * | lasts, and a renewal has failed  | each twelfth                                                        |
 * | has run out, and `outlasts`      | each twelfth, 250 ms to 5 s, one at a time                          |
 * | has run out                      | no more: `onLost(null)`                                             |
 * | was refused                      | no more, once `onLost(refusal)` stops it                            |
 * @see S21, W31
 */
export function holdLease(options: HoldOptions): HeldLease {
  const { clock, leaseMs, sentAtMs, renew, onLost, outlasts = false } = options;
  let endsAtMs = sentAtMs + leaseMs;
  let renewAtMs = sentAtMs + leaseMs / 3;
  let underWay = 0;
  let isStopped = false;
  let stopTimer = (): void => {};
  const lateMs = Math.min(MOST_LATE_MS, Math.max(LEAST_LATE_MS, leaseMs / 12));

  const isOver = (): boolean => clock.now() >= endsAtMs;

  function wait(): void {
    stopTimer();
    if (isStopped) return;
    const atMs = outlasts && isOver() ? renewAtMs : Math.min(renewAtMs, endsAtMs);
    stopTimer = clock.every(Math.max(1, atMs - clock.now()), wake);
  }

  function wake(): void {
    if (isOver() && !outlasts) return onLost(null);
    if (clock.now() >= renewAtMs) {
      if (isOver() && underWay > 0) renewAtMs = clock.now() + lateMs;
      else void send();
    }
    wait();
  }

  async function send(): Promise<void> {
    const atMs = clock.now();
    const isLate = isOver();
    renewAtMs = atMs + (isLate ? lateMs : leaseMs / 3);
    underWay += 1;
    try {
      await renew();
      endsAtMs = Math.max(endsAtMs, atMs + leaseMs);
      if (isLate) renewAtMs = atMs + leaseMs / 3;
    } catch (error) {
      if (isStopped) return;
      // Any other failure may pass while the lease lasts: a failover causes many, even ones that look permanent.
      if (isRefusal(error)) onLost(error);
      renewAtMs = Math.min(renewAtMs, clock.now() + (isOver() ? lateMs : leaseMs / 12));
    } finally {
      underWay -= 1;
    }
    wait();
  }

  wait();
  return {
    isOver,
    stop() {
      isStopped = true;
      stopTimer();
    },
  };
}
