import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { SCENES } from "./scenes.ts";
import { launchChromium, play } from "./show.ts";
import { type ChatSite, startChatSite } from "./site.ts";

let browser: Browser;
let folder: string;
let site: ChatSite;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "run-events-ai-"));
  [browser, site] = await Promise.all([
    launchChromium(),
    startChatSite("run-events", join(folder, "runs.db"), 1),
  ]);
});
afterAll(async () => {
  await browser.close();
  await site.close();
  await rm(folder, { recursive: true });
});

const FEW = [
  "a reload in mid-answer",
  "a second tab, open and idle before",
  "a stop from another tab",
];

it.each(SCENES.filter(({ name }) => process.env.ALL !== undefined || FEW.includes(name)))(
  "Chromium, the page of the docs: $name",
  async (scene) => {
    expect(await play(browser, site, scene)).toBeNull();
  },
);
