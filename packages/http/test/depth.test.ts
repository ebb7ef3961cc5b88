import { describe, expect, it } from "vitest";
import { ADA } from "./harness/accounts.ts";
import { post } from "./harness/answer.ts";
import { DOORS, openWorld } from "./harness/world.ts";

const LINES = { "content-type": "application/x-ndjson" };

function nest(depth: number): string {
  return "[".repeat(depth) + "]".repeat(depth);
}

function eventOf(depth: number): string {
  return `{"eventType":"NOTE","payload":${nest(depth)}}`;
}

describe.each(DOORS)("%s", (door) => {
  it("W9: a payload is nested 1,000 deep at most; a deeper one is 422 with its index, and nothing is written", async () => {
    await using world = await openWorld(door);
    const runId = await world.record();
    const path = `/v1/agent-runs/${runId}/events`;
    expect((await world.send(post(path, `{"events":[${eventOf(1_000)}]}`))).status).toBe(201);
    for (const depth of [1_001, 100_000]) {
      const body = `{"events":[${eventOf(1)},${eventOf(depth)}]}`;
      const refused = await world.send(post(path, body));
      expect([depth, refused.status]).toEqual([depth, 422]);
      expect(refused.json()).toMatchObject({ code: "invalid_event", index: 1 });
    }
    const lines = await world.send(post(path, `${eventOf(1)}\n${eventOf(1_001)}\n`, LINES));
    expect(lines.status).toBe(422);
    expect(lines.json()).toMatchObject({ code: "invalid_event", line: 2, lastSequence: 2 });
    expect((await world.send({ path, headers: ADA })).text).toContain(nest(1_000));
    expect((await world.ada.get(runId)).lastSequence).toBe(2);
  });

  it("W8: metadata is nested 1,000 deep at most; a deeper one is 400, and no run is created", async () => {
    await using world = await openWorld(door);
    const create = (runId: string, depth: number): ReturnType<typeof post> =>
      post("/v1/agent-runs", `{"runId":"${runId}","metadata":${nest(depth)}}`);
    expect((await world.send(create("r", 1_000))).status).toBe(201);
    const refused = await world.send(create("s", 1_001));
    expect([refused.status, refused.json()["code"]]).toEqual([400, "invalid_request"]);
    await expect(world.ada.get("s")).rejects.toMatchObject({ code: "not_found" });
  });
});
