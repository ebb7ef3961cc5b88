import {
  createPageCut,
  eventBytes,
  nameKey,
  type ReadQuery,
  type RunEventStore,
  type StoredEvent,
  utf8Bytes,
} from "@tm/run-events-core/store";
import { turns } from "./turns.ts";
import { changeAlone, changesEach, headOf, mapEvents, mapReads } from "./inner-store.ts";
import type { Mutant } from "./mutant.ts";

/** A store that reads by other queries. */
function withQueries(
  change: (query: ReadQuery) => Partial<ReadQuery>,
): (data: RunEventStore) => RunEventStore {
  return (data) => ({
    ...data,
    read: (queries) => data.read(queries.map((query) => ({ ...query, ...change(query) }))),
  });
}

/** Stores whose pages or heads are wrong. */
export const readMutants: readonly Mutant[] = [
  {
    name: "cuts a page to no event",
    clause: "S9",
    data: (data) => ({
      ...data,
      ...mapReads(data, (page, { maxBytes }) => {
        const [first] = page.events;
        const fits = first !== undefined && eventBytes(utf8Bytes(first.payload)) <= maxBytes;
        return fits ? page : { ...page, events: [] };
      }),
    }),
  },
  {
    name: "ignores maxBytes",
    clause: "S9",
    data: withQueries(() => ({ maxBytes: Number.MAX_SAFE_INTEGER })),
  },
  {
    name: "counts characters for bytes",
    clause: "S9",
    data: (data) => ({
      ...data,
      async read(queries) {
        const all = queries.map((query) => ({ ...query, maxBytes: Number.MAX_SAFE_INTEGER }));
        return (await data.read(all)).map((page, index) => {
          const query = queries[index];
          if (page === null || query === undefined) return null;
          const belongs = createPageCut(query.limit, query.maxBytes);
          const cut = page.events.findIndex((event) => !belongs(event.payload.length));
          return { ...page, events: cut === -1 ? page.events : page.events.slice(0, cut) };
        });
      },
    }),
  },
  {
    name: "reads the events first and the head some turns later",
    clause: "S9",
    data: (data) => ({
      ...data,
      async read(queries) {
        const pages = await data.read(queries);
        await turns(1);
        return Promise.all(
          pages.map(async (page) => {
            const later = page === null ? null : await headOf(data, page.head);
            return page === null || later === null
              ? null
              : { ...page, head: { ...page.head, ...later } };
          }),
        );
      },
    }),
  },
  {
    name: "refuses a since beyond 2^31 - 1",
    clause: "S9",
    data: (data) => ({
      ...data,
      async read(queries) {
        const pages = await data.read(queries);
        return pages.map((page, at) => ((queries[at]?.since ?? 0) > 2 ** 31 - 1 ? null : page));
      },
    }),
  },
  {
    name: "hands out its own events",
    clause: "S11",
    data(data) {
      const kept = new Map<string, StoredEvent>();
      return {
        ...data,
        ...mapEvents(data, (event, head) => {
          const id = `${head.ordinal}/${event.sequence}`;
          const own = kept.get(id) ?? event;
          kept.set(id, own);
          return own;
        }),
      };
    },
  },
  {
    name: "hands out pages that grow with their run",
    clause: "S11",
    data(data) {
      const live = new Map<string, StoredEvent[][]>();
      async function grow(name: { readonly ownerId: string; readonly runId: string }) {
        for (const events of live.get(nameKey(name)) ?? []) {
          const since = events.at(-1)?.sequence ?? 0;
          const query = { ...name, since, limit: 1_000, maxBytes: 1_000_000 };
          const [page = null] = await data.read([query]);
          events.push(...(page?.events ?? []));
        }
      }
      return {
        ...data,
        ...mapReads(data, (page, query) => {
          const events = [...page.events];
          const name = nameKey(query);
          if (query.limit > 0) live.set(name, [...(live.get(name) ?? []), events]);
          return { ...page, events };
        }),
        async append(plains) {
          const landings = await data.append(plains);
          for (const { ownerId, runId } of plains) await grow({ ownerId, runId });
          return landings;
        },
        ...changesEach(async (change) => {
          const answer = await changeAlone(data, change);
          await grow({ ownerId: change.ownerId, runId: change.runId });
          return answer;
        }),
      };
    },
  },
  {
    name: "reads nothing after the ten thousandth event",
    clause: "S12",
    data: (data) => ({
      ...data,
      ...mapEvents(data, (event) => (event.sequence <= 10_000 ? event : null)),
    }),
  },
  {
    name: "answers none of a call's queries after the fiftieth",
    clause: "S12",
    data: (data) => ({
      ...data,
      async read(queries) {
        const pages = await data.read(queries);
        return pages.map((page, index) => (index < 50 ? page : null));
      },
    }),
  },
];
