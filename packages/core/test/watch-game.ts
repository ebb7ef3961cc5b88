import fc from "fast-check";
import type { ListPage, ListReader } from "../src/follow/list-reader.ts";
import { type ListLimits, WatchedList, type WatchScope } from "../src/follow/watched-list.ts";
import { Watches } from "../src/follow/watches.ts";
import { RunEventsError } from "../src/rules/errors.ts";
import { isTerminal } from "../src/rules/lifecycle.ts";
import type { RunRecord } from "../src/rules/run.ts";
import { GameTime } from "./game-time.ts";
import { type Faults, runsOf, stateOf, truthOf, WatchModel } from "./watch-model.ts";

const RECHECK_MS = 5_000;
const LATEST_COMMIT_MS = 4_000;
const OWNERS = ["ada", "bob"] as const;
const TOPICS = [null, "tea", "ice"] as const;

type Step = readonly [
  "create" | "append" | "end" | "remove" | "again" | "restore" | "open" | "leave" | "poll",
  number,
];

/** One game: what goes wrong in it, how long its lists are, and what happens after which pause. */
export interface Game {
  readonly faults: Faults;
  readonly limits: ListLimits;
  readonly seed: number;
  readonly steps: readonly { readonly pauseMs: number; readonly step: Step }[];
}

const WHAT = fc.oneof(
  { arbitrary: fc.constant("create" as const), weight: 30 },
  { arbitrary: fc.constant("append" as const), weight: 25 },
  { arbitrary: fc.constant("end" as const), weight: 18 },
  { arbitrary: fc.constantFrom("remove" as const, "again" as const), weight: 10 },
  { arbitrary: fc.constant("restore" as const), weight: 2 },
  { arbitrary: fc.constantFrom("open" as const, "poll" as const), weight: 6 },
  { arbitrary: fc.constant("leave" as const), weight: 2 },
);

/** Any game. */
export const anyGame: fc.Arbitrary<Game> = fc.record({
  faults: fc.record({
    late: fc.boolean(),
    lost: fc.boolean(),
    failing: fc.boolean(),
    clock: fc.constantFrom("set" as const, "still" as const, "good" as const),
  }),
  limits: fc.record({
    live: fc.integer({ min: 2, max: 12 }),
    newest: fc.integer({ min: 1, max: 5 }),
    ended: fc.integer({ min: 1, max: 4 }),
  }),
  seed: fc.nat(),
  steps: fc.array(
    fc.record({
      pauseMs: fc.oneof(fc.constant(0), fc.nat(60), fc.nat(200), fc.nat(3_000)),
      step: fc.tuple(WHAT, fc.nat()) as fc.Arbitrary<Step>,
    }),
    { minLength: 10, maxLength: 120, size: "max" },
  ),
});

/** A reader's copy of a list, made from its pages. */
class Fold {
  runs = new Map<string, RunRecord>();
  version = "";
  more = false;
  isWhole = false;

  take({ begins, runs, gone, version, more, isWhole, hasMore }: ListPage): void {
    if (begins === "whole") this.runs = new Map();
    for (const runId of gone) this.runs.delete(runId);
    for (const { run } of runs) this.runs.set(run.runId, run);
    this.isWhole = isWhole;
    this.more = more;
    if (!hasMore) this.version = version;
  }
}

interface Following {
  readonly scope: WatchScope;
  readonly fold: Fold;
  readonly over: AbortController;
}

/** Plays a game. @returns what was wrong: nothing, if all is well */
export async function playWatchGame(game: Game): Promise<readonly string[]> {
  const player = new Player(game);
  for (const { pauseMs, step } of game.steps) {
    player.take(step);
    await player.time.pass(pauseMs);
  }
  return player.end();
}

class Player {
  readonly time: GameTime;
  readonly #limits: ListLimits;
  readonly #model: WatchModel;
  readonly #watches: Watches;
  readonly #readers: Following[] = [];
  readonly #faults: string[] = [];
  readonly #isRechecked: boolean;
  readonly #isFailing: boolean;
  readonly #random: () => number;
  #made = 0;
  readonly #ids: string[] = [];

