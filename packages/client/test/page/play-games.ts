import { expect } from "vitest";
import fc from "fast-check";
import { rounds } from "../../../core/test/rounds.ts";
import { type FaultProxy, fault, startFaultProxy } from "../fault-proxy.ts";
import { onFastClock, pass } from "../on-fast-clock.ts";
import { type RunsServer, startRunsServer } from "../runs-server.ts";

/** Windows of one browser that play steps. */
export interface Game<Step> {
  play(step: Step): Promise<void>;
  /** Rejects if what the windows have in the end is wrong. */
  end(): Promise<void>;
  close(): void;
}

/** A step in which time passes, of this many milliseconds. It is as frequent as six others. */
export function waitOf(...ms: readonly number[]): {
  readonly weight: number;
  readonly arbitrary: fc.Arbitrary<{ readonly type: "wait"; readonly ms: number }>;
} {
  const type = fc.constant("wait" as const);
  return { weight: 6, arbitrary: fc.record({ type, ms: fc.constantFrom(...ms) }) };
}

/** Plays games on the fast clock. Each has a server, and a way to it with faults. */
export async function playGames<Step>(
  step: fc.Arbitrary<Step>,
  open: (server: RunsServer, way: FaultProxy) => Promise<Game<Step>>,
): Promise<void> {
  const faults = fc.array(fault, { maxLength: 5 });
  const steps = fc.array(step, { minLength: 6, maxLength: 30 });
  const games = fc.asyncProperty(faults, steps, async (faults, moves) => {
    const server = await startRunsServer();
    const way = await startFaultProxy(server.port, faults);
    await onFastClock(async () => {
      const game = await open(server, way);
      try {
        for (const move of moves) await game.play(move);
        await game.end();
      } finally {
        game.close();
        await pass(2_000);
      }
    });
    way.close();
    const { held = [], pending = [] } = await navigator.locks.query();
    expect([...held, ...pending]).toEqual([]);
  });
  await fc.assert(games, { numRuns: rounds(40), endOnFailure: true });
}
