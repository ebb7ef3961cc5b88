import { RunEventsError } from "@tm/run-events-core";
import type { stallsOf } from "@tm/run-events-core/wire";
import { describeError } from "./describe-error.ts";
import type { Log } from "./log.ts";

/** The interval of probes, in milliseconds. In between, the server's own calls show whether the store answers. */
const EVERY_MS = 5_000;

/** The health of the store. */
export interface StoreHealth {
  /** The reason why no append could land; `null` while one could. */
  readonly stalledBy: RunEventsError | null;
  /** The duration of the latest probe, in milliseconds. */
  readonly probeMs: number;
  readonly stalls: number;
}

/** The dependencies of the monitor. */
export interface StoreMonitorOptions {
  /** Knows whether the store takes writes. Its check is a probe. */
  readonly watch: ReturnType<typeof stallsOf>["writes"];
  readonly log: Log;
}

/**
 * Probes the store every few seconds, so that a stall is noticed even without a request. Logs once when a stall begins, and once when it
 * ends.
 * @see clause S31 in `STORE.md`
 */
export class StoreMonitor {
  readonly #watch: ReturnType<typeof stallsOf>["writes"];
  readonly #log: Log;
  #stop = (): void => {};
  #stalledBy: RunEventsError | null = new RunEventsError(
    "store_unavailable",
    "The store has not been probed yet. Ask again in a second.",
  );
  #stalledSince: number | null = null;
  #stalls = 0;

  constructor({ watch, log }: StoreMonitorOptions) {
    this.#watch = watch;
    this.#log = log;
  }

  /** Starts the probes. Resolves when the first one has succeeded or failed, or is late. */
  async start(): Promise<void> {
    const stopListening = this.#watch.onChange(() => this.#onChange());
    const timer = setInterval(() => void this.#watch.check(), EVERY_MS).unref();
    this.#stop = () => {
      stopListening();
      clearInterval(timer);
    };
    // A stall is logged by its listener.
    await this.#watch.unlessStalled(() => this.#watch.check()).catch(() => {});
    if (this.#stalledSince === null) this.#stalledBy = null;
  }

  /** Stops the probes. The result of one that is under way is ignored. Idempotent. */
  stop(): void {
    this.#stop();
  }

  health(): StoreHealth {
    return {
      stalledBy: this.#watch.stalledBy ?? this.#stalledBy,
      probeMs: this.#watch.checkMs,
      stalls: this.#stalls,
    };
  }

  #onChange(): void {
    const { stalledBy } = this.#watch;
    this.#stalledBy = null;
    if (stalledBy !== null) {
      this.#stalledSince = performance.now();
      this.#stalls += 1;
      this.#log("appends_stalled", describeError(stalledBy));
    } else if (this.#stalledSince !== null) {
      this.#log("appends_back", {
        stalledMs: Math.round(performance.now() - this.#stalledSince),
      });
      this.#stalledSince = null;
    }
  }
}
