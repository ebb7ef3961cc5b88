import { isTerminal } from "@tm/run-events-core";
import { dueKindOf } from "@tm/run-events-core/store";
import type { KitStore } from "../../src/kit-store.ts";
import type { Mutant } from "./mutant.ts";
import { turns } from "./turns.ts";

const FOR_EVER = 10_000_000_000;
const MANY = 100_000;

/** A store that takes another limit for what is due. */
const withLimit =
  (change: (limitMs: number) => number): NonNullable<Mutant["rules"]> =>
  () =>
  (store) => ({
    ...store,
    endDue: (name, { kind, limitMs }) => store.endDue(name, { kind, limitMs: change(limitMs) }),
  });

type Purge = Parameters<KitStore["purge"]>[0];

const withPurge =
  (change: (request: Purge) => Purge): NonNullable<Mutant["rules"]> =>
  () =>
  (store) => ({ ...store, purge: (request) => store.purge(change(request)) });

/** Stores that end or remove a run that is not due, or leave one that is. */
export const dueRuleMutants: readonly Mutant[] = [
  {
    name: "ends runs that are not due",
    clause: "S23",
    rules: withLimit((limitMs) => limitMs - FOR_EVER),
  },
  {
    name: "ends runs that are due, but not for long enough",
    clause: "S23",
    rules: withLimit(() => 0),
  },
  {
    name: "leaves runs that are due",
    clause: "S23",
    rules: withLimit((limitMs) => limitMs + 60_000),
  },
  {
    name: "ends a run that waits for something else than was asked",
    clause: "S23",
    rules: () => (store) => ({
      ...store,
      async endDue(name, limit) {
        const outcome = await store.endDue(name, limit);
        const run = outcome === "left" ? await store.getRun(name.runId, name.ownerId) : null;
        const kind = run === null ? "finished" : dueKindOf(run);
        if (kind === "finished" || kind === limit.kind) return outcome;
        return store.endDue(name, { ...limit, kind });
      },
    }),
  },
  {
    name: "answers each of two reapers that it has ended the run",
    clause: "S23",
    rules: () => (store) => ({
      ...store,
      async endDue(name, limit) {
        const outcome = await store.endDue(name, limit);
        const run = await store.getRun(name.runId, name.ownerId);
        return outcome === "left" && run?.runStatus === "failed" ? "ended" : outcome;
      },
    }),
  },
  {
    name: "releases the lease of a run that it should end",
    clause: "S23",
    rules: () => (store) => ({
      ...store,
      async endDue(name, limit) {
        if (limit.kind !== "leased") return store.endDue(name, limit);
        const run = await store.getRun(name.runId, name.ownerId);
        if (run?.leaseExpiresAtMs == null || run.leaseExpiresAtMs > Date.now()) return "left";
        await store.release({ ...name, fence: run.fence });
        return "released";
      },
    }),
  },
  {
    name: "ends a run some turns after it saw that it is due, also if a worker has claimed it by then",
    clause: "S23",
    rules: () => (store) => ({
      ...store,
      async endDue(name, limit) {
        const run = await store.getRun(name.runId, name.ownerId);
        const isDue = run !== null && dueKindOf(run) === limit.kind && limit.kind !== "leased";
        await turns(1);
        const later = await store.getRun(name.runId, name.ownerId);
        if (!isDue || later === null || isTerminal(later.runStatus)) {
          return store.endDue(name, limit);
        }
        const kind = dueKindOf(later);
        const limitMs = -FOR_EVER;
        return kind === "finished" ? "left" : store.endDue(name, { kind, limitMs });
      },
    }),
  },
  {
    name: "purges runs that finished later",
    clause: "S24",
    rules: withPurge((request) => ({ ...request, finishedForMs: 0 })),
  },
  {
    name: "purges runs a second before they are old enough",
    clause: "S24",
    rules: withPurge(({ finishedForMs, limit }) => {
      return { finishedForMs: Math.max(0, finishedForMs - 1_000), limit };
    }),
  },
  {
    name: "leaves runs that are just old enough",
    clause: "S24",
    rules: withPurge(({ finishedForMs, limit }) => {
      return { finishedForMs: finishedForMs * 2 + 1, limit };
    }),
  },
  {
    name: "purges more runs than asked for",
    clause: "S17",
    rules: withPurge((request) => ({ ...request, limit: MANY })),
  },
];
