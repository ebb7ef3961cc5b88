import { setTimeout } from "node:timers/promises";
import { appendRequest } from "../append-request.ts";
import type { RecordedClient } from "../history/recorder.ts";
import { under } from "../lease.ts";
import { idsOf, tokens } from "./plain-append.ts";

/** So short that those of a dead process are over before the case is. */
export const LEASE_MS = 50;
/** Every this many calls a lease is renewed, or given back. */
const RENEW_EVERY = 5;
const RELEASE_EVERY = 11;
/** Before a claim that was refused is made again. */
export const PAUSE_MS = 5;

/**
 * @param name the prefix of the names of its events; no other load has it, not even of the same process
 *
 * The calls of a worker that claims each run before it appends to it, and loses it now and then: to a pause that was longer
 * than the lease, or since it gave it back.
 */
export function createLeasedCalls(
  client: RecordedClient,
  name: string,
  runIds: readonly string[],
): (count: number) => Promise<void> {
  const fences = new Map<string, number>();

  return async (count) => {
    const runId = runIds[count % runIds.length] ?? "";
    const fence = fences.get(runId);
    if (fence === undefined) {
      const granted = await client.lease(runId, "claim", null, LEASE_MS);
      if (granted === null) await setTimeout(PAUSE_MS);
      else fences.set(runId, granted);
      return;
    }
    if (count % RELEASE_EVERY === 0) {
      fences.delete(runId);
      await client.lease(runId, "release", fence, 0);
      return;
    }
    if (count % RENEW_EVERY === 0) {
      const granted = await client.lease(runId, "renew", fence, LEASE_MS);
      if (granted === null) fences.delete(runId);
      return;
    }
    const events = tokens(idsOf(`${name}.${count}`, 2));
    const landed = await client.append([appendRequest(runId, events, under({ fence }))]);
    if (!landed.has(runId)) fences.delete(runId);
  };
}
