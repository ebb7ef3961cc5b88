import { RunEventsError } from "@tm/run-events-core";
import type { RunName, RunRecord } from "@tm/run-events-core/store";
import type { KitStore } from "../kit-store.ts";
import { assert, assertEqual, show } from "../assert.ts";
import { LONG_MS, untilExpired } from "../lease.ts";
import { judgeAppend, judgeCreation, judgeDeletion, judgeHead, judgeRead } from "../model/judge.ts";
import { judgeEndDue, judgeWaits } from "../model/judge-due.ts";
import { claimRequest, judgeClaim, judgeRelease, judgeRenewal } from "../model/judge-lease.ts";
import { judgeListed, judgePurged } from "../model/judge-many.ts";
import type { AppendOutcome, DueKind } from "../core-calls.ts";
import { turns } from "../turns.ts";
import type { StoreModel } from "../model/run-model.ts";
import type { Answered, Asked, Part, RaceOperation } from "./operation.ts";
import { claimInput, requestOf, type SeenRun, UNSEEN } from "./race-request.ts";
import { LISTED_OWNER, type RaceAppend, type RaceStep, RUN_IDS } from "./race.ts";

/** Where the clients of a race run. */
export interface RacePlace {
  /** The prefix of every id and owner, so that many races run on one store. */
  readonly prefix: string;
  /** Counts the instants: no two are the same. */
  readonly now: () => number;
  /** Whether a driver may have sent a call again by itself, so that its answer may be the second one. */
  readonly mayRepeat: boolean;
  /** Gets what the calls came to. */
  readonly operations: RaceOperation[];
}

/** Outcomes that a call also has if it had an effect before, and was sent again beneath the store. */
const SECOND_OUTCOMES: ReadonlySet<unknown> = new Set([
  "replayed",
  "existing",
  "claimed",
  "fenced",
  "finished",
]);

/** One client of a race. */
export class RaceClient {
  readonly #name: string;
  readonly #store: KitStore;
  readonly #place: RacePlace;
  readonly #seen: Map<string, SeenRun>;
  readonly #nextName: () => string;

  /** @param seen what it was shown before the race */
  constructor(
    name: string,
    store: KitStore,
    place: RacePlace,
    seen: ReadonlyMap<string, SeenRun> = new Map(),
  ) {
    let count = 0;
    this.#name = name;
    this.#store = store;
    this.#place = place;
    this.#seen = new Map(seen);
    this.#nextName = () => `${name}.${(count += 1)}`;
  }

  get seen(): ReadonlyMap<string, SeenRun> {
    return this.#seen;
  }

  async run(steps: readonly RaceStep[]): Promise<void> {
    for (const step of steps) await this.step(step);
  }

