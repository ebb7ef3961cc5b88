import { RunEventsError, type RunEventStore } from "@tm/run-events-core";
import { describeError } from "./describe-error.ts";
import type { Log } from "./log.ts";

/** How long after a good probe the next one begins, in milliseconds. */
const EVERY_MS = 5_000;
/** How long a probe may take before the store counts as stalled, in milliseconds. With the above: known within 10 s. */
const LATE_MS = 5_000;
/** How long after a bad probe the next one begins, in milliseconds, so that its end is soon known. */
const SOON_MS = 1_000;

/** What the store's probes have shown so far. */
export interface StoreHealth {
  /** Why no append could land, `null` while one could. */
  readonly stalledBy: RunEventsError | null;
  /** How long the latest probe took, or the one under way has taken, whichever is longer, in milliseconds. */
  readonly probeMs: number;
  readonly stalls: number;
}

/** What the monitor depends on. */
export interface StoreMonitorOptions {
  readonly store: Pick<RunEventStore, "probe">;
  readonly log: Log;
}

/**
 * Probes the store all the time, one probe after the other: whether an append could land is known before anybody tries.
 * A stall begins with a probe that fails or is late, and ends with one that is good; both are logged once.
 * @see S31
 */
export class StoreMonitor {
  readonly #store: StoreMonitorOptions["store"];
  readonly #log: Log;
  readonly #first = Promise.withResolvers<void>();
  #timer: NodeJS.Timeout | null = null;
  #lateTimer: NodeJS.Timeout | null = null;
  #isStopped = false;
  /** Since when a probe is under way, `null` between two. */
  #probingSince: number | null = null;
  #stalledSince: number | null = null;
  #stalledBy: RunEventsError | null = new RunEventsError(
    "store_unavailable",
    "The store has not been probed yet.",
  );
  #lastMs = 0;
  #stalls = 0;

  constructor({ store, log }: StoreMonitorOptions) {
    this.#store = store;
    this.#log = log;
  }

  /** Begins. Resolves with the first probe, good or bad, or once that is late. */
  start(): Promise<void> {
    void this.#look();
    return this.#first.promise;
  }

  /** Begins no probe any more. One that is under way ends by itself, and is heard no more. Idempotent. */
  stop(): void {
    this.#isStopped = true;
    this.#first.resolve();
    for (const timer of [this.#timer, this.#lateTimer]) if (timer !== null) clearTimeout(timer);
  }

  health(): StoreHealth {
    const underWayMs = this.#probingSince === null ? 0 : performance.now() - this.#probingSince;
    return {
      stalledBy: this.#stalledBy,
      probeMs: Math.max(this.#lastMs, underWayMs),
      stalls: this.#stalls,
    };
  }

  async #look(): Promise<void> {
    const startedAt = performance.now();
    this.#probingSince = startedAt;
    this.#lateTimer = setTimeout(() => this.#onLate(startedAt), LATE_MS).unref();
    try {
      await this.#store.probe();
      if (!this.#isStopped) this.#onGood();
    } catch (error) {
      if (!this.#isStopped) this.#onStall(startedAt, error);
    }
    clearTimeout(this.#lateTimer);
    this.#probingSince = null;
    this.#lastMs = performance.now() - startedAt;
    if (this.#isStopped) return;
    const pauseMs = this.#stalledBy === null ? EVERY_MS : SOON_MS;
    this.#timer = setTimeout(() => void this.#look(), pauseMs).unref();
  }

  #onLate(startedAt: number): void {
    // After a pause of the whole process the answer may already wait in the socket: it comes first.
    setImmediate(() => {
      if (this.#isStopped || this.#probingSince !== startedAt) return;
      const late = `The store has not answered a probe for ${LATE_MS} ms.`;
      this.#onStall(startedAt, new RunEventsError("store_unavailable", late));
    });
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
