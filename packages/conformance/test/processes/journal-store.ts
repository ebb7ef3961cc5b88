import { createMemoryStore } from "@tm/run-events-core";
import {
  type AppendOutcome,
  type AppendRequest,
  createWatchers,
  type LeaseOutcome,
  type RunEventStore,
} from "@tm/run-events-core/store";
import type { Entry, Journal } from "./journal.ts";

const POLL_MS = 10;

/** What is asked about a lease. */
type LeaseEntry = Extract<
  Entry,
  { readonly claim: unknown } | { readonly renew: unknown } | { readonly release: unknown }
>;

/** A store that broken ones are made of: each process replays one journal into a memory store of its own. */
export interface JournalStore extends RunEventStore {
  /** Replays what is new; `change` may spoil an entry. */
  catchUp(change?: (entry: Entry) => Entry): Promise<void>;
  /** Appends without looking at what others have done. */
  appendBlindly(request: AppendRequest): Promise<AppendOutcome>;
  createBlindly: RunEventStore["createRun"];
  /** Claims, renews or releases without looking at what others have done. */
  askBlindly(entryAt: (atMs: number) => LeaseEntry): Promise<LeaseOutcome>;
  /** Reads without looking at what others have done. */
  readBlindly: RunEventStore["read"];
  /** Calls of one process come one after the other. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  /** Commits an entry. Another one where that is to happen later. */
  commit: (entry: Entry) => void;
  /** Whether it hears what others commit. */
  hears: boolean;
}

/** @returns a healthy store on the journal */
export function createJournalStore(journal: Journal): JournalStore {
  let nowMs = journal.now();
  let seen = 0;
  let turn: Promise<unknown> = Promise.resolve();
  const own = new Set<number>();
  const memory = createMemoryStore({ now: () => nowMs });
  const watchers = createWatchers();
  const timers = new Set<NodeJS.Timeout>();

  async function replay(entry: Entry): Promise<void> {
    nowMs = entry.atMs;
    if ("create" in entry) await memory.createRun(entry.create);
    else if ("append" in entry) await memory.append([entry.append]);
    else if ("purge" in entry) await memory.purge(entry.purge);
    else if ("delete" in entry) await memory.deleteRun(entry.delete, null);
    else await askMemory(entry);
  }

  function askMemory(entry: LeaseEntry): Promise<LeaseOutcome> {
    if ("claim" in entry) return memory.claim(entry.claim);
    return "renew" in entry ? memory.renew(entry.renew) : memory.release(entry.release);
  }

  const store: JournalStore = {
    capabilities: {
      ...memory.capabilities,
      durability: "process",
      shared: true,
      wakeDeadlineMs: 1_000,
    },
    hears: true,
    commit: (entry) => void own.add(journal.add(entry)),
    inTurn(work) {
      const done = turn.then(work);
      turn = done.catch(() => {});
      return done;
    },
    async catchUp(change = (entry) => entry) {
      for (const [number, entry] of journal.after(seen)) {
        if (!own.delete(number)) await replay(change(entry));
        seen = number;
      }
    },
    async appendBlindly(request) {
      nowMs = journal.now();
      const [outcome = { outcome: "not_found" }] = await memory.append([request]);
      if (outcome.outcome === "appended") store.commit({ atMs: nowMs, append: request });
      return outcome;
    },
    async createBlindly(request) {
      nowMs = journal.now();
      const created = await memory.createRun(request);
      if (created.outcome === "created") store.commit({ atMs: nowMs, create: request });
      return created;
    },
    async askBlindly(entryAt) {
      nowMs = journal.now();
      const entry = entryAt(nowMs);
      const outcome = await askMemory(entry);
      if (outcome.outcome === "granted") store.commit(entry);
      return outcome;
    },
    readBlindly: (queries) => memory.read(queries),
    createRun: (request) =>
      store.inTurn(() =>
        journal.alone(async () => {
          await store.catchUp();
          return store.createBlindly(request);
        }),
      ),
    async append(requests) {
      const outcomes: AppendOutcome[] = [];
      for (const request of requests) outcomes.push(await store.inTurn(() => appendOne(request)));
      for (const { runId } of requests) watchers.ring(runId);
      return outcomes;
    },
    read: (queries) =>
      store.inTurn(async () => {
        await store.catchUp();
        return store.readBlindly(queries);
      }),
    async getRun(runId) {
      const query = { runId, ownerId: null, since: 0, limit: 1, maxBytes: 1 };
      return (await store.read([query]))[0]?.run ?? null;
    },
    listRuns: (query) =>
      store.inTurn(async () => {
        await store.catchUp();
        return memory.listRuns(query);
      }),
    deleteRun: (runId, ownerId) =>
      alone(async (atMs) => {
        const outcome = await memory.deleteRun(runId, ownerId);
        if (outcome === "deleted") store.commit({ atMs, delete: runId });
        return outcome;
      }),
    claim: (claim) => ask((atMs) => ({ atMs, claim })),
    renew: (renew) => ask((atMs) => ({ atMs, renew })),
    release: (release) => ask((atMs) => ({ atMs, release })),
    listExpired: (query) =>
      store.inTurn(async () => {
        await store.catchUp();
        nowMs = journal.now();
        return memory.listExpired(query);
      }),
    purge: (purge) =>
      alone(async (atMs) => {
        const gone = await memory.purge(purge);
        if (gone.length > 0) store.commit({ atMs, purge });
        return gone;
      }),
    probe: () => alone(async (atMs) => atMs),
    watch(runId, wake) {
      let heard = journal.last();
      const stop = watchers.add(runId, wake);
      const timer = setInterval(() => {
        const last = journal.last();
        if (store.hears && last > heard) watchers.ring(runId);
        heard = last;
      }, POLL_MS);
      timers.add(timer);
      return {
        ready: Promise.resolve(),
        stop() {
          clearInterval(timer);
          timers.delete(timer);
          stop();
        },
      };
    },
    async close() {
      for (const timer of timers) clearInterval(timer);
      watchers.clear();
    },
  };

  /** Does what nobody else does meanwhile, with all that is new. */
  function alone<T>(work: (atMs: number) => Promise<T>): Promise<T> {
    return store.inTurn(() =>
      journal.alone(async () => {
        await store.catchUp();
        nowMs = journal.now();
        return work(nowMs);
      }),
    );
  }

  function ask(entryAt: (atMs: number) => LeaseEntry): Promise<LeaseOutcome> {
    return store.inTurn(() =>
      journal.alone(async () => {
        await store.catchUp();
        return store.askBlindly(entryAt);
      }),
    );
  }

  function appendOne(request: AppendRequest): Promise<AppendOutcome> {
    return journal.alone(async () => {
      await store.catchUp();
      return store.appendBlindly(request);
    });
  }

  return store;
}
