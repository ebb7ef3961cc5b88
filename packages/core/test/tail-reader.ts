import type { Followers } from "../src/follow/followers.ts";
import { tailSlices } from "../src/follow/tail.ts";
import type { StoredEvent } from "../src/rules/event.ts";
import { RUN } from "./run-writes.ts";

/** A tail that asks for its next slice when the test says so. */
export interface TailReader {
  readonly since: number;
  readonly seen: readonly StoredEvent[];
  /** Its state: asleep between two slices, waiting for one, or at an end. */
  state(): "asleep" | "waiting" | "finished" | "left" | "failed";
  /** The error that it failed with. */
  error(): unknown;
  /** Asks for the next slice, if it is asleep. */
  take(): void;
  /** Leaves as `break` does, if it is asleep. */
  leave(): void;
  abort(reason: unknown): void;
  aborted(): boolean;
}

/** Opens a tail; it is asleep at first. */
export function createTailReader(followers: Followers, since: number): TailReader {
  const controller = new AbortController();
  const slices = tailSlices(followers, RUN.runId, { ...RUN, since, signal: controller.signal });
  const seen: StoredEvent[] = [];
  let state: ReturnType<TailReader["state"]> = "asleep";
  let error: unknown;

  async function next(): Promise<void> {
    try {
      const { done, value } = await slices.next();
      state = done === true ? "finished" : "asleep";
      seen.push(...(value?.events ?? []));
    } catch (thrown) {
      state = "failed";
      error = thrown;
    }
  }

  return {
    since,
    seen,
    state: () => state,
    error: () => error,
    take() {
      if (state !== "asleep") return;
      state = "waiting";
      void next();
    },
    leave() {
      if (state !== "asleep") return;
      state = "left";
      void slices.return();
    },
    abort: (reason) => controller.abort(reason),
    aborted: () => controller.signal.aborted,
  };
}
