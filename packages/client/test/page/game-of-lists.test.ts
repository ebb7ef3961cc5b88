import { isTerminal, type RunSnapshot } from "@tm/run-events-core";
import fc from "fast-check";
import { it } from "vitest";
import type { FeedWant } from "../../src/feed/feed-want.ts";
import type { FaultProxy } from "../fault-proxy.ts";
import { pass, waitFor } from "../on-fast-clock.ts";
import type { RunsServer } from "../runs-server.ts";
import {
  COOKIE,
  openWindow,
  stubBrowser,
  type TestWindow,
  type WindowFeed,
} from "./open-window.ts";
import { type Game, playGames, waitOf } from "./play-games.ts";

/** One more than have a stream. */
const WINDOWS = 5;
const TOPICS = ["a", "b"] as const;

const window = fc.nat({ max: WINDOWS - 1 });
const run = fc.nat({ max: 20 });
const want = fc.record({ topic: fc.constantFrom(null, ...TOPICS), last: fc.boolean() });
const step = fc.oneof(
  fc.record({ type: fc.constant("create" as const), topic: fc.constantFrom(...TOPICS) }),
  fc.record({ type: fc.constant("append" as const), run }),
  fc.record({ type: fc.constant("end" as const), run }),
  fc.record({ type: fc.constant("delete" as const), run }),
  fc.record({ type: fc.constant("list" as const), window, want }),
  fc.record({ type: fc.constant("leave list" as const), window }),
  fc.record({ type: fc.constant("follow" as const), window, run }),
  fc.record({ type: fc.constantFrom("visible", "hidden", "left"), window }),
  fc.record({ type: fc.constant("close" as const), window }),
  fc.record({ type: fc.constant("cut" as const) }),
  waitOf(50, 300, 1_000, 3_000, 11_000),
);
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

/** A window, with its list of runs if it shows one. */
class Page {
  readonly #window: TestWindow;
  #feed: WindowFeed | null = null;
  #want: FeedWant = { topic: null, last: false };

  constructor(options: { readonly baseUrl: string } & typeof COOKIE) {
    this.#window = openWindow(options);
  }

  get window(): TestWindow {
    return this.#window;
  }

  list(want: FeedWant = this.#want): void {
    this.#want = want;
    this.#feed ??= this.#window.followFeed();
    this.#feed.want(want);
  }

  leaveList(): void {
    this.#feed?.leave();
    this.#feed = null;
  }

  /** Whether its list has every live run that it wants as it is now, and no run as it was. */
  isRight(runs: readonly RunSnapshot[]): boolean {
    const list = this.#feed?.shared.list;
    if (list?.has(this.#want) !== true) return false;
    const now = new Map(runs.map(({ runId, lastSequence }) => [runId, lastSequence]));
    const { topic } = this.#want;
    return (
      runs
        .filter((run) => !isTerminal(run.runStatus) && (topic === null || topic === run.topic))
        .every(({ runId }) => list.runs.has(runId)) &&
      [...list.runs.values()].every((run) => now.get(run.runId) === run.lastSequence)
    );
  }
}

/** Windows of one browser that show lists of the server's runs. */
class ListsGame implements Game<Step> {
  readonly #server: RunsServer;
  readonly #options: { readonly baseUrl: string } & typeof COOKIE;
  readonly #ids: string[] = [];
  readonly #pages: Page[];
  readonly #way: FaultProxy;

  constructor(server: RunsServer, way: FaultProxy) {
    this.#server = server;
    this.#options = { ...COOKIE, baseUrl: `http://127.0.0.1:${way.port}` };
    this.#pages = Array.from({ length: WINDOWS }, () => new Page(this.#options));
    this.#way = way;
  }

  async play(one: Step): Promise<void> {
    if (one.type === "create") await this.#create(one.topic);
    else if (one.type === "wait") await pass(one.ms);
    else if (one.type === "cut") this.#way.cut();
    else if ("window" in one) this.#playWindow(one, this.#pages[one.window]);
    else await this.#change(one);
  }

  /** Every list has every live run of its wants as it is now, and no run as it was. */
  async end(): Promise<void> {
    for (const page of this.#pages) {
      page.window.turn("visible");
      page.list();
    }
    await this.#create("a");
    for (const runId of this.#ids) await this.#append(runId, "TOKEN");
    await waitFor(async () => {
      const { runs } = await this.#server.runs.list({ ownerId: "ada", limit: 100 });
      return this.#pages.every((page) => page.isRight(runs));
    });
  }

  close(): void {
    for (const { window } of this.#pages) window.close();
  }

  #playWindow(one: Extract<Step, { readonly window: number }>, page: Page | undefined): void {
    if (one.type === "list") page?.list(one.want);
    else if (one.type === "leave list") page?.leaveList();
    else if (one.type === "follow") this.#follow(page, one.run);
    else if (one.type !== "close") page?.window.turn(one.type);
    else {
      page?.window.close();
      this.#pages[one.window] = new Page(this.#options);
    }
  }

  async #change({
    type,
    run,
  }: Extract<Step, { type: "append" | "end" | "delete" }>): Promise<void> {
    const runId = this.#idOf(run);
    if (runId === undefined) return;
    if (type === "append") await this.#append(runId, "TOKEN");
    else await this.#append(runId, "RUN_COMPLETED");
    if (type === "delete")
      await this.#server.runs
        .as("ada")
        .delete(runId)
        .catch(() => {});
  }

  #idOf(run: number): string | undefined {
    return this.#ids[run % Math.max(1, this.#ids.length)];
  }

  #follow(page: Page | undefined, run: number): void {
    const runId = this.#idOf(run);
    if (runId !== undefined) page?.window.follow(runId);
  }

  async #create(topic: string): Promise<void> {
    const { runId } = await this.#server.runs.create({ ownerId: "ada", topic });
    this.#ids.push(runId);
  }

  /** One that has ended or was removed takes no event. */
  async #append(runId: string, eventType: string): Promise<void> {
    await this.#server.runs
      .as("ada")
      .append(runId, [{ eventType }])
      .catch(() => {});
  }
}

it("W48: however windows show, hide, close and lose their lists, each list ends with the last state of every run, and of no other", async () => {
  stubBrowser();
  await playGames(step, async (server, way) => new ListsGame(server, way));
});
