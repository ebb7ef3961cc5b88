import type { RunName, RunRecord } from "@tm/run-events-core/store";
import type { KitStore } from "../kit-store.ts";
import { assert, assertEqual, show } from "../assert.ts";
import { granted, LONG_MS, untilExpired } from "../lease.ts";
import { judgeAppend, judgeCreation, judgeDeletion, judgeHead, judgeRead } from "../model/judge.ts";
import { claimRequest, judgeClaim, judgeRelease, judgeRenewal } from "../model/judge-lease.ts";
import { judgeEndDue } from "../model/judge-due.ts";
import { judgeListed, judgePurged } from "../model/judge-many.ts";
import type { StoreModel } from "../model/run-model.ts";
import type { RaceOperation } from "./operation.ts";
import { claimInput, requestOf, type SeenRun, UNSEEN } from "./race-request.ts";
import { LISTED_OWNER, type RaceAppend, type RaceStep } from "./race.ts";

/** Where the clients of a race run. */
export interface RacePlace {
  /** The prefix of every id and owner, so that many races run on one store. */
  readonly prefix: string;
  /** The ids of all runs that the race may create, with the prefix. */
  readonly runIds: readonly string[];
  /** Counts the instants: no two are the same. */
  readonly now: () => number;
  /** Gets what the calls answered. */
  readonly operations: RaceOperation[];
}

/** A call that was answered. */
interface Answered<T> {
  readonly answer: T;
  readonly begunAt: number;
  readonly endedAt: number;
}

/** A part of a call, as the model judges it. */
interface Part {
  readonly text: string;
  readonly judge: (model: StoreModel) => void;
  /** Whether it takes effect after the part before it. */
  readonly isOrdered?: boolean;
}

/** One client of a race. */
export class RaceClient {
  readonly #name: string;
  readonly #store: KitStore;
  readonly #place: RacePlace;
  readonly #seen: Map<string, SeenRun>;
  #events = 0;

  /** @param seen what it was shown before the race */
  constructor(name: string, store: KitStore, place: RacePlace, seen: ReadonlyMap<string, SeenRun>) {
    this.#name = name;
    this.#store = store;
    this.#place = place;
    this.#seen = new Map(seen);
  }

  get seen(): ReadonlyMap<string, SeenRun> {
    return this.#seen;
  }

  async run(steps: readonly RaceStep[]): Promise<void> {
    for (const step of steps) await this.#run(step);
  }

