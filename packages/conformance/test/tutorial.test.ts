import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { followTutorial, TUTORIAL } from "./tutorial.ts";

let folder: string;
beforeAll(async () => {
  // Next to this file, so that the packages resolve as they do for a user.
  folder = await mkdtemp(join(import.meta.dirname, ".tutorial-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it("the tutorial comes from nothing to green, and shows what its commands really print", async () => {
  // `vitest run -u` writes what the commands print into the page.
  await expect(await followTutorial(folder)).toMatchFileSnapshot(fileURLToPath(TUTORIAL));
}, 600_000);
