import { RunEventsError } from "@tm/run-events-core";
import { nameKey, type RunName } from "@tm/run-events-core/store";
import { show } from "../assert.ts";
import type { KitStore } from "../kit-store.ts";
import { LONG_MS } from "../lease.ts";
import { judgeCreation, judgeDeletion, judgeHead } from "../model/judge.ts";
import { judgeEndDue } from "../model/judge-due.ts";
import {
  claimRequest,
  judgeClaim,
  judgeRelease,
  judgeRenewal,
  leaseMsOf,
} from "../model/judge-lease.ts";
import { nextTurn } from "../next-turn.ts";
import { turns } from "../turns.ts";
import type { AgedRuns } from "./ask-aged.ts";
import type { Answered, Asked, Part, RaceOperation } from "./operation.ts";
import * as calls from "./race-calls.ts";
import { claimInput, requestOf, type SeenRun, UNSEEN } from "./race-request.ts";
import { LISTED_OWNER, type RaceQuery, type RaceRun, type RaceStep, RUN_IDS } from "./race.ts";

/** Where the clients of a race run. */
export interface RacePlace {
  /** The prefix of every id and owner, so that many races run on one store. */
  readonly prefix: string;
  /** The names of the runs, without the prefix. Default {@link RUN_IDS}. */
  readonly runIds?: readonly string[];
  /** Counts the instants: no two are the same. */
  readonly now: () => number;
  /** Whether a driver may have sent a call again by itself, so that its answer may be the second one. */
  readonly mayRepeat: boolean;
  /** Gets what the calls came to. */
  readonly operations: RaceOperation[];
}

