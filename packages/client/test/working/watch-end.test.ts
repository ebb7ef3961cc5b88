import type { RunStatus } from "@tm/run-events-core";
import fc from "fast-check";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Server } from "../../src/server.ts";
import { watchEnd } from "../../src/watch-end.ts";
import { failureOf } from "../failure-of.ts";

/** What the pauses between two polls come to, with two looks that find the writer quiet. */
const SPARE_MS = 600;
const RUN_PATH = "/v1/agent-runs/a";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

interface Call {
  readonly path: string;
  readonly signal: AbortSignal;
}

/** A server that holds each poll until the run has moved, and a writer that is quiet but when it appends. */
function watchRun(): {
  readonly polledAt: readonly number[];
  readonly end: Promise<unknown>;
  readonly isPolled: () => boolean;
  append(): void;
  cancel(): void;
  stop(): void;
} {
  const polledAt: number[] = [];
  let runStatus: RunStatus = "running";
  let lastSequence = 0;
  let landings = 0;
  let known = 0;
  let held: (() => void) | null = null;

  async function askJson({ path, signal }: Call): Promise<object> {
    polledAt.push(performance.now());
    const since = Number(new URL(path, "http://localhost").searchParams.get("since"));
    if (lastSequence <= since) {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = resolve;
      signal.addEventListener("abort", () => resolve());
      await promise;
      held = null;
    }
    signal.throwIfAborted();
    return { runStatus, lastSequence };
  }

  const watching = new AbortController();
  const server = { askJson } as unknown as Server;
  const isQuiet = (): boolean => {
    const before = known;
    known = landings;
    return known === before;
  };
  const end = failureOf(watchEnd(server, RUN_PATH, isQuiet, watching.signal, () => landings));
  return {
    polledAt,
    end,
    isPolled: () => held !== null,
    append() {
      landings += 1;
      lastSequence += 1;
      held?.();
    },
    cancel() {
      runStatus = "cancelled";
      lastSequence += 1;
      held?.();
    },
    stop: () => watching.abort(),
  };
}

it("W13: whenever its writer has been quiet a while, a poll is held, and two are never close", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(1_500), { maxLength: 20 }), async (gaps) => {
      const run = watchRun();
      for (const gap of gaps) {
        await vi.advanceTimersByTimeAsync(gap);
        if (gap >= SPARE_MS) expect(run.isPolled()).toBe(true);
        run.append();
      }
      await vi.advanceTimersByTimeAsync(SPARE_MS);
      run.polledAt.slice(1).forEach((at, index) => {
        expect(at - (run.polledAt[index] ?? 0)).toBeGreaterThanOrEqual(500);
      });
      run.cancel();
      expect(await run.end).toMatchObject({ code: "run_finished" });
    }),
  );
});

it("W13: one event of a quiet writer leaves a cancel unheard for a tenth of a second", async () => {
  const run = watchRun();
  await vi.advanceTimersByTimeAsync(2_000);
  run.append();
  await vi.advanceTimersByTimeAsync(0);
  expect(run.isPolled()).toBe(false);
  await vi.advanceTimersByTimeAsync(100);
  expect(run.isPolled()).toBe(true);
  run.stop();
  expect(await run.end).toMatchObject({ name: "AbortError" });
});
