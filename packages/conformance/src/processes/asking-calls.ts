import { setTimeout } from "node:timers/promises";
import type { RecordedClient } from "../history/recorder.ts";
import { PARKED_ID, requestOf, turnAfter, UNANSWERED_ID } from "./dialogue.ts";
import { LEASE_MS, PAUSE_MS } from "./leased-calls.ts";

/** Every this many calls a worker parks the run in which it has asked. Else it keeps its lease until that has expired. */
const PARK_EVERY = 3;
const PAGE_LIMIT = 1_000;

/**
 * The calls of a process that is a worker and a person in turn. As a worker it claims a run, asks under its fence and parks the
 * run. As a person it answers what any worker has asked. After each call it reads what is new.
 */
export function createAskingCalls(
  client: RecordedClient,
  runIds: readonly string[],
): (count: number) => Promise<void> {
  const fences = new Map<string, number>();
  const seen = new Map<string, number>();

  async function claim(runId: string): Promise<void> {
    const fence = await client.lease(runId, "claim", null, LEASE_MS);
    if (fence === null) await setTimeout(PAUSE_MS);
    else fences.set(runId, fence);
  }

  async function goOn(runId: string, sequence: number, isParkTime: boolean): Promise<void> {
    const isAnswered = runId !== UNANSWERED_ID && runId !== PARKED_ID;
    const parks = runId === PARKED_ID || (isAnswered && isParkTime);
    const turn = turnAfter(sequence);
    const fence = fences.get(runId);
    if (turn.by === "worker" && fence === undefined) await claim(runId);
    else if (turn.by === "worker") {
      const landed = await client.append([requestOf(runId, turn, fence ?? 0)]);
      if (!landed.has(runId)) fences.delete(runId);
    } else if (fence !== undefined && parks) {
      fences.delete(runId);
      await client.lease(runId, "release", fence, 0);
    } else if (isAnswered) await client.append([requestOf(runId, turn, 0)]);
  }

  return async (count) => {
    const runId = runIds[count % runIds.length] ?? "";
    const sequence = seen.get(runId);
    if (sequence !== undefined) await goOn(runId, sequence, count % PARK_EVERY === 0);
    seen.set(runId, await client.read(runId, sequence ?? 0, PAGE_LIMIT));
  };
}
