import { setTimeout } from "node:timers/promises";
import { isTerminal, RunEventsError } from "@tm/run-events-core";
import type { AppendOutcome, AppendRequest, LeaseOutcome } from "@tm/run-events-core/store";
import type { Entry, Journal } from "./journal.ts";
import type { JournalStore } from "./journal-store.ts";

/** A journal store that does something else. */
export interface Variant {
  /** What it does. */
  readonly name: string;
  readonly spoil: (store: JournalStore, journal: Journal) => void | Promise<void>;
}

/** One that breaks one promise to many processes, or after a crash. */
export interface ProcessMutant extends Variant {
  /** The clause whose cases have to find it. */
  readonly clause: string;
  /** What the failure has to say. */
  readonly says: RegExp;
}

const FLUSH_MS = 25;
const INTENT_MS = 20;
const LOCK = "lock";
const LOCK_TRIES = 300;
const LOCK_PAUSE_MS = 1;
const LOCKED_MS = 10;

function withoutKey(entry: Entry): Entry {
  return "append" in entry
    ? { ...entry, append: { ...entry.append, idempotencyKey: null } }
    : entry;
}

/** Replaces how one request is appended. */
function appendEach(
  store: JournalStore,
  one: (request: AppendRequest) => Promise<AppendOutcome>,
): void {
  store.append = async (requests) => {
    const outcomes: AppendOutcome[] = [];
    for (const request of requests) outcomes.push(await one(request));
    return outcomes;
  };
}

/** Does what one of the mutants does, and says so: nothing is wrong with it. */
export const humble: Variant = {
  name: "loses all with its last process, and says so",
  spoil(store, journal) {
    forgetWithoutProcess(journal);
    Object.assign(store, { capabilities: { ...store.capabilities, durability: "memory" } });
  },
};

