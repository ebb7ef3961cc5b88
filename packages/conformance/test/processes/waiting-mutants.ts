import { setTimeout } from "node:timers/promises";
import type { AppendRequest } from "@tm/run-events-core/store";
import type { Entry, Journal } from "./journal.ts";
import { appendEach, isAlive, type ProcessMutant, withoutKey } from "./process-mutant.ts";

/** In here it dies, as a rule. */
const BETWEEN_MS = 20;

/** An entry as a store has it that does not know what a question does. */
function withoutWaiting(entry: Entry): Entry {
  return "append" in entry && entry.append.change === "waiting"
    ? { ...entry, append: { ...entry.append, change: "started" } }
    : entry;
}

/** An entry as a store has it that forgets the keys of inputs. */
function withoutInputKey(entry: Entry): Entry {
  return "append" in entry && entry.append.appender.by === "input" ? withoutKey(entry) : entry;
}

/** Whether this process was the first one to find a run. */
function isFinder(journal: Journal, runId: string): boolean {
  const slot = `finder of ${runId}`;
  try {
    journal.keep(slot, process.pid);
    return true;
  } catch {
    return new Map(journal.kept()).get(slot) === process.pid;
  }
}

/** Stores that only look whole until a process dies that asks, answers, or looks for runs that no worker has. */
export const waitingMutants: readonly ProcessMutant[] = [
  {
    name: "forgets that runs wait when it is opened again",
    clause: "S27",
    says: /S2 is broken: .*the status of \w+ to be "waiting", got "running"/,
    spoil: (store) => store.catchUp(withoutWaiting),
  },
  {
    name: "forgets the keys of inputs when it is opened again",
    clause: "S27",
    says: /S27 is broken: .*where the turn of the person of \w+ ends to be \d+, got \d+/,
    spoil: (store) => store.catchUp(withoutInputKey),
  },
  {
    name: "asks again, under no key, what a dead process was asking",
    clause: "S27",
    says: /S27 is broken/,
    async spoil(store, journal) {
      for (const [slot, question] of journal.kept()) {
        const request = { ...(question as AppendRequest), idempotencyKey: null };
        await store.catchUp();
        await store.appendBlindly({ ...request, appender: { by: "owner" } });
        journal.drop(slot);
      }
      const { append } = store;
      let count = 0;
      appendEach(store, async (request) => {
        const slot = `${process.pid} ${(count += 1)}`;
        const asks = request.change === "waiting";
        if (asks) {
          journal.keep(slot, request);
          await setTimeout(BETWEEN_MS);
        }
        const [outcome = { outcome: "not_found" }] = await append([request]);
        if (asks) journal.drop(slot);
        return outcome;
      });
    },
  },
  {
    name: "hands an input to the process that has the run, even if that is dead",
    clause: "S27",
    says: /S27 is broken: .*where the answer ends that a reader of \w+ finds to be \d+, got \d+/,
    spoil(store, journal) {
      const { append, claim } = store;
      const slotOf = (runId: string, fence: number): string => `holder of ${runId} ${fence}`;
      store.claim = async (request) => {
        const answer = await claim(request);
        if (answer.outcome === "granted")
          journal.keep(slotOf(request.runId, answer.run.fence), process.pid);
        return answer;
      };
      appendEach(store, async (request) => {
        const { runId, appender } = request;
        const run = appender.by === "input" ? await store.getRun(runId) : null;
        const holder = run && new Map(journal.kept()).get(slotOf(runId, run.fence));
        if (
          run &&
          run.leaseExpiresAtMs !== null &&
          holder !== undefined &&
          !isAlive(Number(holder))
        ) {
          const sequence = run.lastSequence + 1;
          const at = { firstSequence: sequence, lastSequence: sequence, phase: run.phase };
          return { outcome: "appended", ...at, runStatus: "running" };
        }
        const [outcome = { outcome: "not_found" }] = await append([request]);
        return outcome;
      });
    },
  },
  {
    name: "shows a run that no worker has to the process alone that finds it first",
    clause: "S28",
    says: /S28 is broken: .*the lists with [\w.-]+ to be \["\w+"\], got \[\]/,
    spoil(store, journal) {
      const { listExpired, listIdle } = store;
      const found = (runId: string): boolean => isFinder(journal, runId);
      store.listExpired = async (query) => (await listExpired(query)).filter(found);
      store.listIdle = async (query) => (await listIdle(query)).filter(found);
    },
  },
  {
    name: "gives back what dead workers had when it is opened again",
    clause: "S28",
    says: /S26 is broken: .* was seen without the lease that it was created with/,
    async spoil(store) {
      for (const runId of await store.listExpired({ graceMs: 0, limit: 1_000 })) {
        const { fence = 0 } = (await store.getRun(runId)) ?? {};
        await store.release({ runId, ownerId: null, fence });
      }
    },
  },
  {
    name: "lists no run as idle that another process has given back",
    clause: "S28",
    says: /S28 is broken: .*the lists with [\w.-]+ to be \["\w+"\], got \[\]/,
    spoil(store) {
      const own = new Set<string>();
      const { listIdle, release } = store;
      store.release = (request) => {
        own.add(request.runId);
        return release(request);
      };
      store.listIdle = async (query) => (await listIdle(query)).filter((runId) => own.has(runId));
    },
  },
];
