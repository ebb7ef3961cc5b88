import type { ReadResult } from "@tm/run-events-core/store";
import { appendAlone, appendEach, type Mutant } from "./mutant.ts";

/** Stores that ring wrongly. */
export const watchMutants: readonly Mutant[] = [
  {
    name: "never rings",
    clause: "S13",
    data: (data) => ({ ...data, watch: (runId) => data.watch(runId, () => {}) }),
  },
  {
    name: "rings once and never again",
    clause: "S13",
    data: (data) => ({
      ...data,
      watch(runId, wake) {
        const watch = data.watch(runId, () => {
          watch.stop();
          wake();
        });
        return watch;
      },
    }),
  },
  {
    name: "rings before the commit, and not after it",
    clause: "S13",
    data(data) {
      const bells = new Map<string, Set<() => void>>();
      return {
        ...data,
        ...appendEach(async (request) => {
          for (const wake of bells.get(request.runId) ?? []) wake();
          for (let turn = 0; turn < 20; turn++) await Promise.resolve();
          return appendAlone(data, request);
        }),
        watch(runId, wake) {
          const bell = (): void => wake();
          const set = bells.get(runId) ?? new Set();
          bells.set(runId, set.add(bell));
          return { ready: Promise.resolve(), stop: () => void set.delete(bell) };
        },
      };
    },
  },
  {
    name: "rings for nothing that other store objects commit",
    clause: "S13",
    object(object, data) {
      let own = 0;
      return {
        ...object,
        async append(requests) {
          own += 1;
          const outcomes = await object.append(requests);
          // Rings come in a microtask behind the append.
          await Promise.resolve();
          own -= 1;
          return outcomes;
        },
        watch: (runId, wake) => data.watch(runId, () => (own > 0 ? wake() : undefined)),
      };
    },
  },
  {
    name: "does not ring for a deleted run",
    clause: "S13",
    data(data) {
      const deleted = new Set<string>();
      return {
        ...data,
        async deleteRun(runId, ownerId) {
          deleted.add(runId);
          const outcome = await data.deleteRun(runId, ownerId);
          await Promise.resolve();
          deleted.delete(runId);
          return outcome;
        },
        watch: (runId, wake) => data.watch(runId, () => (deleted.has(runId) ? undefined : wake())),
      };
    },
  },
  {
    name: "rings from within watch",
    clause: "S13",
    data: (data) => ({
      ...data,
      watch(runId, wake) {
        wake();
        return data.watch(runId, wake);
      },
    }),
  },
  {
    name: "rings on after stop",
    clause: "S14",
    data: (data) => ({
      ...data,
      watch: (runId, wake) => ({ ready: data.watch(runId, wake).ready, stop() {} }),
    }),
  },
  {
    name: "stops all watches of a run with one",
    clause: "S14",
    data(data) {
      const stops = new Map<string, (() => void)[]>();
      return {
        ...data,
        watch(runId, wake) {
          const watch = data.watch(runId, wake);
          const all = stops.get(runId) ?? [];
          stops.set(runId, all);
          all.push(() => watch.stop());
          return { ready: watch.ready, stop: () => all.forEach((stop) => stop()) };
        },
      };
    },
  },
  {
    name: "takes the same function for the same watch",
    clause: "S14",
    data(data) {
      const watches = new Map<() => void, ReturnType<typeof data.watch>>();
      return {
        ...data,
        watch(runId, wake) {
          const watch = watches.get(wake) ?? data.watch(runId, wake);
          watches.set(wake, watch);
          return watch;
        },
      };
    },
  },
  {
    name: "reads from a copy that only a bell refreshes",
    clause: "S15",
    data(data) {
      const copies = new Map<string, ReadResult | null>();
      return {
        ...data,
        async read(queries) {
          return Promise.all(
            queries.map(async (query) => {
              const id = JSON.stringify(query);
              const kept = copies.get(id);
              if (kept !== undefined) return kept;
              const [page = null] = await data.read([query]);
              copies.set(id, page);
              return page;
            }),
          );
        },
        watch: (runId, wake) =>
          data.watch(runId, () => {
            copies.clear();
            wake();
          }),
      };
    },
  },
];
