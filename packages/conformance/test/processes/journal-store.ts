import { createMemoryStore } from "@tm/run-events-core";
import {
  type Change,
  createNotifier,
  nameKey,
  type Plain,
  type PlainLanding,
  type RunEventStore,
} from "@tm/run-events-core/store";
import type { Notifier } from "../../../core/src/store/notifier.ts";
import { changeAndTell, writeAgain } from "../written-runs.ts";
import type { Entry, Journal } from "./journal.ts";

const POLL_MS = 10;

/** A store that broken ones are made of: each process replays one journal into a memory store of its own. */
export interface JournalStore extends RunEventStore {
  /** Replays what is new; `change` may spoil an entry. */
  catchUp(change?: (entry: Entry) => Entry): Promise<void>;
  /** Appends without looking at what others have done. */
  appendBlindly(plain: Plain): Promise<PlainLanding | null>;
  /** Changes a run without looking at what others have done. */
  changeBlindly<Answer>(change: Change<Answer>): Promise<Answer>;
  /** Reads without looking at what others have done. */
  readBlindly: RunEventStore["read"];
  /** Calls of one process come one after the other. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  /** Commits an entry. Another one where that is to happen later. */
  commit: (entry: Entry) => void;
  /** Whether its subscriptions notify of what others commit. */
  seesOthers: boolean;
}

type Blind = Pick<
  JournalStore,
  "seesOthers" | "commit" | "inTurn" | "catchUp" | "appendBlindly" | "changeBlindly" | "readBlindly"
>;

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
    if ("plain" in entry) await this.memory.append([entry.plain]);
    else await writeAgain(this.memory, [entry.written]);
  }
}

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
    async appendBlindly(plain) {
      const atMs = replica.tick();
      const [landing = null] = await memory.append([plain]);
      if (landing !== null) self().commit({ atMs, plain });
      return landing;
    },
    async changeBlindly<Answer>(change: Change<Answer>) {
      const atMs = replica.tick();
      const { answers, written } = await changeAndTell(memory, [change]);
      for (const one of written) self().commit({ atMs, written: one });
      return answers[0] as Answer;
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
      const stop = notifier.add(subject, onNotification);
      const timer = setInterval(() => {
        const last = journal.last();
        if (seesOthers() && last > seen) notifier.notify(nameKey(subject), null);
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

/** Appends one after the other. If one is not plain, the later ones of its run are undecided, too. */
export async function appendInOrder(
  plains: readonly Plain[],
  one: (plain: Plain) => Promise<PlainLanding | null>,
): Promise<readonly (PlainLanding | null)[]> {
  const undecided = new Set<string>();
  const landings: (PlainLanding | null)[] = [];
  for (const plain of plains) {
    const landing = undecided.has(nameKey(plain)) ? null : await one(plain);
    if (landing === null) undecided.add(nameKey(plain));
    landings.push(landing);
  }
  return landings;
}

/** @returns a healthy store on the journal */
export function createJournalStore(journal: Journal): JournalStore {
  const replica = new Replica(journal);
  const { memory } = replica;
  const notifier = createNotifier();

  /** Does something while no other process does anything, with all that is new. */
  const inTurnAlone = <T>(work: () => Promise<T>): Promise<T> =>
    store.inTurn(() =>
      journal.alone(async () => {
        await store.catchUp();
        return work();
      }),
    );

  /** Reads what is new, and then from memory. */
  const readNew = <T>(read: () => Promise<T>): Promise<T> =>
    store.inTurn(async () => {
      await store.catchUp();
      return read();
    });

  const store: JournalStore = {
    ...blindCalls(replica, () => store),
    ...subscribeTo(journal, notifier, () => store.seesOthers),
    capabilities: {
      ...memory.capabilities,
      durability: "process",
      shared: true,
      notifyWithinMs: 1_000,
    },
    async append(plains) {
      const landings = await appendInOrder(plains, (plain) =>
        inTurnAlone(() => store.appendBlindly(plain)),
      );
      for (const plain of plains) notifier.notifyOf(plain);
      return landings;
    },
    async change(changes) {
      const answers = changes.map((one) => inTurnAlone(() => store.changeBlindly(one)));
      await Promise.all(answers);
      for (const one of changes) notifier.notifyOf(one);
      return Promise.all(answers);
    },
    read: (queries) => readNew(() => store.readBlindly(queries)),
    list: (query) =>
      readNew(() => {
        replica.tick();
        return memory.list(query);
      }),
    probe: () => inTurnAlone(async () => replica.tick()),
  };
  return store;
}
