import type { LeaseOutcome } from "@tm/run-events-core/store";
import { type KitStore, OWNER } from "../../src/kit-store.ts";
import { type Mutant, runOfRequest } from "./mutant.ts";

type Claim = KitStore["claim"];
type Request = Parameters<Claim>[0];

function mapClaim(data: KitStore, claim: Claim): KitStore {
  return { ...data, claim };
}

function withoutKey({ runId, ownerId, leaseMs }: Request): Request {
  return { runId, ownerId, leaseMs };
}

/** The run as it is, as if it had just been claimed. */
async function grantAsItIs(data: KitStore, { runId, ownerId }: Request): Promise<LeaseOutcome> {
  const run = await data.getRun(runId, ownerId);
  return run === null ? { outcome: "not_found" } : { outcome: "granted", run };
}

/** Stores that take a claim that comes again for another one, or another one for it; and whose leases end at the wrong time. */
export const claimMutants: readonly Mutant[] = [
  {
    name: "forgets which claim got a lease",
    clause: "S21",
    rules: () => (data) => mapClaim(data, (request) => data.claim(withoutKey(request))),
  },
  {
    name: "grants a held run to any claim that has a key",
    clause: "S21",
    rules: () => (data) =>
      mapClaim(data, async (request) => {
        const outcome = await data.claim(request);
        return outcome.outcome === "claimed" && request.claimKey !== undefined
          ? grantAsItIs(data, request)
          : outcome;
      }),
  },
  {
    name: "moves the end of a lease when its claim is sent again",
    clause: "S21",
    rules: () => (data) =>
      mapClaim(data, async (request) => {
        const before = await runOfRequest(data, request);
        const outcome = await data.claim(request);
        if (outcome.outcome !== "granted" || outcome.run.fence !== before?.fence) return outcome;
        await data.renew({ ...request, fence: outcome.run.fence });
        return grantAsItIs(data, request);
      }),
  },
  {
    name: "answers a claim that is sent again with its first answer",
    clause: "S21",
    rules() {
      const answers = new Map<string, LeaseOutcome>();
      return (data) =>
        mapClaim(data, async (request) => {
          const name = JSON.stringify([request.runId, request.claimKey]);
          const before = await runOfRequest(data, request);
          const outcome = await data.claim(request);
          const first = answers.get(name);
          const isAgain = outcome.outcome === "granted" && outcome.run.fence === before?.fence;
          if (isAgain && first !== undefined) return first;
          answers.set(name, outcome);
          return outcome;
        });
    },
  },
  {
    name: "knows the key of a lease that is over",
    clause: "S21",
    rules() {
      const keys = new Map<string, string>();
      return (data) =>
        mapClaim(data, async (request) => {
          const { runId, claimKey } = request;
          const outcome = await data.claim(request);
          const isKnown = claimKey !== undefined && keys.get(runId) === claimKey;
          if (outcome.outcome === "claimed" && isKnown) return grantAsItIs(data, request);
          if (outcome.outcome === "granted" && claimKey !== undefined) keys.set(runId, claimKey);
          return outcome;
        });
    },
  },
  {
    name: "keeps claim keys of all runs in one place",
    clause: "S21",
    rules() {
      const keys = new Set<string>();
      return (data) =>
        mapClaim(data, async (request) => {
          const { claimKey } = request;
          const outcome = await data.claim(request);
          const isKnown = claimKey !== undefined && keys.has(claimKey);
          if (outcome.outcome === "claimed" && isKnown) return grantAsItIs(data, request);
          if (outcome.outcome === "granted" && claimKey !== undefined) keys.add(claimKey);
          return outcome;
        });
    },
  },
  {
    name: "takes claim keys that begin alike for the same",
    clause: "S21",
    rules: () => (data) =>
      mapClaim(data, ({ claimKey, ...request }) =>
        data.claim({
          ...request,
          ...(claimKey === undefined ? {} : { claimKey: claimKey.slice(0, 4) }),
        }),
      ),
  },
  {
    name: "checks whether a claim came before, and claims only later",
    clause: "S21",
    rules: () => (object) => {
      const keys = new Map<string, string>();
      return {
        ...object,
        async claim(request) {
          const { runId, claimKey } = request;
          const isKnown = claimKey !== undefined && keys.get(runId) === claimKey;
          const run = await object.getRun(runId, request.ownerId);
          if (isKnown && (run?.leaseExpiresAtMs ?? 0) > Date.now()) {
            return grantAsItIs(object, request);
          }
          const outcome = await object.claim(withoutKey(request));
          if (outcome.outcome === "granted" && claimKey !== undefined) keys.set(runId, claimKey);
          return outcome;
        },
      };
    },
  },
  {
    name: "checks a claim's key before its owner",
    clause: "W4",
    rules() {
      const keys = new Map<string, string>();
      return (data) =>
        mapClaim(data, async (request) => {
          const { runId, claimKey } = request;
          if (claimKey !== undefined && keys.get(runId) === claimKey) {
            return data.claim({ ...request, ownerId: OWNER });
          }
          const outcome = await data.claim(request);
          if (outcome.outcome === "granted" && claimKey !== undefined) keys.set(runId, claimKey);
          return outcome;
        });
    },
  },
  {
    name: "counts leases by a clock that is five seconds ahead of the one that stamps events",
    clause: "S21",
    rules: () => (data) => ({
      ...data,
      claim: (request) => data.claim({ ...request, leaseMs: request.leaseMs + 5_000 }),
      renew: (request) => data.renew({ ...request, leaseMs: request.leaseMs + 5_000 }),
    }),
  },
  {
    name: "counts leases by a clock that is five seconds slow",
    clause: "S21",
    rules: () => (data) => ({
      ...data,
      claim: (request) => data.claim({ ...request, leaseMs: Math.max(1, request.leaseMs - 5_000) }),
      renew: (request) => data.renew({ ...request, leaseMs: Math.max(1, request.leaseMs - 5_000) }),
    }),
  },
  {
    name: "never moves the end of a lease to an earlier time",
    clause: "S21",
    rules: () => (data) => ({
      ...data,
      async renew(request) {
        const run = await runOfRequest(data, request);
        const leftMs = (run?.leaseExpiresAtMs ?? 0) - Date.now();
        return data.renew({ ...request, leaseMs: Math.max(request.leaseMs, leftMs) });
      },
    }),
  },
];
