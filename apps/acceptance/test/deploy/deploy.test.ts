import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPostgres, startRedis } from "@tm/run-events-test-servers";
import { describeDeploys } from "./describe-deploys.ts";

describeDeploys("SQLite", async () => {
  const folder = await mkdtemp(join(tmpdir(), "run-events-"));
  return {
    url: `sqlite:${join(folder, "run-events.db")}`,
    close: () => rm(folder, { recursive: true, force: true }),
  };
});
describeDeploys("Postgres", startPostgres);
describeDeploys("Redis", startRedis);
