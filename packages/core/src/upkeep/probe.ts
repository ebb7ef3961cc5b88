import { checkBound } from "../rules/check-bound.ts";
import { RunEventsError } from "../rules/errors.ts";
import type { RunEventStore } from "../store/store.ts";
import { type Clock, holdProcess } from "../time/clock.ts";

/** The time that a probe waits for the store, by default, in milliseconds. */
const TIMEOUT_MS = 5_000;

interface ProbeOptions {
  /**
   * The time to wait for the store, in milliseconds, 1 or more.
   * @defaultValue 5,000
   */
  readonly timeoutMs?: number | undefined;
}

/** Resolves if a store could take an append. */
export type Probe = (options?: ProbeOptions) => Promise<void>;

/** As `Probe`, with the time of the store's clock, in milliseconds since 1970. */
export type ClockProbe = (options?: ProbeOptions) => Promise<number>;

/**
 * Bounds a store's `probe`. If the call does not answer in time, it is abandoned but still under way. Later callers wait for the
 * same call, so a store that hangs has one probe at a time.
 * @see clause S31 in `STORE.md`
 */
export function createProbe(store: Pick<RunEventStore, "probe">, clock: Clock): ClockProbe {
  let underWay: Promise<number> | null = null;

  async function ask(): Promise<number> {
    try {
      return await store.probe();
    } finally {
      underWay = null;
    }
  }

  return async ({ timeoutMs = TIMEOUT_MS } = {}) => {
    checkBound("timeoutMs", timeoutMs, 1);
    underWay ??= ask();
    const letGo = holdProcess();
    let stop: (() => void) | undefined;
    const late = new Promise<never>((_, reject) => {
      stop = clock.every(timeoutMs, () => reject(noAnswer(timeoutMs)));
    });
    try {
      return await Promise.race([underWay, late]);
    } finally {
      stop?.();
      letGo();
    }
  };
}

function noAnswer(timeoutMs: number): RunEventsError {
  return new RunEventsError(
    "store_unavailable",
    `Expected the store to take a probe, but it did not answer in ${timeoutMs} ms. Check that the store runs and can be reached.`,
  );
}
