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
}

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
 * @see S21
 */
export function holdLease({ clock, leaseMs, sentAtMs, renew, onLost }: HoldOptions): HeldLease {
  let endsAtMs = sentAtMs + leaseMs;
  let renewAtMs = sentAtMs + leaseMs / 3;
  let isStopped = false;
  let stopTimer = (): void => {};

  const isOver = (): boolean => clock.now() >= endsAtMs;

  function wait(): void {
    stopTimer();
    if (isStopped) return;
    const dueMs = Math.min(renewAtMs, endsAtMs) - clock.now();
    stopTimer = clock.every(Math.max(1, dueMs), onNotification);
  }

  function onNotification(): void {
    if (isOver()) return onLost(null);
    if (clock.now() >= renewAtMs) void send();
    wait();
  }

  async function send(): Promise<void> {
    const atMs = clock.now();
    renewAtMs = atMs + leaseMs / 3;
    try {
      await renew();
      endsAtMs = Math.max(endsAtMs, atMs + leaseMs);
    } catch (error) {
      if (isStopped) return;
      // Any other failure may pass while the lease lasts: a failover causes many, even ones that look permanent.
      if (isRefusal(error)) onLost(error);
      renewAtMs = Math.min(renewAtMs, clock.now() + leaseMs / 12);
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