type StepOf<Call extends RaceStep["call"]> = Extract<RaceStep, { readonly call: Call }>;

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

  /**
   * @returns the runs that the answer shows
   * @throws what the store throws; what a call without an answer may have done is recorded then
   */
  async step(step: RaceStep): Promise<Answered["shows"]> {
    if (step.call !== "pause") return (await this.make(this.#asked(step))).shows;
    await (step.turns === 0 ? nextTurn() : turns(step.turns));
    return [];
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

  /** A run as the store knows it. */
  nameOf({ runId, ownerId = LISTED_OWNER }: RaceRun): RunName {
    return { ownerId: this.#own(ownerId), runId: this.#own(runId) };
  }

  #asked(step: Exclude<RaceStep, StepOf<"pause">>): Asked {
    switch (step.call) {
      case "createRun":
        return this.#create(step);
      case "append":
        return this.#append(step);
      case "read":
        return calls.readCall(step.queries.map((query) => this.#queryOf(query)));
      case "getRun":
        return this.#getRun(step);
      case "claim":
        return this.#claim(step);
      case "renew":
        return this.#renew(step);
      case "release":
        return this.#release(step);
      case "deleteRun":
        return this.#delete(step);
      case "endDue":
        return this.#endDue(step);
      case "listDue":
        return calls.listDueCall(step, this.#runIds(), this.#aged(step));
      case "purge":
        return calls.purgeCall(step.limit, this.#runIds(), this.#aged(step));
      case "listRuns": {
        const { ownerId = LISTED_OWNER, topic, runStatus, limit } = step;
        const query = { ownerId: this.#own(ownerId), topic, runStatus };
        return calls.listCall(query, this.#runIds(), limit);
      }
    }
  }

  #create(step: StepOf<"createRun">): Asked {
    const { topic, metadata = show(this.#nextName()) } = step;
    const exclusive = step.exclusive && topic !== null;
    const run = { ...this.nameOf(step), metadata, topic, exclusive };
    const claim = step.claim === null ? null : claimInput(step.claim, this.#nextName);
    const request = claim === null ? run : { ...run, claim: claimRequest(claim) };
    return calls.callOfRun(
      { call: "createRun", asked: request, isKeyed: claim !== null && claim.claimKey !== null },
      (store) => store.createRun(request),
      (model, answer) => judgeCreation(model, run, claim, answer),
    );
  }

  #append({ requests }: StepOf<"append">): Asked {
    return calls.appendCall(
      requests.map((append) => {
        const name = this.nameOf(append);
        // As core does where a command may be sent twice: without a key it could land twice.
        const key = append.key ?? (this.#place.mayRepeat ? "own" : null);
        return requestOf({ ...append, key }, name, this.#seenOf(name), this.#nextName);
      }),
    );
  }

  #queryOf({ from, limit, maxBytes = 1_000_000, ...run }: RaceQuery): calls.NamedQuery {
    const name = this.nameOf(run);
    const since = from === "start" ? 0 : Math.max(0, this.#seenOf(name).lastSequence + from);
    return { ...name, since, limit, maxBytes };
  }

  #getRun(step: RaceRun): Asked {
    const name = this.nameOf(step);
    return calls.callOfRun(
      { call: "getRun", asked: name },
      async (store) => (await store.getRun(name.runId, name.ownerId)) ?? "no run",
      (model, run) => run && judgeHead(model, name, run === "no run" ? null : run),
    );
  }

  #claim(step: StepOf<"claim">): Asked {
    const name = this.nameOf(step);
    const input = claimInput(step, this.#nextName);
    const request = { ...name, ...claimRequest(input) };
    return calls.callOfRun(
      { call: "claim", asked: request, isKeyed: input.claimKey !== null },
      (store) => store.claim(request),
      (model, answer) => judgeClaim(model, name, input, answer),
    );
  }

  #renew(step: StepOf<"renew">): Asked {
    const { length = "long" } = step;
    const asked = this.#fenced(step);
    return calls.callOfRun(
      { call: "renew", asked },
      (store) => store.renew({ ...asked, leaseMs: leaseMsOf(length) }),
      (model, answer) => judgeRenewal(model, asked, length, answer),
    );
  }

  #release(step: StepOf<"release">): Asked {
    const asked = this.#fenced(step);
    return calls.callOfRun(
      { call: "release", asked },
      (store) => store.release(asked),
      (model, answer) => judgeRelease(model, asked, answer),
    );
  }

  #delete(step: RaceRun): Asked {
    const name = this.nameOf(step);
    return calls.callOfRun(
      { call: "deleteRun", asked: name },
      (store) => store.deleteRun(name.runId, name.ownerId),
      (model, answer) => judgeDeletion(model, name, answer),
    );
  }

  #endDue(step: StepOf<"endDue">): Asked {
    const name = this.nameOf(step);
    const limit = { kind: step.kind, limitMs: step.age === "long" ? LONG_MS : 0 };
    return calls.callOfRun(
      { call: `endDue ${step.kind}`, asked: name },
      (store) => store.endDue(name, limit),
      (model, answer) => judgeEndDue(model, name, limit, answer),
    );
  }

  #fenced(step: StepOf<"renew" | "release">): RunName & { readonly fence: number } {
    const run = this.nameOf(step);
    const { fence, former } = this.#seenOf(run);
    return { ...run, fence: { last: fence, late: former, next: fence + 1 }[step.fence ?? "last"] };
  }

  #aged({ aged }: StepOf<"listDue" | "purge">): AgedRuns | null {
    if (aged === undefined) return null;
    const names = [...this.#seen.values()].flatMap(({ name }) => name ?? []);
    return { age: aged.age, of: this.nameOf(aged), names };
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
    for (const { runId, ownerId, lastSequence, fence } of shows) {
      const name = { ownerId, runId };
      const known = this.#seenOf(name);
      const isNext = fence !== undefined && fence !== known.fence;
      this.#seen.set(nameKey(name), {
        name,
        lastSequence: lastSequence ?? known.lastSequence,
        fence: fence ?? known.fence,
        former: isNext && known.fence !== 0 ? known.fence : known.former,
      });
    }
  }

  #seenOf(name: RunName): SeenRun {
    return this.#seen.get(nameKey(name)) ?? UNSEEN;
  }

  #runIds(): readonly string[] {
    return (this.#place.runIds ?? RUN_IDS).map((name) => this.#own(name));
  }

  #own(name: string): string {
    return `${this.#place.prefix}${name}`;
  }
}
