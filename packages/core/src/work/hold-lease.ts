import { isRefusal } from "../rules/errors.ts";
import type { Clock } from "../time/clock.ts";

/** The bounds of the pause between two renewals of an expired lease, in milliseconds. */
const LEAST_MS = 250;
const MOST_MS = 5_000;

/** Options for holding a lease. */
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

/** A run's lease as it was claimed. */
export interface ClaimedLease extends Pick<HoldOptions, "leaseMs" | "sentAtMs"> {
  readonly fence: number;
  /** The last sequence at the claim. */
  readonly lastSequence: number;
  /** The `createdAt` of the event `lastSequence`, if there is one. */
  readonly at: string | undefined;
}

/** A lease that is renewed. */
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
 * An expired lease that it `outlasts` is renewed at once, and then each twelfth, 250 ms to 5 s, one at a time, until it lasts again.
 * @see clause W31 in `WIRE.md` of `@tm/run-events-http`
 */
export function holdLease(options: HoldOptions): HeldLease {
  const { clock, leaseMs, sentAtMs, outlasts = false, renew, onLost } = options;
  const lateMs = Math.min(MOST_MS, Math.max(LEAST_MS, leaseMs / 12));
  let endsAtMs = sentAtMs + leaseMs;
  let renewAtMs = sentAtMs + leaseMs / 3;
  let isStopped = false;
  /** Whether a renewal of an expired lease is under way. */
  let isLate = false;
  let stopTimer = (): void => {};

  const isOver = (): boolean => clock.now() >= endsAtMs;

  function wait(): void {
    stopTimer();
    if (isStopped) return;
    const now = clock.now();
    const dueAtMs = now < endsAtMs ? Math.min(renewAtMs, endsAtMs) : renewAtMs;
    stopTimer = clock.every(Math.max(1, dueAtMs - now), onDue);
  }

  function onDue(): void {
    if (isOver() && !outlasts) return onLost(null);
    if (isOver()) void sendLate();
    else if (clock.now() >= renewAtMs) void send(leaseMs / 3);
    wait();
  }

  async function sendLate(): Promise<void> {
    renewAtMs = clock.now() + lateMs;
    if (isLate) return;
    isLate = true;
    await send(lateMs);
    isLate = false;
  }

  /** @param againMs when the next renewal is due, even if this one hangs */
  async function send(againMs: number): Promise<void> {
    const atMs = clock.now();
    renewAtMs = atMs + againMs;
    try {
      await renew();
      endsAtMs = Math.max(endsAtMs, atMs + leaseMs);
      renewAtMs = Math.max(renewAtMs, atMs + leaseMs / 3);
    } catch (error) {
      if (isStopped) return;
      // Any other failure may pass while the lease lasts: a failover causes many, even ones that seem permanent.
      if (isRefusal(error)) onLost(error);
      renewAtMs = Math.min(renewAtMs, clock.now() + (isOver() ? lateMs : leaseMs / 12));
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