function forgetWithoutProcess(journal: Journal): void {
  const others = journal.kept().filter(([name]) => name.startsWith("process "));
  if (others.length > 0 && !others.some(([, pid]) => isAlive(Number(pid)))) journal.forgetAll();
  journal.keep(`process ${process.pid}`, process.pid);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The slot is there once. @throws RunEventsError if it stays so */
async function takeLock(journal: Journal): Promise<void> {
  for (let tries = 1; tries <= LOCK_TRIES; tries++) {
    try {
      journal.keep(LOCK, process.pid);
      return;
    } catch {
      await setTimeout(LOCK_PAUSE_MS);
    }
  }
  throw new RunEventsError("store_unavailable", "It is locked.");
}

/** Stores that only look whole to one process, or until it dies. */
export const processMutants: readonly ProcessMutant[] = [
  {
    name: "acknowledges what it writes only later",
    clause: "S6",
    says: /S6 is broken/,
    spoil(store) {
      const buffer: Entry[] = [];
      const { commit } = store;
      store.commit = (entry) => void ("create" in entry ? commit(entry) : buffer.push(entry));
      setInterval(() => {
        for (const entry of buffer.splice(0)) commit(entry);
      }, FLUSH_MS);
    },
  },
  {
    name: "loses all with its last process, and says that it outlives it",
    clause: "S6",
    says: /S6 is broken|not_found/,
    spoil: (_store, journal) => forgetWithoutProcess(journal),
  },
  {
    name: "leaves its lock behind when it dies",
    clause: "S6",
    says: /failed, and nothing of its own had crashed|to be answered within/,
    spoil(store, journal) {
      appendEach(store, async (request) => {
        await takeLock(journal);
        // It dies in here, as a rule.
        await setTimeout(LOCKED_MS);
        await store.catchUp();
        const outcome = await store.appendBlindly(request);
        journal.drop(LOCK);
        return outcome;
      });
    },
  },
  {
    name: "forgets its keys when it is opened again",
    clause: "S7",
    says: /S7 is broken: an acknowledged append was sent again and answered appended/,
    spoil: (store) => store.catchUp(withoutKey),
  },
  {
    name: "recovers half of a batch after a crash",
    clause: "S6",
    says: /S2 is broken: .* is not whole/,
    async spoil(store, journal) {
      for (const [name, intent] of journal.kept()) {
        const request = intent as AppendRequest;
        await store.catchUp();
        await store.appendBlindly({ ...request, events: request.events.slice(0, 1) });
        journal.drop(name);
      }
      const { append } = store;
      let count = 0;
      appendEach(store, async (request) => {
        const name = `${process.pid} ${(count += 1)}`;
        journal.keep(name, request);
        await setTimeout(INTENT_MS);
        const [outcome] = await append([request]);
        journal.drop(name);
        return outcome ?? { outcome: "not_found" };
      });
    },
  },
  {
    name: "counts the sequences of a run in each process",
    clause: "S1",
    says: /S1 is broken/,
    spoil(store) {
      const known = new Set<string>();
      appendEach(store, (request) =>
        store.inTurn(async () => {
          // It has to have heard of the run at least.
          if (!known.has(request.runId)) await store.catchUp();
          known.add(request.runId);
          return store.appendBlindly(request);
        }),
      );
    },
  },
  {
    name: "commits a batch event by event",
    clause: "S2",
    says: /S2 is broken/,
    spoil(store) {
      const { append } = store;
      appendEach(store, async (request) => {
        let firstSequence = 0;
        let last: AppendOutcome = { outcome: "not_found" };
        for (const event of request.events) {
          [last = last] = await append([{ ...request, events: [event] }]);
          if (last.outcome === "appended") firstSequence ||= last.firstSequence;
        }
        return last.outcome === "appended" ? { ...last, firstSequence } : last;
      });
    },
  },
  {
    name: "refuses an append while another process appends",
    clause: "S4",
    says: /no append fails while others run \(S4\), got .*It is locked/,
    spoil(store, journal) {
      appendEach(store, async (request) => {
        try {
          journal.keep(LOCK, process.pid);
        } catch (cause) {
          throw new RunEventsError("store_unavailable", "It is locked.", { cause });
        }
        await setTimeout(LOCK_PAUSE_MS);
        await store.catchUp();
        const outcome = await store.appendBlindly(request);
        journal.drop(LOCK);
        return outcome;
      });
    },
  },
  {
    name: "knows only the keys of its own process",
    clause: "S5",
    says: /S5 is broken/,
    spoil(store) {
      const { catchUp } = store;
      store.catchUp = () => catchUp(withoutKey);
    },
  },
  {
    name: "counts fences in each process",
    clause: "S22",
    says: /S2[12] is broken/,
    spoil(store) {
      const { append } = store;
      const fences = new Map<string, number>();

      async function grant(runId: string, fence: number, leaseMs: number): Promise<LeaseOutcome> {
        const run = await store.getRun(runId);
        if (run === null) return { outcome: "not_found" };
        const { runStatus, lastSequence } = run;
        if (isTerminal(runStatus)) return { outcome: "finished", runStatus, lastSequence };
        fences.set(runId, fence);
        const leaseExpiresAtMs = Date.now() + leaseMs;
        return { outcome: "granted", run: { ...run, fence, leaseExpiresAtMs } };
      }

      store.claim = ({ runId, leaseMs }) => grant(runId, (fences.get(runId) ?? 0) + 1, leaseMs);
      store.renew = ({ runId, fence, leaseMs }) => grant(runId, fence, leaseMs);
      store.release = ({ runId, fence }) => grant(runId, fence, 0);
      appendEach(store, async (request) => {
        const { appender, runId } = request;
        if (appender.by === "worker" && appender.fence !== fences.get(runId)) {
          return { outcome: "fenced" };
        }
        const [outcome] = await append([{ ...request, appender: { by: "anybody" } }]);
        return outcome ?? { outcome: "not_found" };
      });
    },
  },
  {
    name: "reads from what its process had seen when it last appended",
    clause: "S10",
    says: /(S10|S3) is broken|is there|can be read/,
    spoil(store) {
      let count = 0;
      store.read = (queries) =>
        store.inTurn(async () => {
          if ((count += 1) % 4 === 1) await store.catchUp();
          return store.readBlindly(queries);
        });
    },
  },
  {
    name: "counts leases by the clock of its process",
    clause: "S21",
    says: /S21 is broken: .*a claim counts from a time .* 3\d{3}.* s (later|earlier)/,
    spoil(store, journal) {
      const { claim, renew } = store;
      const turned = (leaseMs: number): number => Math.max(1, leaseMs + Date.now() - journal.now());
      store.claim = (request) => claim({ ...request, leaseMs: turned(request.leaseMs) });
      store.renew = (request) => renew({ ...request, leaseMs: turned(request.leaseMs) });
    },
  },
  {
    name: "counts how old runs are by the clock of its process",
    clause: "S21",
    says: /S24 is broken: .*S24 how long ago/,
    spoil(store, journal) {
      const { purge } = store;
      store.purge = (request) => {
        const finishedForMs = request.finishedForMs - (Date.now() - journal.now());
        return purge({ ...request, finishedForMs });
      };
    },
  },
  {
    name: "lists runs whose lease has run out by the clock of its process",
    clause: "S21",
    says: /S23 is broken: .*S23 runs are listed/,
    spoil(store, journal) {
      const { listExpired } = store;
      store.listExpired = (query) =>
        listExpired({ ...query, graceMs: query.graceMs - (Date.now() - journal.now()) });
    },
  },
  {
    name: "rings only for what its own process commits",
    clause: "S13",
    says: /a ring for/,
    spoil(store) {
      store.hears = false;
    },
  },
  {
    name: "counts ordinals in each process",
    clause: "S16",
    says: /created|ordinal/,
    spoil(store) {
      store.createRun = (request) => store.inTurn(() => store.createBlindly(request));
    },
  },
];
