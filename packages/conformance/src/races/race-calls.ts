import type { RunName, RunRecord } from "@tm/run-events-core/store";
import { assert, assertEqual, show } from "../assert.ts";
import type { AppendOutcome, AppendRequest } from "../core-calls.ts";
import type { KitStore } from "../kit-store.ts";
import { LONG_MS } from "../lease.ts";
import * as judges from "../model/judge.ts";
import { judgeEndDue, judgeWaits } from "../model/judge-due.ts";
import * as leases from "../model/judge-lease.ts";
import type { StoreModel } from "../model/run-model.ts";
import type { Answered, Asked, Part } from "./operation.ts";
import { LISTED_OWNER, type RaceStep } from "./race.ts";
import { type Caller, fenceOf, keyOf, nameOf, requestOf } from "./race-request.ts";

type StepOf<Call extends RaceStep["call"]> = Extract<RaceStep, { readonly call: Call }>;

/** The call of a step. */
export function askedOf(step: Exclude<RaceStep, StepOf<"pause">>, caller: Caller): Asked {
  const name = "runId" in step ? nameOf(caller, step) : { ownerId: "", runId: "" };
  switch (step.call) {
    case "createRun": {
      const asked = creationOf(step, name, caller);
      return ofRun(step.call, asked, (store) => store.createRun(asked), judges.judgeCreation);
    }
    case "claim": {
      const asked = { ...name, ...leases.claimOf(step, keyOf(step.claimKey, caller)) };
      return ofRun(step.call, asked, (store) => store.claim(asked), leases.judgeClaim);
    }
    case "renew": {
      const { length } = step;
      const leaseMs = leases.leaseMsOf(length);
      const asked = { ...name, fence: fenceOf(step, name, caller), leaseMs, length };
      return ofRun(step.call, asked, (store) => store.renew(asked), leases.judgeRenewal);
    }
    case "release": {
      const asked = { ...name, fence: fenceOf(step, name, caller) };
      return ofRun(step.call, asked, (store) => store.release(asked), leases.judgeRelease);
    }
    case "deleteRun":
      return ofRun(
        step.call,
        name,
        (store) => store.deleteRun(name.runId, name.ownerId),
        judges.judgeDeletion,
      );
    case "endDue": {
      const asked = { ...name, kind: step.kind, limitMs: AGES_MS[step.age] };
      return ofRun(step.call, asked, (store) => store.endDue(name, asked), judgeEndDue);
    }
    case "append":
      return appendCall(step.requests.map((one) => requestOf(one, caller)));
    case "getRun":
    case "read":
    case "listRuns":
    case "listDue":
    case "purge":
      // These change nothing, or nothing is known of their effect without an answer.
      return { isKeyed: false, unanswered: [], ask: (store) => look(step, store, caller) };
  }
}

const AGES_MS = { any: 0, long: LONG_MS };

function creationOf(
  { topic, exclusive, claim, metadata }: StepOf<"createRun">,
  name: RunName,
  caller: Caller,
): judges.NewRun {
  const run = {
    ...name,
    metadata: metadata ?? show(caller.nextName()),
    topic,
    exclusive: exclusive && topic !== null,
  };
  if (claim === null) return run;
  return { ...run, claim: leases.claimOf(claim, keyOf(claim.claimKey, caller)) };
}

type Look = StepOf<"getRun" | "read" | "listRuns" | "listDue" | "purge">;

async function look(step: Look, store: KitStore, caller: Caller): Promise<Answered> {
  switch (step.call) {
    case "getRun":
      return getRun(nameOf(caller, step), store);
    case "read":
      return readAll(step, store, caller);
    case "listRuns":
      return listAll(step, store, caller);
    case "listDue":
      return listDue(step, store, caller);
    case "purge":
      return purge(step, store, caller);
  }
}

/** A call about one run, which has one effect at the most. @param judge gets `null` if the answer is not known */
function ofRun<
  About extends RunName & { readonly claim?: Keyed; readonly topic?: string | null },
  Answer,
>(
  call: string,
  asked: About & Keyed,
  ask: (store: KitStore) => Promise<Answer>,
  judge: (model: StoreModel, asked: About, answer: Answer | null) => void,
): Asked {
  const part = (answer: Answer | null): Part =>
    partOf(call, asked, answer, (model) => judge(model, asked, answer));
  return {
    isKeyed: (asked.claim ?? asked).claimKey !== undefined,
    unanswered: [part(null)],
    async ask(store) {
      const answer = await ask(store);
      return { parts: [part(answer)], shows: shownIn(answer) };
    },
  };
}

interface Keyed {
  readonly claimKey?: string;
}

/** Requests take effect one by one, those of one run in their order. */
function appendCall(requests: readonly (AppendRequest & RunName)[]): Asked {
  const partsOf = (outcomes: readonly (AppendOutcome | null)[]): readonly Part[] =>
    requests.map((request, at) => {
      const outcome = outcomes[at] ?? null;
      const judge = (model: StoreModel): void => judges.judgeAppend(model, request, outcome);
      const isOrdered = requests[at - 1]?.runId === request.runId;
      return { ...partOf("append", request, outcome, judge), isOrdered };
    });
  return {
    isKeyed: requests.every(({ idempotencyKey }) => idempotencyKey !== null),
    unanswered: partsOf([]),
    async ask(store) {
      const outcomes = await store.append(requests);
      assertEqual(outcomes.length, requests.length, "the number of outcomes");
      const shows = requests.flatMap(({ ownerId, runId }, at) => {
        const outcome = outcomes[at];
        // A replay shows the head of before.
        return outcome?.outcome === "replayed" ? [] : [{ ownerId, runId, ...outcome }];
      });
      return { parts: partsOf(outcomes), shows };
    },
  };
}

