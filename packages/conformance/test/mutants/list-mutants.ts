import { isTerminal } from "@tm/run-events-core";
import type { DueQuery, Head, OwnerQuery, RunEventStore } from "@tm/run-events-core/store";
import { turns } from "./turns.ts";
import { headOf, mapChanges, mapReads } from "./inner-store.ts";
import type { Mutant } from "./mutant.ts";

const MANY = 1_000_000;
const TURNS = 4;

type Answer = readonly Head[] | Promise<readonly Head[]>;

/** A store that answers otherwise what an owner's runs are. */
function mapOwned(
  listOwned: (data: RunEventStore, query: OwnerQuery) => Answer,
): (data: RunEventStore) => RunEventStore {
  return (data) => ({
    ...data,
    list: async (query: OwnerQuery | DueQuery) =>
      "due" in query ? data.list(query) : listOwned(data, query),
  });
}

/** A list that takes topics for the same whose `shapeOf` is. */
function ofTopic(shapeOf: (topic: string) => string): ReturnType<typeof mapOwned> {
  return mapOwned(async (data, query) => {
    const { topic, limit } = query;
    if (topic === null) return data.list(query);
    const heads = await data.list({ ...query, topic: null, limit: MANY });
    return heads
      .filter((head) => head.topic !== null && shapeOf(head.topic) === shapeOf(topic))
      .slice(0, limit);
  });
}

/** A list of the owners whose `shapeOf` is the same. */
function ofOwners(shapeOf: (ownerId: string) => string): (data: RunEventStore) => RunEventStore {
  return (data) => {
    const owners = new Set<string>();
    return {
      ...data,
      change(changes) {
        for (const { ownerId } of changes) owners.add(ownerId);
        return data.change(changes);
      },
      async list(query) {
        if ("due" in query) return data.list(query);
        const alike = [...owners].filter((one) => shapeOf(one) === shapeOf(query.ownerId));
        const lists = alike.map((ownerId) => data.list({ ...query, ownerId }));
        const heads = (await Promise.all(lists)).flat();
        return heads.toSorted((a, b) => b.ordinal - a.ordinal).slice(0, query.limit);
      },
    };
  };
}

/** Stores that list wrongly. */
export const listMutants: readonly Mutant[] = [
  {
    name: "filters the list by status after it cut it",
    clause: "W14",
    data: mapOwned(async (data, query) => {
      const { runStatus } = query;
      const heads = await data.list({ ...query, runStatus: null });
      return heads.filter((head) =>
        runStatus === "live"
          ? !isTerminal(head.runStatus)
          : runStatus === null || head.runStatus === runStatus,
      );
    }),
  },
  {
    name: "lists a thousand runs at most",
    clause: "S12",
    data: mapOwned(async (data, query) => {
      const { before, limit } = query;
      const all = await data.list({ ...query, before: null, limit: 1_000 });
      return all.filter(({ ordinal }) => before === null || ordinal < before).slice(0, limit);
    }),
  },
  {
    name: "lists the runs of all owners",
    clause: "W4",
    data: ofOwners(() => ""),
  },
  {
    name: "cuts owners at 64 characters in its index",
    clause: "S8",
    data: ofOwners((ownerId) => ownerId.slice(0, 64)),
  },
  {
    name: "takes owners that differ in case alone for the same",
    clause: "S8",
    data: ofOwners((ownerId) => ownerId.toLowerCase()),
  },
  {
    name: "takes topics for the same that look the same in another normal form",
    clause: "S23",
    data: ofTopic((topic) => topic.normalize("NFC")),
  },
  {
    name: "compares only the first 199 characters of a topic",
    clause: "S23",
    data: ofTopic((topic) => topic.slice(0, 199)),
  },
  {
    name: "leaves the waiting runs out of the live ones",
    clause: "S23",
    data: mapOwned(async (data, query) => {
      const heads = await data.list(query);
      return query.runStatus === "live"
        ? heads.filter(({ runStatus }) => runStatus !== "waiting")
        : heads;
    }),
  },
  {
    name: "lists live runs one status after the other, not newest first",
    clause: "S23",
    data: mapOwned(async (data, query) => {
      if (query.runStatus !== "live") return data.list(query);
      const queued = await data.list({ ...query, runStatus: "queued" });
      const running = await data.list({ ...query, runStatus: "running" });
      return [...queued, ...running].slice(0, query.limit);
    }),
  },
  {
    name: "lists runs and looks up the status of each some time later",
    clause: "S2",
    data: mapOwned(async (data, query) => {
      const heads = await data.list(query);
      await turns(TURNS);
      const later = await Promise.all(heads.map((head) => headOf(data, head)));
      return heads.map((head, at) => ({
        ...head,
        runStatus: later[at]?.runStatus ?? head.runStatus,
      }));
    }),
  },
  {
    name: "gives runs that are created at once the same ordinal",
    clause: "W14",
    data(data) {
      const shown = new Map<number, number>();
      let last = 0;
      let isBusy = false;
      const show = (head: Head): Head => ({
        ...head,
        ordinal: shown.get(head.ordinal) ?? head.ordinal,
      });
      return {
        ...data,
        ...mapReads(data, ({ head, events }) => ({ head: show(head), events })),
        list: async (query) => (await data.list(query)).map(show),
        async change(changes) {
          const wasBusy = isBusy;
          isBusy = true;
          await turns(1);
          const answers = await mapChanges(data, {
            commit(decision, { head, ordinal }) {
              if (head === null) {
                shown.set(ordinal, wasBusy ? last : ordinal);
                last = wasBusy ? last : ordinal;
              }
              return decision;
            },
          }).change(changes);
          isBusy = false;
          return answers;
        },
      };
    },
  },
];
