import type { KitStore } from "./kit-store.ts";
import { event, land } from "./append-request.ts";
import { readRun } from "./read-log.ts";

/** The run that the kit asks for the time, and its owner. No case has either. */
export const CLOCK = "kit-clock";

/** The time by the store's clock: that of an event that has just landed. Milliseconds since 1970. */
export async function storeNow(store: KitStore): Promise<number> {
  await store.createRun({ runId: CLOCK, ownerId: CLOCK, metadata: "null" });
  const clock = { ownerId: CLOCK };
  const { lastSequence } = await land(store, CLOCK, [event("TICK")], clock);
  const page = { ...clock, since: lastSequence - 1, limit: 1 };
  const { events } = await readRun(store, CLOCK, page);
  return events[0]?.createdAtMs ?? Number.NaN;
}

/** Waits until the store's clock has passed a time. @returns its time then */
export async function untilStoreTime(store: KitStore, afterMs: number): Promise<number> {
  for (;;) {
    const nowMs = await storeNow(store);
    if (nowMs > afterMs) return nowMs;
  }
}
