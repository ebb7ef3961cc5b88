import { setTimeout } from "node:timers/promises";
import { isTerminal, RunEventsError } from "@tm/run-events-core";
import type { AppendOutcome, LeaseOutcome } from "@tm/run-events-core/store";
import { appendEach, LOCK, type ProcessMutant, withoutKey } from "./process-mutant.ts";

const LOCKED_MS = 1;

/** Stores that only look whole to one process. */
export const sharingMutants: readonly ProcessMutant[] = [
  {
    name: "counts the sequences of a run in each process",
    clause: "S1",
    says: /S1 is broken/,
    spoil(store) {
      const known = new Set<string>();
      appendEach(store, (request) =>
        store.inTurn(async () => {
          // It has to know the run at least.
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
    name: "does not see in whose place the runs of other processes are",
    clause: "S25",
    says: /S25 is broken: .* were live at once/,
    spoil(store) {
      const { catchUp } = store;
      store.catchUp = () =>
        catchUp((entry) =>
          "create" in entry ? { ...entry, create: { ...entry.create, topic: null } } : entry,
        );
    },
  },
  {
    name: "keeps the place of a topic for the run that had it last",
    clause: "S25",
    says: /S25 is broken: a creation was refused for .*, which was not live/,
    spoil(store) {
      const holders = new Map<string, string>();
      const { createBlindly } = store;
      store.createBlindly = async (request) => {
        const holder = holders.get(request.topic ?? "");
        const answer = await createBlindly(request);
        const isNew = answer.outcome === "created";
        if (isNew && request.topic) holders.set(request.topic, request.runId);
        return answer.outcome === "finished" && holder !== undefined && holder !== request.runId
          ? { outcome: "topic_busy", runId: holder }
          : answer;
      };
    },
  },
  {
    name: "ends a run as idle that a worker of another process has",
    clause: "S28",
    // It checks nothing, so it may end a run of another status first.
    says: /S28 is broken: a sweeper (?:ended a run that fence \d+ had|of \w+ runs ended one that was \w+)/,
    spoil(store) {
      const own = new Set<string>();
      const { claim, append } = store;
      store.claim = (request) => {
        own.add(request.runId);
        return claim(request);
      };
      appendEach(store, async (request) => {
        const isFree = request.appender.by === "sweeper" && !own.has(request.runId);
        const appender = isFree ? ({ by: "owner" } as const) : request.appender;
        const [outcome = { outcome: "not_found" }] = await append([{ ...request, appender }]);
        return outcome;
      });
    },
  },
  {
    name: "does not end a run as idle that another process has released",
    clause: "S28",
    says: /S28 is broken: a sweeper was refused, but the run was .* and free/,
    spoil(store) {
      const own = new Set<string>();
      const { claim, append } = store;
      store.claim = (request) => {
        own.add(request.runId);
        return claim(request);
      };
      appendEach(store, async (request) => {
        if (request.appender.by === "sweeper" && !own.has(request.runId))
          return { outcome: "fenced" };
        const [outcome = { outcome: "not_found" }] = await append([request]);
        return outcome;
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
        await setTimeout(LOCKED_MS);
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
    says: /S24 is broken: .*S24 the time since/,
    spoil(store, journal) {
      const { purge } = store;
      store.purge = (request) => {
        const finishedForMs = request.finishedForMs - (Date.now() - journal.now());
        return purge({ ...request, finishedForMs });
      };
    },
  },
  {
    name: "lists expired runs by the clock of its process",
    clause: "S21",
    says: /S23 is broken: .*S23 listExpired lists the runs whose lease has expired/,
    spoil(store, journal) {
      const { listExpired } = store;
      store.listExpired = (query) =>
        listExpired({ ...query, graceMs: query.graceMs - (Date.now() - journal.now()) });
    },
  },
  {
    name: "notifies only for what its own process commits",
    clause: "S13",
    says: /a notification for/,
    spoil(store) {
      store.seesOthers = false;
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
