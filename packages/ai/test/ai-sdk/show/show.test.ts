import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPostgres, startRedis } from "@tm/run-events-test-servers";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { readPage } from "../../snippets.ts";
import { SCENES } from "./scenes.ts";
import { launchChromium, play } from "./show.ts";
import { type ChatSite, startChatSite } from "./site.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

interface Store {
  readonly url: string;
  close(): Promise<unknown>;
}

async function makeFile(): Promise<Store> {
  const folder = await mkdtemp(join(tmpdir(), "run-events-ai-"));
  return { url: join(folder, "runs.db"), close: () => rm(folder, { recursive: true }) };
}

const FEW = SCENES.slice(0, 3);

/** The sites on which scenes are played. */
const SITES: readonly (readonly [number, string, () => Promise<Store>, typeof SCENES])[] = [
  [1, "SQLite", makeFile, FEW],
  ...(inject("tier") === "nightly"
    ? ([
        [1, "Postgres", startPostgres, SCENES],
        [2, "Postgres", startPostgres, SCENES],
        [1, "Redis", startRedis, SCENES],
        [2, "Redis", startRedis, SCENES],
      ] as const)
    : []),
];

it("AI-SDK-PAGE.md lists each scene that is played", () => {
  const page = readPage("AI-SDK-PAGE.md");
  for (const { name } of SCENES) expect(page).toContain(`- ${name}\n`);
});

describe.each(SITES)(
  "Chromium, the page of the docs: %i servers on %s",
  (servers, _, start, scenes) => {
    let store: Store;
    let site: ChatSite;
    beforeAll(async () => {
      store = await start();
      site = await startChatSite(store.url, servers);
    });
    afterAll(async () => {
      await site.close();
      await store.close();
    });

    it.each(scenes)("$name", async (scene) => {
      expect(await play(browser, site, scene)).toBeNull();
    });
  },
);
