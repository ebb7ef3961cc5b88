import { startPostgres, startRedis } from "@tm/run-events-test-servers";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readPage } from "../../snippets.ts";
import { SCENES } from "./scenes.ts";
import { launchChromium, play } from "./show.ts";
import { type ChatSite, type Kind, startChatSite } from "./site.ts";

/** The cells of the row of the docs that has this name. */
function cellsOf(name: string): readonly string[] {
  const rows = readPage("AI-SDK-PAGE.md")
    .split("\n")
    .map((line) => line.split("|").map((cell) => cell.trim()));
  return rows.find(([, first]) => first === name)?.slice(2, -1) ?? [];
}

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

/** Each column of the table in the docs, and the store of its site. */
const COLUMNS: readonly (readonly [
  column: number,
  kind: Kind,
  servers: number,
  store: string,
  start: () => Promise<{ readonly url: string; close(): Promise<unknown> }>,
])[] = [
  [0, "run-events", 1, "Postgres", startPostgres],
  [0, "run-events", 1, "Redis", startRedis],
  [1, "run-events", 2, "Postgres", startPostgres],
  [1, "run-events", 2, "Redis", startRedis],
  [2, "recipe", 1, "Redis", startRedis],
  [3, "recipe", 2, "Redis", startRedis],
];

describe.each(COLUMNS)("column %i: %s on %i, %s", (column, kind, servers, _store, start) => {
  let store: Awaited<ReturnType<typeof start>>;
  let site: ChatSite;
  beforeAll(async () => {
    store = await start();
    site = await startChatSite(kind, store.url, servers);
  });
  afterAll(async () => {
    await site.close();
    await store.close();
  });

  it.each(SCENES)("Chromium shows what the table says: $name", async (scene) => {
    const wrong = await play(browser, site, scene);
    expect([wrong === null ? "yes" : "no", wrong]).toEqual([cellsOf(scene.name)[column], wrong]);
  });
});
