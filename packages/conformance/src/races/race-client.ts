import { RunEventsError } from "@tm/run-events-core";
import type { RunName } from "@tm/run-events-core/store";
import { show } from "../assert.ts";
import type { AppendRequest } from "../core-calls.ts";
import type { KitStore } from "../kit-store.ts";
import { LONG_MS, untilExpired } from "../lease.ts";
import { judgeCreation, judgeDeletion, judgeHead, judgeRead } from "../model/judge.ts";
import { judgeEndDue } from "../model/judge-due.ts";
import { claimRequest, judgeClaim, judgeRelease, judgeRenewal } from "../model/judge-lease.ts";
import { turns } from "../turns.ts";
import type { Answered, Asked, Part, RaceOperation } from "./operation.ts";
import { appendCall, callOfRun, listCall, listDueCall, purgeCall } from "./race-calls.ts";
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
        return appendCall(step.requests.map((one) => this.#requestOf(one)));
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
        return listDueCall(step.due, this.#runIds());
      case "purge":
        return purgeCall(step.limit, this.#runIds());
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
    return callOfRun(
      { call: "createRun", asked: request, isKeyed: claim !== null && claim.claimKey !== null },
      (store) => store.createRun(request),
      (model, answer) => void judgeCreation(model, run, claim, answer),
    );
  }

  #list({ topic, runStatus }: Extract<RaceStep, { readonly call: "listRuns" }>): Asked {
    return listCall({ ownerId: this.#own(LISTED_OWNER), topic, runStatus }, this.#runIds());
  }

  #requestOf(append: RaceAppend): AppendRequest & RunName {
    const name = this.#runOf(append.runId);
    // As core does where a command may be sent twice: without a key it could land twice.
    const key = append.key ?? (this.#place.mayRepeat ? "own" : null);
    return requestOf({ ...append, key }, name, this.#seenOf(name.runId), this.#nextName);
  }

  #read(step: Extract<RaceStep, { readonly call: "read" }>): Asked {
    const name = this.#runOf(step.runId);
    const since = step.from === "seen" ? this.#seenOf(name.runId).lastSequence : 0;
    const query = { ...name, since, limit: step.limit, maxBytes: 1_000_000 };
    return callOfRun(
      { call: "read", asked: query },
      async (store) => (await store.read([query]))[0] ?? "no run",
      (model, page) => page && judgeRead(model, query, page === "no run" ? null : page),
    );
  }

  #getRun(id: string): Asked {
    const name = this.#runOf(id);
    return callOfRun(
      { call: "getRun", asked: name },
      async (store) => (await store.getRun(name.runId, name.ownerId)) ?? "no run",
      (model, run) => run && judgeHead(model, name, run === "no run" ? null : run),
    );
  }

  #claim(step: Extract<RaceStep, { readonly call: "claim" }>): Asked {
    const name = this.#runOf(step.runId);
    const input = claimInput(step, this.#nextName);
    const request = { ...name, ...claimRequest(input) };
    return callOfRun(
      { call: "claim", asked: request, isKeyed: input.claimKey !== null },
      (store) => store.claim(request),
      (model, answer) => void judgeClaim(model, name, input, answer),
    );
  }

  #renew(id: string): Asked {
    const asked = this.#askedFence(id);
    return callOfRun(
      { call: "renew", asked },
      (store) => store.renew({ ...asked, leaseMs: LONG_MS }),
      (model, answer) => void judgeRenewal(model, asked, "long", answer),
    );
  }

  #release(id: string): Asked {
    const asked = this.#askedFence(id);
    return callOfRun(
      { call: "release", asked },
      (store) => store.release(asked),
      (model, answer) => judgeRelease(model, asked, answer),
    );
  }

  #delete(id: string): Asked {
    const name = this.#runOf(id);
    return callOfRun(
      { call: "deleteRun", asked: name },
      (store) => store.deleteRun(name.runId, name.ownerId),
      (model, answer) => judgeDeletion(model, name, answer),
    );
  }

  #endDue({ runId, kind }: Extract<RaceStep, { readonly call: "endDue" }>): Asked {
    const name = this.#runOf(runId);
    const limit = { kind, limitMs: 0 };
    return callOfRun(
      { call: `endDue ${kind}`, asked: name },
      (store) => store.endDue(name, limit),
      (model, answer) => judgeEndDue(model, name, limit, answer),
    );
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