async function getRun(name: RunName, store: KitStore): Promise<Answered> {
  const run = await store.getRun(name.runId, name.ownerId);
  const judge = (model: StoreModel): void => judges.judgeHead(model, name, run);
  return {
    parts: [partOf("getRun", name, run ?? "no run", judge)],
    shows: run === null ? [] : [run],
  };
}

/** Each query is answered as of an instant of its own. */
async function readAll(
  { queries }: StepOf<"read">,
  store: KitStore,
  caller: Caller,
): Promise<Answered> {
  const asked = queries.map(({ from, limit, maxBytes = 1_000_000, ...run }) => {
    const name = nameOf(caller, run);
    const since = from === "start" ? 0 : Math.max(0, caller.seenOf(name).lastSequence + from);
    return { ...name, since, limit, maxBytes };
  });
  const pages = await store.read(asked);
  assertEqual(pages.length, asked.length, "the number of answers");
  const parts = asked.map((query, at) => {
    const page = pages[at] ?? null;
    const judge = (model: StoreModel): void => judges.judgeRead(model, query, page);
    return partOf("read", query, page ?? "no run", judge);
  });
  return { parts, shows: pages.flatMap((page) => page?.run ?? []) };
}

/** Each run is in the list as it was at some instant of the call, or missing because it did not belong there at some instant. */
async function listAll(
  { ownerId = LISTED_OWNER, topic, runStatus, limit = 100 }: StepOf<"listRuns">,
  store: KitStore,
  { own, runIds }: Caller,
): Promise<Answered> {
  const asked = { ownerId: own(ownerId), topic, runStatus };
  const runs: RunRecord[] = [];
  // Every run is before the largest ordinal.
  const first = limit === 1 ? Number.MAX_SAFE_INTEGER : null;
  for (;;) {
    const before = runs.at(-1)?.ordinal ?? first;
    const page = await store.listRuns({ ...asked, before, limit });
    assert(page.length <= limit, `a page has ${limit} runs at most, got ${page.length}`);
    runs.push(...page);
    // A store that repeats a page would be asked for ever.
    const isFurther = before === null || (page[0]?.ordinal ?? 0) < before;
    if (page.length < limit || !isFurther) break;
  }
  const ordinals = runs.map(({ ordinal }) => ordinal);
  const expected = [...new Set(ordinals)].toSorted((a, b) => b - a);
  assertEqual(ordinals, expected, "the ordinals of a list, each once, in order");
  const others = runs.filter(({ runId }) => !runIds.includes(runId));
  assertEqual(others, [], "the runs of the list that none has created");
  const parts = runIds.map((runId) => {
    const listed = runs.find((run) => run.runId === runId) ?? null;
    const judge = (model: StoreModel): void => judges.judgeListed(model, asked, runId, listed);
    return { ...partOf("listRuns", asked, listed ?? `without ${runId}`, judge), runId };
  });
  return { parts, shows: runs };
}

/** Each listed run waited for this at some instant of the call. A run that is missing may not be due yet. */
async function listDue(
  { due, limit = 1_000 }: StepOf<"listDue">,
  store: KitStore,
  { runIds }: Caller,
): Promise<Answered> {
  const runs = await store.listDue({ due, forMs: 0, limit });
  assert(runs.length <= limit, `a list has ${limit} due runs at most, got ${runs.length}`);
  const own = runs.filter(({ runId }) => runIds.includes(runId));
  const parts = own.map((run) =>
    partOf("listDue", run, due, (model) => judgeWaits(model, run, due)),
  );
  return { parts, shows: own };
}

/** Each removal takes effect by itself. An empty answer says nothing: others may have removed what it found. */
async function purge(
  { limit }: StepOf<"purge">,
  store: KitStore,
  { runIds }: Caller,
): Promise<Answered> {
  const gone = await store.purge({ finishedForMs: 0, limit });
  assert(gone.length <= limit, `a purge removes ${limit} runs at most, got ${gone.length}`);
  const own = gone.filter(({ runId }) => runIds.includes(runId));
  const parts = own.map((run) =>
    partOf("purge", run, "gone", (model) => judges.judgePurged(model, run)),
  );
  return { parts, shows: [] };
}

/** Fields that a line of a failure leaves out: the model says which fields differ. */
const HIDDEN: ReadonlySet<string> = new Set(
  "ownerId metadata ordinal worker length createdAtMs updatedAtMs maxBytes".split(" "),
);

/** A part of a call, with a line for a failure, which leaves out what is hidden or `null`. */
function partOf(call: string, asked: object, answer: unknown, judge: Part["judge"]): Part {
  const brief = (value: unknown): string =>
    JSON.stringify(value, (key, part: unknown) =>
      part === null || HIDDEN.has(key) ? undefined : part,
    );
  const { runId = "", topic = null } = asked as Partial<Pick<Part, "runId" | "topic">>;
  const { outcome } = (answer ?? {}) as Pick<Part, "outcome">;
  const text = `${call} ${brief(asked)}${answer === null ? "" : ` = ${brief(answer)}`}`;
  return { text, runId, topic, outcome, judge };
}

/** The state of a run in the answer to a call about it. */
function shownIn(answer: unknown): readonly RunRecord[] {
  return typeof answer === "object" && answer !== null && "run" in answer
    ? [answer.run as RunRecord]
    : [];
}
