import { expect } from "vitest";
import { createMemoryStore } from "../src/index.ts";
import type { FeedNews } from "../src/follow/feed-plan.ts";
import { FeedState, STATE_PAUSE_MS } from "../src/follow/feed-state.ts";
import { parseChangeCursor } from "../src/rules/change-cursor.ts";
import { isTerminal } from "../src/rules/lifecycle.ts";
import type { RunRecord } from "../src/rules/run.ts";
import type { RunEventStore } from "../src/store/store.ts";
import { appendRequest, newEvent } from "./run-record.ts";

/** How many runs a page has. */
export const LIMIT = 2;

/** What a reader has. */
export type Known = Map<string, RunRecord>;

export function take(
  known: Known,
  { isReset, runs, gone }: Pick<FeedNews, "isReset" | "runs" | "gone">,
): void {
  if (isReset) known.clear();
  for (const runId of gone) known.delete(runId);
  for (const run of runs) known.set(run.runId, run);
}

/** A feed that is driven by hand, on a store in memory. */
export class Driven {
  readonly store: RunEventStore = createMemoryStore({ now: () => 1_000_000 + this.nowMs });
  readonly state: FeedState;
  readonly known: Known = new Map();
  readonly sentAt: Map<string, number> = new Map();
  nowMs = 0;
  /** Whether the last news say that more follow at once. */
  hasMore = true;
  /** How many runs fit in a page. */
  fits: number = Number.POSITIVE_INFINITY;

  /** @param newest how many of the newest runs it begins with */
  constructor(newest = 0) {
    this.state = new FeedState(null, newest);
  }

  /** When the page of the reader's cursor was made. */
  cursorAtMs(): number {
    return parseChangeCursor(this.state.cursor ?? "")?.atMs ?? 0;
  }

  /** Does what the plan says. @returns whether there was something to do */
  async step(): Promise<boolean> {
    const { lists, newest, runIds, dueAtMs } = this.state.plan(this.nowMs);
    if (newest !== null) {
      const list = { ownerId: "ada", runStatus: null, ...newest };
      const runs = await this.store.listRuns(list);
      this.#send(this.state.takeNewest(runs, newest.limit, this.nowMs));
      return true;
    }
    if (lists) {
      this.state.listing();
      const page = await this.store.listChanged({
        ownerId: "ada",
        since: this.state.listed,
        limit: LIMIT,
      });
      this.#send(this.state.takePage(page, this.nowMs));
      return true;
    }
    if (runIds.length > 0) {
      this.state.reading(runIds);
      const heads = await Promise.all(runIds.map((runId) => this.store.getRun(runId)));
      this.#send(
        this.state.takeRuns(new Map(runIds.map((id, at) => [id, heads[at] ?? null])), this.nowMs),
      );
      return true;
    }
    if (dueAtMs !== null) expect(dueAtMs).toBeGreaterThan(this.nowMs);
    return false;
  }

  async change(what: string, runId: string): Promise<void> {
    const { store } = this;
    if (what === "create") await store.createRun({ runId, ownerId: "ada", metadata: "null" });
    else if (what === "delete") await store.deleteRun(runId, null);
    else await store.append([appendRequest([newEvent(what)], { runId })]);
  }

  async truth(): Promise<readonly RunRecord[]> {
    const list = { ownerId: "ada", runStatus: null, before: null, limit: 10 } as const;
    return this.store.listRuns(list);
  }

  #send(read: FeedNews): void {
    const news = this.state.keep(read, Math.min(read.runs.length, this.fits));
    for (const run of news.runs) {
      const before = this.known.get(run.runId);
      const isSame = before?.ordinal === run.ordinal;
      if (isSame && !isTerminal(run.runStatus)) {
        const pauseMs = this.nowMs - (this.sentAt.get(run.runId) ?? 0);
        expect(pauseMs).toBeGreaterThanOrEqual(STATE_PAUSE_MS);
        expect(run.lastSequence).toBeGreaterThan(before.lastSequence);
      }
      this.sentAt.set(run.runId, this.nowMs);
    }
    this.hasMore = news.hasMore;
    take(this.known, news);
  }
}

/** Expects that a reader has every live run, and no state that is not the last one. */
export async function expectRight(driven: Driven, known: Known): Promise<void> {
  const runs = await driven.truth();
  const there = new Map(runs.map((run) => [run.runId, run]));
  for (const [runId, run] of known) expect(run).toEqual(there.get(runId));
  for (const run of runs) if (!isTerminal(run.runStatus)) expect(known.get(run.runId)).toEqual(run);
}
