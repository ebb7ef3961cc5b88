import { setTimeout } from "node:timers/promises";
import type { CreateRunRequest } from "@tm/run-events-core/store";
import type { Entry } from "./journal.ts";
import type { ProcessMutant } from "./process-mutant.ts";

/** In here it dies, as a rule. */
const BETWEEN_MS = 10;
/** How long it waits for a run that is to have a place. */
const WAITED_MS = 1_000;
const LOOK_AGAIN_MS = 5;
const MINUTE_MS = 60_000;

/** An entry as a store has it that forgets under which key a run was created and claimed. */
function withoutStartKey(entry: Entry): Entry {
  if (!("create" in entry) || !entry.create.claim) return entry;
  const { claimKey: _, ...claim } = entry.create.claim;
  return { ...entry, create: { ...entry.create, claim } };
}

/** The slot in which the place of a topic is kept for a run that is to be created. */
function placeSlot({ topic }: CreateRunRequest): string {
  return `place of ${topic}`;
}

/** Stores that create and end exclusive runs, or runs with a claim, wrongly when processes die or their clocks are turned. */
export const startMutants: readonly ProcessMutant[] = [
  {
    name: "keeps a topic's place for a process that died before it created the run",
    clause: "S25",
    says: /S25 is broken: .*a creation was refused for .*, and there is no such run/,
    spoil(store, journal) {
      const { createRun } = store;
      store.createRun = async (request) => {
        if (!request.exclusive) return createRun(request);
        const slot = placeSlot(request);
        const giveUpAtMs = Date.now() + WAITED_MS;
        for (;;) {
          try {
            journal.keep(slot, request.runId);
            break;
          } catch {
            const holder = new Map(journal.kept()).get(slot);
            if (typeof holder !== "string") continue;
            if (Date.now() > giveUpAtMs && (await store.getRun(holder)) === null) {
              return { outcome: "topic_busy", runId: holder };
            }
            await setTimeout(LOOK_AGAIN_MS);
          }
        }
        await setTimeout(BETWEEN_MS);
        const answer = await createRun(request);
        journal.drop(slot);
        return answer;
      };
    },
  },
  {
    name: "forgets whose places are taken when it is opened again",
    clause: "S25",
    says: /S25 is broken: .* were live at once/,
    spoil: (store) =>
      store.catchUp((entry) =>
        "create" in entry ? { ...entry, create: { ...entry.create, topic: null } } : entry,
      ),
  },
  {
    name: "takes a run for dead whose creation is long ago by the clock of its process",
    clause: "S25",
    says: /S25 is broken: [^]*another run before the end/,
    spoil(store) {
      const { createRun } = store;
      store.createRun = async (request) => {
        const answer = await createRun(request);
        if (answer.outcome !== "topic_busy") return answer;
        const holder = await store.getRun(answer.runId);
        const isOld = Date.now() > (holder?.createdAtMs ?? Infinity) + MINUTE_MS;
        return isOld ? createRun({ ...request, exclusive: false }) : answer;
      };
    },
  },
  {
    name: "creates a run in one entry and claims it in another",
    clause: "S26",
    says: /S26 is broken: .* was seen without the lease that it was created with/,
    spoil(store) {
      const { createRun } = store;
      store.createRun = async (request) => {
        const { claim, ...unclaimed } = request;
        const created = await createRun(unclaimed);
        if (!claim || created.outcome !== "created") return created;
        await setTimeout(BETWEEN_MS);
        return { ...(await createRun(request)), outcome: "created" } as typeof created;
      };
    },
  },
  {
    name: "forgets under which keys runs were created when it is opened again",
    clause: "S26",
    says: /S26 is broken: the creation of .* was sent again under its key and answered claimed/,
    spoil: (store) => store.catchUp(withoutStartKey),
  },
  {
    name: "gives a creation that another process sends again another lease",
    clause: "S26",
    says: /S26 is broken: the creation of .* got fence \d+, and when it was sent again \d+/,
    spoil(store) {
      const own = new Set<string>();
      const { createRun } = store;
      store.createRun = async (request) => {
        const answer = await createRun(request);
        if (answer.outcome === "created") own.add(request.runId);
        if (answer.outcome !== "existing" || !request.claim || own.has(request.runId))
          return answer;
        own.add(request.runId);
        const { runId, fence } = answer.run;
        await store.release({ runId, ownerId: null, fence });
        return createRun(request);
      };
    },
  },
  {
    name: "does not list expired runs that another process created with a claim",
    clause: "S26",
    says: /the lease of .* to have expired/,
    spoil(store) {
      const own = new Set<string>();
      const { createRun, listExpired } = store;
      store.createRun = (request) => {
        if (request.claim) own.add(request.runId);
        return createRun(request);
      };
      store.listExpired = async (query) =>
        (await listExpired(query)).filter((runId) => own.has(runId));
    },
  },
  {
    name: "counts the lease of a new run by the clock of its process",
    clause: "S26",
    says: /S26 is broken: [^]*how long the lease lasts/,
    spoil(store, journal) {
      const { createRun } = store;
      store.createRun = (request) => {
        if (!request.claim) return createRun(request);
        const leaseMs = Math.max(1, request.claim.leaseMs + Date.now() - journal.now());
        return createRun({ ...request, claim: { ...request.claim, leaseMs } });
      };
    },
  },
];
