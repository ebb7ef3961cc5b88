import { type Head, nameKey, type RunEventStore } from "@tm/run-events-core/store";
import { mapEvents, mapReads, plainAlone, plainsEach } from "./inner-store.ts";
import type { Mutant } from "./mutant.ts";

/** A store whose times all pass through `change`. */
function mapTimes(change: (ms: number) => number): (data: RunEventStore) => RunEventStore {
  const shown = ({ updatedAtMs, extra, ...head }: Head): Head => {
    const kept = JSON.parse(extra) as { readonly createdAtMs: number };
    const createdAtMs = change(kept.createdAtMs);
    return {
      ...head,
      updatedAtMs: change(updatedAtMs),
      extra: JSON.stringify({ ...kept, createdAtMs }),
    };
  };
  return (data) => ({
    ...data,
    list: async (query) => (await data.list(query)).map(shown),
    ...mapReads(data, ({ head, events }) => ({
      head: shown(head),
      events: events.map((one) => ({ ...one, createdAtMs: change(one.createdAtMs) })),
    })),
  });
}

/** Stores whose times are wrong. */
export const timeMutants: readonly Mutant[] = [
  {
    name: "stamps the clock's time, even if it went back",
    clause: "W2",
    data(data) {
      const stamps = new Map<string, number>();
      return {
        ...data,
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
  },
  {
    name: "lets createdAtMs decrease",
    clause: "W2",
    data: (data) => ({
      ...data,
      ...mapEvents(data, (event) => ({
        ...event,
        createdAtMs: event.createdAtMs - event.sequence,
      })),
    }),
  },
  {
    name: "keeps times in seconds",
    clause: "W2",
    data: mapTimes((ms) => Math.floor(ms / 1_000)),
  },
  {
    name: "keeps times without their zone",
    clause: "W2",
    data: mapTimes((ms) => ms + 7_200_000),
  },
];