  /** @throws what the store throws; what a call without an answer may have done is recorded then */
  async step(step: RaceStep): Promise<void> {
    if (step.call === "pause") return turns(step.turns);
    const { shows } = await this.make(this.#asked(step));
    if (step.call !== "claim" || step.length !== "short") return;
    for (const { runId = "", leaseExpiresAtMs } of shows) {
      if (leaseExpiresAtMs) await untilExpired(this.#store, { runId, leaseExpiresAtMs });
    }
  }

  /** Makes a call, and records what came of it. */
  async make(asked: Asked): Promise<Answered> {
    const begunAt = this.#place.now();
    try {
      const answered = await asked.ask(this.#store);
      this.#record(asked, answered.parts, { begunAt, endedAt: this.#place.now() });
      this.#learn(answered);
      return answered;
    } catch (error) {
      const mayHaveLanded = !(error instanceof RunEventsError) || error.ambiguous;
      if (mayHaveLanded) this.#record(asked, asked.unanswered, { begunAt, endedAt: Infinity });
      throw error;
    }
  }

  #asked(step: Exclude<RaceStep, { readonly call: "pause" }>): Asked {
    switch (step.call) {
      case "createRun":
        return this.#create(step);
      case "append":
        return this.#append(step.requests);
      case "read":
        return this.#read(step);
      case "getRun":
        return this.#getRun(step.runId);
      case "claim":
        return this.#claim(step);
      case "renew":
        return this.#renew(step.runId);
      case "release":
        return this.#release(step.runId);
      case "deleteRun":
        return this.#delete(step.runId);
      case "endDue":
        return this.#endDue(step);
      case "listDue":
        return this.#listDue(step.due);
      case "purge":
        return this.#purge(step.limit);
      case "listRuns":
        return this.#list(step);
    }
  }

  #create(step: Extract<RaceStep, { readonly call: "createRun" }>): Asked {
    const { topic } = step;
    const runId = this.#own(step.runId);
    const run = {
      runId,
      ownerId: this.#own(step.ownerId),
      metadata: show(this.#nextName()),
      topic,
      exclusive: step.exclusive && topic !== null,
    };
    const claim = step.claim === null ? null : claimInput(step.claim, this.#nextName);
    const request = claim === null ? run : { ...run, claim: claimRequest(claim) };
    return one(
      { call: "createRun", asked: request, isKeyed: claim !== null && claim.claimKey !== null },
      (store) => store.createRun(request),
      (model, answer) => void judgeCreation(model, run, claim, answer),
    );
  }

  #append(appends: readonly RaceAppend[]): Asked {
    const requests = appends.map((append) => {
      const name = this.#runOf(append.runId);
      return requestOf(append, name, this.#seenOf(name.runId), this.#nextName);
    });
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
        const shows = requests.map(({ runId }, at) => ({ runId, ...outcomes[at] }));
        return { parts: partsOf(outcomes), shows };
      },
    };
  }

  #read(step: Extract<RaceStep, { readonly call: "read" }>): Asked {
    const name = this.#runOf(step.runId);
    const since = step.from === "seen" ? this.#seenOf(name.runId).lastSequence : 0;
    const query = { ...name, since, limit: step.limit, maxBytes: 1_000_000 };
    return one(
      { call: "read", asked: query },
      async (store) => (await store.read([query]))[0] ?? "no run",
      (model, page) => page && judgeRead(model, query, page === "no run" ? null : page),
    );
  }

