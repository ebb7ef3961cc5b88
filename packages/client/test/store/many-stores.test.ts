import type { Credential } from "@tm/run-events-client";
import { type Client, createClient } from "@tm/run-events-client/runs";
import {
  createRunFold,
  createRunStore,
  type RunView,
  type Store,
} from "@tm/run-events-client/store";
import fc from "fast-check";
import { expect, it } from "vitest";
import { rounds } from "../../../core/test/rounds.ts";
import { useServer } from "../use-server.ts";
import { expectSnapshot, rangeOf, leaveNothing } from "./watch-store.ts";

leaveNothing();

const server = useServer();

/** A store that may be left and joined again. */
interface Member<Value> {
  readonly store: Store<Value>;
  readonly seen: Value[];
  leave: (() => void) | null;
}

function join<Value>(member: Member<Value>): void {
  const { store, seen } = member;
  member.leave ??= store.subscribe(() => void seen.push(store.getSnapshot()));
}

const small = fc.integer({ min: 1, max: 8 });
const step = fc.oneof(
  fc.record({ type: fc.constant("append" as const), count: small }),
  fc.record({ type: fc.constant("open" as const), tail: fc.option(small, { nil: undefined }) }),
  fc.record({ type: fc.constant("openKnown" as const), tail: small }),
  fc.record({ type: fc.constant("fold" as const) }),
  fc.record({ type: fc.constant("toggle" as const), index: fc.nat({ max: 9 }) }),
  fc.record({ type: fc.constant("earlier" as const), index: fc.nat({ max: 9 }) }),
  fc.record({ type: fc.constant("settle" as const) }),
);

type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

/** A run with what shows it. */
class Game {
  readonly #runId: string;
  readonly #runs: Client;
  readonly #options: {
    readonly baseUrl: string;
    readonly userId: string;
    readonly credential: Credential;
  };
  readonly #views: Member<RunView>[] = [];
  readonly #folds: Member<number>[] = [];

  constructor(runs: Client, runId: string) {
    const credential = { cookie: "session=ada" };
    this.#runs = runs;
    this.#runId = runId;
    this.#options = { baseUrl: server.baseUrl, userId: "ada", credential };
  }

  async play(one: Step): Promise<void> {
    if (one.type === "append") return this.append(one.count);
    if (one.type === "settle") return new Promise(setImmediate);
    if (one.type === "earlier") return void this.#view(one)?.store.getSnapshot().loadEarlier();
    if (one.type === "toggle") return this.#toggle(this.#view(one));
    return this.#open(one);
  }

  async append(count: number): Promise<void> {
    const events = Array.from({ length: count }, () => ({ eventType: "TOKEN" }));
    if (count > 0) await this.#runs.append(this.#runId, events);
  }

  /** Ends the run. Every view and fold has to get there. */
  async end(): Promise<void> {
    const { lastSequence: cursor } = await this.#runs.cancel(this.#runId);
    for (const member of this.#views) join(member);
    for (const member of this.#views) {
      await expectSnapshot(member, { state: "finished", runStatus: "cancelled", cursor });
      const view = (): RunView => member.store.getSnapshot();
      expect(view().events[0]?.sequence === 1).toBe(!view().hasEarlier);
      while (view().hasEarlier) await view().loadEarlier();
      expect(rangeOf(view())).toEqual([1, cursor]);
      // No view loses an event that one before it had.
      let [first, last] = [Infinity, 0];
      for (const [from = Infinity, to = 0] of member.seen.map(rangeOf)) {
        expect(from <= first && to >= last).toBe(true);
        [first, last] = [from, to];
      }
    }
    for (const fold of this.#folds) await expectSnapshot(fold, (cursor * (cursor + 1)) / 2);
  }

  close(): void {
    for (const { leave } of [...this.#views, ...this.#folds]) leave?.();
  }

  async #open(one: Extract<Step, { type: "open" | "openKnown" | "fold" }>): Promise<void> {
    const options = this.#options;
    const [runId, runs] = [this.#runId, this.#runs];
    if (one.type === "fold") {
      enter(
        createRunFold(runId, 0, (sum, { sequence }) => sum + sequence, options),
        this.#folds,
      );
    } else if (one.type === "open") {
      enter(createRunStore(runId, { ...options, tail: one.tail }), this.#views);
    } else {
      const initial = await runs.events(runId, { tail: one.tail });
      enter(createRunStore(runId, { ...options, initial }), this.#views);
    }
  }

  #view({ index }: { readonly index: number }): Member<RunView> | undefined {
    return this.#views[index % Math.max(1, this.#views.length)];
  }

  #toggle(member: Member<RunView> | undefined): void {
    if (member === undefined) return;
    member.leave?.();
    if (member.leave === null) join(member);
    else member.leave = null;
  }
}

function enter<Value>(store: Store<Value>, members: Member<Value>[]): void {
  const member: Member<Value> = { store, seen: [store.getSnapshot()], leave: null };
  members.push(member);
  join(member);
}

it("W45: however stores and folds of a run come and go, each view is whole, and each gets to the end", async () => {
  const runs = createClient({ baseUrl: server.baseUrl, credential: { bearer: "ada" } });
  const steps = fc.array(step, { minLength: 3, maxLength: 14 });
  const plays = fc.asyncProperty(fc.nat({ max: 20 }), steps, async (count, moves) => {
    const game = new Game(runs, (await runs.create()).runId);
    try {
      await game.append(count);
      for (const move of moves) await game.play(move);
      await game.end();
    } finally {
      game.close();
    }
  });
  await fc.assert(plays, { numRuns: rounds(40), endOnFailure: true });
});
