import type { OwnerQuery, RunName, RunRecord } from "@tm/run-events-core/store";
import { assert, assertEqual } from "../assert.ts";
import type { AppendOutcome, AppendRequest, DueKind } from "../core-calls.ts";
import type { KitQuery, KitStore } from "../kit-store.ts";
import { judgeAppend, judgeListed, judgePurged, judgeRead } from "../model/judge.ts";
import { judgeWaits } from "../model/judge-due.ts";
import type { StoreModel } from "../model/run-model.ts";
import { type AgedRuns, askAged } from "./ask-aged.ts";
import type { Answered, Asked, Part } from "./operation.ts";

/** A call that is about one run. */
interface OfRun extends Partial<Pick<Asked, "isKeyed">> {
  readonly call: string;
  readonly asked: { readonly runId: string; readonly topic?: string | null };
}

/** A call that has one effect at the most. @param judge gets `null` if the answer is not known */
export function callOfRun<Answer>(
  { call, asked, isKeyed = false }: OfRun,
  ask: (store: KitStore) => Promise<Answer>,
  judge: (model: StoreModel, answer: Answer | null) => void,
): Asked {
  const { runId, topic = null } = asked;
  const partOf = (answer: Answer | null): Part => ({
    text: textOf(call, asked, answer),
    runId,
    topic,
    outcome: outcomeOf(answer),
    judge: (model) => judge(model, answer),
  });
  return {
    isKeyed,
    unanswered: [partOf(null)],
    async ask(store) {
      const answer = await ask(store);
      return { parts: [partOf(answer)], shows: shownIn(answer) };
    },
  };
}