  #getRun(id: string): Asked {
    const name = this.#runOf(id);
    return one(
      { call: "getRun", asked: name },
      async (store) => (await store.getRun(name.runId, name.ownerId)) ?? "no run",
      (model, run) => run && judgeHead(model, name, run === "no run" ? null : run),
    );
  }

  #claim(step: Extract<RaceStep, { readonly call: "claim" }>): Asked {
    const name = this.#runOf(step.runId);
    const input = claimInput(step, this.#nextName);
    const request = { ...name, ...claimRequest(input) };
    return one(
      { call: "claim", asked: request, isKeyed: input.claimKey !== null },
      (store) => store.claim(request),
      (model, answer) => void judgeClaim(model, name, input, answer),
    );
  }

  #renew(id: string): Asked {
    const asked = this.#askedFence(id);
    return one(
      { call: "renew", asked },
      (store) => store.renew({ ...asked, leaseMs: LONG_MS }),
      (model, answer) => void judgeRenewal(model, asked, "long", answer),
    );
  }

  #release(id: string): Asked {
    const asked = this.#askedFence(id);
    return one(
      { call: "release", asked },
      (store) => store.release(asked),
      (model, answer) => judgeRelease(model, asked, answer),
    );
  }

  #delete(id: string): Asked {
    const name = this.#runOf(id);
    return one(
      { call: "deleteRun", asked: name },
      (store) => store.deleteRun(name.runId, name.ownerId),
      (model, answer) => judgeDeletion(model, name, answer),
    );
  }

  #endDue({ runId, kind }: Extract<RaceStep, { readonly call: "endDue" }>): Asked {
    const name = this.#runOf(runId);
    const limit = { kind, limitMs: 0 };
    return one(
      { call: `endDue ${kind}`, asked: name },
      (store) => store.endDue(name, limit),
      (model, answer) => judgeEndDue(model, name, limit, answer),
    );
  }

  /** Each run that is listed waits for this at some instant of the call. What is missing may not be due yet. */
  #listDue(due: DueKind): Asked {
    const ask = async (store: KitStore): Promise<Answered> => {
      const runs = await store.listDue({ due, forMs: 0, limit: 1_000 });
      const own = runs.filter(({ runId }) => this.#runIds().includes(runId));
      const parts = own.map((run): Part => ({
        text: textOf("listDue", due, run),
        runId: run.runId,
        judge: (model) => judgeWaits(model, run, due),
      }));
      return { parts, shows: own };
    };
    return { isKeyed: false, unanswered: [], ask };
  }

  /** Each removal takes effect by itself. An empty answer says nothing: others may have removed what it found. */
  #purge(limit: number): Asked {
    const ask = async (store: KitStore): Promise<Answered> => {
      const gone = await store.purge({ finishedForMs: 0, limit });
      assert(gone.length <= limit, `a purge removes ${limit} runs at most, got ${gone.length}`);
      const own = gone.filter(({ runId }) => this.#runIds().includes(runId));
      const parts = own.map((name): Part => ({
        text: textOf("purge", limit, gone),
        runId: name.runId,
        judge: (model) => judgePurged(model, name),
      }));
      return { parts, shows: [] };
    };
    return { isKeyed: false, unanswered: [], ask };
  }

  /** Each run is in the list as it was at some instant of the call, or missing because it did not belong there at some instant. */
  #list({ topic, runStatus }: Extract<RaceStep, { readonly call: "listRuns" }>): Asked {
    const query = { ownerId: this.#own(LISTED_OWNER), runStatus, topic, before: null, limit: 100 };
    const ask = async (store: KitStore): Promise<Answered> => {
      const runs = await store.listRuns(query);
      const ordinals = runs.map(({ ordinal }) => ordinal);
      const expected = [...new Set(ordinals)].toSorted((a, b) => b - a);
      assertEqual(ordinals, expected, "the ordinals of a list, each once, in order");
      const parts = this.#runIds().map((runId): Part => {
        const listed = runs.find((run) => run.runId === runId) ?? null;
        return {
          text: textOf("listRuns", query, listed ?? `without ${runId}`),
          runId,
          judge: (model) => judgeListed(model, query, runId, listed),
        };
      });
      return { parts, shows: runs };
    };
    return { isKeyed: false, unanswered: [], ask };
  }

  #askedFence(name: string): RunName & { readonly fence: number } {
    const run = this.#runOf(name);
    return { ...run, fence: this.#seenOf(run.runId).fence };
  }

  #record(
    asked: Asked,
    parts: readonly Part[],
    times: Pick<RaceOperation, "begunAt" | "endedAt">,
  ): void {
    let before: RaceOperation | null = null;
    for (const [at, { isOrdered = false, ...part }] of parts.entries()) {
      const after: RaceOperation | null = isOrdered ? before : null;
      const isSecond = this.#place.mayRepeat && SECOND_OUTCOMES.has(part.outcome);
      const judgeFirst = isSecond ? (asked.unanswered[at]?.judge ?? null) : null;
      before = { client: this.#name, asked, ...part, ...times, after, judgeFirst };
      this.#place.operations.push(before);
    }
  }

  #learn({ shows }: Answered): void {
    for (const { runId = "", lastSequence, fence } of shows) {
      const known = this.#seenOf(runId);
      this.#seen.set(runId, {
        lastSequence: lastSequence ?? known.lastSequence,
        fence: fence ?? known.fence,
      });
    }
  }

  #seenOf(runId: string): SeenRun {
    return this.#seen.get(runId) ?? UNSEEN;
  }

  /** A run of the listed owner. */
  #runOf(name: string): RunName {
    return { ownerId: this.#own(LISTED_OWNER), runId: this.#own(name) };
  }

  #runIds(): readonly string[] {
    return RUN_IDS.map((name) => this.#own(name));
  }

  #own(name: string): string {
    return `${this.#place.prefix}${name}`;
  }
}

/** A call that is about one run. */
interface OfRun extends Partial<Pick<Asked, "isKeyed">> {
  readonly call: string;
  readonly asked: { readonly runId: string; readonly topic?: string | null };
}

/** @param judge gets `null` if the answer is not known */
function one<Answer>(
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

/** What a line of a failure does not show: the model says which fields differ. */
const HIDDEN: ReadonlySet<string> = new Set([
  ...["ownerId", "metadata", "change", "ordinal", "worker"],
  ...["createdAtMs", "updatedAtMs", "maxBytes"],
]);

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

/** What the answer to a call about a run shows of it. */
function shownIn(answer: unknown): readonly RunRecord[] {
  if (typeof answer !== "object" || answer === null) return [];
  if ("run" in answer) return [answer.run as RunRecord];
  return "runId" in answer && "lastSequence" in answer ? [answer as RunRecord] : [];
}
