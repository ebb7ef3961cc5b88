import { describe, expect, it } from "vitest";
import { ADA, ADA_SESSION } from "./harness/accounts.ts";
import { post } from "./harness/answer.ts";
import { DOORS, openWorld } from "./harness/world.ts";

describe.each(DOORS)("%s", (door) => {
  it.each([
    [2_592_000_000, "2592000"],
    // Rounded up: the header never shows less than the retention.
    [1_001, "2"],
    [0.0001, "1"],
  ])("W14: a retention of %d ms is sent in seconds: %s", async (retentionMs, seconds) => {
    await using world = await openWorld(door, { retentionMs });
    const path = `/v1/agent-runs/${await world.record("RUN_COMPLETED")}`;
    for (const read of ["/v1/agent-runs", path]) {
      for (const method of ["GET", "HEAD"]) {
        const { status, headers } = await world.send({ method, path: read, headers: ADA });
        expect([status, headers["run-retention"]]).toEqual([200, seconds]);
      }
    }
  });

  it("W14: Run-Retention is missing where runs are kept for ever, and in answers without whole runs", async () => {
    await using kept = await openWorld(door);
    const { headers } = await kept.send({ path: "/v1/agent-runs", headers: ADA });
    expect(headers["run-retention"]).toBeUndefined();

    await using world = await openWorld(door, { retentionMs: 1_000 });
    const path = `/v1/agent-runs/${await world.record()}`;
    const calls = [
      { path: `${path}/events`, headers: ADA },
      { path: "/v1/agent-runs/none", headers: ADA },
      { path: "/v1/agent-runs" },
      post("/v1/agent-runs", {}),
    ];
    for (const call of calls) {
      expect((await world.send(call)).headers["run-retention"]).toBeUndefined();
    }
  });

  it("W19: a page of an origin on the list may read Run-Retention", async () => {
    const origin = "https://app.example";
    await using world = await openWorld(door, { allowedOrigins: [origin], retentionMs: 1_000 });
    const headers = { ...ADA_SESSION, origin, "sec-fetch-site": "cross-site" };
    const answer = await world.send({ path: "/v1/agent-runs", headers });
    expect(answer.headers["access-control-expose-headers"]).toMatch(/\bRun-Retention\b/);
  });
});
