import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { call } from "./client.ts";
import { ADA, BOB, makeTempFolder, startServer } from "./start-server.ts";

interface Event {
  readonly eventType: string;
  readonly payload: { readonly line?: string; readonly phase?: string } | null;
}

interface Runs {
  readonly runs: readonly { readonly runId: string; readonly runStatus: string }[];
}

async function listRuns(url: string, token: string): Promise<Runs["runs"]> {
  return ((await (await call(`${url}/v1/agent-runs`, token)).json()) as Runs).runs;
}

/** Bounds a hang: other tests may have both cores. */
const LONG_MS = 180_000;

describe("the sample", () => {
  it(
    "the sample is this workspace's own type check, recorded as the first user, line by line and phase by phase",
    {
      timeout: LONG_MS,
    },
    async () => {
      const server = await startServer({ RECORD_SAMPLE: "1" });
      await expect
        .poll(async () => (await listRuns(server.url, ADA))[0]?.runStatus, { timeout: LONG_MS })
        .toMatch(/^(completed|failed)$/);
      expect(await listRuns(server.url, BOB)).toEqual([]);
      const [run] = await listRuns(server.url, ADA);
      const events: Event[] = [];
      for (let isMore = true; isMore;) {
        const path = `/v1/agent-runs/${run?.runId}/events?since=${events.length}&limit=1000`;
        const page = (await (await call(server.url + path, ADA)).json()) as {
          events: Event[];
          hasMore: boolean;
        };
        events.push(...page.events);
        isMore = page.hasMore;
      }
      expect(events[0]?.eventType).toBe("RUN_STARTED");
      const phases = events.flatMap(({ payload }) => payload?.phase ?? []);
      expect(phases).toEqual(expect.arrayContaining(["packages/core", "apps/cli", "workspace"]));
      const lines = events.flatMap(({ payload }) => payload?.line ?? []);
      expect(lines.some((line) => line.endsWith("packages/core/src/index.ts"))).toBe(true);
      expect(lines.filter((line) => line.startsWith("Total time:"))).toHaveLength(phases.length);
      // The run ends as the check did, with or without errors in the sources.
      const isSound = lines.at(-1) === `${phases.length} projects have no error, 0 have errors`;
      expect(run?.runStatus).toBe(isSound ? "completed" : "failed");
      expect(events.at(-1)?.eventType).toBe(isSound ? "RUN_COMPLETED" : "RUN_FAILED");
    },
  );

  it("the sample is cancelled when the server shuts down meanwhile", async () => {
    const folder = await makeTempFolder();
    const env = { STORE_URL: `sqlite:${join(folder, "runs.db")}` };
    const server = await startServer({ ...env, RECORD_SAMPLE: "1" });
    await expect
      .poll(async () => (await listRuns(server.url, ADA))[0]?.runStatus, { timeout: 20_000 })
      .toBe("running");
    expect((await server.end("SIGTERM")).exitCode).toBe(0);
    const restarted = await startServer(env);
    expect(await listRuns(restarted.url, ADA)).toMatchObject([{ runStatus: "cancelled" }]);
  });
});