  constructor({ faults, limits, seed, steps }: Game) {
    this.#isFailing = faults.failing;
    this.#isRechecked = faults.lost || steps.some(({ step: [what] }) => what === "restore");
    // If no notification is lost, no recheck is needed.
    this.time = new GameTime(this.#isRechecked ? null : RECHECK_MS);
    this.#limits = limits;
    this.#random = randomOf(seed);
    this.#model = new WatchModel(this.time, faults, this.#random);
    this.#watches = new Watches(this.#model, this.time, limits);
    // A reader that comes later would make a watch look, which may have missed something.
    for (const ownerId of OWNERS) this.#open({ ownerId, topic: null });
  }

  take([what, number]: Step): void {
    const runId = this.#ids[number % Math.max(1, this.#ids.length)] ?? "none";
    switch (what) {
      case "create":
        return this.#create(number);
      case "append":
      case "end":
        return this.#model.append(runId, what === "end");
      case "remove":
      case "again":
        return this.#model.remove(runId, what === "again");
      case "restore":
        return this.#model.restore(number % 4);
      case "open":
        return this.#open(scopeOf(number));
      case "poll":
        return void this.#poll(scopeOf(number));
      case "leave":
        this.#readers.splice(number % Math.max(1, this.#readers.length), 1)[0]?.over.abort();
    }
  }

  async end(): Promise<readonly string[]> {
    await this.time.pass(LATEST_COMMIT_MS + (this.#isRechecked ? 6 * RECHECK_MS : 4_000));
    for (const reader of this.#readers) await this.#checkEnd(reader);
    for (const { over } of this.#readers) over.abort();
    this.#checkLooks();
    this.#watches.close();
    await this.time.pass(10);
    if (this.time.timers > 0) this.#faults.push(`${this.time.timers} timers are left`);
    return this.#faults;
  }

  #create(number: number): void {
    const isReused = number % 7 === 0 && this.#ids.length > 0;
    const runId =
      (isReused ? this.#ids[number % this.#ids.length] : undefined) ?? `r${++this.#made}`;
    this.#ids.push(runId);
    this.#model.create(runId, scopeOf(number));
  }

  #open(scope: WatchScope): void {
    const reader: Following = { scope, fold: new Fold(), over: new AbortController() };
    this.#readers.push(reader);
    void this.#follow(reader);
  }

  /** Comes back after each failure. */
  async #follow({ scope, fold, over }: Following): Promise<void> {
    while (!over.signal.aborted) {
      const source = this.#watches.open(scope, { have: fold.version, withLast: false });
      const leave = (): void => source.leave();
      over.signal.addEventListener("abort", leave);
      try {
        await this.#readAll(scope, source, fold);
      } catch (error) {
        if (!(error instanceof RunEventsError)) this.#faults.push(String(error));
      }
      over.signal.removeEventListener("abort", leave);
      source.leave();
      await this.#pause(500);
    }
  }

  async #readAll(scope: WatchScope, source: ListReader, fold: Fold): Promise<void> {
    const fromMs = this.time.now();
    for (let wasWhole = false; ; wasWhole = fold.isWhole) {
      fold.take(await source.next());
      if (fold.isWhole && !wasWhole) this.#checkWhole(scope, fold, fromMs);
      // Some readers are slow.
      if (this.#random() < 0.2) await this.#pause(this.#random() * 1_500);
    }
  }

  async #poll(scope: WatchScope): Promise<void> {
    const source = this.#watches.open(scope, { have: null, withLast: false });
    const fold = new Fold();
    const fromMs = this.time.now();
    try {
      while (!fold.isWhole) fold.take(await source.next());
      this.#checkWhole(scope, fold, fromMs);
    } catch (error) {
      if (!(error instanceof RunEventsError)) this.#faults.push(String(error));
    }
    source.leave();
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.time.after(ms, resolve));
  }

  /** A whole list is of a time after the request: what was in the list all the time since then is in it, and nothing is older. */
  #checkWhole(scope: WatchScope, fold: Fold, fromMs: number): void {
    const { history } = this.#model;
    const first = history.findLastIndex((one) => one.fromMs < fromMs);
    const states = history.slice(Math.max(0, first)).map(({ runs }) => runs);
    const known = new Set(states.flatMap((runs) => Array.from(runs.values(), stateOf)));
    for (const run of fold.runs.values())
      if (!known.has(stateOf(run))) this.#faults.push(`older than the request: ${stateOf(run)}`);
    // A look that meets a restore may see a run neither live before it nor among the newest after it. The next look finds it.
    if (this.#model.lastRestoreMs >= fromMs) return;
    const truths = states.map((runs) => truthOf(runs, scope, this.#limits));
    for (const runId of truths[0]?.keys() ?? [])
      if (!fold.runs.has(runId) && truths.every((truth) => truth.has(runId)))
        this.#faults.push(`missing in a whole list: ${runId}`);
  }

  async #checkEnd({ scope, fold }: Following): Promise<void> {
    const { runs } = this.#model;
    const truth = truthOf(runs, scope, this.#limits);
    const name = JSON.stringify(scope);
    for (const [runId, run] of truth) {
      if (stateOf(fold.runs.get(runId)) === stateOf(run)) continue;
      this.#faults.push(`${name} has ${stateOf(fold.runs.get(runId))} for ${stateOf(run)}`);
    }
    const others = [...fold.runs.values()].filter(({ runId }) => !truth.has(runId));
    for (const run of others) {
      const isRight = isTerminal(run.runStatus) && stateOf(run) === stateOf(runs.get(run.runId));
      if (!isRight) this.#faults.push(`${name} still has ${stateOf(run)}`);
    }
    // Only a look finds that there are no older live runs any more, and that too many have ended.
    if (!this.#isRechecked) return;
    if (others.length > this.#limits.ended) this.#faults.push(`${name} has too many ended runs`);
    const live = runsOf(runs, scope).filter(({ runStatus }) => !isTerminal(runStatus));
    if (fold.more !== live.length > this.#limits.live) this.#faults.push(`${name}: wrong more`);
    const isSame = fold.version === this.#versionOf(scope);
    if (isSame !== (others.length === 0)) this.#faults.push(`${name}: wrong version`);
  }

  /** The version of the list in a process that has just looked. */
  #versionOf(scope: WatchScope): string {
    const mine = runsOf(this.#model.runs, scope);
    const live = mine.filter(({ runStatus }) => !isTerminal(runStatus));
    const list = new WatchedList(scope, this.#limits);
    const look = { live: live.slice(0, this.#limits.live + 1), lacking: new Map() };
    list.take({ ...look, newest: mine.slice(0, this.#limits.newest) });
    return list.version;
  }

  /** An owner has one look at a time, and a list has four a second. */
  #checkLooks(): void {
    // A watch that fails forgets when it looked.
    if (this.#isFailing) return;
    const { looks } = this.#model;
    looks.forEach(({ scope, ownerId, fromMs }, at) => {
      const before = looks.slice(0, at);
      const ofOwner = before.findLast((one) => one.ownerId === ownerId);
      if (ofOwner !== undefined && ofOwner.toMs > fromMs) this.#faults.push("two looks at once");
      const ofList = before.findLast((one) => one.scope === scope);
      if (ofList !== undefined && fromMs - ofList.fromMs < 250) this.#faults.push("a hasty look");
    });
  }
}

function scopeOf(number: number): WatchScope {
  const topic = TOPICS[Math.floor(number / 2) % 3] ?? null;
  return { ownerId: OWNERS[number % 2] ?? "ada", topic };
}

/** Numbers from 0 to 1, as mulberry32 makes them. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
