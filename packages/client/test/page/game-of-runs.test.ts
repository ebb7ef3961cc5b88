import fc from "fast-check";
import { expect, it } from "vitest";
import type { ConnectionOptions } from "../../src/page/page-connection.ts";
import type { FaultProxy } from "../fault-proxy.ts";
import { pass } from "../on-fast-clock.ts";
import { record, type RunsServer } from "../runs-server.ts";
import {
  COOKIE,
  countHeld,
  isInOrder,
  openWindow,
  stubBrowser,
  type TestWindow,
  type WindowRun,
} from "./open-window.ts";
import { type Game, playGames, waitOf } from "./play-games.ts";

/** One more than have a stream. */
const WINDOWS = 5;
const RUNS = 4;

const window = fc.nat({ max: WINDOWS - 1 });
const run = fc.nat({ max: RUNS - 1 });
const step = fc.oneof(
  fc.record({ type: fc.constant("append" as const), run, count: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ type: fc.constant("follow" as const), window, run }),
  fc.record({ type: fc.constant("leave" as const), view: fc.nat({ max: 20 }) }),
  fc.record({ type: fc.constantFrom("visible", "hidden", "left"), window }),
  fc.record({ type: fc.constant("close" as const), window }),
  fc.record({ type: fc.constant("cut" as const) }),
  waitOf(100, 1_000, 3_000, 11_000),
);
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

interface View {
  readonly run: WindowRun;
  readonly window: TestWindow;
  readonly runId: string;
}

/** Windows of one browser that show some of the server's runs. */
class RunsGame implements Game<Step> {
  readonly #server: RunsServer;
  readonly #requests = countHeld();
  readonly #options: ConnectionOptions;
  readonly #ids: readonly string[];
  readonly #windows: TestWindow[];
  readonly #views: View[] = [];
  readonly #way: FaultProxy;

  constructor(server: RunsServer, ids: readonly string[], way: FaultProxy) {
    this.#server = server;
    this.#ids = ids;
    this.#options = {
      ...COOKIE,
      baseUrl: `http://127.0.0.1:${way.port}`,
      fetch: this.#requests.fetch,
    };
    this.#windows = Array.from({ length: WINDOWS }, () => openWindow(this.#options));
    this.#way = way;
  }

  async play(one: Step): Promise<void> {
    if (one.type === "append") await this.#append(one.run, one.count);
    else if (one.type === "follow") this.#follow(one.window, one.run);
    else if (one.type === "leave") this.#views[one.view]?.run.leave();
    else if (one.type === "close") this.#close(one.window);
    else if (one.type === "cut") this.#way.cut();
    else if (one.type === "wait") await pass(one.ms);
    else this.#windows[one.window]?.turn(one.type);
    expect(this.#requests.held).toBeLessThanOrEqual(4);
  }

  /** Ends every run. Each view that is left, and one more of each run in each window, gets to the end. */
  async end(): Promise<void> {
    for (const window of this.#windows) window.turn("visible");
    for (const [run, runId] of this.#ids.entries()) {
      for (const window of this.#windows.keys()) this.#follow(window, run);
      await this.#server.runs.as("ada").append(runId, [{ eventType: "RUN_COMPLETED" }]);
    }
    for (const { run, runId } of this.#views) {
      await run.over;
      const { cursor, connection } = run.shared;
      const { lastSequence } = await this.#server.runs.as("ada").get(runId);
      if (connection.state === "finished") expect(cursor).toBe(lastSequence);
      // One that has left before the end.
      else expect(cursor).toBeLessThanOrEqual(lastSequence);
      expect(run.views.every(isInOrder)).toBe(true);
    }
    const last = this.#views.slice(-WINDOWS * RUNS);
    expect(last.map(({ run }) => run.shared.connection.state)).toEqual(last.map(() => "finished"));
  }

  close(): void {
    for (const window of this.#windows) window.close();
    for (const { window } of this.#views) window.close();
  }

  async #append(run: number, count: number): Promise<void> {
    const events = Array.from({ length: count }, () => ({ eventType: "TOKEN" }));
    await this.#server.runs.as("ada").append(this.#ids[run] ?? "", events);
  }

  #follow(index: number, run: number): void {
    const [window, runId = ""] = [this.#windows[index], this.#ids[run]];
    if (window !== undefined) this.#views.push({ run: window.follow(runId), window, runId });
  }

  /** Closes a window, and opens another one. */
  #close(index: number): void {
    this.#windows[index]?.close();
    this.#windows[index] = openWindow(this.#options);
  }
}

it("W22, W47: however windows show, hide, close and lose runs, at most four have a stream, and each view has every event of its run once, in order, to the end", async () => {
  stubBrowser();
  await playGames(step, async (server, way) => {
    const ids = [2, 0, 5, 9].map(async (count) => record(server.runs, count));
    return new RunsGame(server, await Promise.all(ids), way);
  });
});
