import {
  createMemoryStore,
  createRunEvents,
  RunEventsError,
  type RunEvents,
} from "@tm/run-events-core";
import { expect, it, onTestFinished } from "vitest";
import { CHAOS_PLACES } from "./chaos/chaos-places.ts";
import { openStoreUrl } from "./open-store-url.ts";

const RACES = 1_000;
const AT_ONCE = 8;
/** Bounds a hang. */
const LONG_MS = 120_000;

/** A worker's side and an owner's side of one store: where it can be shared, each with a connection of its own. */
type Sides = readonly [worker: RunEvents, owner: RunEvents];

async function openSides(storeUrl: string): Promise<Sides> {
  const open = async (): Promise<RunEvents> => {
    const { store, close } = await openStoreUrl(storeUrl);
    const runs = createRunEvents({ store });
    onTestFinished(async () => {
      await runs.close();
      await close();
    });
    return runs;
  };
  return [await open(), await open()];
}

const OPENERS: readonly (readonly [string, () => Promise<Sides>])[] = [
  [
    "memory",
    async () => {
      const runs = createRunEvents({ store: createMemoryStore() });
      return [runs, runs];
    },
  ],
  ...Object.entries(CHAOS_PLACES).map(
    ([name, start]) => [name, async () => openSides((await start()).storeUrl)] as const,
  ),
];

it.each(OPENERS)(
  "S5, W13: when a cancel and a completion race on %s, exactly one wins, and both callers and the log agree which",
  async (_name, open) => {
    const [worker, owner] = await open();
    const ends: string[] = [];
    const pending = Array.from({ length: RACES }, (_, index) => index).values();
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (const index of pending) ends.push(await race(worker, owner, index));
      }),
    );
    expect(ends).toHaveLength(RACES);
    // Otherwise no race has happened.
    expect(new Set(ends)).toEqual(new Set(["completed", "cancelled"]));
  },
  LONG_MS,
);

/** @returns the status that the run has ended in, as all answers show */
async function race(worker: RunEvents, owner: RunEvents, index: number): Promise<string> {
  const runId = `race-${index}`;
  await worker.create({ runId, ownerId: "ada" });
  const { fence } = await worker.as("ada").claim(runId, { leaseMs: 60_000 });
  const completion = async (): Promise<string> => {
    await turns(index % 7);
    try {
      const end = { eventType: "RUN_COMPLETED", payload: index };
      return (await worker.as("ada").append(runId, [end], { fence })).runStatus;
    } catch (error) {
      if (!(error instanceof RunEventsError)) throw error;
      expect(error.code).toBe("run_finished");
      return error.details.runStatus ?? "";
    }
  };
  const cancel = async (): Promise<string> => {
    await turns((index * 3) % 8);
    return (await owner.cancel(runId, { ownerId: "ada" })).runStatus;
  };
  const answered = await Promise.all([completion(), cancel()]);
  const seen = await Promise.all([worker, owner].map((runs) => runs.as("ada").read(runId)));
  for (const { events, runStatus, lastSequence } of seen) {
    expect([runStatus, runStatus]).toEqual(answered);
    expect(lastSequence).toBe(1);
    const end = runStatus === "completed" ? "RUN_COMPLETED" : "RUN_CANCELLED";
    expect(events.map(({ eventType }) => eventType)).toEqual([end]);
  }
  return answered[0];
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
}
