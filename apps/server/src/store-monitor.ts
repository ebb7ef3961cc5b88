import { RunEventsError } from "@tm/run-events-core";
import type { Probe } from "@tm/run-events-core/wire";
import { describeError } from "./describe-error.ts";
import type { Log } from "./log.ts";

/** How long after a good probe the next one begins, in milliseconds. */
const EVERY_MS = 5_000;
/** How long a probe may take before the store counts as stalled, in milliseconds. So a stall is known within 10 s. */
const TIMEOUT_MS = 5_000;
/** How long after a failed probe the next one begins, in milliseconds, so that the end of a stall is soon known. */
const SOON_MS = 1_000;

/** What the store's probes have shown so far. */
export interface StoreHealth {
  /** Why no append could land; `null` while one could. */
  readonly stalledBy: RunEventsError | null;
  /** How long the latest probe took, in milliseconds; 5,000 if that was too long. */
  readonly probeMs: number;
  readonly stalls: number;
}

/** What the monitor depends on. */
export interface StoreMonitorOptions {
  /** Writes to the store as an append does. Has at most one call to the store under way. */
  readonly probe: Probe;
  readonly log: Log;
}

/**
 * Probes the store again and again, one probe after the other, and so knows whether an append could land. A stall begins with a
 * failed or late probe, and ends with a good one. Both are logged once.
 * @see clause S31 in `STORE.md`
 */
export class StoreMonitor {
  readonly #probe: Probe;
  readonly #log: Log;
  readonly #first = Promise.withResolvers<void>();
  #timer: NodeJS.Timeout | null = null;
  #isStopped = false;
  #stalledSince: number | null = null;
  #stalledBy: RunEventsError | null = new RunEventsError(
    "store_unavailable",
    "The store has not been probed yet.",
  );
  #probeMs = 0;
  #stalls = 0;

  constructor({ probe, log }: StoreMonitorOptions) {
    this.#probe = probe;
    this.#log = log;
  }

  /** Starts the probes. Resolves when the first one has succeeded or failed, or is late. */
  start(): Promise<void> {
    void this.#probeStore();
    return this.#first.promise;
  }

  /** Stops the probes. The result of one that is under way is ignored. Idempotent. */
  stop(): void {
    this.#isStopped = true;
    this.#first.resolve();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  health(): StoreHealth {
    return { stalledBy: this.#stalledBy, probeMs: this.#probeMs, stalls: this.#stalls };
  }

  async #probeStore(): Promise<void> {
    const startedAt = performance.now();
    try {
      await this.#probe({ timeoutMs: TIMEOUT_MS });
      if (!this.#isStopped) this.#onGood();
    } catch (error) {
      if (!this.#isStopped) this.#onStall(startedAt, error);
    }
    if (this.#isStopped) return;
    this.#probeMs = performance.now() - startedAt;
    const pauseMs = this.#stalledBy === null ? EVERY_MS : SOON_MS;
    this.#timer = setTimeout(() => void this.#probeStore(), pauseMs).unref();
  }

  #onGood(): void {
    this.#stalledBy = null;
    if (this.#stalledSince !== null) {
      const stalledMs = Math.round(performance.now() - this.#stalledSince);
      this.#stalledSince = null;
      this.#log("appends_back", { stalledMs });
    }
    this.#first.resolve();
  }

  #onStall(since: number, error: unknown): void {
    this.#stalledBy =
      error instanceof RunEventsError
        ? error
        : new RunEventsError("store_unavailable", "The store failed.", { cause: error });
    if (this.#stalledSince === null) {
      this.#stalledSince = since;
      this.#stalls += 1;
      this.#log("appends_stalled", describeError(this.#stalledBy));
    }
    this.#first.resolve();
  }
}