/** Requests take effect one by one, those of one run in their order. */
export function appendCall(requests: readonly (AppendRequest & RunName)[]): Asked {
  const partsOf = (outcomes: readonly (AppendOutcome | null)[]): readonly Part[] =>
    requests.map((request, at) => ({
      text: textOf("append", request, outcomes[at] ?? null),
      runId: request.runId,
      outcome: outcomes[at]?.outcome,
      judge: (model) => judgeAppend(model, request, outcomes[at]),
      isOrdered: requests[at - 1]?.runId === request.runId,
    }));
  return {
    isKeyed: requests.every(({ idempotencyKey }) => idempotencyKey !== null),
    unanswered: partsOf(requests.map(() => null)),
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

/** A query for a run's events. */
export type NamedQuery = KitQuery & RunName;

/** Each query is answered as of an instant of its own. */
export function readCall(queries: readonly NamedQuery[]): Asked {
  return unkeyed(async (store) => {
    const pages = await store.read(queries);
    assertEqual(pages.length, queries.length, "the number of answers");
    const parts = queries.map((query, at): Part => {
      const page = pages[at] ?? null;
      return {
        text: textOf("read", query, page ?? "no run"),
        runId: query.runId,
        judge: (model) => judgeRead(model, query, page),
      };
    });
    return { parts, shows: pages.flatMap((page) => page?.run ?? []) };
  });
}

/** A call that changes nothing, or of which nothing is known without an answer. */
function unkeyed(ask: Asked["ask"]): Asked {
  return { isKeyed: false, unanswered: [], ask };
}

/**
 * Each run that is listed waits for this at some instant of the call. What is missing may not be due yet.
 * @param runIds those of the race
 */
export function listDueCall(
  { due, limit = 1_000 }: { readonly due: DueKind; readonly limit?: number },
  runIds: readonly string[],
  aged: AgedRuns | null,
): Asked {
  return unkeyed(async (store) => {
    const runs = await askAged(store, { due, limit, aged }, (forMs) =>
      store.listDue({ due, forMs, limit }),
    );
    const own = runs.filter(({ runId }) => runIds.includes(runId));
    const parts = own.map((run): Part => ({
      text: textOf("listDue", due, run),
      runId: run.runId,
      judge: (model) => judgeWaits(model, run, due),
    }));
    return { parts, shows: own };
  });
}

/**
 * Each removal takes effect by itself. An empty answer says nothing: others may have removed what it found.
 * @param runIds those of the race
 */
export function purgeCall(limit: number, runIds: readonly string[], aged: AgedRuns | null): Asked {
  return unkeyed(async (store) => {
    const gone = await askAged(store, { due: "finished", aged }, (finishedForMs) =>
      aged === null
        ? purgeSome(store, finishedForMs, limit)
        : purgeAll(store, finishedForMs, limit),
    );
    const own = gone.filter(({ runId }) => runIds.includes(runId));
    const parts = own.map((name): Part => ({
      text: textOf("purge", limit, gone),
      runId: name.runId,
      judge: (model) => judgePurged(model, name),
    }));
    return { parts, shows: [] };
  });
}

async function purgeSome(
  store: KitStore,
  finishedForMs: number,
  limit: number,
): Promise<readonly RunName[]> {
  const gone = await store.purge({ finishedForMs, limit });
  assert(gone.length <= limit, `a purge removes ${limit} runs at most, got ${gone.length}`);
  return gone;
}

/** Removes runs until none is left. @returns them, in the order in which they were removed */
async function purgeAll(
  store: KitStore,
  finishedForMs: number,
  limit: number,
): Promise<readonly RunName[]> {
  const gone: RunName[] = [];
  for (;;) {
    const batch = await purgeSome(store, finishedForMs, limit);
    if (batch.length === 0) return gone;
    gone.push(...batch);
  }
}

/**
 * Each run is in the list as it was at some instant of the call, or missing because it did not belong there at some instant.
 * @param runIds those of the race
 */
export function listCall(
  asked: Pick<OwnerQuery, "ownerId" | "topic" | "runStatus">,
  runIds: readonly string[],
  limit = 100,
): Asked {
  return unkeyed(async (store): Promise<Answered> => {
    const runs: RunRecord[] = [];
    for (;;) {
      const before = runs.at(-1)?.ordinal ?? null;
      const page = await store.listRuns({ ...asked, before, limit });
      assert(page.length <= limit, `a page has ${limit} runs at most, got ${page.length}`);
      runs.push(...page);
      // A store that does not go on would answer for ever.
      const isFurther = before === null || (page[0]?.ordinal ?? 0) < before;
      if (page.length < limit || !isFurther) break;
    }
    const ordinals = runs.map(({ ordinal }) => ordinal);
    const expected = [...new Set(ordinals)].toSorted((a, b) => b - a);
    assertEqual(ordinals, expected, "the ordinals of a list, each once, in order");
    const others = runs.filter(({ runId }) => !runIds.includes(runId));
    assertEqual(others, [], "the runs of the list that none has created");
    const parts = runIds.map((runId): Part => {
      const listed = runs.find((run) => run.runId === runId) ?? null;
      return {
        text: textOf("listRuns", asked, listed ?? `without ${runId}`),
        runId,
        judge: (model) => judgeListed(model, asked, runId, listed),
      };
    });
    return { parts, shows: runs };
  });
}

/** Fields that a line of a failure leaves out: the model says which fields differ. */
const HIDDEN: ReadonlySet<string> = new Set(
  "ownerId metadata ordinal worker createdAtMs updatedAtMs maxBytes".split(" "),
);

/** A call as a line of a failure shows it: without what is hidden or `null`. */
function textOf(call: string, asked: unknown, answer: unknown): string {
  const brief = (value: unknown): string =>
    JSON.stringify(value, (key, part: unknown) =>
      part === null || HIDDEN.has(key) ? undefined : part,
    );
  return answer === null ? `${call} ${brief(asked)}` : `${call} ${brief(asked)} = ${brief(answer)}`;
}

function outcomeOf(answer: unknown): string | undefined {
  const { outcome } = (answer ?? {}) as { readonly outcome?: string };
  return outcome;
}

/** The state of a run in the answer to a call about it. */
function shownIn(answer: unknown): readonly RunRecord[] {
  if (typeof answer !== "object" || answer === null) return [];
  if ("run" in answer) return [answer.run as RunRecord];
  return "runId" in answer && "lastSequence" in answer ? [answer as RunRecord] : [];
}
