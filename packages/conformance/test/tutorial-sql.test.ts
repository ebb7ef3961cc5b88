import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type PostgresServer, startPostgres } from "@tm/run-events-test-servers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { followTutorial, TUTORIAL_SQL } from "./tutorial.ts";

let server: PostgresServer;
let folder: string;
beforeAll(async () => {
  // Next to this file, so that the packages resolve as they do for a user.
  folder = await mkdtemp(join(import.meta.dirname, ".tutorial-"));
  server = await startPostgres();
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

it("the tutorial's second part makes a store on a SQL server that keeps every clause, even in many processes", async () => {
  const followed = await followTutorial(folder, TUTORIAL_SQL, { DATABASE_URL: server.url });
  await expect(followed).toMatchFileSnapshot(fileURLToPath(TUTORIAL_SQL));
}, 600_000);
