import { createMemoryStore } from "@tm/run-events-core";
import {
  type AppendOutcome,
  type AppendRequest,
  createNotifier,
  nameOf,
  type LeaseOutcome,
  type RunEventStore,
  type Notifier,
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
  /** Whether its subscriptions notify of what others commit. */
  seesOthers: boolean;
}

/** What one process has of a journal: a store in memory, and how far it has replayed. */
class Replica {
  readonly journal: Journal;
  readonly memory: RunEventStore;
  /** Numbers of entries that this process has committed, and not met in the journal yet. */
  readonly own = new Set<number>();
  nowMs: number;
  seen = 0;

  constructor(journal: Journal) {
    this.journal = journal;
    this.nowMs = journal.now();
    this.memory = createMemoryStore({ now: () => this.nowMs });
  }

  /** The time of what comes next. */
  tick(): number {
    this.nowMs = this.journal.now();
    return this.nowMs;
  }

  async replay(entry: Entry): Promise<void> {
    this.nowMs = entry.atMs;
    if ("create" in entry) await this.memory.createRun(entry.create);
    else if ("append" in entry) await this.memory.append([entry.append]);
    else if ("purge" in entry) await this.memory.purge(entry.purge);
    else if ("delete" in entry) await this.memory.deleteRun(entry.delete, null);
    else await this.ask(entry);
  }

  ask(entry: LeaseEntry): Promise<LeaseOutcome> {
    if ("claim" in entry) return this.memory.claim(entry.claim);
    return "renew" in entry ? this.memory.renew(entry.renew) : this.memory.release(entry.release);
  }
}

type Blind = Pick<
  JournalStore,
  | "seesOthers"
  | "commit"
  | "inTurn"
  | "catchUp"
  | "appendBlindly"
  | "createBlindly"
  | "askBlindly"
  | "readBlindly"
>;

/** What the calls of a store are made of. @param self the store, whose parts a mutant may have replaced */
function blindCalls(replica: Replica, self: () => JournalStore): Blind {
  const { journal, memory, own } = replica;
  let turn: Promise<unknown> = Promise.resolve();
  return {
    seesOthers: true,
    commit: (entry) => void own.add(journal.add(entry)),
    inTurn(work) {
      const done = turn.then(work);
      turn = done.catch(() => {});
      return done;
    },
    async catchUp(change = (entry) => entry) {
      for (const [number, entry] of journal.after(replica.seen)) {
        if (!own.delete(number)) await replica.replay(change(entry));
        replica.seen = number;
      }
    },
    async appendBlindly(request) {
      const atMs = replica.tick();
      const [outcome = { outcome: "not_found" }] = await memory.append([request]);
      if (outcome.outcome === "appended") self().commit({ atMs, append: request });
      return outcome;
    },
    async createBlindly(request) {
      const atMs = replica.tick();
      const created = await memory.createRun(request);
      // An existing run may have been claimed.
      if ("run" in created && (created.outcome === "created" || request.claim)) {
        self().commit({ atMs, create: request });
      }
      return created;
    },
    async askBlindly(entryAt) {
      const entry = entryAt(replica.tick());
      const outcome = await replica.ask(entry);
      if (outcome.outcome === "granted") self().commit(entry);
      return outcome;
    },
    readBlindly: (queries) => memory.read(queries),
  };
}

/** Subscriptions that poll the journal. */
function subscribeTo(
  journal: Journal,
  notifier: Notifier,
  seesOthers: () => boolean,
): Pick<RunEventStore, "subscribe" | "close"> {
  const timers = new Set<NodeJS.Timeout>();
  return {
    subscribe(subject, onNotification) {
      let seen = journal.last();
      const name = nameOf(subject);
      const stop = notifier.add(name, onNotification);
      const timer = setInterval(() => {
        const last = journal.last();
        if (seesOthers() && last > seen) notifier.notify(name, null);
        seen = last;
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
      notifier.clear();
    },
  };
}

/** @returns a healthy store on the journal */
export function createJournalStore(journal: Journal): JournalStore {
  const replica = new Replica(journal);
  const { memory } = replica;
  const notifier = createNotifier();

  /** Does something while no other process does anything, with all that is new. */
  function alone<T>(work: () => Promise<T>): Promise<T> {
    return journal.alone(async () => {
      await store.catchUp();
      return work();
    });
  }
  const inTurnAlone = <T>(work: () => Promise<T>): Promise<T> => store.inTurn(() => alone(work));
  const ask = (entryAt: (atMs: number) => LeaseEntry): Promise<LeaseOutcome> =>
    inTurnAlone(() => store.askBlindly(entryAt));

  /** Reads what is new, and then from memory. */
  function readNew<T>(read: () => Promise<T>): Promise<T> {
    return store.inTurn(async () => {
      await store.catchUp();
      return read();
    });
  }

  const store: JournalStore = {
    ...blindCalls(replica, () => store),
    ...subscribeTo(journal, notifier, () => store.seesOthers),
    capabilities: {
      ...memory.capabilities,
      durability: "process",
      shared: true,
      notifyWithinMs: 1_000,
    },
    createRun: (request) => inTurnAlone(() => store.createBlindly(request)),
    async append(requests) {
      const outcomes: AppendOutcome[] = [];
      for (const request of requests) {
        outcomes.push(await inTurnAlone(() => store.appendBlindly(request)));
      }
      for (const { runId } of requests) notifier.notify(runId, runId);
      return outcomes;
    },
    read: (queries) => readNew(() => store.readBlindly(queries)),
    async getRun(runId) {
      const query = { runId, ownerId: null, since: 0, limit: 1, maxBytes: 1 };
      return (await store.read([query]))[0]?.run ?? null;
    },
    listRuns: (query) => readNew(() => memory.listRuns(query)),
    deleteRun: (runId, ownerId) =>
      inTurnAlone(async () => {
        const atMs = replica.tick();
        const outcome = await memory.deleteRun(runId, ownerId);
        if (outcome === "deleted") store.commit({ atMs, delete: runId });
        return outcome;
      }),
    claim: (claim) => ask((atMs) => ({ atMs, claim })),
    renew: (renew) => ask((atMs) => ({ atMs, renew })),
    release: (release) => ask((atMs) => ({ atMs, release })),
    listExpired: (query) =>
      readNew(() => {
        replica.tick();
        return memory.listExpired(query);
      }),
    listIdle: (query) =>
      readNew(() => {
        replica.tick();
        return memory.listIdle(query);
      }),
    purge: (purge) =>
      inTurnAlone(async () => {
        const atMs = replica.tick();
        const gone = await memory.purge(purge);
        if (gone.length > 0) store.commit({ atMs, purge });
        return gone;
      }),
    probe: () => inTurnAlone(async () => replica.tick()),
  };
  return store;
}
