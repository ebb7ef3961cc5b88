import {
  createPageCut,
  eventBytes,
  nameKey,
  type ReadQuery,
  type RunName,
  type StoredEvent,
  utf8Bytes,
} from "@tm/run-events-core/store";
import { aroundWrites, headOf, mapEvents, mapReads } from "./inner-store.ts";
import type { DataFault, Faults } from "./mutant.ts";
import { turns } from "./turns.ts";

const ALL = Number.MAX_SAFE_INTEGER;

/** Reads with changed queries. */
function withQueries(change: (query: ReadQuery) => Partial<ReadQuery>): DataFault {
  return (data) => ({
    read: (queries) => data.read(queries.map((query) => ({ ...query, ...change(query) }))),
  });
}

/** Stores whose pages or heads are wrong. */
export const readFaults: Faults = {
  "S9 cuts a page to no event": (data) =>
    mapReads(data, (page, { maxBytes }) => {
      const [first] = page.events;
      const fits = first !== undefined && eventBytes(utf8Bytes(first.payload)) <= maxBytes;
      return fits ? page : { ...page, events: [] };
    }),
  "S9 ignores maxBytes": withQueries(() => ({ maxBytes: ALL })),
  "S9 counts characters for bytes": (data) =>
    mapReads(
      { ...data, ...withQueries(() => ({ maxBytes: ALL }))(data) },
      (page, { limit, maxBytes }) => {
        const belongs = createPageCut(limit, maxBytes);
        const cut = page.events.findIndex((event) => !belongs(event.payload.length));
        return cut === -1 ? page : { ...page, events: page.events.slice(0, cut) };
      },
    ),
  "S9 reads the events first and the head some turns later": (data) => ({
    async read(queries) {
      const pages = await data.read(queries);
      await turns(1);
      return Promise.all(
        pages.map(async (page) => {
          const later = page && (await headOf(data, page.head));
          return later && page && { ...page, head: { ...page.head, ...later } };
        }),
      );
    },
  }),
  "S9 refuses a since beyond 2^31 - 1": (data) =>
    mapReads(data, (page, { since }) => (since > 2 ** 31 - 1 ? null : page)),
  "S11 hands out its own events"(data) {
    const kept = new Map<string, StoredEvent>();
    return mapEvents(data, (event, head) => {
      const id = `${head.ordinal}/${event.sequence}`;
      const own = kept.get(id) ?? event;
      kept.set(id, own);
      return own;
    });
  },
  "S11 hands out pages that grow with their run"(data) {
    const live = new Map<string, StoredEvent[][]>();
    async function grow({ ownerId, runId }: RunName): Promise<void> {
      for (const events of live.get(nameKey({ ownerId, runId })) ?? []) {
        const since = events.at(-1)?.sequence ?? 0;
        const query = { ownerId, runId, since, limit: 1_000, maxBytes: 1_000_000 };
        const [page = null] = await data.read([query]);
        events.push(...(page?.events ?? []));
      }
    }
    return {
      ...mapReads(data, (page, query) => {
        const events = [...page.events];
        const name = nameKey(query);
        if (query.limit > 0) live.set(name, [...(live.get(name) ?? []), events]);
        return { ...page, events };
      }),
      ...aroundWrites(data, async (names, write) => {
        const answer = await write();
        for (const name of names) await grow(name);
        return answer;
      }),
    };
  },
  "S12 reads nothing after the ten thousandth event": (data) =>
    mapEvents(data, (event) => (event.sequence <= 10_000 ? event : null)),
  "S12 answers none of a call's queries after the fiftieth": (data) => ({
    async read(queries) {
      const pages = await data.read(queries);
      return pages.map((page, index) => (index < 50 ? page : null));
    },
  }),
};
