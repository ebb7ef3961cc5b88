import { type Head, nameKey } from "@tm/run-events-core/store";
import { mapEvents, mapHeads, plainAlone, plainsEach } from "./inner-store.ts";
import type { DataFault, Faults } from "./mutant.ts";

/** Passes all times through `change`. */
function mapTimes(change: (ms: number) => number): DataFault {
  const shown = ({ updatedAtMs, extra, ...head }: Head): Head => {
    const kept = JSON.parse(extra) as { readonly createdAtMs: number };
    const createdAtMs = change(kept.createdAtMs);
    return {
      ...head,
      updatedAtMs: change(updatedAtMs),
      extra: JSON.stringify({ ...kept, createdAtMs }),
    };
  };
  return (data) => {
    const eventTimes = mapEvents(data, (event) => ({
      ...event,
      createdAtMs: change(event.createdAtMs),
    }));
    return mapHeads({ ...data, ...eventTimes }, shown);
  };
}

/** Stores whose times are wrong. */
export const timeFaults: Faults = {
  "W2 stamps the clock's time, even if it went back"(data) {
    const stamps = new Map<string, number>();
    return {
      ...plainsEach(async (plain) => {
        const atMs = Date.now();
        const landing = await plainAlone(data, plain);
        const { firstSequence = 1, lastSequence = 0 } = landing ?? {};
        for (let at = firstSequence; at <= lastSequence; at++) {
          stamps.set(`${nameKey(plain)} ${at}`, atMs);
        }
        return landing;
      }),
      ...mapEvents(data, (event, head) => ({
        ...event,
        createdAtMs: stamps.get(`${nameKey(head)} ${event.sequence}`) ?? event.createdAtMs,
      })),
    };
  },
  "W2 lets createdAtMs decrease": (data) =>
    mapEvents(data, (event) => ({ ...event, createdAtMs: event.createdAtMs - event.sequence })),
  "W2 keeps times in seconds": mapTimes((ms) => Math.floor(ms / 1_000)),
  "W2 keeps times without their zone": mapTimes((ms) => ms + 7_200_000),
};
