import { isRefusal } from "../rules/errors.ts";
import type { Clock } from "../time/clock.ts";

export interface HoldOptions {
  readonly clock: Clock;
  readonly leaseMs: number;
  /** When the claim was sent, by the clock. The store granted it later, so the lease ends there no earlier than here. */
  readonly sentAtMs: number;
  /**
   * Whether to renew the lease even after its end. It may expire while a server is away; it is still the worker's until another worker
   * claims the run, or the run ends.
   * @defaultValue `false`
   * @see clause W33 in `WIRE.md` of `@tm/run-events-http`
   */
  readonly outlasts?: boolean;
  readonly renew: () => Promise<unknown>;
  /** Called with the reason of a refused renewal, or with `null` if the lease expired. May be called again, until `stop`. */
  readonly onLost: (refusal: unknown) => void;
}

export interface HeldLease {
  /** Whether it has expired, by this process' clock. */
  isOver(): boolean;
  /** Renews no more. Idempotent. */
  stop(): void;
}

/**
 * Renews a lease each third of it, and each twelfth while that fails. Only a refusal (`fenced`, `run_finished`, `not_found`) and the
 * end of the lease lose it. After any other failure it tries again. It waits for no answer, so the next renewal is sent even if one
 * hangs. After the whole process was stopped for long, the first check finds the lease expired.
 *
 * An expired lease that it `outlasts` is tried each twelfth, too, until it lasts again.
 * @see clause W31 in `WIRE.md` of `@tm/run-events-http`
 */
export function holdLease(options: HoldOptions): HeldLease {
  const { clock, leaseMs, sentAtMs, outlasts = false, renew, onLost } = options;
  let endsAtMs = sentAtMs + leaseMs;
  let renewAtMs = sentAtMs + leaseMs / 3;
  let isStopped = false;
  let stopTimer = (): void => {};

  const isOver = (): boolean => clock.now() >= endsAtMs;

  function wait(): void {
    stopTimer();
    if (isStopped) return;
    const dueAtMs = isOver() ? renewAtMs : Math.min(renewAtMs, endsAtMs);
    stopTimer = clock.every(Math.max(1, dueAtMs - clock.now()), onDue);
  }

  function onDue(): void {
    if (isOver() && !outlasts) return onLost(null);
    if (clock.now() >= renewAtMs) void send();
    wait();
  }

  async function send(): Promise<void> {
    const atMs = clock.now();
    // The next one, even if this one hangs.
    renewAtMs = atMs + leaseMs / 3;
    try {
      await renew();
      endsAtMs = Math.max(endsAtMs, atMs + leaseMs);
      renewAtMs = Math.max(renewAtMs, atMs + leaseMs / 3);
    } catch (error) {
      if (isStopped) return;
      // Any other failure may pass while the lease lasts: a failover causes many, even ones that seem permanent.
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