  #run(step: RaceStep): Promise<void> {
    switch (step.call) {
      case "pause":
        return pause(step.turns);
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
      case "purge":
        return this.#purge(step.limit);
      case "listRuns":
        return this.#list(step);
    }
  }

  async #create(step: Extract<RaceStep, { readonly call: "createRun" }>): Promise<void> {
    const { topic, claims } = step;
    const run = {
      runId: this.#own(step.runId),
      ownerId: this.#own(step.ownerId),
      metadata: show(this.#nextName()),
      topic,
      exclusive: step.exclusive && topic !== null,
    };
    const claim = claims === "not" ? null : claimInput(claims === "keyed" ? "c" : null);
    const asked = claim === null ? run : { ...run, claim: claimRequest(claim) };
    const call = await this.#call(() => this.#store.createRun(asked));
    this.#learn(call.answer);
    const judge = (model: StoreModel): void => void judgeCreation(model, run, claim, call.answer);
    this.#record(call, [{ text: `createRun ${show(asked)} = ${show(call.answer)}`, judge }]);
  }

  async #append(appends: readonly RaceAppend[]): Promise<void> {
    const requests = appends.map((one) => {
      const runId = this.#own(one.runId);
      return requestOf(one, this.#runOf(one.runId), this.#seenOf(runId), () => this.#nextName());
    });
    const call = await this.#call(() => this.#store.append(requests));
    assertEqual(call.answer.length, requests.length, "the number of outcomes");
    const parts = requests.map((request, index): Part => {
      const outcome = call.answer[index];
      if (outcome !== undefined && "lastSequence" in outcome) {
        this.#learn({ run: { runId: request.runId, lastSequence: outcome.lastSequence } });
      }
      return {
        text: `append ${show(request)} = ${show(outcome)}`,
        judge: (model) => judgeAppend(model, request, outcome),
        isOrdered: requests[index - 1]?.runId === request.runId,
      };
    });
    this.#record(call, parts);
  }

  async #read(step: Extract<RaceStep, { readonly call: "read" }>): Promise<void> {
    const runId = this.#own(step.runId);
    const since = step.from === "seen" ? this.#seenOf(runId).lastSequence : 0;
    const query = { ...this.#runOf(step.runId), since, limit: step.limit, maxBytes: 1_000_000 };
    const call = await this.#call(() => this.#store.read([query]));
    const [page = null] = call.answer;
    this.#learn(page ?? {});
    this.#record(call, [
      {
        text: `read ${show(query)} = ${show(page)}`,
        judge: (model) => judgeRead(model, query, page),
      },
    ]);
  }

  async #getRun(name: string): Promise<void> {
    const run = this.#runOf(name);
    const call = await this.#call(() => this.#store.getRun(run.runId, run.ownerId));
    if (call.answer !== null) this.#learn({ run: call.answer });
    this.#record(call, [
      {
        text: `getRun ${run.runId} = ${show(call.answer)}`,
        judge: (model) => judgeHead(model, run, call.answer),
      },
    ]);
  }

  async #claim(step: Extract<RaceStep, { readonly call: "claim" }>): Promise<void> {
    const asked = this.#runOf(step.runId);
    const input = claimInput(step.claimKey, step.length);
    const request = { ...asked, ...claimRequest(input) };
    const call = await this.#call(() => this.#store.claim(request));
    this.#learn(call.answer);
    if (step.length === "short" && call.answer.outcome === "granted") {
      await untilExpired(this.#store, granted(call.answer, "the claim"));
    }
    const judge = (model: StoreModel): void => void judgeClaim(model, asked, input, call.answer);
    this.#record(call, [{ text: `claim ${show(request)} = ${show(call.answer)}`, judge }]);
  }

  async #renew(name: string): Promise<void> {
    const asked = this.#askedFence(name);
    const call = await this.#call(() => this.#store.renew({ ...asked, leaseMs: LONG_MS }));
    const judge = (model: StoreModel): void => void judgeRenewal(model, asked, "long", call.answer);
    this.#record(call, [{ text: `renew ${show(asked)} = ${show(call.answer)}`, judge }]);
  }

  async #release(name: string): Promise<void> {
    const asked = this.#askedFence(name);
    const call = await this.#call(() => this.#store.release(asked));
    this.#record(call, [
      {
        text: `release ${show(asked)} = ${show(call.answer)}`,
        judge: (model) => judgeRelease(model, asked, call.answer),
      },
    ]);
  }

  async #delete(name: string): Promise<void> {
    const run = this.#runOf(name);
    const call = await this.#call(() => this.#store.deleteRun(run.runId, run.ownerId));
    this.#record(call, [
      {
        text: `deleteRun ${run.runId} = ${call.answer}`,
        judge: (model) => judgeDeletion(model, run, call.answer),
      },
    ]);
  }

  async #endDue({ runId, kind }: Extract<RaceStep, { readonly call: "endDue" }>): Promise<void> {
    const run = this.#runOf(runId);
    const limit = { kind, limitMs: 0 };
    const call = await this.#call(() => this.#store.endDue(run, limit));
    this.#record(call, [
      {
        text: `endDue ${run.runId} ${kind} = ${call.answer}`,
        judge: (model) => judgeEndDue(model, run, limit, call.answer),
      },
    ]);
  }

  /** Each removal takes effect by itself. An empty answer says nothing: others may have removed what it found. */
  async #purge(limit: number): Promise<void> {
    const call = await this.#call(() => this.#store.purge({ finishedForMs: 0, limit }));
    const { answer } = call;
    assert(answer.length <= limit, `a purge removes ${limit} runs at most, got ${answer.length}`);
    const text = `purge ${limit} = ${show(answer)}`;
    const own = answer.filter(({ runId }) => this.#place.runIds.includes(runId));
    const parts = own.map((name): Part => ({ text, judge: (model) => judgePurged(model, name) }));
    this.#record(call, parts);
  }

  /** Each run is in the list as it was at some instant of the call, or missing because it did not belong there at some instant. */
  async #list(step: Extract<RaceStep, { readonly call: "listRuns" }>): Promise<void> {
    const { topic, runStatus } = step;
    const query = { ownerId: this.#own(LISTED_OWNER), runStatus, topic, before: null, limit: 100 };
    const call = await this.#call(() => this.#store.listRuns(query));
    const { answer } = call;
    const ids = answer.map(({ runId }) => runId);
    assertEqual([...new Set(ids)], ids, "the ids of a list, each once");
    const ordinals = answer.map(({ ordinal }) => ordinal);
    assertEqual(
      ordinals.toSorted((a, b) => b - a),
      ordinals,
      "the ordinals of a list, in order",
    );
    const parts = this.#place.runIds.map((runId): Part => {
      const listed = answer.find((run) => run.runId === runId) ?? null;
      return {
        text: `listRuns ${show(query)} = ${listed === null ? `without ${runId}` : show(listed)}`,
        judge: (model) => judgeListed(model, query, runId, listed),
      };
    });
    this.#record(call, parts);
  }

  #askedFence(name: string): RunName & { readonly fence: number } {
    const run = this.#runOf(name);
    return { ...run, fence: this.#seenOf(run.runId).fence };
  }

  async #call<T>(call: () => Promise<T>): Promise<Answered<T>> {
    const begunAt = this.#place.now();
    const answer = await call();
    return { answer, begunAt, endedAt: this.#place.now() };
  }

  #record({ begunAt, endedAt }: Answered<unknown>, parts: readonly Part[]): void {
    let before: RaceOperation | null = null;
    for (const { text, judge, isOrdered = false } of parts) {
      const after: RaceOperation | null = isOrdered ? before : null;
      before = { client: this.#name, text, begunAt, endedAt, after, judge };
      this.#place.operations.push(before);
    }
  }

  #learn(answer: object): void {
    if (!("run" in answer)) return;
    const { runId, ...shown } = answer.run as Pick<RunRecord, "runId"> & Partial<SeenRun>;
    this.#seen.set(runId, { ...this.#seenOf(runId), ...shown });
  }

  #seenOf(runId: string): SeenRun {
    return this.#seen.get(runId) ?? UNSEEN;
  }

  /** A run of the listed owner. */
  #runOf(name: string): RunName {
    return { ownerId: this.#own(LISTED_OWNER), runId: this.#own(name) };
  }

  #own(name: string): string {
    return `${this.#place.prefix}${name}`;
  }

  #nextName(): string {
    this.#events += 1;
    return `${this.#name}.${this.#events}`;
  }
}

async function pause(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await Promise.resolve();
}
