import { isTerminal } from "@tm/run-events-core";
import { type Head, type OwnerQuery, type RunEventStore } from "@tm/run-events-core/store";
import { headOf, mapChanges, mapHeads } from "./inner-store.ts";
import type { DataFault, Faults } from "./mutant.ts";
import { turns } from "./turns.ts";

const MANY = 1_000_000;

/** Changes the answers of lists of an owner's runs. */
function mapOwned(
  listOwned: (
    list: RunEventStore["list"],
    query: OwnerQuery,
    data: RunEventStore,
  ) => Promise<readonly Head[]>,
): DataFault {
  return (data) => ({
    list: (query) =>
      "due" in query ? data.list(query) : listOwned((one) => data.list(one), query, data),
  });
}

/** Takes topics with the same `shapeOf` for one topic. */
function ofTopic(shapeOf: (topic: string) => string): DataFault {
  return mapOwned(async (list, query) => {
    const { topic, limit } = query;
    if (topic === null) return list(query);
    const heads = await list({ ...query, topic: null, limit: MANY });
    return heads
      .filter((head) => head.topic !== null && shapeOf(head.topic) === shapeOf(topic))
      .slice(0, limit);
  });
}

/** Takes owners with the same `shapeOf` for one owner. */
function ofOwners(shapeOf: (ownerId: string) => string): DataFault {
  return (data) => {
    const owners = new Set<string>();
    const listing = mapOwned(async (list, query) => {
      const alike = [...owners].filter((one) => shapeOf(one) === shapeOf(query.ownerId));
      const lists = await Promise.all(alike.map((ownerId) => list({ ...query, ownerId })));
      const heads = lists.flat().toSorted((a, b) => b.ordinal - a.ordinal);
      return heads.slice(0, query.limit);
    });
    return {
      ...listing(data),
      change(changes) {
        for (const { ownerId } of changes) owners.add(ownerId);
        return data.change(changes);
      },
    };
  };
}

/** Stores that list an owner's runs wrongly. */
export const listFaults: Faults = {
  "S23 filters the list by status after it cut it": mapOwned(async (list, query) => {
    const { runStatus } = query;
    const heads = await list({ ...query, runStatus: null });
    return heads.filter((head) =>
      runStatus === "live"
        ? !isTerminal(head.runStatus)
        : runStatus === null || head.runStatus === runStatus,
    );
  }),
  "S12 lists a thousand runs at most": mapOwned(async (list, query) => {
    const { before, limit } = query;
    const all = await list({ ...query, before: null, limit: 1_000 });
    return all.filter(({ ordinal }) => before === null || ordinal < before).slice(0, limit);
  }),
  "S12 lists a thousand live runs at most": mapOwned((list, query) =>
    list({
      ...query,
      limit: query.runStatus === "live" ? Math.min(query.limit, 1_000) : query.limit,
    }),
  ),
  "W4 lists the runs of all owners": ofOwners(() => ""),
  "S8 cuts owners at 64 characters in its index": ofOwners((ownerId) => ownerId.slice(0, 64)),
  "S8 cuts owners at 255 characters in its index": ofOwners((ownerId) => ownerId.slice(0, 255)),
  "S8 takes runs without a topic for those of the topic null": mapOwned(async (list, query) => {
    if (query.topic !== "null") return list(query);
    const heads = await list({ ...query, topic: null, limit: MANY });
    return heads.filter(({ topic }) => String(topic) === "null").slice(0, query.limit);
  }),
  "S8 takes owners that differ in case alone for the same": ofOwners((ownerId) =>
    ownerId.toLowerCase(),
  ),
  "S23 takes topics for the same that look the same in another normal form": ofTopic((topic) =>
    topic.normalize("NFC"),
  ),
  "S23 compares only the first 199 characters of a topic": ofTopic((topic) => topic.slice(0, 199)),
  "S23 leaves the waiting runs out of the live ones": mapOwned(async (list, query) => {
    const heads = await list(query);
    return query.runStatus === "live"
      ? heads.filter(({ runStatus }) => runStatus !== "waiting")
      : heads;
  }),
  "S23 lists live runs one status after the other, not newest first": mapOwned(
    async (list, query) => {
      if (query.runStatus !== "live") return list(query);
      const queued = await list({ ...query, runStatus: "queued" });
      const running = await list({ ...query, runStatus: "running" });
      return [...queued, ...running].slice(0, query.limit);
    },
  ),
  "S2 lists runs and looks up the status of each some time later": mapOwned(
    async (list, query, data) => {
      const heads = await list(query);
      await turns(4);
      return Promise.all(
        heads.map(async (head) => {
          const { runStatus } = (await headOf(data, head)) ?? head;
          return { ...head, runStatus };
        }),
      );
    },
  ),
  "W14 gives runs that are created at once the same ordinal"(data) {
    const shown = new Map<number, number>();
    let last = 0;
    let isBusy = false;
    return {
      ...mapHeads(data, (head) => ({ ...head, ordinal: shown.get(head.ordinal) ?? head.ordinal })),
      async change(changes) {
        const wasBusy = isBusy;
        isBusy = true;
        await turns(1);
        const answers = await mapChanges(data, {
          commit(decision, { head, ordinal }) {
            if (head === null) {
              last = wasBusy ? last : ordinal;
              shown.set(ordinal, last);
            }
            return decision;
          },
        }).change(changes);
        isBusy = false;
        return answers;
      },
    };
  },
};
