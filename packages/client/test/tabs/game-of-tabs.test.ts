import fc from "fast-check";
import { expect, it } from "vitest";
import type { FaultProxy } from "../fault-proxy.ts";
import { record, type RunsServer } from "../runs-server.ts";
import { COOKIE, isInOrder, type ManyRunsTab, openManyRunsTab, type Tab } from "./open-tab.ts";
import { type Game, pass, playGames, stealLead, waitOf } from "./play-games.ts";

const TABS = 3;
const RUNS = 4;

const tab = fc.nat({ max: TABS - 1 });
const run = fc.nat({ max: RUNS - 1 });
const step = fc.oneof(
  fc.record({ type: fc.constant("append" as const), run, count: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ type: fc.constant("follow" as const), tab, run }),
  fc.record({ type: fc.constant("leave" as const), view: fc.nat({ max: 20 }) }),
  fc.record({ type: fc.constant("hide" as const), tab }),
  fc.record({ type: fc.constant("show" as const), tab }),
  fc.record({ type: fc.constant("close" as const), tab }),
  fc.record({ type: fc.constant("steal" as const) }),
  fc.record({ type: fc.constant("cut" as const) }),
  waitOf(100, 1_000, 3_000, 11_000),
);
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

interface View {
  readonly tab: Tab;
  readonly page: ManyRunsTab;
  readonly runId: string;
}

/** Tabs of one origin that show some of the server's runs. */
class RunsGame implements Game<Step> {
  readonly #server: RunsServer;
  readonly #options: { readonly baseUrl: string } & typeof COOKIE;
  readonly #ids: readonly string[];
  readonly #pages: ManyRunsTab[];
  readonly #views: View[] = [];
  readonly #way: FaultProxy;

  constructor(server: RunsServer, ids: readonly string[], way: FaultProxy) {
    this.#server = server;
    this.#ids = ids;
    this.#options = { ...COOKIE, baseUrl: `http://127.0.0.1:${way.port}` };
    this.#pages = Array.from({ length: TABS }, () => openManyRunsTab(this.#options));
    this.#way = way;
  }

  async play(one: Step): Promise<void> {
    if (one.type === "append") await this.#append(one.run, one.count);
    else if (one.type === "follow") this.#follow(one.tab, one.run);
    else if (one.type === "leave") this.#views[one.view]?.tab.close();
    else if (one.type === "hide") this.#pages[one.tab]?.hide();
    else if (one.type === "show") this.#pages[one.tab]?.show();
    else if (one.type === "close") this.#close(one.tab);
    else if (one.type === "steal") await stealLead(this.#options.baseUrl);
    else if (one.type === "cut") this.#way.cut();
    else await pass(one.ms);
  }

  /** Ends every run. Each view that is left, and one more of each run in each tab, gets to the end. */
  async end(): Promise<void> {
    for (const page of this.#pages) page.show();
    for (const [run, runId] of this.#ids.entries()) {
      for (let tab = 0; tab < TABS; tab += 1) this.#follow(tab, run);
      await this.#server.runs.append(runId, [{ eventType: "RUN_COMPLETED" }]);
    }
    for (const { tab, runId } of this.#views) {
      await tab.following;
      const { state, cursor } = tab.cell.connection();
      const { lastSequence } = await this.#server.runs.get(runId);
      if (state === "finished") expect(cursor).toBe(lastSequence);
      // One that has left before the end.
      else expect(cursor).toBeLessThanOrEqual(lastSequence);
      expect(tab.views.every(isInOrder)).toBe(true);
    }
    const last = this.#views.slice(-TABS * RUNS);
    expect(last.map(({ tab }) => tab.cell.connection().state)).toEqual(last.map(() => "finished"));
  }

  close(): void {
    for (const page of this.#pages) page.close();
    for (const { page } of this.#views) page.close();
  }

  async #append(run: number, count: number): Promise<void> {
    const events = Array.from({ length: count }, () => ({ eventType: "TOKEN" }));
    await this.#server.runs.append(this.#ids[run] ?? "", events);
  }

  #follow(tab: number, run: number): void {
    const [page, runId = ""] = [this.#pages[tab], this.#ids[run]];
    if (page !== undefined) this.#views.push({ tab: page.follow(runId), page, runId });
  }

  /** Closes a tab, and opens another one. */
  #close(tab: number): void {
    this.#pages[tab]?.close();
    this.#pages[tab] = openManyRunsTab(this.#options);
  }
}

it("W22, W47: however tabs show, hide, close and lose runs, each view has every event of its run once, in order, to the end", async () => {
  await playGames(step, async (server, way) => {
    const ids = [2, 0, 5, 9].map(async (count) => record(server.runs, count));
    return new RunsGame(server, await Promise.all(ids), way);
  });
});
