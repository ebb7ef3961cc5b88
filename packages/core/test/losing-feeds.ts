import type { Feed } from "../src/follow/feed.ts";
import { createFeeds, type Feeds } from "../src/follow/feeds.ts";
import type { OwnerSource } from "../src/follow/owner-follower.ts";
import { isTerminal } from "../src/rules/lifecycle.ts";
import { ownerName } from "../src/rules/owner-name.ts";
import type { RunRecord } from "../src/rules/run.ts";
import { changedWork } from "../src/store/changed-work.ts";
import { settle } from "./changes-world.ts";
import { Reader, World } from "./changing-world.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";

const ADA = { ownerId: "ada", topic: null };
/** Two of them do not fit in one page. */
const LARGE = JSON.stringify("x".repeat(150_000));

export interface LosingOptions {
  /** The most runs of a page. */
  readonly limit: number;
  /** How many of the newest runs a reader begins with. */
  readonly newest: number;
  /** Whether the metadata of a run is large. */
  readonly isLarge: (runId: string) => boolean;
}

type Change = readonly [what: string, run: number];

/** What happens next. */
export type FeedStep =
  | { readonly what: "change"; readonly change: Change; readonly notifies: boolean }
  | { readonly what: "change between"; readonly change: Change }
  | { readonly what: "pass"; readonly ms: number }
  | { readonly what: "turn" | "settle" | "back up" | "restore" }
  | { readonly what: "come back" | "pause"; readonly reader: number };

/** A reader of ada's feed. It comes back with the cursor of its last page, of which it may have got a part of the runs. */
export class FeedReader {
  readonly reader: Reader = new Reader();
  readonly #open: (since: string | null) => Feed;
  #feed: Feed;
  /** Ends its pause, while it takes nothing. */
  #goOn: (() => void) | null = null;
  #isPaused = false;

  constructor(open: (since: string | null) => Feed) {
    this.#open = open;
    this.#feed = this.#follow();
  }

  /** Breaks its connection, and comes back. */
  comeBack(): void {
    this.#feed.leave();
    this.#feed = this.#follow();
    this.pause(false);
  }

  /** Takes nothing from now on, or takes pages again. */
  pause(isPaused: boolean): void {
    this.#isPaused = isPaused;
    if (!isPaused) this.#goOn?.();
  }

  #follow(): Feed {
    const feed = this.#open(this.reader.cursor);
    const take = async (): Promise<void> => {
      for (;;) {
        const page = await feed.next();
        if (this.#feed !== feed) return;
        this.reader.take({ ...page, live: [] });
        if (this.#isPaused) await new Promise<void>((resolve) => (this.#goOn = resolve));
      }
    };
    take().catch(() => "it has left");
    return feed;
  }
}

/** Feeds of ada's runs, in a world whose runs change, and which may lose what came last. */
export class LosingFeeds {
  readonly clock: FakeClock = createFakeClock();
  readonly #world = new World();
  /** Each happens once, before a read of a list. */
  readonly #between: Change[] = [];
  readonly #readers: readonly FeedReader[];
  readonly #feeds: Feeds;
  readonly #listeners = new Map<string, Set<() => void>>();
  readonly #isLarge: (runId: string) => boolean;
  #restore: () => void = this.#world.backUp();

  constructor({ limit, newest, isLarge }: LosingOptions) {
    this.#isLarge = isLarge;
    this.#feeds = createFeeds(this.#source(), this.clock);
    const open = (since: string | null): Feed =>
      this.#feeds.open(ADA, { since, withLast: false, limit, newest });
    this.#readers = [1, 2, 3].map(() => new FeedReader(open));
  }

  async act(step: FeedStep): Promise<void> {
    switch (step.what) {
      case "change":
        this.#change(step.change);
        if (step.notifies) this.#notify(step.change);
        return;
      case "change between":
        this.#between.push(step.change);
        return;
      case "pass":
        this.clock.advance(step.ms);
        return;
      case "turn":
        await new Promise(setImmediate);
        return;
      case "settle":
        await settle();
        return;
      case "back up":
        this.#restore = this.#world.backUp();
        return;
      case "restore":
        this.#restore();
        return;
      case "come back":
        this.#readers[step.reader]?.comeBack();
        return;
      case "pause":
        this.#readers[step.reader]?.pause(true);
    }
  }

  /** Some rounds in which nothing changes any more. */
  async finish(): Promise<void> {
    this.#between.length = 0;
    for (const reader of this.#readers) reader.pause(false);
    for (let round = 0; round < 6; round++) {
      for (const ms of [5_000, 300]) {
        await settle();
        this.clock.advance(ms);
        await settle();
      }
    }
  }

  /** What each reader has, and what it should have: each live run, and of the others those that it knows, as they are. */
  known(): readonly (readonly [has: unknown, is: unknown])[] {
    return this.#readers.map(({ reader: { runs } }) => {
      const is = [...this.#world.runs.values()].filter(
        ({ runId, runStatus }) => !isTerminal(runStatus) || runs.has(runId),
      );
      return [wordsOf([...runs.values()]), wordsOf(is)] as const;
    });
  }

  close(): void {
    this.#feeds.close();
  }

  /** An id is not used again: else the state of its new run might come with the departure of the old one. */
  #change(change: Change): void {
    const [, run] = change;
    if (!this.#world.hasLeft(`run-${run}`)) this.#world.change(change);
  }

  #notify([what, run]: Change): void {
    const names = [`run-${run}`, ...(what === "append" ? [] : [ownerName(ADA.ownerId)])];
    for (const name of names) for (const listener of this.#listeners.get(name) ?? []) listener();
  }

  #source(): OwnerSource {
    const world = this.#world;
    const load = (run: RunRecord): RunRecord =>
      this.#isLarge(run.runId) ? { ...run, metadata: LARGE } : run;
    return {
      listChanged: async (query) => {
        const moves = world.moves(() =>
          this.#between.splice(0, 1).forEach((one) => this.#change(one)),
        );
        const selectHeads = async (ids: readonly string[]): Promise<readonly RunRecord[]> =>
          (await moves.selectHeads(ids)).map(load);
        return changedWork(query)({ ...moves, selectHeads });
      },
      listRuns: async ({ before, limit }) =>
        [...world.runs.values()]
          .filter(({ ordinal }) => before === null || ordinal < before)
          .toSorted((one, other) => other.ordinal - one.ordinal)
          .slice(0, limit)
          .map(load),
      async read({ runId }) {
        const found = world.runs.get(runId);
        await new Promise(setImmediate);
        if (found === undefined) return null;
        return { run: load(found), events: [] };
      },
      subscribe: (name, onNotification) => {
        const listeners = this.#listeners.get(name) ?? new Set();
        const listener = (): void => onNotification();
        this.#listeners.set(name, listeners.add(listener));
        return { ready: Promise.resolve(), stop: () => void listeners.delete(listener) };
      },
    };
  }
}

function wordsOf(runs: readonly RunRecord[]): readonly string[] {
  return runs
    .map(({ runId, runStatus, updatedAtMs }) => `${runId} ${runStatus} ${updatedAtMs}`)
    .toSorted();
}
